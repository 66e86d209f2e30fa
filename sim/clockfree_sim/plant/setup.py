"""Set-up of a job: circuit, chips, boards and supervisor in HOLD, and the schedule of a run once edges are at work.

What makes the edges fire is an engine's: objects (`world`) or compiled code (`compiled`), siblings over one `Setup`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from clockfree_model.job import Damage, Job, Sample, check
from clockfree_model.linear import mean_squares, outputs
from clockfree_model.settings import OVERCLAMP
from clockfree_sim.plant.plant import Plant
from clockfree_sim.plant.timeline import Pace, Timeline
from clockfree_sim.plant.wiring import SimulatedEdge, SimulatedSupervisor

SETTLED_US = 1000
"""After this long the nodes have settled."""
STRETCH = 2000
"""So many firings are served at a time where somebody wants a pause between them."""


class Engine(Protocol):
    """What runs one job, from its set-up to its last sample."""

    job: Job
    plant: Plant

    def run(self) -> Iterator[Sample]:
        """Learn: yields a sample at the start, then ``job.samples`` more, evenly spaced in updates per edge."""


class Edges(Protocol):
    """The edges of a job at work, as a run has them."""

    def start(self, index: int) -> None:
        """An edge starts its own clock."""

    def stop(self, index: int) -> None:
        """An edge falls silent."""

    def teach(self) -> None:
        """The supervisor has taken a lesson."""

    def stick(self, index: int, kind: str) -> None:
        """A comparator's output is stuck from now on; `kind` is that of the damage."""

    def inspect(self) -> None:
        """Something was damaged."""

    def serve(self, count: int) -> None:
        """Go on for some events: no more than so many firings, but for a round that began."""

    def firings(self) -> int:
        """Firings of all edges so far."""

    def taps(self) -> np.ndarray:
        """Tap of every edge (E,)."""

    def counters(self) -> dict[str, list[int]]:
        """The `COUNTERS`, an integer for each edge."""

    def trace(self) -> list[tuple[int, ...]]:
        """The firings since this was last asked for, if the job wants them."""


class Setup:
    """One job on simulated boards, in HOLD.

    Parameters
    ----------
    job : Job
    pace : callable or None
        ``pace(plant, time)`` makes what decides whose turn it is, before any wiper has moved; None is the timeline, on
        which every edge keeps its own appointments.
    like : Setup or None
        That of the same job with another seed, for what both share.

    Raises
    ------
    JobError
        A job that no bench could be built for; see `check`.

    Attributes
    ----------
    time : Timeline
    plant : Plant
        The circuit, its supplies and its imperfections.
    pace : Pace
    boards : list of SimulatedEdge
        Chips, drivers and Edge object of each edge, made when they are asked for: compiled edges do without.
    supervisor : SimulatedSupervisor
    lesson : int
        Which one is taught now.
    updates : float
        Updates per edge so far: the sum over firings of one over the number of live edges.
    place : int
        Which of the job's `moments` comes next; those before are over.
    """

    def __init__(self, job: Job, pace: Callable[[Plant, Timeline], Pace] | None = None, like: "Setup | None" = None):
        check(job)
        edges = len(job.network.ends)
        self.job = job
        self.time = Timeline(edges)
        self.plant: Plant = Plant(job, self.time, like.plant if like else None)
        self.plant.in_hold = True
        self.pace: Pace = pace(self.plant, self.time) if pace else self.time
        self.supervisor = SimulatedSupervisor(self.plant)
        self.lesson = 0
        self.updates = 0.0
        self.place = 0
        self._wanted: int | None = None  # firings until then, once it is on its way, and how many of them are done
        self._done = 0
        self._live = set(range(edges))
        if job.clamp.kind == OVERCLAMP:
            self.supervisor.null(lambda: self.time.advance(self.time.now_us + SETTLED_US))

    @cached_property
    def boards(self) -> list[SimulatedEdge]:
        """See the class."""
        return [SimulatedEdge(self.plant, i) for i in range(len(self.job.network.ends))]

    def settle(self, taps: Sequence[int]) -> None:
        """Leave HOLD, with every edge at its tap: whatever was written to the wipers has arrived."""
        slowest_us = self.job.physics.age_us + self.plant.skew_us
        if slowest_us:
            self.time.advance(self.time.now_us + slowest_us + 1)
        self.plant.place(taps)
        self.plant.in_hold = False

    def run(self, edges: Edges, pause: Callable[[], None] | None = None) -> Iterator[Sample]:
        """Teach, damage and sample as the job says while the edges learn; see `Engine.run`.

        `pause` is called now and then, between two events.
        """
        started = False
        plan = [*moments(self.job)]
        while self.place < len(plan):
            at, what = plan[self.place]
            self._learn(edges, at, pause)
            self.place += 1
            if what is not None:
                self.change(edges, what)
                continue
            if not started:
                self.start(edges)
            started = True
            yield self._sample(edges)

    def wanted(self, updates: float) -> int:
        """Firings until there have been so many updates per edge."""
        return max(0, round((updates - self.updates) * len(self._live)))

    def per_edge(self, firings: int) -> float:
        """Firings per live edge."""
        return firings / len(self._live) if self._live else 0.0

    def learnt(self, firings: int) -> None:
        """Edges have made so many firings."""
        self.updates += self.per_edge(firings)

    def change(self, edges: Edges, what: int | Damage) -> None:
        """A lesson, by its index, is taught from now on, or an edge is damaged."""
        if isinstance(what, Damage):
            self._break(edges, what)
        else:
            self.lesson = what
            taught = self.job.lessons[what]
            self.supervisor.teach(taught)
            self.plant.circuit.teach(taught.source_V, taught.desired_V, self.time.now_us)
            edges.teach()

    def start(self, edges: Edges) -> None:
        """RUN: every edge starts its own clock, the supervisor its own schedule."""
        for i in sorted(self._live):
            edges.start(i)
        self.supervisor.start(self.time.now_us)
        self.time.later(self.time.now_us, self._tick)

    def voltages(self) -> tuple[np.ndarray, np.ndarray]:
        """Node voltages of the free and the clamped twin, V, each (B, N), for every example of the present lesson.

        In the task's own volts, as all that a sample has.
        """
        found = self.supervisor.settled(self.job.lessons[self.lesson])
        free, clamped = (self.job.ground.own(twin, self.job.physics) for twin in zip(*found, strict=True))
        return free, clamped

    def _tick(self) -> None:
        self.time.later(self.supervisor.tick(self.time.now_us), self._tick)

    def _learn(self, edges: Edges, at: float, pause: Callable[[], None] | None) -> None:
        """Let the edges fire until there have been so many updates per edge."""
        if self._wanted is None:
            self._wanted = self.wanted(at)
        while self._live and self._done < self._wanted:
            before = edges.firings()
            left = self._wanted - self._done
            edges.serve(min(STRETCH, left) if pause else left)  # events: half of a trimmed firing is none yet
            self._done += edges.firings() - before
            if pause:
                pause()
        self.learnt(self._done)
        self._wanted, self._done = None, 0

    def _break(self, edges: Edges, damage: Damage) -> None:
        if damage.kind == "dead":
            if damage.edge in self._live:
                self._live.remove(damage.edge)
                edges.stop(damage.edge)
        elif damage.kind == "cut":
            self.plant.cut(damage.edge)
        else:
            edges.stick(damage.edge, damage.kind)
        edges.inspect()

    def _sample(self, edges: Edges) -> Sample:
        lesson = self.job.lessons[self.lesson]
        gain, (mean_V2, stood_us) = self.plant.circuit.gain(), self.plant.circuit.mean_error(self.time.now_us)
        outputs_V = outputs(lesson.source_V, gain)
        return Sample(
            time_us=self.time.now_us,
            updates=self.updates,
            lesson=self.lesson,
            error_V2=float(mean_squares(lesson.source_V, lesson.desired_V, gain)),
            measured_error_V2=self.supervisor.measured_error_V2(lesson),
            outputs_V=outputs_V,
            taps=edges.taps(),
            counters=edges.counters(),
            trace=edges.trace(),
            gain=gain,
            mean_error_V2=mean_V2,
            stood_us=stood_us,
        )


