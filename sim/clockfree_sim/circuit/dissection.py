"""Nested dissection: in which order, and in which blocks, the hidden nodes of a network are eliminated.

A separator is a small set of nodes without which the rest falls into two parts of similar size. It is found from the
graph alone: the nodes are put in order along a line (hops from one far node minus hops from another), a share at
either end is given to the two sides, and the smallest set of nodes that parts those is a minimum cut, found by
augmenting paths. Several lines and shares are tried. (Schild and Sommer, "On balanced separators in road networks",
SEA 2015, do this with lines on a map.)
"""

import numpy as np

from clockfree_sim.circuit.caching import kept

LEAF = 12
"""A part of at most this many nodes is one dense block; 8 to 14 are alike at 16 to 10,000 edges, 18 is slower."""

PIVOTS = 4
END_SHARES = (0.15, 0.3)


def dissect(nodes: int, ends: np.ndarray, ports: np.ndarray, leaf: int = LEAF) -> list[np.ndarray]:
    """Blocks of nodes in an order of elimination that keeps the blocks and their boundaries small.

    Parameters
    ----------
    nodes : int
    ends : (E, 2) int
    ports : sequence of int
        Nodes that are never eliminated.
    leaf : int
        Largest part that is not divided further.

    Returns
    -------
    list of int arrays
        Every node that is no port, once. A block comes after all blocks it separates.
    """
    start, neighbours = _neighbours(nodes, ends)
    part = np.zeros(nodes, dtype=np.int64)
    part[ports] = -1
    scratch = np.empty((7, 2 * nodes), dtype=np.int64)
    graph = (start, neighbours, part, scratch)
    blocks: list[np.ndarray] = []
    rest = [np.flatnonzero(part == 0)]
    label = 0
    while rest:
        members = rest.pop()
        if not len(members):
            continue
        label += 1
        part[members] = label
        joined = scratch[1, : _hops(*graph, members[0])].copy()
        if len(joined) < len(members):
            part[joined] = 0
            rest += [members[part[members] == label], joined]
        elif len(members) <= leaf:
            blocks.append(members)
        else:
            side = _separate(graph, members)
            blocks.append(members[side == 2])
            rest += [members[side == 0], members[side == 1]]
    return blocks[::-1]


def _separate(graph, members):
    """For each member 0 or 1, the side it falls on, or 2 for the separator."""
    scratch = graph[-1]
    pivot = scratch[1, len(members) - 1]  # the last node that a search from anywhere found is far out
    nearest = np.full(len(members), len(members))
    hops = []
    for _ in range(PIVOTS):
        _hops(*graph, pivot)
        hops.append(scratch[0, members])
        nearest = np.minimum(nearest, hops[-1])
        pivot = members[nearest.argmax()]
    # Without a cut that has something on either side, the whole part is one block.
    best, lowest = np.full(len(members), 2), np.inf
    for i in range(PIVOTS):
        for j in range(i):
            line = members[np.lexsort((hops[i] + hops[j], hops[i] - hops[j]))]
            # A minimum cut is the one nearest to the side it is sought from, so both ends are tried.
            for order in (line, line[::-1]):
                for share in END_SHARES:
                    _cut(*graph, np.ascontiguousarray(order), max(1, int(share * len(members))))
                    side = scratch[0, members]
                    zeros, ones, cut = np.bincount(side, minlength=3)
                    score = cut / np.sqrt(min(zeros, ones)) if min(zeros, ones) else np.inf
                    if score < lowest:
                        best, lowest = side, score
    return best


def _neighbours(nodes, ends):
    """Neighbours of node v: neighbours[start[v] : start[v + 1]]."""
    near, far = np.concatenate([ends, ends[:, ::-1]]).T
    start = np.zeros(nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(near, minlength=nodes), out=start[1:])
    return start, far[np.argsort(near, kind="stable")].astype(np.int64)


@kept()
def _hops(start, neighbours, part, scratch, root):
    """Number of nodes that are joined to root within its part: found in scratch[1], their hops in scratch[0]."""
    hops, found = scratch[0], scratch[1]
    hops[: len(part)] = -1
    hops[root] = 0
    found[0] = root
    count = 1
    at = 0
    while at < count:
        v = found[at]
        at += 1
        for k in range(start[v], start[v + 1]):
            w = neighbours[k]
            if part[w] == part[root] and hops[w] < 0:
                hops[w] = hops[v] + 1
                found[count] = w
                count += 1
    return count


@kept()
def _cut(start, neighbours, part, scratch, order, share):
    """Smallest set of nodes that parts the first `share` nodes of order from the last: scratch[0] is 0, 1 or 2.

    Ford and Fulkerson's augmenting paths with one unit of flow through a node. State 2 v is arriving at node v,
    2 v + 1 leaving it; reached[state] is the state before it, START or NOT_YET.
    """
    NOT_YET, START = -2, -1
    side, first, last, used, before, reached, queue = scratch
    n = len(order)
    for v in order:
        first[v], last[v], used[v] = 0, 0, 0
    for k in range(share):
        first[order[k]] = 1
        last[order[n - 1 - k]] = 1
    while True:
        count = 0
        for v in order:
            reached[2 * v] = START if first[v] else NOT_YET
            reached[2 * v + 1] = NOT_YET
            if first[v]:
                queue[count] = 2 * v
                count += 1
        at = 0
        end = NOT_YET
        while at < count and end == NOT_YET:
            state = queue[at]
            at += 1
            v = state >> 1
            if state & 1:
                if last[v]:
                    end = state
                if used[v] and reached[2 * v] == NOT_YET:  # take back the flow through v
                    reached[2 * v] = state
                    queue[count] = 2 * v
                    count += 1
                for k in range(start[v], start[v + 1]):
                    w = neighbours[k]
                    if part[w] == part[v] and reached[2 * w] == NOT_YET:
                        reached[2 * w] = state
                        queue[count] = 2 * w
                        count += 1
            else:
                # Through a used node no further unit fits: only the flow that arrives there can be taken back.
                after = 2 * v + 1 if not used[v] else 2 * before[v] + 1
                if after > 0 and reached[after] == NOT_YET:
                    reached[after] = state
                    queue[count] = after
                    count += 1
        if end == NOT_YET:
            break
        state = end
        while state != START:
            earlier = reached[state]
            v = state >> 1
            if state & 1:
                if earlier >> 1 == v:
                    used[v] = 1
            elif earlier == START:
                before[v] = START
            elif earlier >> 1 == v:
                used[v] = 0
            else:
                before[v] = earlier >> 1
            state = earlier
    for v in order:
        if reached[2 * v] == NOT_YET:
            side[v] = 1
        else:
            side[v] = 2 if reached[2 * v + 1] == NOT_YET else 0
