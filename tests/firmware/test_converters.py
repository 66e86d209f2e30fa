"""Converter drivers: their bytes, read by simulated chips that hold the truth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_board.converters import NO_ANSWER, ConverterError, Latch, Mcp320x, Mcp4131, Mcp4728
from clockfree_sim.parts.bus import I2cBus, SpiBus
from clockfree_sim.parts.converters import Mcp3204Chip, Mcp3208Chip, Mcp4728Chip, code_transfer
from clockfree_sim.parts.potentiometers import Mcp4131Chip

codes = st.integers(0, 4095)


def recorded(pin, seen, name):
    def line(level=None):
        seen.append((name, level))
        return pin(level)

    return line


# -- MCP4728 ----------------------------------------------------------------------------------------------------


class Dac:
    def __init__(self):
        self.bus = I2cBus()
        self.chips = [Mcp4728Chip(self.switched, 3.3), Mcp4728Chip(self.switched, 3.3)]
        self.bus.attach(0x60, self.chips[0])
        self.bus.attach(0x61, self.chips[1])
        self.latch = Latch(lambda level: [chip.ldac(level) for chip in self.chips])
        self.switches = 0

    def switched(self, volts):
        self.switches += 1


def test_dac_bytes():
    sent = []

    class Recorder:
        def writeto(self, address, data):
            sent.append((address, bytes(data).hex(" ")))

    dac = Mcp4728(Recorder(), 0x63)
    dac.write([0x123, 0x456, 0x789, 0xABC])
    dac.write([0xFFF, 0])
    assert sent == [(0x63, "41 01 23 43 04 56 45 07 89 47 0a bc"), (0x63, "41 0f ff 43 00 00")]


@given(st.lists(codes, min_size=1, max_size=4))
def test_dac_outputs_are_codes_of_the_supply(values):
    bench = Dac()
    Mcp4728(bench.bus).write(values)
    bench.latch()
    assert bench.chips[0].outputs_V == pytest.approx([code / 4096 * 3.3 for code in values] + [0.0] * (4 - len(values)))


def test_outputs_of_all_dacs_wait_for_the_latch():
    bench = Dac()
    Mcp4728(bench.bus, 0x60).write([4095] * 4)
    Mcp4728(bench.bus, 0x61).write([2048] * 4)
    assert bench.chips[0].outputs_V == bench.chips[1].outputs_V == [0.0] * 4
    assert bench.switches == 0
    bench.latch()
    assert bench.chips[0].outputs_V == pytest.approx([3.3 * 4095 / 4096] * 4)
    assert bench.chips[1].outputs_V == pytest.approx([1.65] * 4)
    assert bench.switches == 2  # each chip once, all its outputs together


@pytest.mark.parametrize("values", [[-1], [4096], [0, 0, 5000], [0] * 5])
def test_dac_refuses_what_it_cannot_show(values):
    bench = Dac()
    dac = Mcp4728(bench.bus)
    with pytest.raises(ValueError):
        dac.write(values)
    bench.latch()
    assert bench.chips[0].outputs_V == [0.0] * 4


def test_missing_dac_is_reported():
    bench = Dac()
    with pytest.raises(ConverterError, match="no DAC at 0x62"):
        Mcp4728(bench.bus, 0x62).write([0])
    bench.chips[0].present = False
    with pytest.raises(ConverterError, match="no DAC at 0x60"):
        Mcp4728(bench.bus, 0x60).write([0])


# -- MCP4131 ----------------------------------------------------------------------------------------------------


def test_mixer_bytes_and_eta():
    bus, seen = SpiBus(), []
    chip = Mcp4131Chip(lambda wiper, tap: seen.append((wiper, tap)))
    transfer = chip.transfer
    chip.transfer = lambda sent: seen.append(sent.hex(" ")) or transfer(sent)
    mixer = Mcp4131(bus, recorded(bus.attach(chip), seen, "cs"))
    assert (mixer.tap, chip.eta) == (-1, 0.5)
    seen.clear()
    mixer.set(128)
    assert seen == [("cs", 0), "00 80", (0, 128), ("cs", 1)]
    assert (mixer.tap, chip.eta) == (128, 1.0)


@given(st.integers(0, 128))
def test_mixer_takes_every_tap(tap):
    bus = SpiBus()
    chip = Mcp4131Chip(lambda wiper, tap: None)
    Mcp4131(bus, bus.attach(chip)).set(tap)
    assert chip.eta == tap / 128


@pytest.mark.parametrize("tap", [-1, 129])
def test_mixer_refuses_other_taps(tap):
    bus = SpiBus()
    mixer = Mcp4131(bus, bus.attach(Mcp4131Chip(lambda wiper, tap: None)))
    with pytest.raises(ValueError, match=r"0\.\.128"):
        mixer.set(tap)
    assert mixer.tap == -1


# -- MCP3204, MCP3208 -------------------------------------------------------------------------------------------


def test_adc_bytes():
    seen = []

    class Recorder:
        def write_readinto(self, sent, received):
            seen.append(sent.hex(" "))
            received[:] = b"\xff\xef\xff"  # floating bits high, the null bit low

    adc = Mcp320x(Recorder(), lambda level=None: seen.append(level))
    seen.clear()
    assert adc.read(0) == 4095
    assert seen == [0, "06 00 00", 1]
    seen.clear()
    for channel in range(8):
        adc.read(channel)
    assert seen[1::3] == [f"{first} {second} 00" for first in ("06", "07") for second in ("00", "40", "80", "c0")]


@pytest.mark.parametrize("kind", [Mcp3204Chip, Mcp3208Chip])
@given(values=st.lists(codes, min_size=8, max_size=8))
def test_adc_reads_the_code_of_each_channel(kind, values):
    bus = SpiBus()
    chip = kind(lambda channel: values[channel] / 4096 * 3.3, [code_transfer(3.3)] * kind.channels)
    adc = Mcp320x(bus, bus.attach(chip), kind.channels)
    assert [adc.read(channel) for channel in range(kind.channels)] == values[: kind.channels]


def test_adc_has_no_other_channel():
    bus = SpiBus()
    adc = Mcp320x(bus, bus.attach(Mcp3204Chip(lambda channel: 0.0, [code_transfer(3.3)] * 4)), 4)
    with pytest.raises(IndexError):
        adc.read(4)


def test_missing_adc_is_reported():
    bus = SpiBus()
    chip = Mcp3204Chip(lambda channel: 1.0, [code_transfer(3.3)] * 4)
    adc = Mcp320x(bus, bus.attach(chip))
    assert adc.read(0) == 1241
    chip.present = False
    assert adc.read(0) == NO_ANSWER
    chip.present = True
    bus.miso_open = 0xFF
    assert adc.read(0) == NO_ANSWER


# -- a real MicroPython -----------------------------------------------------------------------------------------

SCRIPT = """
from clockfree_board.converters import ConverterError, Latch, Mcp320x, Mcp4131, Mcp4728

