"""The firmware on a real RP2040 MicroPython, in an emulator, with simulated chips on its pins.

    make extras
    CLOCKFREE_UF2=RPI_PICO-....uf2 .venv/bin/python -m pytest tests/emulator

The file is MicroPython for the Raspberry Pi Pico: micropython.org/download/RPI_PICO has it, and mpflash (PyPI). The
emulator is about 20 times slower than a Pico, and all of it takes about half a minute of one core.

It counts the chip's clock cycles, so the decision age (bits read to wipers moved) is measured here and printed. A real
Pico needs longer wherever it has to wait for its flash, of which the emulator knows nothing.
"""

import json
from itertools import cycle, islice, pairwise

import pytest
import serial

from clockfree.link.benchfile import BenchFile, board_config, config_hash, config_text
from clockfree_board import clock
from clockfree_board.link import ARMED, EDGE_ROW, VERSION
from clockfree_board.rule import SECOND, from_bits
from tests.emulator.bench import PATIENCE_S, Bench, Link
from tests.emulator.flash_image import flash_image

MHZ = 125
LOWEST = 60
SEED = (123_456_789, 987_654_321)
EDGE = 7
DECISION_US = 150.0
"""Bits read to wipers moved, at most."""
BUSY_US = 500.0
"""From one look to the next, at most, where the next firing is due at once."""

BITS = [(0, 0), (0, 1), (1, 1), (1, 0)] * 4 + [(1, 0)] * 12 + [(1, 1), (0, 0)] * 10
"""What the comparators say at each firing: all four, then down past the lowest tap, then up."""

