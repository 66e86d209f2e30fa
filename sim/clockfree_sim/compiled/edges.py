"""Compiled edges: a record of each, one of what all share, and what they are wired to."""

from collections.abc import Callable, Sequence

import numpy as np

from clockfree_board.clock import MASK
from clockfree_board.overclamp import READS
from clockfree_model import rates
from clockfree_model.counters import COUNTERS, FIRINGS
from clockfree_model.job import Job, gate_c16
from clockfree_model.parts import FRONT_ENDS as PARTS
from clockfree_model.parts import resolve
from clockfree_model.rates import rates_hz
from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.voltages import settles
from clockfree_sim.compiled.clamp import compiled_clamp
from clockfree_sim.compiled.clocks import seed_clocks
from clockfree_sim.compiled.records import (
    AFTER_ROUND,
    AT_ONCE,
    EDGE,
    FRONT_ENDS,
    LATER,
    NOWHERE,
    SHARED,
    SHOW,
    TRIMMED,
    Taught,
    Wires,
)
from clockfree_sim.plant import noise
from clockfree_sim.plant.clamp import DigitalClamp
from clockfree_sim.plant.front_ends import DUTY_PER_C16, TRIM_SETTLE_US, TRIM_TAU_US, Constants, trim_span_V
from clockfree_sim.plant.reading import supervisor_adc
from clockfree_sim.plant.setup import Setup
from clockfree_sim.plant.wiring import CLOCKS

SEED = 0xFFFFFFFFFFFFFFFF
"""Bits of a seed that noise is drawn from."""
OF_LESSON = "order dwell_us present outputs first overclamps delay_us refresh_us phase".split()
"""What the supervisor has with a lesson, as its record does."""


