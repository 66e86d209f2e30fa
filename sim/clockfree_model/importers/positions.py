"""Plain text with positions."""

import math
from pathlib import Path
from typing import Any

from clockfree_model.importers.reading import Graph, NetworkError, Reading


def fits(text: str) -> bool:
    """Whether the first line has three numbers and the second two: a table would have as many in both."""
    lines = text.splitlines()
    return len(lines) > 1 and len(lines[0].split()) == 3 and len(lines[1].split()) < 3


def read(path: Path, text: str, reading: Reading) -> Graph:
    """First line `nodes edges size`, then a line `x y` for each node, then a line `a b` for each edge, nodes from 0."""
    lines = text.splitlines()

    def numbers(at: int, what: str, kinds: tuple[type, ...]) -> list[Any]:
        words = lines[at].split() if at < len(lines) else []
        try:
            values = [kind(word) for kind, word in zip(kinds, words, strict=True)]
        except ValueError:
            values = [math.nan]
        if not all(map(math.isfinite, values)):
            got = repr(lines[at][:60]) if at < len(lines) else "the end of the file"
            raise NetworkError(path, f"line {at + 1}", f"expected {what}, got {got}")
        return values

    node_count, edge_count, _ = numbers(0, "nodes edges size", (int, int, float))
    positions = [numbers(1 + i, "x y of a node", (float, float)) for i in range(node_count)]
    pairs, places = [], []
    for at in range(1 + node_count, 1 + node_count + edge_count):
        pair = numbers(at, "two node numbers", (int, int))
        if not all(0 <= node < node_count for node in pair):
            raise NetworkError(
                path, f"line {at + 1}", f"expected two node numbers 0..{node_count - 1}, got {lines[at][:60]!r}"
            )
        pairs.append((str(pair[0]), str(pair[1])))
        places.append(f"line {at + 1}")
    for at in range(1 + node_count + edge_count, len(lines)):
        if lines[at].strip():
            raise NetworkError(path, f"line {at + 1}", f"expected the end of the file, got {lines[at][:60]!r}")
    names = [str(i) for i in range(node_count)]
    return Graph(names, pairs, places, [(x, y) for x, y in positions], said=["text with positions"])
