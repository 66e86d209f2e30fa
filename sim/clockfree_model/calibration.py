"""Calibration in HOLD: what an edge can null and match by itself while the clamp floats and nothing learns.

One procedure, for boards in virtual time (`world`) and for those of a real bench (the host's fleet).
"""

from typing import Protocol

import numpy as np

from clockfree_model.job import Job
from clockfree_model.parts import FRONT_ENDS

MATCHING_POINTS = 12
"""Inputs and taps at which the twin mismatch is fitted."""


class InHold(Protocol):
    """A bench in HOLD, as calibration sees it."""

    def taps(self) -> list[int]:
        """Tap of every edge."""

    def limits(self) -> tuple[int, int]:
        """Lowest and highest tap of an edge."""

    def set_taps(self, taps: list[int]) -> None:
        """Move every edge to a tap."""

    def calm(self, source_V: np.ndarray) -> None:
        """Float the clamp and put these voltages on the sources."""

    def settle(self) -> None:
        """Wait until the nodes have settled."""

    def null(self) -> None:
        """Every edge nulls its offsets."""

    def match(self) -> None:
        """Every edge adds a point to the fit of its mismatch."""

    def release(self) -> None:
        """Connect the clamp again."""


def calibrate(job: Job, bench: InHold) -> None:
    """Null every edge's offsets, then fit its mismatch where its front end can.

    Offsets are read with all sources at half the supply: every node is at one voltage, every drop is zero. The
    mismatch is no constant offset (it grows with the drop), so it is fitted over several inputs and taps, drawn
    from the run's seed; the taps are put back afterwards.
    """
    supply_V, margin_V = job.physics.supply_V, job.physics.margin_V
    sources, edges = len(job.sources), len(job.network.ends)
    bench.calm(np.full(sources, 0.5 * supply_V))
    bench.settle()
    bench.null()
    if FRONT_ENDS[job.edge.front_end].measures:
        random = np.random.default_rng([job.seed, edges])
        before = bench.taps()
        lowest, highest = bench.limits()
        for _ in range(MATCHING_POINTS):
            bench.set_taps(random.integers(max(lowest, highest // 8), highest + 1, edges).tolist())
            bench.calm(random.uniform(margin_V, supply_V - margin_V, sources))
            bench.settle()
            bench.match()
        bench.set_taps(before)
    bench.release()
