import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clockfree_model.network import square
from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.schur import MOST_ROUNDINGS
from clockfree_sim.circuit.twins import Circuit
from tests.sim.reference import Twins


def random_case(rng, twins=False, **settling):
    """A connected random network with random ports and conductances, as circuit and as reference."""
    nodes = int(rng.integers(2, 45))
    tree = [(int(rng.integers(node)), node) for node in range(1, nodes)]
    more = rng.integers(0, nodes, (int(rng.integers(0, 2 * nodes)), 2))
    ends = np.array(tree + [pair for pair in more.tolist() if pair[0] != pair[1]])  # parallel edges included
    ends = rng.permutation(ends, axis=0)
    ports = rng.permutation(nodes)
    sources = ports[: rng.integers(1, min(nodes, 5))]
    targets = ports[len(sources) :][: rng.integers(0, 5)]
    circuit = Circuit(nodes, ends, sources, targets, twins=twins, **settling)
    reference = Twins(nodes, ends, sources, targets)
    g_free = conductance(rng, len(ends))
    g_clamped = g_free * rng.uniform(0.9, 1.1, len(ends)) if twins else None
    for each in (circuit, reference):
        each.load(g_free, g_clamped)
    return circuit, reference


def conductance(rng, size=None):
    return 1 / rng.uniform(160, 200e3, size)


def assert_agree(circuit, reference):
    free, clamped = reference.free(), reference.clamped()
    np.testing.assert_allclose(circuit.v_free, free, rtol=0, atol=1e-10)
    np.testing.assert_allclose(circuit.v_clamped, clamped, rtol=0, atol=1e-10)
    for edge in (0, len(circuit.ends) - 1):
        tail, head = circuit.ends[edge]
        drops = free[tail] - free[head], clamped[tail] - clamped[head]
        np.testing.assert_allclose(circuit.drops(edge), drops, rtol=0, atol=1e-10)
        np.testing.assert_allclose(circuit.node(tail), (free[tail], clamped[tail]), rtol=0, atol=1e-10)
    np.testing.assert_allclose(circuit.power(), reference.power(), rtol=1e-9, atol=1e-12)
    assert circuit.residual() < 1e-10


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), twins=st.booleans())
def test_any_network_any_order_of_changes(seed, twins):
    rng = np.random.default_rng(seed)
    circuit, reference = random_case(rng, twins)
    sources, targets = len(circuit.sources), len(circuit.targets)
    for _ in range(10):
        match rng.integers(8):
            case 0 | 1:
                shown = rng.uniform(0, 5, sources), rng.uniform(0, 5, targets), float(rng.uniform(0.01, 1))
                error_V = rng.normal(0, 0.01, targets) if rng.random() < 0.5 else None
                circuit.example(*shown, error_V)
                reference.example(*shown, error_V)
            case 2:
                circuit.float_clamp()
                reference.float_clamp()
            case 3:
                held_V = rng.uniform(0, 5, targets)
                circuit.hold_clamp(held_V)
                reference.hold_clamp(held_V)
            case _:
                edge, g_free = int(rng.integers(len(circuit.ends))), float(conductance(rng))
                g_clamped = g_free * float(rng.uniform(0.9, 1.1)) if twins else g_free
                circuit.step(edge, g_free, g_clamped)
                reference.step(edge, g_free, g_clamped)
        assert_agree(circuit, reference)
    examples = rng.uniform(0, 5, (3, sources))
    np.testing.assert_allclose(circuit.outputs(examples), reference.outputs(examples), rtol=0, atol=1e-10)
    circuit.refactor()
    assert_agree(circuit, reference)


