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
    """One run beside simulated ones, by the error that the supervisor measured at its end, as `error_at` has it, V^2.

    Attributes
    ----------
    run, bench : str
        Folder of the run, and the bench it ran on.
    error_V2 : float
    sim_error_V2 : list of float
        The simulated runs', ascending.
    """

    run: str
    bench: str
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


def final_errors(job: Job, seeds: list[int]) -> list[float]:
    """Final errors of a job in simulation with these seeds, as its supervisor measured them, V^2."""
    _, found = run_seeds(job, seeds)
    return [error_at(found.updates, error_V2, job.updates, found.lesson) for error_V2 in found.measured_error_V2]


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
    job, error_V2 = record.job, measured_at_end(record)
    errors_V2 = []
    jobs = min(count, cores())
    with pool(jobs) as executor:
        parts = [executor.submit(final_errors, job, seeds) for seeds in other_seeds(job, count, min(count, 4 * jobs))]
        for part in as_completed(parts):
            errors_V2 += part.result()
            told(len(errors_V2))
    return Comparison(str(record.folder), record.about["bench"], error_V2, sorted(errors_V2))


def measured_at_end(record: Record) -> float:
    """Final error of a run as its supervisor measured it, V^2; InputError if it never came to its end, or has none."""
    reason = record.end["reason"]
    if reason != "done":
        raise InputError(f"{record.folder}: expected a run that came to its end, got one that was {reason}")
    data = results.dataset(record)
    updates = data["updates"].values
    error_V2 = error_at(updates, data["measured_error"].values, updates[-1], data["present_lesson"].values)
    if not np.isfinite(error_V2):
        raise InputError(f"{record.folder}: expected a run whose error was measured at its end, got one without")
    return error_V2


def as_json(found: Comparison) -> dict[str, Any]:
    """The object that `--json` prints."""
    return {**asdict(found), "rank": found.rank, "within": found.within}


def table(found: Comparison) -> Table:
    """What a person sees."""
    drawn = Table(box=None, show_header=False, pad_edge=False)
    errors_V2, count = found.sim_error_V2, len(found.sim_error_V2)
    verdict = "within" if found.within else "outside"
    for key, value in (
        ("run", found.run),
        ("final error", f"{found.error_V2:.3g} V^2, measured on bench {found.bench}"),
        ("simulated", f"{errors_V2[0]:.3g} .. {errors_V2[-1]:.3g} V^2, median {np.median(errors_V2):.3g} V^2"),
        ("", f"{count} runs of the same job with other clock seeds, measured in the same way"),
        ("rank", f"{found.rank} of {count + 1} from the smallest: {verdict} the range of the simulated runs"),
    ):
        drawn.add_row(key, value)
    return drawn
