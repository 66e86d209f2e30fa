"""Comparisons of fig4 and clockfree: final errors of the same tasks, learnt in several ways."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from clockfree_model.job import Job
from clockfree_sim.paper.discrete import job, learnt
from clockfree_sim.paper.tasks import Kind, make_task, task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.theory.statistics import interval

CLOCKFREE = "clock-free"
ONE = "p = 1"


def clocked(p: float) -> str:
    """Name of the way in which each edge takes part in a round with chance p."""
    return f"p = {p:g}"


def rule_of(p: float) -> dict[str, Any]:
    """What `discrete.job` needs for it."""
    return {"schedule": f"p={p!r}"}


@dataclass(frozen=True)
class Case:
    """So many tasks of one kind, learnt at one nudge; `updates` per edge."""

    kind: Kind
    eta: float
    tasks: int
    updates: int = 1500

    def __str__(self) -> str:
        return f"{self.kind}, eta {self.eta:g}"


Ways = Callable[[int], Mapping[str, Mapping[str, Any] | None]]
"""Ways to learn by name, on a network of so many edges: what `discrete.job` is given; None is not run there."""


def compare(pool: Executor, cases: Sequence[Case], ways: Ways, seed: int, doing: str) -> xr.Dataset:
    """Learn all tasks of all cases in all ways, which have the same names on all networks.

    Returns
    -------
    xarray.Dataset
        ``final`` and ``initial`` error, ``stepping`` and ``range`` (case, way, task), nan where nothing was run.
        The range is that of the last third of the updates, mean over the edges.
        Tasks with the same number are the same in every way; clocks and imperfections have the seed of their task.
    """
    seeds = task_seeds(seed, max(case.tasks for case in cases))
    jobs: dict[tuple[int, int, int], Job] = {}
    edges = []
    for i, case in enumerate(cases):
        for k, each in enumerate(seeds[: case.tasks]):
            task = make_task(case.kind, each)
            for j, settings in enumerate(ways(len(task.network.ends)).values()):
                if settings is not None:
                    jobs[i, j, k] = job(task, each, eta=case.eta, updates=case.updates, **settings)
        edges.append(len(task.network.ends))
    names = list(ways(edges[0]))
    found = np.full((4, len(cases), len(names), len(seeds)), np.nan)
    for at, four in zip(jobs, gather(pool, finals, jobs.values(), doing), strict=True):
        found[:, *at] = four
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
        },
        coords={
            "case": ("case", [str(case) for case in cases]),
            "way": ("way", names),
            "task": ("task", seeds, {"units": "1", "long_name": "seed of task, clocks and imperfections"}),
            "network": ("case", [case.kind.network for case in cases]),
            "edges": ("case", edges, {"units": "1"}),
            "outputs": ("case", [case.kind.targets for case in cases], {"units": "1"}),
            "examples": ("case", [case.kind.examples for case in cases], {"units": "1"}),
            "eta": ("case", [case.eta for case in cases], {"units": "1", "long_name": "nudge"}),
            "updates": ("case", [case.updates for case in cases], {"units": "1", "long_name": "updates per edge"}),
        },
    )


def finals(each: Job) -> tuple[float, float, float, float]:
    """Run a job: final and initial error, V^2; share of firings that step; taps that wipers still range over."""
    found = learnt(each)
    roaming = np.ptp(found.taps[-len(found.taps) // 3 :], axis=0)
    return found.final_V2, float(found.error_V2[0]), found.stepping, float(np.mean(roaming))


def known(values: xr.DataArray) -> np.ndarray:
    """Values over tasks without those that are none."""
    return values.values[~np.isnan(values.values)]


def gain(final: xr.DataArray, over: str = ONE, way: str = CLOCKFREE) -> tuple[float, float, float]:
    """How many times lower one way ends than another on the same tasks of a case: mean and 95% interval."""
    return interval(known(final.sel(way=over) / final.sel(way=way)))


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
