"""Comparisons of fig4 and clockfree: final errors of the same tasks, learnt in several ways."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from clockfree_model.job import Job
from clockfree_model.parts import POTS
from clockfree_model.settings import EdgeSettings
from clockfree_sim.paper.discrete import job, learnt
from clockfree_sim.paper.edges import COMPARATORS
from clockfree_sim.paper.tasks import Kind, make_task, task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.theory import law
from clockfree_sim.theory.statistics import interval

CLOCKFREE = "clock-free"
ONE = "p = 1"
THEN = "p = 1, then 1 each"
"""The fair baseline of every ratio to p = 1: after it, one clock-free update per edge."""
WALKERS = 4
"""Of the law, for each run: many tasks are averaged over."""


def clocked(p: float) -> str:
    """Name of the way in which each edge takes part in a round with chance p."""
    return f"p = {p:g}"


def rule_of(p: float) -> dict[str, Any]:
    """What `discrete.job` needs for it."""
    return {"schedule": f"p={p!r}"}


def then(settings: Mapping[str, Any], **after: Any) -> dict[str, Any]:
    """A way that is followed by one update per edge on their own clocks, with `after`, whose error counts."""
    return {**settings, "then": after}


@dataclass(frozen=True)
class Case:
    """So many tasks of one kind, learnt at one nudge; `updates` per edge.

    All wipers of the potentiometers `pot` begin at `start_tap`, or at theirs.
    """

    kind: Kind
    eta: float
    tasks: int
    updates: int = 1500
    start_tap: int | None = None
    pot: str = EdgeSettings().pot

    def __str__(self) -> str:
        start = "" if self.start_tap is None else f", from tap {self.start_tap}"
        track = " (logarithmic)" if POTS[self.pot].least else ""
        return f"{self.kind}, eta {self.eta:g}{start}{track}"

    @property
    def start(self) -> int:
        """Where all wipers begin."""
        return POTS[self.pot].start_tap if self.start_tap is None else self.start_tap


Ways = Callable[[int], Mapping[str, Mapping[str, Any] | None]]
"""Ways to learn by name, on a network of so many edges: what `discrete.job` is given; None is not run there."""


def compare(
    pool: Executor, cases: Sequence[Case], ways: Ways, seed: int, doing: str, floors: Collection[str] = ()
) -> xr.Dataset:  # fmt: skip
    """Learn all tasks of all cases in all ways, which have the same names on all networks.

    Returns
    -------
    xarray.Dataset
        ``final`` and ``initial`` error, ``stepping``, ``range`` and ``floor`` (case, way, task), nan where nothing was
        run. The range is that of the last third of the updates, mean over the edges. The floor is what the law
        predicts with ideal parts, of the ways named in `floors`.
        Tasks with the same number are the same in every way; clocks and imperfections have the seed of their task.
    """
    seeds = task_seeds(seed, max(case.tasks for case in cases))
    jobs: dict[tuple[int, int, int], Run] = {}
    edges = []
    for i, case in enumerate(cases):
        for k, each in enumerate(seeds[: case.tasks]):
            task = make_task(case.kind, each, pot=POTS[case.pot])
            common: dict[str, Any] = {"eta": case.eta, "edge": replace(COMPARATORS, pot=case.pot)}
            for j, (name, settings) in enumerate(ways(len(task.network.ends)).items()):
                if settings is not None:
                    one = dict(settings)
                    after = one.pop("then", None)
                    begin = {"updates": case.updates, "start_tap": case.start_tap}
                    first = job(task, each, **{**common, **begin, **one})
                    if after is not None:
                        after = job(task, each, **{**common, **after}, updates=1, samples=5)
                    jobs[i, j, k] = Run(first, after, name in floors)
        edges.append(len(task.network.ends))
    names = list(ways(edges[0]))
    found = np.full((5, len(cases), len(names), len(seeds)), np.nan)
    for at, five in zip(jobs, gather(pool, finals, jobs.values(), doing), strict=True):
        found[:, *at] = five
    dims = ("case", "way", "task")
    return xr.Dataset(
        {
            "final": (dims, found[0], {"units": "V2", "long_name": "error, mean over the last fifth of the updates"}),
            "initial": (dims, found[1], {"units": "V2", "long_name": "error before learning"}),
            "stepping": (dims, found[2], {"units": "1", "long_name": "share of the firings that moved the wipers"}),
            "range": (
                dims,
                found[3],
                {"units": "1", "long_name": "taps that a wiper still ranges over, mean"},
            ),
            "floor": (dims, found[4], {"units": "V2", "long_name": "floor that the law predicts with ideal parts"}),
        },
        coords={
            "case": ("case", [str(case) for case in cases]),
            "way": ("way", names),
            "task": ("task", seeds, {"units": "1", "long_name": "seed of task, clocks and imperfections"}),
            "network": ("case", [case.kind.network for case in cases]),
            "edges": ("case", edges, {"units": "1"}),
            "inputs": ("case", [case.kind.sources for case in cases], {"units": "1"}),
            "start": (
                "case",
                [case.start for case in cases],
                {"units": "1", "long_name": "tap of all wipers at first"},
            ),
            "pot": ("case", [case.pot for case in cases], {"long_name": "potentiometers"}),
            "outputs": ("case", [case.kind.targets for case in cases], {"units": "1"}),
            "examples": ("case", [case.kind.examples for case in cases], {"units": "1"}),
            "eta": ("case", [case.eta for case in cases], {"units": "1", "long_name": "nudge"}),
            "updates": ("case", [case.updates for case in cases], {"units": "1", "long_name": "updates per edge"}),
        },
    )


@dataclass(frozen=True)
class Run:
    """A job, one that goes on from its end and counts instead if there is one, and whether its floor is asked for."""

    job: Job
    after: Job | None
    floor: bool


def finals(run: Run) -> tuple[float, float, float, float, float]:
    """Run a job: final and initial error, V^2; share of firings that step; taps that wipers range over; floor, V^2."""
    found = learnt(run.job)
    roaming = np.ptp(found.taps[-len(found.taps) // 3 :], axis=0)
    end = found if run.after is None else learnt(replace(run.after, start_taps=found.taps[-1].astype(int)))
    floor_V2 = np.nan
    if run.floor:
        late = found.taps[found.updates > 0.8 * found.updates[-1]]
        floor_V2 = law.predicted_V2(law.of_ideal_parts(run.job), late, walkers=WALKERS)
    return end.final_V2, float(found.error_V2[0]), found.stepping, float(np.mean(roaming)), floor_V2


def known(values: xr.DataArray) -> np.ndarray:
    """Values over tasks without those that are none."""
    return values.values[~np.isnan(values.values)]


def gain(final: xr.DataArray, over: str = ONE, way: str = CLOCKFREE) -> tuple[float, float, float]:
    """How many times lower one way ends than another on the same tasks of a case: mean and 95% interval."""
    return interval(known(final.sel(way=over) / final.sel(way=way)))


def over_floor(data: xr.Dataset, case: int, way: str) -> np.ndarray:
    """Final error over the floor that the law predicts, of each task of a case."""
    here = data.isel(case=case).sel(way=way)
    return known(here["final"] / here["floor"])


def network_of(data: xr.Dataset) -> str:
    """Which network the largest was, for people."""
    return str(data["network"].values[np.argmax(data["edges"].values)]).rpartition("/")[2]


def join(sections: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """One dataset of several; names and dimensions begin with that of their section."""
    return xr.merge(
        [each.rename({old: f"{name}_{old}" for old in each.variables}) for name, each in sections.items()],
        combine_attrs="drop_conflicts",
    )


def section(data: xr.Dataset, name: str) -> xr.Dataset:
    """One of those that were joined."""
    begin = f"{name}_"
    alone = data[[each for each in data.data_vars if str(each).startswith(begin)]]
    return alone.rename({each: str(each).removeprefix(begin) for each in alone.variables})
