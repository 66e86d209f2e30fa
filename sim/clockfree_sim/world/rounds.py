"""Edge objects on a global trigger, for comparison only: their firings are gathered in rounds.

The circuit changes between rounds, so that all edges of a round decide on one state.
"""

from clockfree_board.clock import MASK
from clockfree_board.edge import Edge
from clockfree_sim.plant.plant import Plant
from clockfree_sim.plant.rounds import BLOCK, TakingPart, period_us
from clockfree_sim.plant.timeline import Fire, Timeline


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
        self._blocks = TakingPart(plant.job)
        self._taking_part = self._blocks.block()
        self._row = 0
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
            if self._row == BLOCK:
                self._taking_part, self._row = self._blocks.block(), 0
            yes = self._taking_part[self._row]
            self._row += 1
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
