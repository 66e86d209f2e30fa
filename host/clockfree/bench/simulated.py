"""The simulated bench: in this process, in virtual time."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from clockfree.base.errors import InputError
from clockfree.bench.protocol import Observer
from clockfree_model.job import Job, Sample


class SimBench:
    """The bench in this process, in virtual time: the boards' own edge code on simulated chips."""

    failures: list[str] = []  # noqa: RUF012 - nothing fails here

    def start(self, job: Job, observer: Observer | None = None, saved: dict[str, Any] | None = None) -> None:
        """Wire the simulated bench, and calibrate it if the job says so.

        Raises
        ------
        InputError
            What was saved is of no world that this code makes of the job.
        """
        from clockfree_sim.world.world import World  # compiled code: slow to load, and only running needs it

        self._world = World(job)
        self._saved = saved
        self._stopped = False

    def about(self) -> dict[str, Any]:
        """Nothing: the job says it all."""
        return {}

    def files(self) -> dict[str, str]:
        """None."""
        return {}

    def keep(self, folder: Path) -> None:
        """Nobody else can look at it."""

    def run(self, pause: Callable[[], None] | None = None) -> Iterator[Sample]:
        """Learn in virtual time."""
        for sample in self._world.run(pause) if self._saved is None else self._go_on(self._saved, pause):
            yield sample
            if self._stopped:
                return

    def _go_on(self, saved: dict[str, Any], pause: Callable[[], None] | None) -> Iterator[Sample]:
        from clockfree_sim.world.snapshot import SnapshotError  # the same

        try:
            return self._world.run_from(saved, pause)
        except SnapshotError as error:
            raise InputError(f"checkpoint: {error}: by other code, or on another kind of machine") from None

    def saved(self) -> dict[str, Any]:
        """All that can change of the simulated bench."""
        return self._world.saved()

    def outputs(self, source_V: np.ndarray) -> np.ndarray | None:
        """Free outputs (B, O) for other examples (B, S), V: solved, not measured."""
        return self._world.plant.circuit.outputs(source_V)

    def stop(self) -> None:
        """End `run` after the sample it is at."""
        self._stopped = True

    def close(self) -> None:
        """Nothing to let go of."""
