"""Compiled firmware: the same code objects, with nothing but what they call put in place.

A function of the firmware finds what it calls, and the table of logarithms, among the globals of its module. Here each
is made again over globals in which those are the compiled ones; its code is not touched, and there is no second copy.

What their methods use of themselves, `bound` gives to edges, and `Show` to the supervisor: names without their leading
underscore, which numba's records do not allow.
"""

from types import FunctionType

import numpy as np
from numba import njit, types
from numba.experimental import structref

from clockfree_board import clock, rule, sense, supervisor
from clockfree_board.edge import Edge
from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit import voltages
from clockfree_sim.compiled.clamp import FIRST, LAST, sample, solve
from clockfree_sim.compiled.typed_record import method_of

_NAMES: dict[str, object] = {**vars(clock), **vars(rule), **vars(sense), **vars(supervisor)}


def _compiled(function):
    """Compile a function of the firmware over the globals in `_NAMES`, and put it among them."""
    made = njit(FunctionType(function.__code__, _NAMES, function.__name__), error_model="numpy")
    _NAMES[function.__name__] = made
    return made


def _method(function, **options):
    """Compile a method."""
    names = tuple(name.lstrip("_") for name in function.__code__.co_names)
    plain = FunctionType(function.__code__.replace(co_names=names), _NAMES, function.__name__)
    return njit(plain, error_model="numpy", **options)


_NAMES |= {"_OCTAVE": np.array(clock._OCTAVE)}
draw = _compiled(clock.draw)
below = _compiled(clock.below)
wait_us = _compiled(clock.wait_us)
ticks_add = _compiled(clock.ticks_add)
ticks_diff = _compiled(clock.ticks_diff)
from_bits = _compiled(rule.from_bits)
from_drops = _compiled(rule.from_drops)
from_total = _compiled(rule.from_total)
agreed = _compiled(rule.agreed)
moved = _compiled(rule.moved)

# -- an edge ---------------------------------------------------------------------------------------------------------

WITHIN = {"forceinline": True}
"""Options of what is to be part of its caller's machine code: a firing is half as long without calls."""

fire = _method(Edge.fire, **WITHIN)
"""``fire(edge, now_us)``: as Edge.fire."""
look_at_pins = _method(sense.ComparatorPins.look, **WITHIN)
look_at_trimmed_pins = _method(sense.TrimmedPins.look)
set_trim = _method(sense.TrimmedPins._set)
nulling = _method(sense.TrimmedPins.nulling)
"""``nulling(edge, reads)``: as TrimmedPins.nulling, a generator."""
look_at_drops = _method(sense.AdcDrops.look)
read_adc = _method(sense.AdcDrops._read)
read_pico_adc = _method(sense.PicoAdcDrops._read)
mean_of_drops = _method(sense.AdcDrops._mean)
"""``mean_of_drops(edge, reads)``: as AdcDrops._mean, a generator."""

# -- the supervisor --------------------------------------------------------------------------------------------------

_next = _method(supervisor.Supervisor._next)
tick = _method(supervisor.Supervisor.tick)
"""``tick(show, now_us)``: as Supervisor.tick, on the circuit instead of chips."""


@structref.register
class _ShowType(types.StructRef):
    def preprocess_fields(self, fields):
        return tuple((name, types.unliteral(kind)) for name, kind in fields)


class Show(structref.StructRefProxy):
    """A supervisor with one lesson.

    The fields of Supervisor, as integers and arrays; `examples` (B, S + O) are what each example puts on the circuit,
    V: its sources, and the part of the clamped targets' voltages that does not follow the free ones, or what a digital
    clamp nudges towards. `plan` and `state` are the circuit's, `levels` the codes' thresholds of the ADC, in codes, and
    `codes_per_V` its scale. `now` is that of a `records.Wires`. A clamp that is
    not `digital` makes no use of `clamp`.
    """


structref.define_proxy(
    Show,
    _ShowType,
    [
        "clock", "order", "dwell_us", "due_us", "present", "shown", "readings", "examples", "turns", "turn",
        "plan", "state", "levels", "codes_per_V", "now", "digital", "clamp",
    ],
)  # fmt: skip


@method_of(_ShowType, "next")
def _show_next(self):
    return lambda self: _next(self)


@method_of(_ShowType, "measure")
def _show_measure(self):
    def measure(self):
        sources = self.plan[at.SOURCES]
        ports, members = self.plan[at.S_PORTS], self.plan[self.plan[at.ROOT] + at.P_MEMBERS]
        settles = voltages.settles(self.state)
        for i in range(sources, sources + self.plan[at.TARGETS]):
            voltage = self.state[ports + i]
            if settles:
                voltage, _ = voltages.node_sensed(self.plan, self.state, self.plan[members + i], self.now[0])
            code = np.searchsorted(self.levels, voltage * self.codes_per_V, "right")
            self.readings[self.present, i - sources] = code

    return measure


@method_of(_ShowType, "show_example")
def _show_example(self, example):
    def show_example(self, example):
        self.present = example
        sources, targets = self.plan[at.S_PORTS], self.plan[at.S_TARGET]
        count = self.plan[at.SOURCES]
        for i in range(count):
            self.state[sources + i] = self.examples[example, i]
        if self.digital:  # what was sampled before is dropped
            clamp = self.clamp
            for i in range(self.plan[at.TARGETS]):
                clamp.desired_V[i] = self.examples[example, count + i]
            clamp.turn[FIRST] = clamp.turn[LAST]
            solve(self.plan, self.state, self.now)
            sample(clamp, self.plan, self.state, self.now)
        else:
            for i in range(self.plan[at.TARGETS]):
                self.state[targets + i] = self.examples[example, count + i]
            solve(self.plan, self.state, self.now)

    return show_example
