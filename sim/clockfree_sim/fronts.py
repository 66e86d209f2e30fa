"""What compiled edges sense with and step: comparators, ADCs and wipers, as `parts` has them, on the compiled circuit.

An edge is a record of EDGE, beside SHARED and a `Bench` (see `bound`). Its fields are those of the firmware's objects,
by the same names, and below them what its chips are.
"""

from typing import NamedTuple

import numpy as np
from clockfree import clock, rule
from numba import njit
from numba.extending import overload_attribute, overload_method

from clockfree_sim import elimination as at
from clockfree_sim import noise, schur, voltages
from clockfree_sim.bound import EdgeType, PotsType, edge_of
from clockfree_sim.compiled import WITHIN, look_at_drops, look_at_pins, read_adc, read_pico_adc
from clockfree_sim.lanes import get
from clockfree_sim.parts.comparators import RESOLVED_V

NEVER = np.iinfo(np.int64).max
"""A time that does not come."""

FRONT_ENDS = ("comparator", "adc", "pico_adc")
"""Those that are compiled; an edge has a number for it."""
_COMPARATOR, _ADC, _ = range(len(FRONT_ENDS))

CHANNELS = 4
"""Most channels of an ADC that an edge reads."""

_OF_EDGE = "late_us due_us looking gate step firings up down rail dropped skipped errors"
_OF_SENSE = "a b offset_free_c16 offset_clamped_c16 mismatch"
_OF_CHIPS = "index at_free at_clamped ladder_free ladder_clamped plain stuck_a stuck_b drawn levels"
EDGE = np.dtype(
    [
        ("clock", np.int64, clock.SIZE),
        ("memory", np.int64, rule.MEMORY),
        *((name, np.int64) for name in f"{_OF_EDGE} tap {_OF_SENSE} {_OF_CHIPS}".split()),
        *((name, float) for name in "free_V clamped_V offset_a_V offset_b_V".split()),
        ("shift", float, CHANNELS),
        ("noise_key", np.uint64),
        ("lateness_key", np.uint64),
    ]
)
"""All of one edge. Of the chips: where its wipers are, if they move later; the ladders of conductances that are its two
resistors; whether its comparators are ideal; the bits that they give whatever they see, or -1; draws of noise or bias
so far; which levels its ADC has; drops seen last, V; fixed offsets of comparators, V, and of ADC channels, codes; keys
of the streams of noise or bias, and of lateness."""

SHARED = np.dtype(
    [
        *((name, np.int64) for name in "lowest highest floor_c16 dither_c16 bar_c16 settle_us front_end".split()),
        *((name, np.int64) for name in "kept wipers age_us skew_us magnitude".split()),
        *((name, float) for name in "noise_V sigma_V supply_V codes_per_V lateness_us".split()),
    ]
)
"""What all edges share. `kept` is 1 where node voltages are kept, since edges read them, or read them while they
settle; else a drop is read from the trees. `wipers` says when they move: AT_ONCE, AFTER_ROUND or LATER. `magnitude` is
1 where A is the paper's comparison of magnitudes, with an offset drawn from 0 .. sigma_V each time."""

AT_ONCE, AFTER_ROUND, LATER = range(3)
"""When wipers move: within the firing; at the end of a round of them; `age_us` after it, the clamped twin's `skew_us`
later than the free one's."""


class Bench(NamedTuple):
    """What edges are wired to.

    `plan` and `state` are the circuit's, `ladders` the conductance of each of `taps` taps of every kind of resistor, S,
    `levels` the input, in codes, at which each next code of an ADC begins. `now` is virtual time and the supervisor's
    next tick, us, absolute, and two numbers that say which of two events was asked for first: the tick's and the next
    to be given. `moves` (2, M, 4) are moves of free and of clamped wipers to come, in rings: time, number, edge, tap;
    `pending` (2, 2) counts those made and those asked for.
    """

    plan: np.ndarray
    state: np.ndarray
    ladders: np.ndarray
    taps: int
    levels: np.ndarray
    now: np.ndarray
    moves: np.ndarray
    pending: np.ndarray


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


@_of(EdgeType, "code", **WITHIN)
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


@njit(error_model="numpy", **WITHIN)
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
        if self.wipers == AT_ONCE:
            bench = self.bench
            g_free_S, g_clamped_S = conductances(self, self.tap, self.tap)
            if self.kept:
                _conduct(self, g_free_S, g_clamped_S)
            else:  # it has just been read
                schur.step_read(bench.plan, bench.state, self.index, g_free_S, g_clamped_S)
        elif self.wipers == LATER:
            _ask(self, 0, self.age_us)
            _ask(self, 1, self.age_us + self.skew_us)
        return True

    return step_


@njit(error_model="numpy", **WITHIN)
def conductances(edge, free, clamped):
    """What an edge's two resistors are with their wipers at these taps, S."""
    taps, ladders = edge.bench.taps, edge.bench.ladders
    return get(ladders, edge.ladder_free * taps + free), get(ladders, edge.ladder_clamped * taps + clamped)


@njit(error_model="numpy")
def _conduct(edge, g_free_S, g_clamped_S):
    bench = edge.bench
    schur.step(bench.plan, bench.state, edge.index, g_free_S, g_clamped_S)
    if voltages.settles(bench.state):
        voltages.voltages(bench.plan, bench.state, bench.now[0])


@njit(error_model="numpy")
def _ask(edge, wiper, delay_us):
    """A wiper is to be where the tap is, after a delay."""
    bench = edge.bench
    now, moves, pending = bench.now, bench.moves, bench.pending
    places, at_ = moves.shape[1], pending[wiper, 1]
    if at_ - pending[wiper, 0] == places:
        raise RuntimeError("more moves of wipers are under way than there is room for")
    moves[wiper, at_ % places] = now[0] + delay_us, now[3], edge.index, edge.tap
    now[3] += 1
    pending[wiper, 1] += 1


@njit(error_model="numpy")
def next_move(bench):
    """Time of the next move of a wiper, when it was asked for, and which wiper it is; NEVER if there is none."""
    time_us, asked, wiper = NEVER, NEVER, 0
    for each in range(2):
        first = bench.pending[each, 0]
        if first < bench.pending[each, 1]:
            move = bench.moves[each, first % bench.moves.shape[1]]
            if move[0] < time_us or (move[0] == time_us and move[1] < asked):
                time_us, asked, wiper = move[0], move[1], each
    return time_us, asked, wiper


@njit(error_model="numpy")
def move(bench, edges, alike, wiper):
    """The first of the moves that a wiper has before it."""
    first = bench.pending[wiper, 0]
    bench.pending[wiper, 0] += 1
    _, _, index, tap = bench.moves[wiper, first % bench.moves.shape[1]]
    edge = edge_of(edges[index], alike[0], bench)
    if wiper:
        edge.at_clamped = tap
    else:
        edge.at_free = tap
    if wiper or edge.skew_us:
        g_free_S, g_clamped_S = conductances(edge, edge.at_free, edge.at_clamped)
        _conduct(edge, g_free_S, g_clamped_S)


@njit(cache=True, error_model="numpy")
def read_often(bench, edges, alike, every_us, rows):
    """Fill rows, (E, n, 2) int64, with n readings of each edge's two drops, 1/16 ADC code, one every so many us."""
    for index in range(len(edges)):
        edge = edge_of(edges[index], alike[0], bench)
        for i in range(rows.shape[1]):
            edge.read()
            rows[index, i] = edge.a, edge.b
            bench.now[0] += every_us
