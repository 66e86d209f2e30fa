"""Simulated front ends of an edge on the plant: comparators, with and without a trim, and ADCs.

Each takes the plant, the edge's index and the buses of its board. `lines` are its pins by the names that the table of
parts has for them. What compiled code takes over stands in `comparators`, `trim` and `channels`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from clockfree_sim.parts.bus import I2cBus, SpiBus
from clockfree_sim.parts.comparators import ComparatorA, ComparatorB, MagnitudeA, TrimFilter, Volts
from clockfree_sim.parts.converters import (
    PERFECT,
    SIGNED_PERFECT,
    Code,
    Mcp3204Chip,
    Mcp3304Chip,
    code_transfer,
    pico_levels,
    pico_u16,
    signed_levels,
    smooth_levels,
)
from clockfree_sim.plant import noise
from clockfree_sim.plant.plant import Plant

DUTY_PER_C16 = 8
"""Reach of the trim: half the PWM's range is supply / (2 * 8) = supply / 16."""

TRIM_SETTLE_US = 1000
"""Ten time constants of the trim's filter."""


class SimulatedFrontEnd:
    """What every front end has.

    Attributes
    ----------
    lines : dict of str to callable
        Its pins: inputs of the board, chip selects, a PWM's duty, inputs of the board's own ADC.
    given : dict
        What its driver takes by name.
    comparators : (A, B), or None
    trim : TrimFilter or None
    channels : Channels or None
        What its ADC is like.
    """

    def __init__(self) -> None:
        self.lines: dict[str, Callable[..., Any]] = {}
        self.given: dict[str, Any] = {}
        self.comparators: tuple[ComparatorA | MagnitudeA, ComparatorB] | None = None
        self.trim: TrimFilter | None = None
        self.channels: Channels | None = None


class Comparators(SimulatedFrontEnd):
    """Two comparators on the drops."""

    def __init__(self, plant: Plant, index: int, spi: SpiBus, i2c: I2cBus):
        super().__init__()
        self._compare(plant, index, None)

    def _compare(self, plant: Plant, index: int, trim_V: Volts | None) -> None:
        self.comparators = a, b = self._pair(plant, index, trim_V)
        self.lines.update(a=a.pin, b=b.pin)

    def _pair(self, plant: Plant, index: int, trim_V: Volts | None):
        physics, seed = plant.physics, plant.job.seed
        drops, fixed = plant.drops(index), plant.fixed[index]
        gauss = scaled(noise.stream(seed, index, noise.DECISION, normal=True), physics.noise_V)
        offset_a, offset_b = physics.offset_V * fixed(), physics.offset_V * fixed()
        bias = noise.stream(seed, index, noise.BIAS, normal=False)
        if physics.sigma_V and physics.sigma_kind == "signed":
            offset_a += physics.sigma_V * bias()
            offset_b += physics.sigma_V * bias()
        elif physics.sigma_V:
            if physics.sigma_kind == "redrawn":
                return MagnitudeA(drops, lambda: physics.sigma_V * bias()), ComparatorB(drops)
            once = physics.sigma_V * bias()
            return MagnitudeA(drops, lambda: once), ComparatorB(drops)
        return ComparatorA(drops, offset_a, gauss, trim_V), ComparatorB(drops, offset_b, gauss)


class TrimmedComparators(Comparators):
    """The same, with a trim of A's reference."""

    def __init__(self, plant: Plant, index: int, spi: SpiBus, i2c: I2cBus):
        SimulatedFrontEnd.__init__(self)
        time = plant.time
        self.trim = trim = TrimFilter(lambda: time.now_us, plant.physics.supply_V / (2 * DUTY_PER_C16), tau_us=100.0)
        self._compare(plant, index, trim.volts)
        self.lines["trim"] = trim.duty_u16
        self.given = {"duty_per_c16": DUTY_PER_C16, "settle_us": TRIM_SETTLE_US}


