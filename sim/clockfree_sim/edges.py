"""The edges of a kernel: their records, the circuit and the supervisor's show as compiled code has them."""

import numpy as np
from clockfree.clock import MASK
from clockfree.edge import Edge

from clockfree_sim import elimination as at
from clockfree_sim import fronts, loop, outfit
from clockfree_sim.calibration import MATCHES
from clockfree_sim.clamp import DigitalClamp, compiled_clamp
from clockfree_sim.compiled import Show
from clockfree_sim.parts.converters import PERFECT
from clockfree_sim.rates import rates_hz
from clockfree_sim.records import NEVER, Bench
from clockfree_sim.timeline import Fire
from clockfree_sim.world import World


class Edges:
    """The edges of a kernel, and what paces them, in place of a `Timeline`.

    Parameters
    ----------
    kernel : World
        In which boards and circuit have been set up.

    Attributes
    ----------
    edges : (E,) EDGE
        See `records`.
    readings : (B, O) int64
        The supervisor's.
    """

    def __init__(self, kernel: World):
        job, physics = kernel.job, kernel.job.physics
        self._kernel = kernel
        self.edges = outfit.edges_of(kernel)
        self._alike, self._levels = outfit.shared_of(kernel), outfit.levels_of(kernel)
        self._now = np.zeros(4, dtype=np.int64)
        # Far more moves than are ever asked for within the longest delay, by edges that fire at random.
        most = 8 * (physics.age_us + physics.skew_us) * rates_hz(job).sum() / 1e6
        self._moves = np.zeros((2, len(self.edges) + 1000 + int(most), 4), dtype=np.int64)
        self._pending = np.zeros((2, 2), dtype=np.int64)
        self._clock = np.array(kernel.supervisor.supervisor.clock)
        self._rows: list[np.ndarray] = []
        self.inspect()

    def inspect(self) -> None:
        """Look up what damage may have changed: conductances and comparators."""
        circuit = self._kernel.plant.circuit
        tables = np.concatenate(self._kernel.plant.conductances())
        ladders, which = np.unique(tables, axis=0, return_inverse=True)
        edges, alike = self.edges, self._alike
        edges["ladder_free"], edges["ladder_clamped"] = which.reshape(2, -1)
        self._bench = Bench(
            circuit.plan, circuit.state, ladders.ravel(), ladders.shape[1], self._levels, self._now,
            self._moves, self._pending,
        )  # fmt: skip
        edges["stuck_a"] = edges["stuck_b"] = -1
        for name, bits in zip(
            ("stuck_a", "stuck_b"), zip(*outfit.comparators(self._kernel, "stuck"), strict=True), strict=False
        ):
            edges[name] = [-1 if bit is None else bit for bit in bits]
        edges["plain"] = not (alike["magnitude"] or alike["noise_V"] or alike["span_V"])
        for name, plain in (("stuck_a", -1), ("stuck_b", -1), ("offset_a_V", 0.0), ("offset_b_V", 0.0)):
            edges["plain"] &= edges[name] == plain

    @property
    def now_us(self) -> int:
        """Time that compiled code has come to, us."""
        return int(self._now[0])

    def begin(self) -> None:
        """Take over where the objects stand now."""
        kernel = self._kernel
        self._now[:2] = kernel.time.now_us
        analog = DigitalClamp(kernel.plant.circuit, kernel.time, 1, 0, np.zeros(0))  # one that rests for ever
        self._clamp = compiled_clamp(kernel.plant.clamp or analog)

    def means(self, reads: int) -> list[list[int]]:
        """Every edge takes the mean of so many readings; returns (E, 3) drops and their spread, 1/16 ADC code."""
        self._now[0] = self._kernel.time.now_us
        fronts.mean(self._bench, self.edges, self._alike, reads)
        return np.column_stack([self.edges[name] for name in ("a", "b", "spread")]).tolist()

    def null(self, reads: int) -> list[int]:
        """Every edge finds its trim, with so many readings of A at each step; returns them, c16."""
        self._now[0] = self._kernel.time.now_us
        fronts.null(self._bench, self.edges, self._alike, reads)
        return self.edges["offset_c16"].tolist()

    def trim(self) -> None:
        """Take what calibration has found."""
        measured = self._kernel.job.edge.front_end in MATCHES
        drops = ("offset_free_c16", "offset_clamped_c16", "mismatch", "noise_c16")
        names = drops if measured else ("offset_c16",)
        trims = zip(*(board.sense.trims() for board in self._kernel.boards), strict=True)
        for name, values in zip(names, trims, strict=True):
            self.edges[name] = values

    def teach(self) -> None:
        """Take the lesson that the supervisor has taken, with what its chips put on the circuit at each example."""
        kernel = self._kernel
        circuit, supervisor = kernel.plant.circuit, kernel.supervisor.supervisor
        plan, state = circuit.plan, circuit.state
        before, clamp = state.copy(), kernel.plant.clamp
        shown = []
        for example in range(len(supervisor.readings)):
            supervisor.show_example(example)
            parts = ((at.S_PORTS, at.SOURCES), (at.S_TARGET, at.TARGETS))
            sources_V, targets_V = (state[plan[begin] : plan[begin] + plan[length]] for begin, length in parts)
            shown.append(np.concatenate([sources_V, clamp.desired_V if clamp else targets_V]))
        state[:] = before
        supervisor.present = -1
        self.readings = np.array(supervisor.readings)
        turns = np.array(supervisor._turns)
        levels, codes_per_V = np.array(PERFECT), 4096 / kernel.job.physics.supply_V
        self._show = Show(
            self._clock, supervisor.order, supervisor.dwell_us, self._now[1] & MASK, -1, 0,
            self.readings, np.array(shown), turns, len(turns), plan, state, levels, codes_per_V, self._now,
            clamp is not None, self._clamp,
        )  # fmt: skip

    def trace(self) -> list[tuple[int, ...]]:
        """The firings since this was last asked for."""
        rows, self._rows = self._rows, []
        return [tuple(row) for each in rows for row in each.tolist()]

    def _record(self, count: int) -> np.ndarray:
        """Where to write the trace of so many firings."""
        return np.empty((count if self._kernel.job.trace else 0, 6), dtype=np.int64)

    def _keep(self, rows: np.ndarray) -> None:
        """Take a trace, and the time that it has led to."""
        self._rows.append(rows)
        self._kernel.time.now_us = self.now_us


class OwnClocks(Edges):
    """Edges on their own clocks."""

    def __init__(self, kernel: World):
        super().__init__(kernel)
        self._turns = np.full(2 << (len(self.edges) - 1).bit_length(), NEVER)

    def enter(self, index: int, edge: Edge, fire: Fire) -> None:
        """An edge starts its own clock."""
        now_us = self.now_us
        due_us = edge.start(now_us & MASK)
        self.edges[index]["clock"] = edge.clock
        self.edges[index]["due_us"] = due_us
        loop.enter(self._turns, index, now_us + ((due_us - now_us) & MASK))

    def leave(self, index: int) -> None:
        """An edge falls silent."""
        loop.enter(self._turns, index, NEVER)

    def serve(self, count: int) -> None:
        """Go on until so many firings have been made."""
        rows = self._record(count)
        loop.serve(self._bench, self._show, self.edges, self._alike, self._turns, rows, count)
        self._keep(rows)
