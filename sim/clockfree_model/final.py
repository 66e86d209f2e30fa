"""The error that a run comes to: the one number at n updates per edge, as the README defines it, and the best one."""

from dataclasses import dataclass

import numpy as np

LEAST_SAMPLES = 20
"""Of fewer in a window no sampling error is given: batches of them would hold less than two, or be too few."""


@dataclass(frozen=True)
class Best:
    """The best achievable error, V^2, from `from_updates` updates per edge on, while `lesson` is taught."""

    lesson: int
    from_updates: float
    error_V2: float


def error_at(
    updates: np.ndarray,
    error_V2: np.ndarray,
    n: float,
    lesson: np.ndarray | None = None,
    stood_us: np.ndarray | None = None,
) -> float:
    """The error at n updates per edge: its mean from 0.8 n on, V^2.

    The window begins no earlier than the lesson that is taught at n: with `lesson`, the index of the lesson at each
    sample, samples of other lessons do not count. What was not measured does not count; nan where nothing was.

    With `stood_us` this is the mean of every state between two steps, weighed by the time it stood: `error_V2` are the
    means since the sample before, and `stood_us` the times they are of. The window then begins at the sample nearest
    to 0.8 n. Of a run's own n that is exactly there, since a run has a sample at 0.8 n: see `plan`.

    Without, of records that have no more and of what only samples are known of (readings, accuracies), it is the mean
    of the samples in (0.8 n, n]. Where none lies there (n between two that are far apart), the last up to n; nan
    where what lies there was not measured.
    """
    error_V2 = np.asarray(error_V2)
    known, inside = _window(updates, error_V2, n, lesson, stood_us)
    _, sampled = _window(updates, np.zeros(len(updates)), n, lesson, stood_us)
    if not known.any() or (sampled.any() and not inside.any()):
        return float("nan")
    if stood_us is not None and stood_us[inside].any():
        return float(np.average(error_V2[inside], weights=stood_us[inside]))
    if not inside.any():
        return float(error_V2[np.flatnonzero(known)[-1]])
    return float(error_V2[inside].mean())


def sampling_error(updates: np.ndarray, error_V2: np.ndarray, n: float, lesson: np.ndarray | None = None) -> float:
    """Standard error of `error_at` where only samples are known, V^2; nan of fewer than `LEAST_SAMPLES`.

    By batch means [Law: Simulation modeling and analysis, 9.5.3]: m samples, which follow one another and depend on
    each other, are cut into about sqrt(m) batches of as many; the means of batches hardly depend on each other, and
    their spread over the square root of their number is the error. What lies between samples and never shows at any,
    a cycle in step with them, is in neither.
    """
    error_V2 = np.asarray(error_V2)
    _, inside = _window(updates, error_V2, n, lesson, None)
    values_V2 = error_V2[inside]
    if len(values_V2) < LEAST_SAMPLES:
        return float("nan")
    each = int(len(values_V2) ** 0.5)
    count = len(values_V2) // each
    means_V2 = values_V2[-count * each :].reshape(count, each).mean(axis=1)
    return float(means_V2.std(ddof=1) / count**0.5)


def _window(
    updates: np.ndarray, error_V2: np.ndarray, n: float, lesson: np.ndarray | None, stood_us: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Which samples are known up to n and of the lesson taught then, and which of these are in the window."""
    updates = np.asarray(updates)
    known = np.isfinite(error_V2) & (updates <= n)
    if lesson is not None:
        known &= lesson == lesson[updates <= n][-1]
    at = updates if stood_us is None else (updates + np.concatenate([[0.0], updates[:-1]])) / 2
    return known, known & (at > 0.8 * n)
