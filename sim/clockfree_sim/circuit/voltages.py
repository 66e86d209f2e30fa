"""Node voltages of both twins, and how what is sensed settles to them; compiled."""

import numpy as np

from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit import solver
from clockfree_sim.circuit.lanes import get, put
from clockfree_sim.circuit.schur import compiled


@compiled
def settles(state):
    """Whether what is sensed lags behind the node voltages."""
    return get(state, at.RATE_FREE) > 0.0 or get(state, at.RATE_CLAMPED) > 0.0


@compiled
def voltages(plan, state, now_us):
    """Node voltages of both twins from the ports'; what is sensed begins to relax to them from what it was."""
    put(state, at.STALE, 0.0)
    count = get(plan, at.NODES)
    free, clamped, lag = get(plan, at.S_FREE), get(plan, at.S_CLAMPED), get(plan, at.S_LAG)
    lags = settles(state)
    if lags:
        _sense(state, get(state, at.RATE_FREE), now_us, lag, free, count)
        _sense(state, get(state, at.RATE_CLAMPED), now_us, lag + count, clamped, count)
        put(state, at.SINCE_US, now_us)
    solver.nodes(plan, state)
    if lags:
        for j in range(count):
            put(state, lag + j, get(state, lag + j) - get(state, free + j))
            put(state, lag + count + j, get(state, lag + count + j) - get(state, clamped + j))


@compiled
def _sense(state, rate, now_us, lag, voltage, count):
    """What is sensed now, V, in place of how far it lags behind."""
    decay = _left((get(state, at.SINCE_US) - now_us) * rate) if rate > 0.0 else 0.0
    for j in range(count):
        put(state, lag + j, get(state, lag + j) * decay + get(state, voltage + j))


@compiled
def _left(exponent):
    """What is left of a lag: nothing after 100 time constants, since what underflows takes ten times as long."""
    return np.exp(exponent) if exponent > -100.0 else 0.0


@compiled
def node_sensed(plan, state, node, now_us):
    """Voltage of a node in the free and the clamped twin as sensed at a time, V, from the node voltages."""
    free = get(state, get(plan, at.S_FREE) + node)
    clamped = get(state, get(plan, at.S_CLAMPED) + node)
    passed_us = get(state, at.SINCE_US) - now_us
    lag = get(plan, at.S_LAG) + node
    if get(state, at.RATE_FREE) > 0.0:
        free += get(state, lag) * _left(passed_us * get(state, at.RATE_FREE))
    if get(state, at.RATE_CLAMPED) > 0.0:
        clamped += get(state, lag + get(plan, at.NODES)) * _left(passed_us * get(state, at.RATE_CLAMPED))
    return free, clamped


@compiled
def drops_sensed(plan, state, edge, now_us):
    """Drops of an edge in the free and the clamped twin as sensed at a time, V, from the node voltages."""
    entry = get(plan, at.P_EDGES) + at.EDGE_SIZE * edge
    free, clamped = node_sensed(plan, state, get(plan, entry + at.E_TAIL), now_us)
    free_head, clamped_head = node_sensed(plan, state, get(plan, entry + at.E_HEAD), now_us)
    return free - free_head, clamped - clamped_head
