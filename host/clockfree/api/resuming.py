"""`clockfree.resume`: a run that was cut off goes on."""

import warnings
from pathlib import Path
from typing import Any

from clockfree.api.observing import observer
from clockfree.api.opening import folder_of
from clockfree.api.result import Run
from clockfree.api.tasks import Task
from clockfree.base.errors import Interrupted
from clockfree.base.files import meant
from clockfree.runs import experiment, resuming


def resume(folder: str | Path, *, bench: str | Path | None = None, progress: Any = None, anyway: bool = False) -> Run:
    """Go on with a run that was killed, interrupted or out of disk, from its last checkpoint.

    Parameters
    ----------
    folder : str or path
        Of the run; a name without a place is looked for in runs/ too.
    bench : str or path
        Bench file of its boards, where they are not at the ports where they were.
    progress : see `clockfree.run`
    anyway : bool
        Go on by other code than it began with; take boards with another version of the firmware.

    Returns
    -------
    Run
        The whole of it, to its end. A simulated one is the undisturbed run to the last bit.

    Raises
    ------
    InputError
        No such run; one that came to its end, or goes on now.
    BoardError
        Boards that could not do what they were asked.
    Interrupted
        Ctrl-C; it can be resumed again.
    """
    found, outcome = go_on(folder, bench, progress, anyway)
    for line in outcome.make_files():
        warnings.warn(line, stacklevel=2)
    if outcome.interrupted:
        raise Interrupted(found)
    return found


def go_on(folder: str | Path, bench: str | Path | None, progress: Any, anyway: bool) -> tuple[Run, experiment.Outcome]:
    """A run that went on, and what it came to: the files that else belong into its folder are yet to be made."""
    where = folder_of(folder, "resume", "the folder of a run")
    outcome = resuming.resume(where, observer(progress), None if bench is None else meant(bench), anyway)
    return Run.of(Task(where / "run.toml"), outcome), outcome
