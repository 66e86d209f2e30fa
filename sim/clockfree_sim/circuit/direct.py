"""Node voltages of a resistor network by one direct solve: the plain way, used as a check and for single solutions."""

import numpy as np
from scipy.sparse import coo_array, csc_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from clockfree_sim.circuit.cut import CUT_S


def laplacian(nodes: int, ends: np.ndarray, conductance: np.ndarray) -> csc_array:
    """Matrix Y of the network, S (nodes, nodes): Y V is the current that must be fed into each node."""
    tail, head = np.asarray(ends).T
    rows = np.concatenate([tail, head, tail, head])
    columns = np.concatenate([tail, head, head, tail])
    g = np.asarray(conductance, dtype=float)
    return coo_array((np.concatenate([g, g, -g, -g]), (rows, columns)), shape=(nodes, nodes)).tocsc()


def reached(nodes: int, ends: np.ndarray, conductance: np.ndarray, held) -> np.ndarray:
    """Which nodes are connected to a held node by edges that are not cut: bool (nodes,)."""
    alive = np.asarray(conductance) >= CUT_S
    tail, head = np.asarray(ends)[alive].T
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
    if unknown.any():
        rows = laplacian(nodes, ends, g)[np.flatnonzero(unknown)]
        feed = -(rows[:, held] @ held_V.T)
        voltage[:, unknown] = splu(rows[:, np.flatnonzero(unknown)].tocsc()).solve(np.ascontiguousarray(feed)).T
    return voltage
