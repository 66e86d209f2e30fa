"""Resuming a run that was cut off: it goes on from its last checkpoint, in the same folder."""

from dataclasses import replace
from pathlib import Path

from clockfree.base.errors import InputError
from clockfree.bench.protocol import Bench
from clockfree.bench.registry import open_bench
from clockfree.runs import checkpoint, runlog
from clockfree.runs.checkpoint import Checkpoint
from clockfree.runs.experiment import Outcome, Progress, learn, outcome_of
from clockfree.task.plan import Plan, make_plan
from clockfree_model.record import plain

VIRTUAL = ("sim", "virtual")
"""Benches that are made anew; any other is a file, and the folder has it as it was used."""


def resume(folder: Path, progress: Progress, bench: Path | None = None, anyway: bool = False) -> Outcome:
    """Go on with a run from its last checkpoint: lessons, clocks and error go on, and so does its log.

    Parameters
    ----------
    folder : Path
    progress : Progress
    bench : Path or None
        Bench file of its boards, where they are not at the ports where they were.
    anyway : bool
        Go on by other code than it began with, and take boards with another version of the firmware.

    Raises
    ------
    InputError
        There is no such run, it came to its end, goes on now, or was not written by this version.
    BoardError
        Boards that could not do what they were asked.
    """
    record = runlog.read(folder)
    if record.end["reason"] == "done":
        raise InputError(f"{folder}: expected a run that was cut off, got one that came to its end: {_more(record)}")
    at = checkpoint.read(folder)
    if not at.state:
        raise InputError(f"{folder / checkpoint.FILE}: expected all that a bench goes on from, got taps alone")
    planned = _plan(folder, record, anyway)
    name = record.about["bench"] if bench is None else str(bench)
    if bench is None and name not in VIRTUAL:
        name = str(folder / "bench.toml")
    elif bench is not None and record.about["bench"] in VIRTUAL:
        raise InputError(f"{bench}: --bench: expected none with a run on --bench {record.about['bench']}")
    runlog.check_free(folder, at)
    boards = open_bench(name, planned.job.schedule, anyway)
    try:
        return _go_on(planned, folder, at, boards, progress)
    finally:
        boards.close()


def _go_on(planned: Plan, folder: Path, at: Checkpoint, bench: Bench, progress: Progress) -> Outcome:
    bench.start(planned.job, progress, at.state)
    said = bench.about()
    log = runlog.RunLog(folder, planned.job, said, bench.saved, at)
    progress.say(f"{folder} goes on from {at.updates:.6g} of {planned.job.updates} updates per edge")
    interrupted = learn(planned, bench, log, progress, virtual=not said, begun=at.updates)
    return outcome_of(folder, interrupted, bench.failures, [], kept=True)


def _plan(folder: Path, record: runlog.Record, anyway: bool) -> Plan:
    """What is run, as the folder says it."""
    file = folder / "run.toml"
    planned = make_plan(file, {}, [], False)
    if plain(replace(planned.job, samples=record.job.samples)) != plain(record.job):
        raise InputError(f"{file}: expected the record of the run whose log is beside it, got another")
    if planned.notes and not anyway:
        raise InputError(
            f"{file}: versions: expected the code that it began with, got others: {'; '.join(planned.notes)}: with "
            "--anyway it goes on, and nobody knows whether as it would have"
        )
    return replace(planned, job=record.job)


def _more(record: runlog.Record) -> str:
    """How a run that came to its end is taught more."""
    if record.on_boards:
        return f'to teach it more, write start_taps = "{record.folder}" in the task file'
    return f'to teach it more: clockfree.open("{record.folder}").learn(MORE), in Python'
