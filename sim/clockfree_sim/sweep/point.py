"""One point of a sweep: a job, run in a process of its own, and what it came to."""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from hashlib import sha256
from typing import Any, Protocol

import numpy as np

from clockfree_model.counters import DOWN, DROPPED, FIRINGS, RAIL, UP
from clockfree_model.final import error_at
from clockfree_model.job import Job
from clockfree_model.linear import outputs
from clockfree_model.record import named
from clockfree_sim import sources_digest
from clockfree_sim.sweep.seeds import run_seeds
from clockfree_sim.theory.best import best_errors

MOST_EDGES = 2000
"""Up to this many edges the best achievable error is looked for: beyond, it may take longer than the run."""
COUNTED = (FIRINGS, UP, DOWN, RAIL, DROPPED)
"""Counters whose sums over edges are kept."""
_known: dict[str, float] = {}


class Exam(Protocol):
    """Held-out examples of a classification; the host's."""

    @property
    def source_V(self) -> np.ndarray:
        """Voltages of the sources (n, S), V."""

    def answers(self, outputs_V: np.ndarray) -> np.ndarray:
        """Index of the class that each row of outputs (n, O), V, stands for."""

    def accuracy(self, outputs_V: np.ndarray) -> float:
        """Share of right answers from the free outputs at `source_V`, V."""


@dataclass(frozen=True)
class Point:
    """What a worker is sent.

    Attributes
    ----------
    at : tuple of int
        Indices into the axes of the sweep.
    where : str
        The same in words.
    job : Job
    exams : tuple of Exam or None
        One for each lesson.
    code : str
        Digest of the sources that it is to be run with.
    """

    at: tuple[int, ...]
    where: str
    job: Job
    exams: tuple[Exam | None, ...]
    code: str


def measure(point: Point) -> dict[str, Any]:
    """Run a point: plain data for the journal, with the units in the names.

    The compiled kernel runs what it can run, the simulated bench the rest: both give the same samples.

    Raises
    ------
    RuntimeError
        The worker has other sources than whoever sent the point.
    """
    if point.code != sources_digest():
        raise RuntimeError("this worker has another version of clockfree")
    began_s = time.perf_counter()
    job = point.job
    name, found = run_seeds(job, [job.seed])
    updates, lesson, gain = found.updates, found.lesson, found.gain[0]
    training, test = accuracies(job, point.exams, lesson, gain).T
    return plain({
        "engine": name,
        "initial_error_V2": found.error_V2[0, 0],
        "final_error_V2": found.final_errors()[0],
        "measured_error_V2": found.measured_errors(updates[-1])[0],
        "best_error_V2": _best(job) if len(job.network.ends) <= MOST_EDGES else math.nan,
        "training_accuracy": error_at(updates, training, updates[-1], lesson),
        "test_accuracy": error_at(updates, test, updates[-1], lesson),
        **{name: found.counters[name][0].sum() for name in COUNTED},
        "time_s": found.time_us[0, -1] / 1e6,
        "updates": updates,
        "mean_error_V2": found.mean_error_V2[0],
        "taps": found.taps[0],
        "wall_s": time.perf_counter() - began_s,
    })  # fmt: skip


def accuracies(job: Job, exams: Sequence[Exam | None], lesson: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Shares of right answers on the taught and on the held-out examples at each sample (T, 2); nan without classes."""
    shares = np.full((len(lesson), 2), math.nan)
    for i, exam in enumerate(exams):
        if exam is not None:
            taught = job.lessons[i]
            right = exam.answers(taught.desired_V)
            for at in np.flatnonzero(lesson == i):
                training = float((exam.answers(outputs(taught.source_V, gain[at])) == right).mean())
                shares[at] = training, exam.accuracy(outputs(exam.source_V, gain[at]))
    return shares


def _best(job: Job) -> float:
    """Best achievable error at the end of a run, V^2; looked for once for all points of the same task."""
    depends = [job.network, job.sources, job.targets, job.lessons, job.damage, job.physics, job.edge.pot]
    which = digest(depends)
    if which not in _known:
        _known[which] = best_errors(job)[-1].error_V2
    return _known[which]


def digest(value: Any) -> str:
    """What tells one job, or anything made of plain data, arrays and dataclasses, from another."""
    return sha256(json.dumps(value, default=plain).encode()).hexdigest()


def plain(value: Any) -> Any:
    """Dataclasses, arrays and what lies in a dict or list as JSON has it; what is not a number is null."""
    if isinstance(value, np.ndarray | np.generic):
        # Nearly all arrays are finite, and need no look at each number.
        return value.tolist() if np.isfinite(value).all() else plain(value.tolist())
    if is_dataclass(value) and not isinstance(value, type):
        return {key: plain(part) for key, part in named(value)}
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
