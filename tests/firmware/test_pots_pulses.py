"""The drivers of pulse potentiometers: their edges, homing, and what they cannot know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_board.pots import PulsePots
from clockfree_sim.parts.potentiometers import X9c104PairChip
from tests.firmware.pots_bench import PULSED, Bench, actions


@pytest.mark.parametrize("kind", PULSED)
def test_step_is_one_pulse_with_the_clock_resting_low(kind):
    bench = Bench(kind)
    bench.pot.adopt()
    bench.line.seen.clear()
    bench.pot.step(-1)
    assert bench.line.seen == [("up_down", 0), ("cs", 0), ("clk", 1), ("clk", 0), ("cs", 1)]


@given(
    st.sampled_from(PULSED),
    st.booleans(),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(2, 30),
    st.integers(30, 99),
)
def test_homing_from_anywhere_leaves_both_wipers_equal(kind, reverse, free, clamped, lowest, tap):
    """And it never goes below where it found them, nor below lowest: R only grows on the way to the stop."""
    bench = Bench(kind, lowest, reverse)
    bench.chip.wipers[:] = [free, clamped]
    found = min(bench.taps)
    bench.pot.adopt()
    assert bench.taps == [bench.pot.highest, bench.pot.highest] == [bench.pot.tap] * 2
    bench.pot.set(tap)
    assert bench.taps == [tap, tap]
    passed = [bench.part.steps - tap if reverse else tap for _, tap in bench.moves]
    assert min(passed, default=found) >= min(found, tap)


def test_wipers_of_an_ad5222_moved_together_keep_their_offset():
    """Why each must be homed alone: in MODE 0 the end stop of one holds the other."""
    bench = Bench("ad5222")
    bench.chip.wipers[:] = [100, 90]
    PulsePots._home(bench.pot)
    assert bench.chip.wipers == [127, 117]


def test_mode_of_an_ad5222_is_low_outside_homing():
    bench = Bench("ad5222")
    bench.pot.set(40)
    assert bench.chip.mode() == 0


@given(actions, st.booleans())
def test_x9c_never_stores(doing, reverse):
    bench = Bench("x9c", reverse=reverse)
    for action, value in doing:
        if action == "set" and bench.pot.lowest <= value <= bench.pot.highest:
            bench.pot.set(value)
        elif action == "step" and bench.pot.lowest <= bench.pot.tap + value <= bench.pot.highest:
            bench.pot.step(value)
        elif action == "adopt":
            bench.pot.adopt()
    assert bench.chip.stores == 0


@pytest.mark.parametrize(("clk", "cs"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_x9c_does_not_store_when_the_driver_starts(clk, cs):
    """Whatever levels the pins had."""
    chip = X9c104PairChip(lambda *move: None)
    chip.cs(cs)
    chip.clk(clk)
    PulsePots(chip.clk, chip.up_down, chip.cs, highest=99, steps=99)
    assert chip.stores == 0
    assert (chip.clk(), chip.cs()) == (0, 1)


@pytest.mark.parametrize("kind", PULSED)
def test_pulse_pots_know_no_tap_before_homing(kind):
    bench = Bench(kind)
    assert bench.pot.check() is False
    assert bench.pot.step(1) is False
    assert bench.moves == []
