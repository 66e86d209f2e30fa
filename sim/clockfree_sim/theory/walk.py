"""The linear network that the law speaks of, followed step by step: for several outputs and examples.

What the outputs are off by, x (B, O), is the sum over the edges of their steps times g. A firing edge i under example b
steps against the sign of g_bi^T M x_b, and x moves by g_i under every example. Nothing here knows a voltage, a tap or a
circuit: only g and M (`law.Answers`).
"""

import numpy as np

WALKERS = 16
"""Copies that are followed of each network."""
UPDATES = 12.0
"""Updates per edge that each is followed for; the second half counts."""
ROUNDS = 300
"""At least, of clocked rules, times the root of the number of examples: they come to their cycle by rounds."""


def floor_V2(
    per_tap_V: np.ndarray,
    metric: np.ndarray,
    p: float | None,
    rates_hz: np.ndarray,
    dwell_s: float,
    seed: int = 0,
    walkers: int = WALKERS,
    updates: float = UPDATES,
) -> float:
    """Mean squared error of linear networks once they have come to their floor, the mean over all of them, V^2.

    Parameters
    ----------
    per_tap_V : (K, B, O, E) float
        Of K networks that differ in nothing else.
    metric : (K, O, O) float
    p : float or None
        Chance that an edge takes part in a round; None is clock-free.
    rates_hz : (E,) float
    dwell_s : float
        How long each example is shown; they come in a new random order each time.
    seed, walkers, updates : int, int, float
    """
    rng = np.random.default_rng(seed)
    if p is None:
        return _own_clocks(per_tap_V, metric, rates_hz, dwell_s, rng, walkers, updates)
    return _rounds(per_tap_V, metric, p, max(1, round(dwell_s * float(rates_hz[0]))), rng, walkers, updates)


class _Examples:
    """Which example each walker is shown: in a new order whenever all have been shown."""

    def __init__(self, examples: int, walkers: int, rng: np.random.Generator):
        self._each = np.tile(np.arange(examples), (walkers, 1))
        self._rng, self._turn, self._order = rng, 0, self._each

    def __next__(self) -> np.ndarray:
        turn = self._turn % self._each.shape[1]
        if not turn:
            self._order = self._rng.permuted(self._each, axis=1)
        self._turn += 1
        return self._order[:, turn]


def _own_clocks(per_tap_V, metric, rates_hz, dwell_s, rng, walkers, updates) -> float:
    networks, examples, outputs, edges = per_tap_V.shape
    by_edge = np.ascontiguousarray(per_tap_V.transpose(0, 3, 1, 2))  # (K, E, B, O)
    decides = by_edge @ metric[:, None]  # as the metric is symmetric
    chance = np.cumsum(rates_hz / rates_hz.sum())
    dwell = max(1, round(dwell_s * float(rates_hz.sum())))
    of, every = np.repeat(np.arange(networks), walkers), np.arange(networks * walkers)
    shown, off_V = _Examples(examples, len(every), rng), np.zeros((len(every), examples, outputs))
    firings = int(updates * edges)
    total, example = 0.0, next(shown)
    for firing in range(firings):
        if firing and firing % dwell == 0:
            example = next(shown)
        edge = np.minimum(np.searchsorted(chance, rng.random(len(every))), edges - 1)
        up = np.sum(decides[of, edge, example] * off_V[every, example], axis=1) < 0
        off_V += np.where(up, 1.0, -1.0)[:, None, None] * by_edge[of, edge]
        if firing >= firings // 2:
            total += float(np.mean(off_V**2))
    return total / (firings - firings // 2)


def _rounds(per_tap_V, metric, p, dwell, rng, walkers, updates) -> float:
    networks, examples, outputs, edges = per_tap_V.shape
    decides = np.einsum("kop,kbpe->kboe", metric, per_tap_V)
    moves = per_tap_V.reshape(networks, examples * outputs, edges).transpose(0, 2, 1)
    of, every = np.repeat(np.arange(networks), walkers), np.arange(networks * walkers)
    shown = _Examples(examples, len(every), rng)
    # A run falls into its cycle anywhere: it comes from some side, by steps of all edges.
    side = np.sign(rng.normal(size=(networks, walkers, outputs)) @ decides[:, 0])
    off_V = rng.random((networks, walkers, 1)) * p * (side @ moves)
    rounds = int(max(ROUNDS * np.sqrt(examples), updates / p))
    total, example = 0.0, next(shown)
    for turn in range(rounds):
        if turn and turn % dwell == 0:
            example = next(shown)
        if examples > 1:
            now_V = off_V.reshape(len(every), examples, outputs)[every, example]
            leads = np.einsum("ro,roe->re", now_V, decides[of, example]).reshape(networks, walkers, edges)
        else:
            leads = off_V @ decides[:, 0]
        steps = np.where(leads < 0, 1.0, -1.0)
        if p < 1.0:
            steps *= rng.random(steps.shape) < p
        off_V += steps @ moves
        if turn >= rounds // 2:
            total += float(np.mean(off_V**2))
    return total / (rounds - rounds // 2)
