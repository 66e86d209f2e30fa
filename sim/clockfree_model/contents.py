"""Contents of files that a person named: of plain files alone, and of no more than can be meant."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from clockfree_model.quiet import quiet
from clockfree_model.saying import say

MOST = 32 << 20
"""Bytes of a file that is read as a whole."""
SAID = 1 << 20
"""Bytes of which it takes a second to make sense."""
KINDS = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"), (stat.S_ISSOCK, "a socket"))
"""What may never end, or never begin."""


def opened(path: Path | str) -> BinaryIO:
    """A plain file for reading; OSError where it is anything else, before it is touched."""
    mode = os.stat(path).st_mode
    kind = next((name for is_kind, name in KINDS if is_kind(mode)), "")
    if kind:
        raise OSError(errno.EINVAL, f"{kind}, which is no file", str(path))
    return open(path, "rb")


def contents(path: Path | str, most: int = MOST) -> bytes:
    """All of a plain file; OSError where it cannot be read, or is larger than that."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(most + 1) if size <= most else b""
    if max(size, len(data)) > most:
        got = f"{size:,} bytes" if size > most else "more"
        raise OSError(errno.EFBIG, f"{got}, and {most:,} are the most that is read", str(path))
    return data


def tell(path: Path | str, size: int) -> None:
    """Say that a file is being read, where that takes more than a moment."""
    if size > SAID and not quiet():
        say(f"reading {path}: {size / 1e6:.0f} MB")


def lines(path: Path | str, most: int = MOST) -> Iterator[bytes]:
    """Line by line a plain file of any size; OSError where one of them has no end in sight."""
    with opened(path) as file:
        while line := file.readline(most + 1):
            if len(line) > most:
                raise OSError(errno.EFBIG, f"a line of more than {most:,} bytes", str(path))
            yield line
