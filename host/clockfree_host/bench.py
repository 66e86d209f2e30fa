"""The bench a job runs on, simulated or real. The only module of the host that knows the simulation.

`Bench` is what every bench can do. Which bench is data: `sim`, `virtual`, or a bench file (TOML) of real boards.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from clockfree_sim.best import Best, best_errors
from clockfree_sim.calibration import calibrate
from clockfree_sim.files import replaced
from clockfree_sim.final import error_at
from clockfree_sim.job import (
    ClampSettings,
    Damage,
    EdgeSettings,
    Job,
    JobError,
    Lesson,
    Sample,
    check,
    edges_of,
    gate_c16,
)
from clockfree_sim.network import Network, NetworkError, load
from clockfree_sim.physics import PRESETS, Physics
from clockfree_sim.processes import cores
from clockfree_sim.processes import pool as processes

from clockfree_host.benchfile import BenchFile
from clockfree_host.errors import InputError
from clockfree_host.overrides import checked
from clockfree_host.tomlfile import read_toml

if TYPE_CHECKING:
    from clockfree_sim.independence import Verdict as Verdict
    from clockfree_sim.virtual import VirtualBoards

__all__ = [
    "PRESETS", "Bench", "BenchFile", "Best", "ClampSettings", "Damage", "EdgeSettings", "Job", "JobError",
    "Lesson", "Network", "NetworkError", "Physics", "Sample", "SimBench", "Teller", "best_errors",
    "calibrate", "check", "cores", "drops", "edges_of", "error_at", "free_outputs", "gate_c16", "load",
    "no_virtual_boards", "open_bench", "processes", "rates_hz", "read_bench", "recall", "replaced", "virtual_boards",
    "waits_us",
]  # fmt: skip


class Teller(Protocol):
    """Who is told how a bench gets ready and on."""

    def say(self, text: str) -> None:
        """A line of text."""

    def share(self, doing: str, done: float) -> None:
        """So much of what is done now is done, 0 .. 1."""


class Bench(Protocol):
    """A set of boards, real or simulated, that runs one job. `close` it, whatever happens."""

    def start(self, job: Job, teller: Teller) -> None:
        """Get ready for a job: nothing learns yet."""

    def about(self) -> dict[str, Any]:
        """What the log says of the bench, once it is ready; {} where its name says it all."""

    def files(self) -> dict[str, str]:
        """What else belongs into the record of a run: texts by the names of their files."""

    def run(self) -> Iterator[Sample]:
        """Learn; yields the state at the start, then about `job.samples` times on the way, and at the end."""

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


class SimBench:
    """The bench in this process, in virtual time: the boards' own edge code on simulated chips."""

    failures: list[str] = []  # noqa: RUF012 - nothing fails here

    def start(self, job: Job, teller: Teller | None = None) -> None:
        """Wire the simulated bench, and calibrate it if the job says so."""
        from clockfree_sim.world import World  # compiled code: slow to load, and only running needs it

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


