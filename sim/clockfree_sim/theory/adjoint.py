"""A network and its adjoint: free voltages, and what they answer to injected currents, by one factorisation."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from clockfree_model.network import Network
from clockfree_sim.circuit.direct import DENSE_NODES, laplacian


class Adjoint:
    """The free twin of a network, for any conductances.

    The voltage of an output answers to a conductance by minus the product of two drops: that of the edge in the
    network, and in the adjoint, where the sources are at 0 V and 1 A is injected at the output.

    Parameters
    ----------
    network : Network
    sources : node indices
    dense : bool or None
        Whether by a dense inverse; None decides by the number of nodes.
    """

    def __init__(self, network: Network, sources: Sequence[int], dense: bool | None = None):
        self._nodes = nodes = len(network.nodes)
        self._ends = network.ends
        self._sources = np.array(sources)
        self._unknown = np.setdiff1d(np.arange(nodes), self._sources)
        self._dense = nodes <= DENSE_NODES if dense is None else dense
        tail, head = network.ends.T
        places = (tail * nodes + tail, head * nodes + head, tail * nodes + head, head * nodes + tail)
        self._places = np.stack(places, axis=1).ravel()  # of an edge in the matrix of all nodes

    def solved(self, g_S: np.ndarray, source_V: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        """Free voltages (nodes, B) with conductances (E,), S, and sources at (B, S), V; and the adjoint's solver.

        The solver takes currents injected at the nodes (nodes, K), A, and gives voltages (nodes, K) with the sources
        at 0 V.
        """
        kirchhoff: Any  # at the unknown nodes
        if self._dense:
            each = np.multiply.outer(g_S, (1.0, 1.0, -1.0, -1.0)).ravel()
            whole = np.bincount(self._places, each, self._nodes**2).reshape(self._nodes, self._nodes)
            kirchhoff = whole[self._unknown]
        else:
            kirchhoff = laplacian(self._nodes, self._ends, g_S)[self._unknown]
        matrix, feed = kirchhoff[:, self._unknown], -(kirchhoff[:, self._sources] @ source_V.T)
        if self._dense:
            inverse = np.linalg.inv(matrix)  # for the network and for its adjoint
            solve = inverse.__matmul__
        else:
            from scipy.sparse.linalg import splu  # slow to load, and a small network does without

            solve = splu(matrix.tocsc()).solve

        def inject(current_A: np.ndarray) -> np.ndarray:
            volts = np.zeros_like(current_A)
            volts[self._unknown] = solve(np.ascontiguousarray(current_A[self._unknown]))
            return volts

        voltage = np.zeros((self._nodes, len(source_V)))
        voltage[self._sources] = source_V.T
        voltage[self._unknown] = solve(np.ascontiguousarray(feed))
        return voltage, inject

    def drops(self, volts: np.ndarray) -> np.ndarray:
        """Drops along the edges (E, K) of node voltages (nodes, K)."""
        tail, head = self._ends.T
        found: np.ndarray = volts[tail] - volts[head]
        return found
