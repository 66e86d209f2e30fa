"""The firmware's own drivers on MicroPython, and what the chips in the bench's circuit made of it."""

import numpy as np
import pytest

from clockfree_board.sense import Mcp3304Drops
from clockfree_model.parts import POTS
from clockfree_model.physics import IDEAL
from clockfree_sim.parts.bus import I2cBus, SpiBus
from clockfree_sim.plant.chips import EdgeChips
from clockfree_sim.plant.plant import Plant
from clockfree_sim.plant.timeline import Timeline
from clockfree_sim.virtual import VirtualBoards
from clockfree_sim.virtual.pads import Pad
from clockfree_sim.virtual.wired import Wired
from tests.sim.virtual.benches import edge_config, edge_job, supervisor_config
from tests.sim.virtual.conftest import ONE, OTHER
from tests.sim.virtual.repl import Repl, wait

SETUP = "from machine import ADC, I2C, PWM, Pin, SPI\nspi = SPI(0, sck=Pin(18), mosi=Pin(19), miso=Pin(16))\n"
SHOW = """
from clockfree_board import converters
i2c = I2C(0, sda=Pin(4), scl=Pin(5), freq=400_000)
dac = converters.Mcp4728(i2c, 0x60)
latch = converters.Latch(Pin(6, Pin.OUT, value=1))
mixers = [converters.Mcp4131(spi, Pin(20, Pin.OUT, value=1)), converters.Mcp4131(spi, Pin(22, Pin.OUT, value=1))]
adc = converters.Mcp320x(spi, Pin(17, Pin.OUT, value=1))
"""


@pytest.mark.parametrize("pot", POTS)
def test_potentiometers(tmp_path, pot):
    job, part = edge_job(pot=pot), POTS[pot]
    module, driver = part.driver.split(":")
    on = {"": [], "spi": ["spi"], "i2c": [f"I2C(1, sda=Pin(6), scl=Pin(7), freq=400_000), {part.address}"]}[part.bus]
    on += [f"Pin({pin.gp}, Pin.OUT, value={int(pin.role == 'select')})" for pin in part.pins]
    on.append(f"lowest=2, highest={part.highest}, steps={part.steps}")
    start = [part.start_tap] * 2
    name = job.network.edge_name(3)
    with VirtualBoards(job, {ONE: edge_config(job, 3)}, tmp_path) as boards, Repl(boards.port(ONE)) as repl:
        wipers = lambda: boards.chips(ONE)["wipers"][name]  # noqa: E731
        assert wipers() == start
        repl.enter()
        repl.install(*{"emitters", "pots", module})
        repl.run(SETUP + f"from clockfree_board.{module} import {driver}\npot = {driver}({', '.join(on)})\npot.adopt()")
        for tap in (2, part.highest, 33):
            assert repl.run(f"pot.set({tap})\nprint(pot.tap, pot.check())") == f"{tap} True\n"
            assert wipers() == [tap, tap]
        assert repl.run("print([pot.step(1) for _ in range(5)], pot.tap)") == "[True, True, True, True, True] 38\n"
        assert wipers() == [38, 38]
        # A reset of the board leaves the wipers where they are, as none of its pins moves on the way.
        before = boards.told(ONE)["process"]
        boards.reset(ONE)
        wait(lambda: boards.told(ONE)["process"] not in (0, before))
        assert wipers() == [38, 38]
        boards.power_cycle(ONE)
        assert wipers() == start


def test_two_edges_on_one_board(tmp_path):
    job = edge_job()
    names = [job.network.edge_name(edge) for edge in (5, 2)]
    with VirtualBoards(job, {ONE: edge_config(job, 5, 2)}, tmp_path) as boards, Repl(boards.port(ONE)) as repl:
        repl.enter()
        repl.install("emitters", "pots")
        repl.run(
            SETUP + "from clockfree_board import pots\n"
            "two = [pots.Mcp42xx(spi, Pin(gp, Pin.OUT, value=1)) for gp in (17, 21)]\n"
            "for pot, tap in zip(two, (11, 22)):\n pot.set(tap)"
        )
        assert boards.chips(ONE)["wipers"] == dict(zip(names, ([11, 11], [22, 22]), strict=True))
        assert repl.run("print([pot.check() for pot in two])") == "[True, True]\n"


