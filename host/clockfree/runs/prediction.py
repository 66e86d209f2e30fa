"""Prediction of what a run on a bench comes to: simulated runs with the imperfections that the bench has found."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clockfree.bench.protocol import Observer
from clockfree_model.job import Job
from clockfree_model.lag import Lag, lag_of
from clockfree_model.physics import IDEAL, Physics
from clockfree_model.rates import rates_hz
from clockfree_sim.sweep.fitted import fitted
from clockfree_sim.sweep.processes import cores
from clockfree_sim.sweep.seeds import run_seeds
from clockfree_sim.theory.best import best_errors
from clockfree_sim.theory.statistics import interval, shown

Ratio = tuple[float, float, float]
"""Geometric mean, and both ends of its interval of 95%."""

SEEDS, OUTSIDE = 39, 2
"""Between the second lowest and the second highest of 39 runs a fortieth of their kind lies in 36 of 40 cases."""
SURE = 1 - 2 * OUTSIDE / (SEEDS + 1)
NEAR_END = 2.0
"""A run is near its end where its error is so many times the final one."""
WITHOUT = {
    "offsets of the edges": ("offset_V", "sigma_V"),
    "noise of the edges": ("noise_V",),
    "mismatch of the twins": ("mismatch",),
    "INL of the edges' ADCs": ("adc_inl_lsb",),
    "error of the clamp": ("clamp_error_V",),
    "lag of decisions": ("age_us", "skew_us", "settle_us", "clamp_us", "clamp_period_us", "clamp_delay_us"),
}
"""Imperfections, by the keys of `[physics]` that make them."""


@dataclass(frozen=True)
class Prediction:
    """What a run will come to.

    Attributes
    ----------
    job : Job
        With the physics that was simulated.
    known : tuple of str
        Keys of the physics that the bench told; the others are those of the preset.
    errors_V2 : (SEEDS,) float
        Final errors, sorted, V^2: of boards as their supervisor will read them.
    best_V2 : float
        Best achievable error.
    near_end : float
        Updates per edge until the error is near that of the end.
    lag : Lag or None
    without : dict
        By imperfection, final error without it over that with it: geometric mean over the same seeds, interval of 95%.
    steps : tuple of float
        The same without all of them: what the steps of the potentiometers and the reach of the network leave.
    """

    job: Job
    known: tuple[str, ...]
    errors_V2: np.ndarray
    best_V2: float
    near_end: float
    lag: Lag | None
    without: dict[str, Ratio]
    steps: Ratio

    @property
    def error_V2(self) -> float:
        """The middle one of the errors."""
        return float(np.median(self.errors_V2))

    @property
    def interval_V2(self) -> tuple[float, float]:
        """Where the error of a run lies in 9 of 10 cases."""
        return float(self.errors_V2[OUTSIDE - 1]), float(self.errors_V2[-OUTSIDE])

    @property
    def takes_s(self) -> float:
        """Time of the whole run."""
        return self.job.updates / float(rates_hz(self.job).mean())

    def limits(self) -> str:
        """What the error is limited by: that which lowers it the most when it is taken away."""
        if self.best_V2 > self.error_V2 / 2:
            return "reach: the best achievable error of this network and placement"
        names = [name for name, (_, _, high) in self.without.items() if high < 1]
        if names:
            name = min(names, key=lambda each: self.without[each])
            return f"{name}: without it {shown(self.without[name])} times the error"
        if self.steps[2] < 1:
            return f"several imperfections together: without all of them {shown(self.steps)} times the error"
        return "steps of the potentiometers: no imperfection is seen beside them"

    def summary(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        low_V2, high_V2 = self.interval_V2
        physics = self.job.physics
        return {
            "edges": len(self.job.network.ends),
            "updates": self.job.updates,
            "measured": {name: getattr(physics, name) for name in self.known},
            "error_V2": self.error_V2,
            "interval_V2": [low_V2, high_V2],
            "best_error_V2": self.best_V2,
            "takes_s": self.takes_s,
            "near_end_updates": self.near_end,
            "n_r_tau": None if self.lag is None else self.lag.under_way,
            "limits": self.limits(),
            "without": self.without,
            "without_all": self.steps,
        }


def predict(job: Job, trims: np.ndarray, firing_us: np.ndarray | None, observer: Observer) -> Prediction:
    """Simulate a job on benches like this one.

    Parameters
    ----------
    job : Job
    trims : (E, n) float
        What the bench's calibration found; n is 0 where it finds nothing.
    firing_us : (E,) float or None
        How long a firing takes on its boards, whose error is what the supervisor will read; None in simulation.
    observer : Observer
    """
    observer.say("fitting the simulation to what the bench's calibration found")
    physics, known = fitted(job, trims)
    if firing_us is not None:
        physics, known = replace(physics, age_us=round(float(np.mean(firing_us)))), (*known, "age_us")
    like = replace(job, physics=physics)
    best_V2 = best_errors(like)[-1].error_V2
    observer.say(f"simulating {SEEDS} runs of {len(job.network.ends)} edges, {job.updates:,} updates per edge")
    _, found = run_seeds(like, range(SEEDS), threads=cores())
    true_V2 = np.array(found.final_errors())
    told_V2 = np.array(found.measured_errors(float(found.updates[-1]))) if firing_us is not None else true_V2
    course_V2 = np.exp(np.log(np.maximum(found.mean_error_V2[:, 1:], 1e-30)).mean(axis=0))
    late = found.updates[1:][course_V2 <= NEAR_END * np.exp(np.log(true_V2).mean())]
    without: dict[str, Ratio] = {}
    for done, (name, keys) in enumerate(WITHOUT.items()):
        observer.share("looking for what limits it", done / (len(WITHOUT) + 1))
        if any(getattr(physics, key) for key in keys):
            without[name] = _ratio(like, replace(physics, **{key: getattr(IDEAL, key) for key in keys}), true_V2)
    nothing = {key: getattr(IDEAL, key) for keys in WITHOUT.values() for key in keys}
    steps = _ratio(like, replace(physics, **nothing), true_V2)
    observer.share("looking for what limits it", 1.0)
    return Prediction(
        like, known, np.sort(told_V2), best_V2, float(late[0]) if late.size else float(job.updates), lag_of(like),
        without, steps,
    )  # fmt: skip


def _ratio(job: Job, physics: Physics, beside_V2: np.ndarray) -> Ratio:
    """Final error with another physics over these, seed by seed."""
    _, found = run_seeds(replace(job, physics=physics), range(SEEDS), threads=cores())
    return interval(np.array(found.final_errors()) / beside_V2)
