import pytest
from clockfree import rule
from hypothesis import given
from hypothesis import strategies as st

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
    assert rule.from_drops(free, clamped, 0) == wanted
    if wanted:  # a tie is no step for drops; two bits cannot say "equal"
        assert rule.from_bits(*bits(free, clamped)) == wanted


@given(drops, drops, st.integers(0, 2000))
def test_no_step_within_the_gate(free, clamped, gate):
    step = rule.from_drops(free, clamped, gate)
    q = abs(clamped) - abs(free)
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
        assert rule.agreed(above, below) == rule.from_drops(free, clamped, gate)


@pytest.mark.parametrize(
    ("tap", "step", "after"), [(64, 1, 65), (64, -1, 63), (3, -1, 3), (127, 1, 127), (4, -1, 3), (126, 1, 127)]
)
def test_rails(tap, step, after):
    assert rule.moved(tap, step, 3, 127) == after


@given(drops, drops, st.integers(0, 65536), st.integers(0, 127), st.sampled_from([-1, 0, 1]))
def test_every_intermediate_is_a_small_int(free, clamped, gate, tap, step):
    rule.from_drops(Small(free), Small(clamped), Small(gate))
    rule.moved(Small(tap), Small(step), Small(0), Small(127))
    rule.from_bits(Small(tap & 1), Small(gate & 1))
