"""Bars of a run, or a flash, on a terminal."""

import threading
import time
from typing import Any, Self

from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

from clockfree.api.observing import error_of
from clockfree.commands.output import console
from clockfree_model.counters import FIRINGS
from clockfree_model.job import Job, Sample

SHORT = 48
"""Letters beside a bar: why a board failed stands in the table after it."""
READY = "getting ready"


class _Drawn:
    """One bar on a terminal, for as long as the context lasts."""

    def __init__(self, doing: str, total: float | None, done: str, *more: ProgressColumn) -> None:
        said, state = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[state]}"))
        columns = (said, BarColumn(), TextColumn(done), state)
        self._progress = Progress(*columns, *more, console=console(stderr=True))
        self._task = self._progress.add_task(doing, total=total, state="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()


class Bar(_Drawn):
    """A bar with error and firings per second."""

    def __init__(self) -> None:
        super().__init__(READY, None, "{task.percentage:>3.0f}%", TimeRemainingColumn())
        self._drawn_s = 0.0

    def say(self, text: str) -> None:
        """A line above the bar; what was full before it is over, and nobody knows how much there is of what comes."""
        if self._progress.finished:
            self._progress.reset(self._task, description=READY, start=False)
        self._progress.console.print(text)

    def share(self, doing: str, done: float) -> None:
        """Move the bar while a bench gets ready; from any thread."""
        self._move(description=doing, total=1.0, completed=done)

    def sample(self, job: Job, sample: Sample, wall_s: float) -> None:
        """Move the bar, at most some ten times a second."""
        now_s = time.monotonic()
        if now_s - self._drawn_s < 0.1 and sample.updates < job.updates:
            return
        self._drawn_s = now_s
        rate = sum(sample.counters[FIRINGS]) / wall_s if wall_s else 0.0
        state = f"error {error_of(sample)} V²  {rate:,.0f} firings/s"
        done = min(sample.updates, job.updates)
        self._move(description="learning", total=job.updates, completed=done, state=state)

    def _move(self, **fields: Any) -> None:
        self._progress.start_task(self._task)
        self._progress.update(self._task, **fields)


class BoardBar(_Drawn):
    """A bar over so many boards, each a part of it."""

    def __init__(self, boards: int) -> None:
        super().__init__("flashing", boards, "{task.completed:.0f} of {task.total} boards")
        self._shares: dict[str, float] = {}
        self._lock = threading.Lock()

    def tell(self, board: str, share: float, doing: str) -> None:
        """One board is so far (0 .. 1), and does this; from any thread."""
        with self._lock:
            self._shares[board] = share
            state = f"{board}: {doing}"[:SHORT]
            self._progress.update(self._task, completed=sum(self._shares.values()), state=state)
