"""A rehearsal takes as long as firings in RUN do, and leaves nothing behind."""

import pytest

from clockfree_board import clock
from clockfree_board.converters import Mcp320x
from clockfree_board.edge import Edge
from clockfree_board.rehearsal import FIRINGS_REHEARSED
from clockfree_board.sense import AdcDrops, TrimmedPins
from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.converters import Mcp3204Chip
from tests.firmware.rig import Rig, armed

STEP_US, LOOK_US = 100, 10


def ready(rig, bar_c16=0):
    """Set every edge up, in HOLD."""
    rig.ok("prepare", 5)
    for i in range(len(rig.role.edges)):
        rig.ok("edge", i, armed(5, clock.EXPONENTIAL, 100_000, 10_000, 0, 0, bar_c16, 3, 4, i))
    return rig


def slow(rig, edge):
    """A potentiometer that takes its time for a step; its steps."""
    step, steps = edge.pots.step, []

    def slowly(way):
        rig.chip.sleep_us(STEP_US)
        steps.append(way)
        return step(way)

    edge.pots.step = slowly
    return steps


def state(rig):
    """All that a rehearsal might leave behind."""
    return rig.status()["edges"], [(list(edge.clock), edge.due_us, edge.late_us, edge.step) for edge in rig.role.edges]


@pytest.mark.parametrize("tap", [64, 2, 127])
def test_a_firing_takes_as_long_as_its_parts_and_nothing_of_it_stays(tap):
    rig = ready(Rig(edges=3))
    rig.ok("tap", 1, tap)
    steps = slow(rig, rig.role.edges[1])
    before, pulses = state(rig), rig.chip.pulses
    rig.chip.look_us = LOOK_US  # the loop of serve looks at the clock twice in a firing
    assert rig.ok("rehearse", 1) == [STEP_US + 2 * LOOK_US]
    rig.chip.look_us = 0
    assert sorted(steps) == [-1] * (FIRINGS_REHEARSED // 2) + [1] * (FIRINGS_REHEARSED // 2)
    assert rig.pots[1].wipers == [tap, tap] and rig.chip.pulses == pulses + FIRINGS_REHEARSED
    after = state(rig)
    assert [row[:11] for row in after[0]] == [row[:11] for row in before[0]]
    assert after[1] == before[1]


def test_an_edge_that_sums_and_one_that_is_trimmed_rehearse_as_they_fire():
    bus, trims = SpiBus(), []
    sense = AdcDrops(Mcp320x(bus, bus.attach(Mcp3204Chip(lambda channel: 100 * channel**2, [int] * 4))))
    rig = Rig(edges=2)
    for i, front in enumerate((sense, TrimmedPins(lambda: 0, lambda: 1, trims.append, 8, 5000))):
        rig.role.edges[i] = edge = Edge([0] * clock.SIZE, front, rig.role.edges[i].pots, 0)
        edge.sense = front
    rig.role._wiring[0]["front_end"] = "adc"
    rig.ok("prepare", 5)
    rig.ok("edge", 0, armed(5, clock.EXPONENTIAL, 100_000, 10_000, 0, 0, 60_000, 3, 4, 0))
    rig.ok("edge", 1, armed(5, clock.EXPONENTIAL, 100_000, 10_000, 300, 0, 0, 3, 4, 1))
    sense.memory[:] = [5, 2, 1]
    for i in (0, 1):
        slow(rig, rig.role.edges[i])
        assert rig.ok("rehearse", i) == [STEP_US]  # without the time that a trim settles
    assert sense.memory == [5, 2, 1]
    assert rig.role.edges[1].sense.settle_us == 5000 and not rig.role.edges[1].looking
    assert len(trims) >= 2 * FIRINGS_REHEARSED


def test_a_run_goes_as_it_would_have_without():
    rows = []
    for rehearses in (False, True):
        rig = ready(Rig(edges=2))
        if rehearses:
            rig.ok("rehearse", 0)
            rig.ok("rehearse", 1)
        rig.chip.t_us = 0
        rig.ok("run", 5)
        rig.ok("report", 100, 1)
        rig.turns(5)
        rows.append([row for line in rig.told("firings") for row in line[3:]])
    assert rows[0] == rows[1] and len(rows[0]) > 50


def test_an_edge_that_is_not_set_up_or_runs_does_not_rehearse():
    rig = Rig()
    assert "not set up" in rig.no("rehearse", 0)
    ready(rig)
    rig.role.edges[0].pots.tap = -1
    assert "tap unknown" in rig.no("rehearse", 0)
    rig.ok("tap", 0, 64)
    rig.ok("run", 5)
    assert rig.no("rehearse", 0) == "in HOLD only"