class OnMcp3204(SimulatedFrontEnd):
    """The four node voltages on an MCP3204.

    Attributes
    ----------
    adc : Mcp3204Chip
    """

    def __init__(self, plant: Plant, index: int, spi: SpiBus, i2c: I2cBus):
        super().__init__()
        physics = plant.physics
        tail, head = plant.job.network.ends[index].tolist()
        volts = [plant.node(node, twin) for twin in (0, 1) for node in (tail, head)]
        levels = smooth_levels(plant.fixed[index], physics.adc_inl_lsb) if physics.adc_inl_lsb else PERFECT
        self.channels = channels = Channels(plant, index, 4, levels, physics.noise_V / 2**0.5)
        self.adc = Mcp3204Chip(lambda channel: volts[channel](), channels.codes)
        self.lines["adc_cs"] = spi.attach(self.adc)


class OnPicoAdc(SimulatedFrontEnd):
    """Both drops on the board's own ADC: difference amplifiers bring -supply .. supply into its range, at half size."""

    def __init__(self, plant: Plant, index: int, spi: SpiBus, i2c: I2cBus):
        super().__init__()
        drops, physics, supply_V = plant.drops(index), plant.physics, plant.physics.supply_V
        levels = pico_levels(plant.fixed[index], 8 * physics.adc_inl_lsb) if physics.adc_inl_lsb else PERFECT
        self.channels = Channels(plant, index, 2, levels, physics.noise_V / 2)
        free, clamped = self.channels.codes
        self.lines["free_adc"] = pico_u16(lambda: 0.5 * (supply_V + drops()[0]), free)
        self.lines["clamped_adc"] = pico_u16(lambda: 0.5 * (supply_V + drops()[1]), clamped)


class OnMcp3304(SimulatedFrontEnd):
    """The two drops on differential pairs of an MCP3304.

    A drop is one conversion: its offset and its noise come once, where a drop on two channels has them twice. All
    pairs have the levels of the one converter, and nothing is at those beyond the second.

    Attributes
    ----------
    adc : Mcp3304Chip
    """

    def __init__(self, plant: Plant, index: int, spi: SpiBus, i2c: I2cBus):
        super().__init__()
        physics = plant.physics
        tail, head = plant.job.network.ends[index].tolist()
        volts = [plant.node(node, twin) for twin in (0, 1) for node in (tail, head)]
        levels = signed_levels(plant.fixed[index], physics.adc_inl_lsb) if physics.adc_inl_lsb else SIGNED_PERFECT
        self.channels = channels = Channels(plant, index, Mcp3304Chip.pairs, levels, physics.noise_V)
        self.adc = Mcp3304Chip(lambda channel: volts[channel](), channels.codes)
        self.lines["adc_cs"] = spi.attach(self.adc)


class Channels:
    """Channels of the ADC of one edge: each has an offset, all have the same levels.

    Parameters
    ----------
    plant : Plant
    index : int
    count : int
    levels : see `code_transfer`
    noise_V : float
        rms noise of one conversion, V.

    Attributes
    ----------
    offset_V : list of float
    levels, noise_V : as given
    codes : list of callable
        Their transfers.
    """

    def __init__(self, plant: Plant, index: int, count: int, levels: Sequence[float], noise_V: float):
        physics, fixed = plant.physics, plant.fixed[index]
        self.levels, self.noise_V = levels, noise_V
        self.offset_V = [physics.offset_V * fixed() for _ in range(count)]
        gauss = scaled(noise.stream(plant.job.seed, index, noise.DECISION, normal=True), noise_V)
        self.codes: list[Code] = [
            code_transfer(physics.supply_V, levels, offset_V, 1.0, gauss) for offset_V in self.offset_V
        ]


def scaled(draw: Volts, size_V: float) -> Volts | None:
    """A draw of this size; None where it is 0."""
    return (lambda: size_V * draw()) if size_V else None
