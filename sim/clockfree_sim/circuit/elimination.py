"""The tree of blocks in which a network is eliminated, as flat integers that compiled code can walk.

Nothing here depends on conductances. Every block of `dissection` eliminates its own nodes (its interior); its boundary
are the nodes joined to these, directly or through what was eliminated below, that are eliminated later. The block
that eliminates the first of its boundary is its parent. The last block, the root, has the targets for interior and the
sources for boundary, and serves where targets float. An edge between two of these ports is a block with no interior.

`plan` is one int64 array: a header (index constants below), then tables the header points to.
`state` is one float64 array: a header, then what the header of the plan points to.
"""

import numpy as np

from clockfree_sim.circuit.dissection import LEAF, dissect
from clockfree_sim.circuit.lanes import LANES

# Header of the plan: sizes, the root's record, tables in the plan (P_), parts of the state (S_).
NODES, EDGES, SOURCES, TARGETS, TREES, TREE_SIZE, BLOCKS, ROOT, P_EDGES, P_PLACES = range(10)
S_CONDUCTANCE, S_FREE, S_CLAMPED, S_LAG, S_PORTS, S_TARGET, S_GATHER, S_METER, S_TREES = range(10, 19)
P_BLOCKS = 24

# Record of a block. In the state it is q at AT - 1, z from AT on, its rows from ROWS on. P_MEMBERS lists its nodes,
# boundary before interior. P_UP lists the places of its boundary among its parent's nodes; the first INSIDE of them are
# in the parent's interior.
BOUNDARY, INTERIOR, ROW, AT, ROWS, PARENT, P_MEMBERS, P_UP, INSIDE = range(9)
RECORD_SIZE = 9

# An edge: record of the block that eliminates its first end, the places there of both ends, its nodes.
E_RECORD, E_TAIL_PLACE, E_HEAD_PLACE, E_TAIL, E_HEAD = range(5)
EDGE_SIZE = 5

# A node: record of the block that eliminates it, its place there.
PLACE_SIZE = 2

# Header of the state: clamped targets are at WEIGHT V_F + target, or float; time of the last change and rates at which
# what is sensed relaxes, 1/us; roundings gathered since the trees were made; not 0 where node voltages are out of date.
WEIGHT, FLOATING, SINCE_US, RATE_FREE, RATE_CLAMPED, ROUNDINGS, STALE = range(7)
STATE_HEADER = 8

# The meter's part of the state begins with so many doubles, see `meter`; then come its rows.
METER_HEADER = 7


def padded(count: int) -> int:
    """Doubles that count of them take when they fill whole lanes."""
    return -(-count // LANES) * LANES


def metered(sources: int, targets: int) -> int:
    """Doubles that the meter takes."""
    return METER_HEADER + (sources + targets) * padded(sources)


def eliminated(nodes: int, ends: np.ndarray, sources: np.ndarray, targets: np.ndarray, trees: int, leaf: int = LEAF):
    """Flat plan of the elimination, and the number of doubles that its state needs.

    Parameters
    ----------
    nodes : int
    ends : (E, 2) int
    sources, targets : int arrays
    trees : {1, 2}
        2 if the clamped twin has conductances of its own.
    leaf : int
        See `dissection.dissect`.

    Returns
    -------
    plan : int64 array
    size : int
    """
    is_port = np.zeros(nodes, dtype=bool)
    is_port[[*sources, *targets]] = True
    between = np.flatnonzero(is_port[ends].all(axis=1))
    blocks = [*[ends[:0, 0]] * len(between), *dissect(nodes, ends, np.flatnonzero(is_port), leaf), targets]
    root = len(blocks) - 1
    order = np.full(nodes, root)
    for block, interior in enumerate(blocks):
        order[interior] = block
    order[sources] = root + 1
    boundaries = _boundaries(blocks, order, ends)
    boundaries[: len(between)] = [pair[np.argsort(order[pair], kind="stable")] for pair in ends[between]]
    boundaries[root] = sources
    parents = [min([root, *order[boundary]]) for boundary in boundaries]

    records = P_BLOCKS + RECORD_SIZE * np.arange(len(blocks))
    table = np.zeros((len(blocks), RECORD_SIZE), dtype=np.int64)
    members = [np.concatenate([boundary, interior]) for boundary, interior in zip(boundaries, blocks, strict=True)]
    places = [{node: place for place, node in enumerate(block.tolist())} for block in members]
    lists_at = P_BLOCKS + table.size
    lists = []
    tree_size = 0
    for b, (boundary, interior) in enumerate(zip(boundaries, blocks, strict=True)):
        row = padded(len(members[b]))
        at = tree_size + LANES
        rows = at + row
        tree_size = rows + row * len(interior)
        up = [places[parents[b]][node] for node in boundary.tolist()] if b < root else []
        inside = np.count_nonzero(np.array(up) >= len(boundaries[parents[b]]))
        up_at = lists_at + len(members[b])
        table[b] = len(boundary), len(interior), row, at, rows, records[parents[b]], lists_at, up_at, inside
        lists += [members[b], np.array(up, dtype=np.int64)]
        lists_at = up_at + len(up)
    table[root, PARENT] = -1

    first = np.minimum(root, order[ends].min(axis=1))
    first[between] = np.arange(len(between))
    edge_table = np.zeros((len(ends), EDGE_SIZE), dtype=np.int64)
    for e, (a, b) in enumerate(ends.tolist()):
        edge_table[e] = records[first[e]], places[first[e]][a], places[first[e]][b], a, b
    last = np.minimum(root, order)
    place_table = np.array([(records[last[node]], places[last[node]][node]) for node in range(nodes)])

    header = np.zeros(P_BLOCKS, dtype=np.int64)
    sizes = {
        NODES: nodes, EDGES: len(ends), SOURCES: len(sources), TARGETS: len(targets), TREES: trees,
        TREE_SIZE: tree_size, BLOCKS: len(blocks), ROOT: records[root],
        P_EDGES: lists_at, P_PLACES: lists_at + edge_table.size,
    }  # fmt: skip
    for key, value in sizes.items():
        header[key] = value
    lengths = {
        S_CONDUCTANCE: 2 * len(ends), S_FREE: nodes, S_CLAMPED: nodes, S_LAG: 2 * nodes,
        S_PORTS: 2 * len(members[root]), S_TARGET: len(targets), S_GATHER: 2 * table[:, BOUNDARY].max(),
        S_METER: metered(len(sources), len(targets)), S_TREES: trees * tree_size,
    }  # fmt: skip
    size = STATE_HEADER
    for key, length in lengths.items():
        header[key] = size
        size += padded(length)
    table[:, [AT, ROWS]] += header[S_TREES]
    return np.concatenate([header, table.ravel(), *lists, edge_table.ravel(), place_table.ravel()]), size


def _boundaries(blocks, order, ends):
    """Boundary nodes of every block, first eliminated first; order is the block that eliminates a node."""
    neighbours: list[list[int]] = [[] for _ in order]
    for a, b in ends.tolist():
        neighbours[a].append(b)
        neighbours[b].append(a)
    later = order.tolist()
    passed_on: list[set[int]] = [set() for _ in blocks]
    boundaries = []
    for b, interior in enumerate(blocks):
        boundary = passed_on[b].union(*(neighbours[node] for node in interior.tolist()))
        boundary = {node for node in boundary if later[node] > b}
        passed_on[b].clear()
        if boundary and b < len(blocks) - 1:
            passed_on[min(len(blocks) - 1, *(later[node] for node in boundary))] |= boundary
        boundaries.append(np.array(sorted(boundary, key=lambda node: (later[node], node)), dtype=np.int64))
    return boundaries
