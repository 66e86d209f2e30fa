"""Who is told how a run gets on, from Python: nobody, a function that takes lines, or an observer."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from clockfree_model.counters import FIRINGS
from clockfree_model.saying import say

if TYPE_CHECKING:
    from clockfree_model.job import Job, Sample  # numpy, which a flash does without

LINES = 5
"""Lines for a whole run."""


def error_of(sample: "Sample") -> str:
    """The error since the sample before, V^2, as progress shows it; where only samples are known, that of this one."""
    error_V2 = sample.error_V2 if math.isnan(sample.mean_error_V2) else sample.mean_error_V2
    return "-" if math.isnan(error_V2) else f"{error_V2:.2e}"


def _state(sample: "Sample") -> str:
    firings = sum(sample.counters[FIRINGS])
    return f"{sample.updates:,.0f} updates per edge, error {error_of(sample)} V^2, {firings} firings"


class Told:
    """A few lines of plain text.

    Parameters
    ----------
    say : callable
        Is given each line; from any thread.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self.say = say
        self._next = 0.0
        self._doing = ""

    def share(self, doing: str, done: float) -> None:
        """A line when it begins; from any thread."""
        if doing != self._doing:
            self._doing = doing
            self.say(doing)

    def resolved(self, count: int, points: int) -> None:
        """Nothing: a sweep's points are checked in a moment."""

    def ran(self, count: int, points: int, firings: int, all_firings: int) -> None:
        """A line now and then: so many points of a sweep are done."""
        if count >= self._next * points:
            self.say(f"{count} of {points} points")
            self._next = (math.floor(LINES * count / points) + 1) / LINES

    def sample(self, job: "Job", sample: "Sample", wall_s: float) -> None:
        """A line now and then."""
        if sample.updates >= self._next * job.updates:
            self.say(_state(sample))
            self._next = (math.floor(LINES * sample.updates / max(job.updates, 1)) + 1) / LINES


def observer(progress: Any) -> Any:
    """Who is told: None or False is nobody, True stderr, a function gets lines, what is an observer is one."""
    if hasattr(progress, "sample"):
        return progress
    if callable(progress):
        return Told(progress)
    return Told(say if progress else lambda text: None)
