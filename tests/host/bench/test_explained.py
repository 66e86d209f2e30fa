"""What doctor makes of a circuit, on readings of a dense solve with offsets, noise and INL on top."""

import numpy as np
import pytest

from clockfree.bench import explained, moves, sights
from clockfree.bench.explained import DEAD, ELSEWHERE, REVERSED, WELL
from clockfree.bench.moves import FREE, MIDDLE
from clockfree.bench.resistors import Resistors
from clockfree_board.rule import FIRST, SECOND
from tests.host.bench.test_wiring import LAB, OHM, Bench, E, N, at_each_others

ALL, NONE = np.ones(E, bool), np.zeros(E, bool)
SOURCES, TARGETS = [0, 2, 7], [3, 6, 8]


class Moved(Bench):
    """That bench, whose edges can be moved one by one; some do not, or the other way. Comparators B are of an order."""

    def __init__(self, seed, dead=(), back=(), orders=None, turned_a=(), **more):
        super().__init__(seed, SOURCES, TARGETS, **more)
        self.dead, self.back, self.turned_a = dead, back, turned_a
        self.orders = np.full(E, SECOND) if orders is None else orders
        self.order_V = self.random.normal(0, 0.005, (E, 2))

    def move(self, edge, tap):
        self.taps[edge] = tap

    def around(self, source_V):
        asked = [*self.taps]
        for edge in self.dead:
            self.taps[edge] = 64
        for edge in self.back:
            self.taps[edge] = min(127, 128 - asked[edge])
        try:
            return super().around(source_V)
        finally:
            self.taps = asked

    def bits(self, codes):
        """By a solve of the clamped twin of its own: sources and targets held."""
        volts = np.array(codes) / 4096 * 3.3
        ohm = OHM[64] * np.broadcast_to(self.ohm, E)
        drops = []
        for held in (self.sources, self.sources + self.targets):
            matrix, known = np.zeros((N, N)), np.zeros(N)
            for (tail, head), r in zip(LAB.ends, ohm):
                matrix[[tail, head, tail, head], [tail, head, head, tail]] += [1 / r, 1 / r, -1 / r, -1 / r]
            known[held] = volts[: len(held)]
            free = [node for node in range(N) if node not in held]
            known[free] = np.linalg.solve(matrix[np.ix_(free, free)], -matrix[np.ix_(free, held)] @ known[held])
            drops.append(known[LAB.ends[:, 0]] - known[LAB.ends[:, 1]])
        free_V, clamped_V = drops
        a = clamped_V - free_V + self.order_V[:, 0] > 0
        b = np.where(self.orders == FIRST, free_V, free_V + clamped_V) + self.order_V[:, 1] > 0
        a[[*self.turned_a]] = ~a[[*self.turned_a]]
        return {edge: (int(a[edge]), int(b[edge])) for edge in range(E)}


def found_of(bench):
    measures = bench.job.edge.front_end == "adc"
    seen = moves.measure(bench.job, bench)
    return seen, explained.explain(bench.job, seen, FREE, ALL if measures else NONE)


@pytest.mark.parametrize("front_end", ["adc", "comparator"])
def test_nothing_is_wrong_with_chips_within_their_tolerance(front_end):
    for seed in range(6):
        ohm = np.random.default_rng(seed).uniform(0.85, 1.15, E)
        _, found = found_of(Moved(seed, ohm=ohm, front_end=front_end))
        assert set(found.state) == {WELL}
        ratio = found.ratio / (ohm / np.median(ohm))
        assert np.isfinite(ratio).sum() >= 10 and 0.85 < np.nanmin(ratio) and np.nanmax(ratio) < 1.15


@pytest.mark.parametrize("front_end", ["adc", "comparator"])
@pytest.mark.parametrize("factor", [0.1, 5.0])
def test_several_faults_are_told_apart(front_end, factor):
    ohm = np.random.default_rng(1).uniform(0.9, 1.1, E)
    ohm[8] *= factor
    _, found = found_of(Moved(3, dead=(13,), back=(15,), ohm=ohm, front_end=front_end))
    assert found.state == [{13: DEAD, 15: REVERSED}.get(edge, WELL) for edge in range(E)]
    far = np.flatnonzero(np.abs(np.log(found.ratio)) > np.log(1.5))
    assert far.tolist() == [8] and found.ratio[8] == pytest.approx(factor, rel=0.25)


