"""The twin networks as a circuit: node voltages now, and how they change when one edge steps."""

from collections.abc import Sequence

import numpy as np

from clockfree_model.linear import outputs
from clockfree_model.network import Network
from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit import meter, solver, voltages
from clockfree_sim.circuit.caching import kept


class Circuit:
    """Free and clamped twin of one network, both solved after every change.

    Object for callers in Python around the compiled functions of `solver`; `plan` and `state` are theirs.
    Sources are held in both twins. In the free twin the targets float; in the clamped twin they follow
    V_C = V_F + eta (V_D - V_F) + clamp error (SCIENCE eq. 1), are held at given voltages, or float.

    Parameters
    ----------
    nodes : int
    ends : (E, 2) int
        Tail and head of every edge; a drop is tail minus head.
    sources, targets : sequences of int
    twins : bool
        True if an edge's conductance may differ between the twins; False if both always have the same.
    settle_free_us, settle_clamped_us : float
        Time constant with which the sensed voltages of each twin relax to the solution; 0 is at once.
    like : Circuit or None
        One of the same network, ports and kind, whose plan serves this one, too.

    Attributes
    ----------
    v_free, v_clamped : (nodes,) float64
        Node voltages of the solution now, V, changed in place.
    """

    def __init__(
        self,
        nodes: int,
        ends: np.ndarray,
        sources: Sequence[int],
        targets: Sequence[int],
        *,
        twins: bool = False,
        settle_free_us: float = 0.0,
        settle_clamped_us: float = 0.0,
        like: "Circuit | None" = None,
    ):
        self.nodes = nodes
        self.ends = np.array(ends, dtype=np.int64).reshape(-1, 2)
        self.sources = np.array(sources, dtype=np.int64)
        self.targets = np.array(targets, dtype=np.int64)
        self.twins = twins
        self.plan: np.ndarray
        if like:
            self.plan, size = like.plan, len(like.state)
        else:
            self.plan, size = solver.planned(nodes, self.ends, self.sources, self.targets, 2 if twins else 1)
        self.state: np.ndarray = _aligned(size)
        self.state[at.FLOATING] = 1.0
        self.state[at.RATE_FREE] = 1.0 / settle_free_us if settle_free_us else 0.0
        self.state[at.RATE_CLAMPED] = 1.0 / settle_clamped_us if settle_clamped_us else 0.0
        self.v_free = self._view(at.S_FREE, nodes)
        self.v_clamped = self._view(at.S_CLAMPED, nodes)
        self._lag = self._view(at.S_LAG, 2 * nodes)
        self._g = self._view(at.S_CONDUCTANCE, 2 * len(self.ends)).reshape(2, -1)
        self._source_V = self._view(at.S_PORTS, len(self.sources))
        self._target_V = self._view(at.S_TARGET, len(self.targets))
        self._gain = solver.rows_of_targets(self.plan, self.state)

    def _view(self, key: int, length: int) -> np.ndarray:
        return self.state[self.plan[key] : self.plan[key] + length]

    def load(self, g_free: np.ndarray, g_clamped: np.ndarray | None = None) -> None:
        """Set all conductances, S (E,); the clamped twin's are the free twin's if not given."""
        if g_clamped is not None and not self.twins:
            raise ValueError("g_clamped given, but the circuit was built with twins=False")
        both = np.array([g_free, g_free if g_clamped is None else g_clamped], dtype=float)
        if not ((both >= 0) & (both < np.inf)).all():
            raise ValueError("expected conductances from 0 to below infinity")
        self._g[:] = both
        _solve(self.plan, self.state, int(self.state[at.SINCE_US]), True)
        self._lag[:] = 0.0

    def example(self, source_V, desired_V, eta: float, clamp_error_V=None, now_us: int = 0) -> None:
        """Show an example: sources at source_V (S,), clamped targets nudged by eta towards desired_V (O,), V."""
        self._source_V[:] = source_V
        self._target_V[:] = eta * np.asarray(desired_V, dtype=float)
        if clamp_error_V is not None:
            self._target_V += clamp_error_V
        self.state[at.WEIGHT], self.state[at.FLOATING] = 1.0 - eta, 0.0
        _solve(self.plan, self.state, now_us, False)

    def float_clamp(self, now_us: int = 0) -> None:
        """Leave the clamped targets undriven."""
        self.state[at.FLOATING] = 1.0
        _solve(self.plan, self.state, now_us, False)

    def hold_clamp(self, clamped_V, now_us: int = 0) -> None:
        """Hold the clamped targets at given voltages, V (O,)."""
        self._target_V[:] = clamped_V
        self.state[at.WEIGHT], self.state[at.FLOATING] = 0.0, 0.0
        _solve(self.plan, self.state, now_us, False)

    def step(self, edge: int, g_free_S: float, g_clamped_S: float, now_us: int = 0) -> None:
        """One edge's conductances become these, S; the free one counts for both if twins is False.

        0 (or less than `cut.CUT_S`) cuts the edge. What is then joined to no source floats; it is put at 0 V.
        """
        _step(self.plan, self.state, edge, float(g_free_S), float(g_clamped_S), now_us)

    def step_all(self, edges: Sequence[int], g_free_S: Sequence[float], g_clamped_S: Sequence[float], now_us=0) -> None:
        """As `step` for several edges, (n,) each, with nothing in between."""
        both_S = np.array([g_free_S, g_clamped_S if self.twins else g_free_S], dtype=float)
        _step_all(self.plan, self.state, np.array(edges, dtype=np.int64), both_S, now_us)

    def drops(self, edge: int, now_us: int = 0) -> tuple[float, float]:
        """Sensed drops of an edge in the free and the clamped twin, V."""
        return _drops(self.plan, self.state, edge, now_us)

    def node(self, node: int, now_us: int = 0) -> tuple[float, float]:
        """Sensed voltage of a node in the free and the clamped twin, V."""
        return _node(self.plan, self.state, node, now_us)

    def outputs(self, source_V: np.ndarray) -> np.ndarray:
        """Free targets' voltages, V (B, O), for examples with sources at source_V (B, S)."""
        return outputs(source_V, self._gain)

    def teach(self, source_V: np.ndarray, desired_V: np.ndarray, now_us: int = 0) -> None:
        """The error is that of these examples from now on, sources at (B, S), targets to be at (B, O), V."""
        meter.teach(self.plan, self.state, source_V, desired_V, now_us)

    def mean_error(self, now_us: int) -> tuple[float, int]:
        """Mean of the error, V^2, over the time since this was last asked for or taught, and how long that is, us."""
        mean_V2, stood_us = meter.take(self.plan, self.state, now_us)
        return float(mean_V2), int(stood_us)

    def gain(self) -> np.ndarray:
        """Volts of each free target per volt of each source now (O, S)."""
        return self._gain.copy()

    def power(self) -> tuple[float, float]:
        """Power dissipated now in the free and the clamped twin, W."""
        tail, head = self.ends.T
        free = np.sum(self._g[0] * (self.v_free[tail] - self.v_free[head]) ** 2)
        clamped = np.sum(self._g[1] * (self.v_clamped[tail] - self.v_clamped[head]) ** 2)
        return float(free), float(clamped)

    def refactor(self) -> None:
        """Start again from the stored conductances."""
        _solve(self.plan, self.state, int(self.state[at.SINCE_US]), True)

    def residual(self) -> float:
        """Largest disagreement of a node voltage with a direct solve, V."""
        from clockfree_sim.circuit import direct  # sparse matrices: slow to load, and only a check asks

        source_V, held = self._source_V, np.concatenate([self.sources, self.targets])
        free = direct.solve(self.nodes, self.ends, self._g[0], self.sources, source_V)[0]
        if self.state[at.FLOATING]:
            clamped = direct.solve(self.nodes, self.ends, self._g[1], self.sources, source_V)[0]
        else:
            target_V = self.state[at.WEIGHT] * free[self.targets] + self._target_V
            held_V = np.concatenate([source_V, target_V])
            clamped = direct.solve(self.nodes, self.ends, self._g[1], held, held_V)[0]
        return float(max(np.abs(free - self.v_free).max(), np.abs(clamped - self.v_clamped).max()))


