"""Shapes of what a board says: which fields a message has, and what they can be.

A message whose checksum is right may still be none: of other firmware, or of a board that is broken. What does not have
its shape goes no further than the session with that board.
"""

from typing import Any

from clockfree.link.units import ADC_STEPS
from clockfree_board.link import EDGE_ROW, FIRING_ROW, FIRINGS, HOLD, NUMBERS, RUN

MOST = 1 << 53
"""Whole numbers below this are the same in JSON, numpy and a record."""
TEXTS = ("role", "id", "version", "config", "state", "reason", "reset")
COUNTED = ("shown", "tick_us", "looks", "holds", "aim_us")
"""What a supervisor counts."""
ONE_NUMBER = ("tap", "adopt", "rehearse")


def is_telemetry(message: list[Any]) -> bool:
    """Whether a message that nobody asked for is one of those that a board sends."""
    kind, number, *fields = message
    if not _whole(number) or not 0 <= number < NUMBERS:
        return False
    if kind == "hello":
        return len(fields) > 0 and is_hello(fields[0])
    if kind == "edges":
        return len(fields) > 3 and _numbers(fields[:3]) and _rows(fields[3], len(EDGE_ROW))
    if kind == FIRINGS:
        return len(fields) > 0 and _whole(fields[0]) and _rows(fields[1:], len(FIRING_ROW))
    if kind == "shown":
        return len(fields) > 4 and _numbers(fields[:5])
    return len(fields) > 2 and _numbers(fields[:2]) and _codes(fields[2])


def is_answer(kind: str, fields: list[Any]) -> bool:
    """Whether these are the fields that a board answers a command of this kind with."""
    if kind == "hello":
        return len(fields) == 1 and is_hello(fields[0])
    if kind in ("status", "heard"):
        return len(fields) == 1 and _is_status(fields[0])
    if kind in ONE_NUMBER:
        return len(fields) == 1 and _whole(fields[0])
    if kind in ("null", "match"):  # of an edge its calibration, of a supervisor a point of its own
        return len(fields) == 1 and _numbers(fields[0])
    if kind == "measure":  # of a supervisor its readings, of an edge both drops and what its ADC says of the nodes
        return _codes(fields) if len(fields) == 1 else len(fields) == 3 and _numbers(fields[:2]) and _codes(fields[2:])
    return True


def is_hello(said: Any) -> bool:
    """Whether this is what a board says of itself, of whatever version."""
    if not isinstance(said, dict) or not all(isinstance(said.get(key), str | None) for key in TEXTS):
        return False
    able = said.get("can", {})
    edges = able.get("edges", []) if isinstance(able, dict) else None
    return _whole(said.get("boot", 0)) and isinstance(edges, list) and all(isinstance(e, list) and e for e in edges)


def _is_status(said: Any) -> bool:
    if not isinstance(said, dict) or said.get("state") not in (HOLD, RUN):
        return False
    counts = [*(said.get(key) for key in ("run", "boot", "t_us")), *(said.get(key, 0) for key in COUNTED)]
    return isinstance(said.get("reason"), str) and _numbers(counts) and _rows(said.get("edges", []), len(EDGE_ROW))


def _whole(value: Any) -> bool:
    return type(value) is int and -MOST < value < MOST


def _numbers(values: Any) -> bool:
    return isinstance(values, list) and all(map(_whole, values))


def _rows(rows: Any, width: int) -> bool:
    return isinstance(rows, list) and all(_numbers(row) and len(row) == width for row in rows)


def _codes(rows: Any) -> bool:
    """Rows of codes of an ADC; -1 is one that was not read."""
    return isinstance(rows, list) and all(_numbers(row) and all(-1 <= code < ADC_STEPS for code in row) for row in rows)
