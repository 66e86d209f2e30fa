"""An edge: its own clock says when, it senses, the rule decides, both wipers step."""

from clockfree_board.clock import below, first_us, ticks_add, ticks_diff, wait_us
from clockfree_board.emitters import micropython
from clockfree_board.sense import AGAIN


class Edge:
    """An edge of the network, driven by nothing but its own clock.

    Parameters
    ----------
    clock : mutable sequence of int
        State of the edge's clock, seeded and configured (see ``clock``).
    sense : a front end of ``sense``
        What the edge can see of the two twins.
    pots : a driver of ``pots``
        The twin wipers.
    late_us : int
        A firing later than this is dropped.
    floor_c16, dither_c16 : int
        Threshold with a floor: no step unless | |dV_C| - |dV_F| | exceeds floor + U[0, dither], 1/16 ADC code. Where
        the front end sums drops over firings, the floor is the sum's, and there is no dither.

    Attributes
    ----------
    firings, up, down, rail, dropped, skipped, errors : int
        Served firings; steps of R up and down; steps lost at a rail; overdue firings; firings that found the
        tap unknown; readings without an answer, and steps that the chip did not confirm.
    step : int
        What the rule said at the last firing.
    looking : bool
        A firing is under way: the front end wants to be looked at again.
    """

    def __init__(self, clock, sense, pots, late_us, floor_c16=0, dither_c16=0):
        self.clock = clock
        self.sense = sense
        self.pots = pots
        self.late_us = late_us
        self.floor_c16 = floor_c16
        self.dither_c16 = dither_c16
        self.due_us = 0
        self.step = 0
        self.firings = 0
        self.up = 0
        self.down = 0
        self.rail = 0
        self.dropped = 0
        self.skipped = 0
        self.errors = 0
        self._gate = 0
        self._look = sense.look
        self.looking = False

    def start(self, now_us):
        """Begin firing: returns when the first event is due, us modulo 2**30."""
        self.due_us = ticks_add(now_us, first_us(self.clock))
        return self.due_us

    def stop(self):
        """Forget a firing that is under way."""
        if self.looking:
            self.looking = False
            self.sense.restart()

    @micropython.native
    def fire(self, now_us):
        """Handle the event that is due now; returns when the next one is due, us modulo 2**30.

        Nothing in here waits: an edge that must let its trim settle returns the time at which to call again. Between
        the look and the step there is only the rule, and what it needs is at hand before: that is the decision age.
        """
        due_us = self.due_us
        if self.looking:
            gate = self._gate
        elif ticks_diff(now_us, due_us) > self.late_us:
            self.dropped += 1
            self.due_us = due_us = ticks_add(now_us, wait_us(self.clock))
            return due_us
        else:
            gate = self.floor_c16
            if self.dither_c16:
                gate += below(self.clock, self.dither_c16 + 1)
        pots = self.pots
        tap = pots.tap
        lowest = pots.lowest
        highest = pots.highest
        step = self._look(gate)
        if step:
            if step > 1:  # none that the rule has
                if step == AGAIN:
                    self.looking = True
                    self._gate = gate
                    return ticks_add(now_us, self.sense.settle_us)
                step = 0  # BLIND
                self.errors += 1
            elif tap < 0:
                self.skipped += 1
            elif not lowest <= tap + step <= highest:
                self.rail += 1
            elif not pots.step(step):
                self.errors += 1
            elif step > 0:
                self.up += 1
            else:
                self.down += 1
        self.looking = False
        self.step = step
        self.firings += 1
        self.due_us = due_us = ticks_add(due_us, wait_us(self.clock))
        return due_us
