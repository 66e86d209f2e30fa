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


def examine(records_us: Sequence[Sequence[int] | np.ndarray], seed: int = 0) -> Verdict:
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

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        Fewer than two edges, less than 50 firings per edge, or times that do not rise.
    """
    records = [np.asarray(record, dtype=np.int64) for record in records_us]
    edges, firings = len(records), sum(len(record) for record in records)
    if edges < 2:
        raise ValueError(f"expected at least 2 edges, got {edges}")
    if firings < 50 * edges:
        raise ValueError(f"expected at least 50 firings per edge, got {firings} of {edges} edges")
    if any((np.diff(record) < 0).any() for record in records):
        raise ValueError("expected times that rise")
    start_us = min(int(record[0]) for record in records if len(record))
    stop_us = max(int(record[-1]) for record in records if len(record)) + 1
    records = [record - start_us for record in records]
    random = np.random.default_rng(seed)

    # About half the mean wait each, in a number that the FFT likes.
    bins = fft.next_fast_len(round(2 * firings / edges), real=True)
    width_us = (stop_us - start_us) / bins
    counts = np.array([np.bincount((record / width_us).astype(np.int64), minlength=bins) for record in records])
    correlation, pair, most = _correlations(counts, random)

    coincidences, more = _coincidences(records, stop_us - start_us, random)

    return Verdict(
        edges,
        firings,
        width_us,
        correlation,
        float(most.max()),
        pair,
        coincidences,
        int(more.max()),
        np.array([_fano(record, stop_us - start_us) for record in records]),
        np.array([_lag1(record) for record in records]),
    )


def _correlations(counts: np.ndarray, random: np.random.Generator) -> tuple[float, tuple[int, int], np.ndarray]:
    """Largest |r| of two rows of counts (E, bins), which two, and the same for each surrogate."""
    edges, bins = counts.shape
    margin = bins // MARGIN
    length = bins - 2 * margin
    lags = np.arange(-margin, margin + 1)
    # The middle of each record is compared with as long a piece of each other one, `lag` bins further on.
    middle = counts[:, margin : margin + length] - counts[:, margin : margin + length].mean(axis=1, keepdims=True)
    begins = np.concatenate([np.zeros((2, edges, 1)), np.cumsum([counts, counts**2], axis=2)], axis=2)
    sums, squares = begins[:, :, length:] - begins[:, :, :-length]  # of each piece
    size = np.sqrt(np.maximum(squares - sums**2 / length, 0.0))
    spectrum = fft.rfft(counts, bins)
    shifts = random.integers(0, margin + 1, (edges, SURROGATES))
    largest, pair, most = -1.0, (0, 1), np.zeros(SURROGATES)
    for edge in range(edges - 1):
        padded = np.zeros(bins)
        padded[margin : margin + length] = middle[edge]
        product = fft.irfft(fft.rfft(padded).conj() * spectrum[edge + 1 :], bins)[:, lags]
        scale = size[edge, margin] * size[edge + 1 :]
        r = np.abs(np.divide(product, scale, out=np.zeros_like(product), where=scale > 0))  # 0 where nothing varies
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


def examine_firings(times_us: Sequence[np.ndarray]) -> Verdict:
    """Whether edges fired independently, by their firing times modulo 2**30 us, each (n,), in order.

    As far as all of them were observed; an edge that never fired is left out. ValueError where that is too short.
    """
    times = [unwrapped(each) for each in times_us if len(each)]
    begin, end = (max(each[0] for each in times), min(each[-1] for each in times)) if times else (0, 0)
    return examine([each[(begin <= each) & (each <= end)] for each in times])
