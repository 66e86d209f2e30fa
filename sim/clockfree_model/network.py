"""Networks: which nodes an edge joins. The lab's 16 edges, square lattices, planar networks from a seed, files.

A self-loop has no drop and is refused. Edges in parallel have names of their own: `A-B`, `A-B#2`.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from clockfree_model.importers import READERS, Graph, NetworkError, Reading, read_graph
from clockfree_model.nearest import nearest
from clockfree_model.pieces import pieces

__all__ = ["Network", "NetworkError", "Reading", "lab16", "load", "noted", "planar", "square"]

MAX_NODES = 20_000  # of a network made from a specification: four times the largest that is promised to work
FORMS = f"lab16, square:ROWSxCOLS, square:ROWSxCOLS:periodic, planar:NODES:EDGES:SEED or a file ({' '.join(READERS)})"


@dataclass(frozen=True, eq=False)
class Network:
    """A graph whose edges are twin resistors.

    Attributes
    ----------
    name : str
        The specification or file it comes from; error messages begin with it.
    nodes : tuple of str
        Node names, all different.
    ends : (E, 2) int array, read-only
        Node indices of each edge; a drop is V[ends[:, 0]] - V[ends[:, 1]].
    positions : (N, 2) float array, read-only
        Where to draw the nodes; without a unit.

    Raises
    ------
    NetworkError
        No edge, a node named twice or not at all, a self-loop.
    """

    name: str
    nodes: tuple[str, ...]
    ends: np.ndarray
    positions: np.ndarray

    def __post_init__(self) -> None:
        ends = np.array(self.ends, dtype=np.int64).reshape(-1, 2)
        positions = np.array(self.positions, dtype=float).reshape(len(self.nodes), 2)
        ends.setflags(write=False)
        positions.setflags(write=False)
        object.__setattr__(self, "ends", ends)
        object.__setattr__(self, "positions", positions)
        if len(ends) == 0:
            raise NetworkError(self.name, "edges", "expected at least one edge, got none")
        if ends.min() < 0 or ends.max() >= len(self.nodes):
            raise NetworkError(self.name, "edges", f"expected node indices 0..{len(self.nodes) - 1}")
        if len(self._indices) != len(self.nodes):
            twice = next(name for i, name in enumerate(self.nodes) if self._indices[name] != i)
            raise NetworkError(self.name, "nodes", f"expected each name once, got {twice!r} twice")
        if "" in self._indices:
            raise NetworkError(self.name, "nodes", "expected a name for every node, got an empty one")
        for edge, (a, b) in enumerate(ends.tolist()):
            if a == b:
                raise NetworkError(
                    self.name, f"edges.{edge}", f"expected two different nodes, got {self.edge_name(edge)}"
                )

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.nodes)}

    @cached_property
    def _edges(self) -> dict[tuple[int, int], list[int]]:
        """The edges between two nodes, by their indices in ascending order."""
        edges: dict[tuple[int, int], list[int]] = {}
        for edge, (a, b) in enumerate(self.ends.tolist()):
            edges.setdefault((min(a, b), max(a, b)), []).append(edge)
        return edges

    def index(self, name: str) -> int:
        """Index of the node of this name; NetworkError if there is none."""
        if name not in self._indices:
            raise NetworkError(
                self.name, "nodes", f"expected {self._some_nodes()}, got {name!r}{nearest(name, self.nodes)}"
            )
        return self._indices[name]

    def edge_name(self, edge: int) -> str:
        """`A-B`: the names of the edge's two nodes; `A-B#2` is the second between them.

        Where that might be another edge too, since a node's name holds a hyphen, it is `(A)-(B)`.
        """
        a, b = self.ends[edge].tolist()
        place = self._edges[min(a, b), max(a, b)].index(edge)
        number = f"#{place + 1}" if place else ""
        name = f"{self.nodes[a]}-{self.nodes[b]}{number}"
        if (name.count("-") > 1 or "#" in name) and len(self._meant(name)) > 1:
            return f"({self.nodes[a]})-({self.nodes[b]}){number}"
        return name

    def edge(self, which: int | str) -> int:
        """Index of an edge given by its index or by its nodes, in either order (`A-B`, `B-A`; `A-B#2` in parallel)."""
        if isinstance(which, str):
            found = self._meant(which)
            if len(found) > 1:
                names = " and ".join(map(self.edge_name, found))
                raise NetworkError(self.name, "edges", f"expected one edge, got {which!r}, which may be {names}")
            if found:
                return found[0]
            hint = nearest(which, map(self.edge_name, range(min(len(self.ends), 2000))))
            raise NetworkError(self.name, "edges", f"expected an edge such as {self.edge_name(0)}, got {which!r}{hint}")
        if not 0 <= which < len(self.ends):
            raise NetworkError(self.name, "edges", f"expected an edge 0..{len(self.ends) - 1}, got {which}")
        return which

    def _meant(self, name: str) -> list[int]:
        """Edges that this may be the name of."""
        found = self._between(name, 1)
        if form := re.fullmatch(r"(.+)#(\d{1,9})", name):
            found += self._between(form[1], int(form[2]))
        return found

    def _between(self, names: str, place: int) -> list[int]:
        """Edges that may be between two nodes of these names, the first, second, ... of those in parallel."""
        # A node's name may hold a hyphen itself, so every place where the text can be parted is tried.
        parts = names.split("-")
        ways = [("-".join(parts[:cut]), "-".join(parts[cut:])) for cut in range(1, len(parts))]
        if form := re.fullmatch(r"\((.+)\)-\((.+)\)", names):
            ways.append((form[1], form[2]))
        found = []
        for way in ways:
            a, b = (self._indices.get(name, -1) for name in way)
            edges = self._edges.get((min(a, b), max(a, b)), [])
            if 1 <= place <= len(edges):
                found.append(edges[place - 1])
        return found

    def check(self, sources: list[int] | tuple[int, ...], targets: list[int] | tuple[int, ...]) -> None:
        """Raise NetworkError if a target is cut off from every source, or a piece of the network has no source."""
        count, piece = pieces(len(self.nodes), self.ends)
        if count == 1:
            return
        fed = {piece[source] for source in sources}
        for target in targets:
            if piece[target] not in fed:
                raise NetworkError(
                    self.name,
                    "targets",
                    f"expected a path to a source, got {self.nodes[target]} cut off from every source",
                )
        dry = [number for number in range(count) if number not in fed]
        if dry:
            shown = " and ".join(self._some_of(np.flatnonzero(piece == number)) for number in range(min(count, 3)))
            without = self._some_of(np.flatnonzero(piece == dry[0]))
            text = f"expected a network in one piece, or a source in each, got {count} pieces ({shown})"
            raise NetworkError(self.name, "edges", f"{text}, none of {without} a source")

    def _some_of(self, nodes: np.ndarray) -> str:
        names = [self.nodes[node] for node in nodes[:4].tolist()]
        return ", ".join(names) + (", ..." if len(nodes) > 4 else "")

    def cut_off(self, sources: list[int] | tuple[int, ...], cut: set[int]) -> tuple[str, ...]:
        """Names of the nodes that no source reaches once the edges in `cut` are gone."""
        kept = np.array([edge not in cut for edge in range(len(self.ends))])
        _, piece = pieces(len(self.nodes), self.ends[kept])
        return tuple(np.array(self.nodes)[~np.isin(piece, piece[list(sources)])].tolist())

    def _some_nodes(self) -> str:
        if len(self.nodes) <= 20:
            return "one of " + ", ".join(self.nodes)
        return f"one of its {len(self.nodes)} nodes ({', '.join(self.nodes[:3])}, ... {self.nodes[-1]})"


def lab16() -> Network:
    """The lab network of SCIENCE.md: 9 nodes A..I, 16 edges. Positions: drawn by hand so that no two edges cross."""
    edges = ["AB", "AE", "AG", "AH", "AI", "BE", "CE", "CD", "CF", "DF", "EF", "EG", "FG", "HG", "HI", "IG"]
    nodes = "ABCDEFGHI"
    places = [(0, 2), (1, 3), (3, 3), (4.2, 2), (2, 2), (3, 1), (2, 0), (0.8, 0.6), (0, -0.4)]
    ends = np.array([[nodes.index(name) for name in edge] for edge in edges])
    return Network("lab16", tuple(nodes), ends, np.array(places))


def square(rows: int, cols: int, periodic: bool = False) -> Network:
    """Square lattice, nodes `r0c0`, `r0c1`, ... row by row; periodic in both directions if asked for.

    Raises
    ------
    NetworkError
        A size below 1 (below 3 if periodic: an edge would wrap onto another), less than 2 nodes, more than MAX_NODES.
    """
    name = f"square:{rows}x{cols}" + (":periodic" if periodic else "")
    lowest = 3 if periodic else 1
    for key, size in (("rows", rows), ("cols", cols)):
        if not lowest <= size <= MAX_NODES:
            raise NetworkError(name, key, f"expected {lowest}..{MAX_NODES}, got {size}")
    if not 2 <= rows * cols <= MAX_NODES:
        raise NetworkError(name, "rows x cols", f"expected 2..{MAX_NODES} nodes, got {rows * cols}")
    index = np.arange(rows * cols).reshape(rows, cols)
    if periodic:
        right = np.stack([index, np.roll(index, -1, axis=1)], axis=-1)
        down = np.stack([index, np.roll(index, -1, axis=0)], axis=-1)
    else:
        right = np.stack([index[:, :-1], index[:, 1:]], axis=-1)
        down = np.stack([index[:-1], index[1:]], axis=-1)
    names = tuple(f"r{r}c{c}" for r in range(rows) for c in range(cols))
    positions = np.array([(c, -r) for r in range(rows) for c in range(cols)])
    return Network(name, names, np.concatenate([right.reshape(-1, 2), down.reshape(-1, 2)]), positions)


def planar(nodes: int = 64, edges: int = 143, seed: int = 0) -> Network:
    """Planar network from a seed: well-spread random points, their Delaunay triangulation, edges taken away at random.

    It stays in one piece and every node keeps at least two edges. Random numbers come from
    `random.Random(seed).random()`, whose sequence Python promises to keep: a seed means the same network everywhere.

    Raises
    ------
    NetworkError
        `nodes` outside 3..MAX_NODES, or a number of edges that these points cannot have (at most the triangulation's,
        at least what is left when no further edge can go).
    """
    name = f"planar:{nodes}:{edges}:{seed}"
    if not 3 <= nodes <= MAX_NODES:
        raise NetworkError(name, "nodes", f"expected 3..{MAX_NODES}, got {nodes}")
    if not nodes <= edges <= 3 * nodes - 3:
        raise NetworkError(name, "edges", f"expected {nodes}..{3 * nodes - 3} for {nodes} nodes, got {edges}")
    if seed < 0:
        raise NetworkError(name, "seed", f"expected an integer >= 0, got {seed}")
    from clockfree_model.planar import thinned  # triangulation: slow to load, and only these networks ask

    points, ends, most = thinned(nodes, edges, seed)
    if len(ends) != edges:
        least = len(ends) if edges < most else nodes
        raise NetworkError(name, "edges", f"expected {least}..{most} for these points, got {edges}")
    return Network(name, tuple(map(str, range(nodes))), ends, points)


def is_made(spec: str) -> bool:
    """Whether a specification is to make a network, and names no file."""
    return spec == "lab16" or spec.startswith(("square:", "planar:"))


def noted(spec: str, reading: Reading = Reading()) -> tuple[Network, Graph | None]:
    """The network that a specification or a file name stands for, and of a file what it says besides.

    Parameters
    ----------
    spec : str
        `lab16`, `square:9x9`, `square:50x50:periodic`, `planar:64:143:SEED` or a path to a file.
    reading : Reading
        What is decided of a file that could be read in two ways.

    Raises
    ------
    NetworkError
        Not one of these, a size out of range, or a file that cannot be used.
    """
    if spec == "lab16":
        return lab16(), None
    if form := re.fullmatch(r"square:(-?\d{1,9})x(-?\d{1,9})(:periodic)?", spec):
        return square(int(form[1]), int(form[2]), periodic=form[3] is not None), None
    if form := re.fullmatch(r"planar:(-?\d{1,9}):(-?\d{1,9}):(-?\d{1,18})", spec):
        return planar(int(form[1]), int(form[2]), int(form[3])), None
    path = Path(spec)
    if path.suffix.lower() not in READERS and not path.is_file():
        raise NetworkError(
            spec, "network", f"expected {FORMS}{nearest(spec, ('lab16', 'square:9x9', 'planar:64:143:0'))}"
        )
    if is_made(spec):
        raise NetworkError(spec, "network", f"expected {FORMS}")
    graph = read_graph(path, reading)
    indices = {name: i for i, name in enumerate(graph.names)}
    ends = np.array([(indices[a], indices[b]) for a, b in graph.pairs], dtype=np.int64).reshape(-1, 2)
    if graph.positions is not None:
        return Network(spec, tuple(graph.names), ends, np.array(graph.positions)), graph
    if not len(ends) or len(indices) != len(graph.names):
        return Network(spec, tuple(graph.names), ends, np.zeros((len(graph.names), 2))), graph  # it says what is wrong
    from clockfree_model.layout import layout  # springs: slow to load, and a file may have positions

    return Network(spec, tuple(graph.names), ends, layout(len(graph.names), ends)), graph


def load(spec: str) -> Network:
    """The network that a specification or a file name stands for; see `noted`."""
    return noted(spec)[0]
