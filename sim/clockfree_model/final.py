"""The error that a run comes to: the one number at n updates per edge, as the README defines it, and the best one."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Best:
    """The best achievable error, V^2, from `from_updates` updates per edge on, while `lesson` is taught."""

    lesson: int
    from_updates: float
    error_V2: float


def error_at(updates: np.ndarray, error_V2: np.ndarray, n: float, lesson: np.ndarray | None = None) -> float:
    """The error at n updates per edge: the mean over the samples of one run with updates in (0.8 n, n], V^2.

    The window begins no earlier than the lesson that is taught at n: with `lesson`, the index of the lesson at each
    sample, samples of other lessons do not count. An accuracy at n updates is the same mean of the accuracy. Where no
    sample lies in that window (a run cut off at its start), the last sample up to n. What was not measured does not
    count; nan where nothing was.
    """
    updates, error_V2 = np.asarray(updates), np.asarray(error_V2)
    known = np.isfinite(error_V2) & (updates <= n)
    if lesson is not None:
        known &= lesson == lesson[updates <= n][-1]
    inside = known & (updates > 0.8 * n)
    if not known.any():
        return float("nan")
    if not inside.any():
        return float(error_V2[np.flatnonzero(known)[-1]])
    return float(error_V2[inside].mean())