class TestByHand:
    """Circuits whose voltages anyone can work out."""

    def test_one_edge_without_hidden_nodes(self):
        circuit = Circuit(2, [(0, 1)], [0], [1])
        circuit.load(np.array([1e-4]))
        circuit.example([5.0], [2.0], 0.5)
        assert circuit.v_free == pytest.approx([5, 5])
        assert circuit.v_clamped == pytest.approx([5, 3.5])
        assert circuit.power() == pytest.approx((0, 1.5**2 * 1e-4))

    def test_series(self):
        circuit = Circuit(4, [(0, 1), (2, 1), (2, 3)], [0, 3], [1])
        circuit.load(1 / np.array([1e3, 2e3, 3e3]))
        circuit.example([6.0, 0.0], [2.0], 1.0)
        assert circuit.v_free == pytest.approx([6, 5, 3, 0])
        assert circuit.v_clamped == pytest.approx([6, 2, 1.2, 0])
        assert circuit.drops(1) == pytest.approx((-2, -0.8))  # tail minus head
        outputs_V = circuit.outputs(np.array([[6.0, 0.0], [0.0, 6.0], [3.0, 3.0]]))
        assert outputs_V.shape == (3, 1)
        assert outputs_V.ravel() == pytest.approx([5, 1, 3])

    def test_parallel(self):
        circuit = Circuit(3, [(0, 1), (0, 1), (1, 2)], [0, 2], [1])
        circuit.load(1 / np.array([2e3, 2e3, 1e3]))
        circuit.example([4.0, 0.0], [0.0], 0.25)
        assert circuit.v_free[1] == pytest.approx(2)
        assert circuit.v_clamped[1] == pytest.approx(1.5)

    def test_wheatstone_bridge(self):
        """Balanced, the bridge's resistor does not matter and has no drop; unbalanced, Kirchhoff gives 5/9 V."""
        circuit = Circuit(4, [(0, 1), (0, 2), (1, 3), (2, 3), (1, 2)], [0, 3], [1, 2])
        circuit.load(1 / np.array([1e3, 2e3, 2e3, 4e3, 5e3]))
        circuit.example([6.0, 0.0], [4.0, 4.0], 1.0)
        assert circuit.v_free == pytest.approx([6, 4, 4, 0])
        assert circuit.drops(4) == pytest.approx((0, 0), abs=1e-12)
        circuit.load(1 / np.array([1e3, 1e3, 1e3, 3e3, 1e3]))
        circuit.example([5.0, 0.0], [0.0, 0.0], 1.0)
        assert circuit.drops(4)[0] == pytest.approx(-5 / 9)

    def test_clamp(self):
        """Eq. 1, its error, and the two other things a clamp can do."""
        circuit = Circuit(3, [(0, 1), (1, 2)], [0, 2], [1])
        circuit.load(np.array([1e-4, 1e-4]))
        circuit.example([4.0, 0.0], [3.0], 0.5, [0.25])
        assert circuit.v_clamped[1] == pytest.approx(2 + 0.5 * (3 - 2) + 0.25)
        circuit.step(0, 3e-4, 3e-4)
        assert circuit.v_clamped[1] == pytest.approx(3 + 0.5 * (3 - 3) + 0.25)  # follows the free target
        circuit.hold_clamp([1.0])
        circuit.step(0, 1e-4, 1e-4)
        assert (circuit.v_free[1], circuit.v_clamped[1]) == pytest.approx((2, 1))
        circuit.float_clamp()
        assert circuit.v_clamped[1] == pytest.approx(2)


