"""The compiled loop of a clock-free run: whose turn is next, one firing, and the supervisor's ticks in between."""

import numpy as np
from clockfree import clock
from numba import njit

from clockfree_sim import noise, schur
from clockfree_sim.compiled import from_bits, moved, tick, ticks_add, ticks_diff, wait_us
from clockfree_sim.lanes import get, put
from clockfree_sim.parts.comparators import RESOLVED_V

HALF, MASK = clock.HALF, clock.MASK

_INTEGERS = "due tap ladder_free ladder_clamped firings up down rail dropped stuck_a stuck_b drawn"
EDGE = np.dtype(
    [
        ("clock", np.int64, clock.SIZE),
        *((name, np.int64) for name in _INTEGERS.split()),
        ("offset_a_V", float),
        ("offset_b_V", float),
        ("noise_key", np.uint64),
        ("lateness_key", np.uint64),
    ]
)
"""All of one edge: its clock and when it is due, us; tap; the ladders of conductances that are its two resistors;
counters; the bits that its comparators give whatever they see, or -1; draws of noise or bias so far; fixed offsets of
its comparators, V; keys of its streams of noise or bias, and of lateness."""

SHARED = np.dtype(
    [
        ("lowest", np.int64),
        ("highest", np.int64),
        ("late_us", np.int64),
        ("lateness_us", float),
        ("magnitude", np.int64),
        ("noise_V", float),
        ("sigma_V", float),
    ]
)
"""What all edges share. `magnitude` is 1 where A is the paper's comparison of magnitudes, with an offset drawn from
0 .. sigma_V each time."""

NEVER = np.iinfo(np.int64).max


@njit(cache=True, error_model="numpy")
def enter(turns, edge, time_us):
    """Put an edge's next turn into the tournament; NEVER takes it out.

    `turns` is a binary tree with the winner, the smallest of all, at 1, and the edges' own entries in its second half.
    An entry is time times half its size, plus edge: of two at the same microsecond the lower edge is first. It is good
    for 2**48 us (9 years) with 16,384 edges.
    """
    half = len(turns) >> 1
    at = half + edge
    best = time_us if time_us == NEVER else time_us * half + edge
    put(turns, at, best)
    while at > 1:
        best = min(best, get(turns, at ^ 1))
        at >>= 1
        put(turns, at, best)


@njit(error_model="numpy")
def _biased(me, free, clamped, shared):
    """Bits of two comparators that are not ideal: as parts/comparators.py has them, drawn from the same streams."""
    over_a, over_b = clamped - free, clamped + free
    if shared.magnitude:
        b = over_b >= RESOLVED_V
        over_a = abs(clamped) - abs(free)
        if -RESOLVED_V < over_a < RESOLVED_V:
            over_a = 0.0 if b else RESOLVED_V
        sigma_V = me.offset_a_V
        if shared.sigma_V and me.stuck_a < 0:
            sigma_V = shared.sigma_V * noise.uniform(me.noise_key, me.drawn)
            me.drawn += 1
        a = (over_a + sigma_V > 0.0) == b
    else:
        if -RESOLVED_V < over_a < RESOLVED_V:
            over_a = 0.0
        if -RESOLVED_V < over_b < RESOLVED_V:
            over_b = 0.0
        noise_a_V = noise_b_V = 0.0
        if shared.noise_V and me.stuck_a < 0:
            noise_a_V = shared.noise_V * noise.gauss(me.noise_key, me.drawn)
            me.drawn += 1
        if shared.noise_V and me.stuck_b < 0:
            noise_b_V = shared.noise_V * noise.gauss(me.noise_key, me.drawn)
            me.drawn += 1
        a = over_a + me.offset_a_V + noise_a_V > 0.0
        b = over_b + me.offset_b_V + noise_b_V > 0.0
    return int(a) if me.stuck_a < 0 else me.stuck_a, int(b) if me.stuck_b < 0 else me.stuck_b


@njit(cache=True, error_model="numpy")
def serve(plan, state, show, edges, turns, now, ladders, alike, rows, count):
    """Go on until so many firings have been made.

    Parameters
    ----------
    plan, state : of the circuit; of the node voltages, only the ports' are kept
    show : Show
    edges : (E,) EDGE
    turns : (2 P,) int64, see `enter`
    now : (2,) int64, virtual time and the supervisor's next tick, us, absolute
    ladders : (ladders, taps), conductance of each tap, S
    alike : (1,) SHARED
    rows : (count or 0, 6) int64, filled with the trace
    count : int
    """
    shared = alike[0]
    lowest, highest, late_us, lateness_us = shared.lowest, shared.highest, shared.late_us, shared.lateness_us
    ideal = not (shared.magnitude or shared.noise_V)
    half = len(turns) >> 1
    shift = 0
    while 1 << shift < half:
        shift += 1
    taps = ladders.shape[1]
    ladder = ladders.ravel()
    done = 0
    time_us = now[0]
    while done < count:
        turn = get(turns, 1)
        time_us, edge = turn >> shift, turn & (half - 1)
        me = edges[edge]
        while now[1] < time_us:  # edges go first
            now[1] += (tick(show, now[1] & MASK) - now[1]) & MASK
        now_us = time_us & MASK
        due_us = me.due
        if ticks_diff(now_us, due_us) > late_us:
            me.dropped += 1
            due_us = ticks_add(now_us, wait_us(me.clock))
        else:
            free, clamped = schur.read(plan, state, edge)
            if ideal and me.stuck_a + me.stuck_b == -2 and me.offset_a_V == 0.0 and me.offset_b_V == 0.0:
                a, b = int(clamped - free >= RESOLVED_V), int(clamped + free >= RESOLVED_V)
            else:
                a, b = _biased(me, free, clamped, shared)
            step = from_bits(a, b)
            after = moved(me.tap, step, lowest, highest)
            if after == me.tap:
                me.rail += 1
            else:
                me.tap = after
                me.up += step > 0
                me.down += step < 0
                g_free_S = get(ladder, me.ladder_free * taps + after)
                schur.step_read(plan, state, edge, g_free_S, get(ladder, me.ladder_clamped * taps + after))
            if len(rows):
                rows[done] = edge, now_us, a, b, step, after
            me.firings += 1
            due_us = ticks_add(due_us, wait_us(me.clock))
            done += 1
        me.due = due_us
        if lateness_us:
            drawn = noise.uniform(me.lateness_key, me.firings + me.dropped - 1)
            due_us = ticks_add(due_us, int(np.rint(-lateness_us * np.log(drawn))))
        ahead_us = (due_us - now_us) & MASK
        # After a late firing a short wait may already be over: then the edge is due at once.
        enter(turns, edge, time_us + ahead_us if ahead_us < HALF else time_us)
    now[0] = time_us
