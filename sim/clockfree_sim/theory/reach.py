"""What a network cannot reach, and why: said before it learns.

In every example an output of resistors is a weighted average of the sources, with weights that are not negative, sum to
1 and are the same in all examples (superposition, and the maximum principle). The best such averages are a bound for
every network with these sources; between the bound and the best achievable error lies what network and placement cost.
"""

import math

import numpy as np

from clockfree_model.final import Best
from clockfree_model.job import Job, Lesson
from clockfree_model.linear import reduced
from clockfree_model.parts import POTS

NOTHING_V = 1e-6
MOSTLY = 0.5
"""Share of the best achievable error, V^2, from which on the bound for every network is the reason."""


def near_V(job: Job) -> float:
    """How near is near enough, V rms of the task: supply over steps of a potentiometer, which sets no output finer."""
    return job.physics.supply_V / POTS[job.edge.pot].steps / job.ground.scale


def out_of_reach(job: Job, best: list[Best]) -> list[str]:
    """A line for each lesson whose best achievable error is further off than `near_V`, with the number and why."""
    lines, said = [], set()
    for each in best:
        rms_V = math.sqrt(each.error_V2)
        if rms_V <= near_V(job) or each.lesson in said:
            continue
        said.add(each.lesson)
        lesson = job.lessons[each.lesson]
        number = f"best achievable {each.error_V2:.3g} V^2, {rms_V:.2g} V rms, where {near_V(job):.2g} V is near"
        lines.append(f"{lesson.name}: its error cannot come near 0 ({number}): {_why(job, lesson, each.error_V2)}")
    return lines


def _why(job: Job, lesson: Lesson, best_V2: float) -> str:
    names = [job.network.nodes[target] for target in job.targets]
    lowest, highest = lesson.source_V.min(axis=1), lesson.source_V.max(axis=1)
    beyond = np.maximum(lesson.desired_V - highest[:, None], lowest[:, None] - lesson.desired_V)
    i, j = np.unravel_index(beyond.argmax(), beyond.shape)
    if float(np.mean(np.maximum(beyond, 0.0) ** 2)) >= MOSTLY * best_V2:
        asked = f"example {i} asks {lesson.desired_V[i, j]:.3g} V of {names[j]}"
        return f"{asked}, and its sources are {lowest[i]:.3g}..{highest[i]:.3g} V, which no output leaves"
    bound_V2 = averages_V2(lesson.source_V, lesson.desired_V)
    left_V = math.sqrt(bound_V2)
    left = f"the best averages leave {left_V if left_V > NOTHING_V else 0:.2g} V rms"
    if bound_V2 >= MOSTLY * best_V2:
        return f"an output is an average of the sources with the same weights in every example, and {left}"
    return f"not for the sources ({left}), but for network and placement: clockfree place looks for a better one"


def averages_V2(source_V: np.ndarray, desired_V: np.ndarray) -> float:
    """Mean squared error, V^2, that the best averages of the sources leave: no network of resistors does better.

    Parameters
    ----------
    source_V, desired_V : (B, S) and (B, O) float
        V.
    """
    from scipy.optimize import nnls  # slow to load, and what can be reached does without

    rows = reduced(source_V, desired_V)
    heavy = 1e4 * max(1.0, float(np.abs(rows.source_V).max()))  # holds the sum of the weights at 1
    matrix = np.vstack([rows.source_V, np.full(rows.source_V.shape[1], heavy)])
    total = rows.rest_V2
    for desired in rows.desired_V.T:
        weights, _ = nnls(matrix, np.append(desired, heavy))
        total += float(np.sum((rows.source_V @ (weights / weights.sum()) - desired) ** 2))
    return total / rows.values
