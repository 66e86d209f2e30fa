"""The schema of bench files: which board serves which edges, where it is found, its chips and pins.

One model for all: `bench.py` reads bench files through it, and whatever writes one writes it through it.
Defaults are HARDWARE's pin map and chips.
"""

from collections import Counter
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

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
