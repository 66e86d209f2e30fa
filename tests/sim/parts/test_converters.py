"""Converter chips against their data sheets, and the transfers of their codes."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_sim.parts.bus import I2cBus, SpiBus
from clockfree_sim.parts.converters import (
    Mcp3204Chip,
    Mcp3208Chip,
    Mcp4728Chip,
    code_transfer,
    pico_levels,
    pico_u16,
    smooth_levels,
)

CODE = 4.0 / 4096  # with a reference of 4 V


def seeded(seed):
    generator = random.Random(seed)
    return lambda: generator.gauss(0.0, 1.0)


# -- transfers --------------------------------------------------------------------------------------------------


@given(st.floats(-1.0, 5.0))
def test_perfect_transfer_rounds_and_saturates(volts):
    code = code_transfer(4.0)(volts)
    assert 0 <= code <= 4095
    if 0.0 <= volts < 4.0 - CODE:
        assert abs(volts / CODE - code) <= 0.5000001


def test_offset_gain_and_noise():
    assert code_transfer(4.0, offset_V=0.005)(1.0) == round(1.005 / CODE)
    assert code_transfer(4.0, gain=1.01)(1.0) == round(1.01 / CODE)
    noise = iter([3 * CODE, -3 * CODE])
    noisy = code_transfer(4.0, gain=2.0, offset_V=CODE, gauss=lambda: next(noise))
    assert [noisy(1.0), noisy(1.0)] == [2048 + 1 + 3, 2048 + 1 - 3]


def nonlinearity(levels):
    """Of each level against a perfect one, LSB."""
    assert len(levels) == 4095
    return [level - (code + 0.5) for code, level in enumerate(levels)]


@given(st.integers(0, 1000), st.floats(0.1, 3.0))
def test_smooth_levels_bow_as_far_as_they_are_told(seed, inl_lsb):
    inl = nonlinearity(smooth_levels(seeded(seed), inl_lsb))
    assert max(map(abs, inl)) == pytest.approx(inl_lsb)
    assert max(abs(b - a) for a, b in pairwise(inl)) < 0.02 * inl_lsb  # smooth: no missing codes
    assert abs(inl[0]) < 0.02 * inl_lsb
    assert abs(inl[-1]) < 0.02 * inl_lsb


@given(st.integers(0, 1000))
def test_pico_levels_have_four_wide_codes(seed):
    levels = pico_levels(seeded(seed))
    assert max(map(abs, nonlinearity(levels))) <= 8.1
    widths = {code: levels[code] - levels[code - 1] for code in range(1, 4095)}
    wide = {code for code, width in widths.items() if width > 2}
    assert wide == {512, 1536, 2560, 3584}
    assert all(widths[code] == pytest.approx(9.0, abs=0.1) for code in wide)
    assert all(0.9 < widths[code] < 1.1 for code in widths.keys() - wide)


def test_levels_are_where_codes_change():
    levels = pico_levels(seeded(1))
    transfer = code_transfer(4096.0, levels)
    for code in (1, 511, 512, 513, 4095):
        assert transfer(levels[code - 1] - 1e-6) == code - 1
        assert transfer(levels[code - 1] + 1e-6) == code


def test_pico_input_is_sixteen_bits_of_twelve():
    read_u16 = pico_u16(lambda: 4.0 * 0xABC / 4096, code_transfer(4.0))
    assert read_u16() == 0xABCA
    assert pico_u16(lambda: 9.0, code_transfer(4.0))() == 0xFFFF


# -- MCP3204, MCP3208 -------------------------------------------------------------------------------------------


class Adc:
    def __init__(self, kind=Mcp3208Chip):
        self.volts = [(0x111 * (channel + 1)) * CODE for channel in range(8)]
        self.samples = []
        self.chip = kind(self.sample, [code_transfer(4.0)] * kind.channels)
        self.bus = SpiBus()
        self.cs = self.bus.attach(self.chip)

    def sample(self, channel):
        self.samples.append(channel)
        return self.volts[channel]

    def frame(self, *pieces):
        """Received bits, as a string, in one chip select."""
        self.cs(0)
        received = b""
        for piece in pieces:
            sent = bytes.fromhex(piece)
            answer = bytearray(len(sent))
            self.bus.write_readinto(sent, answer)
            received += answer
        self.cs(1)
        return "".join(f"{byte:08b}" for byte in received)


def test_frame_of_the_data_sheet():
    """DS21298 figure 6-1: the code fills the low half of the second byte and the third."""
    adc = Adc()
    for channel, sent in enumerate(("060000", "064000", "068000", "06c000", "070000", "074000", "078000", "07c000")):
        for _ in range(2):  # decoded, then known
            assert adc.frame(sent) == "1" * 11 + "0" + f"{0x111 * (channel + 1):012b}"
    assert adc.samples == [channel for channel in range(8) for _ in range(2)]


def test_mcp3204_takes_no_notice_of_d2():
    adc = Adc(Mcp3204Chip)
    assert adc.frame("074000")[12:] == f"{0x222:012b}"
    assert adc.samples == [1]


@given(st.integers(0, 7), st.integers(0, 12), st.integers(3, 6))
def test_start_bit_anywhere(channel, zeros, length):
    """Leading zeros are skipped; after the low bit the same bits come again lowest first, then zeros."""
    adc = Adc()
    code = f"{0x111 * (channel + 1):012b}"
    sent = int(f"11{channel:03b}", 2) << 8 * length - 5 - zeros
    expected = "1" * (zeros + 6) + "0" + code + code[-2::-1] + "0" * 48
    for _ in range(2):  # decoded, then perhaps known
        assert adc.frame(sent.to_bytes(length, "big").hex()) == expected[: 8 * length]


def test_frame_in_pieces_is_one_conversion():
    adc = Adc()
    whole = adc.frame("064000 0000 00")
    adc.samples.clear()
    for pieces in (("06", "40", "00", "0000", "00"), ("064000", "0000", "00"), ("064000", "0000", "00")):
        for _ in range(2):
            adc.samples.clear()
            assert adc.frame(*pieces) == whole
            assert adc.samples == [1]
    assert adc.frame("06", "40", "00") == whole[:24]
    assert adc.frame("00", "064000") == "1" * 8 + whole[:24]  # bytes mean what they mean by their place


def test_input_is_held_during_a_conversion():
    adc = Adc()
    adc.cs(0)
    adc.bus.write(b"\x30")  # start, SGL, D2 to D0, and the clock in which the input is held
    adc.volts[0] = 0.0
    assert int.from_bytes(adc.bus.read(2), "big") == int("0" + "000100010001" + "000", 2)
    adc.cs(1)


def test_no_start_bit_no_conversion():
    adc = Adc()
    assert adc.frame("000000") == "1" * 24
    assert adc.samples == []


def test_next_chip_select_starts_over():
    adc = Adc()
    adc.frame("06")
    assert adc.frame("060000")[12:] == f"{0x111:012b}"


def test_differential_conversions_are_refused_aloud():
    with pytest.raises(NotImplementedError, match="differential"):
        Adc().frame("040000")


def test_each_channel_needs_its_transfer():
    with pytest.raises(ValueError, match="4 transfers for 8 channels"):
        Mcp3208Chip(lambda channel: 0.0, [code_transfer(4.0)] * 4)


# -- MCP4728 ----------------------------------------------------------------------------------------------------


class Dac:
    def __init__(self, supply_V=4.096):
        self.switched = []
        self.chip = Mcp4728Chip(lambda volts: self.switched.append([round(v, 6) for v in volts]), supply_V)
        self.bus = I2cBus()
        self.bus.attach(0x60, self.chip)

    def write(self, sent):
        self.bus.writeto(0x60, bytes.fromhex(sent))


def test_input_registers_wait_for_ldac():
    dac = Dac()
    dac.write("41 01 00 43 02 00 45 04 00 47 0f ff")
    assert dac.switched == []
    dac.chip.ldac(0)
    assert dac.switched == [[0.256, 0.512, 1.024, 4.095]]
    assert dac.chip.ldac() == 0
    dac.chip.ldac(0)
    dac.chip.ldac(1)
    assert len(dac.switched) == 1  # only its falling edge switches


def test_while_ldac_is_low_outputs_follow():
    dac = Dac()
    dac.chip.ldac(0)
    dac.switched.clear()
    dac.write("43 01 00")
    assert dac.switched == [[0.0, 0.256, 0.0, 0.0]]


def test_udac_switches_one_channel():
    dac = Dac()
    dac.write("41 01 00 42 02 00")
    assert dac.switched == [[0.0, 0.512, 0.0, 0.0]]


def test_unfinished_channel_changes_nothing():
    dac = Dac()
    dac.write("41 01 00 43 02")
    dac.chip.ldac(0)
    assert dac.switched == [[0.256, 0.0, 0.0, 0.0]]


def test_reference_and_power_down_bits():
    dac = Dac(supply_V=3.0)
    dac.write("41 88 00 43 98 00 45 9f ff 47 28 00")
    dac.chip.ldac(0)
    assert dac.switched == [[1.024, 2.048, 3.0, 0.0]]  # 2.048 V; twice that; no more than the supply; off


def test_input_registers_read_back():
    dac = Dac()
    dac.write("41 01 23 43 94 56")
    assert dac.bus.readfrom(0x60, 24).hex(" ") == (
        "c0 01 23 c0 00 00 d0 94 56 d0 00 00 e0 00 00 e0 00 00 f0 00 00 f0 00 00"
    )
    assert len(dac.bus.readfrom(0x60, 30)) == 30


@pytest.mark.parametrize("sent", ["01 00", "58 01 00", "50 01 00", "80", "c0", "a0 00"])
def test_other_commands_are_refused_aloud(sent):
    with pytest.raises(NotImplementedError, match="not modelled"):
        Dac().write(sent)


def test_address_alone_is_acknowledged():
    Dac().write("")
