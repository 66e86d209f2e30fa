"""The trees of `schur` made from the conductances; compiled."""

import numpy as np
from numba import njit

from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.direct import CUT_S

_compiled = njit(cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")


@_compiled
def factor(plan, state):
    """Make the trees anew from the stored conductances; voltages are not touched."""
    for tree in range(plan[at.TREES]):
        conductance_at = plan[at.S_CONDUCTANCE] + tree * plan[at.EDGES]
        _factor(plan, state, tree * plan[at.TREE_SIZE], state[conductance_at : conductance_at + plan[at.EDGES]])
    state[at.ROUNDINGS] = 0.0


@_compiled
def _size(plan, record):
    return plan[record + at.BOUNDARY] + plan[record + at.INTERIOR]


@_compiled
def _factor(plan, state, tree, conductance):
    """Make all rows of a tree: fill every block's front, then eliminate from the leaves to the root."""
    blocks = plan[at.BLOCKS]
    begin = np.zeros(blocks + 1, dtype=np.int64)
    for block in range(blocks):
        size = _size(plan, at.P_BLOCKS + at.RECORD_SIZE * block)
        begin[block + 1] = begin[block] + size * size
    fronts = np.zeros(begin[blocks])
    _fill(plan, conductance, begin, fronts)
    for block in range(blocks):
        record = at.P_BLOCKS + at.RECORD_SIZE * block
        size, boundary, row = _size(plan, record), plan[record + at.BOUNDARY], plan[record + at.ROW]
        front = fronts[begin[block] : begin[block + 1]].reshape(size, size)
        _eliminate(front, boundary)
        for i in range(boundary, size):
            entries = plan[record + at.ROWS] + tree + (i - boundary) * row
            for j in range(size):
                state[entries + j] = front[i, j] if j >= boundary else -front[i, j]
        if record != plan[at.ROOT]:
            parent = plan[record + at.PARENT]
            above = (parent - at.P_BLOCKS) // at.RECORD_SIZE
            wide = _size(plan, parent)
            up = plan[plan[record + at.P_UP] : plan[record + at.P_UP] + boundary]
            for i in range(boundary):
                for j in range(boundary):
                    fronts[begin[above] + up[i] * wide + up[j]] += front[i, j]


@_compiled
def _fill(plan, conductance, begin, fronts):
    """Put every edge into the front of its block; an edge that is cut carries nothing."""
    sum_S, alive = 0.0, 0
    for edge in range(plan[at.EDGES]):
        g = conductance[edge]
        if g < CUT_S:
            continue
        sum_S += g
        alive += 1
        entry = plan[at.P_EDGES] + at.EDGE_SIZE * edge
        record = plan[entry + at.E_RECORD]
        front = begin[(record - at.P_BLOCKS) // at.RECORD_SIZE]
        size = _size(plan, record)
        tail, head = plan[entry + at.E_TAIL_PLACE], plan[entry + at.E_HEAD_PLACE]
        fronts[front + tail * size + tail] += g
        fronts[front + head * size + head] += g
        fronts[front + tail * size + head] -= g
        fronts[front + head * size + tail] -= g
    # No current flows through a tie, so any conductance would do; a typical one keeps the numbers tame.
    tie = sum_S / alive if alive else 1.0
    tied = _tied(plan, conductance)
    for node in range(plan[at.NODES]):
        if tied[node]:
            record = plan[plan[at.P_PLACES] + at.PLACE_SIZE * node]
            place = plan[plan[at.P_PLACES] + at.PLACE_SIZE * node + 1]
            front = begin[(record - at.P_BLOCKS) // at.RECORD_SIZE]
            fronts[front + place * (_size(plan, record) + 1)] += tie


@_compiled
def _tied(plan, conductance):
    """Nodes to be tied to 0 V: one of every piece that no source is in, a target if there is one (it may be held)."""
    count = plan[at.NODES]
    link = np.arange(count)
    for edge in range(plan[at.EDGES]):
        if conductance[edge] >= CUT_S:
            entry = plan[at.P_EDGES] + at.EDGE_SIZE * edge
            link[_end(link, plan[entry + at.E_TAIL])] = _end(link, plan[entry + at.E_HEAD])
    done = np.zeros(count, dtype=np.bool_)
    tied = np.zeros(count, dtype=np.bool_)
    ports = plan[plan[at.ROOT] + at.P_MEMBERS]
    for j in range(plan[at.SOURCES]):
        done[_end(link, plan[ports + j])] = True
    for j in range(plan[at.TARGETS]):
        node = plan[ports + plan[at.SOURCES] + j]
        tied[node] = not done[_end(link, node)]
        done[_end(link, node)] = True
    for node in range(count):
        if not done[_end(link, node)]:
            tied[node] = True
            done[_end(link, node)] = True
    return tied


@_compiled
def _end(link, node):
    """The node that stands for the piece that node is in."""
    while link[node] != node:
        link[node] = link[link[node]]
        node = link[node]
    return node


@_compiled
def _eliminate(front, first):
    """Sweep the rows from first on: F_ii becomes its inverse, F_is inv(F_ii) F_is, F_ss its Schur complement."""
    size = len(front)
    for k in range(first, size):
        pivot = 1.0 / front[k, k]
        swept = front[k]
        for j in range(size):
            swept[j] *= pivot
        for i in range(size):
            factor_ = front[i, k]
            if i != k and factor_ != 0.0:
                other = front[i]
                other[k] = 0.0
                for j in range(size):
                    other[j] -= factor_ * swept[j]
                other[k] = -factor_ * pivot
        swept[k] = pivot
