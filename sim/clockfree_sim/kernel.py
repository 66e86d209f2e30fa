"""Runs for sweeps: the firmware's own edge, rule and clock, compiled, on the same circuit as the bench's."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from clockfree.clock import MASK
from clockfree.edge import Edge
from clockfree.sense import AdcDrops

from clockfree_sim import comparison, fronts, loop, noise
from clockfree_sim import elimination as at
from clockfree_sim.calibration import calibrate
from clockfree_sim.compiled import Show
from clockfree_sim.job import Damage, Job, Sample
from clockfree_sim.parts.converters import PERFECT
from clockfree_sim.timeline import Fire
from clockfree_sim.voltages import settles
from clockfree_sim.world import COUNTERS, World, _InHold

READ_EVERY_US = 100
"""Time between two of the readings that an edge's calibration takes the mean of."""


def check(job: Job) -> None:
    """Raise ValueError where a job switches on what the kernel does not have: it would be left out in silence."""
    if not any(lesson.from_updates <= 0 for lesson in job.lessons):
        raise ValueError("lessons: none of them is taught from the start")
    if job.edge.front_end not in fronts.FRONT_ENDS:
        raise ValueError(f"front_end {job.edge.front_end}: the kernel has {', '.join(fronts.FRONT_ENDS)}")
    if job.edge.pot != "mcp42xx":
        raise ValueError(f"pot {job.edge.pot}: the kernel has mcp42xx, whose wipers move together")
    if job.physics.clamp_period_us:
        raise ValueError("clamp_period_us: the kernel has an analog clamp")


