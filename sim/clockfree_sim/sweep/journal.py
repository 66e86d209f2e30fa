"""The folder of a sweep: `points.jsonl` is the truth, appended to as points finish; `results.nc` is made from it."""

import contextlib
import errno
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from clockfree_model.files import naming
from clockfree_model.places import is_clutter
from clockfree_sim.sweep.grid import SweepError
from clockfree_sim.sweep.load import Sweep

FORMAT = 2
HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
"""What is said of a lock that another process has."""
ABOUT = (
    "clockfree sweep, one JSON object a line. sweep: what is swept. session: begun, or gone on with, by these. "
    "point: what a point came to; at is its place on each axis. failed: why a point came to nothing; a later "
    "point there counts. A last line without a newline was cut off and does not count."
)


class Journal:
    """Opens the journal of a sweep, made anew or gone on with.

    Parameters
    ----------
    folder : Path
        One that does not exist, is empty, or is this very sweep's.
    sweep : Sweep
    versions : dict
        Versions of whatever can change a result.

    Attributes
    ----------
    points : dict of tuple to dict
        What each finished point came to, by its place on the axes: see `point.measure`, with arrays for lists.
    failed : dict of tuple to str
        Why others failed.
    sessions : list of dict
        Versions of each session, this one's last.

    Raises
    ------
    SweepError
        Anything else in the folder, or another process at work there.
    """

    def __init__(self, folder: Path, sweep: Sweep, versions: dict[str, str]):
        self.folder = folder
        self.points: dict[tuple[int, ...], dict[str, Any]] = {}
        self.failed: dict[tuple[int, ...], str] = {}
        self.sessions: list[dict[str, str]] = []
        self._path = folder / "points.jsonl"
        self._file = self._open()
        try:
            self._lock()
            self._read(sweep)
        except BaseException:
            self._file.close()
            raise
        self.sessions.append(versions)
        self._write({"record": "session", "versions": versions})

    def done(self, point: tuple[int, ...], found: dict[str, Any]) -> None:
        """Keep what a point came to."""
        self._write({"record": "point", "at": point, **found})
        self.points[point] = _arrays(found)
        self.failed.pop(point, None)

    def fail(self, point: tuple[int, ...], why: str) -> None:
        """Keep why a point came to nothing."""
        self._write({"record": "failed", "at": point, "why": why})
        self.failed[point] = why

    def close(self) -> None:
        """Let go of the journal."""
        self._file.close()

    def _open(self) -> BinaryIO:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self._path.exists() and any(not is_clutter(each) for each in self.folder.iterdir()):
                text = f"expected a new folder, or this sweep's own, got {self.folder} with other files"
                raise SweepError(f"--out: {text}")
            return open(self._path, "ab", buffering=0)
        except OSError as error:
            text = f"expected a folder that can be made, got {self.folder}: {error.strerror}"
            raise SweepError(f"--out: {text}") from None

    def _lock(self) -> None:
        with contextlib.suppress(ImportError):  # Windows has none
            import fcntl

            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in HELD:  # else the disk knows no locks
                    text = f"expected a folder of its own, got {self.folder}, in use now"
                    raise SweepError(f"--out: {text}") from None

    def _write(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        with naming(self._path):
            while line:  # a disk that fills up takes a part of it first, and says so at the next attempt
                line = line[self._file.write(line) :]

    def _read(self, sweep: Sweep) -> None:
        """Take in what is there. A line that was cut off is taken away, so that the next one is whole."""
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(self._path, whole)
        lines = data[:whole].splitlines()
        if not lines:
            what = {"digest": sweep.digest, "files": sweep.texts}
            self._write({"record": "sweep", "format": FORMAT, "log": ABOUT, **what})
        for number, line in enumerate(lines, 1):
            try:
                self._take(number, json.loads(line), sweep)
            except SweepError:
                raise
            except (KeyError, TypeError, ValueError):
                text = f"expected the journal of a sweep, got {self._path}, broken in line {number}"
                raise SweepError(f"--out: {text}") from None

    def _take(self, number: int, record: dict[str, Any], sweep: Sweep) -> None:
        if number == 1:
            if record["record"] != "sweep" or record["format"] not in (1, FORMAT):
                raise ValueError(number)
            if record["format"] == 1:
                text = "begun by an earlier version, whose errors are means of samples"
                raise SweepError(f"--out: expected a new folder, got {self.folder}, {text}")
            if record["digest"] != sweep.digest:
                text = "whose sweep is another, or whose sweep, task, network or data files have changed since"
                raise SweepError(f"--out: expected a new folder, or this sweep's own, got {self.folder}, {text}")
        elif record["record"] == "session":
            self.sessions.append(record["versions"])
        elif record["record"] == "point":
            at = tuple(record["at"])
            self.points[at] = _arrays(record)
            self.failed.pop(at, None)
        elif record["record"] == "failed":
            self.failed[tuple(record["at"])] = record["why"]
        else:
            raise ValueError(number)


def _arrays(found: dict[str, Any]) -> dict[str, Any]:
    """Lists of numbers as arrays, with nan for null; thousands of points are kept."""
    return {key: np.array(value, dtype=float) if isinstance(value, list) else value for key, value in found.items()}
