"""Compiled edges on a global trigger, for comparison only; as `world.rounds`."""

import numpy as np

from clockfree_board.clock import MASK
from clockfree_sim.circuit import meter, solver, voltages
from clockfree_sim.circuit.caching import either, kept
from clockfree_sim.circuit.inner import inner
from clockfree_sim.compiled import firmware
from clockfree_sim.compiled.edges import Edges
from clockfree_sim.compiled.loop import go_on, lent_lesson, lent_wires, write_row
from clockfree_sim.compiled.pots import conductances, next_move, take_move
from clockfree_sim.compiled.records import AFTER_ROUND, LATER
from clockfree_sim.compiled.typed_record import edge_of, lacks, show_of
from clockfree_sim.plant.rounds import TakingPart, period_us
from clockfree_sim.plant.setup import Setup


class Rounds(Edges):
    """Edges on a global trigger."""

    def __init__(self, setup: Setup):
        super().__init__(setup)
        job = setup.job
        self._period_us = period_us(job)
        self._blocks = TakingPart(job)
        self._taking_part = self._blocks.block()
        self._live: list[int] = []
        self._next_us = 0

    def start(self, index: int) -> None:
        """An edge takes part from now on."""
        self._live.append(index)
        self._next_us = self.now_us + self._period_us

    def stop(self, index: int) -> None:
        """An edge falls silent."""
        self._live.remove(index)

    def serve(self, count: int) -> None:
        """Trigger rounds until at least so many firings have been made."""
        rows = self._record(count + len(self.edges))
        live, made = np.array(self._live), 0
        while made < count:
            done, rounds = serve_rounds(
                self.wires, self.shows, self.taught, self.edges, self.alike, live, self._taking_part, self._next_us,
                self._period_us, rows[made:], count - made,
            )  # fmt: skip
            made += done
            self._next_us += rounds * self._period_us
            self._taking_part = self._taking_part[rounds:]
            if not len(self._taking_part):
                self._taking_part = self._blocks.block()
        self._keep(rows[:made])


@kept(error_model="numpy", about_s=5)
def serve_rounds(wires, shows, taught, edges, alike, live, taking_part, next_us, every_us, rows, count):
    """As `Rounds.serve`, compiled: trigger rounds until at least so many firings have been made, or the table ends.

    Parameters
    ----------
    wires, shows, taught, edges, alike : as for `loop.serve`
    live : (L,) int64, edges that take part, ascending
    taking_part : (R, E) bool, a row for each of the next rounds
    next_us, every_us : int, time of the first round, and from one to the next
    rows : (count + E, or 0, 6) int64, filled with the trace
    count : int

    Returns
    -------
    int, int
        Firings made, and rounds.
    """
    wires = lent_wires(wires)
    shared = alike[0]
    show = show_of(shows[0], shows[0], lent_lesson(taught))
    chosen, stepped = np.empty(len(live), dtype=np.int64), np.empty(len(live), dtype=np.int64)
    done = rounds = 0
    while done < count and rounds < len(taking_part):
        go_on(wires, show, edges, alike, next_us, shared.wipers == LATER)
        next_us += every_us
        looking = 0
        for index in live:
            if taking_part[rounds, index]:
                chosen[looking] = index
                looking += 1
        steps = 0
        while looking:
            now_us = wires.now[0] & MASK
            again = 0
            for index in chosen[:looking]:
                record = edges[index]
                firings, tap = record.firings, record.tap
                record.due_us = now_us  # whatever its own clock says
                firmware.fire(edge_of(record, shared, wires), now_us)
                if record.firings == firings:
                    chosen[again] = index
                    again += 1
                    continue
                if len(rows):
                    write_row(rows[done], index, now_us, record)
                done += 1
                if record.tap != tap:
                    stepped[steps] = index
                    steps += 1
            looking = again
            if looking:
                go_on(wires, show, edges, alike, wires.now[0] + shared.settle_us, False)
        if shared.wipers == AFTER_ROUND:
            _step(wires, shared, edges, stepped[:steps])
        else:
            _move(wires, edges, alike)
        rounds += 1
    return done, rounds


@inner(error_model="numpy")
def _step(wires, shared, edges, stepped):
    """The circuit changes: the wipers of all edges move that have been stepped in a round."""
    g_S = np.empty((2, len(stepped)))
    for i in range(len(stepped)):
        edge = edge_of(edges[stepped[i]], shared, wires)
        g_S[0, i], g_S[1, i] = conductances(edge, edge.tap, edge.tap)
    _step_all(wires, stepped, g_S)


@inner(error_model="numpy")
def _nothing(wires, edges, alike):
    pass


@inner(error_model="numpy")
def _move_all(wires, edges, alike):
    """The circuit changes: all moves of wipers that were due while a round was going on."""
    most = (wires.pending[:, 1] - wires.pending[:, 0]).sum()
    moved, g_S = np.empty(most, dtype=np.int64), np.empty((2, most))
    moves = 0
    while True:
        time_us, _, wiper = next_move(wires)
        if time_us >= wires.now[0]:
            break
        index, complete = take_move(wires, edges, alike, wiper)
        if complete:
            edge = edge_of(edges[index], alike[0], wires)
            g_S[0, moves], g_S[1, moves] = conductances(edge, edge.at_free, edge.at_clamped)
            moved[moves] = index
            moves += 1
    _step_all(wires, moved[:moves], g_S[:, :moves])


_move = either(_nothing, _move_all, lambda wires: lacks(wires, "moves"))


@inner(error_model="numpy")
def _step_all(wires, edges, g_S):
    if len(edges):
        solver.step_all(wires.plan, wires.state, edges, g_S)
        meter.changed(wires.plan, wires.state, wires.now[0])
        if voltages.settles(wires.state):
            voltages.voltages(wires.plan, wires.state, wires.now[0])
