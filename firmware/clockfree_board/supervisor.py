"""The supervisor: shows examples on a schedule of its own and sets the clamp. It sends nothing to the edges."""

from clockfree_board.clock import HALF, below, ticks_add, ticks_diff
from clockfree_board.converters import ConverterError
from clockfree_board.overclamp import ASKED, HINGE, POINTS, READS, aim, nulled, point, rounded

FIXED = 0
SHUFFLED = 1
RANDOM = 2

MIXER_TOP = 128  # a mixer's tap 0 .. 128 is eta 0 .. 1
DAC_TOP = 4095

# What a tick is for.
SHOW = 0
LOOK = 1
HOLD = 2

SETTLE_US = 1000  # after a change of examples, before the outputs are looked at
MOST_CLASSES = 32


class Supervisor:
    """Walks through the examples, free-running.

    Parameters
    ----------
    clock : mutable sequence of int
        A seeded generator (see ``clock``), for the order of the examples.
    dacs : list of Mcp4728
        Their channels, in order, drive the sources, then the desired voltages of the targets.
    latch : callable
        Lets every DAC output switch together (LDAC).
    mixers : list of Mcp4131
        One for each target: eta between the free output and the desired voltage.
    clamp_switch : callable
        1 connects the clamp to the clamped outputs, 0 floats them.
    adcs : list of Mcp320x
        Their channels, in order, read the free outputs.

    Attributes
    ----------
    present : int
        The example that is shown, or -1.
    inputs : list of (Mcp320x, int)
        The ADC channels, in order: those of the first chip, then of the next.
    readings : list of list of int
        The last free outputs of each example, ADC codes; -1 where never read.
    shown : int
        How many examples have been shown.
    overclamps : int
        1 where the clamp is one of constant size (see ``overclamp``), 0 where it nudges.
    delay_us : int
        From a look at the outputs to the clamp that follows from it, beside what that takes by itself.
    clamped : int
        1 while the clamp is connected.
    looks, holds : int
        How often overclamping looked at the outputs, and how often it held them then.
    nulls : list of int
        What its readings are beyond the DAC's codes, c16, at each point of each output.
    """

    def __init__(self, clock, dacs, latch, mixers, clamp_switch, adcs):
        self.clock = clock
        self.dacs = dacs
        self.latch = latch
        self.mixers = mixers
        self.clamp_switch = clamp_switch
        self.inputs = [(adc, channel) for adc in adcs for channel in range(adc.channels)]
        self.order = FIXED
        self.dwell_us = 0
        self.due_us = 0
        self.present = -1
        self.shown = 0
        self.readings = []
        self._examples = []
        self._turns = []
        self._turn = 0
        self._outputs = 0
        self._first = 0  # channel of the first desired voltage
        self.overclamps = 0
        self.delay_us = 0
        self.clamped = 0
        self.looks = 0
        self.holds = 0
        self._phase = SHOW
        self._ends_us = 0
        self._look_us = 0
        self._refresh_us = 0
        self._wanted = 0
        self.nulls = [0] * (POINTS * min(len(mixers), len(self.inputs)))
        self._asked = []
        self._classes = []
        self._free = []
        self._codes = []
        self._held = []

    def load(self, examples, outputs, order, dwell_us):
        """Take a lesson: ``examples`` is a list of lists of DAC codes, sources then desired voltages.

        It is shown from the next tick on. ValueError for what the chips cannot do: nothing has changed then.
        """
        room = 4 * len(self.dacs)
        if not examples or any(not 0 < len(codes) <= room for codes in examples):
            raise ValueError("examples need 1 .. %d DAC channels" % room)
        if any(len(codes) != len(examples[0]) for codes in examples):  # a channel left out would keep its last code
            raise ValueError("examples need equally many codes")
        if any(not 0 <= code <= DAC_TOP for codes in examples for code in codes):
            raise ValueError("DAC codes outside 0..%d" % DAC_TOP)
        if not 0 < dwell_us < HALF:
            raise ValueError("dwell outside 1..%d us" % (HALF - 1))
        if outputs > len(self.inputs) or outputs > len(self.mixers):
            raise ValueError("%d outputs need as many ADC channels and mixers" % outputs)
        first = len(examples[0]) - outputs
        self._classes = _distinct(examples, first) if self.overclamps and self._asked[HINGE] >= 0 else []
        self._first = first
        self._examples = examples
        self._outputs = outputs
        self.order = order
        self.dwell_us = dwell_us
        self.present = -1
        self.readings = [[-1] * outputs for _ in examples]
        self._turns = list(range(len(examples)))
        self._turn = len(examples)
        self._phase = SHOW
        self._free = [0] * outputs
        self._codes = [0] * outputs
        self._held = [0] * len(examples)

    def nudge(self, tap):
        """Set eta = tap / 128 on every mixer; the clamp follows the free outputs by itself."""
        self.overclamps = 0
        for mixer in self.mixers:
            mixer.set(tap)

    def overclamp(self, asked, refresh_us):
        """Hold the outputs by a clamp of constant size, of the lessons that are loaded from now on.

        It is aimed anew every `refresh_us`; `asked` are its ASKED values (see ``overclamp``). The mixers stand at the
        desired voltage, so that the DACs say what is held.
        """
        if len(asked) != ASKED or not 0 < refresh_us < HALF:
            raise ValueError("expected %d values, and a refresh within 1..%d us" % (ASKED, HALF - 1))
        self.nudge(MIXER_TOP)
        self.overclamps = 1
        self._asked = asked
        self._refresh_us = refresh_us

    def clamp(self, on):
        """Connect the clamp, or let it go: the clamped outputs float then."""
        self.clamped = 1 if on else 0
        self.clamp_switch(self.clamped)

    def show(self, codes):
        """Put these DAC codes on sources and desired voltages, all at once."""
        for i, dac in enumerate(self.dacs):
            dac.write(codes[4 * i : 4 * i + 4])
        self.latch()

    def show_example(self, example):
        """Show one example of the lesson; an overclamp lets go until it has seen how it is answered."""
        self.present = example
        if self.overclamps and self.clamped:
            self.clamp(0)
        self.show(self._examples[example])

    def measure(self):
        """Read the free outputs of the example that is shown."""
        row = self.readings[self.present]
        for i in range(self._outputs):
            adc, channel = self.inputs[i]
            row[i] = adc.read(channel)

    def _next(self):
        count = len(self._examples)
        if self.order == RANDOM:
            return below(self.clock, count)
        if self._turn == count:
            self._turn = 0
            if self.order == SHUFFLED:
                turns = self._turns
                for i in range(count - 1, 0, -1):
                    j = below(self.clock, i + 1)
                    turns[i], turns[j] = turns[j], turns[i]
        example = self._turns[self._turn]
        self._turn += 1
        return example

    def start(self, now_us):
        """Begin the schedule; returns when ``tick`` is due."""
        self._phase = SHOW
        self.due_us = now_us
        return now_us

    def tick(self, now_us):
        """What is due; returns when to be called again.

        The dwell is over: measure the outputs, show the next example. In between an overclamp is aimed.
        """
        if self._phase:
            return self.steer(now_us)
        if self.present >= 0 and not self.overclamps:
            self.measure()
        example = self._next()
        if example != self.present:
            self.show_example(example)
            self._look_us = ticks_add(now_us, SETTLE_US)
        self.shown += 1
        due_us = ticks_add(self.due_us, self.dwell_us)
        if ticks_diff(now_us, due_us) >= 0:  # a whole dwell late: start afresh rather than catch up
            due_us = ticks_add(now_us, self.dwell_us)
        self._ends_us = due_us
        if self.overclamps:
            return self._next_look()
        self.due_us = due_us
        return due_us

    # -- overclamping --------------------------------------------------------------------------------------------

    def null(self, number):
        """Null readings at one point: every node is at its code, since all sources are."""
        for i in range(len(self.nulls) // POINTS):
            read = self.read(i)
            if read < 0:
                raise ConverterError("the ADC of output %d does not answer" % i)
            self.nulls[POINTS * i + number] = read - (point(number) << 4)

    def read(self, output):
        """Free voltage of an output by READS readings, c16; less than 0 where the ADC does not answer."""
        adc, channel = self.inputs[output]
        total = 0
        for _ in range(READS):
            code = adc.read(channel)
            if code < 0:
                return code
            total += code
        return total

    def steer(self, now_us):
        """Look at the outputs, or hold them as follows from it; returns when ``tick`` is due."""
        if self._phase == LOOK:
            self.look()
            self._look_us = look_us = ticks_add(self.due_us, self._refresh_us)
            if ticks_diff(now_us, look_us) >= 0:
                self._look_us = ticks_add(now_us, self._refresh_us)
            if self.delay_us:
                self._phase = HOLD
                due_us = ticks_add(now_us, self.delay_us)
                if ticks_diff(due_us, self._ends_us) < 0:
                    self.due_us = due_us
                    return due_us
                return self._next_look()
        self.hold()
        return self._next_look()

    def code(self, output):
        """Code of the DAC that is nearest to a free output; -1 where the ADC does not answer."""
        read = self.read(output)
        return -1 if read < 0 else rounded(nulled(self.nulls, POINTS * output, read))

    def look(self):
        """Read the outputs, and find out where they are to be held."""
        free, present = self._free, self.present
        row = self.readings[present]
        wanted = 1
        for i in range(self._outputs):
            read = self.read(i)
            if read < 0:
                wanted = 0
                row[i] = -1
                continue
            free[i] = read = nulled(self.nulls, POINTS * i, read)
            row[i] = rounded(read)
        if wanted:
            example, held = self._examples[present], self._held[present]
            wanted = aim(self._asked, self._classes, free, example, self._first, self._codes, held)
        self._held[present] = self._wanted = wanted
        self.looks += 1
        self.holds += wanted

    def hold(self):
        """Hold the outputs where the last look wants them, or let the clamp go."""
        if self._wanted:
            self.put()
            if not self.clamped:
                self.clamp(1)
        elif self.clamped:
            self.clamp(0)

    def put(self):
        """Where the outputs are to be held goes to the DACs, all at once."""
        codes = list(self._examples[self.present])
        codes[self._first :] = self._codes
        for i in range(self._first // 4, len(self.dacs)):
            self.dacs[i].write(codes[4 * i : 4 * i + 4])
        self.latch()

    def _next_look(self):
        """The next look is due, or the end of the dwell; returns when."""
        self._phase = LOOK
        due_us = self._look_us
        if ticks_diff(due_us, self._ends_us) >= 0:
            self._phase = SHOW
            due_us = self._ends_us
        self.due_us = due_us
        return due_us


def _distinct(examples, first):
    """What is desired in each class, codes; ValueError where there is nothing to tell apart, or too many."""
    classes = []
    for codes in examples:
        wanted = list(codes[first:])
        if wanted not in classes:
            classes.append(wanted)
    if not 1 < len(classes) <= MOST_CLASSES:
        raise ValueError("a hinge is for 2 .. %d classes, got %d" % (MOST_CLASSES, len(classes)))
    return classes
