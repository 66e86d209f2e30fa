"""Voltages of the twin networks by a dense inverse, and their change when one edge steps; compiled.

The way of a small network, where the tree of `schur` would have one leaf. Of every node there is a row [K | R | W]: K,
the inverse of the conductance matrix of all nodes that are no source; R = -K Y_us, so that voltages are R V_S while the
targets float; W = K_uT inv(K_TT), by which they follow what the clamp does to the targets. Sources have rows, too (0, a
one, 0), so that no end of an edge is a special case.

An edge whose conductance changes by d adds d x x' to the matrix (x is +1 at its tail, -1 at its head). With D = x' of
all rows, k = K x = D_K, and c = d / (1 + d x'k), the rows become [K | R] - c k D. W changes as that of a network whose
targets are held: by c_C k_C D_W with k_C = k - W k_T in place of k.

All functions take the flat `plan` and `state` of `planned`, whose header is that of `elimination`; the plan is of 32
bits, by which compiled code tells it from a tree's (see `solver`). `tree` is 0 for the free twin's rows, TREE_SIZE for
the clamped twin's own.
"""

import numpy as np

from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.cut import CUT_S
from clockfree_sim.circuit.factor import eliminate, join, ties
from clockfree_sim.circuit.lanes import LANES, add, get, get_lanes, put
from clockfree_sim.circuit.schur import MOST_ROUNDINGS, compiled

# Header of the plan, beside that of `elimination`: nodes that are no source; doubles of [K | R] in a row; of a row;
# what the clamp adds to the targets' voltages, V.
UNKNOWN, WIDE, ROW, S_NUDGE = range(19, 23)


def planned(nodes: int, ends: np.ndarray, sources: np.ndarray, targets: np.ndarray, trees: int):
    """Flat plan of a small network, and the number of doubles that its state needs; see `elimination.eliminated`."""
    hidden = np.setdiff1d(np.arange(nodes), np.concatenate([sources, targets]))
    place = np.empty(nodes, dtype=np.int64)
    place[np.concatenate([targets, hidden, sources])] = np.arange(nodes)
    unknown = nodes - len(sources)
    wide = at.padded(nodes)
    row = wide + at.padded(len(targets))
    edge_table = np.zeros((len(ends), at.EDGE_SIZE), dtype=np.int64)
    edge_table[:, at.E_TAIL_PLACE :] = np.hstack([place[ends], ends])
    place_table = np.column_stack([np.zeros(nodes, dtype=np.int64), place])
    ports = at.P_BLOCKS + at.RECORD_SIZE
    root = np.zeros(at.RECORD_SIZE, dtype=np.int64)
    root[[at.BOUNDARY, at.INTERIOR, at.ROW, at.P_MEMBERS]] = len(sources), len(targets), row, ports
    edges_at = ports + len(sources) + len(targets)
    header = np.zeros(at.P_BLOCKS, dtype=np.int64)
    sizes = {
        at.NODES: nodes, at.EDGES: len(ends), at.SOURCES: len(sources), at.TARGETS: len(targets), at.TREES: trees,
        at.TREE_SIZE: nodes * row, at.BLOCKS: 1, at.ROOT: at.P_BLOCKS,
        at.P_EDGES: edges_at, at.P_PLACES: edges_at + edge_table.size, UNKNOWN: unknown, WIDE: wide, ROW: row,
    }  # fmt: skip
    for key, value in sizes.items():
        header[key] = value
    lengths = {
        at.S_CONDUCTANCE: 2 * len(ends), at.S_FREE: nodes, at.S_CLAMPED: nodes, at.S_LAG: 2 * nodes,
        at.S_PORTS: 2 * (len(sources) + len(targets)), at.S_TARGET: len(targets), S_NUDGE: len(targets),
        at.S_GATHER: row + unknown, at.S_METER: at.metered(len(sources), len(targets)), at.S_TREES: trees * nodes * row,
    }  # fmt: skip
    size = at.STATE_HEADER
    for key, length in lengths.items():
        header[key] = size
        size += at.padded(length)
    root[at.ROWS] = header[at.S_TREES] + unknown  # how the targets follow the sources
    parts = [header, root, sources, targets, edge_table.ravel(), place_table.ravel()]
    return np.concatenate(parts).astype(np.int32), size


