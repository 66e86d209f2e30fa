"""Progress of a sweep, on stderr: a bar with the time left on a terminal, a line at its ends anywhere else."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from clockfree_model.quiet import quiet
from clockfree_model.saying import say


class Observer(Protocol):
    """Who is told how a sweep gets on."""

    def say(self, text: str) -> None:
        """A line of text."""

    def resolved(self, count: int, points: int) -> None:
        """So many of all points are resolved and checked."""

    def ran(self, count: int, points: int, firings: int, all_firings: int) -> None:
        """So many of all points are done, which are so many of all firings."""


class Lines:
    """Nothing but what has to be said."""

    def say(self, text: str) -> None:
        """One line."""
        say(text)

    def resolved(self, count: int, points: int) -> None:
        """Nothing."""

    def ran(self, count: int, points: int, firings: int, all_firings: int) -> None:
        """Nothing."""


class Bar:
    """A bar by firings, since points differ in length; the time left is from their rate lately."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("checking", total=None, state="")
        self._running = False

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(text, highlight=False, markup=False)

    def resolved(self, count: int, points: int) -> None:
        """Move the bar while points are resolved."""
        self._bar.update(self._task, total=points, completed=count, state=f"{count} of {points} points")

    def ran(self, count: int, points: int, firings: int, all_firings: int) -> None:
        """Move the bar while points are run."""
        state = f"{count} of {points} points"
        if not self._running:
            self._running = True
            self._bar.remove_task(self._task)  # what checking took says nothing about the time left
            self._task = self._bar.add_task("running", total=all_firings, completed=firings, state=state)
        self._bar.update(self._task, completed=firings, state=state)


@contextmanager
def progress() -> Iterator[Observer]:
    """What suits stderr, and a quiet command."""
    if quiet() or not sys.stderr.isatty():
        yield Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    times = (TextColumn("{task.fields[state]}"), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, *times, console=Console(stderr=True), speed_estimate_period=120) as bar:
        yield Bar(bar)