class TestCuts:
    """Edges of no conductance: what hangs on them floats, is put at 0 V, and comes back when they are mended."""

    ENDS = ((0, 1), (1, 2), (2, 3), (3, 4), (1, 4), (4, 5), (5, 6), (4, 6))  # 4-5-6 is a loop on one node

    def circuit(self, twins=False):
        circuit = Circuit(7, self.ENDS, [0], [3], twins=twins)
        circuit.load(np.full(8, 1e-4), np.full(8, 1.1e-4) if twins else None)
        circuit.example([5.0], [3.0], 0.5)
        return circuit

    @pytest.mark.parametrize("twins", [False, True])
    @pytest.mark.parametrize("gone", [0.0, 1e-15])
    def test_a_part_and_a_target_cut_off(self, twins, gone):
        circuit = self.circuit(twins)
        before = circuit.v_free.copy(), circuit.v_clamped.copy()
        for edge in (5, 7):
            circuit.step(edge, gone, gone)
        assert circuit.v_free == pytest.approx([5, 5, 5, 5, 5, 0, 0])
        assert circuit.v_clamped[[3, 5, 6]] == pytest.approx([4, 0, 0])
        circuit.step(0, gone, gone)  # now nothing but the source itself has a voltage in the free twin
        assert circuit.v_free == pytest.approx([5, 0, 0, 0, 0, 0, 0])
        assert circuit.v_clamped == pytest.approx([5, 1.5, 1.5, 1.5, 1.5, 0, 0])
        assert circuit.outputs(np.array([[5.0]])) == pytest.approx(0)
        assert circuit.residual() < 1e-12
        circuit.step(6, 3e-4, 3e-4)  # inside the part that floats
        assert circuit.residual() < 1e-12
        for edge in (0, 5, 6, 7):
            circuit.step(edge, 1e-4, 1.1e-4 if twins else 1e-4)
        assert circuit.v_free == pytest.approx(before[0])
        assert circuit.v_clamped == pytest.approx(before[1])

    def test_every_edge_cut(self):
        circuit = self.circuit()
        circuit.load(np.zeros(8))
        circuit.float_clamp()
        assert circuit.v_free.tolist() == circuit.v_clamped.tolist() == [5, 0, 0, 0, 0, 0, 0]

    def test_a_bridge_nearly_cut(self):
        """The whole range of a potentiometer in one step, on an edge that everything depends on."""
        circuit = Circuit(4, [(0, 1), (1, 2), (2, 3)], [0], [3])
        circuit.load(np.array([1e-4, 1e-4, 1e-4]))
        circuit.example([5.0], [0.0], 1.0)
        for ohm in (1e9, 160.0, 1e11, 1e4):
            circuit.step(1, 1 / ohm, 1 / ohm)
            assert circuit.v_free == pytest.approx([5, 5, 5, 5], rel=1e-9)
            assert circuit.v_clamped[1] == pytest.approx(5 * (1 - 1e4 / (2e4 + ohm)), rel=1e-9)


def test_settling_is_exponential():
    """Each twin relaxes with its own time constant, from what was sensed, whatever happened before."""
    circuit = Circuit(3, [(0, 1), (1, 2)], [0, 2], [1], settle_free_us=20.0, settle_clamped_us=35.0)
    circuit.load(np.array([1e-4, 1e-4]))
    circuit.example([4.0, 0.0], [4.0], 0.5, now_us=1000)
    circuit.step(0, 3e-4, 3e-4, now_us=1015)
    circuit.hold_clamp([1.0], now_us=1040)
    # Solution of node 1 in either twin, and since when.
    free = [(2.0, 1000), (3.0, 1015)]
    clamped = [(3.0, 1000), (3.5, 1015), (1.0, 1040)]
    for now_us in (1040, 1041, 1060, 1200):
        expected = []
        for steps, tau_us in ((free, 20.0), (clamped, 35.0)):
            before, sensed = 0.0, 0.0
            for value, since_us in steps:  # superposition: every jump decays on its own
                sensed += (value - before) * (1 - np.exp((since_us - now_us) / tau_us))
                before = value
            expected.append(sensed)
        assert circuit.node(1, now_us) == pytest.approx(expected, rel=1e-12)
        source = [4 * (1 - np.exp((1000 - now_us) / tau_us)) for tau_us in (20.0, 35.0)]
        assert circuit.drops(0, now_us) == pytest.approx(np.subtract(source, expected), rel=1e-12)
    assert circuit.v_free[1] == pytest.approx(3)  # the solution itself is there at once
    circuit.refactor()
    assert circuit.node(1, 1060)[0] == pytest.approx(2 * (1 - np.exp(-3)) + 1 - np.exp(-2.25))
    circuit.load(np.array([1e-4, 1e-4]))  # a network loaded is a network at rest
    assert circuit.node(1, 1060) == pytest.approx((2, 1))


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), one=st.booleans())
def test_settling_ends_at_the_solution(seed, one):
    rng = np.random.default_rng(seed)
    circuit, reference = random_case(rng, settle_free_us=9.0, settle_clamped_us=0.0 if one else 40.0)
    shown = rng.uniform(0, 5, len(circuit.sources)), rng.uniform(0, 5, len(circuit.targets)), 0.5
    circuit.example(*shown, None, 5)
    reference.example(*shown)
    edge, g = int(rng.integers(len(circuit.ends))), float(conductance(rng))
    circuit.step(edge, g, g, 30)
    reference.step(edge, g, g)
    tail, head = circuit.ends[edge]
    clamped = reference.clamped()
    if one:
        assert circuit.drops(edge, 30)[1] == pytest.approx(clamped[tail] - clamped[head], abs=1e-10)
    free = reference.free()
    assert circuit.drops(edge, 3000) == pytest.approx(
        (free[tail] - free[head], clamped[tail] - clamped[head]), abs=1e-10
    )


