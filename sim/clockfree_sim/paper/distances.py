"""Runs of fig2: one task, learnt from one start with edges, or examples, left out at random."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from clockfree_sim.paper.small_steps import small_step
from clockfree_sim.paper.tasks import START_OHM, Kind, make_task
from clockfree_sim.theory.continuous import Rule, learn

KIND = Kind("lab16", 2, 16)
ETA = 0.5
LEVELS_V2 = 10.0 ** -np.arange(1, 7)
SMALLER = 4
"""How many times smaller gamma is than the largest of small steps: that one changes the slopes, by 0.05."""
FULL, QUICK = (120, 32, 1500), (8, 3, 200)
"""Tasks drawn; masks at each point; steps of the largest small gamma that a task may take to the last level."""
DRAWN = (0.02, 0.05, 0.1, 0.2, 0.3)
FIXED = tuple(np.arange(1, 5) / 16)  # of 16 edges, and of 16 examples
FAMILIES = {
    f"{what}{', fixed fraction' * fixed}": (what, fixed) for fixed in (False, True) for what in ("p", "b", "p = b")
}
POINTS = tuple((name, x) for name, (_, fixed) in FAMILIES.items() for x in (FIXED if fixed else DRAWN))


@dataclass(frozen=True)
class Run:
    """One task, to be learnt at all points by so many masks."""

    seed: int
    masks: int
    most_steps: int


def solutions(run: Run) -> dict[str, Any] | None:
    """Solutions of a task; None if it is not learnt.

    Gamma, START_OHM^3 / V^2; resistances of the deterministic solution (E,) and of the others (points, masks, E), ohm;
    their errors, V^2.
    """
    task = make_task(KIND, run.seed)
    start = np.full(len(task.network.ends), START_OHM)

    def learnt(gamma: float, steps: int, p=1.0, b=1.0, fixed=False, stream=(0, 0), stop_V2=0.0):
        rule = Rule(gamma * START_OHM**3, ETA, batch=True, p=p, b=b, fixed=fixed)
        rng = np.random.default_rng([run.seed, *stream])
        return learn(task.network, task.sources, task.targets, task.lesson, rule, start, steps, rng, stop_V2)

    largest, passed = small_step(lambda gamma: learnt(gamma, run.most_steps, stop_V2=LEVELS_V2[-1])[1], LEVELS_V2)
    if np.isnan(largest):
        return None
    gamma, steps = largest / SMALLER, round(SMALLER * passed[-1])
    found = np.empty((len(POINTS), run.masks, len(start)))
    error_V2 = np.empty((len(POINTS), run.masks))
    for i, (name, x) in enumerate(POINTS):
        what, fixed = FAMILIES[name]
        p, b = (1 - x if letter in what else 1.0 for letter in "pb")
        for mask in range(run.masks):
            found[i, mask], errors = learnt(gamma, round(steps / (p * b)), p, b, fixed, (i, mask))
            error_V2[i, mask] = errors[-1]
    one, errors = learnt(gamma, steps)
    return {"gamma": gamma, "steps": steps, "one": one, "found": found, "error": error_V2, "error_one": errors[-1]}
