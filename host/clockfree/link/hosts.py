"""Hosts at work: which process runs which boards, so that another one can ask it to end, or look at its record.

Each leaves a note in a folder of the user, and holds a lock on it as long as it runs: of a process that is gone,
however it went, the system has taken the lock back. Where a system knows no such locks there are no notes.
"""

import contextlib
import json
import os
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from clockfree.base.files import replace_text
from clockfree.link.benchfile import BenchFile
from clockfree.link.ports import BY_ID

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LOOK_S = 0.05
WATCHED_S = 5.0
"""Who wants to see what a run sees says so again within this time."""
FRESH_S = 3.0
"""What a run has told is so old at most, or it does not tell."""
NOW, WATCHED = ".now", ".watched"
"""Beside a note: what its run sees now, and when somebody last wanted to see it."""


def _folder() -> Path:
    """Where notes lie: for as long as the machine runs, if there is such a folder."""
    for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
        given = Path(os.environ.get(name, ""))
        if given.is_absolute() and given.is_dir():
            return given / "clockfree" / "hosts"
    try:
        return Path.home() / ".cache" / "clockfree" / "hosts"
    except RuntimeError:  # a user id without a home
        return Path(tempfile.gettempdir()) / f"clockfree-{os.getuid()}" / "hosts"


class Note:
    """The note of this process about a bench that it runs.

    Parameters
    ----------
    bench : BenchFile
    """

    def __init__(self, bench: BenchFile) -> None:
        self._said: dict[str, Any] = {"pid": os.getpid(), "boards": _names(bench), "run": None}
        self._file: int | None = None
        if fcntl is None:
            return
        with contextlib.suppress(OSError):  # a full disk, or no home: boards run without it
            folder = _folder()
            folder.mkdir(parents=True, exist_ok=True)
            self._path = folder / f"{os.getpid()}-{time.monotonic_ns()}.json"
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._write()

    def run(self, folder: Path) -> None:
        """The record of what is run is in this folder."""
        self._said["run"] = str(folder.absolute())
        self._write()

    @property
    def watched(self) -> bool:
        """Somebody wants to see what this run sees."""
        return self._file is not None and _age_s(self._path.with_suffix(WATCHED)) < WATCHED_S

    def tell(self, seen: dict[str, Any]) -> None:
        """What this run sees now, for whoever watches."""
        with contextlib.suppress(OSError):
            replace_text(self._path.with_suffix(NOW), json.dumps(seen))

    def close(self) -> None:
        """The boards are nobody's any more."""
        file, self._file = self._file, None
        if file is not None:
            _remove(self._path)
            os.close(file)

    def _write(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.pwrite(self._file, json.dumps(self._said).encode() + b"\n", 0)


@dataclass(frozen=True)
class Host:
    """A process that runs boards.

    Attributes
    ----------
    pid : int
    run : Path or None
        The folder of its run, if it has begun.
    note : Path
    """

    pid: int
    run: Path | None
    note: Path

    def seen(self, within_s: float = FRESH_S) -> dict[str, Any] | None:
        """What its run sees now; None where it tells nothing within so long."""
        late_s = time.monotonic() + within_s
        now = self.note.with_suffix(NOW)
        with contextlib.suppress(OSError):
            while self.at_work and time.monotonic() < late_s:
                self.note.with_suffix(WATCHED).touch()
                if _age_s(now) < FRESH_S:
                    found: dict[str, Any] = json.loads(now.read_text(encoding="utf-8"))
                    return found
                time.sleep(LOOK_S)
        return None

    @property
    def at_work(self) -> bool:
        """It still has the boards."""
        return _locked(self.note)

    def interrupt(self) -> None:
        """Ask it to end, as Ctrl-C does: HOLD, a last sample, and its record is closed."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGINT)

    def kill(self) -> None:
        """End it, whatever it does; its record is cut off."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def gone(self, within_s: float) -> bool:
        """Whether it lets go of the boards within so long."""
        late_s = time.monotonic() + within_s
        while self.at_work:
            if time.monotonic() > late_s:
                return False
            time.sleep(LOOK_S)
        return True


def host_of(bench: BenchFile) -> Host | None:
    """The process that runs boards of this bench, other than this one; None where there is none."""
    names = {*_names(bench)}
    with contextlib.suppress(OSError):
        for note in sorted(_folder().glob("*.json")):
            if not _locked(note):
                _remove(note)  # left by a process that was killed
                continue
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                said = json.loads(note.read_text(encoding="utf-8"))
                if names & {*said["boards"]} and said["pid"] != os.getpid():
                    return Host(int(said["pid"]), Path(said["run"]) if said["run"] else None, note)
    return None


def _age_s(file: Path) -> float:
    try:
        return time.time() - file.stat().st_mtime
    except OSError:
        return float("inf")


def _remove(note: Path) -> None:
    for file in (note, note.with_suffix(NOW), note.with_suffix(WATCHED)):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _names(bench: BenchFile) -> list[str]:
    """Its boards, each by where it is looked for: virtual boards of two benches may well have the same ids."""
    where = "" if bench.links in (None, BY_ID) else str(bench.links)
    return [f"{where} {board.name}".strip() for board in bench.every_board]


def _locked(note: Path) -> bool:
    if fcntl is None:
        return False
    try:
        file = os.open(note, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False
