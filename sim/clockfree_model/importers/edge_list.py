"""CSV edge lists."""

import csv
from pathlib import Path

from clockfree_model.importers.reading import Graph, NetworkError

HEADERS = {("source", "target"), ("from", "to"), ("tail", "head"), ("node1", "node2")}


def read(path: Path, text: str) -> Graph:
    """Two columns, a node name each; blank lines and lines that start with # are passed over."""
    names: dict[str, None] = {}  # a dict keeps the order of first appearance
    pairs: list[tuple[str, str]] = []
    lines: dict[frozenset[str], int] = {}
    first = True
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if len(cells) != 2 or not all(cells):
                got = ",".join(row)
                raise NetworkError(path, f"line {rows.line_num}", f"expected two node names, got {got[:60]!r}")
            header, first = first and (cells[0].lower(), cells[1].lower()) in HEADERS, False
            if header:
                continue
            a, b = cells
            if frozenset((a, b)) in lines:
                earlier = lines[frozenset((a, b))]
                raise NetworkError(
                    path, f"line {rows.line_num}", f"expected each edge once, got {a}-{b}, which is on line {earlier}"
                )
            if a == b:
                raise NetworkError(path, f"line {rows.line_num}", f"expected two different nodes, got {a}-{b}")
            lines[frozenset((a, b))] = rows.line_num
            names.setdefault(a)
            names.setdefault(b)
            pairs.append((a, b))
    except csv.Error as error:
        raise NetworkError(path, f"line {rows.line_num}", f"expected comma-separated text, got {error}") from None
    return list(names), pairs, None
