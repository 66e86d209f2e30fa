"""Calibration in HOLD: what an edge can null and match by itself while the clamp floats and nothing learns."""

from collections.abc import Iterable

import numpy as np

from clockfree_sim.job import Job
from clockfree_sim.timeline import Timeline
from clockfree_sim.wiring import EdgeBoard, SupervisorBoard

MATCHING_POINTS = 12
"""Inputs and taps at which the twin mismatch is fitted."""

SETTLED_US = 1000
"""After this long the nodes have settled."""


def calibrate(job: Job, boards: list[EdgeBoard], supervisor: SupervisorBoard, time: Timeline) -> None:
    """Null every edge's offsets, then fit its mismatch where its front end can.

    Offsets are read with all sources at half the supply: every node is at one voltage, every drop is zero. The
    mismatch is no constant offset (it grows with the drop), so it is fitted over several inputs and taps, drawn
    from the run's seed; the taps are put back afterwards.
    """
    supply_V, margin_V, sources = job.physics.supply_V, job.physics.margin_V, len(job.sources)
    settled_us = SETTLED_US + job.physics.age_us + job.physics.skew_us
    supervisor.calm(np.full(sources, 0.5 * supply_V))
    time.advance(time.now_us + settled_us)
    for board in boards:
        _let(time, board.sense.nulling())
    if hasattr(boards[0].sense, "matching"):
        random = np.random.default_rng([job.seed, len(boards)])
        before = [board.pots.tap for board in boards]
        lowest, highest = boards[0].pots.lowest, boards[0].pots.highest
        for _ in range(MATCHING_POINTS):
            for board in boards:
                board.pots.set(int(random.integers(max(lowest, highest // 8), highest + 1)))
            supervisor.calm(random.uniform(margin_V, supply_V - margin_V, sources))
            time.advance(time.now_us + settled_us)
            for board in boards:
                _let(time, board.sense.matching())
        for board, tap in zip(boards, before, strict=True):
            board.pots.set(tap)
    supervisor.release()


def _let(time: Timeline, steps: Iterable[int]) -> None:
    """Give an edge the time it asks for, step by step."""
    for wait_us in steps:
        time.advance(time.now_us + wait_us)
