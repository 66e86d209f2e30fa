"""Simulated front ends of an edge on the plant: comparators, with and without a trim, and ADCs.

Each takes the plant, the edge's index and the buses of its board. `lines` are its pins by the names that the table of
parts has for them. What its parts are like is said by `constants`, for objects and for compiled code.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from clockfree_model.physics import Physics
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

TRIM_TAU_US = 100.0
"""Time constant of the trim's filter."""
TRIM_SETTLE_US = 1000
"""Ten of them."""


class Constants(NamedTuple):
    """What one edge's front end is like, part to part.

    `offset_V` are those of comparators A and B, or of an ADC's channels, V; `noise_V` the rms noise of one decision or
    conversion, V; `levels` as `code_transfer` takes them, None where nothing is converted.
    """

    offset_V: Sequence[float]
    noise_V: float
    levels: "array[float] | None"


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
    """

    def __init__(self) -> None:
        self.lines: dict[str, Callable[..., Any]] = {}
        self.given: dict[str, Any] = {}
        self.comparators: tuple[ComparatorA | MagnitudeA, ComparatorB] | None = None
        self.trim: TrimFilter | None = None

    @classmethod
    def constants(cls, physics: Physics, seed: int, index: int, fixed: Volts) -> Constants:
        """Draw what an edge's parts are like; ``fixed`` is its stream of part-to-part constants."""
        raise NotImplementedError


class Comparators(SimulatedFrontEnd):
    """Two comparators on the drops."""

    def __init__(self, plant: Plant, index: int, spi: SpiBus, i2c: I2cBus):
        super().__init__()
        self._compare(plant, index, None)

    @classmethod
    def constants(cls, physics: Physics, seed: int, index: int, fixed: Volts) -> Constants:
        """Offsets of A and B; of the paper's comparison of magnitudes sigma, at A, where it is the edge's own."""
        offset_a, offset_b = physics.offset_V * fixed(), physics.offset_V * fixed()
        if physics.sigma_V and physics.sigma_kind != "redrawn":
            bias = noise.stream(seed, index, noise.BIAS, normal=False)
            offset_a += physics.sigma_V * bias()
            if physics.sigma_kind == "signed":
                offset_b += physics.sigma_V * bias()
        return Constants((offset_a, offset_b), physics.noise_V, None)

    def _compare(self, plant: Plant, index: int, trim_V: Volts | None) -> None:
        self.comparators = a, b = self._pair(plant, index, trim_V)
        self.lines.update(a=a.pin, b=b.pin)

    def _pair(self, plant: Plant, index: int, trim_V: Volts | None):
        physics, seed, drops = plant.physics, plant.job.seed, plant.drops(index)
        (offset_a, offset_b), noise_V, _ = self.constants(physics, seed, index, plant.fixed[index])
        if physics.sigma_V and physics.sigma_kind == "redrawn":
            bias = noise.stream(seed, index, noise.BIAS, normal=False)
            return MagnitudeA(drops, lambda: physics.sigma_V * bias()), ComparatorB(drops)
        if physics.sigma_V and physics.sigma_kind == "fixed":
            return MagnitudeA(drops, lambda: offset_a), ComparatorB(drops)
        gauss = scaled(noise.stream(seed, index, noise.DECISION, normal=True), noise_V)
        b = ComparatorB(drops, offset_b, gauss, plant.job.edge.order)
        return ComparatorA(drops, offset_a, gauss, trim_V), b


class TrimmedComparators(Comparators):
    """The same, with a trim of A's reference."""

    def __init__(self, plant: Plant, index: int, spi: SpiBus, i2c: I2cBus):
        SimulatedFrontEnd.__init__(self)
        time = plant.time
        self.trim = trim = TrimFilter(lambda: time.now_us, trim_span_V(plant.physics), TRIM_TAU_US)
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
        tail, head = plant.job.network.ends[index].tolist()
        volts = [plant.node(node, twin) for twin in (0, 1) for node in (tail, head)]
        self.adc = Mcp3204Chip(lambda channel: volts[channel](), _codes(self, plant, index))
        self.lines["adc_cs"] = spi.attach(self.adc)

    @classmethod
    def constants(cls, physics: Physics, seed: int, index: int, fixed: Volts) -> Constants:
        """A drop is that of two channels, which have the noise of one between them."""
        levels = smooth_levels(fixed, physics.adc_inl_lsb) if physics.adc_inl_lsb else PERFECT
        return Constants([physics.offset_V * fixed() for _ in range(4)], physics.noise_V / 2**0.5, levels)


class OnPicoAdc(SimulatedFrontEnd):
    """Both drops on the board's own ADC: difference amplifiers bring -supply .. supply into its range, at half size."""

    def __init__(self, plant: Plant, index: int, spi: SpiBus, i2c: I2cBus):
        super().__init__()
        drops, supply_V = plant.drops(index), plant.physics.supply_V
        free, clamped = _codes(self, plant, index)
        self.lines["free_adc"] = pico_u16(lambda: 0.5 * (supply_V + drops()[0]), free)
        self.lines["clamped_adc"] = pico_u16(lambda: 0.5 * (supply_V + drops()[1]), clamped)

    @classmethod
    def constants(cls, physics: Physics, seed: int, index: int, fixed: Volts) -> Constants:
        """A drop comes at half its size."""
        levels = pico_levels(fixed, 8 * physics.adc_inl_lsb) if physics.adc_inl_lsb else PERFECT
        return Constants([physics.offset_V * fixed() for _ in range(2)], physics.noise_V / 2, levels)


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
        tail, head = plant.job.network.ends[index].tolist()
        volts = [plant.node(node, twin) for twin in (0, 1) for node in (tail, head)]
        self.adc = Mcp3304Chip(lambda channel: volts[channel](), _codes(self, plant, index))
        self.lines["adc_cs"] = spi.attach(self.adc)

    @classmethod
    def constants(cls, physics: Physics, seed: int, index: int, fixed: Volts) -> Constants:
        """A drop is one conversion."""
        levels = signed_levels(fixed, physics.adc_inl_lsb) if physics.adc_inl_lsb else SIGNED_PERFECT
        return Constants([physics.offset_V * fixed() for _ in range(Mcp3304Chip.pairs)], physics.noise_V, levels)


def trim_span_V(physics: Physics) -> float:
    """Shift of A's reference at full duty, V."""
    return physics.supply_V / (2 * DUTY_PER_C16)


def _codes(front_end: SimulatedFrontEnd, plant: Plant, index: int) -> list[Code]:
    """Transfers of the channels of an edge's ADC."""
    physics, seed = plant.physics, plant.job.seed
    offsets_V, noise_V, levels = front_end.constants(physics, seed, index, plant.fixed[index])
    assert levels is not None
    gauss = scaled(noise.stream(seed, index, noise.DECISION, normal=True), noise_V)
    return [code_transfer(physics.supply_V, levels, offset_V, 1.0, gauss) for offset_V in offsets_V]


def scaled(draw: Volts, size_V: float) -> Volts | None:
    """A draw of this size; None where it is 0."""
    return (lambda: size_V * draw()) if size_V else None
