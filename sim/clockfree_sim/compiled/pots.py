"""Compiled potentiometers: wipers that move at once, at the end of a round, or some time after they were stepped."""

from clockfree_sim.circuit import meter, solver, voltages
from clockfree_sim.circuit.caching import either
from clockfree_sim.circuit.inner import inner
from clockfree_sim.circuit.lanes import get
from clockfree_sim.compiled.firmware import WITHIN
from clockfree_sim.compiled.records import AT_ONCE, LATER
from clockfree_sim.compiled.typed_record import PotsType, edge_of, lacks, method_of
from clockfree_sim.plant.timeline import NEVER


@method_of(PotsType, "step", **WITHIN)
def _step(self, step):
    def step_(self, step):
        self.tap += step
        if self.wipers == AT_ONCE:
            g_free_S, g_clamped_S = conductances(self, self.tap, self.tap)
            if self.kept:
                _conduct(self, g_free_S, g_clamped_S)
            else:  # it has just been read
                solver.step_read(self.plan, self.state, self.index, g_free_S, g_clamped_S)
                meter.changed(self.plan, self.state, self.now[0])
        elif self.wipers == LATER:
            _ask(self, 0, self.age_us)
            _ask(self, 1, self.age_us + self.skew_us)
        return True

    return step_


@inner(error_model="numpy", **WITHIN)
def conductances(edge, free, clamped):
    """What an edge's two resistors are with their wipers at these taps, S."""
    taps, ladders = edge.taps, edge.ladders
    return get(ladders, edge.ladder_free * taps + free), get(ladders, edge.ladder_clamped * taps + clamped)


@inner(error_model="numpy")
def _conduct(edge, g_free_S, g_clamped_S):
    solver.step(edge.plan, edge.state, edge.index, g_free_S, g_clamped_S)
    meter.changed(edge.plan, edge.state, edge.now[0])
    if voltages.settles(edge.state):
        voltages.voltages(edge.plan, edge.state, edge.now[0])


def _at_once(kind) -> bool:
    return lacks(kind, "moves")


@inner(error_model="numpy")
def _never_asked(edge, wiper, delay_us):
    pass


@inner(error_model="numpy")
def _ask_later(edge, wiper, delay_us):
    """A wiper is to be where the tap is, after a delay."""
    now, moves, pending = edge.now, edge.moves, edge.pending
    places, at_ = moves.shape[1], pending[wiper, 1]
    if at_ - pending[wiper, 0] == places:
        raise RuntimeError("more moves of wipers are under way than there is room for")
    move = moves[wiper, at_ % places]
    move[0], move[1], move[2], move[3] = now[0] + delay_us, now[3], edge.index, edge.tap
    now[3] += 1
    pending[wiper, 1] += 1


_ask = either(_never_asked, _ask_later, _at_once)


@inner(error_model="numpy")
def _no_move(wires):
    return NEVER, NEVER, 0


@inner(error_model="numpy")
def _next_move(wires):
    time_us, asked, wiper = NEVER, NEVER, 0
    for each in range(2):
        first = wires.pending[each, 0]
        if first < wires.pending[each, 1]:
            move = wires.moves[each, first % wires.moves.shape[1]]
            if move[0] < time_us or (move[0] == time_us and move[1] < asked):
                time_us, asked, wiper = move[0], move[1], each
    return time_us, asked, wiper


@inner(error_model="numpy")
def take_move(wires, edges, alike, wiper):
    """Let a wiper make the first of the moves it has before it: which edge's, and whether its resistors change now."""
    first = wires.pending[wiper, 0]
    wires.pending[wiper, 0] += 1
    _, _, index, tap = wires.moves[wiper, first % wires.moves.shape[1]]
    if wiper:
        edges[index].at_clamped = tap
    else:
        edges[index].at_free = tap
    return index, wiper == 1 or alike[0].skew_us > 0


@inner(error_model="numpy")
def _nothing(wires, edges, alike, wiper):
    pass


@inner(error_model="numpy")
def _move(wires, edges, alike, wiper):
    index, complete = take_move(wires, edges, alike, wiper)
    if complete:
        edge = edge_of(edges[index], alike[0], wires)
        g_free_S, g_clamped_S = conductances(edge, edge.at_free, edge.at_clamped)
        _conduct(edge, g_free_S, g_clamped_S)


next_move = either(_no_move, _next_move, _at_once)
"""Time of the next move of a wiper, when it was asked for, and which wiper it is; NEVER if there is none."""
move = either(_nothing, _move, _at_once)
"""As `take_move`, and the circuit follows at once."""
