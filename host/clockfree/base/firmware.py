"""The firmware: which files it is, and the digest by which a board tells in HELLO what it runs."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from clockfree.base import shipped
from clockfree.base.errors import BoardError
from clockfree_board import link

FOLDER = shipped.folder("firmware")
SOURCES = Path(link.__file__).resolve().parent
PACKAGE = SOURCES.name
MAIN = "main.py"
MADE = "made.txt"
"""Beside compiled files: what they were made from, and what they are, as `digest` of the firmware reads it."""


class FirmwareError(BoardError):
    """No firmware for this board, or none here; the text says why, and what to do."""


def sources() -> dict[str, Path]:
    """Every file of the firmware, by its path on a board."""
    main = FOLDER / MAIN
    if not main.is_file():
        raise FirmwareError(f"{main}: expected the firmware's main.py, got none: install clockfree anew")
    return {f"/{MAIN}": main, **{f"/{PACKAGE}/{path.name}": path for path in sorted(SOURCES.glob("*.py"))}}


def digest(files: Iterable[tuple[str, bytes]]) -> str:
    """Digest of files, by their paths on a board: 16 hex digits, as `clockfree_board.digest` makes them there."""
    hashed = hashlib.sha256()
    named = {path.rpartition("/")[2]: data for path, data in files}
    for name in sorted(named, key=lambda name: (name == MAIN, name)):
        hashed.update(f"{name} {len(named[name])}\n".encode() + named[name])
    return hashed.hexdigest()[:16]


@cache
def code() -> str:
    """Digest of the firmware's sources here: what every board should run."""
    return digest((path, file.read_bytes()) for path, file in sources().items())
