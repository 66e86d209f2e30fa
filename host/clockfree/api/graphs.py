"""Networks as Python has them: a networkx graph, an adjacency matrix, pairs of nodes; and what their nodes are called.

An experiment knows a node by a text. Whoever came with tuples or numbers says those, and gets those back.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clockfree.base.errors import InputError
from clockfree_model.network import Network, NetworkError

FORMS = "a networkx graph, an adjacency matrix (N, N) or edges (E, 2), a specification such as square:9x9, or a file"
NAME = "graph"
"""What a network is called that came without a name."""


@dataclass(frozen=True)
class Graph:
    """A network from Python.

    Attributes
    ----------
    name : str
    nodes : tuple of hashable
        As they came; their texts are all different.
    ends : (E, 2) int array
        Indices into `nodes`.
    places : (N, 2) float array or None
        Where to draw the nodes, if that is known.
    """

    name: str
    nodes: tuple[Hashable, ...]
    ends: np.ndarray
    places: np.ndarray | None

    @property
    def texts(self) -> tuple[str, ...]:
        """Names of the nodes in an experiment."""
        return tuple(map(text_of, self.nodes))

    def network(self, placed: bool) -> Network:
        """The network; where nobody said where its nodes are, and it is not to be drawn, they are all in one place.

        Raises
        ------
        InputError
            It is none that can be built.
        """
        places = self.places
        if places is None and placed:
            from clockfree_model.layout import layout  # springs: slow to load, and only a run draws

            places = layout(len(self.nodes), self.ends)
        try:
            return Network(
                self.name, self.texts, self.ends, np.zeros((len(self.nodes), 2)) if places is None else places
            )
        except NetworkError as error:
            raise InputError(str(error)) from None


def text_of(node: Any) -> str:
    """What a node is called in an experiment and in its records."""
    return str(plain_node(node))


def plain_node(node: Any) -> Any:
    """A node without numpy's types: their texts would say so, and lists, which no graph has for nodes, are tuples."""
    if isinstance(node, np.generic):
        return node.item()
    if isinstance(node, np.ndarray):
        return plain_node(node.tolist())
    if isinstance(node, tuple | list):
        return tuple(map(plain_node, node)) if type(node) in (tuple, list) else node
    return node


def graph_of(network: Any, where: str) -> Graph:
    """What a person gave for a network; InputError, which begins with `where`, if it is none."""
    if hasattr(network, "is_directed") and hasattr(network, "is_multigraph"):
        return _from_networkx(network, where)
    if isinstance(network, np.ndarray):
        return _from_array(network, where)
    if isinstance(network, list | tuple) and network:
        if all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in network):
            if len(network) == 2 and [*map(list, network)] == [[0, 1], [1, 0]]:
                return _from_array(np.array(network), where)
            return _from_pairs([(plain_node(a), plain_node(b)) for a, b in network], where)
        try:
            return _from_array(np.array(network), where)
        except ValueError:  # ragged
            pass
    raise InputError(f"{where}: expected {FORMS}, got {_short(network)}")


def _from_networkx(graph: Any, where: str) -> Graph:
    if graph.is_directed():
        text = "expected an undirected graph, got a directed one: write network=G.to_undirected()"
        raise InputError(f"{where}: {text}")
    pairs = [(a, b) for a, b in graph.edges()]
    loops = [a for a, b in pairs if a == b]
    if loops:
        text = f"got {_short(loops[0])} joined to itself: write G.remove_edges_from(networkx.selfloop_edges(G)) before"
        raise InputError(f"{where}: expected edges between two nodes, {text}")
    if graph.is_multigraph() and len({frozenset(pair) for pair in pairs}) < len(pairs):
        text = "got a multigraph with edges side by side: write network=networkx.Graph(G)"
        raise InputError(f"{where}: expected one edge between two nodes, {text}")
    nodes = tuple(graph.nodes)
    places = _places(nodes, [graph.nodes[node] for node in nodes])
    return _graph(str(getattr(graph, "name", "")) or NAME, nodes, pairs, places, where)


def _places(nodes: Sequence[Hashable], attributes: Sequence[dict[str, Any]]) -> np.ndarray | None:
    """Where nodes are: by their attribute `pos`, by `x` and `y`, or being pairs of numbers; None where nobody knows."""
    ways: list[list[Any]] = [
        [each.get("pos") for each in attributes],
        [(each.get("x"), each.get("y")) for each in attributes],
        list(nodes),
    ]
    for way in ways:
        try:
            found = np.array(way, dtype=float)
        except (TypeError, ValueError):
            continue
        if found.shape == (len(nodes), 2) and np.isfinite(found).all():
            return found
    return None


def _from_array(array: np.ndarray, where: str) -> Graph:
    shape = array.shape
    if array.ndim != 2 or not {2, shape[0]} & {shape[1]} or array.dtype.kind not in "biuf":
        raise InputError(f"{where}: expected {FORMS}, got an array of shape {shape} and type {array.dtype}")
    square = shape[0] == shape[1]
    if square and (shape[0] != 2 or np.array_equal(array, [[0, 1], [1, 0]])):
        if not np.isin(array, (0, 1)).all():
            odd = array[~np.isin(array, (0, 1))][0]
            text = f"expected 0 and 1 in an adjacency matrix, got {odd:g}: write network=(A != 0)"
            raise InputError(f"{where}: {text}: every edge begins at the tap that start_taps says")
        if np.diagonal(array).any():
            node = int(np.flatnonzero(np.diagonal(array))[0])
            raise InputError(f"{where}: expected 0 on the diagonal of an adjacency matrix, got 1 at node {node}")
        if not np.array_equal(array, array.T):
            raise InputError(
                f"{where}: expected a symmetric adjacency matrix, got another: write network=(A + A.T > 0)"
            )
        pairs = np.argwhere(np.triu(array)).tolist()
        return _graph(NAME, tuple(range(len(array))), [(a, b) for a, b in pairs], None, where)
    if (array != np.rint(array)).any():
        raise InputError(f"{where}: expected whole numbers of nodes in edges (E, 2), got others")
    return _from_pairs([(int(a), int(b)) for a, b in array], where)


def _from_pairs(pairs: Sequence[tuple[Any, Any]], where: str) -> Graph:
    try:
        nodes = dict.fromkeys(node for pair in pairs for node in pair)
    except TypeError as error:
        raise InputError(f"{where}: expected nodes that can be keys of a dict, got others: {error}") from None
    if all(isinstance(node, int) for node in nodes):
        nodes = dict.fromkeys(sorted(nodes))
    return _graph(NAME, tuple(nodes), pairs, _places(tuple(nodes), [{}] * len(nodes)), where)


def _graph(
    name: str, nodes: tuple[Hashable, ...], pairs: Iterable[tuple[Any, Any]], places: np.ndarray | None, where: str
) -> Graph:
    called: dict[str, Any] = {}
    for node in nodes:
        other = called.setdefault(text_of(node), node)
        if other is not node:
            text = f"got {other!r} and {node!r}"
            raise InputError(f"{where}: expected nodes that differ as text, which records name them by, {text}")
    index = {node: i for i, node in enumerate(nodes)}
    ends = np.array([(index[a], index[b]) for a, b in pairs], dtype=np.int64).reshape(-1, 2)
    return Graph(name, nodes, ends, places)


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
