"""Independence of edges: a test on nothing but the times at which each of them fired.

The procedure is HARDWARE's (Clock). What independent clocks would give is not computed, which would need a model of
each clock, but measured on surrogates: every record is shifted by a random time of its own, so each edge keeps its own
rhythm and whatever tied it to the others is lost (surrogates: Theiler et al., Physica D 58, 77 (1992); coincidences of
two records: Perkel, Gerstein and Moore, Biophys. J. 7, 419 (1967)). A fixed limit such as 4 / sqrt(n) raises false
alarms with many edges, and with regular clocks.

The shifts are not circular. Joining the end of a record to its beginning breaks the rhythm of a regular clock there,
which lowers every surrogate's r and nothing of what was observed: of 200 runs of 16 periodic clocks over 500 waits,
all independent, 8 failed (of 400 over 60 waits, 40). Instead each record is shifted by up to a sixth, and a sixth is
left out at both ends: 0 of 200 fail.

Strictly periodic edges of one and the same period may be in phase by chance; two of those are beyond this test.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import int64
from scipy import fft

from clockfree_board.clock import MASK
from clockfree_sim.circuit.caching import kept

WINDOW_US = 1000
"""Two firings of different edges at most this far apart coincide."""

SURROGATES = 999
"""Their largest value is the 99.9th percentile: independent records exceed it once in a thousand times
(Barnard, J. R. Stat. Soc. B 25, 294 (1963))."""

MARGIN = 6
"""A record is shifted by at most one part in so many, and as much is left out at either end."""

PIECE_WAITS = 20
"""A piece between two holes of a record counts if it is as long as so many mean waits: joints are to be rare."""

FANO_WAITS = 10
"""Length of the windows in which firings are counted for the Fano factor, mean waits of the edge itself."""


@dataclass(frozen=True)
class Verdict:
    """What the independence test found.

    Attributes
    ----------
    edges, firings : int
    bin_us : float
        Half the mean wait: firings are counted in bins of this length.
    correlation, correlation_limit : float
        Largest |r| between the counts of two edges; 99.9th percentile of the same over the surrogates.
    pair : (int, int)
        The two edges of the largest |r|.
    coincidences : int
        Pairs of firings of different edges within 1 ms, in the middle two thirds of the records.
    coincidences_limit : float
        99.9th percentile of the same over the surrogates.
    fano : (E,) float
        Variance over mean of the firings in ten mean waits of the edge: 1 for an exponential clock, 0 for a
        periodic one.
    lag1 : (E,) float
        Correlation of successive waits: 0 for waits drawn one by one.
    """

    edges: int
    firings: int
    bin_us: float
    correlation: float
    correlation_limit: float
    pair: tuple[int, int]
    coincidences: int
    coincidences_limit: int
    fano: np.ndarray
    lag1: np.ndarray

    @property
    def independent(self) -> bool:
        """Neither number is beyond its limit."""
        return self.correlation <= self.correlation_limit and self.coincidences <= self.coincidences_limit

    def __str__(self) -> str:
        return (
            f"{self.edges} edges, {self.firings} firings: largest |r| {self.correlation:.3f} "
            f"(limit {self.correlation_limit:.3f}, edges {self.pair[0]} and {self.pair[1]}), "
            f"{self.coincidences} pairs within 1 ms (limit {self.coincidences_limit}): "
            + ("independent" if self.independent else "NOT independent")
        )


def unwrapped(times_us: Sequence[int] | np.ndarray) -> np.ndarray:
    """Times modulo 2**30 us, in order and less than 2**30 us apart, as times that go on rising."""
    times = np.asarray(times_us, dtype=np.int64)
    steps = np.diff(times, prepend=times[:1]) & MASK
    return times[:1] + np.cumsum(steps)


def examine(
    records_us: Sequence[Sequence[int] | np.ndarray], seed: int = 0, pieces_us: Sequence[tuple[int, int]] | None = None
) -> Verdict:
    """Test whether edges fire independently of one another.

    The largest |r| over all pairs of edges, of the firings counted in bins of half the mean wait, is compared with
    its 99.9th percentile over surrogates; so is the number of pairs of firings of different edges within 1 ms.

    Counts are shifted by whole bins, so that every surrogate of every pair is read off one cross-correlation (by
    FFT); for coincidences the times themselves are shifted, by whole microseconds. Short records offer few shifts:
    below 500 mean waits there are more false alarms, about 1 in 100 at 200 waits and 1 in 40 at 60.

    Parameters
    ----------
    records_us : sequence of (n,) int
        Firing times of each edge, rising, us: absolute, or `unwrapped`. All edges were observed for the same time.
    seed : int
        Of the random shifts.
    pieces_us : sequence of (int, int) or None
        From when to when all edges were observed, rising, us; None is all the time. A correlation is that of the bins
        of which both records know: a joint would break the rhythm of a regular clock in the surrogates, and in
        nothing of what was observed. Coincidences are counted with the pieces joined.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        Fewer than two edges, less than 50 firings per edge, or times that do not rise.
    """
    records = [np.asarray(record, dtype=np.int64) for record in records_us]
    if any((np.diff(record) < 0).any() for record in records):
        raise ValueError("expected times that rise")
    start_us = min((int(record[0]) for record in records if len(record)), default=0)
    stop_us = max((int(record[-1]) for record in records if len(record)), default=0) + 1
    seen = [(start_us, stop_us)] if pieces_us is None else [*pieces_us]
    if seen:
        start_us, stop_us = seen[0][0], seen[-1][1]
    joined = _joined(records, seen)
    edges, firings = len(joined), sum(map(len, joined))
    if edges < 2:
        raise ValueError(f"expected at least 2 edges, got {edges}")
    if firings < 50 * edges:
        raise ValueError(f"expected at least 50 firings per edge, got {firings} of {edges} edges")
    random = np.random.default_rng(seed)
    span_us, seen_us = stop_us - start_us, sum(end - begin for begin, end in seen)

    # About half the mean wait each, in a number that the FFT likes.
    bins = fft.next_fast_len(round(2 * firings / edges * span_us / seen_us), real=True)
    width_us = span_us / bins
    known = np.zeros(bins, dtype=bool)
    for begin, end in seen:
        known[-((start_us - begin) * bins // span_us) : (end - start_us) * bins // span_us] = True  # whole bins
    within = [record[(record >= start_us) & (record < stop_us)] - start_us for record in records]
    counts = np.array([np.bincount((record / width_us).astype(np.int64), minlength=bins) for record in within])
    correlation, pair, most = _correlations(counts * known, known, random)

    coincidences, more = _coincidences(joined, seen_us, random)

    return Verdict(
        edges,
        firings,
        width_us,
        correlation,
        float(most.max()),
        pair,
        coincidences,
        int(more.max()),
        np.array([_fano(record, seen_us) for record in joined]),
        np.array([_lag1(record) for record in joined]),
    )


def _joined(records: list[np.ndarray], pieces_us: list[tuple[int, int]]) -> list[np.ndarray]:
    """Records of the pieces alone, one after another, from 0."""
    begins = np.cumsum([0, *(end - begin for begin, end in pieces_us)])
    cut = [[np.searchsorted(record, piece) for piece in pieces_us] for record in records]
    return [
        np.concatenate(
            [record[:0], *(record[i:j] - begin + at for (i, j), (begin, _), at in zip(places, pieces_us, begins))]
        )
        for record, places in zip(records, cut)
    ]


def _correlations(
    counts: np.ndarray, known: np.ndarray, random: np.random.Generator
) -> tuple[float, tuple[int, int], np.ndarray]:
    """Largest |r| of two rows of counts (E, bins), which two, and the same for each surrogate.

    Of what is known (bins,); counts are 0 elsewhere.
    """
    edges, bins = counts.shape
    margin = bins // MARGIN
    lags = np.arange(-margin, margin + 1)
    # The middle of each record is compared with as long a piece of each other one, `lag` bins further on.
    middle = known.copy()
    middle[:margin] = middle[margin + bins - 2 * margin :] = False
    counts = (counts - counts.mean(axis=1, keepdims=True)) * known  # sums of small numbers keep their digits

    def along(here: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Sums over the middle of one row, times rows that lie `lag` bins further on (..., lags)."""
        return fft.irfft(fft.rfft(here * middle).conj() * there, bins)[..., lags]

    known_at, counts_at = fft.rfft(known.astype(float)), fft.rfft(counts)
    both = np.maximum(np.rint(along(known.astype(float), known_at)), 1.0)  # bins that both know, at each lag
    sums, squares = along(known.astype(float), counts_at), along(known.astype(float), fft.rfft(counts**2))
    size = np.sqrt(np.maximum(squares - sums**2 / both, 0.0))
    shifts = random.integers(0, margin + 1, (edges, SURROGATES))
    largest, pair, most = -1.0, (0, 1), np.zeros(SURROGATES)
    for edge in range(edges - 1):
        mine, squared = along(counts[edge], known_at), along(counts[edge] ** 2, known_at)
        product = along(counts[edge], counts_at[edge + 1 :]) - mine * sums[edge + 1 :] / both
        scale = np.sqrt(np.maximum(squared - mine**2 / both, 0.0)) * size[edge + 1 :]
        least = 1e-9 * both  # rounding of the transforms: 0 where nothing varies
        r = np.abs(np.divide(product, scale, out=np.zeros_like(product), where=scale > least))
        other = int(r[:, margin].argmax())
        if r[other, margin] > largest:
            largest, pair = float(r[other, margin]), (edge, edge + 1 + other)
        # A shift that leaves a pair as it was, or a wait apart, would bring back what it is to be compared with.
        r[:, margin - 2 : margin + 3] = 0.0
        lag = shifts[edge] - shifts[edge + 1 :]
        np.maximum(most, np.take_along_axis(r, margin + lag, axis=1).max(axis=0), out=most)
    return largest, pair, most


