"""Who else has a port open, as Linux tells of the processes of this user.

Two programs that read one port each get a share of what the board says, and neither is told.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")
_OTHER_END = "/dev/ptmx"


def others(devices: Iterable[str]) -> dict[str, str]:
    """Of each device that another process has open: which one, for people.

    One pass over all processes: ask of many devices at once. The process at the other end of a pseudo-terminal, a
    virtual board's, is no reader of it.
    """
    wanted, found = {*devices}, dict[str, str]()
    if not wanted or not _PROCESSES.is_dir():
        return found
    for process in _PROCESSES.iterdir():
        if process.name.isdecimal() and process.name != str(os.getpid()):
            with suppress(OSError):  # it has just ended, or is another user's
                opened = _opened(process)
                for device in wanted & opened:
                    if not (device.startswith("/dev/pts/") and _OTHER_END in opened):
                        name = (process / "comm").read_text("utf-8", "replace").strip()
                        found[device] = f"{name} (process {process.name})"
    return found


def shared(device: str, other: str) -> str:
    """What is wrong with a port that another program reads as well."""
    return f"{device} is also open in {other}, which takes its share of what the board says: end it"


def _opened(process: Path) -> set[str]:
    """Files that a process has open."""
    opened = set()
    for number in os.scandir(process / "fd"):
        with suppress(OSError):
            opened.add(os.readlink(number.path))
    return opened
