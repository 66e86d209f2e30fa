"""File of a run's log: lines that are sealed and appended, by one process at a time, and the lines of it that count.

Whoever goes on with a run appends `resumed`, with the number of the last line that counts (`after`): those from there
to this one do not, but for notes. So the file only ever grows, and its checksums hold through all of it.
"""

import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Any

from clockfree.base.errors import InputError
from clockfree_model.chain import Chain, sealed
from clockfree_model.contents import lines
from clockfree_model.events import RESUMED
from clockfree_model.files import naming

LOG = "log.jsonl"
NOTE = "note"
BROKEN = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading a record that nobody wrote can raise."""


class LogFile:
    """A log that is being written; `create` and `reopen` give one.

    Attributes
    ----------
    lines, size : int
        Whole lines of it, and their bytes.
    torn : bool
        The last line may be half written: nothing may follow it.
    """

    def __init__(self, path: Path, flags: int) -> None:
        self.path = path
        self.lines = self.size = 0
        self.torn = False
        self._chain = Chain()
        flags |= os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.fdopen(os.open(path, flags, 0o666), "wb", buffering=0)

    @classmethod
    def create(cls, path: Path) -> "LogFile":
        """A new one; FileExistsError if there is one already."""
        made = cls(path, os.O_CREAT | os.O_EXCL)
        made._lock()
        return made

    @classmethod
    def reopen(cls, path: Path, after: int = 0, place: dict[str, Any] | None = None) -> "LogFile":
        """One that was written before; half a line at its end is taken away, which never counted.

        Parameters
        ----------
        path : Path
        after, place : int, dict
            What `place` said when there were so many lines.

        Raises
        ------
        InputError
            None is there, it is not what was written, has no checksums, or somebody is writing it.
        """
        try:
            found = cls(path, 0)
        except OSError as error:
            raise InputError(f"{path}: file: expected the log of a run, got {error.strerror}") from None
        try:
            found._lock()
            found._go_through(after, place)
        except BaseException:
            found.close()
            raise
        return found

    def write(self, fields: dict[str, Any]) -> None:
        """Append a line."""
        line = self._chain.sealed(fields)
        self.size += len(line)
        self.lines += 1
        self.torn = True  # until it is whole: nothing may follow half a line
        with naming(self.path):
            while line:
                line = line[self._file.write(line) :]
        self.torn = False

    def place(self) -> dict[str, Any]:
        """Where the log is: lines, bytes, and the checksum of the last one."""
        return {"lines": self.lines, "bytes": self.size, "crc": self._chain.crc}

    def sync(self) -> None:
        """Have all that was written until now outlast a power cut."""
        with naming(self.path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows has none
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"{self.path.parent}: expected a run that is over, got one that goes on now") from None

    def _go_through(self, after: int, place: dict[str, Any] | None) -> None:
        for line in lines(self.path):
            if not line.endswith(b"\n"):
                break
            if self.lines == 0 and not sealed(record_in(line) or {}):
                text = "expected the log of a run, of a version with checksums, got another"
                raise InputError(f"{self.path}: line 1: {text}: nothing can be added to it")
            if not self._chain.holds(line):
                raise changed(self.path, self.lines + 1)
            self.lines += 1
            self.size += len(line)
            if self.lines == after and place != self.place():
                place = None
        if after and (place is None or self.lines < after):
            raise InputError(f"{self.path}: expected the log that the checkpoint beside it is of, got another")
        if not self.lines:
            raise InputError(f"{self.path}: line 1: expected the first record of a clockfree run")
        os.truncate(self.path, self.size)


def records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line of a log that counts, with its number from 1, as a dict.

    Raises
    ------
    InputError
        At the first line that is not what was written.
    """
    chain, is_sealed = Chain(), False
    try:
        passed_over = uncounted(path)
        for number, line in enumerate(lines(path), start=1):
            if not line.endswith(b"\n"):
                return
            fields = record_in(line)
            if fields is None:
                raise InputError(f"{path}: line {number}: expected a JSON object, got {short(line)}")
            if number == 1:
                is_sealed = sealed(fields)
            if is_sealed and not chain.holds(line):
                raise changed(path, number)
            if fields.get("record") == NOTE or not any(number in passed for passed in passed_over):
                yield number, fields
    except OSError as error:
        raise InputError(f"{path}: file: expected the log of a run, got {error.strerror}") from None


def uncounted(path: Path) -> list[range]:
    """Numbers of lines that do not count, notes among them aside; InputError where `resumed` names no line before."""
    found = []
    begins = f'{{"record":"{RESUMED}"'.encode()
    for number, line in enumerate(lines(path), start=1):
        if line.startswith(begins) and line.endswith(b"\n"):
            after = (record_in(line) or {}).get("after")
            if type(after) is not int or not 0 < after < number:
                text = f"expected the number of a line before, got {short(after)}"
                raise InputError(f"{path}: line {number}: after: {text}")
            found.append(range(after + 1, number))
    return found


def changed(path: Path, number: int) -> InputError:
    """What to raise at a line that is not the one that was written."""
    text = "expected what was written, got another line by its checksum"
    return InputError(f"{path}: line {number}: {text}: clockfree check {quote(str(path.parent))} looks at all of them")


def short(what: object) -> str:
    """A value, or a line, as an error shows it."""
    text = (
        " ".join(what.decode("utf-8", "replace").split()) if isinstance(what, bytes) else " ".join(repr(what).split())
    )
    return text if len(text) <= 60 else text[:57] + "..."


def record_in(line: bytes) -> dict[str, Any] | None:
    """The record that a line is; None where it is none: no JSON object, or one with a number that is not finite."""
    try:
        text = line.decode("ascii")
        found = (_CAREFUL if _HUGE.search(line) else _STRICT).decode(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number that was measured")
    return value


_HUGE = re.compile(rb"\d[eE]\+?\d{3}")
"""What may be a number beyond all numbers."""
_STRICT = json.JSONDecoder(parse_constant=_finite)
_CAREFUL = json.JSONDecoder(parse_constant=_finite, parse_float=_finite)
