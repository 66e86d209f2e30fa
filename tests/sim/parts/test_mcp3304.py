"""The MCP3304 against DS21697: table 6-1 (codes), the configuration bits, section 6.2, by bytes sent by hand."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.converters import SIGNED_PERFECT, Mcp3304Chip, code_transfer, signed_levels

CODE = 4.0 / 4096  # with a reference of 4 V


def bits(code):
    """Sign and 12 bits, two's complement."""
    return f"{code & 0x1FFF:013b}"


class Wired:
    """A chip on its own bus, with eight inputs that the test sets."""

    def __init__(self, levels=SIGNED_PERFECT, **errors):
        self.volts = [0.0] * 8
        self.sampled = []
        self.chip = Mcp3304Chip(self.sample, [code_transfer(4.0, levels, **errors)] * 4)
        self.bus = SpiBus()
        self.cs = self.bus.attach(self.chip)

    def sample(self, channel):
        self.sampled.append(channel)
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


@pytest.mark.parametrize(
    ("plus", "minus", "sent"),
    [
        (4.0, 0.0, "0 1111 1111 1111"),
        (4.0 - CODE, 0.0, "0 1111 1111 1111"),
        (4.0 - 2 * CODE, 0.0, "0 1111 1111 1110"),
        (1.0 + 2 * CODE, 1.0, "0 0000 0000 0010"),
        (1.0 + CODE, 1.0, "0 0000 0000 0001"),
        (3.0, 3.0, "0 0000 0000 0000"),
        (1.0, 1.0 + CODE, "1 1111 1111 1111"),
        (1.0, 1.0 + 2 * CODE, "1 1111 1111 1110"),
        (0.0, 4.0 - CODE, "1 0000 0000 0001"),
        (0.0, 4.0, "1 0000 0000 0000"),
    ],
)
def test_codes_of_the_data_sheet(plus, minus, sent):
    wired = Wired()
    wired.volts[:2] = plus, minus
    assert wired.frame("08 00 00") == "1" * 10 + "0" + sent.replace(" ", "")


@pytest.mark.parametrize(
    ("sent", "inputs"),
    [
        ("08 00 00", (0, 1)),
        ("08 80 00", (1, 0)),
        ("09 00 00", (2, 3)),
        ("09 80 00", (3, 2)),
        ("0a 00 00", (4, 5)),
        ("0a 80 00", (5, 4)),
        ("0b 00 00", (6, 7)),
        ("0b 80 00", (7, 6)),
    ],
)
def test_pairs_and_their_polarity(sent, inputs):
    wired = Wired()
    wired.volts = [index * index * 10 * CODE for index in range(8)]
    plus, minus = inputs
    assert wired.frame(sent)[11:] == bits(10 * (plus * plus - minus * minus))
    assert wired.sampled == [plus, minus]


@given(st.integers(0, 3), st.integers(0, 12), st.integers(3, 6), st.integers(-4096, 4095))
def test_start_bit_anywhere(pair, zeros, length, code):
    """Leading zeros are skipped; after the low bit the same bits come again lowest first, then zeros."""
    wired = Wired()
    wired.volts[2 * pair : 2 * pair + 2] = max(code, 0) * CODE, max(-code, 0) * CODE
    sent = int(f"10{pair:02b}0", 2) << 8 * length - 5 - zeros
    expected = "1" * (zeros + 6) + "0" + bits(code) + bits(code)[-2::-1] + "0" * 48
    assert wired.frame(sent.to_bytes(length, "big").hex()) == expected[: 8 * length]


def test_frame_in_pieces_is_one_conversion():
    wired = Wired()
    wired.volts[3] = 1.0
    whole = wired.frame("09 00 00")
    assert whole == "1" * 10 + "0" + bits(-1024)
    for pieces in (("09", "00", "00"), ("0900", "00"), ("09", "0000")):
        wired.sampled.clear()
        assert wired.frame(*pieces) == whole
        assert wired.sampled == [2, 3]


def test_input_is_held_during_a_conversion():
    wired = Wired()
    wired.volts[0] = 1.0
    wired.cs(0)
    wired.bus.write(b"\x20")  # start, DIFF, D2 to D0, and the clock in which the input is held
    wired.volts[0] = 0.0
    assert int.from_bytes(wired.bus.read(2), "big") == int("0" + bits(1024) + "00", 2)
    wired.cs(1)


def test_no_start_bit_no_conversion_and_chip_select_starts_over():
    wired = Wired()
    assert (wired.frame("00 00 00"), wired.sampled) == ("1" * 24, [])
    wired.frame("09")
    assert wired.frame("08 00 00")[10:] == "0" + bits(0)
    assert wired.sampled == [0, 1]


def test_what_is_not_modelled_is_refused_aloud():
    with pytest.raises(NotImplementedError, match="single-ended"):
        Wired().frame("0c 00 00")
    with pytest.raises(ValueError, match="2 transfers for 4 pairs"):
        Mcp3304Chip(lambda channel: 0.0, [code_transfer(4.0, SIGNED_PERFECT)] * 2)


def test_nobody_answers_for_a_chip_that_is_not_there():
    wired = Wired()
    wired.chip.present = False
    assert wired.frame("08 00 00") == "1" * 24


def test_an_offset_is_of_the_difference():
    wired = Wired(offset_V=-3 * CODE)
    for common_V in (0.0, 1.7, 4.0):
        wired.volts[:2] = common_V, common_V
        assert wired.frame("08 00 00")[11:] == bits(-3)
        assert wired.frame("08 80 00")[11:] == bits(-3)  # swapping the inputs does not turn it round


@given(st.integers(0, 1000), st.floats(0.1, 3.0))
def test_signed_levels_bow_as_far_as_they_are_told(seed, inl_lsb):
    generator = random.Random(seed)
    levels = signed_levels(lambda: generator.gauss(0.0, 1.0), inl_lsb)
    assert len(levels) == 8191
    inl = [level - (code - 0.5) for code, level in enumerate(levels, start=-4095)]
    assert max(map(abs, inl)) == pytest.approx(inl_lsb)
    assert abs(inl[0]) < 0.02 * inl_lsb and abs(inl[-1]) < 0.02 * inl_lsb
    assert max(abs(b - a) for a, b in pairwise(inl)) < 0.02 * inl_lsb  # no missing codes
