"""Clock-free runs for sweeps: the firmware's own rule and clock, compiled, on the same circuit as the bench's."""

import numpy as np
from clockfree.clock import MASK, SIZE
from clockfree.edge import Edge
from clockfree.pots import Mcp42xx

from clockfree_sim import elimination as at
from clockfree_sim import loop, noise
from clockfree_sim.compiled import Show
from clockfree_sim.job import Damage, Job, Sample
from clockfree_sim.parts.converters import PERFECT
from clockfree_sim.timeline import Fire
from clockfree_sim.world import World

NOT_IN_THE_KERNEL = ("clamp_us", "clamp_period_us", "settle_us", "age_us", "skew_us")
"""Switches of the physics that the kernel does not have."""

COUNTED = {
    "firings": loop.FIRINGS,
    "up": loop.UP,
    "down": loop.DOWN,
    "rail": loop.RAIL,
    "dropped": loop.DROPPED,
}


def check(job: Job) -> None:
    """Raise ValueError where a job switches on what the kernel does not have: it would be left out in silence."""
    if job.rule != "clockfree":
        raise ValueError(f"rule {job.rule}: the kernel runs clock-free jobs")
    if job.edge.front_end != "comparator":
        raise ValueError(f"front_end {job.edge.front_end}: the kernel has comparators")
    if job.edge.pot != "mcp42xx":
        raise ValueError(f"pot {job.edge.pot}: the kernel has mcp42xx, whose wipers move together")
    for name in ("f_V", "theta_V"):
        if getattr(job.edge, name):
            raise ValueError(f"{name}: two plain comparators know no threshold")
    for name in NOT_IN_THE_KERNEL:
        if getattr(job.physics, name):
            raise ValueError(f"{name}: the kernel has a circuit that settles, and wipers that move, at once")


class Kernel(World):
    """One job with everything after its set-up compiled; its samples are those of a `World`.

    Boards are built and the circuit is loaded as for a `World`, from whose objects the compiled loop then takes over:
    these keep what they were set up with. Comparators, MCP42xx, every clock; offsets, noise and bias of comparators,
    mismatch, clamp errors and lateness; damage.

    Parameters
    ----------
    job : Job

    Raises
    ------
    ValueError
        What is not supported, by the name of its switch; see `check`.
    """

    def __init__(self, job: Job):
        check(job)
        super().__init__(job)
        self._loop = self._pace = Loop(self)

    def _firings(self) -> int:
        return int(self._loop.edges[:, loop.FIRINGS].sum())

    def _teach(self, lesson: int) -> None:
        super()._teach(lesson)
        self._loop.teach()

    def _break(self, damage: Damage) -> None:
        super()._break(damage)
        self._loop.inspect()

    def _taps(self) -> np.ndarray:
        return self._loop.edges[:, loop.TAP].copy()

    def _counters(self) -> dict[str, list[int]]:
        edges = self._loop.edges
        counters = {name: edges[:, column].tolist() for name, column in COUNTED.items()}
        return counters | {"skipped": [0] * len(edges), "errors": [0] * len(edges)}  # chips that always answer

    def _sample(self) -> Sample:
        self.supervisor.supervisor.readings = self._loop.readings.tolist()
        self._trace = self._loop.trace()
        return super()._sample()


