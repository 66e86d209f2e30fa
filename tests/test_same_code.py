"""The same seeds give the same trace on CPython, on a real MicroPython and in the simulated bench, row by row.

A row is edge, t_us, a, b, step, tap_after. `tiny_world` runs on both interpreters and must agree in every bit; the
simulated bench solves the circuit another way, so its voltages may differ in the last bits. The tasks are such that
no reading comes close enough to a decision for that to matter, which is checked.
"""

from pathlib import Path

import numpy as np
import pytest

from clockfree_board import clock
from clockfree_board.supervisor import SHUFFLED
from clockfree_model.job import Job, Lesson
from clockfree_model.network import load
from clockfree_model.settings import ClampSettings, EdgeSettings
from clockfree_sim.world.world import World
from tests.firmware import tiny_world

KINDS = {"exponential": clock.EXPONENTIAL, "jittered": clock.JITTERED, "periodic": clock.PERIODIC}
TASK = {
    "sources": (0, 2),
    "target": 4,
    # no taps do all three, so that the edges never come to rest
    "examples": [[0, 4095, 1500], [4095, 0, 1200], [1000, 3000, 2600]],
    "eta_128": 64,
    "order": SHUFFLED,
    "dwell_us": 700_000,
}
TAPS = (64, 12, 99, 127, 0, 64, 31, 80, 5, 64, 110, 47, 64, 21, 93, 70)
CASES = {  # kind of clock, front end, firings per edge, mean wait, floor, dither, bar, and order of the rule
    # 1,250 s: longer than the 1,074 s after which the boards' microseconds begin again
    "exponential": ("exponential", "comparator", 6250, 200_000, 0, 0, 0, 2),
    "jittered": ("jittered", "comparator", 1250, 100_000, 0, 0, 0, 2),
    "periodic": ("periodic", "comparator", 1250, 100_000, 0, 0, 0, 2),
    "dithered": ("exponential", "adc", 1875, 100_000, 40, 262, 0, 2),
    "summed": ("exponential", "adc", 1875, 100_000, 13, 0, 524, 2),
    "overclamp, first order": ("periodic", "comparator", 1250, 100_000, 0, 0, 0, 1),
    "first order, summed": ("exponential", "adc", 1250, 100_000, 13, 0, 524, 1),
}

REFRESH_US, AMPLITUDE_V, TOLERANCE_V = 50_000, 0.3, 0.04

SHOW = """
world = TinyWorld(**{job})
for row in world.firings({firings}):
    print(*row)
print(world.end())
"""


def tiny_job(name):
    kind, front_end, _, mean_us, floor_c16, dither_c16, bar_c16, order = CASES[name]
    clamp = {}
    if name.startswith("overclamp"):
        tolerance_c16 = round(65536 * TOLERANCE_V / tiny_world.SUPPLY_V)
        asked = [int(4096 * AMPLITUDE_V / tiny_world.SUPPLY_V), 0, tolerance_c16, tolerance_c16, -1]
        clamp = {"refresh_us": REFRESH_US, "asked": asked}
    return dict(
        TASK,
        **clamp,
        seed=(987654321 << 30) + 123456789,
        kind=KINDS[kind],
        mean_us=mean_us,
        front_end=front_end,
        order_of_rule=order,
        floor_c16=floor_c16,
        dither_c16=dither_c16,
        bar_c16=bar_c16,
        start_taps=TAPS,
    )


def job(name):
    """The same for the simulated bench."""
    kind, front_end, updates, mean_us, floor_c16, dither_c16, bar_c16, order = CASES[name]
    lsb_V = tiny_world.SUPPLY_V / 4096
    volts = lsb_V * np.array(TASK["examples"])
    clamp = {"eta": TASK["eta_128"] / 128}
    if name.startswith("overclamp"):
        clamp = {"kind": "overclamp", "amplitude_V": AMPLITUDE_V, "tolerance_V": TOLERANCE_V}
        clamp["refresh_s"] = REFRESH_US / 1e6
    return Job(
        load("lab16"),
        TASK["sources"],
        (TASK["target"],),
        (Lesson("", 0.0, volts[:, :2], volts[:, 2:]),),
        edge=EdgeSettings(
            front_end=front_end,
            order=order,
            f_V=floor_c16 * lsb_V / 16,
            theta_V=(dither_c16 or bar_c16) * lsb_V / 16,
            summed=bar_c16 > 0,
            clock=kind,
            rate_hz=1e6 / mean_us,
        ),
        clamp=ClampSettings(**clamp, dwell_s=TASK["dwell_us"] / 1e6, order="shuffled"),
        updates=updates,
        seed=tiny_job(name)["seed"],
        start_taps=np.array(TAPS),
        trace=True,
        samples=1,
    )


