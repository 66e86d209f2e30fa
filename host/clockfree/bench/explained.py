"""Explanation of what a bench shows as its edges are moved one at a time: what is at fault, edge by edge.

All resistances are fitted together, of each edge one factor to R_AB. Where an edge's own moves are not explained by
that, its three resistances are fitted each by itself: those of a wiper that is dead are all alike. Where that explains
them neither, the potentiometer may be at another edge.
"""

from dataclasses import dataclass, replace

import numpy as np

from clockfree.bench.moves import FREE, HIGH, LOW, MIDDLE, STILL, Moves
from clockfree.bench.resistors import Fitted, Resistors, fit
from clockfree.bench.wiring import CLEARER, DROP_CODES, OUTPUT_CODES
from clockfree_model.job import Job
from clockfree_model.parts import POTS

WELL, DEAD, REVERSED, ELSEWHERE, UNLIKE = "well", "dead", "reversed", "elsewhere", "unlike"
"""What a potentiometer can be like, by its moves; the last is anything else."""
_BAD = 4.0
"""Moves are not explained that are off by so many standard deviations, rms."""
_DOUBTS = 3
_TRIED, _OUT = 3, 3.0
"""So many edges are tried where several are bad, and what it costs to leave an edge's moves unexplained, in the
logarithm of what is off; an edge that has three resistances costs 1."""
_SURE, _CLOSE = 4.0, 0.4
"""Standard deviations beyond which something is said, and how well a ratio has to be known, in its logarithm."""
_BESIDE = 3
"""To so many others at least."""
_STILL, _BACK = 0.3, -0.5
"""Share of what its resistance should go through below which a wiper is dead, or goes the other way."""
_GROSS = 0.5
"""Share of what an edge's moves should change that has to be off before they are said to be unlike it."""


@dataclass
class Explained:
    """What was found out about every edge.

    Attributes
    ----------
    state : list of str
    other : (E,) int
        The edge at which a potentiometer is that is elsewhere.
    ratio : (E,) array
        R_AB over what it should be; nan where nobody can say.
    ohm : (E, 3) array
        Resistances that explain best what was seen.
    sound : (K,) bool
        Settings that are explained.
    """

    state: list[str]
    other: np.ndarray
    ratio: np.ndarray
    ohm: np.ndarray
    sound: np.ndarray


def explain(job: Job, moves: Moves, twin: int, trusted: np.ndarray) -> Explained:
    """Explain the moves by one twin: the free one, or the clamped one, of which there are only drops.

    Parameters
    ----------
    job : Job
    moves : Moves
    twin : int
        FREE or CLAMPED.
    trusted : (E,) bool
        Edges whose drops are to be believed.
    """
    drops_V = np.where(trusted, moves.drops_V[:, :, twin], np.nan)
    outputs = twin == FREE
    resistors = Resistors(job, True, outputs)
    seen_V = np.hstack([moves.outputs_V, drops_V]) if outputs else drops_V
    edges, code_V = len(job.network.ends), job.physics.supply_V / 4096
    sigma_V = np.full(seen_V.shape[1], DROP_CODES * code_V)
    sigma_V[: seen_V.shape[1] - edges] = OUTPUT_CODES * code_V
    return _Explaining(job, moves, resistors, seen_V, sigma_V).explained()