class Loop:
    """What paces the edges of a `Kernel`, in place of a `Timeline`.

    Parameters
    ----------
    kernel : Kernel

    Attributes
    ----------
    edges : (E, ROW) int64
        See `loop`.
    readings : (B, O) int64
        The supervisor's.
    """

    def __init__(self, kernel: Kernel):
        job, boards = kernel.job, kernel.boards
        count = len(boards)
        self._kernel = kernel
        self.edges = np.zeros((count, loop.ROW), dtype=np.int64)
        self.edges[:, loop.TAP] = [board.pots.tap for board in boards]
        self._turns = np.full(2 << (count - 1).bit_length(), loop.NEVER)
        self._now = np.zeros(2, dtype=np.int64)
        physics, kind = job.physics, job.physics.sigma_kind
        magnitude = bool(physics.sigma_V) and kind != "signed"
        key, seed = noise.key_of, job.seed & 0xFFFFFFFFFFFFFFFF
        streams = (noise.BIAS if magnitude else noise.DECISION, noise.LATENESS)
        self._keys = np.array([[key(seed, i, stream) for stream in streams] for i in range(count)], dtype=np.uint64)
        if magnitude:
            bias_V = [physics.sigma_V * noise.uniform(bias, 0) for bias in self._keys[:, 0]]
            self._offsets_V = np.array([[each if kind == "fixed" else 0.0, 0.0] for each in bias_V])
        else:
            self._offsets_V = np.array([[each.offset_V for each in board.comparators] for board in boards])
        self._shared = np.zeros(7)
        self._shared[loop.MAGNITUDE] = magnitude
        self._shared[loop.NOISE_V] = physics.noise_V
        self._shared[loop.SIGMA_V] = physics.sigma_V if kind == "redrawn" else 0.0
        self._shared[loop.LATENESS_US] = physics.lateness_us
        self._shared[loop.LATE_US] = boards[0].edge.late_us
        self._shared[loop.LOWEST], self._shared[loop.HIGHEST] = boards[0].pots.lowest, Mcp42xx.highest
        self._clock = np.array(kernel.supervisor.supervisor.clock)
        self._rows: list[np.ndarray] = []
        self.inspect()

    def inspect(self) -> None:
        """Look up what damage may have changed: conductances and comparators."""
        kernel = self._kernel
        tables = kernel.plant.conductances()
        self._g, ladders = np.unique(np.concatenate(tables), axis=0, return_inverse=True)
        self._g_of = np.ascontiguousarray(ladders.reshape(2, -1).T)
        for columns, which in ((loop.STUCK_A, 0), (loop.STUCK_B, 1)):
            bits = [board.comparators[which].stuck for board in kernel.boards]
            self.edges[:, columns] = [-1 if bit is None else bit for bit in bits]

    def teach(self) -> None:
        """Take the lesson that the supervisor has taken, with what its chips put on the circuit at each example."""
        kernel = self._kernel
        circuit, supervisor = kernel.plant.circuit, kernel.supervisor.supervisor
        plan, state = circuit.plan, circuit.state
        before = state.copy()
        shown = []
        for example in range(len(supervisor.readings)):
            supervisor.show_example(example)
            parts = ((at.S_PORTS, at.SOURCES), (at.S_TARGET, at.TARGETS))
            shown.append(np.concatenate([state[plan[begin] : plan[begin] + plan[length]] for begin, length in parts]))
        state[:] = before
        supervisor.present = -1
        self.readings = np.array(supervisor.readings)
        turns = np.array(supervisor._turns)
        levels, codes_per_V = np.array(PERFECT), 4096 / kernel.job.physics.supply_V
        self._show = Show(
            self._clock, supervisor.order, supervisor.dwell_us, self._now[1] & MASK, -1, 0,
            self.readings, np.array(shown), turns, len(turns), plan, state, levels, codes_per_V,
        )  # fmt: skip

    def enter(self, index: int, edge: Edge, fire: Fire) -> None:
        """An edge starts its own clock."""
        now_us = int(self._now[0])
        due_us = edge.start(now_us & MASK)
        self.edges[index, :SIZE] = edge.clock
        self.edges[index, loop.DUE] = due_us
        loop.enter(self._turns, index, now_us + ((due_us - now_us) & MASK))

    def leave(self, index: int) -> None:
        """An edge falls silent."""
        loop.enter(self._turns, index, loop.NEVER)

    def serve(self, count: int) -> None:
        """Go on until so many firings have been made."""
        circuit = self._kernel.plant.circuit
        rows = np.empty((count if self._kernel.job.trace else 0, 6), dtype=np.int64)
        loop.serve(
            circuit.plan, circuit.state, self._show, self.edges, self._turns, self._now,
            self._g, self._g_of, self._offsets_V, self._keys, self._shared, rows, count,
        )  # fmt: skip
        self._rows.append(rows)
        self._kernel.time.now_us = int(self._now[0])

    def trace(self) -> list[tuple[int, ...]]:
        """The firings since this was last asked for."""
        rows, self._rows = self._rows, []
        return [tuple(row) for each in rows for row in each.tolist()]
