"""Compiled edges on their own clocks."""

import numpy as np

from clockfree_sim.compiled import loop
from clockfree_sim.compiled.edges import Edges
from clockfree_sim.plant.setup import Setup
from clockfree_sim.plant.timeline import NEVER


class OwnClocks(Edges):
    """Edges on their own clocks."""

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.turns = np.full(2 << (len(self.edges) - 1).bit_length(), NEVER)

    def start(self, index: int) -> None:
        """An edge starts its own clock."""
        loop.start(self.wires, self.edges, self.alike, self.turns, index, self.now_us)

    def stop(self, index: int) -> None:
        """An edge falls silent."""
        loop.enter(self.turns, index, NEVER)

    def serve(self, count: int) -> None:
        """Go on until so many firings have been made."""
        rows = self._record(count)
        loop.serve(self.wires, self.shows, self.taught, self.edges, self.alike, self.turns, rows, count)
        self._keep(rows)
