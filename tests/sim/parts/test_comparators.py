"""Comparators: bits from drops, with their imperfections one at a time."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_board.rule import from_bits
from clockfree_sim.parts.comparators import ComparatorA, ComparatorB, MagnitudeA, TrimFilter

volts = st.floats(-5, 5)


def bits(free, clamped, **more):
    drops = lambda: (free, clamped)  # noqa: E731
    return ComparatorA(drops, **more).pin(), ComparatorB(drops, **more).pin()


@given(volts, volts)
def test_bits_of_ideal_comparators(free, clamped):
    assert bits(free, clamped) == (int(clamped - free >= 1e-9), int(clamped + free >= 1e-9))


@given(volts, volts)
def test_both_together_compare_magnitudes(free, clamped):
    """Away from ties: R goes up where |dV_C| > |dV_F|, else down."""
    if abs(clamped - free) > 1e-8 and abs(clamped + free) > 1e-8:
        assert from_bits(*bits(free, clamped)) == (1 if abs(clamped) > abs(free) else -1)


@given(volts, volts, st.floats(-0.02, 0.02))
def test_b_on_the_free_drop_alone(free, clamped, offset_V):
    if min(abs(free), abs(free + offset_V), abs(clamped - free)) > 1e-8:
        drops = lambda: (free, clamped)  # noqa: E731
        b = ComparatorB(drops, order=1).pin()
        assert (b, ComparatorB(drops, offset_V, order=1).pin()) == (free > 0, free + offset_V > 0)
        assert from_bits(ComparatorA(drops).pin(), b) == (1 if (clamped - free) * free > 0 else -1)


@pytest.mark.parametrize("more", [{}, {"offset_V": 1e-15}, {"gauss": lambda: 0.0}])
def test_inputs_closer_than_a_nanovolt_read_0(more):
    for difference in (-9e-10, 0.0, 9e-10):
        assert bits(1.0, 1.0 + difference, **more)[0] == (1 if "offset_V" in more else 0)
        assert bits(-1.0, 1.0 + difference, **more)[1] == (1 if "offset_V" in more else 0)
    assert bits(1.0, 1.0 + 2e-9, **more)[0] == 1
    assert bits(-1.0, 1.0 + 2e-9, **more)[1] == 1


def test_noise_comes_after_the_dead_nanovolt():
    assert bits(1.0, 1.0 + 9e-10, gauss=lambda: -1e-10) == (0, 1)
    assert bits(1.0, 1.0 - 9e-10, gauss=lambda: 1e-10) == (1, 1)


@given(volts, volts, st.floats(-0.02, 0.02), st.floats(-0.01, 0.01))
def test_offset_and_noise_add_to_what_is_compared(free, clamped, offset_V, noise_V):
    a, b = bits(free, clamped, offset_V=offset_V, gauss=lambda: noise_V)
    over_a, over_b = (clamped - free) + offset_V + noise_V, (clamped + free) + offset_V + noise_V
    if abs(over_a) > 1e-8:
        assert a == (over_a > 0)
    if abs(over_b) > 1e-8:
        assert b == (over_b > 0)


def test_offset_on_b_sticks_it_below_half_of_it():
    """HARDWARE.md: |dV| < o / 2, where both twins have the same drop."""
    for drop, expected in ((-0.0024, 1), (-0.0026, 0), (0.0024, 1)):
        assert ComparatorB(lambda drop=drop: (drop, drop), offset_V=0.005).pin() == expected


def test_drops_are_looked_at_when_the_pin_is_read():
    now = [0.0, 1.0]
    a = ComparatorA(lambda: tuple(now))
    pin = a.pin
    assert pin() == 1
    now[0] = 2.0
    assert pin() == 0


@pytest.mark.parametrize("bit", [0, 1])
def test_stuck_output(bit):
    drops = lambda: (0.0, -1.0 if bit else 1.0)  # noqa: E731
    for comparator in (ComparatorA(drops), ComparatorB(drops), MagnitudeA(drops, lambda: 0.0)):
        pin = comparator.pin  # as a driver keeps it
        comparator.stuck = bit
        assert pin() == bit
        comparator.stuck = None
    assert ComparatorA(drops).pin() == 1 - bit


def test_one_draw_of_noise_a_reading():
    draws = iter([1.0, -1.0])
    a = ComparatorA(lambda: (0.0, 0.5), gauss=lambda: next(draws))
    assert [a.pin(), a.pin()] == [1, 0]
    a.stuck = 1
    assert a.pin() == 1  # no third draw


@given(volts, volts, st.floats(0.001, 0.05))
def test_magnitude_bias_makes_the_rule_of_eq_10(free, clamped, sigma_V):
    drops = lambda: (free, clamped)  # noqa: E731
    step = from_bits(MagnitudeA(drops, lambda: sigma_V).pin(), ComparatorB(drops).pin())
    if abs(abs(clamped) + sigma_V - abs(free)) > 1e-8:
        assert step == (1 if abs(clamped) + sigma_V > abs(free) else -1)


@given(volts, volts)
def test_magnitude_bias_of_nothing_is_the_ideal_comparator(free, clamped):
    drops = lambda: (free, clamped)  # noqa: E731
    if abs(clamped + free) > 1e-8:
        assert MagnitudeA(drops, lambda: 0.0).pin() == ComparatorA(drops).pin()


# -- trim -------------------------------------------------------------------------------------------------------


class Clock:
    now_us = 0

    def __call__(self):
        return self.now_us


def test_trim_charges_through_its_filter():
    clock = Clock()
    trim = TrimFilter(clock, 0.1, tau_us=1000)
    assert (trim.volts(), trim.duty_u16()) == (0.0, 32768)
    trim.duty_u16(49152)
    assert trim.volts() == 0.0
    for clock.now_us in (500, 1000, 3000):
        assert trim.volts() == pytest.approx(0.05 * (1 - math.exp(-clock.now_us / 1000)))
    trim.duty_u16(0)  # in the middle of the rise
    start_V = 0.05 * (1 - math.exp(-3))
    clock.now_us = 4000
    assert trim.volts() == pytest.approx(-0.1 + (start_V + 0.1) * math.exp(-1))
    clock.now_us = 10**9
    assert trim.volts() == pytest.approx(-0.1)


@pytest.mark.parametrize("duty", [-1, 65536])
def test_trim_refuses_other_duties(duty):
    with pytest.raises(ValueError, match=r"0\.\.65535"):
        TrimFilter(Clock(), 0.1).duty_u16(duty)


def test_trim_shifts_the_reference_of_a():
    """At +threshold A needs that much more, at -threshold that much less."""
    clock = Clock()
    trim = TrimFilter(clock, 0.1)
    a = ComparatorA(lambda: (1.0, 1.03), trim_V=trim.volts)
    assert a.pin() == 1
    trim.duty_u16(32768 + 16384)  # +50 mV
    clock.now_us = 20_000
    assert a.pin() == 0
    trim.duty_u16(32768 - 16384)
    clock.now_us = 40_000
    assert a.pin() == 1
