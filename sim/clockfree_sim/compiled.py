"""The firmware's own functions, compiled: the same code objects, with nothing but what they call put in place.

A function of the firmware finds what it calls, and the table of logarithms, among the globals of its module. Here each
is made again over globals in which those are the compiled ones; its code is not touched, and there is no second copy.

`Show` is what the firmware's Supervisor is to compiled code: a record of the fields that its methods use.
"""

from types import FunctionType

import numpy as np
from clockfree import clock, rule, supervisor
from numba import njit, types
from numba.experimental import structref
from numba.extending import overload_method

from clockfree_sim import elimination as at
from clockfree_sim import schur

_NAMES: dict[str, object] = {**vars(clock), "_OCTAVE": np.array(clock._OCTAVE)}


def _compiled(function):
    """Compile a function of the firmware over the globals in `_NAMES`."""
    return njit(FunctionType(function.__code__, _NAMES, function.__name__), error_model="numpy")


draw = _NAMES["draw"] = _compiled(clock.draw)
below = _NAMES["below"] = _compiled(clock.below)
wait_us = _compiled(clock.wait_us)
ticks_add = _compiled(clock.ticks_add)
ticks_diff = _compiled(clock.ticks_diff)
from_bits = _compiled(rule.from_bits)
moved = _compiled(rule.moved)

# -- the supervisor --------------------------------------------------------------------------------------------------

_NAMES |= {**vars(supervisor), "below": below, "ticks_add": ticks_add, "ticks_diff": ticks_diff}


def _method(function):
    """Compile a method of Supervisor; names lose a leading underscore, which numba's records do not allow."""
    names = tuple(name.lstrip("_") for name in function.__code__.co_names)
    return njit(FunctionType(function.__code__.replace(co_names=names), _NAMES, function.__name__))


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
    V: its sources, and the part of the clamped targets' voltages that does not follow the free ones. `plan` and `state`
    are the circuit's, `levels` the codes' thresholds of the ADC, in codes, and `codes_per_V` its scale.
    """


structref.define_proxy(
    Show,
    _ShowType,
    [
        "clock", "order", "dwell_us", "due_us", "present", "shown", "readings", "examples", "turns", "turn",
        "plan", "state", "levels", "codes_per_V",
    ],
)  # fmt: skip


@overload_method(_ShowType, "next")
def _show_next(self):
    return lambda self: _next(self)


@overload_method(_ShowType, "measure")
def _show_measure(self):
    def measure(self):
        targets = self.plan[at.S_PORTS] + self.plan[at.SOURCES]
        for i in range(self.plan[at.TARGETS]):
            code = np.searchsorted(self.levels, self.state[targets + i] * self.codes_per_V, "right")
            self.readings[self.present, i] = code

    return measure


@overload_method(_ShowType, "show_example")
def _show_example(self, example):
    def show_example(self, example):
        self.present = example
        sources, targets = self.plan[at.S_PORTS], self.plan[at.S_TARGET]
        count = self.plan[at.SOURCES]
        for i in range(count):
            self.state[sources + i] = self.examples[example, i]
        for i in range(self.plan[at.TARGETS]):
            self.state[targets + i] = self.examples[example, count + i]
        schur.outputs(self.plan, self.state)

    return show_example
