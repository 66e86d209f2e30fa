"""Tally of what boards have told of a run: the last known state of every edge, and the supervisor's readings."""

from typing import Any

import numpy as np

from clockfree_board.link import COUNTERS

UNKNOWN = -1


class Tally:
    """The last that is known of every edge; nothing is made up where nothing is known.

    A board counts from zero after a reset: what it had counted before, as far as it was told, is added.

    Parameters
    ----------
    edges : int

    Attributes
    ----------
    taps : (E,) int
        UNKNOWN where nobody knows.
    age_us : (E,) int
        Largest decision age so far.
    bits : (E, 2) int
        What the edge saw at its last firing: a and b.
    fresh : (E,) bool
        Told of since the last `restart`.
    """

    def __init__(self, edges: int) -> None:
        self.taps = np.full(edges, UNKNOWN)
        self.age_us = np.zeros(edges, dtype=np.int64)
        self.bits = np.zeros((edges, 2), dtype=np.int64)
        self.fresh = np.zeros(edges, dtype=bool)
        self._before = np.zeros((edges, len(COUNTERS)), dtype=np.int64)
        self._now = np.zeros((edges, len(COUNTERS)), dtype=np.int64)

    def take(self, edges: list[int], rows: list[list[Any]]) -> None:
        """Rows of a board (see EDGE_ROW of the link), one for each of its edges."""
        for edge, row in zip(edges, rows):
            if row[1] < self._now[edge, 0]:  # it was prepared anew, whether or not somebody has told
                self._before[edge] += self._now[edge]
            self.taps[edge] = row[0]
            self._now[edge] = row[1:8]
            self.age_us[edge] = max(self.age_us[edge], row[8])
            self.bits[edge] = row[9:11]
            self.fresh[edge] = True

    def restart(self, edges: list[int], taps: list[int]) -> None:
        """Their board counts from zero from now on, and their taps are these."""
        self._before[edges] += self._now[edges]
        self._now[edges] = 0
        self.taps[edges] = taps
        self.fresh[edges] = False

    def count(self, name: str) -> np.ndarray:
        """A counter of every edge (E,)."""
        column = COUNTERS.index(name)
        return self._before[:, column] + self._now[:, column]

    def since_restart(self, name: str, edge: int) -> int:
        """A counter of one edge as its board has it, from the last start on."""
        return int(self._now[edge, COUNTERS.index(name)])

    def counters(self) -> dict[str, list[int]]:
        """All counters, as a sample has them."""
        return {name: self.count(name).tolist() for name in COUNTERS}
