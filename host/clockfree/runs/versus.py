"""Comparison of two runs: which job ends lower in simulation, and each run's place among the simulated runs of its own.

A run alone is one draw of clocks and noise, and says little about its task, rule or preset. So both jobs are run with
the same many clock seeds, and the ratio of their geometric means stands with its interval: of the differences seed by
seed where both were taught the same task, else by Welch's t, which lets their spreads differ.
"""

from collections.abc import Callable
from concurrent.futures import as_completed
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table
from scipy import stats

from clockfree.runs.compare import Comparison, at_end
from clockfree.runs.runlog import Record
from clockfree_model.job import Job
from clockfree_sim.sweep.processes import cores, pool
from clockfree_sim.sweep.seeds import run_seeds
from clockfree_sim.theory.statistics import mean_interval


@dataclass(frozen=True)
class Versus:
    """Two runs side by side.

    Attributes
    ----------
    places : pair of Comparison
        Each run among the simulated runs of its own job, by its error, or what its supervisor measured of it.
    errors_V2 : (2, N) float array
        Final errors of the simulated runs of each job, on the circuit itself, seed by seed, V^2.
    same_task : bool
        Same network, sources, targets and lessons.
    ratio, low, high : float
        Geometric mean of the first job's errors over that of the second one's, and its interval of 95%; nan where an
        error is 0.
    """

    places: tuple[Comparison, Comparison]
    errors_V2: np.ndarray
    same_task: bool
    ratio: float
    low: float
    high: float

    @property
    def better(self) -> int | None:
        """0 or 1, which job ends lower; None where the interval holds 1."""
        return 0 if self.high < 1 else 1 if self.low > 1 else None


def final_errors(job: Job, seeds: list[int]) -> np.ndarray:
    """Final errors of a job in simulation with these seeds, V^2: on the circuit, and as measured, (2, N)."""
    _, found = run_seeds(job, seeds)
    return np.array([found.final_errors(), found.measured_errors(job.updates)])


def versus(first: Record, second: Record, count: int, told: Callable[[int], None]) -> Versus:
    """Two runs side by side, each with so many simulated ones of its own.

    Parameters
    ----------
    first, second : Record
    count : int
    told : callable
        Gets the number of simulated runs that are done, of `2 * count`.

    Raises
    ------
    InputError
        A run that never came to its end, or whose error nobody measured then.
    """
    records = (first, second)
    ends = [at_end(record) for record in records]
    begin = 1 + max(record.job.seed for record in records)
    seeds = list(range(begin, begin + count))
    jobs = min(count, cores())
    parts = [seeds[i :: min(count, 4 * jobs)] for i in range(min(count, 4 * jobs))]
    errors_V2 = np.empty((2, 2, count))
    with pool(jobs) as executor:
        asked = {
            executor.submit(final_errors, record.job, part): (which, [seed - begin for seed in part])
            for which, record in enumerate(records)
            for part in parts
        }
        done = 0
        for future in as_completed(asked):
            which, places = asked[future]
            errors_V2[which][:, places] = future.result()
            done += len(places)
            told(done)
    among = [
        Comparison(str(record.folder), record.about["bench"], measured, own_V2, sorted(rows_V2[int(measured)].tolist()))
        for record, (own_V2, measured), rows_V2 in zip(records, ends, errors_V2)
    ]
    same = same_task(first.job, second.job)
    return Versus((among[0], among[1]), errors_V2[:, 0], same, *ratio(errors_V2[0, 0], errors_V2[1, 0], same))


def same_task(first: Job, second: Job) -> bool:
    """Whether two jobs teach the same network the same."""
    if not np.array_equal(first.network.ends, second.network.ends) or len(first.lessons) != len(second.lessons):
        return False
    return (first.sources, first.targets) == (second.sources, second.targets) and all(
        a.from_updates == b.from_updates
        and np.array_equal(a.source_V, b.source_V)
        and np.array_equal(a.desired_V, b.desired_V)
        for a, b in zip(first.lessons, second.lessons)
    )


def ratio(first_V2: np.ndarray, second_V2: np.ndarray, paired: bool) -> tuple[float, float, float]:
    """Ratio of two geometric means, and its interval of 95%; nan where an error is 0, or there is one of each."""
    if len(first_V2) < 2 or not ((first_V2 > 0).all() and (second_V2 > 0).all()):
        return np.nan, np.nan, np.nan
    logs = np.log(first_V2), np.log(second_V2)
    if paired:
        mean, low, high = mean_interval(logs[0] - logs[1])
    else:
        mean = float(logs[0].mean() - logs[1].mean())
        low, high = map(float, stats.ttest_ind(*logs, equal_var=False).confidence_interval())
    return float(np.exp(mean)), float(np.exp(low)), float(np.exp(high))


def as_json(found: Versus) -> dict[str, Any]:
    """The object that `--json` prints."""
    known = np.isfinite(found.ratio)
    runs = [
        {
            "run": place.run,
            "bench": place.bench,
            "error_V2": place.error_V2,
            "rank": place.rank,
            "within": place.within,
            "sim_error_V2": errors_V2.tolist(),
        }
        for place, errors_V2 in zip(found.places, found.errors_V2)
    ]
    return {
        "runs": runs,
        "same_task": found.same_task,
        "ratio": found.ratio if known else None,
        "interval": [found.low, found.high] if known else None,
        "better": None if found.better is None else found.places[found.better].run,
    }


def table(found: Versus) -> Table:
    """What a person sees."""
    drawn = Table(box=None, show_header=False, pad_edge=False)
    count = found.errors_V2.shape[1]
    for place, errors_V2 in zip(found.places, found.errors_V2):
        with np.errstate(divide="ignore"):
            mean_V2 = np.exp(np.log(errors_V2).mean())
        within = "within" if place.within else "outside"
        drawn.add_row("run", place.run)
        drawn.add_row(
            "", f"{place.error_V2:.3g} V^2, measured on bench {place.bench}: rank {place.rank} of {count + 1}"
        )
        drawn.add_row("", f"from the smallest, {within} the range of its own simulated runs")
        drawn.add_row("simulated", f"{mean_V2:.3g} V^2, geometric mean of {count} runs with other clock seeds")
    how = "paired by clock seed" if found.same_task else "not paired"
    drawn.add_row("ratio", f"{found.ratio:.3g} ({found.low:.3g} .. {found.high:.3g}, 95%), first over second, {how}")
    drawn.add_row("verdict", _verdict(found))
    if not found.same_task:
        drawn.add_row("", "they were taught different tasks: one may be the easier one")
    return drawn


def _verdict(found: Versus) -> str:
    if not np.isfinite(found.ratio):
        return "none: it takes two simulated runs of each, and errors above 0"
    if found.better is None:
        return "neither is better: the interval holds 1"
    times = 1 / found.ratio if found.better == 0 else found.ratio
    return f"{found.places[found.better].run} is better: it ends {times:.3g} times lower"
