"""The bench a job runs on, simulated or real. The only module of the host that knows the simulation.

`Bench` is what every bench can do. Which bench is data: `sim`, `virtual`, or a bench file (TOML) of real boards,
whose schema `BenchFile` has its one owner here: whatever writes a bench file writes it through this model.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, Protocol

import numpy as np
from clockfree_sim.job import ClampSettings, Damage, EdgeSettings, Job, Lesson, Sample
from clockfree_sim.network import Network, NetworkError, load
from clockfree_sim.physics import PRESETS, Physics
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from clockfree_host.errors import InputError
from clockfree_host.overrides import one_line
from clockfree_host.tomlfile import read_toml

__all__ = [
    "PRESETS", "Bench", "BenchFile", "ClampSettings", "Damage", "EdgeSettings", "Job", "Lesson", "Network",
    "NetworkError", "Physics", "Reading", "Sample", "SimBench", "best_errors", "free_outputs", "load", "open_bench",
    "read_bench", "recall",
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
        return Reading(free_V, clamped_V, "simulated")

    def stop(self) -> None:
        """End `run` after the sample it is at."""
        self._stopped = True


def recall(job: Job, lesson: int, updates: float, taps: np.ndarray) -> Reading:
    """Node voltages that a run on the simulated bench had at these taps: worked out again from its physics."""
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
    return replace(bench.read(), source="simulated, from the recorded taps")


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


def best_errors(job: Job) -> list[float]:
    """Best achievable error of each lesson on the job's network, V^2."""
    from clockfree_sim.best import best_error

    return [
        best_error(job.network, job.sources, job.targets, lesson.source_V, lesson.desired_V, job.physics)
        for lesson in job.lessons
    ]


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


Pin = Annotated[int, Field(ge=0, le=47, strict=True)]
UniqueId = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{16}$")]
Port = Annotated[str, StringConstraints(pattern=r"^(/\S+|COM\d+|(rfc2217|socket)://\S+)$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SpiPins(_Part):
    """SPI bus 0 of a board."""

    miso: Pin = 16
    sck: Pin = 18
    mosi: Pin = 19


class EdgePins(_Part):
    """Pins of one edge; the defaults are HARDWARE's pin map of a board with a single edge."""

    a: Pin = 4
    b: Pin = 5
    pot_cs: Pin = 17
    adc_cs: Pin = 20
    trim: Pin = 14
    clk: Pin = 10
    ud: Pin = 11
    pulse_cs: Pin = 12
    mode: Pin = 13

    def used(self, front_end: str, pot: str) -> list[int]:
        """The pins that these chips need, without those of the shared SPI."""
        senses = {
            "comparator": [self.a, self.b],
            "trimmed": [self.a, self.b, self.trim],
            "adc": [self.adc_cs],
            "pico_adc": [26, 27],
        }
        steps = {
            "mcp42xx": [self.pot_cs],
            "ad5220": [self.clk, self.ud, self.pulse_cs],
            "ad5222": [self.clk, self.ud, self.pulse_cs, self.mode],
            "x9c": [self.clk, self.ud, self.pulse_cs],
        }
        return senses[front_end] + steps[pot]


class EdgeWiring(_Part):
    """One edge of the network on a board: its name (`A-B`), chips and pins.

    ``reverse`` is A-W wiring, on which an increment lowers R.
    """

    edge: str
    front_end: Literal["comparator", "trimmed", "adc", "pico_adc"] = "comparator"
    pot: Literal["mcp42xx", "ad5220", "ad5222", "x9c"] = "mcp42xx"
    rab_ohm: float = Field(default=100e3, gt=0)
    reverse: bool = False
    pins: EdgePins = EdgePins()


class _Board(_Part):
    id: UniqueId | None = None
    port: Port | None = None
    spi: SpiPins = SpiPins()

    @model_validator(mode="after")
    def _found(self) -> "_Board":
        if (self.id is None) == (self.port is None):
            raise ValueError(
                "expected either id (16 hex digits) or port, got " + ("neither" if self.id is None else "both")
            )
        return self

    def _own(self, *pins: int) -> None:
        """Refuse a pin that is used twice."""
        count = Counter([*pins, self.spi.miso, self.spi.sck, self.spi.mosi])
        twice = sorted(pin for pin, times in count.items() if times > 1)
        if twice:
            raise ValueError(f"expected each pin for one purpose, got GP{twice[0]} twice")


class EdgeBoard(_Board):
    """A board that serves one or several edges, each with its own clock."""

    edges: list[EdgeWiring] = Field(min_length=1)

    @model_validator(mode="after")
    def _pins(self) -> "EdgeBoard":
        self._own(*(pin for edge in self.edges for pin in edge.pins.used(edge.front_end, edge.pot)))
        return self


class Dac(_Part):
    """A DAC of four channels on I2C."""

    chip: Literal["mcp4728"] = "mcp4728"
    address: int = Field(default=0x60, ge=0x60, le=0x67)


class Mixer(_Part):
    """A potentiometer that sets eta at one target."""

    chip: Literal["mcp4131"] = "mcp4131"
    cs: Pin


class Adc(_Part):
    """An ADC that reads free outputs, on SPI."""

    chip: Literal["mcp3208", "mcp3204"] = "mcp3208"
    cs: Pin = 17


class SupervisorBoard(_Board):
    """The board that shows examples and sets the clamp, with its chips."""

    dacs: list[Dac] = Field(default=[Dac()], min_length=1)
    mixers: list[Mixer] = Field(default=[Mixer(cs=20), Mixer(cs=22)], min_length=1)
    adcs: list[Adc] = Field(default=[Adc()], min_length=1)
    sda: Pin = 4
    scl: Pin = 5
    ldac: Pin = 6
    clamp: Pin = 21

    @model_validator(mode="after")
    def _pins(self) -> "SupervisorBoard":
        self._own(self.sda, self.scl, self.ldac, self.clamp, *(m.cs for m in self.mixers), *(a.cs for a in self.adcs))
        addresses = [dac.address for dac in self.dacs]
        if len(set(addresses)) < len(addresses):
            raise ValueError("dacs: expected each I2C address once")
        return self


class BenchFile(_Part):
    """Real boards: which board serves which edges, and where it is found."""

    supply_V: float = Field(default=3.3, gt=0, le=5.5)
    supervisor: SupervisorBoard
    boards: list[EdgeBoard] = Field(min_length=1)

    @model_validator(mode="after")
    def _once(self) -> "BenchFile":
        places = [board.id or board.port for board in (self.supervisor, *self.boards)]
        served = [edge.edge for board in self.boards for edge in board.edges]
        for what, names in (("board", places), ("edge", served)):
            name, times = Counter(names).most_common(1)[0]
            if times > 1:
                raise ValueError(f"expected each {what} once, got {name} {times} times")
        return self


def read_bench(path: Path) -> BenchFile:
    """A bench file; InputError if it cannot be read or is not one."""
    try:
        return BenchFile.model_validate(read_toml(path))
    except ValidationError as error:
        raise InputError(f"{path}: {one_line(BenchFile, error, {})}") from None
