"""Edges on a board: each fires where its own clock puts it, and is set up by value."""

import pytest

from clockfree_board import clock
from clockfree_board.converters import Mcp320x
from clockfree_board.edge import Edge
from clockfree_board.sense import BLIND, AdcDrops, TrimmedPins
from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.converters import Mcp3204Chip, code_transfer
from tests.firmware.rig import Rig, armed


def expected_times(run_us, seed, index, mean_us, kind, count):
    """When an edge fires, from its own generator alone."""
    state = [0] * clock.SIZE
    clock.seed(state, *seed, index)
    clock.configure(state, kind, mean_us)
    due = [clock.ticks_add(run_us, clock.first_us(state))]
    while len(due) < count:
        due.append(clock.ticks_add(due[-1], clock.wait_us(state)))
    return due


@pytest.mark.parametrize("kind", [clock.EXPONENTIAL, clock.JITTERED, clock.PERIODIC])
def test_every_edge_fires_where_its_own_generator_puts_it(kind):
    start_us = clock.MASK - 3_000_000  # across the wrap
    rig = Rig(edges=3, start_us=start_us)
    rig.learn(kind=kind)
    rig.ok("report", 100, 1)
    began_us = rig.chip.t_us
    rig.turns(20)
    rows = [row for message in rig.told("firings") for row in message[3:]]
    for i in range(3):
        times = [t_us for edge, t_us, *_ in rows if edge == i]
        due = expected_times(start_us, (3, 4), i, 100_000, kind, len(times))
        assert len(times) > 100
        late = [clock.ticks_diff(t, d) for t, d in zip(times, due, strict=True)]
        assert 0 <= min(late) and max(late) < 4000, (min(late), max(late))  # the port sleeps in ms
    assert clock.ticks_diff(rig.chip.t_us, began_us) >= 20_000_000
    assert sum(found[1] for found in rig.status()["edges"]) == rig.chip.pulses


def test_a_late_firing_is_dropped_and_counted_never_made_up_for():
    rig = Rig()
    rig.learn(kind=clock.PERIODIC, late_us=10_000)
    rig.turns(2)
    before = rig.row()
    rig.chip.sleep_us(3_000_000)  # the board was elsewhere
    rig.turns(1)
    after = rig.row()
    assert after["dropped"] == before["dropped"] + 1
    assert after["firings"] - before["firings"] <= 12


def test_the_counters_add_up_and_the_steps_are_the_chips():
    rig = Rig()
    rig.learn()
    rig.turns(3)
    found = rig.row()
    assert found["down"] == 64 - rig.pots[0].wipers[0] == 64 - rig.pots[0].wipers[1] > 10
    assert found["tap"] == rig.pots[0].wipers[0] and found["firings"] == found["down"]
    rig.bits = [1, 1]
    rig.turns(30)
    found = rig.row()
    assert found["tap"] == 127 and found["rail"] == found["firings"] - found["up"] - found["down"] > 0
    assert (found["a"], found["b"]) == (1, 1)
    assert (found["seed_low"], found["seed_high"]) == (3, 4)


def test_the_decision_age_is_bounded_by_what_a_firing_takes():
    rig = Rig()
    rig.chip.look_us = 40
    rig.learn()
    rig.turns(5)
    assert 40 <= rig.row()["age_us"] <= 80


def test_taps_are_set_by_value_and_only_in_hold():
    rig = Rig()
    for _ in range(2):
        assert rig.ok("tap", 0, 63) == [63]
    assert rig.pots[0].wipers == [63, 63]
    rig.pots[0].wipers[1] = 9  # a wiper that went its own way is found
    assert rig.ok("tap", 0, 63) == [63]
    assert rig.pots[0].wipers == [63, 63]
    rig.pots[0].wipers = [40, 40]
    assert rig.ok("adopt", 0) == [40]
    assert rig.no("tap", 0, 1) == "tap 1 outside 2..127"
    assert rig.no("tap", 1, 5) == "edge 1 outside 0..0"
    rig.learn()
    assert rig.no("tap", 0, 63) == "in HOLD only"


def test_an_edge_whose_tap_is_unknown_keeps_a_run_from_starting():
    rig = Rig()
    rig.pots[0].present = False
    assert rig.no("adopt", 0)
    rig.ok("prepare", 5)
    rig.ok("edge", 0, armed(5, 0, 1000, 100, 0, 0, 0, 1, 1, 0))
    assert rig.no("run", 5) == "edge 0: tap unknown"


def test_plain_comparators_take_no_threshold_and_have_nothing_to_null():
    rig = Rig()
    rig.ok("prepare", 5)
    assert rig.no("edge", 0, armed(5, 0, 1000, 100, 3, 0, 0, 1, 1, 0)) == "two plain comparators know no threshold"
    assert rig.no("edge", 0, armed(5, 0, 1000, 100, 0, 0, 80, 1, 1, 0)) == "only measured drops can be summed"
    assert rig.no("null", 0) == "this front end has no nulling"
    assert rig.ok("measure", 0) == [0, 1, []]


