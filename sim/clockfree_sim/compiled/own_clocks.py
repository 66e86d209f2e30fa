"""Compiled edges on their own clocks."""

import numpy as np

from clockfree_board.clock import MASK
from clockfree_sim.compiled import loop
from clockfree_sim.compiled.edges import Edges
from clockfree_sim.plant.setup import Setup
from clockfree_sim.plant.timeline import NEVER


class OwnClocks(Edges):
    """Edges on their own clocks."""

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self._turns = np.full(2 << (len(self.edges) - 1).bit_length(), NEVER)

    def start(self, index: int) -> None:
        """An edge starts its own clock."""
        edge = self._setup.boards[index].edge
        now_us = self.now_us
        due_us = edge.start(now_us & MASK)
        self.edges[index]["clock"] = edge.clock
        self.edges[index]["due_us"] = due_us
        loop.enter(self._turns, index, now_us + ((due_us - now_us) & MASK))

    def stop(self, index: int) -> None:
        """An edge falls silent."""
        loop.enter(self._turns, index, NEVER)

    def serve(self, count: int) -> None:
        """Go on until so many firings have been made."""
        rows = self._record(count)
        loop.serve(self._wires, self._show, self.edges, self._alike, self._turns, rows, count)
        self._keep(rows)
