"""Comparison of a run with simulated ones: its final error beside those of the same job with other clock seeds."""

from collections.abc import Callable
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Table

from clockfree.base.errors import InputError
from clockfree.runs import results
from clockfree.runs.runlog import Record
from clockfree_model.final import error_at
from clockfree_model.job import Job
from clockfree_sim.sweep.processes import cores, pool
from clockfree_sim.sweep.seeds import run_seeds


@dataclass(frozen=True)
class Comparison:
    """One run beside simulated ones, by the error at its end as `error_at` has it, V^2.

    Of a simulated run and of those beside it every state counts. On boards only the supervisor's readings are known:
    then theirs count of the simulated runs, too.

    Attributes
    ----------
    run, bench : str
        Folder of the run, and the bench it ran on.
    measured : bool
        Whether these are the supervisor's readings.
    error_V2 : float
    sim_error_V2 : list of float
        The simulated runs', ascending.
    """

    run: str
    bench: str
    measured: bool
    error_V2: float
    sim_error_V2: list[float]

    @property
    def rank(self) -> int:
        """Its place among all of them by size, from 1 on; 1 or one more than there are simulated runs is outside."""
        return 1 + int(np.searchsorted(self.sim_error_V2, self.error_V2))

    @property
    def within(self) -> bool:
        """Whether it lies within the smallest and the largest of the simulated ones."""
        return self.sim_error_V2[0] <= self.error_V2 <= self.sim_error_V2[-1]


def other_seeds(job: Job, count: int, parts: int) -> list[list[int]]:
    """So many other seeds of clocks and noise, in so many parts."""
    seeds = list(range(job.seed + 1, job.seed + 1 + count))
    return [seeds[part::parts] for part in range(parts)]


def final_errors(job: Job, seeds: list[int], measured: bool) -> list[float]:
    """Final errors of a job in simulation with these seeds, or what its supervisor measured of them, V^2."""
    _, found = run_seeds(job, seeds)
    return found.measured_errors(job.updates) if measured else found.final_errors()


def compare(record: Record, count: int, told: Callable[[int], None]) -> Comparison:
    """A run beside so many simulated ones.

    Parameters
    ----------
    record : Record
    count : int
    told : callable
        Gets the number of simulated runs that are done.

    Raises
    ------
    InputError
        A run that never came to its end is none of those it would be compared with; nor is one whose error nobody
        measured then.
    """
    job, (error_V2, measured) = record.job, at_end(record)
    errors_V2 = []
    jobs = min(count, cores())
    with pool(jobs) as executor:
        seeds = other_seeds(job, count, min(count, 4 * jobs))
        parts = [executor.submit(final_errors, job, each, measured) for each in seeds]
        for part in as_completed(parts):
            errors_V2 += part.result()
            told(len(errors_V2))
    return Comparison(str(record.folder), record.about["bench"], measured, error_V2, sorted(errors_V2))


def at_end(record: Record) -> tuple[float, bool]:
    """Final error of a run, V^2, and whether it is what its supervisor measured, where nobody knows more.

    InputError if the run never came to its end, or nobody measured its error.
    """
    reason = record.end["reason"]
    if reason != "done":
        raise InputError(f"{record.folder}: expected a run that came to its end, got one that was {reason}")
    if not record.job.updates:
        raise InputError(f"{record.folder}: expected a run that taught something, got one of 0 updates")
    data = results.dataset(record)
    updates, measured = data["updates"].values, not record.exact
    course_V2, stood_us = (data["measured_error"].values, None) if measured else results.course(data)
    error_V2 = error_at(updates, course_V2, updates[-1], data["present_lesson"].values, stood_us)
    if not np.isfinite(error_V2):
        raise InputError(f"{record.folder}: expected a run whose error was measured at its end, got one without")
    return error_V2, measured


def as_json(found: Comparison) -> dict[str, Any]:
    """The object that `--json` prints."""
    return {**asdict(found), "rank": found.rank, "within": found.within}


def table(found: Comparison) -> Table:
    """What a person sees."""
    drawn = Table(box=None, show_header=False, pad_edge=False)
    errors_V2, count = found.sim_error_V2, len(found.sim_error_V2)
    verdict = "within" if found.within else "outside"
    how = ("as measured", "measured in the same way") if found.measured else ("of every state", "of every state too")
    for key, value in (
        ("run", found.run),
        ("final error", f"{found.error_V2:.3g} V^2, {how[0]}, on bench {found.bench}"),
        ("simulated", f"{errors_V2[0]:.3g} .. {errors_V2[-1]:.3g} V^2, median {np.median(errors_V2):.3g} V^2"),
        ("", f"{count} runs of the same job with other clock seeds, {how[1]}"),
        ("rank", f"{found.rank} of {count + 1} from the smallest: {verdict} the range of the simulated runs"),
    ):
        drawn.add_row(key, value)
    return drawn
