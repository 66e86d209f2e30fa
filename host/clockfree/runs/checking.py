"""Whether a record is what was written: every line of its log, and that nothing of it is missing."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clockfree.base.errors import InputError
from clockfree.runs.chain import Chain
from clockfree.runs.runlog import BROKEN, read, sealed

SHOWN = 5
"""So many lines are named."""


@dataclass(frozen=True)
class Check:
    """What looking at a record came to.

    Attributes
    ----------
    run : str
        Its folder.
    checked : bool
        False for a record of before, which has no checksums.
    lines : int
        Whole lines of its log.
    broken : list of int
        Lines, from 1, that are not what was written, or do not follow the line before.
    problem : str
        What else is wrong with it; "" where nothing is.
    """

    run: str
    checked: bool
    lines: int
    broken: list[int]
    problem: str

    @property
    def sound(self) -> bool:
        """Nothing is wrong, as far as it can be known."""
        return not self.broken and not self.problem


def check(folder: Path) -> Check:
    """Look at a run's record.

    Raises
    ------
    InputError
        No log is there, or nothing that begins as one.
    """
    path = folder / "log.jsonl"
    try:
        with open(path, "rb") as file:
            lines = file.read().splitlines(keepends=True)
    except OSError as error:
        raise InputError(f"{path}: file: expected the log of a run, got {error.strerror}") from None
    whole = [line for line in lines if line.endswith(b"\n")]
    first = _record(whole[0]) if whole else {}
    if first.get("record") != "run":
        raise InputError(f"{path}: line 1: expected the first record of a clockfree run")
    chain, is_sealed = Chain(), sealed(first)
    broken = [i for i, line in enumerate(whole, start=1) if is_sealed and not chain.holds(line)]
    return Check(str(folder), is_sealed, len(whole), broken, "" if broken else _problem(folder, whole))


def _problem(folder: Path, lines: list[bytes]) -> str:
    """What is wrong with a record whose lines are all what was written."""
    try:
        read(folder)
    except InputError as error:
        return str(error)
    samples = sum(_record(line).get("record") == "sample" for line in lines)
    end = _record(lines[-1])
    if end.get("record") != "end":
        return "cut off: the last line is not that of a run that ended"
    if end.get("samples") != samples:
        return f"expected {end.get('samples')} samples, as its last line says, got {samples}"
    return ""


def _record(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (*BROKEN, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def as_json(found: Check) -> dict[str, Any]:
    """The object that `--json` prints."""
    return {**asdict(found), "sound": found.sound}


def text(found: Check) -> str:
    """What a person reads."""
    if found.broken:
        some = ", ".join(map(str, found.broken[:SHOWN]))
        more = f" and {len(found.broken) - SHOWN} more" if len(found.broken) > SHOWN else ""
        said = f"not what was written: line {some}{more} changed, or lines before missing, added or in another order"
    elif found.problem:
        said = found.problem
    elif not found.checked:
        said = "complete; of a version before checksums, so nobody knows whether it is what was written"
    else:
        said = "what was written, and all of it"
    return f"{found.run}: {found.lines} lines: {said}"
