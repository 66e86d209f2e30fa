"""What compiled edges sense with and step: comparators, ADCs and wipers, as `parts` has them, on the compiled circuit.

An edge is a record of EDGE, beside SHARED and a `Bench` (see `bound`). Its fields are those of the firmware's objects,
by the same names, and below them what its chips are.
"""

from typing import NamedTuple

import numpy as np
from clockfree import clock
from numba import njit
from numba.extending import overload_attribute, overload_method

from clockfree_sim import elimination as at
from clockfree_sim import noise, schur, voltages
from clockfree_sim.bound import EdgeType, PotsType, edge_of
from clockfree_sim.compiled import WITHIN, look_at_drops, look_at_pins, read_adc, read_pico_adc
from clockfree_sim.lanes import get
from clockfree_sim.parts.comparators import RESOLVED_V

FRONT_ENDS = ("comparator", "adc", "pico_adc")
"""Those that are compiled; an edge has a number for it."""
_COMPARATOR, _ADC, _ = range(len(FRONT_ENDS))

CHANNELS = 4
"""Most channels of an ADC that an edge reads."""

_OF_EDGE = "late_us due_us looking gate step firings up down rail dropped skipped errors"
_OF_SENSE = "a b offset_free_c16 offset_clamped_c16 mismatch"
_OF_CHIPS = "index ladder_free ladder_clamped plain stuck_a stuck_b drawn levels"
EDGE = np.dtype(
    [
        ("clock", np.int64, clock.SIZE),
        *((name, np.int64) for name in f"{_OF_EDGE} tap {_OF_SENSE} {_OF_CHIPS}".split()),
        *((name, float) for name in "free_V clamped_V offset_a_V offset_b_V".split()),
        ("shift", float, CHANNELS),
        ("noise_key", np.uint64),
        ("lateness_key", np.uint64),
    ]
)
"""All of one edge. Of the chips: the ladders of conductances that are its two resistors; whether its comparators are
ideal; the bits that they give whatever they see, or -1; draws of noise or bias so far; which levels its ADC has; drops
seen last, V; fixed offsets of comparators, V, and of ADC channels, codes; keys of the streams of noise or bias, and of
lateness."""

SHARED = np.dtype(
    [
        *((name, np.int64) for name in "lowest highest floor_c16 dither_c16 settle_us front_end".split()),
        *((name, np.int64) for name in "kept rounds magnitude".split()),
        *((name, float) for name in "noise_V sigma_V supply_V codes_per_V lateness_us".split()),
    ]
)
"""What all edges share. `kept` is 1 where node voltages are kept, since edges read them, or read them while they
settle; else a drop is read from the trees. `rounds` is 1 where wipers move at the end of a round. `magnitude` is 1
where A is the paper's comparison of magnitudes, with an offset drawn from 0 .. sigma_V each time."""


class Bench(NamedTuple):
    """What edges are wired to.

    `plan` and `state` are the circuit's, `ladders` the conductance of each of `taps` taps of every kind of resistor, S,
    `levels` the input, in codes, at which each next code of an ADC begins, `now` virtual time and the supervisor's next
    tick, us, absolute.
    """

    plan: np.ndarray
    state: np.ndarray
    ladders: np.ndarray
    taps: int
    levels: np.ndarray
    now: np.ndarray


def _of(kind, name, **options):
    return overload_method(kind, name, jit_options={"error_model": "numpy", **options})


# -- comparators ---------------------------------------------------------------------------------------------------


@_of(EdgeType, "look", **WITHIN)
def _look(self, gate):
    def look(self, gate):
        if self.front_end == _COMPARATOR:
            _see(self)
            return look_at_pins(self, gate)
        return look_at_drops(self, gate)

    return look


@njit(error_model="numpy", **WITHIN)
def _see(edge):
    """Take the drops of this moment."""
    bench = edge.bench
    if edge.kept:
        if get(bench.state, at.STALE):
            voltages.voltages(bench.plan, bench.state, bench.now[0])
        edge.free_V, edge.clamped_V = voltages.drops_sensed(bench.plan, bench.state, edge.index, bench.now[0])
    else:
        edge.free_V, edge.clamped_V = schur.read(bench.plan, bench.state, edge.index)


@_of(EdgeType, "pin_a", **WITHIN)
def _pin_a(self):
    def pin_a(self):
        if self.plain:
            return 1 if self.clamped_V - self.free_V >= RESOLVED_V else 0
        return _biased_a(self)

    return pin_a


@_of(EdgeType, "pin_b", **WITHIN)
def _pin_b(self):
    def pin_b(self):
        if self.plain:
            return 1 if self.clamped_V + self.free_V >= RESOLVED_V else 0
        return _biased_b(self)

    return pin_b


