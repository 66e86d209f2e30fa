"""Lag of what edges decide on, tau, and N r tau: as many decisions under way at once as a trigger lets act together."""

from dataclasses import dataclass

import numpy as np

from clockfree_model.job import Job
from clockfree_model.rates import rates_hz
from clockfree_model.settings import OVERCLAMP

MOST_UNDER_WAY = 0.2
"""Up to it 16 edges pay nothing that was seen, at twice as much more than a tenth; a larger network pays less."""

MOST_OF_WAIT_SUMMED, MOST_OF_WAIT, MOST_OF_WAIT_FINE = 0.75, 0.5, 0.25
"""Share of an edge's mean wait by which an overclamp may be old, on 16 edges and on 143 alike: by edges that sum, by
others, and by those below a tolerance of COARSE_V. At twice as much runs are lost (docs/theory/overclamp.md)."""
COARSE_V = 0.002


@dataclass(frozen=True)
class Lag:
    """How old the circuit is that edges act on, and how many of them act at once.

    Attributes
    ----------
    age_us : float
        From bits read to wipers moved, those of the clamped twin too: the mean over firings.
    settling_us, clamp_us : float
        Time constants of the nodes and of the clamp; of a digital clamp its delay and half of its period.
    rates_hz : (E,) float
        Firings per second of each edge.
    """

    age_us: float
    settling_us: float
    clamp_us: float
    rates_hz: np.ndarray

    @property
    def tau_us(self) -> float:
        """All of it."""
        return self.age_us + self.settling_us + self.clamp_us

    @property
    def under_way(self) -> float:
        """N r tau."""
        return 1e-6 * float(self.rates_hz.sum()) * self.tau_us

    def __str__(self) -> str:
        edges = len(self.rates_hz)
        return (
            f"N r tau {self.under_way:.2g}, as many decisions at once as at p = {min(1.0, self.under_way / edges):.2g} "
            f"(tau {self.tau_us:.3g} us: age {self.age_us:.3g}, settling {self.settling_us:g}, clamp {self.clamp_us:g})"
        )

    def costs(self) -> str:
        """What is said of a rate that costs more than a tenth of the final error; "" of one that does not."""
        if self.under_way <= MOST_UNDER_WAY:
            return ""
        slower_hz = self.rates_hz.mean() * MOST_UNDER_WAY / self.under_way
        return (
            f"edges fire too often for what they decide on: {self}; beyond {MOST_UNDER_WAY:g} that may cost more "
            f"than a tenth of the final error: edge.rate_hz = {slower_hz:.2g} stays below"
        )


def lag_of(job: Job, age_us: np.ndarray | None = None) -> Lag | None:
    """Lag of a clock-free job's decisions; None under a comparison rule, where rounds say what acts together.

    Parameters
    ----------
    job : Job
    age_us : (E,) float or None
        Decision ages as they were measured; None is what the job says.
    """
    if job.schedule != "clockfree":
        return None
    physics, often_hz = job.physics, rates_hz(job)
    old_us = np.full(len(often_hz), float(physics.age_us + physics.skew_us)) if age_us is None else age_us
    clamp_us = physics.clamp_us
    if physics.clamp_period_us:
        clamp_us += physics.clamp_delay_us + physics.clamp_period_us / 2
    return Lag(float(often_hz @ old_us / often_hz.sum()), physics.settle_us, clamp_us, often_hz)


def aimed_rarely(job: Job) -> str:
    """What is said of an overclamp that is aimed too rarely for its edges; "" of one that follows, and of a nudge."""
    clamp, edge = job.clamp, job.edge
    if clamp.kind != OVERCLAMP or job.schedule != "clockfree" or not job.updates:
        return ""
    late_s = 1e-6 * job.physics.clamp_delay_us
    most = MOST_OF_WAIT_FINE if clamp.tolerance_V < COARSE_V else MOST_OF_WAIT
    if edge.summed:
        most = MOST_OF_WAIT_SUMMED
    rate_hz, old_s = float(rates_hz(job).mean()), clamp.refresh_s + late_s
    if old_s * rate_hz <= most:
        return ""
    return (
        f"the clamp is aimed too rarely: every {1e3 * clamp.refresh_s:.3g} ms, {1e3 * late_s:.3g} ms after a look, "
        f"together {old_s * rate_hz:.2g} of an edge's mean wait; beyond {most:g} runs may be lost: "
        f"edge.rate_hz = {most / old_s:.2g} stays below"
    )
