"""Tally of what boards have told of a run: the last known state of every edge, and the supervisor's readings."""

from typing import Any

import numpy as np

from clockfree_board.link import COUNTERS, EDGE_ROW, FIRINGS

_COUNTERS = slice(1, 1 + len(COUNTERS))
_AGE, _LATE = EDGE_ROW.index("age_us"), EDGE_ROW.index("late_us")
_BITS = slice(EDGE_ROW.index("a"), EDGE_ROW.index("b") + 1)
UNKNOWN = -1


FASTER = 1.05
"""A board's oscillator may be so much fast, and with it its edges."""
SPARE = 20.0
"""Firings that are no wonder whatever is due: of what was told a moment before, or in the first one."""


def impossible(rows: Any, due: np.ndarray, highest: int) -> str:
    """Why rows of a board cannot be, or "".

    Parameters
    ----------
    rows : list of list
        One for each of its edges, as the link has them; or anything else.
    due : (edges of the board,) array
        Firings due since it was armed.
    highest : int
        Highest tap of the potentiometers.
    """
    if not isinstance(rows, list) or len(rows) != len(due):
        return f"{len(due)} edges, and rows of another number"
    most = FASTER * due + 5.0 * np.sqrt(due) + SPARE
    for place, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(EDGE_ROW) or not all(type(each) is int for each in row):
            return f"edge {place}: expected {len(EDGE_ROW)} whole numbers"
        told = dict(zip(EDGE_ROW, row))
        if not UNKNOWN <= told["tap"] <= highest:
            return f"edge {place}: tap {told['tap']}"
        if not all(0 <= told[name] for name in COUNTERS):
            return f"edge {place}: a count below 0"
        if told[FIRINGS] > most[place]:
            return f"edge {place}: {told[FIRINGS]} firings where about {due[place]:.0f} were due"
    return ""


class Tally:
    """The last that is known of every edge; nothing is made up where nothing is known.

    A board counts from zero after a reset: what it had counted before, as far as it was told, is added.

    Parameters
    ----------
    edges : int

    Attributes
    ----------
    last : (E,) int
        Tap as it was told last, or read back; UNKNOWN where it never was.
    age_us, late_us : (E,) int
        Largest decision age and largest lateness of a firing so far.
    bits : (E, 2) int
        What the edge saw at its last firing: a and b.
    fresh : (E,) bool
        Told of since the last `restart`.
    """

    def __init__(self, edges: int) -> None:
        self.last = np.full(edges, UNKNOWN)
        self._lost = np.zeros(edges, dtype=bool)
        self.age_us = np.zeros(edges, dtype=np.int64)
        self.late_us = np.zeros(edges, dtype=np.int64)
        self.bits = np.zeros((edges, 2), dtype=np.int64)
        self.fresh = np.zeros(edges, dtype=bool)
        self._before = np.zeros((edges, len(COUNTERS)), dtype=np.int64)
        self._now = np.zeros((edges, len(COUNTERS)), dtype=np.int64)

    @property
    def taps(self) -> np.ndarray:
        """Tap of every edge (E,) now; UNKNOWN where nobody knows."""
        return np.where(self._lost, UNKNOWN, self.last)

    def set(self, edges: list[int] | slice, taps: Any) -> None:
        """Taps as the chips say them."""
        self.last[edges] = taps
        self._lost[edges] = False

    def lose(self, edges: list[int]) -> None:
        """Nobody tells of these any more: where they go, or whether their chips forget, shows when they are back."""
        self._lost[edges] = True

    def take(self, edges: list[int], rows: list[list[Any]]) -> None:
        """Rows of a board (see EDGE_ROW of the link), one for each of its edges."""
        for edge, row in zip(edges, rows):
            if row[1] < self._now[edge, 0]:  # it was prepared anew, whether or not somebody has told
                self._before[edge] += self._now[edge]
            self.set([edge], row[0])
            self._now[edge] = row[_COUNTERS]
            self.age_us[edge] = max(self.age_us[edge], row[_AGE])
            self.late_us[edge] = max(self.late_us[edge], row[_LATE])
            self.bits[edge] = row[_BITS]
            self.fresh[edge] = True

    def restart(self, edges: list[int], taps: list[int]) -> None:
        """Their board counts from zero from now on, and their taps are these."""
        self._before[edges] += self._now[edges]
        self._now[edges] = 0
        self.set(edges, taps)
        self.fresh[edges] = False

    def go_on(self, counters: dict[str, list[int]], age_us: list[int], late_us: list[int]) -> None:
        """All had counted this before, and their boards count from zero."""
        self._before[:] = np.array([counters[name] for name in COUNTERS]).T
        self.age_us[:], self.late_us[:] = age_us, late_us

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