@compiled
def factor(plan, state):
    """Make all rows anew from the stored conductances; voltages are not touched."""
    unknown, sources, targets = get(plan, UNKNOWN), get(plan, at.SOURCES), get(plan, at.TARGETS)
    size = unknown + sources
    matrix, held = np.empty(size * size), np.empty(targets * targets)
    for tree in range(get(plan, at.TREES)):
        _fill(plan, state, get(plan, at.S_CONDUCTANCE) + tree * get(plan, at.EDGES), matrix)
        eliminate(matrix, 0, size, sources)
        for i in range(targets):
            for j in range(targets):
                put(held, i * targets + j, get(matrix, (sources + i) * size + sources + j))
        eliminate(held, 0, targets, 0)
        for i in range(size):
            _row(plan, state, tree * get(plan, at.TREE_SIZE), i, matrix, held)
    put(state, at.ROUNDINGS, 0.0)


@compiled
def _row(plan, state, tree, i, matrix, held):
    """Make a row of the inverse of all and of that among the targets."""
    unknown, sources, targets = get(plan, UNKNOWN), get(plan, at.SOURCES), get(plan, at.TARGETS)
    row = get(plan, at.S_TREES) + tree + i * get(plan, ROW)
    for j in range(get(plan, ROW)):
        put(state, row + j, 0.0)
    if i >= unknown:
        put(state, row + i, 1.0)
        return
    line = (sources + i) * (unknown + sources)
    for j in range(unknown):
        put(state, row + j, get(matrix, line + sources + j))
    for j in range(sources):
        put(state, row + unknown + j, -get(matrix, line + j))
    for o in range(targets):
        part = 1.0 if o == i else 0.0
        if i >= targets:
            for p in range(targets):
                part += get(matrix, line + sources + p) * get(held, p * targets + o)
        put(state, row + get(plan, WIDE) + o, part)


@compiled
def _fill(plan, state, conductances, matrix):
    """The conductance matrix, S, sources first; an edge that is cut carries nothing."""
    size, sources = get(plan, at.NODES), get(plan, at.SOURCES)
    for i in range(size * size):
        put(matrix, i, 0.0)
    for edge in range(get(plan, at.EDGES)):
        g = get(state, conductances + edge)
        if g >= CUT_S:
            tail, head = _ends(plan, edge)
            join(matrix, 0, size, (tail + sources) % size, (head + sources) % size, g)
    tie_S = ties(plan, state, conductances)
    for node in range(size):
        if get(tie_S, node) > 0.0:
            place = (get(plan, get(plan, at.P_PLACES) + at.PLACE_SIZE * node + 1) + sources) * (size + 1)
            put(matrix, place, get(matrix, place) + get(tie_S, node))


@compiled
def _ends(plan, edge):
    """Rows of an edge's ends."""
    entry = get(plan, at.P_EDGES) + at.EDGE_SIZE * edge
    return get(plan, entry + at.E_TAIL_PLACE), get(plan, entry + at.E_HEAD_PLACE)


@compiled
def _node(plan, state, row):
    """Voltage of a node in the free and in the clamped twin, V."""
    unknown, wide = get(plan, UNKNOWN), get(plan, WIDE)
    entries = get(plan, at.S_TREES) + row * get(plan, ROW)
    free = _floating(plan, state, entries + unknown)
    clamped = free
    if get(plan, at.TREES) == 2:
        entries += get(plan, at.TREE_SIZE)
        clamped = _floating(plan, state, entries + unknown)
    for o in range(get(plan, at.TARGETS)):
        clamped += get(state, entries + wide + o) * get(state, get(plan, S_NUDGE) + o)
    return free, clamped


@compiled
def _floating(plan, state, entries):
    """Voltage of a node while the targets float, V."""
    voltage = 0.0
    for j in range(get(plan, at.SOURCES)):
        voltage += get(state, entries + j) * get(state, get(plan, at.S_PORTS) + j)
    return voltage


@compiled
def read(plan, state, edge):
    """Drops of an edge in the free and the clamped twin, V, settled; no node voltage is needed."""
    tail, head = _ends(plan, edge)
    free, clamped = _node(plan, state, tail)
    free_head, clamped_head = _node(plan, state, head)
    return free - free_head, clamped - clamped_head


@compiled
def nodes(plan, state):
    """Node voltages of both twins from the ports'."""
    for node in range(get(plan, at.NODES)):
        free, clamped = _node(plan, state, get(plan, get(plan, at.P_PLACES) + at.PLACE_SIZE * node + 1))
        put(state, get(plan, at.S_FREE) + node, free)
        put(state, get(plan, at.S_CLAMPED) + node, clamped)


