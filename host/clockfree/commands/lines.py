"""Lines of plain text about a run, or a flash, where there is no terminal."""

import math
import sys
import threading
from typing import TYPE_CHECKING, Self

from clockfree_model.counters import FIRINGS

if TYPE_CHECKING:
    from clockfree_model.job import Job, Sample  # numpy, which a flash does without

LINES = 5
"""Lines for a whole run where there is no terminal."""
_SAYING = threading.Lock()  # a print writes its newline apart


def say(text: str) -> None:
    """One line, where there is no bar; from any thread."""
    with _SAYING:
        print(text, file=sys.stderr, flush=True)


def error_of(sample: "Sample") -> str:
    """The error of a sample, V^2, as progress shows it."""
    return "-" if math.isnan(sample.error_V2) else f"{sample.error_V2:.2e}"


def _state(sample: "Sample") -> str:
    firings = sum(sample.counters[FIRINGS])
    return f"{sample.updates:,.0f} updates per edge, error {error_of(sample)} V^2, {firings} firings"


class _Plain:
    """Nothing but lines, where there is no terminal."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


class Lines(_Plain):
    """A few lines of plain text."""

    def __init__(self) -> None:
        self._next = 0.0
        self._doing = ""

    def say(self, text: str) -> None:
        """One line."""
        say(text)

    def share(self, doing: str, done: float) -> None:
        """A line when it begins; from any thread."""
        if doing != self._doing:
            self._doing = doing
            self.say(doing)

    def sample(self, job: "Job", sample: "Sample", wall_s: float) -> None:
        """A line now and then."""
        if sample.updates >= self._next * job.updates:
            self.say(_state(sample))
            self._next = (math.floor(LINES * sample.updates / job.updates) + 1) / LINES


class BoardLines(_Plain):
    """A line for each board when it is done with."""

    def tell(self, board: str, share: float, doing: str) -> None:
        """One board is so far (0 .. 1), and does this; from any thread."""
        if share >= 1:
            say(f"{board}: {doing}")
