"""Rounds of a global trigger, and who takes part: the paper's clocked rules, for comparison only.

Edges act together in three modules of this name and nowhere else: who takes part (here), objects (`world.rounds`) and
compiled (`compiled.rounds`). They exist in simulation alone and no board has anything like them.
"""

import numpy as np

from clockfree_model.job import Job
from clockfree_sim.plant import oscillator

BLOCK = 256
"""Rounds for which it is found out at once who takes part."""
OSCILLATORS = "oscillators"


def probability(schedule: str) -> float:
    """p of a clocked rule: 'sync' is 1, 'p=0.25' and 'oscillators=0.25' are 0.25; ValueError for anything else."""
    if schedule == "sync":
        return 1.0
    name, _, number = schedule.partition("=")
    p = float(number) if name in ("p", OSCILLATORS) else 0.0
    if not 0.0 < p <= 1.0 or (name == OSCILLATORS and p < oscillator.LEAST_P):
        raise ValueError(
            f"rule {schedule!r}: expected clockfree, sync, p=P with 0 < P <= 1, or "
            f"{OSCILLATORS}=P with {oscillator.LEAST_P} <= P <= 1"
        )
    return p


def period_us(job: Job) -> int:
    """Time from one round to the next, us: the mean wait of the edges' own clocks."""
    return round(1e6 / job.edge.rate_hz)


class TakingPart:
    """Which edges take part, whether alive or not: endless, bool (BLOCK, E) at a time, a row for each round.

    By sync and p= every edge draws for itself. By oscillators= those do whose oscillator is above the bias at which one
    of nominal parts is for a share p of its time.
    """

    def __init__(self, job: Job):
        self._p, self._edges = probability(job.schedule), len(job.network.ends)
        self._built: oscillator.Oscillators | None = None
        self._first = 0
        self._random = np.random.default_rng([job.seed, 0x73796E63])
        if job.schedule.startswith(f"{OSCILLATORS}="):
            self._built = oscillator.build(self._edges, np.random.default_rng([job.seed, 0x6F736369]))

    def block(self) -> np.ndarray:
        """The next so many rounds."""
        if self._built is None:
            return self._random.random((BLOCK, self._edges)) < self._p
        first, self._first = self._first, self._first + BLOCK
        return oscillator.taking_part(self._built, oscillator.bias_of(self._p), BLOCK, first).T.copy()