def test_voltages_change_in_place():
    circuit = Circuit(3, [(0, 1), (1, 2)], [0, 2], [1])
    free, clamped = memoryview(circuit.v_free), memoryview(circuit.v_clamped)
    circuit.load(np.array([1e-4, 1e-4]))
    circuit.example([4.0, 0.0], [3.0], 0.5)
    circuit.step(0, 3e-4, 3e-4)
    circuit.refactor()
    assert (free[1], clamped[1]) == pytest.approx((3, 3))
    assert free.contiguous and free.format == "d"


def test_clamped_conductances_need_a_tree_of_their_own():
    circuit = Circuit(2, [(0, 1)], [0], [1])
    with pytest.raises(ValueError, match="twins=False"):
        circuit.load(np.array([1e-4]), np.array([1e-4]))


class TestRefused:
    """What would spoil the state, or read beyond it, is refused and changes nothing."""

    @pytest.mark.parametrize("g", [float("nan"), float("inf"), -1e-4])
    def test_conductance(self, g):
        circuit = Circuit(3, [(0, 1), (1, 2)], [0, 2], [1], twins=True)
        circuit.load(np.array([1e-4, 1e-4]), np.array([1e-4, 1e-4]))
        circuit.example([4.0, 0.0], [3.0], 0.5)
        for bad in ((g, 1e-4), (1e-4, g)):
            with pytest.raises(ValueError, match="conductances"):
                circuit.step(1, *bad)
            with pytest.raises(ValueError, match="conductances"):
                circuit.load(np.array([1e-4, bad[0]]), np.array([1e-4, bad[1]]))
        circuit.refactor()
        assert circuit.v_clamped[1] == pytest.approx(2.5)

    @pytest.mark.parametrize("index", [-1, 3])
    def test_edge_and_node(self, index):
        circuit = Circuit(3, [(0, 1), (1, 2), (0, 2)], [0, 2], [1])
        circuit.load(np.array([1e-4, 1e-4, 1e-4]))
        for call in (
            lambda: circuit.step(index, 1e-4, 1e-4),
            lambda: circuit.drops(index),
            lambda: circuit.node(index),
        ):
            with pytest.raises(IndexError):
                call()


def test_residual_sees_a_wrong_voltage():
    circuit = Circuit(3, [(0, 1), (1, 2)], [0, 2], [1])
    circuit.load(np.array([1e-4, 1e-4]))
    circuit.example([4.0, 0.0], [3.0], 0.5)
    circuit.v_clamped[1] += 1e-6
    assert circuit.residual() == pytest.approx(1e-6)


def test_trees_are_made_anew_when_roundings_have_gathered():
    rng = np.random.default_rng(0)
    circuit, reference = random_case(rng)
    row = circuit.plan[circuit.plan[at.ROOT] + at.ROWS] if len(circuit.targets) else circuit.plan[at.S_TREES] + 4
    circuit.state[row] += 1.0  # as if rounding had spoilt it
    circuit.state[at.ROUNDINGS] = MOST_ROUNDINGS
    circuit.step(0, 1e-4, 1e-4)
    reference.step(0, 1e-4, 1e-4)
    assert_agree(circuit, reference)
    assert circuit.state[at.ROUNDINGS] == 0


@pytest.mark.parametrize("network", [square(50, 50, periodic=True), square(1, 300)], ids=["5,000 edges", "a chain"])
def test_large(network):
    rng = np.random.default_rng(3)
    nodes, edges = len(network.nodes), len(network.ends)
    ports = rng.choice(nodes, 7, replace=False)
    circuit = Circuit(nodes, network.ends, ports[:3], ports[3:])
    circuit.load(conductance(rng, edges))
    circuit.example([0.0, 2.0, 5.0], rng.uniform(0, 5, 4), 0.5)
    for edge in rng.integers(0, edges, 300).tolist():
        g = float(conductance(rng))
        circuit.step(edge, g, g)
    assert circuit.residual() < 1e-10
