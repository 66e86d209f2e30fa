"""Resistors of a network by what is seen of it: voltages for resistances, and resistances for voltages.

Only ratios can be known: sources hold voltages, and all resistances times a number give the same ones. The prior, that
each is what it should be, decides that.
"""

from dataclasses import dataclass

import numpy as np

from clockfree_model.job import Job

PRIOR = 1.0
"""Standard deviation of the logarithm of a resistance over what it should be, before anything is seen."""
_ROUNDS, _LONGEST, _ENOUGH = 30, 0.7, 1e-4


class Resistors:
    """One twin of a job's network, its sources held, and the rows that are seen of it.

    Parameters
    ----------
    job : Job
    drops : bool
        Drops of all edges are seen beside the free outputs.
    outputs : bool
        These are.
    """

    def __init__(self, job: Job, drops: bool, outputs: bool = True) -> None:
        self.nodes, self.ends = len(job.network.nodes), job.network.ends
        self.held = [*job.sources]
        unit = np.eye(self.nodes)
        tail, head = self.ends.T
        self._across = unit[tail] - unit[head]  # (E, N)
        self.rows = np.vstack([unit[[*job.targets]] if outputs else unit[:0], self._across if drops else unit[:0]])

    def volts(self, ohm: np.ndarray, held_V: np.ndarray, also: tuple[int, ...] = ()) -> np.ndarray:
        """Voltages of all nodes (..., N), V, for resistances (..., E), with the sources, and other nodes, held."""
        return self._solved(ohm, held_V, [*self.held, *also])[0]

    def seen_V(self, ohm: np.ndarray, source_V: np.ndarray) -> np.ndarray:
        """What is seen (..., M), V."""
        found: np.ndarray = self.volts(ohm, source_V) @ self.rows.T
        return found

    def slopes_V(self, ohm: np.ndarray, source_V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is seen (..., M), V, and how it changes with the logarithm of each resistance (..., M, E)."""
        volts, inverse = self._solved(ohm, source_V, self.held)
        amperes = volts @ self._across.T / ohm
        return volts @ self.rows.T, self.rows @ inverse @ self._across.T * amperes[..., None, :]

    def _solved(self, ohm: np.ndarray, held_V: np.ndarray, held: list[int]) -> tuple[np.ndarray, np.ndarray]:
        matrix = self._across.T @ (self._across / ohm[..., None])
        free = [node for node in range(self.nodes) if node not in held]
        inverse = np.zeros_like(matrix)
        inverse[..., np.array(free)[:, None], free] = np.linalg.inv(matrix[..., np.array(free)[:, None], free])
        volts = -(inverse @ (matrix[..., held] @ held_V[..., None]))[..., 0]
        volts[..., held] = held_V
        return volts, inverse


@dataclass(frozen=True)
class Fitted:
    """Resistances that explain what was seen.

    Attributes
    ----------
    log : (P,) array
        Logarithm of each factor.
    covariance : (P, P) array
        Of these.
    off : (K, M) array
        What is left, in standard deviations of a reading; 0 where there is none.
    """

    log: np.ndarray
    covariance: np.ndarray
    off: np.ndarray


def fit(
    resistors: Resistors, ohm: np.ndarray, of: np.ndarray, source_V: np.ndarray, seen_V: np.ndarray, sigma_V: np.ndarray
) -> Fitted:
    """Factors of the resistances that explain what was seen best (Gauss and Newton, with a prior).

    Parameters
    ----------
    resistors : Resistors
    ohm : (K, E) array
        Resistances at each setting as they should be.
    of : (K, E) int
        Which of the P factors each is to be multiplied by.
    source_V, seen_V : (K, S), (K, M) array
        nan is what was not seen.
    sigma_V : (K, M) array
        What a reading may be off.
    """
    count, settings = int(of.max()) + 1, np.arange(len(ohm))[:, None]
    log, best, reach = np.zeros(count), np.inf, _LONGEST
    known, trial = np.isfinite(seen_V), np.zeros(count)
    for _ in range(_ROUNDS):
        expected_V, slopes = resistors.slopes_V(ohm * np.exp(trial[of]), source_V)
        off = np.where(known, seen_V - expected_V, 0.0) / sigma_V
        cost = float((off**2).sum() + (trial**2).sum() / PRIOR**2)
        if cost > best:  # too far
            reach *= 0.3
        else:
            done = best - cost < _ENOUGH * cost
            by = np.zeros((*seen_V.shape, count))  # no factor is that of two edges at one setting
            by[settings, :, of] = (slopes * (known / sigma_V)[:, :, None]).swapaxes(1, 2)
            by = by.reshape(-1, count)
            matrix = by.T @ by + np.eye(count) / PRIOR**2
            kept = Fitted(trial, np.linalg.inv(matrix), off)
            step = np.linalg.solve(matrix, by.T @ off.ravel() - trial / PRIOR**2)
            log, best, reach = trial, cost, min(_LONGEST, 2 * reach)
            if done:
                break
        if reach < _ENOUGH:
            break
        trial = log + step * min(1.0, reach / max(np.abs(step).max(), 1e-12))
    return kept
