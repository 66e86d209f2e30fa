"""The table of chips: what a potentiometer, a front end or a converter is, said once.

Schemas, limits, wiring, the configuration of boards, simulated chips, compiled tables and the reference page derive
from it. Drivers and simulated chips stand here by name, `module:Class`, so that neither has to be imported; a test
resolves every one.
"""

import math
from dataclasses import dataclass
from importlib import import_module
from typing import Any

MOST_A = 2.5e-3
"""Most that a terminal of a potentiometer may carry where its entry says nothing else, A [data sheets below]."""


@dataclass(frozen=True)
class Pin:
    """A line between a board and a chip.

    Attributes
    ----------
    name : str
        In bench files.
    role : {'select', 'output', 'input', 'pwm', 'adc'}
        What the board makes of it; see `clockfree_board.assembly`.
    gp : int
        GP number, where a bench file says nothing else.
    at : str
        Attribute of the simulated chip that is this pin; "" for a chip select, which the bus has.
    """

    name: str
    role: str
    gp: int
    at: str = ""


@dataclass(frozen=True)
class Part:
    """What every chip has.

    Attributes
    ----------
    driver : str
        `module:Class` of the firmware; it takes its bus (with an address on I2C) and its pins, in order.
    chip : str
        `module:Class` of the simulated chip.
    bus : {'spi', 'i2c', ''}
    spi_hz : int
        Clock on SPI that it can follow at any supply, with a margin for wires.
    pins : tuple of Pin
    address, addresses : int
        On I2C, where a bench file says nothing else; how many there are from it on.
    what : str
        In a line, with the data sheet.
    """

    driver: str
    chip: str
    what: str
    bus: str = ""
    spi_hz: int = 1_000_000
    pins: tuple[Pin, ...] = ()
    address: int = 0
    addresses: int = 1

    def spec(self, pins: dict[str, Any], address: int | None = None, **given: Any) -> dict[str, Any]:
        """What a board is told of it: the driver, its bus, its pins by their numbers in `pins`, what else it is given.

        See `clockfree_board.assembly.assemble`.
        """
        found: dict[str, Any] = {
            "driver": self.driver,
            "pins": [[pin.name, pin.role, pins[pin.name]] for pin in self.pins],
            "given": given,
        }
        if self.bus:
            found["bus"] = self.bus
        if self.bus == "i2c":
            found["address"] = self.address if address is None else address
        return found


@dataclass(frozen=True)
class Pot(Part):
    """A twin potentiometer: one wiper in each network.

    Attributes
    ----------
    steps : int
        Into how many R_AB is divided.
    highest : int
        Highest tap that its driver uses.
    top : int
        Highest position of a wiper.
    start_tap : int
        Where both wipers stand at power-on; of one that stores its own, where a new one is taken to stand.
    forgets : bool
        Power lost is a return to `start_tap`.
    reads_back : bool
        The chip tells its tap.
    in_step : bool
        Both wipers move within one transaction, so that they never part.
    skew_us : int
        How much later the second wiper moves, us.
    wiper_ohm : float
        Typical.
    least : float
        Share of R_AB at tap 0 of a track with equal relative steps, logarithmic; 0 is a linear one.
    most_A : float
        Most that a terminal may carry, A.
    """

    steps: int = 128
    highest: int = 127
    top: int = 128
    start_tap: int = 64
    forgets: bool = True
    reads_back: bool = False
    in_step: bool = False
    skew_us: int = 0
    wiper_ohm: float = 75.0
    least: float = 0.0
    most_A: float = MOST_A

    def track_ohm(self, tap: Any, spare_taps: int, rab_ohm: float) -> Any:
        """Resistance between terminal B and a tap (or an array of taps) of the track, ohm, without the wiper.

        (tap + spare_taps) R_AB / steps of a linear track; R_AB least^(1 - tap / steps) of a logarithmic one, which has
        a resistance at tap 0 by itself.
        """
        if self.least:
            return rab_ohm * self.least ** (1.0 - tap / self.steps)
        return (tap + spare_taps) * (rab_ohm / self.steps)

    def lowest_tap(self, supply_V: float, wiper_ohm: float, rab_ohm: float, most_A: float = math.inf) -> int:
        """Lowest tap at which the supply across one edge drives at most this current, A, through a terminal.

        Where the track has V_DD / I - R_W, R_W the smallest wiper resistance, I no more than the chip may carry.
        """
        track_ohm = supply_V / min(most_A, self.most_A) - wiper_ohm
        if not self.least:
            taps = track_ohm * self.steps / rab_ohm
        else:
            taps = self.steps * (1.0 - math.log(track_ohm / rab_ohm, self.least)) if track_ohm > 0 else 0.0
        return max(0, math.ceil(taps - 1e-9))  # what is whole but for rounding is whole