def moments(job: Job) -> Iterator[tuple[float, int | Damage | None]]:
    """What happens in a run, in order, and at how many updates per edge: lessons, by their index, damage, samples.

    A sample is None. What changes at the start does so before the first of them, and that before the first firing.
    """
    changes: list[tuple[float, int | Damage | None]] = [(each.from_updates, i) for i, each in enumerate(job.lessons)]
    changes += [(each.at_updates, each) for each in job.damage]
    samples = [(at, None) for at in np.linspace(0, job.updates, job.samples + 1).tolist()]
    for at, what in sorted([*changes, *samples], key=lambda moment: (moment[0], moment[1] is None)):
        if at <= job.updates:
            yield at, what


class Hold:
    """A set-up before its edges have started, as calibration sees it; `clockfree_model.calibration.InHold`."""

    def __init__(self, setup: Setup):
        self._setup, self._time = setup, setup.time
        self.calm, self.release = setup.supervisor.calm, setup.supervisor.release
        self._settled_us = SETTLED_US + setup.job.physics.age_us + setup.plant.skew_us

    def limits(self) -> tuple[int, int]:
        """Lowest and highest tap of an edge."""
        plant = self._setup.plant
        return plant.physics.lowest_tap(plant.pot), plant.pot.highest

    def settle(self) -> None:
        """Wait until the nodes have settled."""
        self.wait(self._settled_us)

    def wait(self, wait_us: int) -> None:
        """Let time go on."""
        self._time.advance(self._time.now_us + wait_us)


class HoldOfBoards(Hold):
    """The same with boards: what their firmware does by itself."""

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self._boards = setup.boards

    def taps(self) -> list[int]:
        """Tap of every edge."""
        return [board.pots.tap for board in self._boards]

    def set_taps(self, taps: list[int]) -> None:
        """Move every edge to a tap."""
        for board, tap in zip(self._boards, taps, strict=True):
            board.pots.set(tap)
        self._setup.plant.place(taps)

    def null(self) -> None:
        """Every edge nulls its offsets."""
        for board in self._boards:
            self._let(board.sense.nulling())

    def match(self) -> None:
        """Every edge adds a point to the fit of its mismatch."""
        for board in self._boards:
            self._let(board.sense.matching())

    def _let(self, steps: Iterable[int]) -> None:
        """Give an edge the time it asks for, step by step."""
        for wait_us in steps:
            self.wait(wait_us)
