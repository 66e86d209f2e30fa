"""Voltages of the twin networks by a tree of Schur complements, and their change when one edge steps; compiled.

A block with interior i and boundary s has the conductance matrix F of its own edges and of what its children pass up.
It keeps M = inv(F_ii) and L = -M F_is as rows [L | M], and passes F_ss + F_si L up. Interior voltages are V_i = L V_s.

An edge whose conductance changes by d adds d x x' to its block's F (x is +1 at its tail, -1 at its head). With
y = [L | M]' x_i, z = (x_s + y_L, y_M) and q = x_i . y_M, the rows become [L | M] - c y_M z' for c = d / (1 + d q), and
c z_s z_s' is what changes in the parent's F: the same again with z_s for x, up to the root. The x that reaches the root
are the weights with which the ports' voltages make the edge's drop, so the same walk reads it.

All functions take the flat `plan` and `state` of `elimination`; `tree` is 0 for the free twin's tree, TREE_SIZE for the
clamped twin's own. Rows and z are padded with zeros to whole lanes.
"""

from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.caching import kept
from clockfree_sim.circuit.cut import CUT_S
from clockfree_sim.circuit.factor import factor
from clockfree_sim.circuit.lanes import LANES, add, get, get_lanes, put, zeros

MOST_ROUNDINGS = 1e5
"""Make the trees anew after this many roundings.

A step scales the drops it acts on by r = 1 + d q or 1 / r, and so adds a relative error of about 1.1e-16 (r + 1 / r).
r + 1 / r is added up at each step, for the worst block on its way, so that between two factorisations errors of order
1e-11 of the voltages can gather if none cancel. Measured in 5 V circuits just before one: below 2e-13 V after steps of
one tap (45,000 of them), below 2e-10 V after steps over a potentiometer's whole range, 160 ohm to 200 kohm (15,000).
"""

compiled = kept(fastmath={"contract"}, error_model="numpy")


@compiled
def _climb(plan, state, tree, record):
    """From z of a block make z and q of its parent."""
    below = get(plan, record + at.AT) + tree
    inside, up = get(plan, record + at.INSIDE), get(plan, record + at.P_UP)
    parent = get(plan, record + at.PARENT)
    boundary, row = get(plan, parent + at.BOUNDARY), get(plan, parent + at.ROW)
    z = get(plan, parent + at.AT) + tree
    rows = get(plan, parent + at.ROWS) + tree - boundary * row
    j = 0
    while j + 4 * LANES <= row:
        first, second, third, fourth = zeros(), zeros(), zeros(), zeros()
        for i in range(inside):
            weight = get(state, below + i)
            entries = rows + get(plan, up + i) * row + j
            first = add(first, weight, get_lanes(state, entries))
            second = add(second, weight, get_lanes(state, entries + LANES))
            third = add(third, weight, get_lanes(state, entries + 2 * LANES))
            fourth = add(fourth, weight, get_lanes(state, entries + 3 * LANES))
        put(state, z + j, first)
        put(state, z + j + LANES, second)
        put(state, z + j + 2 * LANES, third)
        put(state, z + j + 3 * LANES, fourth)
        j += 4 * LANES
    while j < row:
        first = zeros()
        for i in range(inside):
            first = add(first, get(state, below + i), get_lanes(state, rows + get(plan, up + i) * row + j))
        put(state, z + j, first)
        j += LANES
    q = 0.0
    for i in range(inside):
        q += get(state, below + i) * get(state, z + get(plan, up + i))
    put(state, z - 1, q)
    for i in range(inside, get(plan, record + at.BOUNDARY)):
        put(state, z + get(plan, up + i), get(state, z + get(plan, up + i)) + get(state, below + i))


@compiled
def _begin(plan, state, tree, record, tail, head):
    """Make z and q of the block that eliminates the first end of an edge, whose ends have these places in it."""
    boundary, row = get(plan, record + at.BOUNDARY), get(plan, record + at.ROW)
    z = get(plan, record + at.AT) + tree
    rows = get(plan, record + at.ROWS) + tree
    tail_row = rows + (tail - boundary) * row
    head_row = rows + (head - boundary) * row
    q = 0.0
    if tail >= boundary and head >= boundary:
        for j in range(0, row, LANES):
            put(state, z + j, add(get_lanes(state, tail_row + j), -1.0, get_lanes(state, head_row + j)))
        q = get(state, z + tail) - get(state, z + head)
    elif tail >= boundary:
        for j in range(0, row, LANES):
            put(state, z + j, get_lanes(state, tail_row + j))
        q = get(state, z + tail)
        put(state, z + head, get(state, z + head) - 1.0)
    elif head < boundary:
        put(state, z + tail, 1.0)
        put(state, z + head, -1.0)
    else:
        for j in range(0, row, LANES):
            put(state, z + j, add(zeros(), -1.0, get_lanes(state, head_row + j)))
        q = -get(state, z + head)
        put(state, z + tail, get(state, z + tail) + 1.0)
    put(state, z - 1, q)


@compiled
def walk(plan, state, tree, edge):
    """Follow an edge's drop from its block up to the root: makes z and q of all blocks on the way but the root.

    Returns the record of the last block, whose z are the weights of the ports in the drop.
    """
    entry = get(plan, at.P_EDGES) + at.EDGE_SIZE * edge
    record = get(plan, entry + at.E_RECORD)
    _begin(plan, state, tree, record, get(plan, entry + at.E_TAIL_PLACE), get(plan, entry + at.E_HEAD_PLACE))
    while get(plan, record + at.PARENT) != get(plan, at.ROOT):
        _climb(plan, state, tree, record)
        record = get(plan, record + at.PARENT)
    return record


