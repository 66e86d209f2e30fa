"""Protocol of a bench: what each can do. Which one is data: `sim`, `virtual`, or a bench file (TOML) of real boards."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from clockfree_model.job import Job, Sample


class Observer(Protocol):
    """Who is told how a bench gets ready and on."""

    def say(self, text: str) -> None:
        """A line of text."""

    def share(self, doing: str, done: float) -> None:
        """So much of what is done now is done, 0 .. 1."""


class Bench(Protocol):
    """A set of boards, real or simulated, that runs one job. `close` it, whatever happens."""

    def start(self, job: Job, observer: Observer, saved: dict[str, Any] | None = None) -> None:
        """Get ready for a job, or to go on with one from where another bench `saved` it: nothing learns yet."""

    def about(self) -> dict[str, Any]:
        """What the log says of the bench, once it is ready; {} where its name says it all."""

    def files(self) -> dict[str, str]:
        """What else belongs into the record of a run: texts by the names of their files."""

    def keep(self, folder: Path) -> None:
        """The record of what is run will be in this folder."""

    def run(self, pause: Callable[[], None] | None = None) -> Iterator[Sample]:
        """Learn; yields the state at the start, then about `job.samples` times on the way, and at the end.

        Where the job goes on, the samples that were not taken yet. `pause` is called between two samples that may be
        far apart: then, and at a sample, the bench can be `saved`.
        """

    def saved(self) -> dict[str, Any]:
        """All that a bench needs to go on from here, as data that JSON takes."""

    def outputs(self, source_V: np.ndarray) -> np.ndarray | None:
        """Free outputs (B, O) for other examples (B, S) than those taught, V; None while they cannot be measured.

        Between two samples of `run`.
        """

    def stop(self) -> None:
        """Stop learning: `run` yields at most one further sample."""

    def close(self) -> None:
        """Let go of everything."""

    @property
    def failures(self) -> list[str]:
        """What makes a run that came to its end a failed one."""
