"""Comparison of a run with simulated ones: its final error beside those of the same job with other clock seeds."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from rich.table import Table

from clockfree.base.errors import InputError
from clockfree.bench.simulated import SimBench
from clockfree.run import results
from clockfree.run.runlog import Record
from clockfree_model.final import error_at
from clockfree_model.job import Job
from clockfree_sim.sweep.processes import cores, pool


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


def other_seeds(job: Job, count: int) -> list[Job]:
    """The same job with other seeds of clocks and noise."""
    return [replace(job, seed=seed, trace=False) for seed in range(job.seed + 1, job.seed + 1 + count)]


def final_error(job: Job) -> float:
    """Final error of a job on the simulated bench as its supervisor measured it, V^2."""
    bench = SimBench()
    bench.start(job)
    samples = [(sample.updates, sample.measured_error_V2, sample.lesson) for sample in bench.run()]
    updates, error_V2, lesson = np.array(samples).T
    return error_at(updates, error_V2, job.updates, lesson)


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
    job, reason = record.job, record.end["reason"]
    if reason != "done":
        raise InputError(f"{record.folder}: expected a run that came to its end, got one that was {reason}")
    data = results.dataset(record)
    updates = data["updates"].values
    error_V2 = error_at(updates, data["measured_error"].values, updates[-1], data["present_lesson"].values)
    if not np.isfinite(error_V2):
        raise InputError(f"{record.folder}: expected a run whose error was measured at its end, got one without")
    errors_V2 = []
    with pool(min(count, cores())) as executor:
        for simulated_V2 in executor.map(final_error, other_seeds(job, count)):
            errors_V2.append(simulated_V2)
            told(len(errors_V2))
    return Comparison(str(record.folder), record.about["bench"], error_V2, sorted(errors_V2))


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
