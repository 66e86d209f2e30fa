"""Planar graphs from a seed: well-spread random points, their Delaunay triangulation, edges taken away at random."""

import itertools
import random
from collections.abc import Callable

import networkx as nx
import numpy as np
from scipy.spatial import Delaunay


def thinned(nodes: int, edges: int, seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Points (nodes, 2), edges (E, 2) int in one piece with at least two at every node, and how many there were most.

    E is `edges`, or where these points cannot have so few or so many, as near as they come.
    """
    draw = random.Random(seed).random
    points = _spread_points(nodes, draw)
    graph = nx.Graph()
    for corners in Delaunay(points).simplices.tolist():
        graph.add_edges_from(itertools.combinations(sorted(corners), 2))
    most = graph.number_of_edges()
    # An edge that cannot go now can never go later, so one pass in random order is enough.
    # Sorted first, so that the order in which the triangles were found does not matter.
    for a, b in sorted(sorted(graph.edges), key=lambda _: draw()):
        if graph.number_of_edges() <= edges:
            break
        if graph.degree(a) > 2 and graph.degree(b) > 2:
            graph.remove_edge(a, b)
            if not nx.has_path(graph, a, b):
                graph.add_edge(a, b)
    return points, np.array(sorted(sorted(edge) for edge in graph.edges)), most


def _spread_points(count: int, draw: Callable[[], float]) -> np.ndarray:
    """Points of the unit square, each the farthest of ten candidates from the points before it (Mitchell, 1991)."""
    points = np.empty((count, 2))
    for i in range(count):
        candidates = np.array([[draw(), draw()] for _ in range(10)])
        gaps = candidates[:, None, :] - points[None, :i, :]
        nearest = (gaps**2).sum(axis=-1).min(axis=1, initial=np.inf)
        points[i] = candidates[nearest.argmax()]
    return points