class Edges:
    """The edges of a kernel, and what paces them, in place of a `Timeline`.

    Parameters
    ----------
    setup : Setup

    Attributes
    ----------
    edges : (E,) EDGE
        See `records`.
    shows : (1,) SHOW
        The supervisor.
    readings : (B, O) int64
        The supervisor's.
    wires : Wires
    taught : Taught
    """

    def __init__(self, setup: Setup):
        job, physics = setup.job, setup.job.physics
        self._setup = setup
        constants, self._levels = _constants(setup)
        self.edges = _records_of(setup, constants, self._levels is not None)
        self.alike = _shared_of(setup, constants, self._levels is not None)
        self.shows = np.zeros(1, dtype=SHOW)
        self.shows["clock"] = setup.supervisor.supervisor.clock
        self.shows["present"] = -1
        self._adc = supervisor_adc(job)
        self.shows["noise_V"] = self._adc.noise_V
        self.shows["noise_key"] = noise.key_of(job.seed & SEED, len(self.edges), noise.DECISION)
        self._now = np.zeros(4, dtype=np.int64)
        self._moves = self._pending = None
        # Wipers that move later and a digital clamp are compiled together, or neither is.
        self._late = self.alike["wipers"][0] == LATER or setup.plant.clamp is not None
        if self._late:
            # Far more moves than are ever asked for within the longest delay, by edges that fire at random.
            most = 8 * (physics.age_us + setup.plant.skew_us) * rates_hz(job).sum() / 1e6
            self._moves = np.zeros((2, len(self.edges) + 1000 + int(most), 4), dtype=np.int64)
            self._pending = np.zeros((2, 2), dtype=np.int64)
        self._rows: list[np.ndarray] = []
        self.inspect()

    def inspect(self) -> None:
        """Look up what damage may have changed: conductances and comparators."""
        circuit = self._setup.plant.circuit
        edges, alike = self.edges, self.alike
        ladders, (edges["ladder_free"], edges["ladder_clamped"]) = self._setup.plant.ladders()
        self.wires = Wires(
            circuit.plan, circuit.state, ladders.ravel(), ladders.shape[1], self._levels, self._now,
            self._moves, self._pending,
        )  # fmt: skip
        edges["plain"] = not (alike["magnitude"][0] or alike["noise_V"][0] or alike["span_V"][0])
        for name, plain in (("stuck_a", -1), ("stuck_b", -1), ("offset_a_V", 0.0), ("offset_b_V", 0.0)):
            edges["plain"] &= edges[name] == plain

    def stick(self, index: int, kind: str) -> None:
        """A comparator's output is stuck from now on."""
        self.edges[f"stuck_{kind[6]}"][index] = int(kind[7])

    @property
    def now_us(self) -> int:
        """Time that compiled code has come to, us."""
        return int(self._now[0])

    def place(self, taps: Sequence[int]) -> None:
        """All edges are at these taps: in HOLD."""
        for name in ("tap", "at_free", "at_clamped"):
            self.edges[name] = taps

    def begin(self) -> None:
        """Take over where the objects stand now."""
        setup = self._setup
        self._now[:2] = setup.time.now_us
        supervisor = setup.supervisor.supervisor
        self.shows["clamped"] = supervisor.clamped
        if self._adc.noise_V:
            self.shows["drawn"] = READS * len(supervisor.nulls)  # those that nulling took
        clamp = setup.plant.clamp
        resting = DigitalClamp(setup.plant.circuit, setup.time, 1, 0, np.zeros(0))
        self._clamp = compiled_clamp(clamp or resting, clamp is not None) if self._late else None

    def calibrate(self, step: Callable[..., None], reads: int) -> None:
        """One step of calibration, compiled: of `front_ends`, with so many readings; time goes on with it."""
        time = self._setup.time
        self._now[0] = time.now_us
        step(self.wires, self.edges, self.alike, reads)
        time.advance(self.now_us)

    def teach(self) -> None:
        """Take the lesson that the supervisor has taken, with what its chips put on the circuit at each example."""
        setup = self._setup
        circuit, supervisor = setup.plant.circuit, setup.supervisor.supervisor
        plan, state = circuit.plan, circuit.state
        before, clamp = state.copy(), setup.plant.clamp
        shown, clamped = [], supervisor.clamped
        for example in range(len(supervisor.readings)):
            supervisor.show_example(example)
            parts = ((at.S_PORTS, at.SOURCES), (at.S_TARGET, at.TARGETS))
            sources_V, targets_V = (state[plan[begin] : plan[begin] + plan[length]] for begin, length in parts)
            shown.append(np.concatenate([sources_V, clamp.desired_V if clamp else targets_V]))
        state[:] = before
        supervisor.present, supervisor.clamped = -1, clamped
        self.readings = np.array(supervisor.readings)
        turns = np.array(supervisor._turns)
        for name in OF_LESSON:
            self.shows[name] = getattr(supervisor, name if hasattr(supervisor, name) else f"_{name}")
        self.shows["due_us"] = self._now[1] & MASK
        self.shows["turn"] = len(turns)
        adc, supply_V = self._adc, setup.job.physics.supply_V
        levels = np.concatenate([np.frombuffer(each) for each in adc.levels])
        self.taught = Taught(
            self.readings, np.array(shown), turns, plan, state, levels,
            np.array(adc.offset_V) * (4096 / supply_V), setup.plant.clamp_error_V, 4096 / supply_V, supply_V, self._now,
            self._clamp, np.array(supervisor._examples), np.array(supervisor._asked, dtype=np.int64),
            np.array(supervisor._classes, dtype=np.int64).reshape(-1, len(supervisor._free)),
            np.array(supervisor.nulls, dtype=np.int64), np.array(supervisor._free), np.array(supervisor._codes),
            np.array(supervisor._held),
        )  # fmt: skip

    def trace(self) -> list[tuple[int, ...]]:
        """The firings since this was last asked for."""
        rows, self._rows = self._rows, []
        return [tuple(row) for each in rows for row in each.tolist()]

    def firings(self) -> int:
        """Firings of all edges so far."""
        return int(self.edges[FIRINGS].sum())

    def taps(self) -> np.ndarray:
        """Tap of every edge (E,)."""
        return self.edges["tap"].copy()

    def counters(self) -> dict[str, list[int]]:
        """The counters of a sample, an integer for each edge."""
        return {name: self.edges[name].tolist() for name in COUNTERS}

    def _record(self, count: int) -> np.ndarray:
        """Where to write the trace of so many firings."""
        return np.empty((count if self._setup.job.trace else 0, 6), dtype=np.int64)

    def _keep(self, rows: np.ndarray) -> None:
        """Take a trace."""
        self._rows.append(rows)
        self.caught_up()

    def caught_up(self) -> None:
        """Have the set-up's objects know time and readings."""
        self._setup.time.now_us = self.now_us
        self._setup.supervisor.supervisor.readings = self.readings.tolist()


