"""MicroPython onto blank boards: a UF2 file, copied to the drive that a board in its boot loader shows."""

import os
import re
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from clockfree.base.errors import BoardError, InputError
from clockfree_model.contents import contents

DRIVES = ("/media/*/*", "/run/media/*/*", "/media/*", "/mnt/*", "/Volumes/*")
"""Where Linux and macOS put drives; Windows has letters."""
INFO = "INFO_UF2.TXT"
FAMILIES = {"RPI-RP2": (0xE48BFF56,), "RP2350": (0xE48BFF59, 0xE48BFF5A)}
"""Family ids of RP2040, and of RP2350 (Arm, RISC-V), by the Board-ID that their boot loaders tell."""
_ANY = 0xE48BFF57
"""Of a block that a file for an RP2350 may have besides, for a fault of its boot loader."""
BACK_S = 30.0

_BLOCK = 512
_HEAD = struct.Struct("<8I")
_MAGIC = (0x0A324655, 0x9E5D5157)
_MAGIC_END = 0x0AB16F30
_HAS_FAMILY = 0x2000
_HELP = "mpflash (PyPI) and micropython.org/download have it"


@dataclass(frozen=True)
class Drive:
    """A board in its boot loader: where its drive is, and its Board-ID."""

    path: Path
    board: str


def drives(places: Iterable[Path] | None = None) -> list[Drive]:
    """Every drive that a boot loader shows."""
    found = []
    for place in _places() if places is None else places:
        try:
            text = (place / INFO).read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        board = re.search(r"^Board-ID:\s*(\S+)", text, re.MULTILINE)
        found.append(Drive(place, board[1] if board else "unknown"))
    return found


def _places() -> list[Path]:
    if os.name == "nt":
        return [Path(f"{letter}:\\") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ"]
    return sorted({place for pattern in DRIVES for place in Path("/").glob(pattern[1:])})


def families(file: Path) -> set[int]:
    """The chips a UF2 file is for, by family id.

    Raises
    ------
    InputError
        It cannot be read, or is not a UF2.
    """
    try:
        data = contents(file)
    except OSError as error:
        raise InputError(f"{file}: --uf2: expected a UF2 file, got {error.strerror}; {_HELP}") from None
    found, blocks, told = set(), Counter[int](), dict[int, int]()
    for start in range(0, len(data) or 1, _BLOCK):
        block = data[start : start + _BLOCK]
        if len(block) < _BLOCK or block[-4:] != struct.pack("<I", _MAGIC_END):
            raise InputError(f"{file}: --uf2: expected a UF2 file, got other bytes at {start}; {_HELP}")
        first, second, flags, _, _, _, count, family = _HEAD.unpack_from(block)
        if (first, second) != _MAGIC:
            raise InputError(f"{file}: --uf2: expected a UF2 file, got other bytes at {start}; {_HELP}")
        if flags & _HAS_FAMILY:
            found.add(family)
        blocks[family] += 1
        told[family] = count
    for family, count in told.items():
        if family != _ANY and blocks[family] != count:
            text = f"expected {count} blocks, as each of them says, got {blocks[family]}: it was not loaded to its end"
            raise InputError(f"{file}: --uf2: {text}; {_HELP}")
    return found


def blank_boards(file: Path, places: Iterable[Path] | None = None) -> list[Drive]:
    """The boards in their boot loader that a UF2 file is for: at least one.

    `places` are where to look for drives; None is where the system puts them.

    Raises
    ------
    InputError
        Not a UF2, no board in its boot loader, or one that the file is not for.
    """
    chips = families(file)
    found = drives(places)
    if not found:
        raise InputError(
            "--uf2: expected a board in its boot loader, got none: hold BOOTSEL while you plug it in, and mount the "
            "drive it shows"
        )
    for drive in found:
        wanted = FAMILIES.get(drive.board)
        if wanted is None:
            text = f"expected boot loaders of {' and '.join(FAMILIES)} alone, got {drive.board} at {drive.path}"
            raise InputError(f"{file}: --uf2: {text}: unmount it, and copy what is for it by hand")
        if not {*wanted} & chips:
            given = ", ".join(f"{chip:08x}" for chip in sorted(chips)) or "none"
            expected = f"family {wanted[0]:08x} for the {drive.board} at {drive.path}"
            raise InputError(f"{file}: --uf2: expected {expected}, got {given}; {_HELP}")
    return found


def install(file: Path, blank: list[Drive], count_ports: Callable[[], int]) -> None:
    """Copy a UF2 file to blank boards, and wait until they are back as MicroPython boards.

    `count_ports` says how many boards have a port now.

    Raises
    ------
    BoardError
        A drive could not be written, or a board did not come back.
    """
    before = count_ports()
    data = contents(file)
    with ThreadPoolExecutor(len(blank)) as pool:
        list(pool.map(lambda drive: _copy(data, drive.path / file.name), blank))
    late_s = time.monotonic() + BACK_S
    while (back := count_ports() - before) < len(blank):
        if time.monotonic() > late_s:
            text = f"expected {len(blank)} boards back as MicroPython within {BACK_S:.0f} s, got {back}"
            raise BoardError(f"{file}: --uf2: {text}: plug the others in anew, then flash without --uf2")
        time.sleep(0.1)


def _copy(data: bytes, target: Path) -> None:
    """Write a file to a drive that goes away as soon as it has all of it; BoardError where it could not be written."""
    written = 0
    try:
        with open(target, "wb", buffering=0) as file:
            while written < len(data):
                written += file.write(data[written:])
            os.fsync(file.fileno())
    except OSError as error:
        if written < len(data) or (target.parent / INFO).exists():
            text = f"{error.strerror} after {written} of {len(data)} bytes"
            raise BoardError(f"{target}: {text}: hold BOOTSEL while you plug the board in, and try again") from None