def test_a_supervisor_and_an_edge_see_the_same_circuit(tmp_path):
    """DACs, latch, mixers, clamp and ADC of the supervisor; MCP3204 of an edge; the plant between them."""
    job = edge_job("adc", targets=2, physics=IDEAL)
    configs = {ONE: supervisor_config(), OTHER: edge_config(job, 0)}
    codes = [700, 3900, 1000, 2000]
    volts = np.array(codes) * IDEAL.supply_V / 4096
    with VirtualBoards(job, configs, tmp_path) as boards, Repl(boards.port(ONE)) as repl:
        repl.enter()
        repl.install("emitters", "converters")
        repl.run(SETUP + SHOW)
        assert repl.run("print(i2c.scan())") == "[96]\n"
        repl.run(f"dac.write({codes})")
        assert boards.chips(ONE)["outputs_V"] == [0.0] * 4
        repl.run("latch()\nfor mixer in mixers: mixer.set(32)\nclamp = Pin(21, Pin.OUT, value=1)")
        found = boards.chips(ONE)
        assert np.allclose(found["outputs_V"], volts)
        assert (found["mixers"], found["clamped"]) == ([32, 32], 1)
        free_V, clamped_V = boards.voltages()
        assert np.allclose(free_V[list(job.sources)], volts[:2])
        targets = list(job.targets)
        assert np.allclose(clamped_V[targets], 0.75 * free_V[targets] + 0.25 * volts[2:])
        read = eval(repl.run("print([adc.read(channel) for channel in range(4)])"))
        assert np.abs(np.array(read[:2]) - free_V[targets] / IDEAL.supply_V * 4096).max() <= 1
        assert read[2:] == [0, 0]  # nothing is there
        with Repl(boards.port(OTHER)) as edge:
            edge.enter()
            edge.install("emitters", "rule", "sense", "converters")
            edge.run(
                SETUP + "from clockfree_board import sense, converters\n"
                "drops = sense.AdcDrops(converters.Mcp320x(spi, Pin(20, Pin.OUT, value=1), channels=4))"
            )
            read = np.array(eval(edge.run("drops.look(0)\nprint(drops.codes())")))
        tail, head = job.network.ends[0]
        seen = np.array([free_V[tail], free_V[head], clamped_V[tail], clamped_V[head]]) / IDEAL.supply_V * 4096
        assert np.abs(read - seen).max() <= 1
        # Reset, the supervisor's pins let go: the clamp floats, and what the DACs show stays.
        boards.reset(ONE)
        wait(lambda: not boards.chips(ONE)["clamped"])
        assert np.allclose(boards.voltages()[1], free_V)
        boards.power_cycle(ONE)
        assert boards.chips(ONE)["outputs_V"] == [0.0] * 4
        assert boards.chips(ONE)["mixers"] == [64, 64]


