"""The paper's clocked rules, for comparison only: edges on one global trigger, all of them or those whose turn it is.

This is the one place where edges act together. It exists in simulation alone and no board has anything like it.
The edges are the same Edge objects, or the same edges compiled; here their firings are gathered in rounds, and the
circuit changes between rounds, so that all of a round decide on one state.
"""

import itertools
from collections.abc import Iterator

import numpy as np
from clockfree.clock import MASK
from clockfree.edge import Edge
from numba import njit

from clockfree_sim import compiled, oscillator, schur, voltages
from clockfree_sim.bound import edge_of
from clockfree_sim.job import Job
from clockfree_sim.loop import go_on, lent_bench
from clockfree_sim.plant import Plant
from clockfree_sim.records import AFTER_ROUND, LATER
from clockfree_sim.timeline import Fire, Timeline
from clockfree_sim.wipers import conductances, next_move, take_move

BLOCK = 256
"""Rounds for which it is found out at once who takes part."""
OSCILLATORS = "oscillators"


def probability(rule: str) -> float:
    """p of a clocked rule: 'sync' is 1, 'p=0.25' and 'oscillators=0.25' are 0.25; ValueError for anything else."""
    if rule == "sync":
        return 1.0
    name, _, number = rule.partition("=")
    p = float(number) if name in ("p", OSCILLATORS) else 0.0
    if not 0.0 < p <= 1.0 or (name == OSCILLATORS and p < oscillator.LEAST_P):
        raise ValueError(
            f"rule {rule!r}: expected clockfree, sync, p=P with 0 < P <= 1, or "
            f"{OSCILLATORS}=P with {oscillator.LEAST_P} <= P <= 1"
        )
    return p


def period_us(job: Job) -> int:
    """Time from one round to the next, us: the mean wait of the edges' own clocks."""
    return round(1e6 / job.edge.rate_hz)


def taking_part(job: Job) -> Iterator[np.ndarray]:
    """Which edges take part, whether alive or not: endless, bool (BLOCK, E) at a time, a row for each round.

    By sync and p= every edge draws for itself. By oscillators= those do whose oscillator is above the bias at which one
    of nominal parts is for a share p of its time.
    """
    p, edges = probability(job.rule), len(job.network.ends)
    if job.rule.startswith(f"{OSCILLATORS}="):
        built = oscillator.build(edges, np.random.default_rng([job.seed, 0x6F736369]))
        bias_V = oscillator.bias_of(p)
        firsts = itertools.count(0, BLOCK)
        return (oscillator.taking_part(built, bias_V, BLOCK, first).T.copy() for first in firsts)
    random = np.random.default_rng([job.seed, 0x73796E63])
    return (random.random((BLOCK, edges)) < p for _ in itertools.repeat(None))


class Rounds:
    """A global trigger at the mean rate of the edges' own clocks.

    Parameters
    ----------
    plant : Plant
        Its conductances change at the end of each round from now on.
    time : Timeline
        The plant's.
    """

    def __init__(self, plant: Plant, time: Timeline):
        self._time = time
        self._step, self._step_all = plant.circuit.step, plant.circuit.step_all
        self._taking_part = itertools.chain.from_iterable(taking_part(plant.job))
        self._period_us = period_us(plant.job)
        self._next_us = 0
        self._edges: dict[int, tuple[Edge, Fire]] = {}
        self._in_round = False
        self._changes: list[tuple[int, float, float]] = []
        plant.change = self._change

    def enter(self, index: int, edge: Edge, fire: Fire) -> None:
        """An edge takes part from now on."""
        self._edges[index] = (edge, fire)
        self._next_us = self._time.now_us + self._period_us

    def leave(self, index: int) -> None:
        """An edge falls silent."""
        self._edges.pop(index, None)

    def serve(self, count: int) -> None:
        """Trigger rounds until at least so many firings have been made."""
        while count > 0:
            self._time.advance(self._next_us)
            self._next_us += self._period_us
            yes = next(self._taking_part)
            count -= self._round([both for index, both in self._edges.items() if yes[index]])

    def _change(self, edge: int, g_free_S: float, g_clamped_S: float, now_us: int) -> None:
        if self._in_round:
            self._changes.append((edge, g_free_S, g_clamped_S))
        else:
            self._step(edge, g_free_S, g_clamped_S, now_us)

    def _round(self, chosen: list[tuple[Edge, Fire]]) -> int:
        """One firing of each chosen edge; those that look twice let their trim settle within the round."""
        self._in_round = True
        looking = chosen
        while looking:
            now_us = self._time.now_us & MASK
            again = []
            for edge, fire in looking:
                firings = edge.firings
                edge.due_us = now_us  # whatever its own clock says
                fire(now_us)
                if edge.firings == firings:
                    again.append((edge, fire))
            looking = again
            if looking:
                self._time.advance(self._time.now_us + looking[0][0].sense.settle_us)
        self._in_round = False
        if self._changes:
            changed, g_free_S, g_clamped_S = zip(*self._changes, strict=True)
            self._step_all(changed, g_free_S, g_clamped_S, self._time.now_us)
        self._changes.clear()
        return len(chosen)


