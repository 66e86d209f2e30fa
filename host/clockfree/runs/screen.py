"""A look at a bench on a terminal of some size: what was measured first, and no number cut short.

As many columns of counters are shown as there is room for. Of boards those are named with which something is wrong.
"""

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len

from clockfree.runs.live import ON_CIRCUIT, SHOWN, Look
from clockfree.runs.shown import NOBODY, shown
from clockfree_model.counters import FIRINGS
from clockfree_model.events import AWAY

DROPS = ("free_drop_V", "clamped_drop_V")
COLUMNS = (("tap", *SHOWN[1:], *DROPS), ("tap", FIRINGS, *DROPS), ("tap", *DROPS), ("tap",))
"""Of edges: all that is known, and what is left out first where there is less room."""
GAP = "   "


def lines(look: Look, width: int, height: int | None = None) -> list[str]:
    """What was seen, in lines of at most so many letters; without `height`, as many of them as it takes."""
    wrong = _wrong(look, width)
    nodes = _nodes(look)
    for columns in COLUMNS:
        found = _arranged([*nodes, _edges(look, columns)], width)
        if found is not None and (height is None or len(found) + len(wrong) <= height):
            return [*found, *wrong]
    found = [line[:width] for line in found or ["the window is too narrow for a number"]]
    if height is None:
        return [*found, *wrong]
    room = max(1, height - min(len(wrong), height // 3) - 1)
    more = f"{len(found) - room} more lines: a larger window, or --json, has all"
    kept = [*found[:room], more[:width]] if len(found) > room else found
    return [*kept, *wrong][:height]


def _wrong(look: Look, width: int) -> list[str]:
    """In which states boards are, and what is wrong with which."""
    states = Counter(str(board["state"] or AWAY) for board in look.boards)
    said = ["boards: " + ", ".join(f"{count} {state}" for state, count in states.items()) + f"; {ON_CIRCUIT}"]
    said += [f"{board['board']}: {board['problem']}" for board in look.boards if board["problem"]]
    return [line for text in said for line in textwrap.wrap(text, width) or [""]]


def _nodes(look: Look) -> list[list[Sequence[str]]]:
    """Tables of nodes; an example, or a twin, that is nowhere known has no column."""
    known = [row for row in look.nodes if row["free_V"] is not None or row["clamped_V"] is not None]
    if not known:
        return []
    columns = {"example": "example", "free_V": "free V", "clamped_V": "clamped V"}
    keys = [key for key in columns if any(row[key] is not None for row in known)]
    rows = [[row["node"], *(_text(row[key]) for key in keys)] for row in known]
    return [[["node", *(columns[key] for key in keys)], *rows]]


def _edges(look: Look, keys: Sequence[str]) -> list[Sequence[str]]:
    names = {"free_drop_V": "free drop V", "clamped_drop_V": "clamped drop V"}
    known = [key for key in keys if key not in DROPS or any(row[key] is not None for row in look.edges)]
    rows = [[row["edge"], *(_text(row[key]) for key in known)] for row in look.edges]
    return [["edge", *(names.get(key, key) for key in known)], *rows]


def _text(value: Any) -> str:
    if value is None:
        return NOBODY
    return shown(value) if isinstance(value, float) else str(value)


def _arranged(tables: list[list[Sequence[str]]], width: int) -> list[str] | None:
    """Tables one below the other, each in as many columns side by side as fit; None if one does not fit at all."""
    found: list[str] = []
    for heading, *rows in tables:
        sizes = [max(cell_len(row[i]) for row in (heading, *rows)) for i in range(len(heading))]
        whole = sum(sizes) + 2 * (len(sizes) - 1)
        beside = (width + len(GAP)) // (whole + len(GAP))
        if not beside:
            return None
        deep = -(-len(rows) // beside)
        columns = [rows[i : i + deep] for i in range(0, len(rows), deep or 1)]
        found += [""] if found else []
        found.append(GAP.join([_line(heading, sizes)] * len(columns)).rstrip())
        for i in range(deep):
            found.append(GAP.join(_line(column[i], sizes) for column in columns if i < len(column)).rstrip())
    return found


def _line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    room = [" " * (size - cell_len(cell)) for cell, size in zip(cells, sizes)]  # a letter may take two places
    return "  ".join([cells[0] + room[0], *(each + cell for cell, each in zip(cells[1:], room[1:]))])
