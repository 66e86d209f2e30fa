"""The solver of a network: dense where it is small, a tree of Schur complements where it is not; compiled.

Compiled code takes the one that its plan is for, by the type of the plan's integers, and only that one is compiled.
"""

import numpy as np

from clockfree_sim.circuit import dense, elimination, factor, schur, substitution
from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.caching import either
from clockfree_sim.circuit.lanes import get, put

SMALL = 16
"""Up to so many nodes that are no source a network is solved dense."""
FEW = 16
"""Edges that are always stepped one by one when they step together; of many, a factorisation takes less time."""

compiled = schur.compiled


def planned(nodes: int, ends: np.ndarray, sources: np.ndarray, targets: np.ndarray, trees: int):
    """Flat plan of a network, and the number of doubles that its state needs; see `elimination.eliminated`."""
    make = dense.planned if nodes - len(sources) <= SMALL else elimination.eliminated
    return make(nodes, ends, sources, targets, trees)


def rows_of_targets(plan: np.ndarray, state: np.ndarray) -> np.ndarray:
    """How the free targets follow the sources, a view (O, S)."""
    begin, row = plan[plan[at.ROOT] + np.array([at.ROWS, at.ROW])]
    return state[begin : begin + row * plan[at.TARGETS]].reshape(-1, row)[:, : plan[at.SOURCES]]


def _small(plan) -> bool:
    return str(plan.dtype) == "int32"


read = either(dense.read, schur.read, _small)
"""Drops of an edge in the free and the clamped twin, V, settled; no node voltage is needed."""
step = either(dense.step, schur.step, _small)
"""Conductances of an edge become these, S; targets' voltages follow, node voltages do not (see `voltages`)."""
step_read = either(dense.step, schur.step_read, _small)
"""As `step`, for the edge that was just read."""
outputs = either(dense.outputs, schur.outputs, _small)
"""Ports' voltages in both twins from the sources' and the clamp; node voltages are stale until `voltages`."""
remake = either(dense.factor, factor.factor, _small)
"""Start again from the stored conductances; voltages are not touched."""
nodes = either(dense.nodes, substitution.nodes, _small)
"""Node voltages of both twins from the ports'."""


@compiled
def step_all(plan, state, edges, g_S):
    """Conductances of several edges become these, S (2, n), in the free and in the clamped twin: as `step` for each."""
    at_S, count, size = get(plan, at.S_CONDUCTANCE), get(plan, at.EDGES), len(edges)
    changed = 0
    for i in range(size):
        free, clamped = at_S + edges[i], at_S + count + edges[i]
        changed += g_S[0, i] != get(state, free) or g_S[1, i] != get(state, clamped)
    if changed <= FEW + count // 8:
        for i in range(size):
            free, clamped = at_S + edges[i], at_S + count + edges[i]
            if g_S[0, i] != get(state, free) or g_S[1, i] != get(state, clamped):
                step(plan, state, edges[i], g_S[0, i], g_S[1, i])
    else:
        for i in range(size):
            put(state, at_S + edges[i], g_S[0, i])
            put(state, at_S + count + edges[i], g_S[1, i])
        remake(plan, state)
        outputs(plan, state)