SCRIPT = """
import json, time
from machine import SPI, Pin
from clockfree_board import clock, edge, pots, sense

fire = Pin(15, Pin.OUT, value=0)
spi = SPI(0, baudrate=1_000_000, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
pots = {pots}
state = [0] * clock.SIZE
clock.seed(state, *{seed}, {edge})
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


def by_the_rule(bits, tap, lowest, highest):
    """Moves at each firing, the last tap, and how many went up, down, and against a rail."""
    moves, up, down, rail = [], 0, 0, 0
    for a, b in bits:
        step = from_bits(a, b)
        after = max(lowest, min(highest, tap + step))
        up += after > tap
        down += after < tap
        rail += after == tap
        moves.append([] if after == tap else [(0, after), (1, after)])
        tap = after
    return moves, [tap, len(moves), up, down, rail]


def lateness(looks_us, mean_us):
    """For each firing but the first: from the look before until it was due, and from then until its own look, us."""
    state = [0] * clock.SIZE
    clock.seed(state, *SEED, EDGE)
    clock.configure(state, clock.EXPONENTIAL, mean_us)
    clock.first_us(state)
    late_us = 0.0
    found = []
    for before_us, after_us in pairwise(looks_us):
        wait_us = clock.wait_us(state)
        idle_us = wait_us - late_us
        late_us += after_us - before_us - wait_us
        found.append((round(idle_us), round(late_us)))
    return found


def decision_ages(looks_us, moves):
    """The longest decision age, us, and a sentence on all of them."""
    ages_us = sorted(each[-1].at_us - look_us for look_us, each in zip(looks_us, moves) if each)
    of_them = ages_us[0], ages_us[len(ages_us) // 2], ages_us[-1]
    in_us = " / ".join(f"{age_us:.0f}" for age_us in of_them)
    in_cycles = " / ".join(f"{MHZ * age_us:.0f}" for age_us in of_them)
    text = f"bits read to wipers moved, least / median / most: {in_us} us, {in_cycles} cycles at {MHZ} MHz"
    return ages_us[-1], text


@pytest.fixture(scope="module")
def bench(uf2, tmp_path_factory):
    """A Pico that has booted and has the firmware on it, compiled for its processor."""
    with Bench(uf2, flash_image(tmp_path_factory.mktemp("board"))) as bench:
        yield bench


@pytest.mark.parametrize(
    ("pot", "pots"),
    [
        ("spi", f"pots.Mcp42xx(spi, Pin(17, Pin.OUT, value=1), {LOWEST})"),
        ("pulses", f"pots.PulsePots(Pin(10, Pin.OUT), Pin(11, Pin.OUT), Pin(12, Pin.OUT, value=1), {LOWEST})"),
    ],
    ids=["spi", "pulses"],
)
def test_an_edge_on_a_pico_steps_its_chips_as_the_rule_says(bench, tmp_path, capsys, pot, pots):
    mean_us = 6_000
    script = tmp_path / "edge.py"
    script.write_text(SCRIPT.format(pots=pots, seed=SEED, edge=EDGE, mean_us=mean_us, firings=len(BITS)))
    bench.ask("begin", BITS)
    counts, known = json.loads(bench.mpremote("run", str(script)))

    looks_us, moves = zip(*bench.ask("firings"))
    expected, counted = by_the_rule(BITS, 64, LOWEST, 127)
    # What pots.set and homing moved before the first firing is not the rule's.
    moves = [moves[0][-len(expected[0]) :], *moves[1:]]
    assert [[(wiper, tap) for _, wiper, tap in each] for each in moves] == expected
    assert counts == [*counted, 0, 0, 0]
    assert known
    assert bench.ask("wipers", pot) == [counted[0]] * 2

    found = lateness(looks_us, mean_us)
    # In time, unless the one before was still under way: then late by no more than what was left of it.
    assert all(-10 < late_us < max(10, BUSY_US - idle_us) for idle_us, late_us in found), found
    assert sum(idle_us > BUSY_US for idle_us, _ in found) > len(BITS) // 2

    most_us, text = decision_ages(looks_us, moves)
    with capsys.disabled():
        print(f"\n{pot}: {text}")
    assert most_us < DECISION_US


def test_a_pico_with_its_program_learns_by_the_link(bench, tmp_path, capsys):
    file = BenchFile.model_validate(
        {"supervisor": {"port": "/dev/none"}, "boards": [{"port": bench.port, "edges": [{"edge": "A-B"}]}]}
    )
    config = board_config(file, file.boards[0])
    path = tmp_path / "clockfree.json"
    path.write_text(config_text(config))
    bench.mpremote("cp", str(path), ":")
    bench.mpremote("reset")
    with serial.Serial(bench.port, timeout=0.1) as port:
        link = Link(port)
        hello = next(link.messages())[2]
        assert (hello["role"], hello["version"], hello["reason"]) == ("edge", VERSION, "")
        assert hello["config"] == config_hash(config)
        assert (hello["state"], hello["reset"], hello["mpy"][1:]) == ("hold", "watchdog", [4, True])
        [[name, front_end, pot, lowest, highest]] = hello["can"]["edges"]
        assert (name, front_end, pot) == ("A-B", "comparator", "mcp42xx")

        link.ask("prepare", 77)
        link.ask("edge", 0, dict(zip(ARMED, (77, clock.EXPONENTIAL, 10_000, 10_000, 0, 0, 0, *SEED, 0, SECOND))))
        assert link.ask("tap", 0, lowest + 4) == [lowest + 4]
        bench.ask("begin", BITS)
        link.ask("run", 77)
        for _ in link.messages(lambda: bench.ask("fired") >= len(BITS)):
            pass
        link.ask("hold")
        [row] = link.ask("status")[0]["edges"]
        port.write(b"\x03")
        port.timeout = PATIENCE_S
        assert port.read_until(b"\n>>> ").endswith(b"\n>>> ")

    looks_us, moves = zip(*bench.ask("firings"))
    expected, counted = by_the_rule(islice(cycle(BITS), len(moves)), lowest + 4, lowest, highest)
    status = dict(zip(EDGE_ROW, row))
    assert [[(wiper, tap) for _, wiper, tap in each] for each in moves] == expected
    assert row[:5] == counted
    assert (status["skipped"], status["errors"]) == (0, 0)
    assert status["dropped"] <= 0.1 * status["firings"]
    most_us, text = decision_ages(looks_us, moves)
    with capsys.disabled():
        print(f"\nprogram: {len(moves)} firings, {status['dropped']} dropped, {text}; age_us {status['age_us']}")
    # No bound but the board's own: an interrupt of the USB port, while it hears a command, may come in between.
    assert most_us < status["age_us"]
