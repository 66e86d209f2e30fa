"""Node voltages of both twins from the trees of `schur`, and how what is sensed settles to them; compiled."""

import numpy as np

from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.lanes import add, floats, get, get_pair, pair, put
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
    root = get(plan, at.ROOT)
    members = get(plan, root + at.P_MEMBERS)
    ports = get(plan, at.SOURCES) + get(plan, at.TARGETS)
    for j in range(ports):
        put(state, free + get(plan, members + j), get(state, get(plan, at.S_PORTS) + j))
        put(state, clamped + get(plan, members + j), get(state, get(plan, at.S_PORTS) + ports + j))
    record = root - at.RECORD_SIZE
    while record >= at.P_BLOCKS:
        if get(plan, at.TREES) == 1:
            _interior(plan, state, 0, record, free, clamped)
        else:
            _interior(plan, state, 0, record, free, free)
            _interior(plan, state, get(plan, at.TREE_SIZE), record, clamped, clamped)
        record -= at.RECORD_SIZE
    if lags:
        for j in range(count):
            put(state, lag + j, get(state, lag + j) - get(state, free + j))
            put(state, lag + count + j, get(state, lag + count + j) - get(state, clamped + j))


@compiled
def _interior(plan, state, tree, record, one, two):
    """Interior voltages of a block from its boundary's, of two twins (or twice of one) whose voltages begin there."""
    boundary, interior = get(plan, record + at.BOUNDARY), get(plan, record + at.INTERIOR)
    row = get(plan, record + at.ROW)
    members = get(plan, record + at.P_MEMBERS)
    gather = get(plan, at.S_GATHER)
    for j in range(boundary):
        node = get(plan, members + j)
        put(state, gather + 2 * j, pair(get(state, one + node), get(state, two + node)))
    entries = get(plan, record + at.ROWS) + tree
    members += boundary
    for i in range(0, interior, 4):  # four rows at once; short of four, the last one again
        i_b, i_c, i_d = min(i + 1, interior - 1), min(i + 2, interior - 1), min(i + 3, interior - 1)
        row_a, row_b, row_c, row_d = entries + i * row, entries + i_b * row, entries + i_c * row, entries + i_d * row
        a = b = c = d = pair(0.0, 0.0)
        for j in range(boundary):
            both = get_pair(state, gather + 2 * j)
            a = add(a, get(state, row_a + j), both)
            b = add(b, get(state, row_b + j), both)
            c = add(c, get(state, row_c + j), both)
            d = add(d, get(state, row_d + j), both)
        _put_both(plan, state, members + i, one, two, a)
        _put_both(plan, state, members + i_b, one, two, b)
        _put_both(plan, state, members + i_c, one, two, c)
        _put_both(plan, state, members + i_d, one, two, d)


@compiled
def _put_both(plan, state, member, one, two, both):
    node = get(plan, member)
    first, second = floats(both)
    put(state, one + node, first)
    put(state, two + node, second)


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
