"""Whether this version of clockfree repeats a record: going on with it begins at its beginning."""

from pathlib import Path

from clockfree.base.errors import InputError
from clockfree.runs.runlog import Record
from clockfree.task.versions import changed


def check_repeated(record: Record, folder: Path) -> None:
    """InputError where a simulated run comes to something else now than it did when it was recorded."""
    from clockfree_sim.sweep.seeds import run_seeds  # compiled code: slow to load

    _, found = run_seeds(record.job, [record.job.seed])
    errors_V2 = [sample["error_V2"] for sample in record.samples]
    if found.error_V2[0, : len(errors_V2)].tolist() != errors_V2:
        others = changed(record.about["versions"])
        text = "expected a record that this version of clockfree repeats to the last bit, got one that it does not"
        text += f" (recorded with {others})" if others else ""
        begin = "go on from its taps, with clocks and noise anew: clockfree.run(run.task, start_taps=run.taps)"
        raise InputError(f"{folder}: {text}; {begin}")
