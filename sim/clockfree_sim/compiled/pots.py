"""Compiled potentiometers: wipers that move at once, at the end of a round, or some time after they were stepped."""

from numba import njit

from clockfree_sim.circuit import schur, voltages
from clockfree_sim.circuit.lanes import get
from clockfree_sim.compiled.firmware import WITHIN
from clockfree_sim.compiled.records import AT_ONCE, LATER
from clockfree_sim.compiled.typed_record import PotsType, edge_of, method_of
from clockfree_sim.plant.timeline import NEVER


@method_of(PotsType, "step", **WITHIN)
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
def take_move(bench, edges, alike, wiper):
    """Let a wiper make the first of the moves it has before it: which edge's, and whether its resistors change now."""
    first = bench.pending[wiper, 0]
    bench.pending[wiper, 0] += 1
    _, _, index, tap = bench.moves[wiper, first % bench.moves.shape[1]]
    if wiper:
        edges[index].at_clamped = tap
    else:
        edges[index].at_free = tap
    return index, wiper == 1 or alike[0].skew_us > 0


@njit(error_model="numpy")
def move(bench, edges, alike, wiper):
    """As `take_move`, and the circuit follows at once."""
    index, complete = take_move(bench, edges, alike, wiper)
    if complete:
        edge = edge_of(edges[index], alike[0], bench)
        g_free_S, g_clamped_S = conductances(edge, edge.at_free, edge.at_clamped)
        _conduct(edge, g_free_S, g_clamped_S)
