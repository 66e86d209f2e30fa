"""The schema of bench files: which board serves which edges, where it is found, its chips and pins.

One model for all: bench files are read through it, and whatever writes one writes it through it. Defaults are
HARDWARE's pin map and chips. `board_config` is what each board is told of it, as its `/clockfree.json`.
"""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from clockfree.base.overrides import checked
from clockfree.base.toml import dumps, read_toml

Pin = Annotated[int, Field(ge=0, le=47)]
UniqueId = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{16}$")]
Port = Annotated[str, StringConstraints(pattern=r"^(/\S+|COM\d+|(rfc2217|socket)://[^/:\s]+:\d+\S*)$")]
EdgeName = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,40}$")]  # what the link can carry
NodeName = Annotated[str, StringConstraints(min_length=1, max_length=40)]

SKIP_PIN = 3
"""Held low at reset it skips the program, so it serves nothing else."""
FIRE_PIN = 15
WIPER_OHM = {"mcp42xx": 75, "ad5220": 40, "ad5222": 45, "x9c": 40}
CHANNELS = {"mcp4728": 4, "mcp3208": 8, "mcp3204": 4}
CONFIG_FORMAT = 1


class _Part(BaseModel):
    """No key it does not know, no number written as a string, no nan."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class SpiPins(_Part):
    """SPI bus 0 of a board."""

    miso: Pin = 16
    sck: Pin = 18
    mosi: Pin = 19
    baud: int = Field(default=1_000_000, ge=100_000, le=10_000_000)


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
    dacsel: Pin = 9

    def used(self, front_end: str, pot: str) -> dict[str, int]:
        """The pins that these chips need, by name, without those of the shared SPI and of the Pico's own ADC."""
        senses = {"comparator": ("a", "b"), "trimmed": ("a", "b", "trim"), "adc": ("adc_cs",), "pico_adc": ()}
        pulses = ("clk", "ud", "pulse_cs")
        steps = {"mcp42xx": ("pot_cs",), "ad5220": pulses, "ad5222": (*pulses, "mode", "dacsel"), "x9c": pulses}
        return {name: getattr(self, name) for name in (*senses[front_end], *steps[pot])}


class EdgeWiring(_Part):
    """One edge of the network on a board: its name (`A-B`), chips and pins.

    ``reverse`` is A-W wiring, on which an increment lowers R. ``wiper_ohm`` is typical of the chip unless it is given.
    The trim PWM of a comparator takes ``duty_per_c16`` of 65536 to move the reference by 1/16 ADC code, and
    ``settle_us`` until it is there.
    """

    edge: EdgeName
    front_end: Literal["comparator", "trimmed", "adc", "pico_adc"] = "comparator"
    pot: Literal["mcp42xx", "ad5220", "ad5222", "x9c"] = "mcp42xx"
    rab_ohm: float = Field(default=100e3, gt=0)
    wiper_ohm: float | None = Field(default=None, ge=0)
    reverse: bool = False
    duty_per_c16: int = Field(default=8, ge=1, le=32768)
    settle_us: int = Field(default=1000, ge=1, le=500_000)
    pins: EdgePins = EdgePins()

    @property
    def gpios(self) -> list[int]:
        """Every pin of the board that this edge needs for itself."""
        adc_inputs = [26, 27] if self.front_end == "pico_adc" else []
        return [*self.pins.used(self.front_end, self.pot).values(), *adc_inputs]

    def config(self) -> dict[str, Any]:
        """What the board is told of this edge."""
        trim = {"duty_per_c16": self.duty_per_c16, "settle_us": self.settle_us} if self.front_end == "trimmed" else {}
        return {
            "edge": self.edge,
            "front_end": self.front_end,
            "pot": self.pot,
            "rab_ohm": round(self.rab_ohm),
            "wiper_ohm": round(WIPER_OHM[self.pot] if self.wiper_ohm is None else self.wiper_ohm),
            "reverse": self.reverse,
            "pins": self.pins.used(self.front_end, self.pot),
            **trim,
        }


