"""Front ends on simulated comparators and converters, against the drops that were put there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_board.converters import Mcp320x
from clockfree_board.rule import SECOND, from_q, q_of
from clockfree_board.sense import AGAIN, BLIND, AdcDrops, ComparatorPins, PicoAdcDrops, TrimmedPins
from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.comparators import ComparatorA, ComparatorB, TrimFilter
from clockfree_sim.parts.converters import Mcp3204Chip, code_transfer, pico_u16
from clockfree_sim.plant import noise

SUPPLY_V = 3.3
volts = st.floats(-3.0, 3.0)


class Trimmed:
    """A trimmed comparator pair with a filter, a clock, and drops that the test sets."""

    def __init__(self, offset_V=0.0, noise_V=0.0):
        self.now_us = 0
        self.drops = (0.0, 0.0)
        self.trim = TrimFilter(lambda: self.now_us, SUPPLY_V / 16, tau_us=100.0)
        draw = noise.stream(1, 0, noise.DECISION, normal=True)
        gauss = (lambda: noise_V * draw()) if noise_V else None
        a = ComparatorA(lambda: self.drops, offset_V, gauss, self.trim.volts)
        b = ComparatorB(lambda: self.drops)
        self.sense = TrimmedPins(a.pin, b.pin, self.trim.duty_u16, 8, 1000)

    def look(self, gate):
        events = 1
        while (step := self.sense.look(gate)) == AGAIN:
            self.now_us += self.sense.settle_us
            events += 1
        return step, events

    def null(self):
        for wait_us in self.sense.nulling():
            self.now_us += wait_us


def run(generator):
    for _ in generator:
        pass


@given(volts, volts)
def test_comparator_pins_decide_as_the_magnitudes(free, clamped):
    sense = ComparatorPins(ComparatorA(lambda: (free, clamped)).pin, ComparatorB(lambda: (free, clamped)).pin)
    step = sense.look(0)
    if min(abs(clamped - free), abs(clamped + free)) > 1e-8:
        assert step == (1 if abs(clamped) > abs(free) else -1)


@given(st.floats(0.05, 2.0), st.sampled_from([-1, 1]), st.floats(-0.04, 0.04), st.integers(1, 600))
def test_trimmed_pins_step_only_beyond_the_gate(size, sign, q, gate):
    rig = Trimmed()
    rig.drops = (sign * size, sign * (size + q))
    step, _ = rig.look(gate)
    gate_V = gate / 65536 * SUPPLY_V
    if abs(abs(q) - gate_V) > 1e-4:  # beyond the PWM's step and what the filter leaves
        assert step == (0 if abs(q) < gate_V else 1 if q > 0 else -1)


def test_trimmed_pins_need_three_events_and_one_without_a_gate():
    rig = Trimmed()
    rig.drops = (1.0, 1.1)
    assert rig.look(100) == (1, 3)  # set +gate; read, set -gate; read and decide
    assert rig.look(0)[0] == 1
    assert rig.look(0) == (1, 1)  # the trim rests at the offset


@pytest.mark.parametrize("offset_V", [-0.03, -0.005, 0.0, 0.0123, 0.1])
def test_nulling_a_trimmed_comparator(offset_V):
    rig = Trimmed(offset_V, noise_V=0.0005)
    rig.null()
    assert rig.sense.offset_c16 / 65536 * SUPPLY_V == pytest.approx(offset_V, abs=3e-4)


class Adc:
    """An MCP3204 on four node voltages that the test sets."""

    def __init__(self, offsets_V=(0.0,) * 4, noise_V=0.0):
        self.nodes_V = [1.0, 1.0, 1.0, 1.0]
        draw = noise.stream(2, 0, noise.DECISION, normal=True)
        gauss = (lambda: noise_V * draw()) if noise_V else None
        self.bus = SpiBus()
        codes = [code_transfer(SUPPLY_V, None, offset, 1.0, gauss) for offset in offsets_V]
        self.chip = Mcp3204Chip(lambda channel: self.nodes_V[channel], codes)
        self.sense = AdcDrops(Mcp320x(self.bus, self.bus.attach(self.chip), channels=4))


@given(st.lists(st.floats(0.01, 3.29), min_size=4, max_size=4), st.integers(0, 800))
def test_adc_drops_are_the_differences_of_codes(nodes_V, gate):
    rig = Adc()
    rig.nodes_V = nodes_V
    step = rig.sense.look(gate)
    codes = [min(4095, max(0, int(np.floor(v / SUPPLY_V * 4096 + 0.5)))) for v in nodes_V]
    free, clamped = 16 * (codes[0] - codes[1]), 16 * (codes[2] - codes[3])
    if all(abs(v / SUPPLY_V * 4096 % 1 - 0.5) > 1e-6 for v in nodes_V):
        assert (rig.sense.a, rig.sense.b) == (free, clamped)
        assert step == from_q(q_of(free, clamped, SECOND), gate)


def test_drops_add_up_until_they_pass_the_bar():
    rig = Adc()
    code_V = SUPPLY_V / 4096
    rig.nodes_V = [2.0, 1.0, 2.0 + 3 * code_V, 1.0]
    assert rig.sense.look(16) == 1
    rig.sense.keep_total(64)
    # 48 a firing, less a floor of 16, up to 64
    assert [rig.sense.look(16) for _ in range(2)] == [0, 1]
    rig.sense.look(16)
    rig.sense.keep_total(64)
    assert [rig.sense.look(16) for _ in range(2)] == [0, 1]
    rig.sense.keep_total(0)
    assert rig.sense.look(16) == 1


def test_nulling_takes_the_offsets_out_beyond_one_code():
    rig = Adc(offsets_V=(0.004, -0.003, 0.0007, 0.006), noise_V=0.0005)
    run(rig.sense.nulling())
    one_code = 16
    assert abs(rig.sense.offset_free_c16 - 0.007 / SUPPLY_V * 65536) < one_code / 4
    assert abs(rig.sense.offset_clamped_c16 + 0.0053 / SUPPLY_V * 65536) < one_code / 4


@pytest.mark.parametrize("noise_V", [0.0005, 0.002])
def test_nulling_measures_the_noise(noise_V):
    rig = Adc(noise_V=noise_V)
    rig.nodes_V = [1.0003, 1.0001, 1.0002, 1.0]  # alike to a fraction of a code
    run(rig.sense.nulling(4000))
    # of q: four channels with noise and rounding; two normal deviates are 2 / sqrt(pi) standard deviations apart
    code_V = SUPPLY_V / 4096
    wanted_V = 2 / np.sqrt(np.pi) * 2 * np.sqrt(noise_V**2 + code_V**2 / 12)
    assert rig.sense.noise_c16 / 65536 * SUPPLY_V == pytest.approx(wanted_V, rel=0.1)  # in whole codes
    assert rig.sense.trims() == [rig.sense.offset_free_c16, rig.sense.offset_clamped_c16, 0, rig.sense.noise_c16]


def test_the_noise_is_the_floor_of_a_sum_where_it_is_larger():
    rig = Adc()
    code_V = SUPPLY_V / 4096
    rig.nodes_V = [2.0, 1.0, 2.0 + 3 * code_V, 1.0]
    rig.sense.put_trims([0, 0, 0, 40])
    rig.sense.keep_total(64)
    # 48 a firing: 8 of them beyond the noise, 4 beyond a floor of 44
    assert [rig.sense.look(16) for _ in range(9)] == [0] * 7 + [1, 0]
    rig.sense.keep_total(64)
    assert [rig.sense.look(44) for _ in range(17)] == [0] * 15 + [1, 0]
    for wrong in (-1, 1 << 16):
        with pytest.raises(ValueError, match="noise"):
            rig.sense.put_trims([0, 0, 0, wrong])


@pytest.mark.parametrize("mismatch", [-0.01, 0.002, 0.3])
def test_matching_fits_the_ratio_of_the_drops(mismatch):
    rig = Adc(noise_V=0.0005)
    run(rig.sense.nulling())
    for drop in (-1.1, 0.4, 1.0, 1.2):
        rig.nodes_V = [1.6 + drop / 2, 1.6 - drop / 2, 1.6 + drop * (1 + mismatch) / 2, 1.6 - drop * (1 + mismatch) / 2]
        run(rig.sense.matching())
    assert rig.sense.mismatch / 2**15 == pytest.approx(mismatch, abs=3e-4)
    rig.sense.look(0)
    assert abs(rig.sense.a - rig.sense.b) < 2.5 * 16 * 2  # alike again, within noise and quantisation


def test_an_adc_that_is_not_there_is_blind():
    rig = Adc()
    rig.chip.present = False
    assert rig.sense.look(0) == BLIND
    with pytest.raises(OSError, match="ADC"):
        run(rig.sense.nulling())


@given(volts, volts)
def test_pico_adc_reads_both_polarities(free, clamped):
    code = code_transfer(SUPPLY_V)
    sense = PicoAdcDrops(
        pico_u16(lambda: (SUPPLY_V + free) / 2, code), pico_u16(lambda: (SUPPLY_V + clamped) / 2, code)
    )
    sense.look(0)
    resolution = 2 * 16  # half the signal: one code is two
    assert abs(sense.a - free / SUPPLY_V * 65536) <= resolution / 2 + 1
    assert abs(sense.b - clamped / SUPPLY_V * 65536) <= resolution / 2 + 1
