"""The bench a job runs on, simulated or real. The only module of the host that knows the simulation.

`Bench` is what every bench can do. Which bench is data: `sim`, `virtual`, or a bench file (TOML) of real boards.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from clockfree_sim.job import EDGES, ClampSettings, Damage, EdgeSettings, Job, JobError, Lesson, Sample, check
from clockfree_sim.network import Network, NetworkError, load
from clockfree_sim.physics import PRESETS, Physics
from pydantic import ValidationError

from clockfree_host.benchfile import BenchFile
from clockfree_host.errors import InputError
from clockfree_host.overrides import one_line
from clockfree_host.tomlfile import read_toml

__all__ = [
    "EDGES", "PRESETS", "Bench", "BenchFile", "Best", "ClampSettings", "Damage", "EdgeSettings", "Job", "JobError",
    "Lesson", "Network", "NetworkError", "Physics", "Reading", "Sample", "SimBench", "best_errors", "check",
    "free_outputs", "load", "open_bench", "read_bench", "recall",
]  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """Voltages of every node, V, for each example of a lesson: `free_V` and `clamped_V` are (B, N).

    `source` says where they come from.
    """

    free_V: np.ndarray
    clamped_V: np.ndarray
    source: str


class Bench(Protocol):
    """A set of boards, real or simulated, that runs one job."""

    def start(self, job: Job) -> None:
        """Get ready for a job: nothing learns yet."""

    def run(self) -> Iterator[Sample]:
        """Learn; yields the state at the start, then `job.samples` times on the way."""

    def outputs(self, source_V: np.ndarray) -> np.ndarray:
        """Free outputs (B, O) for other examples (B, S) than those taught, V; between two samples of `run`."""

    def read(self) -> Reading:
        """Voltages of every node now, for each example of the present lesson."""

    def stop(self) -> None:
        """Stop learning: `run` yields no further sample."""


class SimBench:
    """The bench in this process, in virtual time: the boards' own edge code on simulated chips."""

    def start(self, job: Job) -> None:
        """Wire the simulated bench, and calibrate it if the job says so."""
        from clockfree_sim.world import World  # compiled code: slow to load, and only running needs it

        self._world = World(job)
        self._stopped = False

    def run(self) -> Iterator[Sample]:
        """Learn in virtual time."""
        for sample in self._world.run():
            yield sample
            if self._stopped:
                return

    def outputs(self, source_V: np.ndarray) -> np.ndarray:
        """Free outputs (B, O) for other examples (B, S), V: solved, not measured."""
        return self._world.plant.circuit.outputs(source_V)

    def read(self) -> Reading:
        """True node voltages, which only a simulation knows."""
        free_V, clamped_V = self._world.voltages()
        return Reading(free_V, clamped_V, "sim")

    def stop(self) -> None:
        """End `run` after the sample it is at."""
        self._stopped = True


def recall(job: Job, lesson: int, updates: float, taps: np.ndarray) -> Reading:
    """Node voltages of a run on the simulated bench, worked out again from its recorded taps and its physics."""
    broken = tuple(replace(d, at_updates=0.0) for d in job.damage if d.kind == "cut" and d.at_updates <= updates)
    settled = replace(
        job,
        lessons=(replace(job.lessons[lesson], from_updates=0.0),),
        damage=broken,
        edge=replace(job.edge, calibrate=False),
        start_taps=taps,
        trace=False,
    )
    bench = SimBench()
    bench.start(settled)
    next(bench.run())
    return bench.read()


def free_outputs(
    network: Network,
    resistance_ohm: np.ndarray,
    sources: tuple[int, ...],
    targets: tuple[int, ...],
    source_V: np.ndarray,
) -> np.ndarray:
    """Free outputs (B, O) of a network with these resistances (E,) for examples (B, S), V."""
    from clockfree_sim.circuit import Circuit

    circuit = Circuit(len(network.nodes), network.ends, sources, targets)
    circuit.load(1.0 / resistance_ohm, None)
    return circuit.outputs(source_V)


@dataclass(frozen=True)
class Best:
    """The best achievable error, V^2, from `from_updates` updates per edge on, while `lesson` is taught."""

    lesson: int
    from_updates: float
    error_V2: float


def best_errors(job: Job) -> list[Best]:
    """Best achievable error at each moment of a run: anew for every lesson, and whenever edges are cut.

    Every edge that is not cut counts as free to take any tap, a dead one too: nobody knows where it will be left.
    """
    from clockfree_sim.best import best_error

    cuts = [damage for damage in job.damage if damage.kind == "cut"]
    begins = {lesson.from_updates for lesson in job.lessons} | {cut.at_updates for cut in cuts}
    found = []
    for begin in sorted(begins):
        index = sum(lesson.from_updates <= begin for lesson in job.lessons) - 1
        gone = [cut.edge for cut in cuts if cut.at_updates <= begin]
        network = replace(job.network, ends=np.delete(job.network.ends, gone, axis=0))
        error_V2 = best_error(
            network,
            job.sources,
            job.targets,
            job.lessons[index].source_V,
            job.lessons[index].desired_V,
            job.physics,
            highest_tap=99 if job.edge.pot == "x9c" else 127,
        )
        found.append(Best(index, begin, error_V2))
    return found


def open_bench(name: str, rule: str) -> Bench:
    """The bench of this name: `sim`, `virtual`, or the path of a bench file.

    Raises
    ------
    InputError
        A bench file that cannot be read or is not one; a clocked rule on anything but the simulated bench; and, in
        this version, every bench but the simulated one.
    """
    if name == "sim":
        return SimBench()
    if name != "virtual":
        read_bench(Path(name))
    if rule != "clockfree":
        raise InputError(
            f"{name}: --rule: expected clockfree on this bench, got {rule}, which is for the sim bench only"
        )
    raise InputError(f"{name}: --bench: expected sim, got a bench of boards: this version does not drive boards yet")


def read_bench(path: Path) -> BenchFile:
    """A bench file; InputError if it cannot be read or is not one."""
    try:
        return BenchFile.model_validate(read_toml(path))
    except ValidationError as error:
        raise InputError(f"{path}: {one_line(BenchFile, error, {})}") from None
