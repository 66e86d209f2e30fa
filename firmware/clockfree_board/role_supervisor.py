"""The role of the supervisor's board: examples on a schedule of its own, readings to the host, nothing to the edges."""

from array import array
from json import dumps

from clockfree_board import clock
from clockfree_board.board import IDLE_US, NEAR_US, Refused
from clockfree_board.clock import HALF, ticks_diff
from clockfree_board.emitters import const
from clockfree_board.overclamp import ASKED, POINTS
from clockfree_board.supervisor import DAC_TOP, RANDOM

_READINGS_A_LINE = const(16)
_MOST_EXAMPLES = const(1000)
_LEAST = 1, 0, 0, 0, -1  # of what an overclamp is asked for
_MOST = 2048, 1024, 65535, 65535, 128


class SupervisorRole:
    """Shows examples on its own schedule.

    Parameters
    ----------
    chip : hw.Chip
    supervisor : Supervisor
    """

    name = "supervisor"

    def __init__(self, chip, supervisor):
        self.supervisor = supervisor
        self._chip = chip
        self._prepared = 0
        self._staged = None  # number, outputs, order, dwell_us, eta_tap, examples
        self._taught = 0
        self._tick_us = 0
        self._aim_us = 0
        self._over = None  # what an overclamp is asked for, and how often it is aimed
        self._nulled = False
        self._running = False
        self._next = 0  # first example of the next line of readings
        self.commands = {
            "lesson": self._lesson,
            "example": self._example,
            "teach": self._teach,
            "overclamp": self._overclamp,
            "null": self._null,
            "nulls": self._nulls,
            "clamp": self._clamp,
            "show": self._show,
            "measure": self._measure,
        }

    def can(self):
        """What HELLO says of the chips."""
        supervisor = self.supervisor
        return {"dac": 4 * len(supervisor.dacs), "mixers": len(supervisor.mixers), "adc": len(supervisor.inputs)}

    def prepare(self, run_id):
        """Forget the lesson, and count from zero."""
        self._prepared = run_id
        self._staged = self._over = None
        self._nulled = False
        self._taught = self._tick_us = self._aim_us = self._next = 0
        supervisor = self.supervisor
        supervisor.shown = supervisor.looks = supervisor.holds = 0

    def lacks(self):
        """What keeps the supervisor from running, or ''."""
        return "" if self._taught else "no lesson"

    def start(self, now_us):
        """Connect the clamp, which an overclamp does when it has looked, and begin the schedule."""
        self._running = True
        self.supervisor.clamp(not self.supervisor.overclamps)
        self.supervisor.start(now_us)

    def stop(self):
        """HOLD: the example that is shown stays."""
        self._running = False

    def serve(self, now_us):
        """Show the next example if the dwell is over; returns how long until then, us."""
        left_us = ticks_diff(self.supervisor.due_us, now_us)
        if left_us <= NEAR_US:
            if left_us > 0:
                self._chip.sleep_us(left_us)
                now_us = self._chip.now_us()
            supervisor = self.supervisor
            looks = supervisor.looks
            due_us = supervisor.tick(now_us)
            after_us = self._chip.now_us()
            self._chip.pulse()
            took_us = ticks_diff(after_us, now_us)
            if supervisor.looks != looks:
                if took_us > self._aim_us:
                    self._aim_us = took_us
            elif took_us > self._tick_us:
                self._tick_us = took_us
            left_us = ticks_diff(due_us, after_us)
        return left_us if left_us < IDLE_US else IDLE_US

    def status(self):
        """The supervisor's part of a status, as text in pieces."""
        supervisor = self.supervisor
        values = supervisor.shown, supervisor.present, self._tick_us, self._taught
        yield '"shown":%d,"present":%d,"tick_us":%d,"lesson":%d' % values
        if supervisor.overclamps:
            yield ',"looks":%d,"holds":%d,"aim_us":%d' % (supervisor.looks, supervisor.holds, self._aim_us)

    def report(self, now_us, boot, firings):
        """Periodic telemetry: the schedule, and some of the readings in turn; a supervisor has no firings."""
        supervisor = self.supervisor
        shown = now_us, boot, supervisor.shown, supervisor.present, self._tick_us
        yield "shown", iter((",%d,%d,%d,%d,%d" % shown,))
        readings = supervisor.readings
        if readings:
            first = self._next
            self._next = after = first + _READINGS_A_LINE
            if after >= len(readings):
                self._next = 0
            yield "readings", self._readings(first, readings[first:after])

    def _readings(self, first, rows):
        yield ",%d,%d,[" % (self._taught, first)
        between = ""
        for row in rows:
            yield between + dumps(row)
            between = ","
        yield "]"

    # -- commands ------------------------------------------------------------------------------------------------

    def _lesson(self, number, run_id, examples, outputs, order, dwell_us, eta_tap, low, high, index):
        if not run_id or run_id != self._prepared:
            raise Refused("prepared for run %d" % self._prepared)
        if not 0 < number or not 0 < examples <= _MOST_EXAMPLES:
            raise Refused("lesson number or examples out of range")
        if not 0 < eta_tap <= 128:
            raise Refused("eta outside 1..128")
        if not 0 <= order <= RANDOM:
            raise Refused("order outside 0..%d" % RANDOM)
        channels = len(self.supervisor.inputs)
        if not 0 < outputs <= channels:
            raise Refused("%s outputs, %d ADC channels" % (outputs, channels))
        if number == self._taught:
            return ()
        self._staged = (number, outputs, order, dwell_us, eta_tap, [None] * examples)
        if not self._running:
            clock.seed(self.supervisor.clock, low, high, index)
        return ()

    def _example(self, number, k, codes):
        if number == self._taught:
            return ()
        if self._staged is None or number != self._staged[0]:
            raise Refused("lesson %s was not begun" % number)
        examples = self._staged[-1]
        if not 0 <= k < len(examples):
            raise Refused("example %s outside 0..%d" % (k, len(examples) - 1))
        if any(not 0 <= code <= DAC_TOP for code in codes):  # an array would cut off what it has no room for
            raise Refused("DAC codes outside 0..%d" % DAC_TOP)
        examples[k] = array("H", codes)
        return ()

    def _teach(self, number):
        if number == self._taught:
            return ()
        if self._staged is None or number != self._staged[0]:
            raise Refused("lesson %s was not begun" % number)
        _, outputs, order, dwell_us, eta_tap, examples = self._staged
        if None in examples:
            raise Refused("example %d is missing" % examples.index(None))
        if self._over:
            self.supervisor.overclamp(*self._over)
        else:
            self.supervisor.nudge(eta_tap)
        self.supervisor.load(examples, outputs, order, dwell_us)
        self._taught = number
        self._staged = None
        self._next = 0
        return ()

    def _overclamp(self, run_id, refresh_us, asked):
        """The clamp of the lessons that are taught from now on; without it they are nudged."""
        if not run_id or run_id != self._prepared:
            raise Refused("prepared for run %d" % self._prepared)
        if len(asked) != ASKED or not 0 < refresh_us < HALF:
            raise Refused("expected %d values, and a refresh within 1..%d us" % (ASKED, HALF - 1))
        for value, least, most in zip(asked, _LEAST, _MOST):
            if not least <= value <= most:
                raise Refused("%s outside %d..%d" % (value, least, most))
        self._over = list(asked), refresh_us
        return ()

    def _null(self, number):
        """Null readings at a point, whose code all sources were told to show; what every output has there."""
        nulls = self.supervisor.nulls
        if not 0 <= number < POINTS:
            raise Refused("point outside 0..%d" % (POINTS - 1))
        self.supervisor.null(number)
        self._nulled = True
        return ([nulls[at] for at in range(number, len(nulls), POINTS)],)

    def _nulls(self, number, values):
        """Take what `null` found."""
        nulls = self.supervisor.nulls
        if not 0 <= number < POINTS or len(values) != len(nulls) // POINTS:
            raise Refused("expected a point, and a value for each output")
        for i, value in enumerate(values):
            nulls[POINTS * i + number] = int(value)
        self._nulled = True
        return ()

    def _clamp(self, on):
        self.supervisor.clamp(on)
        return ()

    def _show(self, codes):
        self.supervisor.show(codes)
        return ()

    def _measure(self):
        supervisor = self.supervisor
        if self._nulled:
            return ([supervisor.code(i) for i in range(len(supervisor.nulls) // POINTS)],)
        return ([adc.read(channel) for adc, channel in supervisor.inputs[: len(supervisor.mixers)]],)
