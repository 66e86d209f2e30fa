"""The simulated bench: in this process, in virtual time."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from clockfree.bench.protocol import Observer
from clockfree_model.job import Job, Sample


class SimBench:
    """The bench in this process, in virtual time: the boards' own edge code on simulated chips."""

    failures: list[str] = []  # noqa: RUF012 - nothing fails here

    def start(self, job: Job, observer: Observer | None = None) -> None:
        """Wire the simulated bench, and calibrate it if the job says so."""
        from clockfree_sim.world.world import World  # compiled code: slow to load, and only running needs it

        self._world = World(job)
        self._stopped = False

    def about(self) -> dict[str, Any]:
        """Nothing: the job says it all."""
        return {}

    def files(self) -> dict[str, str]:
        """None."""
        return {}

    def run(self) -> Iterator[Sample]:
        """Learn in virtual time."""
        for sample in self._world.run():
            yield sample
            if self._stopped:
                return

    def outputs(self, source_V: np.ndarray) -> np.ndarray | None:
        """Free outputs (B, O) for other examples (B, S), V: solved, not measured."""
        return self._world.plant.circuit.outputs(source_V)

    def stop(self) -> None:
        """End `run` after the sample it is at."""
        self._stopped = True

    def close(self) -> None:
        """Nothing to let go of."""
