import networkx as nx
import numpy as np
import pytest

from clockfree_model.network import lab16
from clockfree_sim.circuit import direct
from clockfree_sim.circuit.direct import laplacian, solve


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_currents_balance_and_islands_are_at_0(seed, dense, monkeypatch):
    """By Kirchhoff's current law, and by networkx where a held node is not reached."""
    monkeypatch.setattr(direct, "DENSE_NODES", 9 if dense else 8)
    rng = np.random.default_rng(seed)
    ends, held, held_V = lab16().ends, rng.permutation(9)[:2], rng.uniform(0, 5, (3, 2))
    g_S = np.where(rng.random(16) < 0.5, 0.0, 1 / rng.uniform(1e3, 1e5, 16))
    voltage = solve(9, ends, g_S, held, held_V)
    assert (voltage[:, held] == held_V).all()
    graph = nx.Graph([*map(tuple, ends[g_S > 0])])
    graph.add_nodes_from(range(9))
    islands = {*range(9)} - {node for each in held for node in nx.node_connected_component(graph, each)}
    assert (voltage[:, [*islands]] == 0).all()
    free = np.setdiff1d(np.arange(9), held)
    assert np.abs((voltage @ laplacian(9, ends, g_S).toarray())[:, free]).max() < 1e-17
    drops_V = voltage[:, ends[:, 0]] - voltage[:, ends[:, 1]]
    fed_A = np.stack([np.bincount(ends.T.ravel(), np.concatenate([i, -i]), 9) for i in drops_V * g_S])
    assert np.abs(fed_A[:, free]).max() < 1e-17
