import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clockfree_board import rule
from tests.firmware.smallint import Small

drops = st.integers(-65536, 65536)


def bits(free, clamped):
    return int(clamped > free), int(clamped + free > 0)


def test_truth_table_of_the_paper():
    # SCIENCE: XOR = 1 means |dV_C| < |dV_F| and R goes down; up is XNOR.
    assert [rule.from_bits(a, b) for a, b in ((0, 0), (0, 1), (1, 0), (1, 1))] == [1, -1, -1, 1]


@given(drops, drops)
def test_bits_and_drops_agree_with_equation_10(free, clamped):
    wanted = (abs(clamped) > abs(free)) - (abs(clamped) < abs(free))
    assert rule.from_q(rule.q_of(free, clamped, 2), 0) == wanted
    if wanted:  # a tie is no step for drops; two bits cannot say "equal"
        assert rule.from_bits(*bits(free, clamped)) == wanted


def test_truth_table_of_the_first_order():
    # (dV_F, dV_C) by hand: R goes up where the clamp makes the drop larger in the sense that it has.
    ways = {(1, 2): 1, (2, 1): -1, (-1, -2): 1, (-2, -1): -1, (1, -9): -1, (-1, 9): -1, (1, 9): 1, (-1, -9): 1}
    for (free, clamped), step in ways.items():
        assert rule.from_bits(int(clamped > free), int(free > 0)) == step
        assert rule.from_q(rule.q_of(free, clamped, 1), 0) == step
    # What D^2 did: the paper's rule goes up in both of those that are turned over by far.
    assert [rule.from_bits(*bits(*drops)) for drops in ((1, -9), (-1, 9))] == [1, 1]


@given(drops, drops)
def test_q_of_the_first_order(free, clamped):
    q = rule.q_of(free, clamped, 1)
    assert q == np.clip((clamped - free) * np.sign(free), -2 * abs(free), 2 * abs(free))
    if free * clamped > 0 and abs(clamped) <= 3 * abs(free):
        assert q == rule.q_of(free, clamped, 2) == abs(clamped) - abs(free)
    if q:
        assert rule.from_bits(int(clamped > free), int(free > 0)) == np.sign(q)


@given(drops, drops, st.integers(0, 2000))
def test_no_step_within_the_gate(free, clamped, gate):
    q = abs(clamped) - abs(free)
    step = rule.from_q(rule.q_of(free, clamped, 2), gate)
    assert (step != 0) == (abs(q) > gate)
    assert step * q >= 0


@given(drops, drops, st.integers(1, 2000))
def test_trimmed_comparator_steps_where_measured_drops_would(free, clamped, gate):
    # Reading a at +gate and at -gate, and agreeing, is the gated rule on the magnitudes wherever b knows the sign.
    b = int(clamped + free > 0)
    above = rule.from_bits(int(clamped - free > gate), b)
    below = rule.from_bits(int(clamped - free > -gate), b)
    q = abs(clamped) - abs(free)
    if free * clamped > 0 and abs(q) != gate:
        assert rule.agreed(above, below) == rule.from_q(q, gate)


def sums(qs, floor, bar):
    """Steps of an edge that sums, for drops whose magnitudes differ by these."""
    memory = [0] * rule.MEMORY
    return [rule.from_total(memory, q, floor, bar) for q in qs]


floors, bars = st.integers(0, 300), st.integers(8, 3000)


@given(st.lists(st.integers(-300, 300)), bars)
def test_what_stays_below_the_floor_never_adds_up(qs, bar):
    assert not any(sums(qs, 300, bar))


@given(st.lists(st.integers(-65536, 65536)), floors, bars)
def test_sums_know_no_side(qs, floor, bar):
    assert sums([-q for q in qs], floor, bar) == [-step for step in sums(qs, floor, bar)]


@given(st.integers(1, 4000), floors, bars)
def test_a_steady_difference_steps_as_often_as_a_dither_as_wide_as_the_bar(q, floor, bar):
    # After the first steps, all the same way, the bar is an eighth; see from_total's mean number of steps a firing.
    steps = sums([q] * 40_000, floor, bar)[20_000:]
    wanted = min(1.0, max(0, q - floor) / (bar >> rule.MOST_HALVED))
    assert abs(np.mean(steps) - wanted) <= 1.01 / 20_000 * len(steps) ** 0.5


@given(st.lists(st.integers(-5000, 5000), max_size=200), floors, bars)
def test_every_step_has_been_paid_for(qs, floor, bar):
    # No step without a bar's worth of differences, a bar being an eighth at least; an outlier is worth one step.
    steps = sums(qs, floor, bar)
    assert sum(map(abs, steps)) * (bar >> rule.MOST_HALVED) <= sum(map(abs, qs))
    assert not any(steps[:1]) or abs(qs[0]) > floor


def test_the_bar_follows_the_steps():
    # Each step the same way halves it: 80, 40, 20, and 10 at least; each one the other way doubles it.
    assert sums([80, 80, 40, 20, 10, 9, 1, -10, -20, -9, -1], 0, 80) == [1, 1, 1, 1, 1, 0, 1, -1, -1, 0, -1]
    assert sums([80, 80, 40, -20, 39, 1, -79, -1], 0, 80) == [1, 1, 1, -1, 0, 1, 0, -1]


def test_an_outlier_counts_for_one_step():
    assert sums([65536, 0, 0], 5, 80) == [1, 0, 0]


@given(drops, drops, st.integers(0, 65536), st.integers(0, 127), st.sampled_from([-1, 0, 1]))
def test_every_intermediate_is_a_small_int(free, clamped, gate, tap, step):
    for order in (rule.FIRST, rule.SECOND):
        q = rule.q_of(Small(free), Small(clamped), order)
    rule.from_q(q, Small(gate))
    memory = [Small(2 * gate), Small(tap % (rule.MOST_HALVED + 1)), Small(step)]
    rule.from_total(memory, q, Small(gate), Small(max(8, gate)))
    rule.from_bits(Small(tap & 1), Small(gate & 1))
