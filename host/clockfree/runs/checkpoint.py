"""Checkpoint of a run: all that it takes to go on from there, in one file that is replaced in one go.

In it are the place in the log up to which lines count, and the state of the bench: simulated, what has changed of the
world since its first sample; of boards, taps, trims, counters and how far it had come.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from clockfree.base.errors import InputError
from clockfree.base.files import replace_text
from clockfree.runs.logfile import BROKEN, LogFile

FILE = "checkpoint.json"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Where a run was.

    Attributes
    ----------
    updates, time_us, taps : float, int, list of int
        Of the last sample.
    wall_s : float
        Wall time until here, s.
    samples : int
        In the log so far.
    log : dict
        The log's place; see `LogFile.place`.
    state : dict
        What the bench needs; see `Bench.saved`.
    """

    updates: float
    time_us: int
    wall_s: float
    taps: list[int]
    samples: int
    log: dict[str, Any]
    state: dict[str, Any]

    def last(self) -> dict[str, Any]:
        """What it says of the last sample."""
        return {"updates": self.updates, "time_us": self.time_us, "taps": self.taps}

    def write(self, folder: Path, log: LogFile) -> None:
        """Keep it beside its log, which is brought to the disk before."""
        log.sync()
        replace_text(folder / FILE, json.dumps(dataclasses.asdict(self), separators=(",", ":")) + "\n")


def read(folder: Path) -> Checkpoint:
    """The checkpoint of a run.

    Raises
    ------
    InputError
        There is none, or it is of a version before runs could be resumed.
    """
    path = folder / FILE
    try:
        found = Checkpoint(**json.loads(path.read_text(encoding="utf-8")))
        if not all(type(found.log[name]) is kind for name, kind in (("lines", int), ("bytes", int), ("crc", str))):
            raise TypeError("no place in a log")
        return dataclasses.replace(found, updates=float(found.updates), samples=int(found.samples))
    except OSError as error:
        raise InputError(f"{path}: file: expected the checkpoint of a run, got {error.strerror}") from None
    except BROKEN:
        raise InputError(f"{path}: expected a checkpoint that a run can go on from, got none of this version") from None