def _constants(setup: Setup) -> tuple[list[Constants], np.ndarray | None]:
    """What each edge's front end is like, and where the codes of each ADC begin, one after another.

    Of one that stands for all, if they are perfect. Each edge's levels are copied as they are drawn: to keep them twice
    would take 32 kB an edge, and the system as long to find it.
    """
    job, plant = setup.job, setup.plant
    draw = resolve(PARTS[job.edge.front_end].chip).constants
    found, levels = [], None
    for i, fixed in enumerate(plant.fixed):
        each = draw(job.physics, job.seed, i, fixed)
        if each.levels is not None and (i == 0 or job.physics.adc_inl_lsb):
            if levels is None:
                levels = np.empty((len(plant.fixed) if job.physics.adc_inl_lsb else 1, len(each.levels)))
            levels[i] = np.frombuffer(each.levels)
        found.append(each._replace(levels=None))
    return found, None if levels is None else levels.ravel()


def _records_of(setup: Setup, constants: list[Constants], converts: bool) -> np.ndarray:
    """The edges as they are before anything was read or damaged, (E,) EDGE."""
    job = setup.job
    physics, seed, count = job.physics, job.seed & SEED, len(constants)
    edges = np.zeros(count, dtype=EDGE)
    edges["index"] = np.arange(count)
    waits_us = np.array([rates.waits_us(job, i) for i in range(count)])
    edges["late_us"] = waits_us[:, 1]
    seed_clocks(edges, job.seed & MASK, (job.seed >> 30) & MASK, CLOCKS[job.edge.clock], waits_us[:, 0].copy())
    tap = setup.plant.pot.start_tap if job.start_taps is None else job.start_taps
    edges["tap"] = edges["at_free"] = edges["at_clamped"] = tap
    edges["at"] = NOWHERE
    edges["stuck_a"] = edges["stuck_b"] = -1
    draws = noise.BIAS if _magnitude(job) else noise.DECISION
    edges["noise_key"] = [noise.key_of(seed, i, draws) for i in range(count)]
    edges["lateness_key"] = [noise.key_of(seed, i, noise.LATENESS) for i in range(count)]
    offset_V = np.array([each.offset_V for each in constants])
    if converts:
        edges["shift"][:, : offset_V.shape[1]] = offset_V * (4096 / physics.supply_V)
        edges["adc"] = np.arange(count) if physics.adc_inl_lsb else 0
    else:
        edges["offset_a_V"], edges["offset_b_V"] = offset_V.T
    return edges


def _shared_of(setup: Setup, constants: list[Constants], converts: bool) -> np.ndarray:
    """What all edges share, (1,) SHARED."""
    job, physics, pot = setup.job, setup.job.physics, setup.plant.pot
    clockfree = job.schedule == "clockfree"
    floor_c16, dither_c16, bar_c16 = gate_c16(job.edge, physics)
    front_end = FRONT_ENDS.index(job.edge.front_end)
    shared = {
        "lowest": physics.lowest_tap(pot),
        "highest": pot.highest,
        "order": job.edge.order,
        "floor_c16": floor_c16,
        "dither_c16": dither_c16,
        "bar_c16": bar_c16,
        "front_end": front_end,
        "kept": converts or not clockfree or settles(setup.plant.circuit.state),
        "wipers": LATER if physics.age_us or setup.plant.skew_us else AT_ONCE if clockfree else AFTER_ROUND,
        "age_us": physics.age_us,
        "skew_us": setup.plant.skew_us,
        "magnitude": _magnitude(job),
        "noise_V": constants[0].noise_V,
        "sigma_V": physics.sigma_V if _magnitude(job) and physics.sigma_kind == "redrawn" else 0.0,
        "supply_V": physics.supply_V,
        "codes_per_V": 4096 / physics.supply_V,
        "lateness_us": physics.lateness_us,
    }
    if front_end == TRIMMED:
        shared |= {"duty_per_c16": DUTY_PER_C16, "span_V": trim_span_V(physics), "tau_us": TRIM_TAU_US}
        shared["settle_us"] = TRIM_SETTLE_US
    alike = np.zeros(1, dtype=SHARED)
    for name, value in shared.items():
        alike[name] = value
    return alike


def _magnitude(job: Job) -> bool:
    """Whether A is the paper's comparison of magnitudes."""
    physics = job.physics
    return bool(physics.sigma_V) and physics.sigma_kind != "signed"
