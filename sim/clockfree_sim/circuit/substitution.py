"""Node voltages of both twins from the trees of `schur`; compiled."""

from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.lanes import add, floats, get, get_pair, pair, put
from clockfree_sim.circuit.schur import compiled


@compiled
def nodes(plan, state):
    """Node voltages of both twins from the ports'."""
    free, clamped = get(plan, at.S_FREE), get(plan, at.S_CLAMPED)
    root = get(plan, at.ROOT)
    members = get(plan, root + at.P_MEMBERS)
    ports = get(plan, at.SOURCES) + get(plan, at.TARGETS)
    for j in range(ports):
        put(state, free + get(plan, members + j), get(state, get(plan, at.S_PORTS) + j))
        put(state, clamped + get(plan, members + j), get(state, get(plan, at.S_PORTS) + ports + j))
    record = root - at.RECORD_SIZE
    twins = get(plan, at.TREES) == 2
    while record >= at.P_BLOCKS:
        # Two vectors at once: of both twins, or twice of one, where each has a tree of its own.
        for tree in range(get(plan, at.TREES)):
            one = clamped if tree else free
            _interior(plan, state, tree * get(plan, at.TREE_SIZE), record, one, one if twins else clamped)
        record -= at.RECORD_SIZE


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
