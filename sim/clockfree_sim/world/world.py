"""The simulated bench: Edge and Supervisor objects, wired to the twin circuit, learning in virtual time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import log
from typing import Any

import numpy as np

from clockfree_board.clock import MASK, ticks_add
from clockfree_model.calibration import calibrate
from clockfree_model.counters import COUNTERS
from clockfree_model.job import Job, Sample
from clockfree_sim.plant import noise
from clockfree_sim.plant.setup import HoldOfBoards, Setup
from clockfree_sim.plant.timeline import Fire
from clockfree_sim.plant.wiring import SimulatedEdge
from clockfree_sim.world.rounds import Rounds
from clockfree_sim.world.snapshot import Snapshot, SnapshotError


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
    setup : Setup
    job, time, plant, boards, supervisor
        The set-up's.
    """

    def __init__(self, job: Job):
        # Edges are either on their own clocks or, in the paper's comparison, gathered in rounds.
        self.setup = setup = Setup(job, None if job.schedule == "clockfree" else Rounds)
        self.job, self.time, self.plant = job, setup.time, setup.plant
        self.boards, self.supervisor = setup.boards, setup.supervisor
        if job.edge.calibrate:
            calibrate(job, HoldOfBoards(setup))
        setup.settle([board.pots.tap for board in setup.boards])
        self._edges = _Objects(setup)
        self._snapshot: Snapshot | None = None

    def run(self, pause: Callable[[], None] | None = None) -> Iterator[Sample]:
        """Learn: yields a sample at the start, then ``job.samples`` more, evenly spaced in updates per edge.

        `pause` is called now and then, between two events.
        """
        return self.setup.run(self._edges, pause)

    def run_from(self, saved: dict[str, Any], pause: Callable[[], None] | None = None) -> Iterator[Sample]:
        """Go on from where `saved` says that another world of this job was: yields the samples that it had not yet.

        Raises
        ------
        SnapshotError
            This world is not like that one.
        """
        samples = self.run(pause)
        next(samples)
        self._snapshot = Snapshot([self.setup, self._edges])
        if self._snapshot.digest != saved["digest"]:
            raise SnapshotError("the set-up of this job is another than it was")
        self._snapshot.put(saved["changes"])
        return samples

    def saved(self) -> dict[str, Any]:
        """All that `run_from` needs, between two events; asked for at the first sample, and then at any time."""
        if self._snapshot is None:
            self._snapshot = Snapshot([self.setup, self._edges])
        return {"digest": self._snapshot.digest, "changes": self._snapshot.changes()}

    def voltages(self) -> tuple[np.ndarray, np.ndarray]:
        """Node voltages of the free and the clamped twin, V, each (B, N), for every example of the present lesson."""
        return self.setup.voltages()


class _Objects:
    """Edge objects at work; see `plant.setup.Edges`."""

    def __init__(self, setup: Setup):
        self._job, self._boards, self._pace = setup.job, setup.boards, setup.pace
        self._trace: list[tuple[int, ...]] = []

    def start(self, index: int) -> None:
        board = self._boards[index]
        fire = self._traced(index, board) if self._job.trace else board.edge.fire
        self._pace.enter(index, board.edge, self._busy(index, fire) if self._job.physics.lateness_us else fire)

    def stop(self, index: int) -> None:
        self._pace.leave(index)

    def teach(self) -> None:
        """The supervisor's chips put it on the circuit."""

    def stick(self, index: int, kind: str) -> None:
        self._boards[index].chips.stick(kind)

    def inspect(self) -> None:
        """Whatever was damaged is what the edges' drivers meet."""

    def serve(self, count: int) -> None:
        self._pace.serve(count)

    def firings(self) -> int:
        return sum(board.edge.firings for board in self._boards)

    def taps(self) -> np.ndarray:
        return np.array([board.pots.tap for board in self._boards])

    def counters(self) -> dict[str, list[int]]:
        return {name: [getattr(board.edge, name) for board in self._boards] for name in COUNTERS}

    def trace(self) -> list[tuple[int, ...]]:
        rows, self._trace = self._trace, []
        return rows

    def _busy(self, index: int, fire: Fire) -> Fire:
        """A board that is busy: after its first event the edge is served a random time later than it asked for."""
        draw = noise.stream(self._job.seed, index, noise.LATENESS, normal=False)
        mean_us = self._job.physics.lateness_us
        return lambda now_us: ticks_add(fire(now_us), round(-mean_us * log(draw())))

    def _traced(self, index: int, board: SimulatedEdge) -> Fire:
        edge, sense, pots = board.edge, board.sense, board.pots
        fire = edge.fire

        def traced(now_us: int) -> int:
            before = edge.firings
            due_us = fire(now_us)
            if edge.firings != before:
                self._trace.append((index, now_us & MASK, sense.a, sense.b, edge.step, pots.tap))
            return due_us

        return traced


def recall(job: Job, lesson: int, updates: float, taps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Node voltages of a run on the simulated bench, worked out again from its recorded taps and its physics.

    Of the free and of the clamped twin, (B, N) each, V, for each example of a lesson.
    """
    broken = tuple(replace(d, at_updates=0.0) for d in job.damage if d.kind == "cut" and d.at_updates <= updates)
    settled = replace(
        job,
        lessons=(replace(job.lessons[lesson], from_updates=0.0),),
        damage=broken,
        edge=replace(job.edge, calibrate=False),
        start_taps=taps,
        trace=False,
    )
    world = World(settled)
    next(world.run())
    return world.voltages()
