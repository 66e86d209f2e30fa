"""Compiled front ends: an edge looks at its pins or its drops, many times while it calibrates."""

from clockfree_sim.circuit.caching import kept
from clockfree_sim.circuit.inner import inner
from clockfree_sim.compiled import adcs, comparators, pots  # what the methods of an edge call
from clockfree_sim.compiled.firmware import (
    WITHIN,
    look_at_drops,
    look_at_pins,
    look_at_trimmed_pins,
    mean_of_drops,
    nulling,
    take_mismatch,
    take_offsets,
)
from clockfree_sim.compiled.loop import lent_wires
from clockfree_sim.compiled.records import COMPARATOR
from clockfree_sim.compiled.typed_record import EdgeType, edge_of, lacks, method_of

__all__ = ["adcs", "comparators", "match", "null", "pots", "trim"]


@method_of(EdgeType, "look", **WITHIN)
def _look(self, gate):
    if not lacks(self, "levels"):
        return lambda self, gate: look_at_drops(self, gate)

    def look(self, gate):
        if self.front_end == COMPARATOR:
            return look_at_pins(self, gate)
        return look_at_trimmed_pins(self, gate)

    return look


@inner(error_model="numpy")
def _average(edge, reads):
    """An edge takes the mean of so many readings of its drops; time goes on meanwhile."""
    for wait_us in mean_of_drops(edge, reads):
        edge.now[0] += wait_us


@kept(error_model="numpy", about_s=8)
def null(wires, edges, alike, reads):
    """Every edge nulls its offsets by so many readings of its drops, one after another."""
    wires = lent_wires(wires)
    for index in range(len(edges)):
        edge = edge_of(edges[index], alike[0], wires)
        _average(edge, reads)
        take_offsets(edge, edge.a, edge.b, edge.spread)


@kept(error_model="numpy", about_s=8)
def match(wires, edges, alike, reads):
    """Every edge adds the mean of so many readings to the fit of its mismatch, one after another."""
    wires = lent_wires(wires)
    for index in range(len(edges)):
        edge = edge_of(edges[index], alike[0], wires)
        _average(edge, reads)
        take_mismatch(edge, edge.a, edge.b)


@kept(error_model="numpy", about_s=8)
def trim(wires, edges, alike, reads):
    """Every edge finds its trim, one after another, with so many readings of A at each step."""
    wires = lent_wires(wires)
    for index in range(len(edges)):
        for wait_us in nulling(edge_of(edges[index], alike[0], wires), reads):
            wires.now[0] += wait_us