def first_difference(rows, others):
    """None, or the number of the first row in which two traces differ, and both rows."""
    for number, (row, other) in enumerate(zip(rows, others)):
        if row != other:
            return number, row, other
    return None if len(rows) == len(others) else (min(len(rows), len(others)), "the other goes on", "or this one")


@pytest.fixture(scope="module", params=CASES)
def here(request):
    """One case on CPython: its name, the tiny world after it, and the trace."""
    world = tiny_world.TinyWorld(**tiny_job(request.param))
    return request.param, world, list(world.firings(16 * CASES[request.param][2]))


def on_the_vm(vm, name, firings, change=("", "")):
    source = Path(tiny_world.__file__).read_text(encoding="utf-8").replace(*change)
    show = SHOW.format(job=tiny_job(name), firings=firings)
    *lines, end = vm(source + show).splitlines()
    return [tuple(map(int, line.split())) for line in lines], end


def test_micropython_does_the_same(here, vm):
    name, world, rows = here
    theirs, end = on_the_vm(vm, name, len(rows))
    assert first_difference(rows, theirs) is None
    assert end == world.end()


def test_the_simulated_bench_does_the_same(here):
    name, tiny, rows = here
    world = World(job(name))
    began_us = world.time.now_us  # the bench nulls the readings of an overclamp first
    trace = [row for sample in world.run() for row in sample.trace]
    if began_us:
        trace = [(edge, t_us - began_us, *rest) for edge, t_us, *rest in trace]
    assert first_difference(rows, trace) is None
    assert world.supervisor.supervisor.readings == tiny.supervisor.readings
    volts = np.concatenate([world.plant.circuit.v_free, world.plant.circuit.v_clamped])
    apart_V = np.abs(volts - np.array(tiny.twins.free + tiny.twins.clamped)).max()
    # The two may disagree where rounding (less than 1e-11 V) reaches a decision; in these cases it never does.
    assert apart_V < 1e-11
    assert tiny.closest() > (1e-10 if CASES[name][1] == "comparator" else 1e-8)


def test_the_cases_are_worth_comparing(here):
    """Every edge steps in both directions, there are steps to the very end, and some are lost at a rail."""
    name, tiny, rows = here
    trace = np.array(rows)
    assert len(rows) >= (100_000 if name == "exponential" else 20_000)
    wraps = np.count_nonzero(np.diff(trace[:, 1]) < 0)
    assert wraps == (1 if name == "exponential" else 0)
    for step in (-1, 1):
        assert np.mean(trace[-5000:, 4] == step) > 0.2
        assert set(trace[trace[:, 4] == step, 0].tolist()) == set(range(16))
    if name == "dithered":
        assert np.mean(trace[:, 4] == 0) > 0.3
        assert len(set(trace[:, 2].tolist())) > 1000
    assert sum(edge.rail for edge in tiny.edges) > 50
    assert sum(edge.firings for edge in tiny.edges) == len(rows)


def test_a_difference_is_found(vm):
    """In one microsecond of one row, and in the last bits of a voltage where the rows agree."""
    name = "jittered"
    tiny = tiny_world.TinyWorld(**tiny_job(name))
    rows = list(tiny.firings(200))
    theirs, end = on_the_vm(vm, name, 200, ("yield first, now_us,", "yield first, now_us + (count == 60),"))
    assert first_difference(rows, theirs)[0] == 140
    assert end == tiny.end()
    theirs, end = on_the_vm(vm, name, 200, ("/ ((tap + 1) * 100000)", "/ 100000 / (tap + 1)"))
    assert first_difference(rows, theirs) is None
    assert end != tiny.end()
    assert first_difference(rows, rows[:150])[0] == 150