class Board(_Part):
    """What every board has: where it is found, an LED that shows its state, an SPI bus.

    ``fire`` is a pin that pulses at every firing, or example, for a capture instrument: GP15 where nothing else needs
    it, unless it is given. ``led`` of a Pico W is "LED".
    """

    id: UniqueId | None = None
    port: Port | None = None
    led: Pin | Literal["LED"] = 25
    fire: Pin | None = None
    spi: SpiPins = SpiPins()

    @property
    def name(self) -> str:
        """What the bench file calls it: its unique id, or its port."""
        return self.id or self.port or ""

    @model_validator(mode="after")
    def _found(self) -> "Board":
        if (self.id is None) == (self.port is None):
            raise ValueError(
                "expected either id (16 hex digits) or port, got " + ("neither" if self.id is None else "both")
            )
        return self

    @property
    def fire_pin(self) -> int | None:
        """The FIRE pin, if it has one."""
        return FIRE_PIN if self.fire is None and FIRE_PIN not in self._taken() else self.fire

    @model_validator(mode="after")
    def _own_pins(self) -> "Board":
        count = Counter(self._taken() if self.fire is None else [*self._taken(), self.fire])
        if SKIP_PIN in count:
            raise ValueError(f"expected GP{SKIP_PIN} unused (held low at reset it skips the program), got it used")
        twice = sorted(pin for pin, times in count.items() if times > 1)
        if twice:
            raise ValueError(f"expected each pin for one purpose, got GP{twice[0]} twice")
        return self

    def _taken(self) -> list[int]:
        lit = [] if self.led == "LED" else [self.led]
        return [*self._gpios(), self.spi.miso, self.spi.sck, self.spi.mosi, *lit]

    def _gpios(self) -> list[int]:
        """Pins of its chips, without those of the SPI bus."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """What a board of this role is told, beside what all boards are."""
        raise NotImplementedError


class EdgeBoard(Board):
    """A board that serves one or several edges, each with its own clock."""

    edges: list[EdgeWiring] = Field(min_length=1)

    def _gpios(self) -> list[int]:
        return [pin for edge in self.edges for pin in edge.gpios]

    def config(self) -> dict[str, Any]:
        """The edges it serves."""
        return {"role": "edge", "edges": [edge.config() for edge in self.edges]}


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


class SupervisorBoard(Board):
    """The board that shows examples and sets the clamp, with its chips.

    ``sources`` and ``targets`` are the nodes that its DAC channels, its mixers and its ADC channels are wired to, in
    order of the channels. Left out, they are taken to be wired as the task says.
    """

    dacs: list[Dac] = Field(default=[Dac()], min_length=1)
    mixers: list[Mixer] = Field(default=[Mixer(cs=20), Mixer(cs=22)], min_length=1)
    adcs: list[Adc] = Field(default=[Adc()], min_length=1)
    sda: Pin = 4
    scl: Pin = 5
    ldac: Pin = 6
    clamp: Pin = 21
    sources: list[NodeName] = []
    targets: list[NodeName] = []

    def _gpios(self) -> list[int]:
        return [self.sda, self.scl, self.ldac, self.clamp, *(m.cs for m in self.mixers), *(a.cs for a in self.adcs)]

    def config(self) -> dict[str, Any]:
        """Its chips."""
        return {
            "role": "supervisor",
            "i2c": {"sda": self.sda, "scl": self.scl},
            "ldac": self.ldac,
            "clamp": self.clamp,
            "dacs": [dac.address for dac in self.dacs],
            "mixers": [mixer.cs for mixer in self.mixers],
            "adcs": [[adc.cs, CHANNELS[adc.chip]] for adc in self.adcs],
        }

    @model_validator(mode="after")
    def _addresses(self) -> "SupervisorBoard":
        addresses = [dac.address for dac in self.dacs]
        if len(set(addresses)) < len(addresses):
            raise ValueError("dacs: expected each I2C address once")
        return self


class BenchFile(_Part):
    """Real boards: which board serves which edges, and where it is found.

    ``by_id`` is a folder of links to ports, named by the boards' unique ids, in place of what the system knows.
    ``max_mA`` is the most that an edge may carry: it sets the lowest tap. Without a word from the host for ``loss_s``
    an edge goes on learning, or holds, as ``on_loss`` says.
    """

    supply_V: float = Field(default=3.3, gt=0, le=5.5)
    max_mA: float = Field(default=2.5, gt=0, le=5)
    on_loss: Literal["learn", "hold"] = "learn"
    loss_s: float = Field(default=15.0, ge=1, le=500)
    by_id: Annotated[str, StringConstraints(pattern=r"^/.")] | None = None
    supervisor: SupervisorBoard
    boards: list[EdgeBoard] = Field(min_length=1)

    @property
    def every_board(self) -> list[Board]:
        """The supervisor's board, then those of the edges."""
        return [self.supervisor, *self.boards]

    @property
    def links(self) -> Path | None:
        """The folder of links, if the bench has its own."""
        return None if self.by_id is None else Path(self.by_id)

    @model_validator(mode="after")
    def _once(self) -> "BenchFile":
        served = [edge.edge for board in self.boards for edge in board.edges]
        for what, names in (("board", [board.name for board in self.every_board]), ("edge", served)):
            name, times = Counter(names).most_common(1)[0]
            if times > 1:
                raise ValueError(f"expected each {what} once, got {name} {times} times")
        return self


def read_bench(path: Path) -> BenchFile:
    """A bench file; InputError if it cannot be read or is not one."""
    return checked(BenchFile, read_toml(path), path)


def bench_text(bench: BenchFile) -> str:
    """A bench as the TOML of its file; what is as by default is left out."""
    return dumps(bench.model_dump(mode="json", exclude_defaults=True)).lstrip()


def board_config(bench: BenchFile, board: Board) -> dict[str, Any]:
    """The configuration of one board of a bench: what its `/clockfree.json` says."""
    common: dict[str, Any] = {
        "format": CONFIG_FORMAT,
        "led": board.led,
        "on_loss": bench.on_loss,
        "loss_ms": round(1000 * bench.loss_s),
        "supply_mv": round(1000 * bench.supply_V),
        "most_ua": round(1000 * bench.max_mA),
        "spi": board.spi.model_dump(),
    }
    if board.fire_pin is not None:
        common["fire"] = board.fire_pin
    return {**common, **board.config()}


def config_text(config: dict[str, Any]) -> str:
    """The one text of a configuration: equal configurations have equal hashes."""
    return json.dumps(config, sort_keys=True, separators=(",", ":")) + "\n"


def config_hash(config: dict[str, Any]) -> str:
    """The hash by which a board tells its configuration in HELLO: 16 hex digits."""
    return hashlib.sha256(config_text(config).encode()).hexdigest()[:16]
