"""Runs of drift: a task that is learnt, and then learnt on and on."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clockfree_model.counters import DOWN, FIRINGS, RAIL, UP
from clockfree_model.job import Job
from clockfree_model.physics import BOARD, IDEAL, Physics
from clockfree_model.settings import EdgeSettings
from clockfree_sim.circuit.direct import solve
from clockfree_sim.paper.discrete import job, learnt
from clockfree_sim.paper.edges import COMPARATORS, GATED, NULLED, PLAIN, REMEDY
from clockfree_sim.paper.tasks import POT, Kind, make_task

UPDATES, QUICK_UPDATES = 20_000, 100
SAMPLES, QUICK_SAMPLES = 400, 50
POWERS = 25
"""Samples, evenly spaced, at which the dissipated power is worked out."""
ETA = 1.0
FLOOR_V, DITHER_V = GATED.f_V, GATED.theta_V
CASES: dict[str, tuple[Physics, EdgeSettings]] = {
    "comparators, ideal": (IDEAL, COMPARATORS),
    "comparators, board": (BOARD, COMPARATORS),
    "ADC, board": (BOARD, PLAIN),
    "ADC, nulled": (BOARD, NULLED),
    "dither alone": (BOARD, replace(GATED, f_V=0.0)),
    "floor alone": (BOARD, replace(GATED, theta_V=0.0)),
    "floor and dither": (BOARD, GATED),
    "remedy": (BOARD, REMEDY),
}
"""Physics and edges, by name."""
OFFSETS = (0.0, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0, 2.0)
"""Standard deviation of the offset of each ADC channel, in floors."""


@dataclass(frozen=True)
class Run:
    """One task of a kind, by one of the `CASES`, or with the offset of each channel so many floors and nothing else."""

    kind: Kind
    seed: int
    case: str = ""
    offset: float = 0.0
    quick: bool = False

    @property
    def job(self) -> Job:
        """What is run."""
        physics, edge = CASES[self.case] if self.case else (replace(IDEAL, offset_V=self.offset * FLOOR_V), GATED)
        if not self.case:
            edge = replace(edge, calibrate=False)
        updates, samples = (QUICK_UPDATES, QUICK_SAMPLES) if self.quick else (UPDATES, SAMPLES)
        task = make_task(self.kind, self.seed, physics)
        return job(task, self.seed, eta=ETA, physics=physics, edge=edge, updates=updates, samples=samples)


def forgotten(run: Run) -> dict[str, Any]:
    """What a run comes to.

    Updates per edge and error, V^2, at each sample (S + 1,); share of edges at their lowest or highest tap (S + 1,);
    power dissipated in the free and in the clamped twin, W (POWERS, 2), mean over examples, and its updates (POWERS,);
    share of the firings that stepped, in the last half.
    """
    asked = run.job
    found = learnt(asked)
    lowest = asked.physics.lowest_tap(POT)
    moved = found.counters[UP] + found.counters[DOWN]
    half = len(moved) // 2
    chosen = np.linspace(0, len(found.updates) - 1, POWERS).round().astype(int)
    return {
        "updates": found.updates,
        "error": found.mean_error_V2,
        RAIL: ((found.taps <= lowest) | (found.taps == POT.highest)).mean(axis=1),
        "power": np.array([power_W(asked, taps) for taps in found.taps[chosen]]),
        "power_updates": found.updates[chosen],
        "stepping": (moved[-1] - moved[half]) / (found.counters[FIRINGS][-1] - found.counters[FIRINGS][half]),
    }


def power_W(job: Job, taps: np.ndarray) -> tuple[float, float]:
    """Power dissipated in the resistors of the free and of the clamped twin, W; mean over the examples."""
    network, lesson = job.network, job.lessons[0]
    g_S = 1.0 / job.physics.resistance(taps.astype(float), POT)
    tail, head = network.ends.T
    targets = list(job.targets)

    def dissipated(held, held_V: np.ndarray) -> tuple[np.ndarray, float]:
        volts = solve(len(network.nodes), network.ends, g_S, held, held_V)
        return volts, float((g_S * (volts[:, tail] - volts[:, head]) ** 2).sum(axis=1).mean())

    free_V, free_W = dissipated(job.sources, lesson.source_V)
    eta = job.physics.mixer_eta(job.clamp.eta)
    clamp_V = free_V[:, targets] + eta * (lesson.desired_V - free_V[:, targets])
    _, clamped_W = dissipated((*job.sources, *job.targets), np.hstack([lesson.source_V, clamp_V]))
    return free_W, clamped_W
