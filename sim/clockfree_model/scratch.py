"""Temporary folders that outlast nobody: what a killed process has left, the next one takes away."""

import contextlib
import os
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path
from types import TracebackType

PREFIX = "clockfree-scratch-"
_YOUNG_S = 60.0
"""Between making a folder and locking it there is a moment."""


class Scratch:
    """A temporary folder, gone at the end of the context, or when it is closed.

    It is locked for as long as its process lives; one that nobody has locked is nobody's.

    Attributes
    ----------
    path : Path
    """

    def __init__(self) -> None:
        _tidy()
        self._made = tempfile.TemporaryDirectory(prefix=PREFIX)
        self.path = Path(self._made.name)
        self._held = _locked(self.path)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Take it away."""
        self._made.cleanup()
        if self._held is not None:
            os.close(self._held)
            self._held = None


@cache
def _tidy() -> None:
    """Take away what killed processes of this user have left; once a process."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            about = left.lstat()
            if about.st_uid == os.getuid() and time.time() - about.st_ctime > _YOUNG_S and left.is_dir():
                held = _locked(left)
                if held is not None:
                    shutil.rmtree(left, ignore_errors=True)
                    os.close(held)


def _locked(folder: Path) -> int | None:
    """The file that keeps a folder locked; None where somebody else has, or no lock can be had."""
    try:
        import fcntl

        held = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    except (ImportError, OSError):  # Windows has none
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return None
    return held
