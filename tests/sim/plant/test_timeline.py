"""Virtual time: order, ties, the wrap of the boards' clock, and what happens in the middle of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_board.clock import ticks_add, ticks_diff
from clockfree_sim.plant.timeline import Timeline

WRAP = 1 << 30


class Alarm:
    """An edge with a list of waits: `log` holds (index, time as the board sees it) of every event."""

    def __init__(self, index, waits, log):
        self.index, self.waits, self.log = index, list(waits), log
        self.due_us = 0

    def _next(self, from_us):
        self.due_us = ticks_add(from_us, self.waits.pop(0) if self.waits else WRAP // 2 - 1)
        return self.due_us

    def start(self, now_us):
        assert 0 <= now_us < WRAP
        return self._next(now_us)

    def fire(self, now_us):
        self.log.append((self.index, now_us))
        return self._next(self.due_us)


def timeline(*waits, at_us=0):
    time, log = Timeline(len(waits)), []
    time.advance(at_us)
    for index, each in enumerate(waits):
        alarm = Alarm(index, each, log)
        time.enter(index, alarm, alarm.fire)
    return time, log


waiting = st.lists(st.lists(st.integers(1, 1000), min_size=5, max_size=20), min_size=1, max_size=6)


@given(waiting, st.integers(0, 3 * WRAP))
def test_every_edge_is_woken_when_it_asked_in_order_of_time(waits, at_us):
    time, log = timeline(*waits, at_us=at_us)
    due = sorted((at_us + sum(each[: k + 1]), i) for i, each in enumerate(waits) for k in range(len(each)))
    count = min(len(due), 5)
    time.serve(count)
    assert log == [(i, t % WRAP) for t, i in due[:count]]
    assert time.now_us == due[count - 1][0]
    time.advance(at_us + 20_001)  # beyond the last of them
    assert log == [(i, t % WRAP) for t, i in due]
    assert time.now_us == at_us + 20_001


def test_at_the_same_microsecond_edges_come_by_number_then_actions_in_the_order_they_were_asked():
    time, log = timeline([10, 10], [10, 10], [20])
    for name in ("first", "second"):
        time.later(10, lambda name=name: log.append(name))
    time.serve(5)
    assert log == [(0, 10), (1, 10), "first", "second", (0, 20), (1, 20), (2, 20)]


def test_advance_stops_before_what_is_due_then():
    time, log = timeline([10, 10])
    time.later(20, lambda: log.append("then"))
    time.advance(20)
    assert (log, time.now_us) == ([(0, 10)], 20)
    time.advance(21)
    assert (log, time.now_us) == ([(0, 10), (0, 20), "then"], 21)


def test_serve_counts_events_of_edges_only():
    time, log = timeline([100])
    for t_us in range(0, 100, 10):
        time.later(t_us, lambda: log.append("action"))
    time.serve(1)
    assert log == ["action"] * 10 + [(0, 100)]
    time.serve(0)
    assert len(log) == 11


def test_an_action_runs_once_and_may_ask_for_another():
    time, log = timeline([1000])

    def action():
        log.append(time.now_us)
        if time.now_us < 40:
            time.later(time.now_us + 10, action)
            time.later(time.now_us, lambda: log.append("now"))

    time.later(10, action)
    time.advance(500)
    assert log == [10, "now", 20, "now", 30, "now", 40]


def test_a_firing_may_ask_for_an_action_at_once():
    """As a wiper does that moves later: it comes after the edges of this microsecond, and the edge keeps its turn."""
    time, log = Timeline(2), []
    one, two = Alarm(0, [10, 10], log), Alarm(1, [10, 15], log)

    def fire(now_us):
        time.later(time.now_us, lambda: log.append(("moved", time.now_us)))
        time.later(time.now_us + 7, lambda: log.append(("moved", time.now_us)))
        return one.fire(now_us)

    time.enter(0, one, fire)
    time.enter(1, two, two.fire)
    time.serve(4)
    assert log == [(0, 10), (1, 10), ("moved", 10), ("moved", 17), (0, 20), ("moved", 20), (1, 25)]


@pytest.mark.parametrize("at_us", [0, WRAP - 25, 5 * WRAP - 25])
def test_the_boards_clock_wraps_and_virtual_time_does_not(at_us):
    time, log = timeline([10, 10, 10], [15, 15, WRAP // 2 - 1], at_us=at_us)
    time.serve(5)
    assert log == [(i, (at_us + t) % WRAP) for t, i in ((10, 0), (15, 1), (20, 0), (30, 0), (30, 1))]
    assert time.now_us == at_us + 30
    time.serve(1)  # the longest wait that there is, 2**29 - 1 us, of both: the lower number first
    assert log[-1] == (0, (at_us + 30 + WRAP // 2 - 1) % WRAP)
    assert time.now_us == at_us + 30 + WRAP // 2 - 1


@pytest.mark.parametrize("at_us", [100, WRAP - 15, WRAP])
def test_what_became_due_while_a_firing_was_late_is_served_at_once(at_us):
    """An edge whose trim settled for longer than its next wait names a time that is already over."""
    time, log = Timeline(2), []
    slow, other = Alarm(0, [5, 4, 5], log), Alarm(1, [12, 50], log)
    looked = []

    def fire(now_us):
        if not looked:
            looked.append(now_us)
            return ticks_add(now_us, 20)  # it looks again, 20 us after it was due at 5
        due_us = slow.fire(now_us)
        looked.clear()
        return due_us

    time.advance(at_us)
    time.enter(0, slow, fire)
    time.enter(1, other, other.fire)
    time.serve(6)
    # due at 5, looks again at 25; then due at 9: at once at 25, looks again at 45; then due at 14: at once
    assert [(who, ticks_diff(t_us, at_us % WRAP)) for who, t_us in log] == [(1, 12), (0, 25), (0, 45)]
    assert looked == [(at_us + 45) % WRAP]
    assert time.now_us == at_us + 45


def test_an_edge_that_leaves_is_called_no_more():
    time, log = timeline([10] * 9, [4] * 9, [7] * 9)
    time.serve(6)
    assert {who for who, _ in log} == {0, 1, 2}
    time.leave(1)
    time.leave(1)
    del log[:]
    time.advance(60)
    expected = sorted([(t, 0) for t in range(20, 60, 10)] + [(t, 2) for t in range(21, 60, 7)])
    assert log == [(i, t) for t, i in expected]


def test_leaving_in_an_action_in_the_middle():
    time, log = timeline([10] * 9, [10] * 9, [10] * 9)
    time.later(25, lambda: time.leave(0))
    time.serve(8)
    assert log == [(0, 10), (1, 10), (2, 10), (0, 20), (1, 20), (2, 20), (1, 30), (2, 30)]


def test_an_edge_that_enters_later_starts_its_clock_then():
    time, log = timeline([10] * 9, [])
    time.leave(1)
    late = Alarm(1, [3, 3], log)
    time.later(15, lambda: time.enter(1, late, late.fire))
    time.serve(4)
    assert log == [(0, 10), (1, 18), (0, 20), (1, 21)]
