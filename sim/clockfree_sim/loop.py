"""The compiled loop of a clock-free run: whose turn is next, one firing, and the supervisor's ticks in between."""

from hashlib import sha256
from pathlib import Path

import numpy as np
from clockfree import clock, rule, supervisor
from numba import njit

from clockfree_sim import compiled, dissection, elimination, factor, lanes, noise, schur
from clockfree_sim.compiled import from_bits, moved, ticks_add, ticks_diff, wait_us
from clockfree_sim.parts.comparators import RESOLVED_V

HALF, MASK = clock.HALF, clock.MASK

# One row of integers for each edge: first the state of its clock. STUCK is the bit that a comparator gives whatever it
# sees, or -1; NOISE counts the draws of noise or bias.
DUE = clock.SIZE
TAP, FIRINGS, UP, DOWN, RAIL, DROPPED, STUCK_A, STUCK_B, NOISE = range(DUE + 1, DUE + 10)
ROW = 16

NEVER = np.iinfo(np.int64).max

# The settings that all edges share, as floats: `magnitude` is 1 where A is the paper's comparison of magnitudes.
MAGNITUDE, NOISE_V, SIGMA_V, LATENESS_US, LATE_US, LOWEST, HIGHEST = range(7)


@njit(error_model="numpy")
def enter(turns, edge, time_us):
    """Put an edge's next turn into the tournament; NEVER takes it out.

    `turns` is a binary tree with the winner, the smallest of all, at 1, and the edges' own entries in its second half.
    An entry is time times half its size, plus edge: of two at the same microsecond the lower edge is first. It is good
    for 2**48 us (9 years) with 16,384 edges.
    """
    half = len(turns) >> 1
    turns[half + edge] = time_us if time_us == NEVER else time_us * half + edge
    at = (half + edge) >> 1
    while at:
        turns[at] = min(turns[2 * at], turns[2 * at + 1])
        at >>= 1


@njit(error_model="numpy")
def _bits(me, free, clamped, shared, offset_a, offset_b, key):
    """The two bits as parts/comparators.py has them, and as often drawn from the same streams."""
    over_a, over_b = clamped - free, clamped + free
    if shared[MAGNITUDE]:
        b = 1 if over_b >= RESOLVED_V else 0
        over_a = abs(clamped) - abs(free)
        if -RESOLVED_V < over_a < RESOLVED_V:
            over_a = 0.0 if b else RESOLVED_V
        if shared[SIGMA_V] and me[STUCK_A] < 0:
            offset_a = shared[SIGMA_V] * noise.uniform(key, me[NOISE])
            me[NOISE] += 1
        a = b if over_a + offset_a > 0.0 else 1 - b
    else:
        if -RESOLVED_V < over_a < RESOLVED_V:
            over_a = 0.0
        if -RESOLVED_V < over_b < RESOLVED_V:
            over_b = 0.0
        over_a += offset_a
        over_b += offset_b
        if shared[NOISE_V]:
            if me[STUCK_A] < 0:
                over_a += shared[NOISE_V] * noise.gauss(key, me[NOISE])
                me[NOISE] += 1
            if me[STUCK_B] < 0:
                over_b += shared[NOISE_V] * noise.gauss(key, me[NOISE])
                me[NOISE] += 1
        a = 1 if over_a > 0.0 else 0
        b = 1 if over_b > 0.0 else 0
    return a if me[STUCK_A] < 0 else me[STUCK_A], b if me[STUCK_B] < 0 else me[STUCK_B]


def _digest() -> str:
    """All that the loop is compiled from besides this file."""
    parts = (clock, rule, supervisor, compiled, dissection, elimination, factor, lanes, noise, schur)
    return sha256(b"".join(Path(part.__file__).read_bytes() for part in parts)).hexdigest()


def _serve(made_of: str):
    @njit(cache=True, error_model="numpy")
    def serve(plan, state, show, edges, turns, now, g, g_of, offsets_V, keys, shared, rows, count):
        """Go on until so many firings have been made.

        Parameters
        ----------
        plan, state : of the circuit; no node voltage but the ports' is kept
        show : Show
        edges : (E, ROW) int64
        turns : (2 P,) int64, see `enter`
        now : (2,) int64, virtual time and the supervisor's next tick, us, absolute
        g : (ladders, taps), conductance of each tap, S; g_of : (E, 2) int64, the ladder of each edge in each twin
        offsets_V : (E, 2), fixed offsets of A and B
        keys : (E, 2) uint64, of the noise or bias, and of the lateness
        shared : (7,) float64
        rows : (count or 0, 6) int64, filled with the trace
        count : int
        """
        _ = made_of  # Numba keeps machine code under a key that holds what a function encloses: see `_digest`.
        half = len(turns) >> 1
        shift = 0
        while 1 << shift < half:
            shift += 1
        late_us, lowest, highest = int(shared[LATE_US]), int(shared[LOWEST]), int(shared[HIGHEST])
        lateness_us = shared[LATENESS_US]
        done = 0
        time_us = now[0]
        while done < count:
            time_us = turns[1] >> shift
            edge = turns[1] & (half - 1)
            while now[1] < time_us:  # edges go first
                now[1] += (compiled.tick(show, now[1] & MASK) - now[1]) & MASK
            now_us = time_us & MASK
            me = edges[edge]
            due_us = me[DUE]
            if ticks_diff(now_us, due_us) > late_us:
                me[DROPPED] += 1
                due_us = ticks_add(now_us, wait_us(me))
            else:
                free, clamped = schur.read(plan, state, edge)
                a, b = _bits(me, free, clamped, shared, offsets_V[edge, 0], offsets_V[edge, 1], keys[edge, 0])
                step = from_bits(a, b)
                tap = me[TAP]
                after = moved(tap, step, lowest, highest)
                if after == tap:
                    me[RAIL] += 1
                else:
                    me[TAP] = after
                    me[UP if step > 0 else DOWN] += 1
                    schur.step_read(plan, state, edge, g[g_of[edge, 0], after], g[g_of[edge, 1], after])
                if len(rows):
                    rows[done] = edge, now_us, a, b, step, after
                me[FIRINGS] += 1
                due_us = ticks_add(due_us, wait_us(me))
                done += 1
            me[DUE] = due_us
            if lateness_us:
                drawn = noise.uniform(keys[edge, 1], me[FIRINGS] + me[DROPPED] - 1)
                due_us = ticks_add(due_us, int(np.rint(-lateness_us * np.log(drawn))))
            ahead_us = (due_us - now_us) & MASK
            # After a late firing a short wait may already be over: then the edge is due at once.
            enter(turns, edge, time_us + ahead_us if ahead_us < HALF else time_us)
        now[0] = time_us

    return serve


serve = _serve(_digest())