def test_an_adc_sums_drops_up_to_a_bar_and_begins_anew_with_each_run():
    rig = Rig()
    rig.role.edges[0].sense = sense = AdcDrops(Mcp320x(SpiBus(), lambda level: None))
    rig.role._wiring[0]["front_end"] = "adc"
    rig.ok("prepare", 5)
    for bar_c16, dither_c16 in ((7, 0), (1 << 16, 0), (80, 1)):
        refused = rig.no("edge", 0, armed(5, 0, 1000, 100, 3, dither_c16, bar_c16, 1, 1, 0))
        assert refused == "bar_c16 out of range, or beside a dither"
    sense.memory[:] = [5, 2, 1]
    rig.ok("edge", 0, armed(5, 0, 1000, 100, 3, 0, 80, 1, 1, 0))
    assert (sense.bar_c16, list(sense.memory)) == (80, [0, 0, 0])
    rig.ok("edge", 0, armed(5, 0, 1000, 100, 3, 0, 0, 1, 1, 0))
    assert sense.bar_c16 == 0


def test_an_adc_is_told_the_order_of_the_rule():
    rig = Rig()
    adc = Mcp320x(SpiBus(), lambda level: None)
    rig.role.edges[0].sense = sense = AdcDrops(adc)
    rig.ok("prepare", 5)
    for order in (0, 3):
        assert rig.no("edge", 0, armed(5, 0, 1000, 100, 3, 0, 0, 1, 1, 0, order=order)) == "order outside 1..2"
    sense._read = lambda: True
    for order, step in ((1, -1), (2, 1), (1, -1)):
        rig.ok("edge", 0, armed(5, 0, 1000, 100, 3, 0, 0, 1, 1, 0, order=order))
        sense.a, sense.b = 100, -300
        assert sense.look(3) == step


def test_an_adc_that_does_not_answer_measures_nothing():
    rig = Rig()
    rig.role.edges[0].sense.look = lambda gate: BLIND
    assert rig.no("measure", 0) == "the ADC does not answer"


def measuring(rig):
    """Give edge 0 an MCP3204; returns it, and the voltages of its four nodes, to be changed."""
    nodes_V, bus = [1.0] * 4, SpiBus()
    chip = Mcp3204Chip(lambda channel: nodes_V[channel], [code_transfer(4.096)] * 4)
    rig.role.edges[0].sense = AdcDrops(Mcp320x(bus, bus.attach(chip), channels=4))
    return chip, nodes_V


def test_a_point_of_the_mismatch_that_is_asked_for_again_is_added_once():
    """The answer was lost, so the host repeats the command."""
    found = []
    for again in (0, 1, 3):
        rig = Rig()
        _, nodes_V = measuring(rig)
        rig.ok("null", 0)
        for point, clamped_V in enumerate((2.1, 2.0, 2.3), start=1):
            nodes_V[:] = [2.0, 1.0, clamped_V, 1.0]
            for _ in range(1 + (again if point == 3 else 0)):
                trims = rig.ok("match", 0, point)
        found.append(trims)
    # least squares over three points with the same free drop: the mean of 10%, 0% and 30%
    assert found[0][0][2] / 2**15 == pytest.approx(0.4 / 3, abs=1e-3) and found[0] == found[1] == found[2]


def test_points_of_the_mismatch_come_one_after_another_and_null_begins_anew():
    rig = Rig()
    chip, nodes_V = measuring(rig)
    assert rig.no("match", 0, 0) == "expected point 1, got 0: null begins anew"
    for clamped_V in (2.1, 2.2):
        nodes_V[:] = [1.0] * 4
        rig.ok("null", 0)
        nodes_V[:] = [2.0, 1.0, clamped_V, 1.0]
        assert rig.no("match", 0, 2) == "expected point 1, got 2: null begins anew"
        chip.present = False
        assert rig.no("match", 0, 1) == "ADC does not answer"  # and is no point
        chip.present = True
        assert rig.ok("match", 0, 1)[0][2] / 2**15 == pytest.approx(clamped_V - 2, abs=1e-3)


def test_hold_between_two_looks_leaves_nothing_behind():
    """A trimmed edge measured in HOLD is read at its own offset, not at a firing's threshold."""
    trims = []
    rig = Rig()
    sense = TrimmedPins(lambda: 0, lambda: 1, trims.append, 8, 5000)
    rig.role.edges[0] = edge = Edge([0] * clock.SIZE, sense, rig.role.edges[0].pots, 0)
    rig.role._wiring[0]["front_end"] = "trimmed"
    rig.ok("prepare", 5)
    rig.ok("edge", 0, armed(5, 0, 100_000, 10_000, 300, 0, 0, 3, 4, 0))
    rig.ok("run", 5)
    while not edge.looking:
        rig.board.turn()
    rig.board.hold("now")
    assert trims[-1] == 32768 + 8 * 300
    rig.ok("measure", 0)
    assert trims[-1] == 32768