@dataclass(frozen=True)
class FrontEnd(Part):
    """What an edge sees of its drops, on its board and in the simulation.

    Attributes
    ----------
    measures : bool
        It measures drops, which can be summed and whose mismatch can be fitted; else it knows two bits.
    gates : bool
        It knows whether |q| is beyond a threshold.
    trims : int
        How many values its calibration finds.
    trimmed : bool
        It has a trim output.
    compiled : bool
        The kernel has it.
    converter : str
        The converter that it reads through, by its name in `CONVERTERS`; its pins are that one's.
    """

    measures: bool = False
    gates: bool = True
    trims: int = 0
    trimmed: bool = False
    compiled: bool = False
    converter: str = ""

    def spec(self, pins: dict[str, Any], address: int | None = None, **given: Any) -> dict[str, Any]:
        """As for every part, with the converter that it is on."""
        found = super().spec(pins, address, **given)
        if self.converter:
            found["on"] = CONVERTERS[self.converter].spec(pins, address)
        return found

    @property
    def every_pin(self) -> tuple[Pin, ...]:
        """Its own, and its converter's."""
        return self.pins + (CONVERTERS[self.converter].pins if self.converter else ())


@dataclass(frozen=True)
class Converter(Part):
    """An ADC, a DAC, or a mixer, around the network.

    Attributes
    ----------
    kind : {'adc', 'dac', 'mixer'}
    channels : int
    """

    kind: str = "adc"
    channels: int = 1

    def spec(self, pins: dict[str, Any], address: int | None = None, **given: Any) -> dict[str, Any]:
        """As for every part; an ADC's driver is given its channels."""
        return super().spec(pins, address, **({"channels": self.channels} if self.kind == "adc" else {}), **given)


_PULSES = (
    Pin("clk", "output", 10, "clk"),
    Pin("ud", "output", 11, "up_down"),
    Pin("pulse_cs", "select", 12, "cs"),
)
_CHIPS = "clockfree_sim.parts"

POTS = {
    "mcp42xx": Pot(
        driver="pots:Mcp42xx",
        chip=f"{_CHIPS}.potentiometers:Mcp4xxxChip",
        what="MCP4231, 7 bits, volatile, SPI [Microchip DS22060]",
        bus="spi",
        spi_hz=8_000_000,
        pins=(Pin("pot_cs", "select", 17),),
        reads_back=True,
        in_step=True,
    ),
    "mcp4251": Pot(
        driver="pots:Mcp42xx",
        chip=f"{_CHIPS}.potentiometers:Mcp4251Chip",
        what="MCP4251, 8 bits, volatile, SPI [Microchip DS22060]",
        bus="spi",
        spi_hz=8_000_000,
        pins=(Pin("pot_cs", "select", 17),),
        steps=256,
        highest=255,
        top=256,
        start_tap=128,
        reads_back=True,
        in_step=True,
    ),
    "mcp4661": Pot(
        driver="mcp46xx:Mcp46xx",
        chip=f"{_CHIPS}.mcp46xx:Mcp4661Chip",
        what="MCP4661, 8 bits, start stored, I2C [Microchip DS22107]",
        bus="i2c",
        address=0x28,
        addresses=8,
        steps=256,
        highest=255,
        top=256,
        start_tap=128,
        reads_back=True,
        in_step=True,
        skew_us=23,  # a byte and its acknowledge, 9 clocks at 400 kHz
    ),
    "ad5220": Pot(
        driver="pots:PulsePots",
        chip=f"{_CHIPS}.potentiometers:Ad5220PairChip",
        what="pair of AD5220, 128 positions, pulses [Analog Devices AD5220]",
        pins=_PULSES,
        top=127,
        wiper_ohm=40.0,
    ),
    "ad5222": Pot(
        driver="pots:Ad5222",
        chip=f"{_CHIPS}.potentiometers:Ad5222Chip",
        what="AD5222, 128 positions, pulses [Analog Devices AD5222]",
        pins=(*_PULSES, Pin("mode", "output", 13, "mode"), Pin("dacsel", "output", 9, "dacsel")),
        top=127,
        wiper_ohm=45.0,
    ),
    "x9c": Pot(
        driver="pots:PulsePots",
        chip=f"{_CHIPS}.potentiometers:X9c104PairChip",
        what="pair of X9C104, 100 taps, stored, pulses [Renesas X9C102/103/104/503]",
        pins=_PULSES,
        steps=99,
        highest=99,
        top=99,
        forgets=False,
        wiper_ohm=40.0,
    ),
    "x9c303": Pot(
        driver="pots:PulsePots",
        chip=f"{_CHIPS}.potentiometers:X9c104PairChip",
        what="pair of X9C303, 32 kohm, 100 taps 7% apart, stored, pulses, 1 mA [Renesas FN8223]",
        pins=_PULSES,
        steps=99,
        highest=99,
        top=99,
        forgets=False,
        in_step=True,  # one edge of INC moves both
        wiper_ohm=40.0,
        least=40.0 / 32e3,
        most_A=1e-3,
    ),
}
"""Twin potentiometers, by their names in task and bench files; the first is what an edge has unless it says another."""

