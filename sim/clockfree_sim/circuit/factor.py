"""The trees of `schur` made from the conductances; and what every factorisation needs; compiled.

Written with plain reads and writes: array expressions of numba's take twice as long to compile.
"""

import numpy as np

from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.caching import kept
from clockfree_sim.circuit.cut import CUT_S
from clockfree_sim.circuit.lanes import get, put

_compiled = kept(fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")


@_compiled
def factor(plan, state):
    """Make the trees anew from the stored conductances; voltages are not touched."""
    blocks = get(plan, at.BLOCKS)
    begin = np.empty(blocks, dtype=np.int64)
    end = 0
    for block in range(blocks):
        put(begin, block, end)
        end += _size(plan, at.P_BLOCKS + at.RECORD_SIZE * block) ** 2
    fronts = np.empty(end)
    for tree in range(get(plan, at.TREES)):
        for i in range(end):
            put(fronts, i, 0.0)
        _fill(plan, state, get(plan, at.S_CONDUCTANCE) + tree * get(plan, at.EDGES), begin, fronts)
        for block in range(blocks):
            _pass_up(plan, state, tree * get(plan, at.TREE_SIZE), block, begin, fronts)
    put(state, at.ROUNDINGS, 0.0)


@_compiled
def _size(plan, record):
    return get(plan, record + at.BOUNDARY) + get(plan, record + at.INTERIOR)


@_compiled
def _pass_up(plan, state, tree, block, begin, fronts):
    """Eliminate a block, whose children have been; its rows are kept, and the rest is added to its parent's front."""
    record = at.P_BLOCKS + at.RECORD_SIZE * block
    front, size, boundary = get(begin, block), _size(plan, record), get(plan, record + at.BOUNDARY)
    eliminate(fronts, front, size, boundary)
    entries = get(plan, record + at.ROWS) + tree
    for i in range(boundary, size):
        for j in range(size):
            value = get(fronts, front + i * size + j)
            put(state, entries + j, value if j >= boundary else -value)
        entries += get(plan, record + at.ROW)
    if record != get(plan, at.ROOT):
        parent, up = get(plan, record + at.PARENT), get(plan, record + at.P_UP)
        above, wide = get(begin, (parent - at.P_BLOCKS) // at.RECORD_SIZE), _size(plan, parent)
        for i in range(boundary):
            line = above + get(plan, up + i) * wide
            for j in range(boundary):
                place = line + get(plan, up + j)
                put(fronts, place, get(fronts, place) + get(fronts, front + i * size + j))


@_compiled
def _fill(plan, state, conductances, begin, fronts):
    """Put every edge into the front of its block; an edge that is cut carries nothing."""
    for edge in range(get(plan, at.EDGES)):
        g = get(state, conductances + edge)
        if g >= CUT_S:
            entry = get(plan, at.P_EDGES) + at.EDGE_SIZE * edge
            record = get(plan, entry + at.E_RECORD)
            front = get(begin, (record - at.P_BLOCKS) // at.RECORD_SIZE)
            join(fronts, front, _size(plan, record), get(plan, entry + at.E_TAIL_PLACE),
                 get(plan, entry + at.E_HEAD_PLACE), g)  # fmt: skip
    tie_S = ties(plan, state, conductances)
    for node in range(get(plan, at.NODES)):
        if get(tie_S, node) > 0.0:
            entry = get(plan, at.P_PLACES) + at.PLACE_SIZE * node
            record = get(plan, entry)
            place = get(begin, (record - at.P_BLOCKS) // at.RECORD_SIZE) + get(plan, entry + 1) * (
                _size(plan, record) + 1
            )
            put(fronts, place, get(fronts, place) + get(tie_S, node))


@_compiled
def join(matrix, begin, size, tail, head, g):
    """Add an edge between two places to a conductance matrix, S (size, size), that begins there."""
    for place, more in (
        (tail * size + tail, g),
        (head * size + head, g),
        (tail * size + head, -g),
        (head * size + tail, -g),
    ):
        put(matrix, begin + place, get(matrix, begin + place) + more)


@_compiled
def ties(plan, state, conductances):
    """Conductance by which each node is tied to 0 V, S (nodes,).

    One of every piece that no source is in, a target if there is one (it may be held). No current flows through a tie,
    so any conductance would do; a typical one keeps the numbers tame.
    """
    count, sources = get(plan, at.NODES), get(plan, at.SOURCES)
    link, tie_S = np.empty(count, dtype=np.int64), np.zeros(count)
    for node in range(count):
        put(link, node, node)
    sum_S, alive = 0.0, 0
    for edge in range(get(plan, at.EDGES)):
        g = get(state, conductances + edge)
        if g >= CUT_S:
            entry = get(plan, at.P_EDGES) + at.EDGE_SIZE * edge
            put(link, _end(link, get(plan, entry + at.E_TAIL)), _end(link, get(plan, entry + at.E_HEAD)))
            sum_S += g
            alive += 1
    typical_S = sum_S / alive if alive else 1.0
    ports = get(plan, get(plan, at.ROOT) + at.P_MEMBERS)
    # A piece that is done is linked to no node, -1: by sources first, then by targets, then by whatever is in it.
    for i in range(sources + get(plan, at.TARGETS) + count):
        node = get(plan, ports + i) if i < sources + get(plan, at.TARGETS) else i - sources - get(plan, at.TARGETS)
        end = _end(link, node)
        if end >= 0:
            put(link, end, -1)
            if i >= sources:
                put(tie_S, node, typical_S)
    return tie_S


@_compiled
def _end(link, node):
    """The node that stands for the piece that node is in; -1 where the piece is done."""
    while node >= 0 and get(link, node) != node:
        above = get(link, node)
        if above >= 0:
            put(link, node, get(link, above))
        node = get(link, node)
    return node


@_compiled
def eliminate(matrix, begin, size, first):
    """Sweep rows from first on of a matrix F (size, size) that begins there.

    F_ii becomes its inverse, F_is inv(F_ii) F_is, F_ss its Schur complement.
    """
    for k in range(first, size):
        swept = begin + k * size
        pivot = 1.0 / get(matrix, swept + k)
        for j in range(size):
            put(matrix, swept + j, get(matrix, swept + j) * pivot)
        for i in range(size):
            other = begin + i * size
            weight = get(matrix, other + k)
            if i != k and weight != 0.0:
                put(matrix, other + k, 0.0)
                for j in range(size):
                    put(matrix, other + j, get(matrix, other + j) - weight * get(matrix, swept + j))
                put(matrix, other + k, -weight * pivot)
        put(matrix, swept + k, pivot)