def test_exchanged_potentiometers_are_found_by_outputs_alone():
    _, found = found_of(Moved(4, at=at_each_others(2, 10), front_end="comparator"))
    assert found.state == [{2: ELSEWHERE, 10: ELSEWHERE}.get(edge, WELL) for edge in range(E)]
    assert found.other[[2, 10]].tolist() == [10, 2]


def test_front_ends_at_other_edges_or_turned_are_found_by_their_drops():
    bench = Moved(5, at=at_each_others(4, 11), turned=[14])
    seen = moves.measure(bench.job, bench)
    trusted = ALL.copy()
    trusted[[4, 11, 14]] = False
    found = explained.explain(bench.job, seen, FREE, trusted)
    places = sights.places(seen.drops_V[:, :, FREE], explained.expected_V(bench.job, found, seen), 3.3)
    expected = {4: sights.Seen(11), 11: sights.Seen(4), 14: sights.Seen(14, True)}
    assert places == [expected.get(edge, sights.Seen(edge)) for edge in range(E)]


def test_what_comparators_are_wired_to():
    orders = np.full(E, SECOND)
    orders[::3] = FIRST
    bench = Moved(6, orders=orders, turned_a=(9,), front_end="comparator")
    told = sights.bits(bench.job, bench, np.full(E, OHM[64]))
    known = [sights.order_of(told, edge) for edge in range(E)]
    assert all(order in (None, orders[edge]) for edge, order in enumerate(known))
    assert sum(order is not None for order in known) >= 10
    apart_V = told.clamped_V - told.free_V
    shares = [sights.agreement(told.said[:, edge, 0], apart_V[:, edge]) for edge in range(E)]
    assert all(share == (edge != 9) for edge, (share, rarer) in enumerate(shares) if rarer >= sights.FEWEST)
    assert sum(rarer >= sights.FEWEST for _, rarer in shares) >= 12
    assert not any(sights.stuck(told.said[:, edge, 0], apart_V[:, edge]) for edge in range(E))
    assert sights.stuck(np.ones(len(apart_V), int), apart_V[:, 0])


def test_noise_beside_that_of_others():
    quiet_V, code_V = np.full(6, 0.0009), 3.3 / 4096
    assert not sights.noisy(quiet_V, 3.3).any()
    loud = quiet_V.copy()
    loud[2] = 4 * 0.0009
    assert sights.noisy(loud, 3.3).tolist() == [edge == 2 for edge in range(6)]
    assert sights.noisy(np.full(6, 7 * code_V), 3.3).all()
    assert not sights.noisy(np.full(6, np.nan), 3.3).any()
    rest_V = np.random.default_rng(0).normal(0.01, 0.002, (4000, 1, 2))
    assert sights.noise_V(rest_V)[0] == pytest.approx(0.002 * 2**0.5, rel=0.05)


def test_resistors_and_their_slopes_are_those_of_a_solve():
    bench = Moved(7)
    bench.taps = [*np.random.default_rng(2).integers(6, 128, E)]
    ohm = OHM[bench.taps]
    resistors, source_V = Resistors(bench.job, False), bench.job.physics.dac_volts(np.array([0.3, 2.0, 3.0]))
    seen_V, slopes_V = resistors.slopes_V(ohm, source_V)
    bench.supervisor_V[:] = 0.0
    assert bench.around(source_V).outputs_V == pytest.approx(seen_V, abs=0.0015)  # its noise
    for edge in (0, 6, 15):
        more = ohm.copy()
        more[edge] *= 1 + 1e-6
        assert (resistors.seen_V(more, source_V) - seen_V) / 1e-6 == pytest.approx(slopes_V[:, edge], abs=1e-5)


def test_the_middle_level_is_one_for_all():
    seen = moves.measure((bench := Moved(8)).job, bench)
    assert bench.taps == [int(seen.taps[MIDDLE])] * E
