"""The paper's clocked rules, for comparison only: every edge, or each with probability p, on one global trigger.

This is the one place where edges act together. It exists in simulation alone and no board has anything like it.
The edges are the same Edge objects; here their firings are gathered in rounds, and the circuit changes between
rounds, so that all of a round decide on one state.
"""

import numpy as np
from clockfree.clock import MASK
from clockfree.edge import Edge

from clockfree_sim.plant import Plant
from clockfree_sim.timeline import Fire, Timeline


def probability(rule: str) -> float:
    """p of a clocked rule: 'sync' is 1, 'p=0.25' is 0.25; ValueError for anything else."""
    if rule == "sync":
        return 1.0
    p = float(rule.removeprefix("p=")) if rule.startswith("p=") else 0.0
    if not 0.0 < p <= 1.0:
        raise ValueError(f"rule {rule!r}: expected clockfree, sync or p=P with 0 < P <= 1")
    return p


class Rounds:
    """A global trigger at the mean rate of the edges' own clocks.

    Parameters
    ----------
    plant : Plant
        Its conductances change at the end of each round from now on.
    time : Timeline
        The plant's.
    p : float
        Chance of each edge to take part in a round.
    """

    def __init__(self, plant: Plant, time: Timeline, p: float):
        self._time = time
        self._step = plant.circuit.step
        self._p = p
        self._random = np.random.default_rng([plant.job.seed, 0x73796E63])
        self._period_us = round(1e6 / plant.job.edge.rate_hz)
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
            drawn = self._random.random(len(self._edges)) < self._p
            count -= self._round([both for both, yes in zip(self._edges.values(), drawn, strict=True) if yes])

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
        for change in self._changes:
            self._step(*change, self._time.now_us)
        self._changes.clear()
        return len(chosen)
