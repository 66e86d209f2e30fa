"""Compiled firmware: the same code objects, with nothing but what they call put in place.

A function of the firmware finds what it calls, and the table of logarithms, among the globals of its module. Here each
is made again over globals in which those are the compiled ones; its code is not touched, and there is no second copy.

What their methods use of themselves, `typed_record` gives to edges and to the supervisor: names without their leading
underscore, which numba's records do not allow.
"""

from types import FunctionType

import numpy as np

from clockfree_board import clock, overclamp, rule, sense, supervisor
from clockfree_board.edge import Edge
from clockfree_sim.circuit.inner import inner

_NAMES: dict[str, object] = {**vars(clock), **vars(rule), **vars(sense), **vars(supervisor), **vars(overclamp)}


def _compiled(function):
    """Compile a function of the firmware over the globals in `_NAMES`, and put it among them."""
    made = inner(error_model="numpy")(FunctionType(function.__code__, _NAMES, function.__name__))
    _NAMES[function.__name__] = made
    return made


def _method(function, **options):
    """Compile a method."""
    names = tuple(name if name in _NAMES else name.lstrip("_") for name in function.__code__.co_names)
    plain = FunctionType(function.__code__.replace(co_names=names), _NAMES, function.__name__)
    return inner(error_model="numpy", **options)(plain)


_NAMES |= {"_OCTAVE": np.array(clock._OCTAVE)}
draw = _compiled(clock.draw)
_compiled(clock._mix)
seed = _compiled(clock.seed)
below = _compiled(clock.below)
configure = _compiled(clock.configure)
wait_us = _compiled(clock.wait_us)
_compiled(clock.first_us)
ticks_add = _compiled(clock.ticks_add)
ticks_diff = _compiled(clock.ticks_diff)
from_bits = _compiled(rule.from_bits)
q_of = _compiled(rule.q_of)
from_q = _compiled(rule.from_q)
from_total = _compiled(rule.from_total)
agreed = _compiled(rule.agreed)
_compiled(overclamp.nulled)
_compiled(overclamp.rounded)
_compiled(overclamp.answered)
_compiled(overclamp.aim)

# -- an edge ---------------------------------------------------------------------------------------------------------

WITHIN = {"forceinline": True}
"""Options of what is to be part of its caller's machine code: a firing is half as long without calls."""

begin = _method(Edge.start)
"""``begin(edge, now_us)``: as Edge.start."""
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

take_offsets = _method(sense.AdcDrops.take_offsets)
take_mismatch = _method(sense.AdcDrops.take_mismatch)

# -- the supervisor --------------------------------------------------------------------------------------------------

next_example = _method(supervisor.Supervisor._next)
next_look = _method(supervisor.Supervisor._next_look)
look_at_outputs = _method(supervisor.Supervisor.look)
hold = _method(supervisor.Supervisor.hold)
steer = _method(supervisor.Supervisor.steer)
tick = _method(supervisor.Supervisor.tick)
"""``tick(show, now_us)``: as Supervisor.tick, on the circuit instead of chips."""
