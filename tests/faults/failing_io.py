"""Operations on files that fail: the n-th open, write, sync, rename or netCDF call of a command, once or from then on.

Only files below one folder count, so that what Python reads for itself is left alone. A write that fails has written
half of what it was given, as on a disk that is full.
"""

import builtins
import errno
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import h5netcdf

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)


class Operations:
    """Counts operations below a folder, and has some of them fail.

    Parameters
    ----------
    below : Path
    at : int or None
        The first that fails, from 0; None is none.
    number : int
        With this error.
    ever : bool
        All later ones fail as well.

    Attributes
    ----------
    names : list of str
        What was done, in order.
    failed : int
    """

    def __init__(self, below: Path, at: int | None = None, number: int = 0, ever: bool = False) -> None:
        self._below, self._at, self._number, self._ever = str(below), at, number, ever
        self.names: list[str] = []
        self.failed = 0

    def is_below(self, path: Any) -> bool:
        """Whether a path counts."""
        return isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(self._below)

    def fails(self, name: str) -> bool:
        """Count an operation; True where it fails."""
        here = len(self.names)
        self.names.append(name)
        fails = self._at is not None and (here == self._at or (self._ever and here > self._at))
        self.failed += fails
        return fails

    def error(self, path: Any = None) -> OSError:
        """What it fails with."""
        return OSError(self._number, os.strerror(self._number), *([str(path)] if path is not None else []))

    def do(self, name: str, path: Any = None) -> None:
        """Count an operation; OSError where it fails."""
        if self.fails(f"{name} {_plain(path)}" if path is not None else name):
            raise self.error(path)


class _File:
    """An open file whose writing is counted; an error of it names no file, as with Python's own."""

    def __init__(self, file: Any, operations: Operations, name: str) -> None:
        self._file, self._operations, self._name = file, operations, name

    def write(self, data: Any) -> int:
        if self._operations.fails(f"write {self._name}"):
            self._file.write(data[: len(data) // 2])
            raise self._operations.error()
        return int(self._file.write(data))

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *exception: Any) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _plain(path: Any) -> str:
    """Name of a file, without what a name has that is used only while it is written."""
    return re.sub(r"\.[\w-]+\.new$", "", os.path.basename(path))


@contextmanager
def failing(operations: Operations) -> Iterator[Operations]:
    """While this lasts, files are opened, written, synced and renamed by way of these operations."""
    really = {name: getattr(os, name) for name in ("open", "fdopen", "fsync", "replace", "mkdir")}
    opened, made, paths = builtins.open, h5netcdf.File.create_variable, {}

    def open_(path: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
        if not operations.is_below(path) or not set(mode) & set("wax+"):
            return opened(path, mode, *more, **named)
        operations.do("open", path)
        return _File(opened(path, mode, *more, **named), operations, _plain(path))

    def os_open(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if operations.is_below(path) and flags & (os.O_WRONLY | os.O_RDWR):
            operations.do("open", path)
            found = really["open"](path, flags, *more, **named)
            paths[found] = _plain(path)
            return int(found)
        return int(really["open"](path, flags, *more, **named))

    def fdopen(descriptor: int, *more: Any, **named: Any) -> Any:
        file = really["fdopen"](descriptor, *more, **named)
        return _File(file, operations, paths.pop(descriptor)) if descriptor in paths else file

    def fsync(descriptor: int) -> None:
        operations.do("fsync")
        really["fsync"](descriptor)

    def replace(source: Any, target: Any, **named: Any) -> None:
        if operations.is_below(target):
            operations.do("rename", target)
        really["replace"](source, target, **named)

    def mkdir(path: Any, *more: Any, **named: Any) -> None:
        if operations.is_below(path) and not os.path.isdir(path):
            operations.do("mkdir", path)
        really["mkdir"](path, *more, **named)

    def create_variable(self: Any, *given: Any, **named: Any) -> Any:
        operations.do("netCDF")
        return made(self, *given, **named)

    patches = {"open": os_open, "fdopen": fdopen, "fsync": fsync, "replace": replace, "mkdir": mkdir}
    with mock.patch.multiple(os, **patches), mock.patch.object(builtins, "open", open_):
        with mock.patch.object(io, "open", open_), mock.patch.object(h5netcdf.File, "create_variable", create_variable):
            yield operations