@njit(cache=True, error_model="numpy")
def serve_rounds(bench, show, edges, alike, live, taking_part, next_us, every_us, rows, count):
    """As `Rounds.serve`, compiled: trigger rounds until at least so many firings have been made, or the table ends.

    Parameters
    ----------
    bench, show, edges, alike : as for `loop.serve`
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
    bench = lent_bench(bench)
    shared = alike[0]
    chosen, stepped = np.empty(len(live), dtype=np.int64), np.empty(len(live), dtype=np.int64)
    done = rounds = 0
    while done < count and rounds < len(taking_part):
        go_on(bench, show, edges, alike, next_us, shared.wipers == LATER)
        next_us += every_us
        looking = 0
        for index in live:
            if taking_part[rounds, index]:
                chosen[looking] = index
                looking += 1
        steps = 0
        while looking:
            now_us = bench.now[0] & MASK
            again = 0
            for index in chosen[:looking]:
                record = edges[index]
                firings, tap = record.firings, record.tap
                record.due_us = now_us  # whatever its own clock says
                compiled.fire(edge_of(record, shared, bench), now_us)
                if record.firings == firings:
                    chosen[again] = index
                    again += 1
                    continue
                if len(rows):
                    rows[done] = index, now_us, record.a, record.b, record.step, record.tap
                done += 1
                if record.tap != tap:
                    stepped[steps] = index
                    steps += 1
            looking = again
            if looking:
                go_on(bench, show, edges, alike, bench.now[0] + shared.settle_us, False)
        if shared.wipers == AFTER_ROUND:
            _step(bench, shared, edges, stepped[:steps])
        else:
            _move(bench, edges, alike)
        rounds += 1
    return done, rounds


@njit(error_model="numpy")
def _step(bench, shared, edges, stepped):
    """The circuit changes: the wipers of all edges move that have been stepped in a round."""
    g_S = np.empty((2, len(stepped)))
    for i in range(len(stepped)):
        edge = edge_of(edges[stepped[i]], shared, bench)
        g_S[0, i], g_S[1, i] = conductances(edge, edge.tap, edge.tap)
    _step_all(bench, stepped, g_S)


@njit(error_model="numpy")
def _move(bench, edges, alike):
    """The circuit changes: all moves of wipers that were due while a round was going on."""
    most = (bench.pending[:, 1] - bench.pending[:, 0]).sum()
    moved, g_S = np.empty(most, dtype=np.int64), np.empty((2, most))
    moves = 0
    while True:
        time_us, _, wiper = next_move(bench)
        if time_us >= bench.now[0]:
            break
        index, complete = take_move(bench, edges, alike, wiper)
        if complete:
            edge = edge_of(edges[index], alike[0], bench)
            g_S[0, moves], g_S[1, moves] = conductances(edge, edge.at_free, edge.at_clamped)
            moved[moves] = index
            moves += 1
    _step_all(bench, moved[:moves], g_S[:, :moves])


@njit(error_model="numpy")
def _step_all(bench, edges, g_S):
    if len(edges):
        schur.step_all(bench.plan, bench.state, edges, g_S)
        if voltages.settles(bench.state):
            voltages.voltages(bench.plan, bench.state, bench.now[0])
