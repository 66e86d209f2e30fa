"""Compiled front ends: an edge looks at its pins or its drops, and they are read often while it calibrates."""

from numba import njit

from clockfree_sim import channels, pins, wipers  # what the methods of an edge call
from clockfree_sim.bound import EdgeType, edge_of, method_of
from clockfree_sim.compiled import WITHIN, look_at_drops, look_at_pins, look_at_trimmed_pins, nulling
from clockfree_sim.records import COMPARATOR, TRIMMED

__all__ = ["channels", "null", "pins", "read_often", "wipers"]


@method_of(EdgeType, "look", **WITHIN)
def _look(self, gate):
    def look(self, gate):
        if self.front_end == COMPARATOR:
            return look_at_pins(self, gate)
        if self.front_end == TRIMMED:
            return look_at_trimmed_pins(self, gate)
        return look_at_drops(self, gate)

    return look


@njit(cache=True, error_model="numpy")
def read_often(bench, edges, alike, every_us, rows):
    """Fill rows, (E, n, 2) int64, with n readings of each edge's two drops, 1/16 ADC code, one every so many us."""
    for index in range(len(edges)):
        edge = edge_of(edges[index], alike[0], bench)
        for i in range(rows.shape[1]):
            edge.read()
            rows[index, i] = edge.a, edge.b
            bench.now[0] += every_us


@njit(cache=True, error_model="numpy")
def null(bench, edges, alike, reads):
    """Every edge finds its trim, one after another, with so many readings of A at each step."""
    for index in range(len(edges)):
        for wait_us in nulling(edge_of(edges[index], alike[0], bench), reads):
            bench.now[0] += wait_us
