"""The driver of the MCP3304: its bytes, the drops that it makes of answers, what it learns of itself, and silence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_board.rule import SECOND, from_q, q_of
from clockfree_board.sense import BLIND, Mcp3304Drops
from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.converters import SIGNED_PERFECT, Mcp3304Chip, code_transfer
from clockfree_sim.plant import noise

SUPPLY_V = 3.3
CODE_V = SUPPLY_V / 4096


class Recorder:
    """A bus that gives the next of some answers."""

    def __init__(self, *answers):
        self.seen = []
        self.answers = [bytes.fromhex(answer) for answer in answers]

    def write_readinto(self, sent, received):
        self.seen.append(bytes(sent).hex(" "))
        received[:] = self.answers.pop(0)

    def cs(self, level):
        self.seen.append(level)


class Wired:
    """The driver on a chip, with four inputs that the test sets."""

    def __init__(self, offsets_V=(0.0, 0.0), noise_V=0.0):
        self.volts = [1.0, 1.0, 1.0, 1.0]
        draw = noise.stream(2, 0, noise.DECISION, normal=True)
        gauss = (lambda: noise_V * draw()) if noise_V else None
        codes = [code_transfer(SUPPLY_V, SIGNED_PERFECT, offset_V, 1.0, gauss) for offset_V in (*offsets_V, 0.0, 0.0)]
        self.bus = SpiBus()
        self.chip = Mcp3304Chip(lambda channel: self.volts[channel], codes)
        self.sense = Mcp3304Drops(self.bus, self.bus.attach(self.chip))


def run(generator):
    for _ in generator:
        pass


def test_one_conversion_a_drop():
    bus = Recorder("ff c0 00", "ff c0 00")
    sense = Mcp3304Drops(bus, bus.cs)
    assert bus.seen == [1]
    sense.look(0)
    assert bus.seen[1:] == [0, "08 00 00", 1, 0, "09 00 00", 1]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("ff cf ff", 4095),
        ("00 0f ff", 4095),  # whatever a line reads that nobody drives
        ("ff c0 01", 1),
        ("ff c0 00", 0),
        ("ff df ff", -1),
        ("ff d0 01", -4095),
        ("ff d0 00", -4096),
        ("ff d8 80", -1920),
    ],
)
def test_drops_by_their_answers(answer, code):
    bus = Recorder(answer, "ff c1 23", "ff c1 23", answer)
    sense = Mcp3304Drops(bus, bus.cs)
    assert sense.look(0) == from_q(q_of(16 * code, 16 * 0x123, SECOND), 0)
    assert (sense.a, sense.b) == (16 * code, 16 * 0x123)
    sense.look(0)
    assert (sense.a, sense.b) == (16 * 0x123, 16 * code)


@pytest.mark.parametrize("answers", [("ff ff ff",), ("ff e0 00",), ("ff c0 00", "ff ff ff"), ("ff c0 00", "00 20 00")])
def test_a_null_bit_that_is_not_0_is_blind(answers):
    bus = Recorder(*answers)
    assert Mcp3304Drops(bus, bus.cs).look(0) == BLIND
    assert bus.seen[-1] == 1 and not bus.answers  # the chip select is let go


def test_a_converter_that_is_not_there_is_blind():
    wired = Wired()
    wired.chip.present = False
    assert wired.sense.look(0) == BLIND
    with pytest.raises(OSError, match="ADC"):
        run(wired.sense.nulling())
    wired.chip.present = True
    wired.bus.miso_open = 0xFF
    assert wired.sense.look(0) == BLIND


@given(st.lists(st.integers(0, 4095), min_size=4, max_size=4), st.integers(0, 800))
def test_drops_are_those_of_the_pairs(codes, gate):
    wired = Wired()
    wired.volts = [code * CODE_V for code in codes]
    free, clamped = 16 * (codes[0] - codes[1]), 16 * (codes[2] - codes[3])
    assert wired.sense.look(gate) == from_q(q_of(free, clamped, SECOND), gate)
    assert (wired.sense.a, wired.sense.b) == (free, clamped)


def test_drops_add_up_until_they_pass_the_bar():
    wired = Wired()
    wired.volts = [2.0, 1.0, 2.0 + 3 * CODE_V, 1.0]
    wired.sense.keep_total(64)
    # 48 a firing, less a floor of 16, up to 64
    assert [wired.sense.look(16) for _ in range(2)] == [0, 1]
    wired.volts = [2.0 + 3 * CODE_V, 1.0, 2.0, 1.0]
    wired.sense.keep_total(64)
    assert [wired.sense.look(16) for _ in range(2)] == [0, -1]


@pytest.mark.parametrize("noise_V", [0.0005, 0.002])
def test_nulling_takes_offsets_and_noise(noise_V):
    wired = Wired((0.0071, -0.0053), noise_V)
    run(wired.sense.nulling(1000))
    free, clamped, mismatch, found = wired.sense.trims()
    assert abs(free - 0.0071 / SUPPLY_V * 65536) < 4
    assert abs(clamped + 0.0053 / SUPPLY_V * 65536) < 4
    # of q: two conversions with noise and rounding; two normal deviates are 2 / sqrt(pi) standard deviations apart
    wanted_V = 2 / np.sqrt(np.pi) * np.sqrt(2) * np.sqrt(noise_V**2 + CODE_V**2 / 12)
    assert found / 65536 * SUPPLY_V == pytest.approx(wanted_V, rel=0.1)
    assert mismatch == 0


@pytest.mark.parametrize("mismatch", [-0.01, 0.3])
def test_matching_fits_the_ratio_of_the_drops(mismatch):
    wired = Wired(noise_V=0.0005)
    run(wired.sense.nulling())
    for drop in (-1.1, 0.4, 1.0, 1.2):
        more = drop * (1 + mismatch)
        wired.volts = [1.6 + drop / 2, 1.6 - drop / 2, 1.6 + more / 2, 1.6 - more / 2]
        run(wired.sense.matching())
    assert wired.sense.mismatch / 2**15 == pytest.approx(mismatch, abs=3e-4)


SCRIPT = """
from clockfree_board.sense import Mcp3304Drops