@compiled
def outputs(plan, state):
    """Ports' voltages in both twins from the sources' and the clamp; node voltages are stale until `voltages`."""
    put(state, at.STALE, 1.0)
    sources, targets, unknown = get(plan, at.SOURCES), get(plan, at.TARGETS), get(plan, UNKNOWN)
    free = get(plan, at.S_PORTS)
    clamped = free + sources + targets
    for i in range(sources):
        put(state, clamped + i, get(state, free + i))
    for i in range(targets):
        entries = get(plan, at.S_TREES) + i * get(plan, ROW) + unknown
        voltage = _floating(plan, state, entries)
        put(state, free + sources + i, voltage)
        floating = voltage
        if get(plan, at.TREES) == 2:
            floating = _floating(plan, state, entries + get(plan, at.TREE_SIZE))
        if get(state, at.FLOATING) == 0.0:
            voltage = get(state, at.WEIGHT) * voltage + get(state, get(plan, at.S_TARGET) + i)
        else:
            voltage = floating
        put(state, clamped + sources + i, voltage)
        put(state, get(plan, S_NUDGE) + i, voltage - floating)


@compiled
def _change(plan, state, tree, edge, d, clamped):
    """Change all rows by d, S, at an edge, with W or without; returns the roundings this makes."""
    unknown, wide, row, targets = get(plan, UNKNOWN), get(plan, WIDE), get(plan, ROW), get(plan, at.TARGETS)
    tail, head = _ends(plan, edge)
    rows, both = get(plan, at.S_TREES) + tree, get(plan, at.S_GATHER)
    for j in range(0, row, LANES):
        ours = get_lanes(state, rows + tail * row + j)
        put(state, both + j, add(ours, -1.0, get_lanes(state, rows + head * row + j)))
    q = (get(state, both + tail) if tail < unknown else 0.0) - (get(state, both + head) if head < unknown else 0.0)
    ratio = 1.0 + d * q
    inverse = 1.0 / ratio
    worst, d_free, d_held = ratio + inverse, d * inverse, 0.0
    held = both + row
    if clamped:
        entries = rows + wide
        for i in range(unknown):
            part = get(state, both + i)
            for o in range(targets):
                part -= get(state, entries + o) * get(state, both + o)
            put(state, held + i, part)
            entries += row
        q = (get(state, held + tail) if tail < unknown else 0.0) - (get(state, held + head) if head < unknown else 0.0)
        ratio = 1.0 + d * q
        inverse = 1.0 / ratio
        worst, d_held = max(worst, ratio + inverse), d * inverse
    entries = rows
    for i in range(unknown):
        weight = -d_free * get(state, both + i)
        for j in range(0, wide, LANES):
            put(state, entries + j, add(get_lanes(state, entries + j), weight, get_lanes(state, both + j)))
        if clamped:
            weight = -d_held * get(state, held + i)
            for j in range(wide, row, LANES):
                put(state, entries + j, add(get_lanes(state, entries + j), weight, get_lanes(state, both + j)))
        entries += row
    return worst


@compiled
def step(plan, state, edge, g_free_S, g_clamped_S):
    """Conductances of an edge become these, S; targets' voltages follow, node voltages do not (see `voltages`).

    Below `cut.CUT_S`, and from there, the edge is cut or mended, and the rows are made anew.
    """
    free = get(plan, at.S_CONDUCTANCE) + edge
    clamped = free + get(plan, at.EDGES)
    twins = get(plan, at.TREES) == 2
    if not twins:
        g_clamped_S = g_free_S
    old_free, old_clamped = get(state, free), get(state, clamped)
    if g_free_S == old_free and g_clamped_S == old_clamped:
        return
    put(state, free, g_free_S)
    put(state, clamped, g_clamped_S)
    anew = min(min(old_free, old_clamped), min(g_free_S, g_clamped_S)) < CUT_S
    if not anew:
        roundings = _change(plan, state, 0, edge, g_free_S - old_free, not twins)
        if twins:
            tree = get(plan, at.TREE_SIZE)
            roundings = max(roundings, _change(plan, state, tree, edge, g_clamped_S - old_clamped, True))
        put(state, at.ROUNDINGS, get(state, at.ROUNDINGS) + roundings)
        anew = not get(state, at.ROUNDINGS) < MOST_ROUNDINGS
    if anew:
        factor(plan, state)
    outputs(plan, state)
