"""Overshoot of edges that all act at once, under a dithered threshold.

An edge that measures q = |dV_C| - |dV_F| steps by sign(q) with chance |q| / theta: a round of all edges moves the taps
by q / theta on average. Let q be 0 at a solution, and answer to the taps by the matrix dq/dtap: what is off by d before
a round is off by (1 + dq/dtap / theta) d after it. That shrinks while the gain, the largest eigenvalue of
-dq/dtap / theta, is below 2; above, the edges go to and fro all together, and do not come to rest. One edge that acts
alone has but its own entry on the diagonal to fear.
"""

import numpy as np

from clockfree_model.job import Lesson
from clockfree_model.physics import IDEAL
from clockfree_sim.circuit.direct import laplacian, solve
from clockfree_sim.paper.tasks import POT, Task

OVERSHOOTS = 2.0
"""The gain above which it does."""


def gain(task: Task, lesson: Lesson, taps: np.ndarray, theta_V: float) -> float:
    """Gain of a round of all edges with these taps (E,), of ideal parts at a full nudge, for the first example.

    Edges at a rail count as fixed: they step away from it only when q turns.
    """
    ends, targets = task.network.ends, list(task.targets)
    g_S = 1.0 / IDEAL.resistance(taps.astype(float), POT)
    free_V = solve(len(task.network.nodes), ends, g_S, task.sources, lesson.source_V)[0]
    held_V = np.concatenate([lesson.source_V[0], lesson.desired_V[0]])  # at a full nudge, whatever the taps
    clamped_V = solve(len(task.network.nodes), ends, g_S, (*task.sources, *targets), held_V[None])[0]
    by_g = _answers(task, g_S, (*task.sources, *targets), clamped_V) - _answers(task, g_S, task.sources, free_V)
    by_tap = by_g * -(g_S**2) * float(IDEAL.resistance(1, POT) - IDEAL.resistance(0, POT))
    inside = (taps > IDEAL.lowest_tap(POT)) & (taps < POT.highest)
    eigenvalues = np.linalg.eigvals(by_tap[np.ix_(inside, inside)]).real
    return float(max(-eigenvalues.min(initial=0.0), 0.0) / theta_V)


def _answers(task: Task, g_S: np.ndarray, held: tuple[int, ...], volts: np.ndarray) -> np.ndarray:
    """How the magnitudes of all drops answer to every conductance, V/S: (E, E), while the held nodes stay."""
    nodes, ends = len(task.network.nodes), task.network.ends
    unknown = np.setdiff1d(np.arange(nodes), held)
    incidence = np.zeros((len(ends), nodes))
    incidence[np.arange(len(ends)), ends[:, 0]], incidence[np.arange(len(ends)), ends[:, 1]] = 1.0, -1.0
    drops_V = incidence @ volts
    incidence = incidence[:, unknown]
    inner = laplacian(nodes, ends, g_S)[unknown][:, unknown].toarray()
    return np.sign(drops_V)[:, None] * -(incidence @ np.linalg.solve(inner, incidence.T)) * drops_V
