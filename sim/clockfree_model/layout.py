"""Layout of a network that comes without positions, for drawings."""

import networkx as nx
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

PIVOTS = 50


def layout(nodes: int, ends: np.ndarray) -> np.ndarray:
    """Positions that bring near in the drawing what is near along the edges; the same ones every time.

    Parameters
    ----------
    nodes : int
    ends : (E, 2) int array

    Returns
    -------
    (nodes, 2) float array
        Positions within -1 .. 1.

    Notes
    -----
    Up to 100 nodes by Kamada and Kawai's springs; beyond, where those take minutes, by multidimensional scaling against
    pivots that lie far from each other (Brandes and Pich, 2007).
    """
    if nodes <= 100:
        graph = nx.empty_graph(nodes)
        graph.add_edges_from(ends.tolist())
        return np.array([place for _, place in sorted(nx.kamada_kawai_layout(graph).items())])
    edges = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(nodes, nodes)).tocsr()
    distances = np.empty((nodes, PIVOTS))
    nearest, pivot = np.full(nodes, np.inf), 0
    for i in range(PIVOTS):
        hops = dijkstra(edges, directed=False, indices=pivot, unweighted=True)
        distances[:, i] = np.where(np.isinf(hops), nodes, hops)
        nearest = np.minimum(nearest, distances[:, i])
        pivot = int(nearest.argmax())
    squares = distances**2
    centred = squares - squares.mean(axis=0) - squares.mean(axis=1, keepdims=True) + squares.mean()
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    places = centred @ axes[:2].T
    scaled: np.ndarray = places / np.abs(places).max()
    return scaled
