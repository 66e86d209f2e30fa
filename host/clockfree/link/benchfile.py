"""The schema of bench files: which board serves which edges, where it is found, its chips and pins.

One model for all: bench files are read through it, and whatever writes one writes it through it. Defaults are
those of the table of parts. `board_config` is what each board is told of it, as its `/clockfree.json`.
"""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model, model_validator

from clockfree.base.names import AdcName, DacName, FrontEndName, MixerName, PotName
from clockfree.base.overrides import checked
from clockfree.base.toml import dumps, read_toml
from clockfree.link.identity import DIGITS
from clockfree_model.parts import ADC, CONVERTERS, DAC, FRONT_ENDS, MIXER, MOST_A, POTS, FrontEnd, Part, Pot

Pin = Annotated[int, Field(ge=0, le=47)]
Address = Annotated[int, Field(ge=0x08, le=0x77)]
UniqueId = Annotated[str, StringConstraints(to_lower=True, pattern=rf"(?i)^{DIGITS}$")]
Port = Annotated[str, StringConstraints(pattern=r"^(/\S+|COM\d+|(rfc2217|socket)://[^/:\s]+:\d+\S*)$")]
EdgeName = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,40}$")]  # what the link can carry
NodeName = Annotated[str, StringConstraints(min_length=1, max_length=40)]

SKIP_PIN = 3
"""Held low at reset it skips the program, so it serves nothing else."""
FIRE_PIN = 15
CONFIG_FORMAT = 2


class _Part(BaseModel):
    """No key it does not know, no number written as a string, no nan."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class SpiPins(_Part):
    """SPI bus 0 of a board. Its ``baud`` is what the slowest chip on it can, unless it is given."""

    miso: Pin = 16
    sck: Pin = 18
    mosi: Pin = 19
    baud: int | None = Field(default=None, ge=100_000, le=10_000_000)


class I2cPins(_Part):
    """I2C bus of an edge's board; which one, the pins say."""

    sda: Pin = 6
    scl: Pin = 7
    baud: int = Field(default=400_000, ge=10_000, le=1_000_000)


if TYPE_CHECKING:

    class EdgePins(_Part):
        """Pins of one edge, by their names in the table of parts."""

else:
    EdgePins = create_model(
        "EdgePins",
        __base__=_Part,
        __doc__="Pins of one edge, by their names in the table of parts; the defaults suit a board with one edge.",
        **{pin.name: (Pin, pin.gp) for part in FRONT_ENDS.values() for pin in part.every_pin},
        **{pin.name: (Pin, pin.gp) for part in POTS.values() for pin in part.pins},
    )


class EdgeWiring(_Part):
    """One edge of the network on a board: its name (`A-B`), chips and pins.

    ``reverse`` is A-W wiring, on which an increment lowers R. ``wiper_ohm`` is typical of the chip unless it is given,
    an ``address`` on I2C that of the chip. The trim PWM of a comparator takes ``duty_per_c16`` of 65536 to move the
    reference by 1/16 ADC code, and ``settle_us`` until it is there.
    """

    edge: EdgeName
    front_end: FrontEndName = next(iter(FRONT_ENDS))
    pot: PotName = next(iter(POTS))
    rab_ohm: float = Field(default=100e3, gt=0)
    wiper_ohm: float | None = Field(default=None, ge=0)
    reverse: bool = False
    duty_per_c16: int = Field(default=8, ge=1, le=32768)
    settle_us: int = Field(default=1000, ge=1, le=500_000)
    pot_address: Address | None = None
    front_end_address: Address | None = None
    pins: EdgePins = EdgePins()

    @property
    def parts(self) -> tuple[FrontEnd, Pot]:
        """Its front end and its potentiometer."""
        return FRONT_ENDS[self.front_end], POTS[self.pot]

    @property
    def chips(self) -> list[Part]:
        """Its potentiometer, and the chip that its front end looks through."""
        front_end, pot = self.parts
        return [pot, CONVERTERS[front_end.converter] if front_end.converter else front_end]

    @property
    def gpios(self) -> list[int]:
        """Every pin of the board that this edge needs for itself."""
        front_end, pot = self.parts
        return [getattr(self.pins, pin.name) for pin in (*front_end.every_pin, *pot.pins)]

    @property
    def buses(self) -> set[str]:
        """The buses of the board that it needs."""
        front_end, pot = self.parts
        on = CONVERTERS[front_end.converter].bus if front_end.converter else front_end.bus
        return {on, pot.bus} - {""}

    def addresses(self) -> list[int]:
        """Addresses that its chips have on I2C."""
        given = (self.front_end_address, self.pot_address)
        return [part.address if at is None else at for part, at in zip(self.parts, given) if part.bus == "i2c"]

    def config(self, supply_V: float, most_A: float) -> dict[str, Any]:
        """What the board is told of this edge: its parts, and the lowest tap that the supply allows."""
        front_end, pot = self.parts
        wiper_ohm = pot.wiper_ohm if self.wiper_ohm is None else self.wiper_ohm
        lowest = pot.lowest_tap(supply_V, wiper_ohm, self.rab_ohm, most_A)
        if lowest > pot.highest:
            text = (
                f"expected a lowest tap of at most {pot.highest}, got {lowest} by supply_V, max_mA, rab_ohm, wiper_ohm"
            )
            raise ValueError(f"{self.edge}: {text}")
        trim = {"duty_per_c16": self.duty_per_c16, "settle_us": self.settle_us} if front_end.trimmed else {}
        pins = self.pins.model_dump()
        given = {"lowest": lowest, "highest": pot.highest, "steps": pot.steps, "reverse": self.reverse}
        return {
            "edge": self.edge,
            "front_end": self.front_end,
            "pot": self.pot,
            "sense": front_end.spec(pins, self.front_end_address, **trim),
            "pots": pot.spec(pins, self.pot_address, **given),
        }


