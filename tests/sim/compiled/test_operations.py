"""What a firing of the compiled loop executes, counted instead of timed.

Where most firings step and no example changes meanwhile. Divisions, calls and references are held against what
the method needs, whatever the compiler makes of the rest; the sum, which differs a little from one processor to
another, against a budget a quarter above what it was.
"""

import math

import pytest

from clockfree_sim.compiled import loop
from clockfree_sim.compiled.kernel import Kernel
from tests.sim.compiled.counted import counted
from tests.sim.jobs import NO_TRACE, a_job

FIRINGS = 2000
SLOW = ("sdiv", "udiv", "srem", "urem", "frem", "sqrt", "llvm.sqrt.f64", "llvm.exp.f64", "llvm.log.f64")
ALLOCATING = ("NRT_Allocate", "NRT_MemInfo_alloc", "NRT_MemInfo_alloc_safe_aligned", "NRT_MemInfo_alloc_aligned")
ATOMIC = ("atomicrmw", "cmpxchg", "llvm.x86.atomic.sub.cc.i64")
MOST = {"lab16": 2250, "square:16x16": 8100, "square:32x32": 23_000}
"""Instructions per firing."""


@pytest.fixture(scope="module")
def executed():
    """By network: what so many firings execute, how many of them step, and nodes."""
    found = {}
    for spec in MOST:
        job = a_job(spec, clamp={"dwell_s": 500.0})
        kernel = Kernel(job)
        next(kernel.run())
        edges = kernel.edges
        edges.serve(0)  # compiled, or loaded
        counts = counted(
            loop.serve, edges.wires, edges.shows, edges.taught, edges.edges, edges.alike, edges.turns, NO_TRACE, FIRINGS
        )
        made = {name: sum(each) for name, each in edges.counters().items()}
        assert made["firings"] == FIRINGS
        found[spec] = counts, made["up"] + made["down"], len(job.network.nodes)
    return found


def test_a_small_network_divides_once_a_twin_and_step(executed):
    """Sherman and Morrison: one reciprocal for each rank-one change of an inverse."""
    counts, steps, _ = executed["lab16"]
    assert steps > FIRINGS / 2
    assert counts["fdiv"] == 2 * steps


@pytest.mark.parametrize("spec", ["square:16x16", "square:32x32"])
def test_a_large_network_divides_no_more_than_once_a_halving(executed, spec):
    """A block of the tree is cut in two until few nodes are left: there are fewer levels than log2 of the nodes."""
    counts, steps, nodes = executed[spec]
    assert 0 < counts["fdiv"] <= steps * math.log2(nodes)


@pytest.mark.parametrize("spec", MOST)
def test_no_firing_allocates_or_calls_what_is_slow(executed, spec):
    counts, _, _ = executed[spec]
    assert not {name: counts[name] for name in SLOW + ALLOCATING if counts[name]}


@pytest.mark.parametrize("spec", MOST)
def test_references_are_counted_once_a_call_and_not_at_each_firing(executed, spec):
    counts, _, _ = executed[spec]
    assert sum(counts[name] for name in ATOMIC) < FIRINGS / 10


@pytest.mark.parametrize("spec", MOST)
def test_a_firing_keeps_within_its_budget(executed, spec):
    counts, _, _ = executed[spec]
    assert sum(counts.values()) / FIRINGS < MOST[spec]


def test_a_firing_grows_no_faster_than_the_network(executed):
    (small, _, few), (large, _, many) = executed["square:16x16"], executed["square:32x32"]
    assert sum(large.values()) / sum(small.values()) < many / few
