"""Clock-free runs for sweeps: the firmware's own rule and clock, compiled, on the same circuit as the bench's."""

import numpy as np
from clockfree.clock import MASK
from clockfree.edge import Edge

from clockfree_sim import elimination as at
from clockfree_sim import loop, noise
from clockfree_sim.compiled import Show
from clockfree_sim.job import Damage, Job, Sample
from clockfree_sim.parts.converters import PERFECT
from clockfree_sim.timeline import Fire
from clockfree_sim.world import COUNTERS, World

NOT_IN_THE_KERNEL = ("clamp_us", "clamp_period_us", "settle_us", "age_us", "skew_us")
"""Switches of the physics that the kernel does not have."""


def check(job: Job) -> None:
    """Raise ValueError where a job switches on what the kernel does not have: it would be left out in silence."""
    if job.rule != "clockfree":
        raise ValueError(f"rule {job.rule}: the kernel runs clock-free jobs")
    if not any(lesson.from_updates <= 0 for lesson in job.lessons):
        raise ValueError("lessons: none of them is taught from the start")
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
        return int(self._loop.edges["firings"].sum())

    def _teach(self, lesson: int) -> None:
        super()._teach(lesson)
        self._loop.teach()

    def _break(self, damage: Damage) -> None:
        super()._break(damage)
        self._loop.inspect()

    def _taps(self) -> np.ndarray:
        return self._loop.edges["tap"].copy()

    def _counters(self) -> dict[str, list[int]]:
        edges = self._loop.edges
        counted = set(loop.EDGE.names or ())  # these chips always answer: nothing skipped, no errors
        return {name: edges[name].tolist() if name in counted else [0] * len(edges) for name in COUNTERS}

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
    edges : (E,) EDGE
        See `loop`.
    readings : (B, O) int64
        The supervisor's.
    """

    def __init__(self, kernel: Kernel):
        job, boards = kernel.job, kernel.boards
        self._kernel = kernel
        self.edges = edges = np.zeros(len(boards), dtype=loop.EDGE)
        edges["tap"] = [board.pots.tap for board in boards]
        self._turns = np.full(2 << (len(boards) - 1).bit_length(), loop.NEVER)
        self._now = np.zeros(2, dtype=np.int64)
        physics, kind = job.physics, job.physics.sigma_kind
        magnitude = bool(physics.sigma_V) and kind != "signed"
        seed = job.seed & 0xFFFFFFFFFFFFFFFF
        for name, stream in (
            ("noise_key", noise.BIAS if magnitude else noise.DECISION),
            ("lateness_key", noise.LATENESS),
        ):
            edges[name] = [noise.key_of(seed, i, stream) for i in range(len(boards))]
        for name, offsets_V in zip(("offset_a_V", "offset_b_V"), zip(*self._comparators("offset_V")), strict=True):
            edges[name] = offsets_V
        if magnitude and kind == "fixed":
            edges["offset_a_V"] = [physics.sigma_V * noise.uniform(key, 0) for key in edges["noise_key"]]
        edge, pots = boards[0].edge, boards[0].pots
        redrawn_V = physics.sigma_V if magnitude and kind == "redrawn" else 0.0
        shared = (pots.lowest, pots.highest, edge.late_us, physics.lateness_us, magnitude, physics.noise_V, redrawn_V)
        self._shared = np.array([shared], dtype=loop.SHARED)
        self._clock = np.array(kernel.supervisor.supervisor.clock)
        self._rows: list[np.ndarray] = []
        self.inspect()

    def inspect(self) -> None:
        """Look up what damage may have changed: conductances and comparators."""
        kernel = self._kernel
        tables = np.concatenate(kernel.plant.conductances())
        self._ladders, which = np.unique(tables, axis=0, return_inverse=True)
        self.edges["ladder_free"], self.edges["ladder_clamped"] = which.reshape(2, -1)
        for name, bits in zip(("stuck_a", "stuck_b"), zip(*self._comparators("stuck")), strict=True):
            self.edges[name] = [-1 if bit is None else bit for bit in bits]

    def _comparators(self, name: str) -> list[list]:
        """An attribute of A and B of every edge."""
        return [[getattr(each, name) for each in board.chips.comparators or ()] for board in self._kernel.boards]

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
        self.edges[index]["clock"] = edge.clock
        self.edges[index]["due"] = due_us
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
            self._ladders, self._shared, rows, count,
        )  # fmt: skip
        self._rows.append(rows)
        self._kernel.time.now_us = int(self._now[0])

    def trace(self) -> list[tuple[int, ...]]:
        """The firings since this was last asked for."""
        rows, self._rows = self._rows, []
        return [tuple(row) for each in rows for row in each.tolist()]
