"""Runs of edges that step their wipers, by the firmware's own rule: a job for a task, and what it comes to."""

from dataclasses import dataclass, replace

import numpy as np

from clockfree_model.counters import DOWN, FIRINGS, UP
from clockfree_model.final import error_at
from clockfree_model.job import Job
from clockfree_model.physics import IDEAL, Physics
from clockfree_model.settings import NUDGE, ClampSettings, EdgeSettings
from clockfree_sim.compiled.kernel import Kernel
from clockfree_sim.paper.edges import COMPARATORS
from clockfree_sim.paper.tasks import Task

UPDATES = 1500
"""Per edge, where a figure does not ask for more."""
ONE_WAIT_S = 1 / EdgeSettings().rate_hz
"""Mean wait of an edge, and time of a round: with this dwell, clocked rules see one example a round."""


def job(
    task: Task,
    seed: int,
    schedule: str = "clockfree",
    eta: float = 0.5,
    physics: Physics = IDEAL,
    edge: EdgeSettings | None = None,
    dwell_s: float = ONE_WAIT_S,
    updates: int = UPDATES,
    samples: int = 100,
    start_tap: int | None = None,
) -> Job:
    """The job of learning a task; `seed` is that of clocks and imperfections, `start_tap` where all wipers begin.

    The task's 0 .. 5 V are brought between the margins of the physics' supply, to the nearest voltages that the
    supervisor's DACs have, so that the lesson is what the network is taught. Without `edge`: comparators, plain rule.
    """
    span_V = physics.supply_V - 2 * physics.margin_V

    def on_dac(volts: np.ndarray) -> np.ndarray:
        return physics.dac_volts(physics.margin_V + volts / IDEAL.supply_V * span_V)

    lesson = task.lesson
    lesson = replace(lesson, source_V=on_dac(lesson.source_V), desired_V=on_dac(lesson.desired_V))
    return Job(
        task.network,
        task.sources,
        task.targets,
        (lesson,),
        edge=edge or COMPARATORS,
        clamp=ClampSettings(NUDGE, eta=eta, dwell_s=dwell_s),
        physics=physics,
        schedule=schedule,
        updates=updates,
        seed=seed,
        samples=samples,
        start_taps=None if start_tap is None else np.full(len(task.network.ends), start_tap),
    )


@dataclass(frozen=True)
class Learnt:
    """What a run comes to, at its start and after each of its samples (S + 1).

    Attributes
    ----------
    updates : (S + 1,) float
        Per edge.
    error_V2 : (S + 1,) float
        Of the free network, V^2.
    mean_error_V2 : (S + 1,) float
        Mean of every state since the sample before, V^2.
    stood_us : (S + 1,) int
        The time that is of, us.
    taps : (S + 1, E) uint8
    counters : dict of str to (S + 1,) int64
        Since the start, of all edges together: firings, up, down, rail, dropped, skipped, errors.
    """

    updates: np.ndarray
    error_V2: np.ndarray
    mean_error_V2: np.ndarray
    stood_us: np.ndarray
    taps: np.ndarray
    counters: dict[str, np.ndarray]

    def error_at(self, updates: float) -> float:
        """Error at so many updates per edge, V^2: the mean over the last fifth of them."""
        return error_at(self.updates, self.mean_error_V2, updates, stood_us=self.stood_us)

    @property
    def final_V2(self) -> float:
        """Error at the end, V^2."""
        return self.error_at(self.updates[-1])

    @property
    def stepping(self) -> float:
        """Share of the firings that moved the wipers."""
        return float((self.counters[UP][-1] + self.counters[DOWN][-1]) / self.counters[FIRINGS][-1])


def learnt(job: Job) -> Learnt:
    """Run a job by the compiled kernel, to its end."""
    samples = list(Kernel(job).run())
    return Learnt(
        updates=np.array([sample.updates for sample in samples]),
        error_V2=np.array([sample.error_V2 for sample in samples]),
        mean_error_V2=np.array([sample.mean_error_V2 for sample in samples]),
        stood_us=np.array([sample.stood_us for sample in samples]),
        taps=np.array([sample.taps for sample in samples], dtype=np.uint8),
        counters={name: np.array([sum(sample.counters[name]) for sample in samples]) for name in samples[0].counters},
    )
