import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clockfree_model.network import lab16, planar, square
from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit import schur, solver
from clockfree_sim.circuit.caching import kept
from clockfree_sim.circuit.dissection import LEAF, dissect
from clockfree_sim.circuit.twins import Circuit
from tests.sim.reference import Twins

NETWORKS = {16: lab16(), 143: planar(64, 143, 0)}
PORTS = {16: ([0, 2], [4, 6]), 143: ([3, 40], [11, 25, 60])}


def lab_like(edges, twins=False):
    """Circuit and reference of one of NETWORKS, every resistance random, one example shown."""
    network, (sources, targets) = NETWORKS[edges], PORTS[edges]
    circuit = Circuit(len(network.nodes), network.ends, sources, targets, twins=twins)
    reference = Twins(len(network.nodes), network.ends, sources, targets)
    rng = np.random.default_rng(edges)
    g = 1 / rng.uniform(160, 200e3, edges)
    for each in (circuit, reference):
        each.load(g, g * 1.01 if twins else None)
        each.example([1.0, 5.0], np.linspace(1, 4, len(targets)), 0.5)
    return circuit, reference, rng


@kept()
def follow(plan, state, edges, conductances, ratio):
    """An event loop without node voltages: read an edge, then step it. Returns the drops of the last."""
    drops = (0.0, 0.0)
    for k in range(len(edges)):
        drops = solver.read(plan, state, edges[k])
        solver.step_read(plan, state, edges[k], conductances[k], conductances[k] * ratio)
    return drops


@kept()
def read_all(plan, state):
    drops = np.empty((plan[at.EDGES], 2))
    for edge in range(plan[at.EDGES]):
        drops[edge] = solver.read(plan, state, edge)
    return drops


def steps(rng, edges, count):
    """Edges and conductances of random steps over the whole range of a potentiometer, 160 ohm to 200 kohm."""
    return rng.integers(0, edges, count), 1 / np.exp(rng.uniform(np.log(160), np.log(200e3), count))


def drops_of(reference):
    tail, head = reference.ends.T
    free, clamped = reference.free(), reference.clamped()
    return np.stack([free[tail] - free[head], clamped[tail] - clamped[head]], axis=1)


@pytest.mark.parametrize("edges", [16, 143])
def test_a_hundred_thousand_steps_of_the_circuit(edges):
    """Agrees with an independent solve to 1e-9 of every voltage."""
    circuit, reference, rng = lab_like(edges)
    which, g = steps(rng, edges, 100_000)
    for edge, g_S in zip(which.tolist(), g.tolist()):
        circuit.step(edge, g_S, g_S)
    reference.step(which, g, g)
    np.testing.assert_allclose(circuit.v_free, reference.free(), rtol=1e-9, atol=0)
    np.testing.assert_allclose(circuit.v_clamped, reference.clamped(), rtol=1e-9, atol=0)
    examples = rng.uniform(1, 5, (4, 2))
    np.testing.assert_allclose(circuit.outputs(examples), reference.outputs(examples), rtol=1e-9, atol=0)


@pytest.mark.parametrize("twins", [False, True])
@pytest.mark.parametrize("edges", [16, 143])
def test_a_million_events_in_compiled_code(edges, twins):
    """Drops within 1e-9 V of an independent solve, with no node voltage stored on the way."""
    circuit, reference, rng = lab_like(edges, twins)
    which, g = steps(rng, edges, 1_000_000)
    ratio = 1.01 if twins else 1.0
    follow(circuit.plan, circuit.state, which, g, ratio)
    reference.step(which, g, g * ratio)  # the last one of an edge stays
    np.testing.assert_allclose(read_all(circuit.plan, circuit.state), drops_of(reference), rtol=0, atol=1e-9)


@pytest.mark.parametrize("edges", [16, 143])
def test_drift_between_factorisations(edges):
    """Steps over the whole range, as many as there are before the trees are made anew: what MOST_ROUNDINGS promises."""
    circuit, reference, rng = lab_like(edges)
    which, g = steps(rng, edges, 1_000_000)
    done = 0
    while circuit.state[at.ROUNDINGS] < 0.98 * schur.MOST_ROUNDINGS:
        before = circuit.state[at.ROUNDINGS]
        follow(circuit.plan, circuit.state, which[done : done + 100], g[done : done + 100], 1.0)
        done += 100
        assert circuit.state[at.ROUNDINGS] > before, "made anew too early for this test"
    reference.step(which[:done], g[:done], g[:done])
    assert done > 10_000
    np.testing.assert_allclose(read_all(circuit.plan, circuit.state), drops_of(reference), rtol=0, atol=3e-10)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), twins=st.booleans(), small=st.sampled_from([0, solver.SMALL, 120]))
