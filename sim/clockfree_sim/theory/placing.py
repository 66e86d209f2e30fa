"""Placements: which nodes of a network can do a task, by the best achievable error."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clockfree_model.job import Job
from clockfree_model.network import NetworkError
from clockfree_model.parts import POTS
from clockfree_sim.theory.best import best_error

STARTS = 3
"""Searches for the best taps of a placement in the first round; those that lead are searched again with all."""
FINAL = 5


@dataclass(frozen=True)
class Placed:
    """Node indices of the sources and targets, in the order of the lessons' columns, and the best achievable error."""

    sources: tuple[int, ...]
    targets: tuple[int, ...]
    error_V2: float


def ranked(job: Job, draws: int, seed: int, done: Callable[[float], None]) -> list[Placed]:
    """Placements of a job's lessons, the best first: the job's own, and `draws` that are drawn without replacement.

    The error is the mean over the lessons. `done` is told the share of the work that is done.
    """
    rng = np.random.default_rng(seed)
    sources, nodes = len(job.sources), len(job.network.nodes)
    chosen = {(*job.sources, *job.targets): None}
    for _ in range(20 * draws):
        if len(chosen) > draws:
            break
        drawn = tuple(rng.permutation(nodes)[: sources + len(job.targets)].tolist())
        try:
            job.network.check(drawn[:sources], drawn[sources:])
        except NetworkError:
            continue
        chosen.setdefault(drawn)
    found = []
    for count, placed in enumerate(chosen):
        found.append(_placed(job, placed, STARTS))
        done((count + 1) / (len(chosen) + FINAL))
    found.sort(key=lambda each: each.error_V2)
    for i, each in enumerate(found[:FINAL]):
        found[i] = _placed(job, (*each.sources, *each.targets), 8)
    return sorted(found, key=lambda each: each.error_V2)


def _placed(job: Job, nodes: tuple[int, ...], starts: int) -> Placed:
    sources, targets = nodes[: len(job.sources)], nodes[len(job.sources) :]
    pot = POTS[job.edge.pot]
    errors = [
        best_error(job.network, sources, targets, lesson.source_V, lesson.desired_V, job.physics, pot, starts)
        for lesson in job.lessons
    ]
    return Placed(sources, targets, float(np.mean(errors)))