def _aligned(size: int) -> np.ndarray:
    """Zeros that begin on a cache line, so that rows do not straddle more lines than they must.

    What lies before them, which is not the same each time, is no part of the array that views of them are of.
    """
    raw = bytearray(8 * size + 64)
    return np.frombuffer(raw, count=size, offset=-np.frombuffer(raw, np.uint8).ctypes.data % 64)


@kept()
def _step(plan, state, edge, g_free_S, g_clamped_S, now_us):
    if not 0 <= edge < plan[at.EDGES]:
        raise IndexError("no such edge")
    if not (0.0 <= g_free_S < np.inf and 0.0 <= g_clamped_S < np.inf):
        raise ValueError("expected conductances from 0 to below infinity")
    solver.step(plan, state, edge, g_free_S, g_clamped_S)
    meter.changed(plan, state, now_us)
    voltages.voltages(plan, state, now_us)


@kept()
def _step_all(plan, state, edges, g_S, now_us):
    for i in range(len(edges)):
        if not 0 <= edges[i] < plan[at.EDGES]:
            raise IndexError("no such edge")
        if not (0.0 <= g_S[0, i] < np.inf and 0.0 <= g_S[1, i] < np.inf):
            raise ValueError("expected conductances from 0 to below infinity")
    solver.step_all(plan, state, edges, g_S)
    meter.changed(plan, state, now_us)
    voltages.voltages(plan, state, now_us)


@kept()
def _drops(plan, state, edge, now_us):
    if not 0 <= edge < plan[at.EDGES]:
        raise IndexError("no such edge")
    return voltages.drops_sensed(plan, state, edge, now_us)


@kept()
def _node(plan, state, node, now_us):
    if not 0 <= node < plan[at.NODES]:
        raise IndexError("no such node")
    return voltages.node_sensed(plan, state, node, now_us)


@kept(about_s=5)
def _solve(plan, state, now_us, anew):
    if anew:
        solver.remake(plan, state)
    solver.outputs(plan, state)
    voltages.voltages(plan, state, now_us)


def free_outputs(
    network: Network,
    resistance_ohm: np.ndarray,
    sources: tuple[int, ...],
    targets: tuple[int, ...],
    source_V: np.ndarray,
) -> np.ndarray:
    """Free outputs (B, O) of a network with these resistances (E,) for examples (B, S), V."""
    circuit = Circuit(len(network.nodes), network.ends, sources, targets)
    circuit.load(1.0 / resistance_ohm, None)
    return circuit.outputs(source_V)
