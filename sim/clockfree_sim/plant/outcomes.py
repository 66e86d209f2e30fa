"""What runs of one job with many seeds came to, as arrays."""

from dataclasses import dataclass

import numpy as np

from clockfree_model.counters import COUNTERS
from clockfree_model.final import error_at
from clockfree_model.job import Sample


@dataclass(frozen=True)
class Outcomes:
    """Runs of one job with N seeds, of T samples each.

    Attributes
    ----------
    seeds : (N,) int
    updates, lesson : (T,) float, int
        Of each sample, as in `Sample`: the same for all seeds.
    time_us : (N, T) int
    stood_us : (N, T) int
    error_V2, mean_error_V2, measured_error_V2 : (N, T) float
        As in `Sample`.
    gain : (N, T, O, S) float
        Volts of each free output per volt of each source.
    taps : (N, E) int
        At the end.
    counters : dict of (N, E) int
        At the end.
    """

    seeds: np.ndarray
    updates: np.ndarray
    lesson: np.ndarray
    time_us: np.ndarray
    stood_us: np.ndarray
    error_V2: np.ndarray
    mean_error_V2: np.ndarray
    measured_error_V2: np.ndarray
    gain: np.ndarray
    taps: np.ndarray
    counters: dict[str, np.ndarray]

    def final_errors(self) -> list[float]:
        """Error at the end of each run, V^2; see `error_at`."""
        pairs = zip(self.mean_error_V2, self.stood_us, strict=True)
        return [error_at(self.updates, mean_V2, self.updates[-1], self.lesson, us) for mean_V2, us in pairs]

    def measured_errors(self, n: float) -> list[float]:
        """Errors at n updates per edge, from the supervisor's readings."""
        return [error_at(self.updates, each, n, self.lesson) for each in self.measured_error_V2]


IN_SAMPLES = ("time_us", "stood_us", "error_V2", "mean_error_V2", "measured_error_V2", "gain")
OF_SEEDS = ("seeds", *IN_SAMPLES, "taps")
"""What has a row for each seed, beside counters."""


def outcome(seed: int, samples: list[Sample]) -> Outcomes:
    """That of one run, from its samples."""
    last = samples[-1]
    rows = {name: np.array([[getattr(sample, name) for sample in samples]]) for name in IN_SAMPLES}
    return Outcomes(
        seeds=np.array([seed]),
        updates=np.array([sample.updates for sample in samples]),
        lesson=np.array([sample.lesson for sample in samples]),
        taps=np.array([last.taps]),
        counters={name: np.array([last.counters[name]]) for name in COUNTERS},
        **rows,
    )


def joined(parts: list[Outcomes]) -> Outcomes:
    """Those of all seeds together."""
    first = parts[0]
    rows = {name: np.concatenate([getattr(part, name) for part in parts]) for name in OF_SEEDS}
    counters = {name: np.concatenate([part.counters[name] for part in parts]) for name in COUNTERS}
    return Outcomes(updates=first.updates, lesson=first.lesson, counters=counters, **rows)
