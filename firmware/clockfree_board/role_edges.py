"""The role of an edge board: serving one or several edges, each on its own clock."""

from array import array
from json import dumps

from clockfree_board import clock
from clockfree_board.board import IDLE_US, NEAR_US, Refused
from clockfree_board.clock import HALF, MASK, ticks_add
from clockfree_board.emitters import const, micropython
from clockfree_board.link import ARMED, COUNTERS, FIRINGS
from clockfree_board.rule import FIRST, LEAST_BAR, SECOND
from clockfree_board.sense import AGAIN, BLIND

_TURN_US = const(33_000)  # edges that are always due leave a turn to the link so often
_ROWS = const(64)  # firings that may wait to be told
_ROW = const(6)
_ROWS_A_LINE = const(16)


class EdgeRole:
    """Serves the edges of a board.

    Parameters
    ----------
    chip : hw.Chip
    edges : list of Edge
    wiring : list of dict
        The configuration of each: `edge` (its name), `front_end`, `pot`.
    """

    name = "edge"

    def __init__(self, chip, edges, wiring):
        self.edges = edges
        self._chip = chip
        self._wiring = wiring
        count = len(edges)
        self._due_us = [0] * count
        self._began_us = [0] * count  # when the firing that is under way began to look
        self._behind_us = [0] * count  # and how late that was
        self._age_us = [0] * count
        self._late_us = [0] * count
        self._seeds = [(0, 0)] * count
        self._set_up = [0] * count  # the run each edge was set up for
        self._points = [0] * count  # of each edge's mismatch, since its offsets were nulled
        self._prepared = 0
        self._rows = array("i", bytes(4 * _ROWS * _ROW))  # no list of the same length on the way
        self._first = self._count = self._lost = 0
        self.commands = {
            "edge": self._edge,
            "tap": self._tap,
            "adopt": self._adopt,
            "null": self._null,
            "match": self._match,
            "trim": self._trim,
            "measure": self._measure,
            "rehearse": self._rehearse,
        }

    def can(self):
        """What HELLO says of the edges."""
        edges = [
            [wiring["edge"], wiring["front_end"], wiring["pot"], edge.pots.lowest, edge.pots.highest]
            for wiring, edge in zip(self._wiring, self.edges)
        ]
        return {"edges": edges}

    def prepare(self, run_id):
        """Forget what was set up, and count from zero."""
        self._prepared = run_id
        self._first = self._count = self._lost = 0
        for i, edge in enumerate(self.edges):
            self._set_up[i] = self._age_us[i] = self._late_us[i] = 0
            for name in COUNTERS:
                setattr(edge, name, 0)

    def lacks(self):
        """What keeps the edges from firing, or ''."""
        for i, edge in enumerate(self.edges):
            if self._set_up[i] != self._prepared:
                return "edge %d is not set up" % i
            if edge.pots.tap < 0:
                return "edge %d: tap unknown" % i
        return ""

    def start(self, now_us):
        """Every edge starts its own clock."""
        for i, edge in enumerate(self.edges):
            self._due_us[i] = edge.start(now_us)
            self._began_us[i] = -1

    def stop(self):
        """HOLD: edges only act when served."""
        for edge in self.edges:
            edge.stop()

    @micropython.native
    def serve(self, now_us):
        """Fire what is due, and what soon will be, one edge after another; returns how long until the next is due, us.

        Each fires at its own time: what is due within NEAR_US is waited for. Edges that are always due are served for
        _TURN_US at a time.
        """
        chip = self._chip
        clocked_us, sleep_us, pulse = chip.now_us, chip.sleep_us, chip.pulse
        edges, all_due_us, all_began_us, all_behind_us = self.edges, self._due_us, self._began_us, self._behind_us
        all_age_us, all_late_us = self._age_us, self._late_us
        count = len(edges)
        mask, half = MASK, HALF
        came_us = now_us
        while True:
            left_us = IDLE_US
            i = first = 0
            while i < count:
                wait_us = (((all_due_us[i] - now_us) & mask) ^ half) - half
                if wait_us < left_us:
                    left_us = wait_us
                    first = i
                i += 1
            if left_us > NEAR_US or (((now_us - came_us) & mask) ^ half) - half > _TURN_US:
                return left_us
            # All that can be looked up before is, so that the edge looks soon after it is due.
            edge = edges[first]
            fire = edge.fire
            firings = edge.firings
            due_us = edge.due_us
            if left_us > 0:
                left_us = (((all_due_us[first] - clocked_us()) & mask) ^ half) - half  # that took time
                if left_us > 0:
                    sleep_us(left_us)
            now_us = clocked_us()
            all_due_us[first] = fire(now_us)
            after_us = clocked_us()
            began_us = all_began_us[first]
            if began_us < 0:
                began_us = now_us
                behind_us = (((now_us - due_us) & mask) ^ half) - half
            else:  # it has been looking
                behind_us = all_behind_us[first]
            if edge.firings != firings:
                pulse()
                all_began_us[first] = -1
                # From the first look to the return of fire(): a bound on the decision age.
                age_us = (((after_us - began_us) & mask) ^ half) - half
                if age_us > all_age_us[first]:
                    all_age_us[first] = age_us
                if behind_us > all_late_us[first]:
                    all_late_us[first] = behind_us
                if self._count < _ROWS:
                    self._keep(first, edge, now_us)
                else:
                    self._lost += 1
            elif edge.looking:
                all_began_us[first] = began_us
                all_behind_us[first] = behind_us
            else:
                all_began_us[first] = -1
            now_us = after_us

    @micropython.native
    def _keep(self, i, edge, now_us):
        """Keep a firing until it is told."""
        at = (self._first + self._count) % _ROWS * _ROW
        self._count += 1
        rows, sense = self._rows, edge.sense
        rows[at] = i
        rows[at + 1] = now_us
        rows[at + 2] = sense.a
        rows[at + 3] = sense.b
        rows[at + 4] = edge.step
        rows[at + 5] = edge.pots.tap

    # -- what there is to tell -----------------------------------------------------------------------------------

    def status(self):
        """The edges' part of a status, as text in pieces."""
        yield '"lost":%d,"edges":' % self._lost
        yield from self._edge_rows()

    def report(self, now_us, boot, firings):
        """Periodic telemetry, line by line: the edges' counters and, if asked, the firings until now.

        Each is its kind and an iterator over the text of its fields.
        """
        yield "edges", self._counters(now_us, boot)
        left = self._count if firings else 0
        while left > 0 and self._count:
            count = min(left, self._count, _ROWS_A_LINE)
            yield FIRINGS, self._told(count)
            left -= count

    def _counters(self, now_us, boot):
        yield ",%d,%d,%d," % (now_us, boot, self._lost)
        yield from self._edge_rows()

    def _told(self, count):
        """Records of firings, which have left the ring when they are told."""
        yield ",%d" % self._lost
        while count and self._count:
            at = self._first * _ROW
            row = list(self._rows[at : at + _ROW])
            self._first = (self._first + 1) % _ROWS
            self._count -= 1
            count -= 1
            yield "," + dumps(row)

    def _edge_rows(self):
        """Rows of all edges, as text; each takes a Pico two steps."""
        between = "["
        for i, edge in enumerate(self.edges):
            row = [edge.pots.tap]
            row.extend([getattr(edge, name) for name in COUNTERS])
            yield between + dumps(row)[:-1]
            row = [self._age_us[i], self._late_us[i], edge.sense.a, edge.sense.b]
            row.extend(self._seeds[i])
            yield "," + dumps(row)[1:]
            between = ","
        yield "]"

    # -- commands, in HOLD ---------------------------------------------------------------------------------------

    def _edge(self, i, given):
        """Clock and threshold of an edge; a field that this firmware does not have is refused, not left out."""
        edge = self._at(i)
        if sorted(given) != sorted(ARMED) or not all(isinstance(given[name], int) for name in ARMED):
            raise Refused("expected whole numbers for " + ", ".join(ARMED))
        run_id, kind, mean_us, late_us, floor_c16, dither_c16, bar_c16, low, high, index, order = [
            given[name] for name in ARMED
        ]
        if not run_id or run_id != self._prepared:
            raise Refused("prepared for run %d" % self._prepared)
        if not (0 <= late_us < clock.HALF and 0 <= floor_c16 < 1 << 16 and 0 <= dither_c16 < 1 << 15):
            raise Refused("late_us, floor_c16 or dither_c16 out of range")
        if bar_c16 and (not LEAST_BAR <= bar_c16 < 1 << 16 or dither_c16):
            raise Refused("bar_c16 out of range, or beside a dither")
        if not (0 <= low <= clock.MASK and 0 <= high <= clock.MASK and 0 <= kind <= clock.PERIODIC):
            raise Refused("seed or kind of clock out of range")
        if not FIRST <= order <= SECOND:
            raise Refused("order outside %d..%d" % (FIRST, SECOND))
        if (floor_c16 or dither_c16) and getattr(edge.sense, "no_gate", False):
            raise Refused("two plain comparators know no threshold")
        keep_total = getattr(edge.sense, "keep_total", None)
        if keep_total:
            keep_total(bar_c16)
            edge.sense.order = order  # of comparators it is in what B is wired to
        elif bar_c16:
            raise Refused("only measured drops can be summed")
        clock.seed(edge.clock, low, high, index)
        clock.configure(edge.clock, kind, mean_us)
        edge.late_us = late_us
        edge.floor_c16 = floor_c16
        edge.dither_c16 = dither_c16
        self._seeds[i] = (low, high)
        self._set_up[i] = run_id
        return ()

    def _tap(self, i, tap):
        pots = self._at(i).pots
        if pots.tap != tap or not pots.check():
            pots.set(tap)
        return (pots.tap,)

    def _adopt(self, i):
        pots = self._at(i).pots
        if pots.reads_back:
            pots.adopt()
        return (pots.tap,)

    def _null(self, i):
        trims = self._let(self._at(i).sense, "nulling")
        self._points[i] = 0
        return trims

    def _match(self, i, point):
        """Add a point to the fit of an edge's mismatch, unless it was added and only the answer was lost."""
        sense, points = self._at(i).sense, self._points
        if points[i] and point == points[i]:
            return (sense.trims(),)
        if point != points[i] + 1:
            raise Refused("expected point %d, got %s: null begins anew" % (points[i] + 1, point))
        trims = self._let(sense, "matching")
        points[i] = point
        return trims

    def _let(self, sense, what):
        """Give a front end the time it asks for, step by step."""
        steps = getattr(sense, what, None)
        if steps is None:
            raise Refused("this front end has no %s" % what)
        for wait_us in steps():
            self._chip.sleep_us(wait_us)
        return (sense.trims(),)

    def _trim(self, i, values=None):
        """Take calibration values, if any are given; what stands then, [] where a front end has none."""
        sense = self._at(i).sense
        if values is not None:
            sense.put_trims(values)
        return (sense.trims() if hasattr(sense, "trims") else [],)

    def _measure(self, i):
        sense = self._at(i).sense
        while (seen := sense.look(0)) == AGAIN:
            self._chip.sleep_us(sense.settle_us)
        if seen == BLIND:
            raise Refused("the ADC does not answer")
        codes = getattr(sense, "codes", None)
        return (sense.a, sense.b, codes() if codes else [])

    def _rehearse(self, i):
        """Time that one firing of an edge takes where the next is always due, us: several through `serve`, in a row.

        They are as those in RUN, but that the edge steps up and down in turn, whatever it sees, and that its clock is a
        copy: clock, counters and taps are afterwards as they were before.
        """
        from clockfree_board.rehearsal import Over, Rehearsal  # late: a board that only runs has no room to give away

        edge = self._at(i)
        if edge.pots.tap < 0 or not self._set_up[i]:
            raise Refused("edge %d is not set up, or its tap unknown" % i)
        now_us = self._chip.now_us()
        with Rehearsal(edge, self._chip.now_us) as rehearsal:
            kept = self._due_us, self._age_us[i], self._late_us[i], self._count, self._lost
            self._due_us = [ticks_add(now_us, 4 * IDLE_US)] * len(self.edges)
            self._due_us[i] = now_us
            self._began_us[i] = -1
            try:
                while True:
                    self.serve(self._chip.now_us())
            except Over:
                pass
            finally:
                self._due_us, self._age_us[i], self._late_us[i], self._count, self._lost = kept
        return (rehearsal.firing_us(),)

    def _at(self, i):
        if not 0 <= i < len(self.edges):
            raise Refused("edge %s outside 0..%d" % (i, len(self.edges) - 1))
        return self.edges[i]