@pytest.mark.parametrize("front_end", ["comparator", "trimmed", "pico_adc", "mcp3304"])
def test_front_ends_see_what_they_see_in_virtual_time(tmp_path, front_end):
    """The same chips with the same offsets: what they read at a still circuit is known."""
    job = edge_job(front_end, physics=edge_job().physics.__class__(supply_V=3.3, offset_V=0.02, adc_inl_lsb=1.0))
    plant = Plant(job, Timeline(1))
    spi = SpiBus()
    seen = EdgeChips(plant, 0, spi, I2cBus()).front_end
    with VirtualBoards(job, {ONE: edge_config(job, 0)}, tmp_path) as boards, Repl(boards.port(ONE)) as repl:
        repl.enter()
        repl.run(SETUP)
        if front_end == "pico_adc":
            assert eval(repl.run("print([ADC(26).read_u16(), ADC(Pin(27)).read_u16()])")) == [
                seen.lines[name]() for name in ("free_adc", "clamped_adc")
            ]
            return
        if front_end == "mcp3304":
            drops = Mcp3304Drops(spi, seen.lines["adc_cs"])
            drops.look(0)
            repl.install("emitters", "rule", "sense")
            repl.run("from clockfree_board import sense\ndrops = sense.Mcp3304Drops(spi, Pin(20, Pin.OUT, value=1))")
            assert eval(repl.run("drops.look(0)\nprint([drops.a, drops.b])")) == [drops.a, drops.b]
            assert drops.a and drops.b
            return
        repl.run("a, b = Pin(4, Pin.IN), Pin(5, Pin.IN)")
        if front_end == "trimmed":
            repl.run("trim = PWM(Pin(14), freq=100_000, duty_u16=32768)\nimport time\ntime.sleep_ms(20)")
        expected = [seen.comparators[0].offset_V > 0, seen.comparators[1].offset_V > 0]
        assert eval(repl.run("print([a(), b()])")) == expected
        if front_end == "trimmed":
            for duty, level in ((0, 1), (65535, 0)):  # the reference at its lowest and highest: +-supply / 16
                repl.run(f"trim.duty_u16({duty})\ntime.sleep_ms(20)")
                assert eval(repl.run("print(a())")) == level


def test_pins(boards, repl):
    assert repl.run("from machine import Pin\nprint(Pin(3, Pin.IN, Pin.PULL_UP)(), Pin(2, Pin.IN)())") == "1 0\n"
    boards.hold_pin(ONE, 3, 0)
    assert repl.run("print(Pin(3, Pin.IN, Pin.PULL_UP).value())") == "0\n"
    boards.hold_pin(ONE, 3, None)
    assert repl.run("print(Pin(3)())") == "1\n"
    before = boards.pulses(ONE, 15)
    repl.run("fire = Pin(15, Pin.OUT)\nfor _ in range(7):\n fire.on()\n fire.off()\n fire.toggle()\n fire.value(0)")
    assert boards.pulses(ONE, 15) == before + 14
    assert boards.level(ONE, 15) == 0
    repl.run("Pin('LED', Pin.OUT, value=1)")
    assert boards.level(ONE, 25) == 1
    with pytest.raises(AssertionError, match="invalid pin"):
        repl.run("Pin(30)")


def test_buses_that_are_not_there(boards, repl):
    repl.run(SETUP + "answer = bytearray(40)\nspi.write_readinto(bytes(40), answer)")
    assert repl.run("print(answer == b'\\xff' * 40, spi.read(3))") == "True b'\\xff\\xff\\xff'\n"
    repl.run("i2c = I2C(0, sda=Pin(4), scl=Pin(5))")
    assert repl.run("print(i2c.scan())") == "[]\n"
    with pytest.raises(AssertionError, match=r"OSError: \[Errno 5\] EIO"):
        repl.run("i2c.writeto(0x60, b'abc')")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"front_end": "adc"}, "edges.0.front_end: expected comparator, as in the job, got adc"),
        ({"pot": "x9c"}, "edges.0.pot: expected mcp42xx, as in the job, got x9c"),
        ({"pots": {"given": {"reverse": True}}}, "edges.0: expected B-W wiring, as in the job, got reverse"),
        ({"edge": "A-Z"}, "got 'A-Z'"),
    ],
)
def test_a_configuration_that_does_not_fit_the_job_is_refused(change, problem):
    job = edge_job()
    config = edge_config(job, 0)
    config["edges"][0].update(change)
    with pytest.raises(ValueError, match=problem):
        Wired().attach_edges(Plant(job, Timeline(1)), config, [Pad() for _ in range(30)])


def test_a_supervisor_that_is_too_small_is_refused(tmp_path):
    with pytest.raises(ValueError, match=f"board {ONE}: dacs: expected 5 channels for this job, got 4"):
        VirtualBoards(edge_job(targets=3), {ONE: supervisor_config()}, tmp_path)
