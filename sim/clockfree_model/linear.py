"""Outputs are linear in the sources: what follows for many examples.

A circuit's gain (O, S) gives the outputs of any number of examples. The mean squared error of B examples is that of S
rows and a constant, for every gain: a QR factorisation of [source_V desired_V], B rows, leaves its triangle, S rows
that a gain meets and a rest that none can change. Orthogonal factors keep sums of squares [Golub, Van Loan: Matrix
Computations, 5.3], and digits, which second moments (source_V^T source_V) lose: 2e-8 of an error of 4e-8 V^2.
"""

from dataclasses import dataclass

import numpy as np


def outputs(source_V: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Free outputs (B, O) of a circuit for examples with sources at source_V (B, S), V.

    `gain` (O, S) is each output's volts per volt of each source. From a log it gives the bits that it gave in the run.
    """
    found: np.ndarray = np.asarray(source_V, dtype=float) @ gain.T
    return found


@dataclass(frozen=True)
class Reduced:
    """Rows that stand for the examples of a lesson.

    The mean squared error of B examples is (sum((outputs - desired_V)^2) + rest_V2) / values, V^2.

    Attributes
    ----------
    source_V, desired_V : (R, S) and (R, O) float
        V; R is the smaller of B and S. These are not voltages of any one example, unless B <= S.
    rest_V2 : float
        Sum of the squared errors that every network has, V^2.
    values : int
        B O.
    """

    source_V: np.ndarray
    desired_V: np.ndarray
    rest_V2: float
    values: int


def reduced(source_V: np.ndarray, desired_V: np.ndarray) -> Reduced:
    """Examples at source_V (B, S) with desired_V (B, O), V, as at most S rows; up to S examples stay as they are."""
    source_V, desired_V = np.asarray(source_V, dtype=float), np.asarray(desired_V, dtype=float)
    examples, sources = source_V.shape
    if examples <= sources:
        return Reduced(source_V, desired_V, 0.0, desired_V.size)
    triangle = np.asarray(np.linalg.qr(np.hstack([source_V, desired_V]), mode="r"))
    rows, rest = triangle[:sources], triangle[sources:, sources:]
    return Reduced(rows[:, :sources], rows[:, sources:], float(np.sum(rest**2)), desired_V.size)


def mean_squares(source_V: np.ndarray, desired_V: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Mean squared error, V^2 (...), of circuits with gains (..., O, S) on examples (B, S) with desired_V (B, O), V."""
    off_V = source_V @ np.swapaxes(gain, -1, -2) - desired_V
    found: np.ndarray = np.mean(off_V**2, axis=(-2, -1))
    return found
