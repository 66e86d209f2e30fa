"""Edge objects on simulated chips, with drops that the test chooses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clockfree_board import clock
from clockfree_board.edge import Edge
from clockfree_board.pots import UNKNOWN, Mcp42xx
from clockfree_board.sense import BLIND, ComparatorPins
from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.potentiometers import Mcp4xxxChip

MEAN_US = 100_000


class Rig:
    """One edge with a real driver and chip; ``bits`` are what its comparators say."""

    def __init__(self, seed=1, lowest=0, late_us=MEAN_US // 10, sense=None, kind=clock.EXPONENTIAL, dither=0):
        self.bits = [0, 0]
        self.bus = SpiBus()
        self.moves = []
        self.chip = Mcp4xxxChip(lambda wiper, tap: self.moves.append((wiper, tap)))
        self.pots = Mcp42xx(self.bus, self.bus.attach(self.chip), lowest)
        self.pots.adopt()
        self.state = [0] * clock.SIZE
        clock.seed(self.state, seed, 0, 0)
        clock.configure(self.state, kind, MEAN_US)
        sense = sense or ComparatorPins(lambda: self.bits[0], lambda: self.bits[1])
        self.edge = Edge(self.state, sense, self.pots, late_us, 0, dither)

    def fire(self, times=1, late_us=0):
        for _ in range(times):
            due = self.edge.fire(clock.ticks_add(self.edge.due_us, late_us))
        return due


@pytest.mark.parametrize(("a", "b", "after"), [(0, 0, 65), (0, 1, 63), (1, 0, 63), (1, 1, 65)])
def test_a_firing_steps_both_wipers_as_the_truth_table_says(a, b, after):
    rig = Rig()
    rig.edge.start(0)
    rig.bits = [a, b]
    rig.fire()
    assert rig.chip.wipers == [after, after]
    assert (rig.pots.tap, rig.edge.firings, rig.edge.step) == (after, 1, after - 64)


def test_steps_lost_at_a_rail_are_counted_and_do_not_move():
    rig = Rig(lowest=60)
    rig.edge.start(0)
    rig.bits = [0, 1]
    rig.fire(10)
    assert (rig.pots.tap, rig.edge.down, rig.edge.rail) == (60, 4, 6)
    rig.bits = [1, 1]
    rig.fire(100)
    assert (rig.pots.tap, rig.edge.up, rig.edge.rail) == (127, 67, 6 + 33)
    assert rig.chip.wipers == [127, 127]


def test_an_overdue_firing_is_dropped_and_redrawn_from_now():
    rig = Rig(late_us=10_000)
    due = rig.edge.start(0)
    twin = list(rig.state)
    now = clock.ticks_add(due, 10_001)
    assert rig.edge.fire(now) == clock.ticks_add(now, clock.wait_us(twin))
    assert (rig.edge.dropped, rig.edge.firings, rig.moves) == (1, 0, [])


def test_a_firing_less_late_fires_and_keeps_the_rate():
    rig = Rig(late_us=10_000)
    due = rig.edge.start(0)
    twin = list(rig.state)
    # The next wait counts from when this firing was due, so lateness does not slow the clock down.
    assert rig.edge.fire(clock.ticks_add(due, 10_000)) == clock.ticks_add(due, clock.wait_us(twin))
    assert (rig.edge.dropped, rig.edge.firings) == (0, 1)


def test_a_chip_that_falls_silent_makes_the_tap_unknown_and_nothing_is_guessed():
    rig = Rig()
    rig.edge.start(0)
    rig.bus.miso_open = 0
    rig.bits = [1, 1]
    rig.fire(5)
    assert rig.pots.tap == UNKNOWN
    assert (rig.edge.errors, rig.edge.skipped, rig.edge.up, rig.edge.firings) == (1, 4, 0, 5)
    rig.bus.miso_open = None
    rig.pots.adopt()  # the chip did step at the silent firing: only reading it back can tell
    rig.fire()
    assert rig.pots.tap == 66 == rig.chip.wipers[0]


def test_a_reading_without_an_answer_makes_no_step():
    class Deaf:
        settle_us = 0
        a = b = 0

        def look(self, gate):
            return BLIND

    rig = Rig(sense=Deaf())
    rig.edge.start(0)
    rig.fire(3)
    assert (rig.edge.errors, rig.edge.firings, rig.edge.step, rig.moves) == (3, 3, 0, [])


def test_order_of_draws_is_threshold_then_wait():
    gates = []

    class Seen:
        settle_us = 0
        a = b = 0

        def look(self, gate):
            gates.append(gate)
            return 0

    rig = Rig(sense=Seen(), dither=400)
    rig.edge.start(0)
    twin = list(rig.state)
    for _ in range(50):
        gate = clock.below(twin, 401)
        due = clock.ticks_add(rig.edge.due_us, clock.wait_us(twin))
        assert rig.fire() == due
        assert gates[-1] == gate
    assert max(gates) > 300


@settings(max_examples=30)
@given(st.integers(0, 2**30 - 1), st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), max_size=200))
def test_the_books_always_balance(start_us, bits):
    rig = Rig(lowest=61)
    rig.edge.start(start_us)
    for pair in bits:
        rig.bits = list(pair)
        rig.fire()
    edge = rig.edge
    assert edge.firings == len(bits) == edge.up + edge.down + edge.rail
    assert rig.pots.tap == rig.chip.wipers[0] == rig.chip.wipers[1] == 64 + edge.up - edge.down
    assert 61 <= rig.pots.tap <= 127
