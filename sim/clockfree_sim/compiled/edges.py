"""Compiled edges: a record of each, one of what all share, and what they are wired to."""

from collections.abc import Sequence

import numpy as np

from clockfree_board.clock import MASK
from clockfree_model.counters import COUNTERS, FIRINGS
from clockfree_model.parts import FRONT_ENDS as PARTS
from clockfree_model.rates import rates_hz
from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.voltages import settles
from clockfree_sim.compiled import front_ends
from clockfree_sim.compiled.clamp import compiled_clamp
from clockfree_sim.compiled.firmware import Show
from clockfree_sim.compiled.records import AFTER_ROUND, AT_ONCE, EDGE, FRONT_ENDS, LATER, NOWHERE, SHARED, Wires
from clockfree_sim.parts.converters import PERFECT
from clockfree_sim.plant import noise
from clockfree_sim.plant.clamp import DigitalClamp
from clockfree_sim.plant.front_ends import DUTY_PER_C16
from clockfree_sim.plant.setup import Setup


class Edges:
    """The edges of a kernel, and what paces them, in place of a `Timeline`.

    Parameters
    ----------
    setup : Setup

    Attributes
    ----------
    edges : (E,) EDGE
        See `records`.
    readings : (B, O) int64
        The supervisor's.
    """

    def __init__(self, setup: Setup):
        job, physics = setup.job, setup.job.physics
        self._setup = setup
        self.edges = _records_of(setup)
        self._alike, self._levels = _shared_of(setup), _levels_of(setup)
        self._now = np.zeros(4, dtype=np.int64)
        # Far more moves than are ever asked for within the longest delay, by edges that fire at random.
        most = 8 * (physics.age_us + setup.plant.skew_us) * rates_hz(job).sum() / 1e6
        self._moves = np.zeros((2, len(self.edges) + 1000 + int(most), 4), dtype=np.int64)
        self._pending = np.zeros((2, 2), dtype=np.int64)
        self._clock = np.array(setup.supervisor.supervisor.clock)
        self._rows: list[np.ndarray] = []
        self.inspect()

    def inspect(self) -> None:
        """Look up what damage may have changed: conductances and comparators."""
        circuit = self._setup.plant.circuit
        tables = np.concatenate(self._setup.plant.conductances())
        ladders, which = np.unique(tables, axis=0, return_inverse=True)
        edges, alike = self.edges, self._alike
        edges["ladder_free"], edges["ladder_clamped"] = which.reshape(2, -1)
        self._wires = Wires(
            circuit.plan, circuit.state, ladders.ravel(), ladders.shape[1], self._levels, self._now,
            self._moves, self._pending,
        )  # fmt: skip
        edges["stuck_a"] = edges["stuck_b"] = -1
        for name, bits in zip(
            ("stuck_a", "stuck_b"), zip(*_comparators(self._setup, "stuck"), strict=True), strict=False
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
        setup = self._setup
        self._now[:2] = setup.time.now_us
        analog = DigitalClamp(setup.plant.circuit, setup.time, 1, 0, np.zeros(0))  # one that rests for ever
        self._clamp = compiled_clamp(setup.plant.clamp or analog)

    def means(self, reads: int) -> list[list[int]]:
        """Every edge takes the mean of so many readings; returns (E, 3) drops and their spread, 1/16 ADC code."""
        self._now[0] = self._setup.time.now_us
        front_ends.mean(self._wires, self.edges, self._alike, reads)
        return np.column_stack([self.edges[name] for name in ("a", "b", "spread")]).tolist()

    def null(self, reads: int) -> list[int]:
        """Every edge finds its trim, with so many readings of A at each step; returns them, c16."""
        self._now[0] = self._setup.time.now_us
        front_ends.null(self._wires, self.edges, self._alike, reads)
        return self.edges["offset_c16"].tolist()

    def trim(self) -> None:
        """Take what calibration has found."""
        measured = PARTS[self._setup.job.edge.front_end].measures
        drops = ("offset_free_c16", "offset_clamped_c16", "mismatch", "noise_c16")
        names = drops if measured else ("offset_c16",)
        trims = zip(*(board.sense.trims() for board in self._setup.boards), strict=True)
        for name, values in zip(names, trims, strict=True):
            self.edges[name] = values

    def teach(self) -> None:
        """Take the lesson that the supervisor has taken, with what its chips put on the circuit at each example."""
        setup = self._setup
        circuit, supervisor = setup.plant.circuit, setup.supervisor.supervisor
        plan, state = circuit.plan, circuit.state
        before, clamp = state.copy(), setup.plant.clamp
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
        levels, codes_per_V = np.array(PERFECT), 4096 / setup.job.physics.supply_V
        self._show = Show(
            self._clock, supervisor.order, supervisor.dwell_us, self._now[1] & MASK, -1, 0,
            self.readings, np.array(shown), turns, len(turns), plan, state, levels, codes_per_V, self._now,
            clamp is not None, self._clamp,
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
        """Take a trace, and have the set-up's objects know time and readings."""
        self._rows.append(rows)
        self._setup.time.now_us = self.now_us
        self._setup.supervisor.supervisor.readings = self.readings.tolist()


def _records_of(setup: Setup) -> np.ndarray:
    """The edges as they are before anything was read or damaged, (E,) EDGE."""
    job, boards = setup.job, setup.boards
    physics, seed = job.physics, job.seed & 0xFFFFFFFFFFFFFFFF
    edges = np.zeros(len(boards), dtype=EDGE)
    edges["index"] = np.arange(len(boards))
    edges["late_us"] = [board.edge.late_us for board in boards]
    edges["tap"] = [board.pots.tap for board in boards]
    edges["at_free"] = edges["at_clamped"] = edges["tap"]
    edges["at"] = NOWHERE
    draws = noise.BIAS if _magnitude(setup) else noise.DECISION
    edges["noise_key"] = [noise.key_of(seed, i, draws) for i in range(len(boards))]
    edges["lateness_key"] = [noise.key_of(seed, i, noise.LATENESS) for i in range(len(boards))]
    channels = [board.chips.front_end.channels for board in boards if board.chips.front_end.channels]
    if channels:
        offset_V = np.array([each.offset_V for each in channels])
        edges["shift"][:, : offset_V.shape[1]] = offset_V * (4096 / physics.supply_V)
        edges["levels"] = np.arange(len(boards)) if physics.adc_inl_lsb else 0
    elif _magnitude(setup):
        if physics.sigma_kind == "fixed":
            edges["offset_a_V"] = [physics.sigma_V * noise.uniform(key, 0) for key in edges["noise_key"]]
    else:
        edges["offset_a_V"], edges["offset_b_V"] = zip(*_comparators(setup, "offset_V"), strict=True)
    return edges


def _shared_of(setup: Setup) -> np.ndarray:
    """What all edges share, (1,) SHARED."""
    job, physics = setup.job, setup.job.physics
    board = setup.boards[0]
    edge, pots, sense, front_end = board.edge, board.pots, board.sense, board.chips.front_end
    channels, trim = front_end.channels, front_end.trim
    clockfree = job.schedule == "clockfree"
    shared = {
        "lowest": pots.lowest,
        "highest": pots.highest,
        "floor_c16": edge.floor_c16,
        "dither_c16": edge.dither_c16,
        "bar_c16": getattr(sense, "bar_c16", 0),
        "settle_us": sense.settle_us,
        "front_end": FRONT_ENDS.index(job.edge.front_end),
        "kept": bool(channels) or not clockfree or settles(setup.plant.circuit.state),
        "wipers": LATER if physics.age_us or setup.plant.skew_us else AT_ONCE if clockfree else AFTER_ROUND,
        "age_us": physics.age_us,
        "skew_us": setup.plant.skew_us,
        "magnitude": _magnitude(setup),
        "noise_V": channels.noise_V if channels else physics.noise_V,
        "sigma_V": physics.sigma_V if _magnitude(setup) and physics.sigma_kind == "redrawn" else 0.0,
        "supply_V": physics.supply_V,
        "codes_per_V": 4096 / physics.supply_V,
        "lateness_us": physics.lateness_us,
    }
    if trim:
        shared |= {"duty_per_c16": DUTY_PER_C16, "span_V": trim.span_V, "tau_us": trim.tau_us}
    alike = np.zeros(1, dtype=SHARED)
    for name, value in shared.items():
        alike[name] = value
    return alike


def _levels_of(setup: Setup) -> np.ndarray:
    """Where the codes of each ADC begin, one after another; of one that stands for all, if they are perfect."""
    levels: list[Sequence[float]] = [PERFECT]
    if setup.job.physics.adc_inl_lsb:
        channels = [board.chips.front_end.channels for board in setup.boards]
        levels = [each.levels for each in channels if each] or levels
    return np.concatenate(levels)


def _comparators(setup: Setup, name: str) -> list[list]:
    """An attribute of A and B of every edge."""
    return [[getattr(each, name) for each in board.chips.front_end.comparators or ()] for board in setup.boards]


def _magnitude(setup: Setup) -> bool:
    """Whether A is the paper's comparison of magnitudes."""
    physics = setup.job.physics
    return bool(physics.sigma_V) and physics.sigma_kind != "signed"
