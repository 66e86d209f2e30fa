"""Files that are there whole or not at all, under names of their own until then; errors that say of which file."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

_LONGEST = 200


@contextmanager
def naming(what: Path | str) -> Iterator[None]:
    """Have an OSError say what it is about where it does not: one of writing, or of a lock, names no file."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(what)
        raise


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A file to write beside this one, whose place it takes at the end; one that is cut short is taken away.

    Several may be under way at once: the last one that ends stays. What processes have left that were killed is taken
    away as well.
    """
    if path.is_symlink():
        path = Path(os.path.realpath(path))  # what it leads to
    name = path.name[:_LONGEST]
    for left in path.parent.glob("*.new"):
        if left.name.startswith(f"{name}.") and _is_dead(left.name[len(name) + 1 : -len(".new")]):
            left.unlink(missing_ok=True)
    beside = path.with_name(f"{name}.{_here()}-{os.getpid()}-{threading.get_native_id()}.new")
    try:
        with naming(path):
            yield beside
            os.replace(beside, path)
    except OSError as error:
        if error.filename == str(beside):
            error.filename = str(path)
        raise
    finally:
        beside.unlink(missing_ok=True)


def replace_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write a file in one go: a reader, or a kill, finds the old contents or the new, never a part."""
    with replaced(path) as beside, open(beside, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def attempt(file: Path, make: Callable[[Path], None]) -> list[str]:
    """Make a file that is not the record; returns a line that says why it was not made, if it was not."""
    try:
        make(file)
    except Exception as error:  # matplotlib and HDF5 raise whatever comes to them
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        return [f"{file} was not made: {' '.join(why.split())}"]
    return []


@cache
def _here() -> str:
    """What tells this machine, or container, from others that write to the same folder."""
    numbers = ""  # of processes: a container counts its own
    with suppress(OSError):
        numbers = os.readlink("/proc/self/ns/pid")
    return sha256(f"{os.uname().nodename} {numbers}".encode()).hexdigest()[:8] if os.name == "posix" else "0"


def _is_dead(token: str) -> bool:
    """Whether the process that a name is of has ended: one of this machine whose number nobody has."""
    here, _, rest = token.partition("-")
    process = rest.partition("-")[0]
    if os.name != "posix" or here != _here() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass
    return False
