"""Meter of the error: of every state of the circuit between two changes, weighed by the time it stood; compiled.

The error is that of the free targets once they have settled, over all examples of the lesson that is taught, whichever
is shown. It changes with conductances alone, so it is worked out again after each of their changes, from how the
targets follow the sources, and added up with the time for which the one before stood. B examples are met as at most S
rows; see `clockfree_model.linear`.
"""

import numpy as np

from clockfree_model.linear import reduced
from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.lanes import LANES, add, add_square, get, get_lanes, put, total, zeros
from clockfree_sim.circuit.schur import compiled

# The meter's part of the state: error, V^2, times us, so far; error now; times, us, of the last change and since when
# it adds up; one over examples times targets; what no network can change of the sum of squares, V^2; rows, to whole
# lanes. Then, for each source, its voltages in all rows, and for each target what is desired of it, times -1, V.
SUM, ERROR, SINCE_US, BEGAN_US, SHARE, REST, ROWS = range(at.METER_HEADER)
ROWS_AT = at.METER_HEADER


def teach(plan: np.ndarray, state: np.ndarray, source_V: np.ndarray, desired_V: np.ndarray, now_us: int) -> None:
    """The examples are these from now on, (B, S) and (B, O), V; adding up begins anew."""
    met = reduced(source_V, desired_V)
    rows = np.hstack([met.source_V, -met.desired_V])
    if len(rows) > LANES:  # of more lanes than one the later ones begin with zeros, which are passed over
        rows = np.asarray(np.linalg.qr(rows, mode="r"))
    columns = np.zeros((rows.shape[1], at.padded(len(rows))))
    columns[:, : len(rows)] = rows.T
    meter = plan[at.S_METER]
    state[meter + SHARE], state[meter + REST], state[meter + ROWS] = 1.0 / met.values, met.rest_V2, columns.shape[1]
    state[meter + ROWS_AT : meter + ROWS_AT + columns.size] = columns.ravel()
    state[meter + SUM], state[meter + ERROR] = 0.0, error(plan, state)
    state[meter + SINCE_US] = state[meter + BEGAN_US] = now_us


@compiled
def changed(plan, state, now_us):
    """Conductances have changed: what stood until now is added up."""
    meter = get(plan, at.S_METER)
    if get(state, meter + ROWS) > 0.0:
        _add(state, meter, now_us)
        put(state, meter + ERROR, error(plan, state))


@compiled
def take(plan, state, now_us):
    """Mean of the error since adding up began, V^2, and how long that is, us; it begins anew. Of no time, that now."""
    meter = get(plan, at.S_METER)
    _add(state, meter, now_us)
    stood_us = now_us - get(state, meter + BEGAN_US)
    mean_V2 = get(state, meter + SUM) / stood_us if stood_us > 0.0 else get(state, meter + ERROR)
    put(state, meter + SUM, 0.0)
    put(state, meter + BEGAN_US, now_us)
    return mean_V2, stood_us


@compiled
def _add(state, meter, now_us):
    stood_us = now_us - get(state, meter + SINCE_US)
    put(state, meter + SUM, get(state, meter + SUM) + get(state, meter + ERROR) * stood_us)
    put(state, meter + SINCE_US, now_us)


@compiled
def error(plan, state):
    """Error now, V^2."""
    root, meter = get(plan, at.ROOT), get(plan, at.S_METER)
    begin, wide = get(plan, root + at.ROWS), get(plan, root + at.ROW)
    sources, rows = get(plan, at.SOURCES), int(get(state, meter + ROWS))
    end, columns = begin + wide * get(plan, at.TARGETS), meter + ROWS_AT
    squares = zeros()
    row = 0
    while row < rows:  # plainly: every firing that steps comes here
        gain, wanted = begin, columns + sources * rows + row
        while gain < end:
            off_V, source, column = get_lanes(state, wanted), gain + row, columns + row * rows + row
            while source < gain + sources:
                off_V = add(off_V, get(state, source), get_lanes(state, column))
                source += 1
                column += rows
            squares = add_square(squares, off_V)
            gain += wide
            wanted += rows
        row += LANES
    return (get(state, meter + REST) + total(squares)) * get(state, meter + SHARE)
