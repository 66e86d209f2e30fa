"""Seconds of a core that the best achievable error of 3,000 examples on 143 edges takes, beside all examples solved.

The baseline is the same search, from the same starts, on every example instead of the few rows that stand for them.
Both have to come to the same error.
"""

import math
import sys
import time

import numpy as np
from _baseline import one_thread
from _record import record, row

from clockfree_model.linear import Reduced
from clockfree_model.network import load
from clockfree_model.parts import POTS
from clockfree_model.physics import IDEAL
from clockfree_sim.theory import best

NETWORK, EXAMPLES, SOURCES, TARGETS = "planar:64:143:0", 3000, (0, 9, 30, 41), (20, 50)
SAME = 1e-3
"""Of two searches that end on a flat slope."""


def all_of(source_V: np.ndarray, desired_V: np.ndarray) -> Reduced:
    """Every example, in place of `linear.reduced`."""
    return Reduced(source_V, desired_V, 0.0, desired_V.size)


def searched() -> tuple[float, float]:
    """Best achievable error, V^2, and seconds."""
    rng = np.random.default_rng(0)
    source_V = rng.uniform(0, IDEAL.supply_V, (EXAMPLES, len(SOURCES)))
    mixed = rng.dirichlet(np.ones(len(SOURCES)), len(TARGETS))
    desired_V = source_V @ mixed.T + rng.normal(0, 0.1, (EXAMPLES, len(TARGETS)))
    begun = time.process_time()
    found = best.best_error(load(NETWORK), SOURCES, TARGETS, source_V, desired_V, IDEAL, POTS["mcp42xx"])
    return found, time.process_time() - begun


def main() -> None:
    one_thread()
    found, value = searched()
    best.reduced = all_of
    whole, baseline = searched()
    if not math.isclose(found, whole, rel_tol=SAME):
        sys.exit(f"expected the same error of rows and of all examples, got {found} and {whole} V^2")
    name = f"best achievable error, 143 edges, {EXAMPLES:,} examples"
    print(f"{name}: {value:.2f} s; every example solved: {baseline:.2f} s ({found:.6g} and {whole:.6g} V^2)")
    record([row(name, value, "s", baseline, "every example solved")])


if __name__ == "__main__":
    main()