CONVERTERS = {
    "mcp4728": Converter(
        driver="converters:Mcp4728",
        chip=f"{_CHIPS}.converters:Mcp4728Chip",
        what="four 12-bit outputs, I2C [Microchip DS22187]",
        bus="i2c",
        address=0x60,
        addresses=8,
        kind="dac",
        channels=4,
    ),
    "mcp4131": Converter(
        driver="converters:Mcp4131",
        chip=f"{_CHIPS}.potentiometers:Mcp4131Chip",
        what="potentiometer as a mixer, 7 bits, SPI [Microchip DS22060]",
        bus="spi",
        spi_hz=8_000_000,
        pins=(Pin("cs", "select", 20),),
        kind="mixer",
    ),
    "mcp3208": Converter(
        driver="converters:Mcp320x",
        chip=f"{_CHIPS}.converters:Mcp3208Chip",
        what="eight 12-bit inputs, SPI [Microchip DS21298]",
        bus="spi",
        pins=(Pin("cs", "select", 17),),
        channels=8,
    ),
    "mcp3204": Converter(
        driver="converters:Mcp320x",
        chip=f"{_CHIPS}.converters:Mcp3204Chip",
        what="four 12-bit inputs, SPI [Microchip DS21298]",
        bus="spi",
        pins=(Pin("adc_cs", "select", 20),),
        channels=4,
    ),
}
"""Converters, by their names in bench files; of each kind the first is what a supervisor has unless it says another."""


def converters_of(kind: str) -> dict[str, Converter]:
    """Those of a kind, by name."""
    return {name: part for name, part in CONVERTERS.items() if part.kind == kind}


(DAC, *_), (MIXER, *_), (ADC, *_) = (converters_of(kind) for kind in ("dac", "mixer", "adc"))
"""Names of the first ones."""

_COMPARATORS = (Pin("a", "input", 4), Pin("b", "input", 5))

FRONT_ENDS = {
    "comparator": FrontEnd(
        driver="sense:ComparatorPins",
        chip="clockfree_sim.plant.front_ends:Comparators",
        what="two comparators, A on the difference of the drops, B on their sum, or on the free one (edge.order)",
        pins=_COMPARATORS,
        gates=False,
        compiled=True,
    ),
    "trimmed": FrontEnd(
        driver="sense:TrimmedPins",
        chip="clockfree_sim.plant.front_ends:TrimmedComparators",
        what="the same, and a PWM that shifts the reference of A",
        pins=(*_COMPARATORS, Pin("trim", "pwm", 14)),
        trims=1,
        trimmed=True,
        compiled=True,
    ),
    "adc": FrontEnd(
        driver="sense:AdcDrops",
        chip="clockfree_sim.plant.front_ends:OnMcp3204",
        what="four node voltages on an MCP3204",
        measures=True,
        trims=4,
        compiled=True,
        converter="mcp3204",
    ),
    "pico_adc": FrontEnd(
        driver="sense:PicoAdcDrops",
        chip="clockfree_sim.plant.front_ends:OnPicoAdc",
        what="two difference amplifiers on the board's own ADC",
        pins=(Pin("free_adc", "adc", 26), Pin("clamped_adc", "adc", 27)),
        measures=True,
        trims=4,
        compiled=True,
    ),
    "mcp3304": FrontEnd(
        driver="sense:Mcp3304Drops",
        chip="clockfree_sim.plant.front_ends:OnMcp3304",
        what="two drops on the differential inputs of an MCP3304, SPI [Microchip DS21697]",
        bus="spi",
        pins=(Pin("adc_cs", "select", 20),),
        measures=True,
        trims=4,
    ),
}
"""Front ends, by their names in task and bench files; the first is what an edge has unless it says another."""


def resolve(name: str) -> Any:
    """What `module:Class` stands for."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
