"""Compiled clocks of the edges, before they start."""

from clockfree_sim.circuit.caching import kept
from clockfree_sim.compiled.firmware import configure, seed


@kept(error_model="numpy")
def seed_clocks(edges, low, high, kind, means_us):
    """Seed the clock of every edge (E,) from two words, and give it its mean wait, us (E,)."""
    for index in range(len(edges)):
        clock = edges[index].clock
        seed(clock, low, high, index)
        configure(clock, kind, means_us[index])
