"""Pieces of a network: which nodes its edges join."""

import numpy as np


def pieces(nodes: int, ends: np.ndarray) -> tuple[int, np.ndarray]:
    """Number of pieces, and which of them each node is in, (nodes,) int, for edges of `ends` (E, 2).

    A union of sets in plain Python: a sparse-matrix library takes longer to load than this takes on any network.
    """
    up = list(range(nodes))
    for a, b in ends.tolist():
        up[_top(up, b)] = _top(up, a)
    found, piece = np.unique([_top(up, node) for node in range(nodes)], return_inverse=True)
    return len(found), piece


def _top(up: list[int], node: int) -> int:
    """The node that stands for a node's piece; the way there is halved for whoever comes next."""
    while up[node] != node:
        up[node] = node = up[up[node]]
    return node
