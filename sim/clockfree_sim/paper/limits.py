"""Runs of capacity: one task up to and beyond what a network can reach, learnt by several rules."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clockfree_model.counters import DOWN, FIRINGS, UP
from clockfree_model.job import Job
from clockfree_model.physics import IDEAL
from clockfree_sim.circuit.direct import solve
from clockfree_sim.paper import edges
from clockfree_sim.paper.discrete import Learnt, job, learnt
from clockfree_sim.paper.overshoot import gain
from clockfree_sim.paper.tasks import POT, Kind, Task, make_task
from clockfree_sim.theory.best import best_error

ETA = 1.0
TEACHER, APART, UNIFORM = "one teacher", "a teacher each", "uniform"
TARGETS = (TEACHER, APART, UNIFORM)
"""Where desired voltages come from: one teacher network, which can be reached; for every output a teacher of its own,
so that each alone can be reached, and all together perhaps not; uniform over the supply."""

REMEDY, GATED = (replace(edge, calibrate=False) for edge in (edges.REMEDY, edges.GATED))  # ideal parts
DITHERING = {"dither alone": replace(GATED, f_V=0.0), "floor and dither": GATED}
WAYS = {"plain": edges.COMPARATORS, **DITHERING, "remedy": REMEDY}
RULES = ("p=1", "clockfree")
STARTS, LARGE_STARTS = 4, 1
"""Of the search for the best achievable error: with at most `FEW_EDGES` edges, and with more, where each takes long."""
FEW_EDGES = 50


@dataclass(frozen=True)
class Run:
    """One task of a kind, with its desired voltages from one of `TARGETS`; `updates` per edge.

    A `chased` one is learnt by the `DITHERING` ways too, and from each end both rules go on for as many updates again.
    """

    kind: Kind
    targets: str
    seed: int
    updates: int
    chased: bool

    @property
    def task(self) -> Task:
        """Drawn from the seed; placement is that of every task of this kind and seed."""
        task = make_task(self.kind, self.seed)
        return replace(task, lesson=replace(task.lesson, desired_V=self._desired_V(task)))

    def _desired_V(self, task: Task) -> np.ndarray:
        rng = np.random.default_rng([self.seed, TARGETS.index(self.targets)])
        if self.targets == TEACHER:
            return task.lesson.desired_V
        if self.targets == UNIFORM:
            return rng.uniform(0.0, IDEAL.supply_V, task.lesson.desired_V.shape)
        nodes, ends = len(task.network.nodes), task.network.ends
        alone = [
            solve(nodes, ends, 1.0 / IDEAL.resistance(taps, POT), task.sources, task.lesson.source_V)[:, target]
            for taps, target in zip(
                rng.integers(0, POT.highest + 1, (len(task.targets), len(ends))), task.targets, strict=True
            )
        ]
        return np.column_stack(alone)


def ended(run: Run) -> dict[str, Any]:
    """How each way ends, by each rule.

    ``final`` error, V^2, and ``stepping``, share of firings that step in the last fifth: (ways, rules); ``onward``,
    final error after each rule has gone on from there, V^2: (ways, rules, rules); ``gain`` of a round of all edges at
    the clock-free end (ways,), see `overshoot`; nan where not run. ``best`` achievable error, V^2.
    """
    task = run.task
    shapes = {"final": (), "stepping": (), "onward": (len(RULES),)}
    found = {name: np.full((len(WAYS), len(RULES), *shape), np.nan) for name, shape in shapes.items()}
    found["gain"] = np.full(len(WAYS), np.nan)
    best_V2 = np.inf
    for i, (way, edge) in enumerate(WAYS.items()):
        if way in DITHERING and not run.chased:
            continue
        jobs = [job(task, run.seed, rule, ETA, edge=edge, updates=run.updates) for rule in RULES]
        for j, each in enumerate(jobs):
            end = learnt(each)
            found["final"][i, j], found["stepping"][i, j] = end.final_V2, late_stepping(end)
            best_V2 = min(best_V2, float(end.error_V2.min()))
            if run.chased:
                onward = [replace(other, start_taps=end.taps[-1].astype(int)) for other in jobs]
                found["onward"][i, j] = [learnt(other).final_V2 for other in onward]
        if way in DITHERING:  # each and end are the last, the clock-free ones
            found["gain"][i] = gain(task, each.lessons[0], end.taps[-1], edge.theta_V)
    return {**found, "best": min(best_V2, _searched_V2(each))}


def late_stepping(end: Learnt) -> float:
    """Share of the firings that move the wipers, in the last fifth of a run."""
    last = int(np.searchsorted(end.updates, 0.8 * end.updates[-1]))
    moves, firings = end.counters[UP] + end.counters[DOWN], end.counters[FIRINGS]
    return float((moves[-1] - moves[last]) / (firings[-1] - firings[last]))


def _searched_V2(job: Job) -> float:
    """Of the lesson as the supervisor shows it."""
    lesson = job.lessons[0]
    starts = STARTS if len(job.network.ends) <= FEW_EDGES else LARGE_STARTS
    return best_error(
        job.network, job.sources, job.targets, lesson.source_V, lesson.desired_V, job.physics, POT, starts=starts
    )
