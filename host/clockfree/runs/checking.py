"""Whether a record is what was written: every line of its log, and that nothing of it is missing."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clockfree.base.errors import InputError
from clockfree.runs.logfile import LOG, NOTE, record_in, records, uncounted
from clockfree.runs.runlog import read
from clockfree_model.chain import Chain, sealed
from clockfree_model.contents import lines

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
    uncounted : int
        Lines after a checkpoint from which the run was resumed: what they say does not count.
    problem : str
        What else is wrong with it; "" where nothing is.
    """

    run: str
    checked: bool
    lines: int
    broken: list[int]
    uncounted: int
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
    path = folder / LOG
    chain, is_sealed, broken = Chain(), False, []
    whole = 0
    first: dict[str, Any] = {}
    try:
        for line in lines(path):
            if not line.endswith(b"\n"):
                break
            whole += 1
            if whole == 1:
                first = record_in(line) or {}
                if first.get("record") != "run":
                    break
                is_sealed = sealed(first)
            if is_sealed and not chain.holds(line):
                broken.append(whole)
    except OSError as error:
        raise InputError(f"{path}: file: expected the log of a run, got {error.strerror}") from None
    if first.get("record") != "run":
        raise InputError(f"{path}: line 1: expected the first record of a clockfree run")
    if broken:
        return Check(str(folder), is_sealed, whole, broken, 0, "")
    try:
        passed_over = {number for passed in uncounted(path) for number in passed}
        problem = _problem(folder)
    except InputError as error:
        passed_over, problem = set(), str(error)
    return Check(str(folder), is_sealed, whole, [], len(passed_over), problem)


def _problem(folder: Path) -> str:
    """What is wrong with a record whose lines are all what was written; InputError where it cannot be read."""
    read(folder)
    samples = 0
    end: dict[str, Any] = {}
    for _, fields in records(folder / LOG):
        samples += fields.get("record") == "sample"
        end = end if fields.get("record") == NOTE else fields
    if end.get("record") != "end":
        return "cut off: the last line is not that of a run that ended"
    if end.get("samples") != samples:
        return f"expected {end.get('samples')} samples, as its last line says, got {samples}"
    return ""


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
        if found.uncounted:
            said += f"; {found.uncounted} of them came after a checkpoint from which it was resumed, and do not count"
    return f"{found.run}: {found.lines} lines: {said}"