def _coincidences(records: list[np.ndarray], span_us: int, random: np.random.Generator) -> tuple[int, np.ndarray]:
    """Pairs of firings of different edges within 1 ms, and the same for each surrogate."""
    margin_us = span_us // MARGIN
    times, first = np.concatenate(records), np.cumsum([0, *map(len, records)])
    surrogates = np.empty(SURROGATES, dtype=np.int64)
    slots = margin_us // (3 * WINDOW_US)  # so far apart that no two records keep what they have in common
    for i in range(SURROGATES):
        slot = random.choice(slots, len(records), replace=slots < len(records))
        shift = slot * 3 * WINDOW_US + random.integers(0, WINDOW_US, len(records))
        surrogates[i] = _close_pairs(times, first, shift - margin_us, span_us - 2 * margin_us)
    together = np.full(len(records), -margin_us)
    return _close_pairs(times, first, together, span_us - 2 * margin_us), surrogates


@kept(int64(int64[::1], int64[::1], int64[::1], int64))
def _close_pairs(times_us, first, shift_us, span_us):
    """Pairs of firings of different edges within 1 ms, of what is within 0 .. span_us after each record is shifted.

    `times_us` holds record after record, that of edge e from first[e] to first[e + 1].
    """
    windows = span_us // WINDOW_US + 1
    at_us = np.empty_like(times_us)
    end = np.zeros(windows + 1, dtype=np.int64)
    count = pairs = 0
    for edge in range(len(first) - 1):
        begin = count
        for i in range(first[edge], first[edge + 1]):
            t_us = times_us[i] + shift_us[edge]
            if 0 <= t_us < span_us:
                at_us[count] = t_us
                end[t_us // WINDOW_US + 1] += 1
                j = count - 1
                while j >= begin and t_us - at_us[j] <= WINDOW_US:  # an edge's own firings count below, but should not
                    pairs -= 1
                    j -= 1
                count += 1
    for window in range(windows):
        end[window + 1] += end[window]
    sorted_us = np.empty_like(times_us)  # by window: within one, everything is close anyway
    for t_us in at_us[:count]:
        window = t_us // WINDOW_US
        sorted_us[end[window]] = t_us
        end[window] += 1
    begin = 0
    for window in range(windows):
        firings = end[window] - begin
        pairs += firings * (firings - 1) // 2
        for i in range(begin, end[window]):
            for j in range(end[window], end[window + 1]):
                pairs += sorted_us[j] <= sorted_us[i] + WINDOW_US
        begin = end[window]
    return pairs


def _fano(times_us: np.ndarray, span_us: int) -> float:
    windows = len(times_us) // FANO_WAITS
    if windows < 2:
        return float("nan")
    window_us = FANO_WAITS * span_us / len(times_us)
    counts = np.bincount((times_us / window_us).astype(np.int64), minlength=windows)[:windows]
    return float(counts.var(ddof=1) / counts.mean())


def _lag1(times_us: np.ndarray) -> float:
    waits = np.diff(times_us).astype(float)
    if len(waits) < 3 or np.ptp(waits) == 0.0:
        return float("nan")
    waits -= waits.mean()
    return float(waits[1:] @ waits[:-1] / (waits @ waits))


def pieces(
    records_us: Sequence[np.ndarray], holes_us: Sequence[tuple[int, int]]
) -> tuple[list[tuple[int, int]], float]:
    """When all edges that ever fired were observed, and what share that is of the time in which all of them fired.

    Parameters
    ----------
    records_us : sequence of (n,) int
        Firing times of each edge, rising, us.
    holes_us : sequence of (int, int)
        From when to when something of any of them may be missing, us.

    Returns
    -------
    pieces_us : list of (int, int)
    share : float
    """
    fired = [record for record in records_us if len(record)]
    if not fired:
        return [], 0.0
    at_us, stop_us = max(int(record[0]) for record in fired), min(int(record[-1]) for record in fired) + 1
    whole_us = stop_us - at_us
    least_us = PIECE_WAITS * len(fired) * whole_us / sum(map(len, fired))
    found = []
    for begin_us, end_us in [*sorted(holes_us), (stop_us, stop_us)]:
        begin_us = min(begin_us, stop_us)
        if begin_us - at_us >= (least_us if holes_us else 1):
            found.append((at_us, begin_us))
        at_us = max(at_us, end_us)
    return found, sum(end - begin for begin, end in found) / whole_us if whole_us > 0 else 0.0
