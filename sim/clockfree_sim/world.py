"""The simulated bench: Edge and Supervisor objects, wired to the twin circuit, learning in virtual time."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from math import log

import numpy as np
from clockfree.clock import MASK, ticks_add

from clockfree_sim import noise
from clockfree_sim.calibration import calibrate
from clockfree_sim.comparison import Rounds
from clockfree_sim.job import Damage, Job, Sample, check
from clockfree_sim.plant import Plant
from clockfree_sim.timeline import Fire, Pace, Timeline
from clockfree_sim.wiring import EdgeBoard, SupervisorBoard

COUNTERS = ("firings", "up", "down", "rail", "dropped", "skipped", "errors")
SETTLED_US = 1000
"""After this long the nodes have settled."""


class World:
    """One job on simulated boards.

    Parameters
    ----------
    job : Job

    Raises
    ------
    JobError
        A job that no bench could be built for; see `check`.

    Attributes
    ----------
    time : Timeline
    plant : Plant
        The circuit, its supplies and its imperfections.
    boards : list of EdgeBoard
        Chips, drivers and Edge object of each edge.
    supervisor : SupervisorBoard
    updates : float
        Updates per edge so far: the sum over firings of one over the number of live edges.
    """

    def __init__(self, job: Job):
        check(job)
        edges = len(job.network.ends)
        self.job = job
        self.time = Timeline(edges)
        self.plant = Plant(job, self.time)
        # Edges are either on their own clocks or, in the paper's comparison, gathered in rounds.
        self._pace: Pace = self.time
        if job.rule != "clockfree":
            self._pace = Rounds(self.plant, self.time)
        self.boards = [EdgeBoard(self.plant, i) for i in range(edges)]
        self.supervisor = SupervisorBoard(self.plant)
        self.updates = 0.0
        self._lesson = 0
        self._live = set(range(edges))
        self._trace: list[tuple[int, ...]] = []
        if job.edge.calibrate:
            self._calibrate()
        slowest_us = job.physics.age_us + job.physics.skew_us
        if slowest_us:  # whatever was written to the wipers has arrived before anything learns
            self.time.advance(self.time.now_us + slowest_us + 1)

    def run(self) -> Iterator[Sample]:
        """Learn: yields a sample at the start, then ``job.samples`` more, evenly spaced in updates per edge."""
        job = self.job
        changes: list[tuple[float, Callable[[], None]]] = []
        for i, lesson in enumerate(job.lessons):
            changes.append((lesson.from_updates, partial(self._teach, i)))
        for damage in job.damage:
            changes.append((damage.at_updates, partial(self._break, damage)))
        changes.sort(key=lambda change: change[0])
        while changes and changes[0][0] <= 0:
            changes.pop(0)[1]()
        self._start()
        yield self._sample()
        for stop in np.linspace(0, job.updates, job.samples + 1)[1:].tolist():
            while changes and changes[0][0] <= stop:
                at, change = changes.pop(0)
                self._learn(at)
                change()
            self._learn(stop)
            yield self._sample()

    def voltages(self) -> tuple[np.ndarray, np.ndarray]:
        """Node voltages of the free and the clamped twin, V, each (B, N), for every example of the present lesson."""
        found = [self.plant.settled(*shown) for shown in self.supervisor.settings(self.job.lessons[self._lesson])]
        free, clamped = zip(*found, strict=True)
        return np.array(free), np.array(clamped)

    def _calibrate(self) -> None:
        calibrate(self.job, _InHold(self))

    def _start(self) -> None:
        """RUN: every edge starts its own clock, the supervisor its own schedule."""
        for i in sorted(self._live):
            board = self.boards[i]
            fire = self._traced(i, board) if self.job.trace else board.edge.fire
            self._pace.enter(i, board.edge, self._busy(i, fire) if self.job.physics.lateness_us else fire)
        self.supervisor.start(self.time.now_us)
        self.time.later(self.time.now_us, self._tick)

    def _tick(self) -> None:
        self.time.later(self.supervisor.tick(self.time.now_us), self._tick)

    def _learn(self, updates: float) -> None:
        """Let the edges fire until there have been so many updates per edge."""
        live = len(self._live)
        wanted = round((updates - self.updates) * live)
        done = 0
        while live and done < wanted:
            before = self._firings()
            self._pace.serve(wanted - done)  # events: an overdue firing, or half of a trimmed one, is none yet
            done += self._firings() - before
        self.updates += done / live if live else 0.0

    def _firings(self) -> int:
        return sum(board.edge.firings for board in self.boards)

    def _taps(self) -> np.ndarray:
        return np.array([board.pots.tap for board in self.boards])

    def _counters(self) -> dict[str, list[int]]:
        return {name: [getattr(board.edge, name) for board in self.boards] for name in COUNTERS}

    def _teach(self, lesson: int) -> None:
        self._lesson = lesson
        self.supervisor.teach(self.job.lessons[lesson])

    def _break(self, damage: Damage) -> None:
        if damage.kind == "dead":
            if damage.edge in self._live:
                self._live.remove(damage.edge)
                self._pace.leave(damage.edge)
        elif damage.kind == "cut":
            self.plant.cut(damage.edge)
        else:
            self.boards[damage.edge].chips.stick(damage.kind)

    def _busy(self, index: int, fire: Fire) -> Fire:
        """A board that is busy: after its first event the edge is served a random time later than it asked for."""
        draw = noise.stream(self.job.seed, index, noise.LATENESS, normal=False)
        mean_us = self.job.physics.lateness_us
        return lambda now_us: ticks_add(fire(now_us), round(-mean_us * log(draw())))

    def _traced(self, index: int, board: EdgeBoard) -> Fire:
        edge, sense, pots = board.edge, board.sense, board.pots
        fire = edge.fire

        def traced(now_us: int) -> int:
            before = edge.firings
            due_us = fire(now_us)
            if edge.firings != before:
                self._trace.append((index, now_us & MASK, sense.a, sense.b, edge.step, pots.tap))
            return due_us

        return traced

    def _sample(self) -> Sample:
        lesson = self.job.lessons[self._lesson]
        outputs_V = self.plant.circuit.outputs(lesson.source_V)
        trace, self._trace = self._trace, []
        return Sample(
            time_us=self.time.now_us,
            updates=self.updates,
            lesson=self._lesson,
            error_V2=float(np.mean((outputs_V - lesson.desired_V) ** 2)),
            measured_error_V2=self.supervisor.measured_error_V2(lesson),
            outputs_V=outputs_V,
            taps=self._taps(),
            counters=self._counters(),
            trace=trace,
        )


class _InHold:
    """A world before its edges have started, for calibration."""

    def __init__(self, world: World):
        self._boards, self._time = world.boards, world.time
        self.calm, self.release = world.supervisor.calm, world.supervisor.release
        physics = world.job.physics
        self._settled_us = SETTLED_US + physics.age_us + physics.skew_us

    def taps(self) -> list[int]:
        return [board.pots.tap for board in self._boards]

    def limits(self) -> tuple[int, int]:
        return self._boards[0].pots.lowest, self._boards[0].pots.highest

    def set_taps(self, taps: list[int]) -> None:
        for board, tap in zip(self._boards, taps, strict=True):
            board.pots.set(tap)

    def settle(self) -> None:
        self._wait(self._settled_us)

    def null(self) -> None:
        for board in self._boards:
            self._let(board.sense.nulling())

    def match(self) -> None:
        for board in self._boards:
            self._let(board.sense.matching())

    def _let(self, steps: Iterable[int]) -> None:
        """Give an edge the time it asks for, step by step."""
        for wait_us in steps:
            self._wait(wait_us)

    def _wait(self, wait_us: int) -> None:
        self._time.advance(self._time.now_us + wait_us)
