"""The compiled loop of a clock-free run: whose turn is next, its firing, and the supervisor's ticks in between."""

import numpy as np

from clockfree_board import clock
from clockfree_sim.circuit.caching import kept
from clockfree_sim.circuit.inner import inner
from clockfree_sim.circuit.lanes import get, put
from clockfree_sim.compiled import show as supervisor  # what the methods of a supervisor call
from clockfree_sim.compiled.clamp import act, digital, next_of_clamp
from clockfree_sim.compiled.firmware import begin, fire, tick, ticks_add
from clockfree_sim.compiled.pots import move, next_move
from clockfree_sim.compiled.records import LATER, Taught, Wires
from clockfree_sim.compiled.typed_record import edge_of, lent, show_of
from clockfree_sim.plant import noise
from clockfree_sim.plant.timeline import NEVER

HALF, MASK = clock.HALF, clock.MASK
__all__ = ["enter", "go_on", "lent_lesson", "lent_wires", "serve", "start", "supervisor", "write_row"]


@kept(error_model="numpy")
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


@kept(error_model="numpy")
def start(wires, edges, alike, turns, index, now_us):
    """An edge starts its own clock."""
    first_us = begin(edge_of(edges[index], alike[0], wires), now_us & MASK)
    enter(turns, index, now_us + ((first_us - now_us) & MASK))


@inner(error_model="numpy")
def write_row(row, index, now_us, record):
    """Write a firing into the trace; an assignment of a tuple takes two seconds to compile."""
    row[0], row[1], row[2] = index, now_us, record.a
    row[3], row[4], row[5] = record.b, record.step, record.tap


@inner(error_model="numpy")
def go_on(wires, show, edges, alike, until_us, moving):
    """Virtual time goes on to a moment, and so do supervisor and clamp; what is due at that moment comes later.

    Wipers that are to move later do so if they are `moving`.
    """
    now = wires.now
    while True:
        move_us, move_asked, wiper = next_move(wires)
        clamp_us, clamp_asked, hold = next_of_clamp(show.digital_clamp)
        if not moving:
            move_us = NEVER
        first_us = min(min(move_us, clamp_us), now[1])
        if first_us >= until_us:
            break
        now[0] = first_us
        # Of several at one microsecond the one that was asked for first.
        move_asked = move_asked if move_us == first_us else NEVER
        clamp_asked = clamp_asked if clamp_us == first_us else NEVER
        tick_asked = now[2] if now[1] == first_us else NEVER
        if tick_asked <= min(move_asked, clamp_asked):
            now[1] += (tick(show, now[1] & MASK) - now[1]) & MASK
            now[2] = now[3]
            now[3] += 1
        elif move_asked < clamp_asked:
            move(wires, edges, alike, wiper)
        else:
            act(show.digital_clamp, wires.plan, wires.state, now, hold)
    now[0] = until_us


@inner(error_model="numpy", forceinline=True)
def lent_wires(wires):
    """The wires of a run, to its firings; see `typed_record.lent`."""
    return Wires(
        lent(wires.plan),
        lent(wires.state),
        lent(wires.ladders),
        wires.taps,
        lent(wires.levels),
        lent(wires.now),
        lent(wires.moves),
        lent(wires.pending),
    )


@inner(error_model="numpy", forceinline=True)
def lent_lesson(taught):
    """What a supervisor is wired to, to its ticks."""
    return Taught(
        lent(taught.readings),
        lent(taught.examples_V),
        lent(taught.turns),
        lent(taught.plan),
        lent(taught.state),
        lent(taught.levels),
        lent(taught.shift),
        lent(taught.error_V),
        taught.codes_per_V,
        taught.supply_V,
        lent(taught.now),
        taught.digital_clamp,
        lent(taught.examples),
        lent(taught.asked),
        lent(taught.classes),
        lent(taught.nulls),
        lent(taught.free),
        lent(taught.codes),
        lent(taught.held),
    )


@kept(error_model="numpy", about_s=7)
def serve(wires, shows, taught, edges, alike, turns, rows, count):
    """Go on until so many firings have been made.

    Parameters
    ----------
    wires : Wires
    shows : (1,) SHOW
    taught : Taught
    edges : (E,) EDGE
    alike : (1,) SHARED
    turns : (2 P,) int64, see `enter`
    rows : (count or 0, 6) int64, filled with the trace
    count : int
    """
    wires = lent_wires(wires)
    shared, now = alike[0], wires.now
    show = show_of(shows[0], shows[0], lent_lesson(taught))
    moving = shared.wipers == LATER
    much = moving or digital(show.digital_clamp)
    half = len(turns) >> 1
    shift = 0
    while 1 << shift < half:
        shift += 1
    done = 0
    while done < count:
        turn = get(turns, 1)
        time_us, index = turn >> shift, turn & (half - 1)
        if much or now[1] < time_us:
            go_on(wires, show, edges, alike, time_us, moving)
        else:  # nothing happens before; most firings are spared a call
            now[0] = time_us
        record = edges[index]
        firings, now_us = record.firings, time_us & MASK
        due_us = fire(edge_of(record, shared, wires), now_us)
        if record.firings != firings:
            if len(rows):
                write_row(rows[done], index, now_us, record)
            done += 1
        if shared.lateness_us:
            drawn = noise.uniform(record.lateness_key, record.served)
            record.served += 1
            due_us = ticks_add(due_us, int(np.rint(-shared.lateness_us * np.log(drawn))))
        ahead_us = (due_us - now_us) & MASK
        # After a late firing a short wait may already be over: then the edge is due at once.
        enter(turns, index, time_us + ahead_us if ahead_us < HALF else time_us)