def show(data):
    print(" ".join("%02x" % byte for byte in bytes(data)))

class Bus:
    def writeto(self, address, data):
        if address != 0x60:
            raise OSError(19)
        show(data)
    write = staticmethod(show)
    def write_readinto(self, sent, received):
        show(sent)
        received[0], received[1], received[2] = 0xFF, 0xEA if sent[1] else 0xFF, 0xBC

def pin(name):
    return lambda level=None: print(name, level)

def attempt(what, *values):
    try:
        print(what(*values))
    except (ConverterError, ValueError) as error:
        print(type(error).__name__, error)

Latch(pin("ldac"))()
dac = Mcp4728(Bus())
for codes in ((1, 2, 3, 4095), (7,), (4096,), (-1,), (0, 0, 0, 0, 0)):
    attempt(dac.write, codes)
attempt(Mcp4728(Bus(), 0x61).write, (0,))
mixer = Mcp4131(Bus(), pin("cs"))
for tap in (0, 128, 129, -1):
    attempt(mixer.set, tap)
adc = Mcp320x(Bus(), pin("cs"))
for channel in (0, 1, 7):
    attempt(adc.read, channel)
"""

UNDER_LOCK = """
import micropython
from clockfree_board.converters import Mcp320x

class Bus:
    def write_readinto(self, sent, received):
        received[1] = 0xEA

def pin(level=None):
    return 1

adc = Mcp320x(Bus(), pin)
micropython.heap_lock()  # any allocation from here on raises MemoryError
adc.read(3)
micropython.heap_unlock()
print(adc.read(3))
"""


def test_same_bytes_on_a_real_micropython(vm, capsys):
    exec(SCRIPT, {})
    assert vm(SCRIPT, 20) == capsys.readouterr().out


def test_reading_does_not_allocate_on_a_real_micropython(vm):
    assert vm(UNDER_LOCK, 20).strip() == str(0xA00)