class _Explaining:
    """The fit, and what is taken out of it until it explains what is left."""

    def __init__(self, job: Job, moves: Moves, resistors: Resistors, seen_V: np.ndarray, sigma_V: np.ndarray) -> None:
        self._resistors, self._sigma_V, self._moves = resistors, sigma_V, moves
        self._edges = edges = len(job.network.ends)
        self._taken = nominal_ohm(job, moves)
        self._seen_V = seen_V
        self._level = np.full((len(moves.moved), edges), MIDDLE)
        for k, (edge, level) in enumerate(zip(moves.moved, moves.level)):
            if edge != STILL:
                self._level[k, edge] = level
        self._ohm = self._taken[np.arange(edges), self._level]
        self._free: set[int] = set()
        self._out: set[int] = set()

    def explained(self) -> Explained:
        """Fit until all that is left is explained; then take back what is explained without."""
        fitted, of = self._fit()
        while (bad := self._bad(fitted)).size:
            tried: list[tuple[float, int, set[int], set[int], tuple[Fitted, np.ndarray]]] = []
            for edge in bad[:_TRIED].tolist():
                free, out = self._free, self._out
                self._free, self._out = (free - {edge}, out | {edge}) if edge in free else (free | {edge}, out)
                found = self._fit()
                tried.append((self._cost(found[0]), len(tried), self._free, self._out, found))
                self._free, self._out = free, out
            _, _, self._free, self._out, (fitted, of) = min(tried)
        for taken in (self._out, self._free):
            for edge in sorted(taken):
                taken.discard(edge)
                again, its = self._fit()
                if not self._bad(again).size:
                    fitted, of = again, its
                else:
                    taken.add(edge)
        return self._judged(fitted, of)

    def _bad(self, fitted: Fitted) -> np.ndarray:
        """Edges whose moves are not explained, the worst first."""
        off = np.array([self._off(fitted, edge) for edge in range(self._edges)])
        off[[*self._out]] = 0.0
        worst = np.argsort(-off, kind="stable")
        return worst[off[worst] > _BAD]

    def _cost(self, fitted: Fitted) -> float:
        """What an explanation leaves, and what it takes for granted."""
        left = np.log1p((fitted.off**2).mean(axis=1) / _BAD**2)[self._sound()].sum()
        return float(left) + len(self._free) + _OUT * len(self._out)

    def _fit(self) -> tuple[Fitted, np.ndarray]:
        """The fit, and which factor is each edge's at each level (E, 3)."""
        of = np.repeat(np.arange(self._edges)[:, None], 3, axis=1)
        for edge in sorted(self._free):
            top = of.max()
            of[edge, LOW], of[edge, HIGH] = top + 1, top + 2
        seen_V = self._seen_V.copy()
        seen_V[~self._sound()] = np.nan
        chosen = of[np.arange(self._edges), self._level]
        doubt = np.ones((len(seen_V), 1))
        for _ in range(_DOUBTS):  # what is far off is at fault itself, and must not bend all else
            sigma_V = self._sigma_V * doubt
            fitted = fit(self._resistors, self._ohm, chosen, self._moves.source_V, seen_V, sigma_V)
            off = fitted.off * doubt
            doubt = (1.0 + (off**2).mean(axis=1, keepdims=True) / _BAD**2) ** 0.5
        return replace(fitted, off=off), of

    def _sound(self) -> np.ndarray:
        return ~np.isin(self._moves.moved, [*self._out])

    def _off(self, fitted: Fitted, edge: int) -> float:
        """How far an edge's own moves are off, rms, in standard deviations; the worst row counts for as much as all."""
        off = fitted.off[self._moves.moved == edge]
        known = np.isfinite(self._seen_V[self._moves.moved == edge])
        if not known.any():
            return 0.0
        worst = np.abs(off).max() / 2.0
        return float(max((off[known] ** 2).mean() ** 0.5, worst))

    def _judged(self, fitted: Fitted, of: np.ndarray) -> Explained:
        log = fitted.log[of]
        state, other, ratio = [WELL] * self._edges, np.arange(self._edges), np.full(self._edges, np.nan)
        ohm = self._taken * np.exp(log)
        full = np.log(self._taken[0, HIGH] / self._taken[0, LOW])
        spread = max(1.0, float((fitted.off**2).mean()))
        middles = of[:, MIDDLE]
        covariance = spread * fitted.covariance[np.ix_(middles, middles)]
        apart = np.add.outer(covariance.diagonal(), covariance.diagonal()) - 2 * covariance
        for edge in range(self._edges):
            low, _, high = of[edge]
            if edge in self._out:
                state[edge], other[edge] = self._elsewhere(edge, ohm)
                continue
            if edge in self._free:
                gone = full + log[edge, HIGH] - log[edge, LOW]
                both = fitted.covariance[high, high] + fitted.covariance[low, low] - 2 * fitted.covariance[low, high]
                if abs(gone - full) > _SURE * (spread * both) ** 0.5:
                    state[edge] = REVERSED if gone < _BACK * full else DEAD if gone < _STILL * full else WELL
            # All ratios times a number explain the same: each is held against those to which it is known.
            beside = (apart[edge] < (_CLOSE / _SURE) ** 2) & (np.arange(self._edges) != edge)
            if state[edge] == WELL and beside.sum() >= _BESIDE:
                ratio[edge] = np.exp(log[edge].mean() - np.median(log[beside, MIDDLE]))
        return Explained(state, other, ratio, ohm, self._sound())

    def _elsewhere(self, edge: int, ohm: np.ndarray) -> tuple[str, int]:
        """At which edge a potentiometer is whose moves are those of no resistor at its own."""
        still, left = 0.0, np.zeros(self._edges)
        each = np.arange(self._edges)
        for k in np.flatnonzero(self._moves.moved == edge):
            there = np.tile(ohm[:, MIDDLE], (self._edges + 1, 1))  # of each edge moved in its place, and of none
            there[each, each] = ohm[:, self._moves.level[k]]
            source_V = np.tile(self._moves.source_V[k], (len(there), 1))
            off = np.nan_to_num((self._seen_V[k] - self._resistors.seen_V(there, source_V)) / self._sigma_V)
            squares = (off**2).sum(axis=1)
            left, still = left + squares[:-1], still + squares[-1]
        best = int(left.argmin())
        if best != edge and left[best] * CLEARER**2 < left[edge]:
            return ELSEWHERE, best
        return (UNLIKE if left[edge] > _GROSS**2 * still else WELL), edge


def nominal_ohm(job: Job, moves: Moves) -> np.ndarray:
    """Resistances (E, 3) at the taps of these moves, as they should be."""
    found: np.ndarray = np.tile(job.physics.resistance(moves.taps, POTS[job.edge.pot]), (len(job.network.ends), 1))
    return found


def expected_V(job: Job, explained: Explained, moves: Moves) -> np.ndarray:
    """Drops (K, E) of the explained resistances, V; nan at settings that are not explained."""
    resistors = Resistors(job, True, outputs=False)
    ohm = np.tile(explained.ohm[:, MIDDLE], (len(moves.moved), 1))
    settings = np.flatnonzero(moves.moved != STILL)
    edges = moves.moved[settings]
    ohm[settings, edges] = explained.ohm[edges, moves.level[settings]]
    seen_V = resistors.seen_V(ohm, moves.source_V)
    return np.where(explained.sound[:, None], seen_V, np.nan)
