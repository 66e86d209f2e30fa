"""The supervisor: shows examples on a schedule of its own and sets the clamp. It sends nothing to the edges."""

from clockfree_board.clock import HALF, below, ticks_add, ticks_diff

FIXED = 0
SHUFFLED = 1
RANDOM = 2

MIXER_TOP = 128  # a mixer's tap 0 .. 128 is eta 0 .. 1
DAC_TOP = 4095


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
        self._examples = examples
        self._outputs = outputs
        self.order = order
        self.dwell_us = dwell_us
        self.present = -1
        self.readings = [[-1] * outputs for _ in examples]
        self._turns = list(range(len(examples)))
        self._turn = len(examples)

    def nudge(self, tap):
        """Set eta = tap / 128 on every mixer."""
        for mixer in self.mixers:
            mixer.set(tap)

    def clamp(self, on):
        """Connect the clamp, or float it (calibration in HOLD)."""
        self.clamp_switch(1 if on else 0)

    def show(self, codes):
        """Put these DAC codes on sources and desired voltages, all at once."""
        for i, dac in enumerate(self.dacs):
            dac.write(codes[4 * i : 4 * i + 4])
        self.latch()

    def show_example(self, example):
        """Show one example of the lesson."""
        self.present = example
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
        self.due_us = now_us
        return now_us

    def tick(self, now_us):
        """The dwell is over: measure the outputs, show the next example; returns when to be called again."""
        if self.present >= 0:
            self.measure()
        example = self._next()
        if example != self.present:
            self.show_example(example)
        self.shown += 1
        due_us = ticks_add(self.due_us, self.dwell_us)
        if ticks_diff(now_us, due_us) >= 0:  # a whole dwell late: start afresh rather than catch up
            due_us = ticks_add(now_us, self.dwell_us)
        self.due_us = due_us
        return due_us
