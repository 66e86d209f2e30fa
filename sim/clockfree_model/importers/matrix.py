"""Adjacency matrices: in a table, with names or without, and of Matrix Market."""

import io
import json
import re
from pathlib import Path
from typing import Any

from clockfree_model import tables
from clockfree_model.importers.reading import MOST, Graph, NetworkError, Reading, one_line
from clockfree_model.tables import Rows


def from_rows(path: Path, rows: Rows) -> Graph | None:
    """The network of an adjacency matrix; None where the table is none.

    A matrix is square, with numbers only and names beside and above them, or without names from 3 nodes on; and it is
    symmetric, or one half of it is zero.
    """
    cells, lines, names = rows.cells, rows.lines, None
    head = cells[0] if cells else []
    beside = [row[0] for row in cells[1:]]
    different = len(cells) > 3 and len(set(beside)) == len(beside)  # a bare matrix begins alike down and along, too
    if different and head[-len(beside) :] == beside and len(head) in (len(beside), len(beside) + 1):
        names, cells, lines = beside, [row[1:] for row in cells[1:]], lines[1:]
    size = len(cells)
    if size < 3 or any(len(row) != size for row in cells):
        return None
    decimal = tables.decimal_of(cell for row in cells for cell in row)
    values = [[tables.number(cell, decimal) for cell in row] for row in cells]
    if any(value is None for row in values for value in row):
        return None
    full = [[float(value or 0.0) for value in row] for row in values]
    uneven = _uneven(full)
    if uneven is not None:
        if names is None and size == 3:
            return None  # three edges with a weight each
        i, j = uneven
        text = f"expected {full[j][i]:g}, as row {j + 1}, column {i + 1} has, got {full[i][j]:g} (a symmetric matrix)"
        raise NetworkError(path, f"line {lines[i]}, column {j + 1}", text)
    found = [(i, j) for i in range(size) for j in range(i, size) if full[i][j] or full[j][i]]
    weights = [full[i][j] or full[j][i] for i, j in found]
    labels = names or [str(i) for i in range(size)]
    said = [tables.SEPARATORS[rows.separator], "adjacency matrix" + ("" if names else ", nodes numbered from 0")]
    pairs = [(labels[i], labels[j]) for i, j in found]
    places = [f"line {lines[i]}, column {j + 1}" for i, j in found]
    return Graph(labels, pairs, places, None, _weights(weights), said)


def _weights(values: list[float]) -> dict[str, list[object]]:
    return {"value": list(values)} if any(value != 1 for value in values) else {}


def _uneven(full: list[list[float]]) -> tuple[int, int] | None:
    """The first place where the two halves differ, unless one of them is zero."""
    size = len(full)
    upper = [(i, j) for i in range(size) for j in range(i + 1, size)]
    if all(not full[j][i] for i, j in upper) or all(not full[i][j] for i, j in upper):
        return None
    return next(((i, j) for i, j in upper if full[i][j] != full[j][i]), None)


def read(path: Path, text: str, reading: Reading) -> Graph:
    """A matrix in Matrix Market's coordinate or array form, square; a row or column of it is a node, from 1."""
    from scipy.io import mmread  # slow to load, and only this format asks

    try:
        found = mmread(io.BytesIO(text.encode()))
    except (ValueError, OverflowError, TypeError, MemoryError) as error:
        raise NetworkError(path, "matrix", f"expected Matrix Market, got {one_line(error)}") from None
    if found.shape[0] != found.shape[1]:
        raise NetworkError(path, "matrix", f"expected a square matrix, got {found.shape[0]} x {found.shape[1]}")
    if found.shape[0] > MOST:
        raise NetworkError(path, "matrix", f"expected at most {MOST:,} nodes, got {found.shape[0]:,}")
    if not hasattr(found, "tocoo"):
        from scipy.sparse import coo_array  # the same

        found = coo_array(found)
    found = found.tocoo()
    values: dict[tuple[int, int], float] = {}
    for i, j, value in zip(found.row.tolist(), found.col.tolist(), found.data.tolist(), strict=True):
        if isinstance(value, complex):
            raise NetworkError(path, f"entry {i + 1} {j + 1}", f"expected a real number, got {value}")
        if value:
            values[i, j] = value
    both = any((j, i) in values for i, j in values if i != j)
    for (i, j), value in values.items():
        if both and values.get((j, i)) != value:
            text = f"expected an entry {j + 1} {i + 1} of the same value in a symmetric matrix, got"
            raise NetworkError(path, f"entry {i + 1} {j + 1}", f"{text} {values.get((j, i), 0)}")
    kept = sorted((i, j) if i <= j else (j, i) for i, j in values if not both or i <= j)
    weights = [float(values.get(pair, values.get(pair[::-1], 0.0))) for pair in kept]
    labels = [str(i + 1) for i in range(found.shape[0])]
    said, columns = ["Matrix Market, nodes numbered from 1"], _weights(weights)
    if (own := _own(text)) and len(own.get("nodes", [])) == len(labels):
        labels, said = [str(name) for name in own["nodes"]], ["Matrix Market"]
        columns = {str(own["values"]): list(columns.get("value", weights))} if own.get("values") else {}
    pairs = [(labels[i], labels[j]) for i, j in kept]
    places = [f"entry {j + 1} {i + 1}" for i, j in kept]
    return Graph(labels, pairs, places, None, columns, said)


def _own(text: str) -> dict[str, Any]:
    """What our own writer says in a comment: names of the nodes, and what the values are."""
    form = re.search(r"^%clockfree (\{.*\})$", text, re.MULTILINE)
    try:
        said = json.loads(form[1]) if form else {}
    except json.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