class Kernel(World):
    """One job with everything after its set-up compiled; its samples are those of a `World`, bit for bit.

    Boards are built and the circuit is loaded as for a `World`, from whose objects the compiled loop then takes over:
    these keep what they were set up with. Every clock and rule; comparators and both ADCs with all that is wrong with
    them, calibration, thresholds; MCP42xx, mismatch, decision age, skew; an analog clamp, its errors and lag, settling;
    lateness; damage. Not: trimmed comparators, pulse potentiometers, a digital clamp.

    Setting up takes about 2 ms at 16 edges and 12 ms at 143; calibration adds some ten times as much.

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
        if not job.edge.calibrate:
            self._compile()
        self._loop.begin()

    def _compile(self) -> None:
        self._loop: OwnClocks | Rounds = OwnClocks(self) if self.job.rule == "clockfree" else Rounds(self)
        self._pace = self._loop

    def _calibrate(self) -> None:
        self._compile()
        calibrate(self.job, _ReadCompiled(self, self._loop))
        self._loop.trim()

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
        return {name: self._loop.edges[name].tolist() for name in COUNTERS}

    def _sample(self) -> Sample:
        self.supervisor.supervisor.readings = self._loop.readings.tolist()
        self._trace = self._loop.trace()
        return super()._sample()


class _ReadCompiled(_InHold):
    """A kernel before its edges have started: the many readings of calibration are compiled, the rest is firmware."""

    def __init__(self, world: World, edges: "_Edges"):
        super().__init__(world)
        self._edges = edges

    def null(self) -> None:
        self._each("nulling")

    def match(self) -> None:
        self._each("matching")

    def _each(self, name: str) -> None:
        procedure = getattr(AdcDrops, name)
        (reads,) = procedure.__defaults__
        for board, rows in zip(self._boards, self._edges.read(reads), strict=True):
            sense = board.sense
            sense._read = partial(_next_of, iter(rows), sense)
            self._wait(sum(procedure(sense)))
            del sense._read


def _next_of(rows: Iterator[list[int]], sense: AdcDrops) -> bool:
    sense.a, sense.b = next(rows)
    return True


class _Edges:
    """The edges of a `Kernel`, and what paces them, in place of a `Timeline`.

    Parameters
    ----------
    kernel : Kernel

    Attributes
    ----------
    edges : (E,) EDGE
        See `fronts`.
    readings : (B, O) int64
        The supervisor's.
    """

    def __init__(self, kernel: Kernel):
        job, boards, circuit = kernel.job, kernel.boards, kernel.plant.circuit
        self._kernel = kernel
        self.edges = edges = np.zeros(len(boards), dtype=fronts.EDGE)
        edges["index"] = np.arange(len(boards))
        edges["late_us"] = [board.edge.late_us for board in boards]
        edges["tap"] = [board.pots.tap for board in boards]
        edges["at_free"] = edges["at_clamped"] = edges["tap"]
        self._now = np.zeros(4, dtype=np.int64)
        physics, kind = job.physics, job.physics.sigma_kind
        magnitude = bool(physics.sigma_V) and kind != "signed"
        seed = job.seed & 0xFFFFFFFFFFFFFFFF
        for name, stream in (
            ("noise_key", noise.BIAS if magnitude else noise.DECISION),
            ("lateness_key", noise.LATENESS),
        ):
            edges[name] = [noise.key_of(seed, i, stream) for i in range(len(boards))]
        levels: list[Sequence[float]] = [PERFECT]
        noise_V = physics.noise_V
        edge, pots = boards[0].edge, boards[0].pots
        channels = [board.chips.channels for board in boards if board.chips.channels]
        if channels:
            offset_V = np.array([each.offset_V for each in channels])
            edges["shift"][:, : offset_V.shape[1]] = offset_V * (4096 / physics.supply_V)
            noise_V = channels[0].noise_V
            if physics.adc_inl_lsb:
                levels = [each.levels for each in channels]
                edges["levels"] = np.arange(len(boards))
        else:
            edges["offset_a_V"], edges["offset_b_V"] = zip(*self._comparators("offset_V"), strict=True)
        if magnitude and kind == "fixed":
            edges["offset_a_V"] = [physics.sigma_V * noise.uniform(key, 0) for key in edges["noise_key"]]
        self._alike = alike = np.zeros(1, dtype=fronts.SHARED)
        shared = {
            "lowest": pots.lowest,
            "highest": pots.highest,
            "floor_c16": edge.floor_c16,
            "dither_c16": edge.dither_c16,
            "bar_c16": getattr(boards[0].sense, "bar_c16", 0),
            "front_end": fronts.FRONT_ENDS.index(job.edge.front_end),
            "kept": bool(channels) or job.rule != "clockfree" or settles(circuit.state),
            "wipers": fronts.LATER
            if physics.age_us or physics.skew_us
            else fronts.AT_ONCE
            if job.rule == "clockfree"
            else fronts.AFTER_ROUND,
            "age_us": physics.age_us,
            "skew_us": physics.skew_us,
            "magnitude": magnitude,
            "noise_V": noise_V,
            "sigma_V": physics.sigma_V if magnitude and kind == "redrawn" else 0.0,
            "supply_V": physics.supply_V,
            "codes_per_V": 4096 / physics.supply_V,
            "lateness_us": physics.lateness_us,
        }
        for name, value in shared.items():
            alike[name] = value
        self._levels: np.ndarray = np.concatenate(levels)
        # Far more moves than are ever asked for within the longest delay, by edges that fire at random.
        most = 8 * len(boards) * (physics.age_us + physics.skew_us) * job.edge.rate_hz / 1e6
        self._moves = np.zeros((2, len(boards) + 1000 + int(most), 4), dtype=np.int64)
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
        self._bench = fronts.Bench(
            circuit.plan, circuit.state, ladders.ravel(), ladders.shape[1], self._levels, self._now,
            self._moves, self._pending,
        )  # fmt: skip
        edges["stuck_a"] = edges["stuck_b"] = -1
        for name, bits in zip(("stuck_a", "stuck_b"), zip(*self._comparators("stuck"), strict=True), strict=False):
            edges[name] = [-1 if bit is None else bit for bit in bits]
        edges["plain"] = not (alike["magnitude"] or alike["noise_V"])
        for name, plain in (("stuck_a", -1), ("stuck_b", -1), ("offset_a_V", 0.0), ("offset_b_V", 0.0)):
            edges["plain"] &= edges[name] == plain

    def _comparators(self, name: str) -> list[list]:
        """An attribute of A and B of every edge."""
        return [[getattr(each, name) for each in board.chips.comparators or ()] for board in self._kernel.boards]

    def begin(self) -> None:
        """Take over where the objects stand now."""
        self._now[:2] = self._kernel.time.now_us

    def read(self, count: int) -> list[list[list[int]]]:
        """One edge after another, so many readings of its drops, (E, count, 2), 1/16 ADC code."""
        self._now[0] = self._kernel.time.now_us
        rows = np.empty((len(self.edges), count, 2), dtype=np.int64)
        fronts.read_often(self._bench, self.edges, self._alike, READ_EVERY_US, rows)
        return rows.tolist()

    def trim(self) -> None:
        """Take what calibration has found."""
        names = ("offset_free_c16", "offset_clamped_c16", "mismatch")
        trims = zip(*(board.sense.trims() for board in self._kernel.boards), strict=True)
        for name, values in zip(names, trims, strict=True):
            self.edges[name] = values

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
            self.readings, np.array(shown), turns, len(turns), plan, state, levels, codes_per_V, self._now,
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
        self._kernel.time.now_us = int(self._now[0])


class OwnClocks(_Edges):
    """Edges on their own clocks."""

    def __init__(self, kernel: Kernel):
        super().__init__(kernel)
        self._turns = np.full(2 << (len(self.edges) - 1).bit_length(), fronts.NEVER)

    def enter(self, index: int, edge: Edge, fire: Fire) -> None:
        """An edge starts its own clock."""
        now_us = int(self._now[0])
        due_us = edge.start(now_us & MASK)
        self.edges[index]["clock"] = edge.clock
        self.edges[index]["due_us"] = due_us
        loop.enter(self._turns, index, now_us + ((due_us - now_us) & MASK))

    def leave(self, index: int) -> None:
        """An edge falls silent."""
        loop.enter(self._turns, index, fronts.NEVER)

    def serve(self, count: int) -> None:
        """Go on until so many firings have been made."""
        rows = self._record(count)
        loop.serve(self._bench, self._show, self.edges, self._alike, self._turns, rows, count)
        self._keep(rows)


class Rounds(_Edges):
    """Edges on a global trigger; see `comparison`."""

    def __init__(self, kernel: Kernel):
        super().__init__(kernel)
        job = kernel.job
        self._p = comparison.probability(job.rule)
        self._period_us, self._chances = comparison.period_us(job), comparison.chances(job)
        self._live: list[int] = []
        self._next_us = 0

    def enter(self, index: int, edge: Edge, fire: Fire) -> None:
        """An edge takes part from now on."""
        self.edges[index]["clock"] = edge.clock
        self._live.append(index)
        self._next_us = int(self._now[0]) + self._period_us

    def leave(self, index: int) -> None:
        """An edge falls silent."""
        self._live.remove(index)

    def serve(self, count: int) -> None:
        """Trigger rounds until at least so many firings have been made."""
        rows = self._record(count + len(self.edges))
        done = comparison.serve_rounds(
            self._bench, self._show, self.edges, self._alike, np.array(self._live), self._chances, self._p,
            self._next_us, self._period_us, rows, count,
        )  # fmt: skip
        self._keep(rows[:done])
        self._next_us = int(self._now[0]) + self._period_us
