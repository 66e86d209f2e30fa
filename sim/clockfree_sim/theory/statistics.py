"""Means and their 95% intervals, by Student's t; correlations."""

import numpy as np
from scipy import stats


def mean_interval(values) -> tuple[float, float, float]:
    """Mean of at least two independent values, and its 95% interval: mean, low, high."""
    values = np.asarray(values, dtype=float)
    mean, half = values.mean(), stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return float(mean), float(mean - half), float(mean + half)


def interval(values) -> tuple[float, float, float]:
    """Geometric mean of at least two positive values, and its 95% interval: mean, low, high."""
    mean, low, high = (float(np.exp(each)) for each in mean_interval(np.log(values)))
    return mean, low, high


def median_interval(values) -> tuple[float, float, float]:
    """Median, and its 95% interval from the binomial law of the ranks, which assumes nothing of the distribution.

    Values may be infinite (never reached). With fewer than six the whole range is all that can be said.
    """
    ranked = np.sort(np.asarray(values, dtype=float))
    count = len(ranked)
    below = max(int(stats.binom.ppf(0.025, count, 0.5)) - 1, 0)
    middle = float(ranked[(count - 1) // 2] + ranked[count // 2]) / 2
    return middle, float(ranked[below]), float(ranked[count - 1 - below])


def shown(found: tuple[float, float, float], form: str = ".2f") -> str:
    """`mean (low .. high)`."""
    mean, low, high = (format(each, form) for each in found)
    return f"{mean} ({low} .. {high})"


def own_correlations(taking: np.ndarray) -> np.ndarray:
    """Pearson's r between each edge's triggers and its next ones (E,); nan for an edge that never changes."""
    return np.array([correlations(np.stack([row[:-1], row[1:]]))[0] for row in taking])


def correlations(taking: np.ndarray) -> np.ndarray:
    """Pearson's r of every pair of edges over the triggers (pairs,); nan with an edge that never changes."""
    off = taking - taking.mean(axis=1, keepdims=True)
    size = np.sqrt((off**2).sum(axis=1))
    with np.errstate(invalid="ignore"):
        matrix = (off @ off.T) / np.outer(size, size)
    return matrix[np.triu_indices(len(taking), 1)]
