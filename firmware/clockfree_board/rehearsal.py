"""Rehearsal of an edge in HOLD: it fires, as in RUN, and nothing of that stays."""

from clockfree_board.clock import HALF, MEAN, ticks_add, ticks_diff
from clockfree_board.emitters import const, micropython
from clockfree_board.link import COUNTERS
from clockfree_board.sense import AGAIN

FIRINGS_REHEARSED = 32
_LONG_AGO_US = HALF // 2
_MOST_MEAN = const(1000)  # ticks: all waits together are shorter than that


class Over(Exception):
    """The rehearsal has come to its end."""


class Rehearsal:
    """An edge that is always due, and steps up and down in turn whatever it sees; a context manager.

    Parameters
    ----------
    edge : Edge
        In HOLD, its tap known.
    clocked_us : callable
        The chip's clock.

    The look after its last firing raises `Over`.
    """

    def __init__(self, edge, clocked_us):
        self._began_us = self._ended_us = 0
        self._edge = edge
        self._clocked_us = clocked_us
        self._left = FIRINGS_REHEARSED
        self._first = -1 if edge.pots.tap < edge.pots.highest else 1  # of odd ones

    def __enter__(self):
        edge, sense = self._edge, self._edge.sense
        self._counted = [getattr(edge, name) for name in COUNTERS]
        self._really = edge._look
        self._kept = edge.clock, edge.late_us, edge.due_us, edge.step, edge._look, sense.a, sense.b
        self._memory = list(getattr(sense, "memory", ()))
        self._settle_us = sense.settle_us
        self._tap = edge.pots.tap
        edge.clock = clock = list(edge.clock)
        clock[MEAN] = min(clock[MEAN], _MOST_MEAN)
        edge.late_us = HALF
        edge.due_us = ticks_add(self._clocked_us(), -_LONG_AGO_US)
        edge._look = self._look
        sense.settle_us = 0  # it is not the board that is busy then
        return self

    def firing_us(self):
        """How long a firing has taken, us."""
        return (ticks_diff(self._ended_us, self._began_us) + FIRINGS_REHEARSED // 2) // FIRINGS_REHEARSED

    @micropython.native
    def _look(self, gate):
        left = self._left
        if left == FIRINGS_REHEARSED:
            self._began_us = self._clocked_us()
        elif not left:
            self._ended_us = self._clocked_us()
            raise Over
        if self._really(gate) == AGAIN:
            return AGAIN
        self._left = left - 1
        return self._first if left & 1 else -self._first

    def __exit__(self, *exception):
        edge, sense = self._edge, self._edge.sense
        edge.stop()
        edge.clock, edge.late_us, edge.due_us, edge.step, edge._look, sense.a, sense.b = self._kept
        for name, value in zip(COUNTERS, self._counted):
            setattr(edge, name, value)
        if self._memory:
            sense.memory[:] = self._memory
        sense.settle_us = self._settle_us
        if edge.pots.tap != self._tap:
            edge.pots.set(self._tap)