@njit(error_model="numpy")
def _biased_a(edge):
    if edge.stuck_a >= 0:
        return edge.stuck_a
    if not edge.magnitude:
        return _over(edge, edge.clamped_V - edge.free_V, edge.offset_a_V)
    b = edge.clamped_V + edge.free_V >= RESOLVED_V
    over = abs(edge.clamped_V) - abs(edge.free_V)
    if -RESOLVED_V < over < RESOLVED_V:
        over = 0.0 if b else RESOLVED_V
    sigma_V = edge.offset_a_V
    if edge.sigma_V:
        sigma_V = edge.sigma_V * noise.uniform(edge.noise_key, edge.drawn)
        edge.drawn += 1
    return 1 if (over + sigma_V > 0.0) == b else 0


@njit(error_model="numpy")
def _biased_b(edge):
    if edge.stuck_b >= 0:
        return edge.stuck_b
    over = edge.clamped_V + edge.free_V
    if edge.magnitude:
        return 1 if over >= RESOLVED_V else 0
    return _over(edge, over, edge.offset_b_V)


@njit(error_model="numpy")
def _over(edge, over, offset_V):
    """A comparator with an offset and noise."""
    if -RESOLVED_V < over < RESOLVED_V:
        over = 0.0
    noise_V = 0.0
    if edge.noise_V:
        noise_V = edge.noise_V * noise.gauss(edge.noise_key, edge.drawn)
        edge.drawn += 1
    return 1 if over + offset_V + noise_V > 0.0 else 0


# -- ADCs ----------------------------------------------------------------------------------------------------------


@_of(EdgeType, "read")
def _read(self):
    def read(self):
        bench = self.bench
        if get(bench.state, at.STALE):
            voltages.voltages(bench.plan, bench.state, bench.now[0])
        if self.front_end == _ADC:
            return read_adc(self)
        return read_pico_adc(self)

    return read


@overload_attribute(EdgeType, "channels")
def _channels(self):
    channels = tuple(range(CHANNELS))
    return lambda self: channels


@_of(EdgeType, "code")
def _code(self, channel):
    def code(self, channel):
        bench = self.bench
        node = get(bench.plan, get(bench.plan, at.P_EDGES) + at.EDGE_SIZE * self.index + at.E_TAIL + channel % 2)
        free, clamped = voltages.node_sensed(bench.plan, bench.state, node, bench.now[0])
        return _converted(self, free if channel < 2 else clamped, channel)

    return code


@_of(EdgeType, "free")
def _free(self):
    def free(self):
        bench = self.bench
        drop, _ = voltages.drops_sensed(bench.plan, bench.state, self.index, bench.now[0])
        return _u16(_converted(self, 0.5 * (self.supply_V + drop), 0))

    return free


@_of(EdgeType, "clamped")
def _clamped(self):
    def clamped(self):
        bench = self.bench
        _, drop = voltages.drops_sensed(bench.plan, bench.state, self.index, bench.now[0])
        return _u16(_converted(self, 0.5 * (self.supply_V + drop), 1))

    return clamped


@njit(error_model="numpy")
def _u16(code):
    return code << 4 | code >> 8


@njit(error_model="numpy")
def _converted(edge, volts, channel):
    """Code of a channel: how many levels are not above its input, which is close to the input itself."""
    codes = volts * edge.codes_per_V + edge.shift[channel]
    if edge.noise_V:
        codes += edge.noise_V * noise.gauss(edge.noise_key, edge.drawn) * edge.codes_per_V
        edge.drawn += 1
    levels, begin = edge.bench.levels, edge.levels * 4095
    code = min(max(int(codes), 0), 4095)
    while code < 4095 and get(levels, begin + code) <= codes:
        code += 1
    while code > 0 and get(levels, begin + code - 1) > codes:
        code -= 1
    return code


# -- wipers --------------------------------------------------------------------------------------------------------


@_of(PotsType, "step", **WITHIN)
def _step(self, step):
    def step_(self, step):
        self.tap += step
        if not self.rounds:
            _conduct(self)
        return True

    return step_


@njit(error_model="numpy", **WITHIN)
def conductances(edge):
    """What an edge's tap says that its two resistors are, S, in the free and in the clamped twin."""
    taps, ladders = edge.bench.taps, edge.bench.ladders
    return get(ladders, edge.ladder_free * taps + edge.tap), get(ladders, edge.ladder_clamped * taps + edge.tap)


@njit(error_model="numpy", **WITHIN)
def _conduct(edge):
    """Both wipers of an edge move at once."""
    bench = edge.bench
    g_free_S, g_clamped_S = conductances(edge)
    if edge.kept:
        schur.step(bench.plan, bench.state, edge.index, g_free_S, g_clamped_S)
        if voltages.settles(bench.state):
            voltages.voltages(bench.plan, bench.state, bench.now[0])
    else:  # it has just been read
        schur.step_read(bench.plan, bench.state, edge.index, g_free_S, g_clamped_S)


@njit(cache=True, error_model="numpy")
def read_often(bench, edges, alike, index, every_us, rows):
    """Fill rows, (n, 2) int64, with readings of an edge's two drops, 1/16 ADC code, one every so many us."""
    edge = edge_of(edges[index], alike[0], bench)
    for i in range(len(rows)):
        edge.read()
        rows[i] = edge.a, edge.b
        bench.now[0] += every_us
