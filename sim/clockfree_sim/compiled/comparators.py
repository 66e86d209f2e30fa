"""Compiled comparators, with the trim of A's reference: as `parts.comparators` has them, on the compiled circuit."""

import numpy as np

from clockfree_board.rule import FIRST
from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit import solver, voltages
from clockfree_sim.circuit.inner import inner
from clockfree_sim.circuit.lanes import get
from clockfree_sim.compiled.firmware import WITHIN, set_trim
from clockfree_sim.compiled.records import TRIMMED
from clockfree_sim.compiled.typed_record import EdgeType, method_of
from clockfree_sim.parts.comparators import RESOLVED_V
from clockfree_sim.plant import noise


@inner(error_model="numpy", **WITHIN)
def _see(edge):
    """Take the drops of this moment."""
    if edge.kept:
        if get(edge.state, at.STALE):
            voltages.voltages(edge.plan, edge.state, edge.now[0])
        edge.free_V, edge.clamped_V = voltages.drops_sensed(edge.plan, edge.state, edge.index, edge.now[0])
    else:
        edge.free_V, edge.clamped_V = solver.read(edge.plan, edge.state, edge.index)


@method_of(EdgeType, "pin_a", **WITHIN)
def _pin_a(self):
    def pin_a(self):
        _see(self)  # for both: every look reads A first, and B at the same moment
        if self.plain:
            return 1 if self.clamped_V - self.free_V >= RESOLVED_V else 0
        return _biased_a(self)

    return pin_a


@method_of(EdgeType, "pin_b", **WITHIN)
def _pin_b(self):
    def pin_b(self):
        if self.plain:
            return 1 if _seen_by_b(self) >= RESOLVED_V else 0
        return _biased_b(self)

    return pin_b


@inner(error_model="numpy", **WITHIN)
def _seen_by_b(edge):
    return edge.free_V if edge.order == FIRST else edge.clamped_V + edge.free_V


@inner(error_model="numpy")
def _biased_a(edge):
    if edge.stuck_a >= 0:
        return edge.stuck_a
    if not edge.magnitude:
        return _over(edge, edge.clamped_V - edge.free_V, edge.offset_a_V, _trim_V(edge))
    b = edge.clamped_V + edge.free_V >= RESOLVED_V
    over = abs(edge.clamped_V) - abs(edge.free_V)
    if -RESOLVED_V < over < RESOLVED_V:
        over = 0.0 if b else RESOLVED_V
    sigma_V = edge.offset_a_V
    if edge.sigma_V:
        sigma_V = edge.sigma_V * noise.uniform(edge.noise_key, edge.drawn)
        edge.drawn += 1
    return 1 if (over + sigma_V > 0.0) == b else 0


@inner(error_model="numpy")
def _biased_b(edge):
    if edge.stuck_b >= 0:
        return edge.stuck_b
    over = _seen_by_b(edge)
    if edge.magnitude:
        return 1 if over >= RESOLVED_V else 0
    return _over(edge, over, edge.offset_b_V, 0.0)


@inner(error_model="numpy")
def _over(edge, over, offset_V, trim_V):
    """A comparator with an offset, noise and a shifted reference."""
    if -RESOLVED_V < over < RESOLVED_V:
        over = 0.0
    noise_V = 0.0
    if edge.noise_V:
        noise_V = edge.noise_V * noise.gauss(edge.noise_key, edge.drawn)
        edge.drawn += 1
    return 1 if over + offset_V + noise_V > trim_V else 0


# -- the trim --------------------------------------------------------------------------------------------------------


@inner(error_model="numpy")
def _trim_V(edge):
    """Shift of A's reference now, V: 0 where there is no trim."""
    if edge.front_end != TRIMMED:
        return 0.0
    left = np.exp((edge.trim_us - edge.now[0]) / edge.tau_us)
    return edge.trim_target_V + (edge.trim_was_V - edge.trim_target_V) * left


@method_of(EdgeType, "trim")
def _trim(self, duty):
    def trim(self, duty):
        self.trim_was_V = _trim_V(self)
        self.trim_us = self.now[0]
        self.trim_target_V = self.span_V * (duty - 32768) / 32768

    return trim


@method_of(EdgeType, "set")
def _set(self, c16):
    return lambda self, c16: set_trim(self, c16)
