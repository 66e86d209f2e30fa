"""Node voltages of a resistor network by one direct solve: the plain way, used as a check and for single solutions.

Sparse matrices are slow to load: a small network does without.
"""

from typing import TYPE_CHECKING

import numpy as np

from clockfree_sim.circuit.cut import CUT_S

if TYPE_CHECKING:
    from scipy.sparse import csc_array

DENSE_NODES = 200
"""Up to so many nodes a dense matrix is faster than sparse factors."""


def laplacian(nodes: int, ends: np.ndarray, conductance: np.ndarray) -> "csc_array":
    """Matrix Y of the network, S (nodes, nodes): Y V is the current that must be fed into each node."""
    from scipy.sparse import coo_array

    tail, head = np.asarray(ends).T
    rows = np.concatenate([tail, head, tail, head])
    columns = np.concatenate([tail, head, head, tail])
    g = np.asarray(conductance, dtype=float)
    return coo_array((np.concatenate([g, g, -g, -g]), (rows, columns)), shape=(nodes, nodes)).tocsc()


def reached(nodes: int, ends: np.ndarray, conductance: np.ndarray, held) -> np.ndarray:
    """Which nodes are connected to a held node by edges that are not cut: bool (nodes,)."""
    alive = np.asarray(conductance) >= CUT_S
    tail, head = np.asarray(ends)[alive].T
    if nodes <= DENSE_NODES:
        found = np.isin(np.arange(nodes), held)
        for _ in range(nodes):
            found[tail[found[head]]] = found[head[found[tail]]] = True
        return found
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(coo_array((np.ones(len(tail)), (tail, head)), shape=(nodes, nodes)), directed=False)
    return np.isin(label, label[np.asarray(held)])


def solve(nodes: int, ends: np.ndarray, conductance: np.ndarray, held, held_V: np.ndarray) -> np.ndarray:
    """Voltages of all nodes when some are held.

    Parameters
    ----------
    nodes : int
    ends : (E, 2) int
    conductance : (E,) float
        S; below `CUT_S` the edge is cut.
    held : (H,) int
        Nodes with a given voltage.
    held_V : (B, H) float
        Their voltages, V, one row per case.

    Returns
    -------
    (B, nodes) float
        V. Nodes that nothing connects to a held node are 0 V.
    """
    held = np.asarray(held, dtype=np.int64)
    held_V = np.atleast_2d(held_V)
    g = np.where(np.asarray(conductance) >= CUT_S, conductance, 0.0)
    unknown = reached(nodes, ends, g, held)
    unknown[held] = False
    voltage = np.zeros((held_V.shape[0], nodes))
    voltage[:, held] = held_V
    if not unknown.any():
        return voltage
    if nodes <= DENSE_NODES:
        dense = _dense(nodes, ends, g)[unknown]
        voltage[:, unknown] = np.linalg.solve(dense[:, unknown], -(dense[:, held] @ held_V.T)).T
        return voltage
    from scipy.sparse.linalg import splu

    rows = laplacian(nodes, ends, g)[np.flatnonzero(unknown)]
    feed = -(rows[:, held] @ held_V.T)
    voltage[:, unknown] = splu(rows[:, np.flatnonzero(unknown)].tocsc()).solve(np.ascontiguousarray(feed)).T
    return voltage


def _dense(nodes: int, ends: np.ndarray, conductance: np.ndarray) -> np.ndarray:
    """The same matrix as `laplacian`."""
    tail, head = np.asarray(ends).T
    found = np.zeros((nodes, nodes))
    np.add.at(found, (tail, tail), conductance)
    np.add.at(found, (head, head), conductance)
    np.add.at(found, (tail, head), -conductance)
    np.add.at(found, (head, tail), -conductance)
    return found
