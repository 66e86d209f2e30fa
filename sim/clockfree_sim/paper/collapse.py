"""Runs of fig1: one task, learnt by the continuous rule at every p, with small steps and with larger ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clockfree_sim.paper.small_steps import passages, small_step
from clockfree_sim.paper.tasks import START_OHM, Kind, Task, make_task
from clockfree_sim.theory.continuous import Rule, learn

P, QUICK_P = (1.0, 0.5, 0.2, 0.1, 0.05), (1.0, 0.2)
MULTIPLES, QUICK_MULTIPLES = (1, 2, 4, 8, 16, 32, 64), (1, 16, 64)
LEVELS_V2 = 10.0 ** -np.arange(1, 9)
MOST_STEPS, QUICK_MOST_STEPS = 20_000, 1000
"""At p = 1; a task not learnt to the last level by then, at any gamma of the ladder, is counted and left out."""
MASKS = 3
"""Draws of the kept edges, with small steps."""
PATIENCE = 3
"""A run ends unreached after so many times the steps x p x gamma that small steps take."""
SAMPLES = 400


@dataclass(frozen=True)
class Run:
    """One task at one nudge, to be learnt at every p and gamma; `curves` asks for the error on the way."""

    kind: Kind
    eta: float
    seed: int
    quick: bool
    curves: bool = False

    @property
    def p(self) -> tuple[float, ...]:
        """Chances that an edge is kept."""
        return QUICK_P if self.quick else P

    @property
    def multiples(self) -> tuple[int, ...]:
        """Of the gamma of small steps."""
        return QUICK_MULTIPLES if self.quick else MULTIPLES

    @property
    def most_steps(self) -> int:
        """At p = 1."""
        return QUICK_MOST_STEPS if self.quick else MOST_STEPS


def _errors(task: Task, run: Run, gamma: float, p: float, steps: int, mask: int = 0) -> np.ndarray:
    rule = Rule(gamma * START_OHM**3, run.eta, p=p)
    ohm = np.full(len(task.network.ends), START_OHM)
    rng = np.random.default_rng([run.seed, round(1 / p), mask])
    return learn(task.network, task.sources, task.targets, task.lesson, rule, ohm, steps, rng, LEVELS_V2[-1])[1]


def learnt(run: Run) -> dict[str, Any]:
    """What a run comes to.

    Gamma of small steps, START_OHM^3 / V^2; steps x p to each level with it (P, masks, levels); steps x p x multiple
    at its multiples (multiples, P, levels); errors on the way (multiples, P, samples), and their steps x p x multiple.
    """
    task = make_task(run.kind, run.seed)
    gamma, at_one = small_step(lambda each: _errors(task, run, each, 1.0, run.most_steps), LEVELS_V2)
    small = np.full((len(run.p), MASKS, len(LEVELS_V2)), np.nan)
    work = np.full((len(run.multiples), len(run.p), len(LEVELS_V2)), np.nan)
    curves = np.full((len(run.multiples), len(run.p), SAMPLES), np.nan)
    found = {"gamma": gamma, "small": small, "work": work, "curves": curves, "places": np.full(SAMPLES, np.nan)}
    if np.isnan(gamma):
        return found
    found["places"] = places = np.linspace(0, 1.5 * at_one[-1], SAMPLES)
    for i, p in enumerate(run.p):
        for m, multiple in enumerate(run.multiples):
            steps = int(np.ceil(PATIENCE * at_one[-1] / (multiple * p)))
            error_V2 = _errors(task, run, multiple * gamma, p, steps)
            work[m, i] = passages(error_V2, LEVELS_V2) * p * multiple
            if run.curves:
                at = np.round(places / (p * multiple)).astype(int)
                curves[m, i] = np.where(at < len(error_V2), error_V2[np.minimum(at, len(error_V2) - 1)], np.nan)
            for mask in range(MASKS if multiple == 1 else 0):
                small[i, mask] = work[m, i]  # the first, and all of them at p = 1
                if mask and p < 1:
                    small[i, mask] = passages(_errors(task, run, gamma, p, steps, mask), LEVELS_V2) * p
    return found