def test_reads_what_the_circuit_is(seed, twins, small):
    """Any size, either solver, any ports, next to each other too: every edge's drops without node voltages."""
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(2, 120))
    ends = [(int(rng.integers(max(0, node - 6), node)), node) for node in range(1, nodes)]
    ends += [(a, b) for a, b in rng.integers(0, nodes, (nodes // 2, 2)).tolist() if a != b]
    ports = rng.permutation(nodes)[: rng.integers(1, 8)]
    sources, targets = np.split(ports, [rng.integers(1, len(ports) + 1)])
    ratio = 1.05 if twins else 1.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver, "SMALL", small)
        circuit = Circuit(nodes, ends, sources, targets, twins=twins)
    assert circuit.plan.dtype == (np.int32 if nodes - len(sources) <= small else np.int64)
    reference = Twins(nodes, ends, sources, targets)
    g = 1 / rng.uniform(160, 200e3, len(ends))
    for each in (circuit, reference):
        each.load(g, g * ratio if twins else None)
        each.example(np.linspace(0, 5, len(sources)), np.linspace(1, 4, len(targets)), 0.5)
    which, g = steps(rng, len(ends), 20)
    before = drops_of(reference)
    for k in range(len(which)):
        assert follow(circuit.plan, circuit.state, which[k : k + 1], g[k : k + 1], ratio) == pytest.approx(
            before[which[k]], abs=1e-10
        )
        reference.step(which[k], g[k], g[k] * ratio)
        before = drops_of(reference)
    np.testing.assert_allclose(read_all(circuit.plan, circuit.state), before, rtol=0, atol=1e-10)


@given(seed=st.integers(0, 2**32), leaf=st.integers(1, 12))
def test_blocks_are_a_nested_dissection(seed, leaf):
    """Every hidden node once; a block that is no separator is small, or cannot be divided."""
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(1, 80))
    ends = rng.integers(0, nodes, (int(rng.integers(0, 3 * nodes)), 2))
    ports = rng.permutation(nodes)[: rng.integers(0, 6)]
    blocks = dissect(nodes, ends, ports, leaf)
    hidden = np.setdiff1d(np.arange(nodes), ports)
    assert sorted(np.concatenate([*blocks, ports[:0]]).tolist()) == hidden.tolist()


def test_separators_of_a_lattice_are_lines():
    """A square of 31 x 31 nodes falls apart along about 31 of them, and into parts that are not far from equal."""
    network = square(31, 31)
    blocks = dissect(961, network.ends, np.array([0, 960]))
    assert len(blocks[-1]) <= 31
    assert max(len(block) for block in blocks[:-1]) <= 31
    order = np.full(961, len(blocks))
    for number, block in enumerate(blocks):
        order[block] = number
    assert sum(len(block) <= LEAF for block in blocks) > 0.8 * len(blocks)


@pytest.mark.parametrize(("network", "most"), [(square(23, 23), 2.7), (square(39, 39), 2.5)])
def test_entries_on_the_way_up_are_few(network, most):
    """The cost of an event: entries of the blocks on an edge's path, per node. Lines drawn by hand give about 3.3."""
    nodes = len(network.nodes)
    plan, _ = at.eliminated(nodes, network.ends, np.array([0, nodes - 1]), np.array([nodes // 2]), trees=1)
    entries = []
    for edge in range(len(network.ends)):
        record, sum_ = plan[plan[at.P_EDGES] + at.EDGE_SIZE * edge + at.E_RECORD], 0
        while record >= 0:
            sum_ += plan[record + at.INTERIOR] * (plan[record + at.INTERIOR] + plan[record + at.BOUNDARY])
            record = plan[record + at.PARENT]
        entries.append(sum_)
    assert np.mean(entries) < most * nodes