def recall(job: Job, lesson: int, updates: float, taps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Node voltages of a run on the simulated bench, worked out again from its recorded taps and its physics.

    Of the free and of the clamped twin, (B, N) each, V, for each example of a lesson.
    """
    from clockfree_sim.world import World

    broken = tuple(replace(d, at_updates=0.0) for d in job.damage if d.kind == "cut" and d.at_updates <= updates)
    settled = replace(
        job,
        lessons=(replace(job.lessons[lesson], from_updates=0.0),),
        damage=broken,
        edge=replace(job.edge, calibrate=False),
        start_taps=taps,
        trace=False,
    )
    world = World(settled)
    next(world.run())
    return world.voltages()


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


def drops(job: Job, taps: np.ndarray, lesson: int, outputs_V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Free and clamped drops (B, E), V, that a faultless network has at these taps.

    The clamped twin is solved for what the clamp makes of `outputs_V` (B, O), the free outputs as they were measured;
    where that is nan, of those that the taps give.
    """
    network, nodes = job.network, len(job.network.nodes)
    ohm = job.physics.resistance(taps, steps=99 if job.edge.pot == "x9c" else 128)
    source_V, desired_V = job.lessons[lesson].source_V, job.lessons[lesson].desired_V

    def solved(held: tuple[int, ...], held_V: np.ndarray) -> np.ndarray:
        others = tuple(node for node in range(nodes) if node not in held)
        nodes_V = np.empty((len(held_V), nodes))
        nodes_V[:, held] = held_V
        if others:
            nodes_V[:, others] = free_outputs(network, ohm, held, others, held_V)
        return nodes_V

    free_V = solved(job.sources, source_V)
    taken_V = np.where(np.isnan(outputs_V), free_V[:, job.targets], outputs_V)
    held_V = np.hstack([source_V, taken_V + job.clamp.eta * (desired_V - taken_V)])
    clamped_V = solved((*job.sources, *job.targets), held_V)
    tail, head = network.ends.T
    return free_V[:, tail] - free_V[:, head], clamped_V[:, tail] - clamped_V[:, head]


def waits_us(job: Job, edge: int) -> tuple[int, int]:
    """Mean wait of an edge, and how late it may fire at most, us."""
    from clockfree_sim.rates import waits_us

    return waits_us(job, edge)


def rates_hz(job: Job) -> np.ndarray:
    """Mean firings per second of each edge, (E,)."""
    from clockfree_sim.rates import rates_hz

    return rates_hz(job)


def examine_firings(times_us: Sequence[np.ndarray]) -> "Verdict":
    """Whether edges fired independently, by their firing times modulo 2**30 us, each (n,), in order.

    As far as all of them were observed; an edge that never fired is left out. ValueError where that is too short.
    """
    from clockfree_sim.independence import examine, unwrapped

    times = [unwrapped(each) for each in times_us if len(each)]
    begin, end = (max(each[0] for each in times), min(each[-1] for each in times)) if times else (0, 0)
    return examine([each[(begin <= each) & (each <= end)] for each in times])


def open_bench(name: str, rule: str, anyway: bool = False) -> Bench:
    """The bench of this name: `sim`, `virtual`, or the path of a bench file.

    Parameters
    ----------
    name, rule : str
    anyway : bool
        Take boards with another version of the firmware.

    Raises
    ------
    InputError
        A bench file that cannot be read or is not one; a clocked rule on anything but the simulated bench.
    """
    if name == "sim":
        return SimBench()
    bench = None if name == "virtual" else read_bench(Path(name))
    if rule != "clockfree":
        raise InputError(
            f"{name}: --rule: expected clockfree on this bench, got {rule}, which is for the sim bench only"
        )
    from clockfree_host.boardbench import BoardBench
    from clockfree_host.virtualbench import VirtualBench

    return VirtualBench() if bench is None else BoardBench(bench, name, anyway)


def no_virtual_boards() -> str:
    """Why there can be no virtual boards on this machine; "" if there can."""
    from clockfree_sim.virtual import VirtualBoardsError
    from clockfree_sim.virtual.boards import check

    try:
        check()
    except VirtualBoardsError as error:
        return str(error)
    return ""


def virtual_boards(job: Job, configs: Mapping[str, Mapping[str, Any]], folder: Path) -> "VirtualBoards":
    """Virtual boards around the circuit of a job, blank; see there.

    Raises
    ------
    InputError
        There are none for this machine.
    """
    from clockfree_sim.virtual import VirtualBoards, VirtualBoardsError

    try:
        return VirtualBoards(job, configs, folder)
    except VirtualBoardsError as error:
        raise InputError(f"virtual: --bench: {error}; --bench sim does the job") from None


def read_bench(path: Path) -> BenchFile:
    """A bench file; InputError if it cannot be read or is not one."""
    return checked(BenchFile, read_toml(path), path)
