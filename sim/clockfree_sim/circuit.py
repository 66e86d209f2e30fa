"""The twin networks as a circuit: node voltages now, and how they change when one edge steps."""

import math
from collections.abc import Sequence

import numpy as np

from clockfree_sim import direct

FOLLOW, HOLD, FLOAT = 0, 1, 2


class Circuit:
    """Free and clamped twin of one network, both solved after every change.

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
    ):
        self.nodes = nodes
        self.ends = np.array(ends, dtype=np.int64).reshape(-1, 2)
        self.sources = np.array(sources, dtype=np.int64)
        self.targets = np.array(targets, dtype=np.int64)
        self.twins = twins
        self.settle_us = (float(settle_free_us), float(settle_clamped_us))
        self.v_free = np.zeros(nodes)
        self.v_clamped = np.zeros(nodes)
        self._late = np.zeros((2, nodes))
        self._since_us = 0
        self._g = np.zeros((2, len(self.ends)))
        self._source_V = np.zeros(len(self.sources))
        self._target_V = np.zeros(len(self.targets))
        self._mode, self._eta = FLOAT, 0.0

    def load(self, g_free: np.ndarray, g_clamped: np.ndarray | None = None) -> None:
        """Set all conductances, S (E,); the clamped twin's are the free twin's if not given."""
        if g_clamped is not None and not self.twins:
            raise ValueError("g_clamped given, but the circuit was built with twins=False")
        self._g[0] = g_free
        self._g[1] = g_free if g_clamped is None else g_clamped
        self._solve(None)

    def example(self, source_V, desired_V, eta: float, clamp_error_V=None, now_us: int = 0) -> None:
        """Show an example: sources at source_V (S,), clamped targets nudged by eta towards desired_V (O,), V."""
        self._source_V[:] = source_V
        self._target_V[:] = eta * np.asarray(desired_V, dtype=float)
        if clamp_error_V is not None:
            self._target_V += clamp_error_V
        self._mode, self._eta = FOLLOW, eta
        self._solve(now_us)

    def float_clamp(self, now_us: int = 0) -> None:
        """Leave the clamped targets undriven."""
        self._mode = FLOAT
        self._solve(now_us)

    def hold_clamp(self, clamped_V, now_us: int = 0) -> None:
        """Hold the clamped targets at given voltages, V (O,)."""
        self._target_V[:] = clamped_V
        self._mode = HOLD
        self._solve(now_us)

    def step(self, edge: int, g_free_S: float, g_clamped_S: float, now_us: int = 0) -> None:
        """One edge's conductances become these, S."""
        self._g[0, edge] = g_free_S
        self._g[1, edge] = g_clamped_S
        self._solve(now_us)

    def drops(self, edge: int, now_us: int = 0) -> tuple[float, float]:
        """Sensed drops of an edge in the free and the clamped twin, V."""
        tail, head = self.ends[edge]
        found = []
        for v, late, settle_us in zip((self.v_free, self.v_clamped), self._late, self.settle_us, strict=True):
            decay = math.exp(-(now_us - self._since_us) / settle_us) if settle_us else 0.0
            found.append(float(v[tail] - v[head] + (late[tail] - late[head]) * decay))
        return found[0], found[1]

    def outputs(self, source_V: np.ndarray) -> np.ndarray:
        """Free targets' voltages, V (B, O), for examples with sources at source_V (B, S)."""
        return direct.solve(self.nodes, self.ends, self._g[0], self.sources, source_V)[:, self.targets]

    def power(self) -> tuple[float, float]:
        """Power dissipated now in the free and the clamped twin, W."""
        tail, head = self.ends.T
        free, clamped = (np.sum(g * (v[tail] - v[head]) ** 2) for g, v in zip(self._g, (self.v_free, self.v_clamped)))
        return float(free), float(clamped)

    def refactor(self) -> None:
        """Start again from the stored conductances."""
        self._solve(None)

    def residual(self) -> float:
        """Largest disagreement of a node voltage with a direct solve, V."""
        free, clamped = self._direct()
        return float(max(np.abs(free - self.v_free).max(), np.abs(clamped - self.v_clamped).max()))

    def _direct(self) -> tuple[np.ndarray, np.ndarray]:
        free = direct.solve(self.nodes, self.ends, self._g[0], self.sources, self._source_V)[0]
        if self._mode == FLOAT:
            return free, direct.solve(self.nodes, self.ends, self._g[1], self.sources, self._source_V)[0]
        follow = (1.0 - self._eta) * free[self.targets] if self._mode == FOLLOW else 0.0
        held = np.concatenate([self.sources, self.targets])
        held_V = np.concatenate([self._source_V, follow + self._target_V])
        return free, direct.solve(self.nodes, self.ends, self._g[1], held, held_V)[0]

    def _solve(self, now_us: int | None) -> None:
        for v, late, settle_us, new in zip((self.v_free, self.v_clamped), self._late, self.settle_us, self._direct()):
            if now_us is not None and settle_us:
                late *= math.exp(-(now_us - self._since_us) / settle_us)
                late += v - new
            v[:] = new
        if now_us is not None:
            self._since_us = now_us
