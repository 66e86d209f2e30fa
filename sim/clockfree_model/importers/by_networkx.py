"""Formats that networkx reads as they are: GML, Pajek, GEXF, and adjacency lists."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clockfree_model.importers.reading import (
    Graph,
    NetworkError,
    Reading,
    columns_of,
    name_of,
    named,
    one_line,
    positions_of,
)

BROKEN = (ValueError, LookupError, TypeError, SyntaxError, AttributeError, RecursionError)
"""What networkx raises where a file is not what its format asks for, beside errors of its own."""


def _read(path: Path, what: str, parse: Callable[[], Any]) -> Graph:
    """The graph that networkx finds."""
    import networkx as nx  # slow to load, and only these formats ask

    try:
        graph = parse()
    except (
        nx.NetworkXException,
        ValueError,
        LookupError,
        TypeError,
        SyntaxError,
        AttributeError,
        RecursionError,
    ) as error:
        raise NetworkError(path, what, f"expected {what}, got {one_line(error)}") from None
    ids = [name_of(node) or str(node) for node in graph.nodes]
    attributes = [_flat(data) for _, data in graph.nodes(data=True)]
    said = [what]
    names = named(ids, attributes, said)
    pairs, columns = [], []
    for a, b, data in graph.edges(data=True):
        pairs.append((names[name_of(a) or str(a)], names[name_of(b) or str(b)]))
        columns.append({key: value for key, value in data.items() if not isinstance(value, dict | list)})
    listed = [names[id_] for id_ in ids]
    positions = positions_of(path, list(zip(listed, attributes, strict=True)))
    return Graph(listed, pairs, [f"edges.{i}" for i in range(len(pairs))], positions, columns_of(columns), said)


def _flat(node: dict[str, Any]) -> dict[str, Any]:
    """Attributes of a node, with the x and y that drawings have in a table of their own."""
    found = {key: value for key, value in node.items() if not isinstance(value, dict)}
    for value in node.values():
        if isinstance(value, dict):
            place = value.get("position", value)
            found |= {axis: float(place[axis]) for axis in "xy" if isinstance(place, dict) and axis in place}
    return {key: float(value) if key in ("x", "y") else value for key, value in found.items()}


def gml(path: Path, text: str, reading: Reading) -> Graph:
    """GML; names from label or name, else the ids; positions from graphics."""
    import networkx as nx  # the same

    if not re.search(r"\bmultigraph\b", text):  # so that an edge listed twice is seen, and not refused in other words
        text = re.sub(r"\bgraph\s*\[", "graph [ multigraph 1 ", text, count=1)
    return _read(path, "GML", lambda: nx.parse_gml(text, label="id"))


def pajek(path: Path, text: str, reading: Reading) -> Graph:
    """Pajek's network: *Vertices with labels and positions, *Edges or *Arcs."""
    import networkx as nx  # the same

    return _read(path, "Pajek", lambda: nx.parse_pajek(text))


def gexf(path: Path, text: str, reading: Reading) -> Graph:
    """GEXF of Gephi and networkx."""
    import networkx as nx  # the same

    return _read(path, "GEXF", lambda: nx.read_gexf(io.BytesIO(text.encode())))


def adjacency_list(path: Path, text: str, reading: Reading) -> Graph:
    """A line for each node: its name, then those of its neighbours; # begins a comment."""
    import networkx as nx  # the same

    lines = [re.sub(r"[:,;\t]", " ", line) for line in text.splitlines()]
    graph = _read(path, "adjacency list", lambda: nx.parse_adjlist(lines, create_using=nx.MultiDiGraph))
    return graph