class Bus:
    answers = []
    def write_readinto(self, sent, received):
        print(" ".join("%02x" % byte for byte in sent))
        received[0] = 0xFF
        received[1], received[2] = self.answers.pop(0)

bus = Bus()
sense = Mcp3304Drops(bus, lambda level=None: print("cs", level))
every = ((0xCF, 0xFF), (0xC0, 0x01), (0xC0, 0x00), (0xDF, 0xFF), (0xD0, 0x00), (0xE0, 0x00))
for one in every:
    for other in every:
        bus.answers[:] = [one, other]
        print(sense.look(8), sense.a, sense.b)
sense.put_trims([5, -7, 300, 20])
sense.keep_total(4000)
for _ in range(5):
    bus.answers[:] = [(0xC4, 0x00), (0xC4, 0x64)]
    print(sense.look(8), sense.a, sense.b)
sense.keep_total(0)
bus.answers[:] = [(0xC0, 0x03), (0xDF, 0xF3)] * 8
for wait_us in sense.nulling(8):
    print(wait_us)
print(sense.trims())
"""

UNDER_LOCK = """
import micropython
from clockfree_board.sense import Mcp3304Drops

class Bus:
    def write_readinto(self, sent, received):
        received[1] = 0xD0 if sent[0] & 1 else 0xCF

def pin(level=None):
    return 1

sense = Mcp3304Drops(Bus(), pin)
micropython.heap_lock()  # any allocation from here on raises MemoryError
plain = sense.look(0)
micropython.heap_unlock()
sense.put_trims([16, -16, 200, 20])
sense.keep_total(64)
micropython.heap_lock()
sense.look(0)
micropython.heap_unlock()
print(plain, sense.a)
"""


def test_same_bytes_and_drops_on_a_real_micropython(vm, capsys):
    exec(SCRIPT, {})
    assert vm(SCRIPT, 20) == capsys.readouterr().out


def test_a_look_does_not_allocate_on_a_real_micropython(vm):
    assert vm(UNDER_LOCK, 20) == "1 61424\n"