class Board(_Part):
    """What every board has: where it is found, an LED that shows its state, an SPI bus.

    An ``id`` is looked for at the ports of this machine; beside a ``port`` over a network it is what has to be there.
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
        if self.id is None and self.port is None:
            raise ValueError("expected either id (12, 16 or 24 hex digits) or port, got neither")
        if self.id is not None and self.port is not None and "://" not in self.port:
            text = (
                "a port of this machine is found by the id; one over a network (rfc2217://, socket://) goes beside it"
            )
            raise ValueError(f"expected either id or port, got both: {text}")
        return self

    @property
    def spi_pins(self) -> dict[str, Any]:
        """The SPI bus as the board is told of it."""
        slowest = min([part.spi_hz for part in self._chips() if part.bus == "spi"], default=Part.spi_hz)
        return {**self.spi.model_dump(), "baud": self.spi.baud or slowest}

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

    def _chips(self) -> list[Part]:
        """Its chips in the table of parts."""
        raise NotImplementedError

    def config(self, supply_V: float, most_A: float) -> dict[str, Any]:
        """What a board of this role is told, beside what all boards are."""
        raise NotImplementedError


class EdgeBoard(Board):
    """A board that serves one or several edges, each with its own clock."""

    edges: list[EdgeWiring] = Field(min_length=1)
    i2c: I2cPins = I2cPins()

    @property
    def _on_i2c(self) -> bool:
        return any("i2c" in edge.buses for edge in self.edges)

    def _gpios(self) -> list[int]:
        bus = [self.i2c.sda, self.i2c.scl] if self._on_i2c else []
        return [*bus, *(pin for edge in self.edges for pin in edge.gpios)]

    def _chips(self) -> list[Part]:
        return [chip for edge in self.edges for chip in edge.chips]

    @model_validator(mode="after")
    def _addresses(self) -> "EdgeBoard":
        address, times = Counter([at for edge in self.edges for at in edge.addresses()] or [0]).most_common(1)[0]
        if times > 1:
            raise ValueError(f"expected each I2C address once on a board, got 0x{address:02x} {times} times")
        return self

    def config(self, supply_V: float, most_A: float) -> dict[str, Any]:
        """The edges it serves."""
        bus = {"i2c": self.i2c.model_dump()} if self._on_i2c else {}
        return {"role": "edge", **bus, "edges": [edge.config(supply_V, most_A) for edge in self.edges]}


_DAC = CONVERTERS[DAC]


class Dac(_Part):
    """A DAC of four channels on I2C."""

    chip: DacName = DAC
    address: int = Field(default=_DAC.address, ge=_DAC.address, le=_DAC.address + _DAC.addresses - 1)


class Mixer(_Part):
    """A potentiometer that sets eta at one target."""

    chip: MixerName = MIXER
    cs: Pin


class Adc(_Part):
    """An ADC that reads free outputs, on SPI."""

    chip: AdcName = ADC
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

    def _chips(self) -> list[Part]:
        return [CONVERTERS[name] for name in (*(m.chip for m in self.mixers), *(a.chip for a in self.adcs))]

    def config(self, supply_V: float, most_A: float) -> dict[str, Any]:
        """Its chips."""

        def on_spi(chip: Mixer | Adc) -> dict[str, Any]:
            part = CONVERTERS[chip.chip]
            return {"chip": chip.chip, **part.spec({pin.name: chip.cs for pin in part.pins})}

        return {
            "role": "supervisor",
            "i2c": I2cPins(sda=self.sda, scl=self.scl).model_dump(),
            "ldac": self.ldac,
            "clamp": self.clamp,
            "dacs": [{"chip": dac.chip, **CONVERTERS[dac.chip].spec({}, dac.address)} for dac in self.dacs],
            "mixers": [on_spi(mixer) for mixer in self.mixers],
            "adcs": [on_spi(adc) for adc in self.adcs],
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
    max_mA: float = Field(default=1000 * MOST_A, gt=0, le=5)
    on_loss: Literal["learn", "hold"] = "learn"
    loss_s: float = Field(default=15.0, ge=1, le=500)
    by_id: Annotated[str, StringConstraints(pattern=r"^/.")] | None = None
    supervisor: SupervisorBoard
    boards: list[EdgeBoard] = Field(min_length=1)

    @model_validator(mode="after")
    def _lowest_taps(self) -> "BenchFile":
        for board in self.boards:
            board.config(self.supply_V, self.max_mA / 1000)
        return self

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
        "spi": board.spi_pins,
    }
    if board.fire_pin is not None:
        common["fire"] = board.fire_pin
    return {**common, **board.config(bench.supply_V, bench.max_mA / 1000)}


def config_text(config: dict[str, Any]) -> str:
    """The one text of a configuration: equal configurations have equal hashes."""
    return json.dumps(config, sort_keys=True, separators=(",", ":")) + "\n"


def config_hash(config: dict[str, Any]) -> str:
    """The hash by which a board tells its configuration in HELLO: 16 hex digits."""
    return hashlib.sha256(config_text(config).encode()).hexdigest()[:16]