@compiled
def _weigh(plan, state, tree, record):
    """Drop, V, with the ports at the free twin's voltages and at the clamped twin's; record as `walk` returns it."""
    z = get(plan, record + at.AT) + tree
    up = get(plan, record + at.P_UP)
    ports = get(plan, at.S_PORTS)
    count = get(plan, at.SOURCES) + get(plan, at.TARGETS)
    free, clamped = 0.0, 0.0
    for i in range(get(plan, record + at.BOUNDARY)):
        port = ports + get(plan, up + i)
        free += get(state, z + i) * get(state, port)
        clamped += get(state, z + i) * get(state, port + count)
    return free, clamped


@compiled
def read(plan, state, edge):
    """Drops of an edge in the free and the clamped twin, V, settled; no node voltage is needed."""
    free, clamped = _weigh(plan, state, 0, walk(plan, state, 0, edge))
    if get(plan, at.TREES) == 2:
        tree = get(plan, at.TREE_SIZE)
        _, clamped = _weigh(plan, state, tree, walk(plan, state, tree, edge))
    return free, clamped


@compiled
def _change(plan, state, tree, edge, d):
    """Change a tree by d, S, at the edge last walked in it; returns the roundings this makes."""
    record = get(plan, get(plan, at.P_EDGES) + at.EDGE_SIZE * edge + at.E_RECORD)
    worst = 2.0
    while True:
        boundary, row = get(plan, record + at.BOUNDARY), get(plan, record + at.ROW)
        z = get(plan, record + at.AT) + tree
        ratio = 1.0 + d * get(state, z - 1)
        inverse = 1.0 / ratio
        d *= inverse
        worst = max(worst, ratio + inverse)
        entries = get(plan, record + at.ROWS) + tree
        for i in range(get(plan, record + at.INTERIOR)):
            weight = -d * get(state, z + boundary + i)
            for j in range(0, row, LANES):
                put(state, entries + j, add(get_lanes(state, entries + j), weight, get_lanes(state, z + j)))
            entries += row
        if record == get(plan, at.ROOT):
            return worst
        if get(plan, record + at.PARENT) == get(plan, at.ROOT):
            _climb(plan, state, tree, record)
        record = get(plan, record + at.PARENT)


@compiled
def _floating(plan, state, tree, target):
    """Voltage of a target that floats, V."""
    root = get(plan, at.ROOT)
    entries = get(plan, root + at.ROWS) + tree + target * get(plan, root + at.ROW)
    voltage = 0.0
    for j in range(get(plan, at.SOURCES)):
        voltage += get(state, entries + j) * get(state, get(plan, at.S_PORTS) + j)
    return voltage


@compiled
def outputs(plan, state):
    """Ports' voltages in both twins from the sources' and the clamp; node voltages are stale until `voltages`."""
    put(state, at.STALE, 1.0)
    sources, targets = get(plan, at.SOURCES), get(plan, at.TARGETS)
    free = get(plan, at.S_PORTS)
    clamped = free + sources + targets
    for i in range(sources):
        put(state, clamped + i, get(state, free + i))
    for i in range(targets):
        voltage = _floating(plan, state, 0, i)
        put(state, free + sources + i, voltage)
        if get(state, at.FLOATING) == 0.0:
            voltage = get(state, at.WEIGHT) * voltage + get(state, get(plan, at.S_TARGET) + i)
        elif get(plan, at.TREES) == 2:
            voltage = _floating(plan, state, get(plan, at.TREE_SIZE), i)
        put(state, clamped + sources + i, voltage)


@compiled
def step_read(plan, state, edge, g_free_S, g_clamped_S):
    """As `step`, for the edge that was just read."""
    free = get(plan, at.S_CONDUCTANCE) + edge
    clamped = free + get(plan, at.EDGES)
    if get(plan, at.TREES) == 1:
        g_clamped_S = g_free_S
    old_free, old_clamped = get(state, free), get(state, clamped)
    if g_free_S == old_free and g_clamped_S == old_clamped:
        return
    put(state, free, g_free_S)
    put(state, clamped, g_clamped_S)
    if min(min(old_free, old_clamped), min(g_free_S, g_clamped_S)) < CUT_S:
        factor(plan, state)
    else:
        roundings = _change(plan, state, 0, edge, g_free_S - old_free)
        if get(plan, at.TREES) == 2:
            roundings = max(roundings, _change(plan, state, get(plan, at.TREE_SIZE), edge, g_clamped_S - old_clamped))
        put(state, at.ROUNDINGS, get(state, at.ROUNDINGS) + roundings)
        if not get(state, at.ROUNDINGS) < MOST_ROUNDINGS:
            factor(plan, state)
    outputs(plan, state)


@compiled
def step(plan, state, edge, g_free_S, g_clamped_S):
    """Conductances of an edge become these, S; targets' voltages follow, node voltages do not (see `voltages`).

    Below `CUT_S`, and from there, the edge is cut or mended, and the trees are made anew.
    """
    walk(plan, state, 0, edge)
    if get(plan, at.TREES) == 2:
        walk(plan, state, get(plan, at.TREE_SIZE), edge)
    step_read(plan, state, edge, g_free_S, g_clamped_S)
