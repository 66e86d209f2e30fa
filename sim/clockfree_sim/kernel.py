"""Runs for sweeps: the firmware's own edge, rule and clock, compiled, on the same circuit as the bench's."""

from functools import partial
from typing import Any

import numpy as np
from clockfree.edge import Edge
from clockfree.sense import AdcDrops, TrimmedPins

from clockfree_sim import comparison
from clockfree_sim.calibration import MATCHES, calibrate
from clockfree_sim.edges import Edges, OwnClocks
from clockfree_sim.job import Damage, Job, Sample
from clockfree_sim.timeline import Fire
from clockfree_sim.world import COUNTERS, World, _InHold


def check(job: Job) -> None:
    """Raise ValueError where a job switches on what the kernel does not have: it would be left out in silence."""
    if not any(lesson.from_updates <= 0 for lesson in job.lessons):
        raise ValueError("lessons: none of them is taught from the start")
    if job.edge.pot != "mcp42xx":
        raise ValueError(f"pot {job.edge.pot}: the kernel has mcp42xx, whose wipers move together")


class Kernel(World):
    """One job with everything after its set-up compiled; its samples are those of a `World`, bit for bit.

    Boards are built and the circuit is loaded as for a `World`, from whose objects the compiled loop then takes over:
    these keep what they were set up with. Every clock and rule; every front end with all that is wrong with it,
    calibration, thresholds; MCP42xx, mismatch, decision age, skew; both clamps, their errors and lag, settling;
    lateness; damage. Not: pulse potentiometers.

    Setting up takes about 2 ms at 16 edges and 12 ms at 143; calibration adds three to four times as much.

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
    """A kernel before its edges have started: what calibration does over and over is compiled, the rest is firmware."""

    def __init__(self, world: World, edges: Edges):
        super().__init__(world)
        self._edges = edges
        self._measures = world.job.edge.front_end in MATCHES

    def null(self) -> None:
        if self._measures:
            self._each("nulling")
            return
        found = self._edges.null(_reads(TrimmedPins.nulling))
        for board, trim in zip(self._boards, found, strict=True):
            board.sense.put_trims([trim])
        self._time.advance(self._edges.now_us)

    def match(self) -> None:
        self._each("matching")

    def _each(self, name: str) -> None:
        means = self._edges.means(_reads(getattr(AdcDrops, name)))
        for board, mean in zip(self._boards, means, strict=True):
            sense = board.sense
            sense._mean = partial(_taken, sense, mean)
            for _ in getattr(sense, name)():
                pass
            del sense._mean
        self._time.advance(self._edges.now_us)


def _reads(procedure: Any) -> int:
    """How many readings a procedure of the firmware takes, if it is not told."""
    return procedure.__defaults__[0]


def _taken(sense: AdcDrops, mean: list[int], reads: int) -> tuple[()]:
    """In place of `AdcDrops._mean`: it has been taken, and there is nothing left to wait for."""
    sense.a, sense.b, sense._spread = mean
    return ()


class Rounds(Edges):
    """Edges on a global trigger; see `comparison`."""

    def __init__(self, kernel: Kernel):
        super().__init__(kernel)
        job = kernel.job
        self._period_us = comparison.period_us(job)
        self._blocks = comparison.taking_part(job)
        self._taking_part = next(self._blocks)
        self._live: list[int] = []
        self._next_us = 0

    def enter(self, index: int, edge: Edge, fire: Fire) -> None:
        """An edge takes part from now on."""
        self.edges[index]["clock"] = edge.clock
        self._live.append(index)
        self._next_us = self.now_us + self._period_us

    def leave(self, index: int) -> None:
        """An edge falls silent."""
        self._live.remove(index)

    def serve(self, count: int) -> None:
        """Trigger rounds until at least so many firings have been made."""
        rows = self._record(count + len(self.edges))
        live, made = np.array(self._live), 0
        while made < count:
            done, rounds = comparison.serve_rounds(
                self._bench, self._show, self.edges, self._alike, live, self._taking_part, self._next_us,
                self._period_us, rows[made:], count - made,
            )  # fmt: skip
            made += done
            self._next_us += rounds * self._period_us
            self._taking_part = self._taking_part[rounds:]
            if not len(self._taking_part):
                self._taking_part = next(self._blocks)
        self._keep(rows[:made])
