"""Reading of network files: what every reader gives and is told, and how it says what is wrong."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST = 200_000
"""Nodes and edges that a file may have: ten times what is promised to work."""


@dataclass(frozen=True)
class Reading:
    """What a person decides where a file could be read in two ways; keys of a task's `[network_file]`.

    ``parallel``: edges listed twice are refused, kept as two resistors, or merged into one. ``self_loops``: edges from
    a node to itself are refused, or dropped. The rest is of tables: ``header``, whether the first row names the
    columns; ``separator`` and ``decimal``, one sign each. None is for the file to tell.
    """

    parallel: str = "refuse"
    self_loops: str = "refuse"
    header: bool | None = None
    separator: str | None = None
    decimal: str | None = None


@dataclass
class Graph:
    """What a reader found in a file.

    Attributes
    ----------
    names : list of str
        Nodes, in file order.
    pairs : list of (str, str)
        Edges.
    places : list of str
        Where in the file each edge stands, for errors: `line 3`, `edges.2`.
    positions : list of (float, float) or None
    columns : dict of list
        What the file says of each edge besides, by name.
    said : list of str
        What was understood, in a few words each.
    """

    names: list[str]
    pairs: list[tuple[str, str]]
    places: list[str]
    positions: list[tuple[float, float]] | None = None
    columns: dict[str, list[Any]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)


class NetworkError(ValueError):
    """A network that cannot be used, in one line: `FILE: key: expected …, got …`.

    For a network made from a specification, the specification stands in the place of the file.
    """

    def __init__(self, where: str | Path, key: str, problem: str) -> None:
        super().__init__(f"{where}: {key}: {problem}")
        self.problem = problem


def settled(path: Path, graph: Graph, reading: Reading) -> Graph:
    """The graph without self-loops and with each edge once, as far as the file and the person agree on it.

    A file in which every edge stands once in each direction has each edge once.

    Raises
    ------
    NetworkError
        A self-loop, or an edge listed twice, about which nothing was decided.
    """
    loops = [i for i, (a, b) in enumerate(graph.pairs) if a == b]
    if loops and reading.self_loops == "refuse":
        a, b = graph.pairs[loops[0]]
        hint = "it carries no current: --self-loops drop, or network_file.self_loops in a task, leaves it out"
        raise NetworkError(path, graph.places[loops[0]], f"expected two different nodes, got {a}-{b} ({hint})")
    if loops:
        graph = _without(graph, set(loops), f"{_counted(len(loops), 'self-loop')} dropped")
    first: dict[frozenset[str], int] = {}
    again = {}
    for i, pair in enumerate(graph.pairs):
        earlier = first.setdefault(frozenset(pair), i)
        if earlier != i:
            again[i] = earlier
    if not again:
        return graph
    opposite = len(again) == len(first) == len(set(again.values())) and all(
        graph.pairs[i] == graph.pairs[earlier][::-1] for i, earlier in again.items()
    )
    differ = [i for i, earlier in again.items() if _row(graph, i) != _row(graph, earlier)]
    if opposite and not differ and reading.parallel != "keep":
        return _without(graph, set(again), "each edge listed in both directions")
    if reading.parallel == "refuse":
        i = differ[0] if opposite and differ else next(iter(again))
        (a, b), earlier_at = graph.pairs[i], graph.places[again[i]]
        on = "on " if earlier_at.startswith("line") else ""
        hint = "--parallel keep makes two resistors, merge one; in a task, network_file.parallel"
        raise NetworkError(
            path, graph.places[i], f"expected each edge once, got {a}-{b}, which is {on}{earlier_at} ({hint})"
        )
    if reading.parallel == "keep":
        graph.said.append(f"{_counted(len(again), 'edge')} in parallel to another kept")
        return graph
    for i in differ:  # which of the two holds, nobody said
        for values in graph.columns.values():
            if values[i] != values[again[i]]:
                values[again[i]] = None
    return _without(graph, set(again), f"{_counted(len(again), 'edge')} merged with another")


def _row(graph: Graph, edge: int) -> list[Any]:
    return [values[edge] for values in graph.columns.values()]


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _without(graph: Graph, gone: set[int], said: str) -> Graph:
    kept = [i for i in range(len(graph.pairs)) if i not in gone]
    return Graph(
        graph.names,
        [graph.pairs[i] for i in kept],
        [graph.places[i] for i in kept],
        graph.positions,
        {name: [values[i] for i in kept] for name, values in graph.columns.items()},
        [*graph.said, said],
    )


def columns_of(edges: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Attributes of the edges by name, None where an edge has none of that name."""
    names = dict.fromkeys(name for attributes in edges for name in attributes)
    return {str(name): [attributes.get(name) for attributes in edges] for name in names}


def name_of(value: object) -> str | None:
    """A node's name from an id as files have them: text, a whole number, a pair or more of them; None where it is none.

    Whole numbers lose their `.0`; (0, 1) is "0,1".
    """
    if isinstance(value, list | tuple) and value:
        parts = [name_of(part) for part in value]
        return None if None in parts else ",".join(map(str, parts))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)


def named(ids: Sequence[str], nodes: Sequence[Mapping[str, Any]], said: list[str]) -> dict[str, str]:
    """Names of nodes by their ids: the attribute name, or label, where every node has one of its own; else the ids."""
    for key in ("name", "label"):
        names = [next((name_of(value) for each, value in node.items() if each.lower() == key), None) for node in nodes]
        if not nodes or not all(names):
            continue
        if len(set(names)) == len(names):
            if names != list(ids):
                said.append(f"names from {key}")
            return {id_: str(name) for id_, name in zip(ids, names, strict=True)}
        said.append(f"{key} not used: two nodes have the same")
    return {id_: id_ for id_ in ids}


def positions_of(path: Path, nodes: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[float, float]] | None:
    """Node attributes x and y, all or none."""
    if not any("x" in attributes or "y" in attributes for _, attributes in nodes):
        return None
    positions = []
    for name, attributes in nodes:
        place = []
        for key in "xy":
            value = attributes.get(key)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise NetworkError(
                    path, f"nodes.{name}.{key}", f"expected a number, as the other nodes have, got {shown(value)}"
                )
            place.append(float(value))
        positions.append((place[0], place[1]))
    return positions


def in_networkx_order(
    names: Sequence[str], pairs: Sequence[tuple[str, str]], directed: bool
) -> tuple[list[int], list[tuple[str, str]]]:
    """Order in which networkx goes through edges, and the edges in it, each from the node that comes first.

    Node by node, each with its edges that were not yet met in the order of the file; as earlier versions did.
    """
    if directed:
        at = {name: i for i, name in enumerate(names)}
        order = sorted(range(len(pairs)), key=lambda i: (at[pairs[i][0]], i))
        return order, [pairs[i] for i in order]
    of: dict[str, list[int]] = {name: [] for name in names}
    for i, (a, b) in enumerate(pairs):
        of[a].append(i)
        if a != b:
            of[b].append(i)
    met: set[int] = set()
    order, turned = [], []
    for name in names:
        for i in of[name]:
            if i not in met:
                met.add(i)
                order.append(i)
                turned.append(pairs[i] if pairs[i][0] == name else (pairs[i][1], pairs[i][0]))
    return order, turned


def one_line(error: Exception) -> str:
    """What a library says of a file, in one line."""
    return " ".join(re.sub(r"\s+", " ", str(error)).split())[:120] or type(error).__name__


def shown(value: object) -> str:
    """A value as an error shows it: short, and nothing for what is missing."""
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
