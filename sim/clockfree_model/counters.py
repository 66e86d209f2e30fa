"""Counters of an edge: what each counts, and in what unit. Their names are the firmware's."""

from dataclasses import dataclass

from clockfree_board.link import DOWN, DROPPED, ERRORS, FIRINGS, RAIL, SKIPPED, UP

__all__ = ["COUNTERS", "DOWN", "DROPPED", "ERRORS", "FIRINGS", "RAIL", "SKIPPED", "UP", "Counter"]


@dataclass(frozen=True)
class Counter:
    """One counter.

    Attributes
    ----------
    meaning : str
        What it counts on an edge.
    of_all : str
        What its sum over edges is.
    unit : str
    """

    meaning: str
    of_all: str
    unit: str = "1"


COUNTERS = {
    FIRINGS: Counter("firings so far, whether they stepped or not", "firings of all edges"),
    UP: Counter("steps so far that raised the resistance", "steps of all edges that raised the resistance"),
    DOWN: Counter("steps so far that lowered the resistance", "steps of all edges that lowered the resistance"),
    RAIL: Counter(
        "steps lost so far at the lowest or highest tap", "steps of all edges lost at the lowest or highest tap"
    ),
    DROPPED: Counter("overdue firings dropped so far", "overdue firings dropped by all edges"),
    SKIPPED: Counter(
        "firings so far that could not step: tap unknown, or an edge out of use",
        "firings of all edges that could not step",
    ),
    ERRORS: Counter(
        "potentiometer commands so far that the chip refused or did not answer",
        "commands that the potentiometers of all edges refused or did not answer",
    ),
}
"""In the order of a status row."""
