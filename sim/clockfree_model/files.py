"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A file to write beside this one, whose place it takes at the end; one that is cut short is taken away."""
    beside = path.with_name(path.name + ".new")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def replace_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write a file in one go: a reader, or a kill, finds the old contents or the new, never a part."""
    with replaced(path) as beside, open(beside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
