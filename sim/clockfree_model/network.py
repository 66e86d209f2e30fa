"""Networks: which nodes an edge joins. The lab's 16 edges, square lattices, planar networks from a seed, files.

A self-loop has no drop and is refused. An edge listed twice is refused too: two edges in parallel make a circuit, but
in a file they are nearly always one edge written in both directions, and so an edge's name (`A-B`) stays unique.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from clockfree_model.importers import READERS, NetworkError, read_graph
from clockfree_model.pieces import pieces

__all__ = ["Network", "NetworkError", "lab16", "load", "planar", "read_file", "square"]

MAX_NODES = 20_000  # of a network made from a specification: four times the largest that is promised to work
FORMS = (
    "lab16, square:ROWSxCOLS, square:ROWSxCOLS:periodic, planar:NODES:EDGES:SEED or a file (.graphml .json .csv .txt)"
)


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
        No edge, a node named twice or not at all, a self-loop, an edge listed twice.
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
            earlier = self._edges[min(a, b), max(a, b)]
            if earlier != edge:
                problem = f"expected each edge once, got {self.edge_name(edge)}, which is edges.{earlier}"
                raise NetworkError(self.name, f"edges.{edge}", problem)

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.nodes)}

    @cached_property
    def _edges(self) -> dict[tuple[int, int], int]:
        """The first edge between two nodes, by their indices in ascending order."""
        edges: dict[tuple[int, int], int] = {}
        for edge, (a, b) in enumerate(self.ends.tolist()):
            edges.setdefault((min(a, b), max(a, b)), edge)
        return edges

    def index(self, name: str) -> int:
        """Index of the node of this name; NetworkError if there is none."""
        if name not in self._indices:
            raise NetworkError(self.name, "nodes", f"expected {self._some_nodes()}, got {name!r}")
        return self._indices[name]

    def edge_name(self, edge: int) -> str:
        """`A-B`: the names of the edge's two nodes."""
        a, b = self.ends[edge]
        return f"{self.nodes[a]}-{self.nodes[b]}"

    def edge(self, which: int | str) -> int:
        """Index of an edge given by its index or by its nodes, in either order (`A-B` or `B-A`)."""
        if isinstance(which, str):
            # A node's name may hold a hyphen itself, so every place where the text can be parted is tried.
            parts = which.split("-")
            for cut in range(1, len(parts)):
                a, b = (self._indices.get("-".join(side), -1) for side in (parts[:cut], parts[cut:]))
                edge = self._edges.get((min(a, b), max(a, b)))
                if edge is not None:
                    return edge
            raise NetworkError(self.name, "edges", f"expected an edge such as {self.edge_name(0)}, got {which!r}")
        if not 0 <= which < len(self.ends):
            raise NetworkError(self.name, "edges", f"expected an edge 0..{len(self.ends) - 1}, got {which}")
        return which

    def check(self, sources: list[int] | tuple[int, ...], targets: list[int] | tuple[int, ...]) -> None:
        """Raise NetworkError if a target is cut off from every source, or if the network is in pieces."""
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
        apart = self.nodes[int(np.flatnonzero(piece != piece[0])[0])]
        raise NetworkError(
            self.name,
            "edges",
            f"expected a network in one piece, got {count} pieces ({self.nodes[0]} and {apart} are not joined)",
        )

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


def read_file(path: str | Path) -> Network:
    """Read a network from GraphML, node-link JSON, a CSV edge list or plain text with positions (see importers)."""
    path = Path(path)
    names, pairs, positions = read_graph(path)
    indices = {name: i for i, name in enumerate(names)}
    ends = np.array([(indices[a], indices[b]) for a, b in pairs], dtype=np.int64).reshape(-1, 2)
    if positions is not None:
        return Network(str(path), tuple(names), ends, np.array(positions))
    from clockfree_model.layout import layout  # springs: slow to load, and a file may have positions

    return Network(str(path), tuple(names), ends, layout(len(names), ends))


def load(spec: str) -> Network:
    """The network that a specification or a file name stands for.

    Parameters
    ----------
    spec : str
        `lab16`, `square:9x9`, `square:50x50:periodic`, `planar:64:143:SEED` or a path to a file.

    Raises
    ------
    NetworkError
        Not one of these, a size out of range, or a file that cannot be used.
    """
    if spec == "lab16":
        return lab16()
    if form := re.fullmatch(r"square:(-?\d{1,9})x(-?\d{1,9})(:periodic)?", spec):
        return square(int(form[1]), int(form[2]), periodic=form[3] is not None)
    if form := re.fullmatch(r"planar:(-?\d{1,9}):(-?\d{1,9}):(-?\d{1,18})", spec):
        return planar(int(form[1]), int(form[2]), int(form[3]))
    if Path(spec).suffix.lower() in READERS and not spec.startswith(("square:", "planar:")):
        return read_file(spec)
    raise NetworkError(spec, "network", f"expected {FORMS}")
