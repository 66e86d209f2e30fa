"""The chips around one edge and around the supervisor, wired to the plant; their pins are free for a board.

Built here and nowhere else, for boards in virtual time (`wiring`) and for MicroPython in wall time (`virtual`).
"""

from collections.abc import Callable, Sequence

import numpy as np

from clockfree_model.parts import START_TAP
from clockfree_sim.parts.bus import I2cBus, Pin, SpiBus
from clockfree_sim.parts.comparators import ComparatorA, ComparatorB, MagnitudeA, TrimFilter, Volts
from clockfree_sim.parts.converters import (
    PERFECT,
    Code,
    Mcp3204Chip,
    Mcp3208Chip,
    Mcp4728Chip,
    code_transfer,
    pico_levels,
    pico_u16,
    smooth_levels,
)
from clockfree_sim.parts.potentiometers import Ad5220PairChip, Ad5222Chip, Mcp4xxxChip, Mcp4131Chip, X9c104PairChip
from clockfree_sim.plant import noise
from clockfree_sim.plant.plant import Plant

DUTY_PER_C16 = 8
"""Reach of the trim: half the PWM's range is supply / (2 * 8) = supply / 16."""

TRIM_SETTLE_US = 1000
"""Ten time constants of the trim's filter."""


class EdgeChips:
    """Potentiometer and front end of one edge, as its job has them.

    Parameters
    ----------
    plant : Plant
    index : int
    spi : SpiBus
        The board's bus, on which those chips are that have one.

    Attributes
    ----------
    pot : the potentiometer
    inputs : dict of str to Pin
        Lines into the chips, by the names a bench file has for them.
    outputs : dict of str to callable
        The comparators' outputs, ``a`` and ``b``.
    comparators : (A, B), or None
    trim : TrimFilter or None
        Behind the PWM output ``trim``.
    adc : Mcp3204Chip or None
    analog_u16 : tuple of callable
        On the board's own ADC: free and clamped drop, as ``machine.ADC.read_u16``.
    channels : Channels or None
        What these ADCs are like.
    """

    def __init__(self, plant: Plant, index: int, spi: SpiBus):
        self.inputs: dict[str, Pin] = {}
        self.outputs: dict[str, Callable[[], int]] = {}
        self.comparators: tuple[ComparatorA | MagnitudeA, ComparatorB] | None = None
        self.trim: TrimFilter | None = None
        self.adc: Mcp3204Chip | None = None
        self.analog_u16: tuple[Callable[[], int], ...] = ()
        self.channels: Channels | None = None
        self.pot = self._pot(plant, index, spi)
        front_end = plant.job.edge.front_end
        if front_end == "adc":
            self._on_adc(plant, index, spi)
        elif front_end == "pico_adc":
            self._on_pico_adc(plant, index)
        else:
            if front_end == "trimmed":
                time = plant.time
                self.trim = TrimFilter(lambda: time.now_us, plant.physics.supply_V / (2 * DUTY_PER_C16), tau_us=100.0)
            self.comparators = a, b = self._pair(plant, index, self.trim.volts if self.trim else None)
            self.outputs.update(a=a.pin, b=b.pin)

    def stick(self, kind: str) -> None:
        """A comparator's output is stuck from now on: 'stuck_a0', 'stuck_a1', 'stuck_b0' or 'stuck_b1'."""
        assert self.comparators is not None, "checked before the run"
        self.comparators["ab".index(kind[6])].stuck = int(kind[7])

    def power_cycle(self) -> None:
        """The supply went away and came back."""
        self.pot.power_cycle()

    def _pot(self, plant: Plant, index: int, spi: SpiBus) -> Mcp4xxxChip | Ad5220PairChip:
        pot, move = plant.job.edge.pot, plant.mover(index)
        if pot == "mcp42xx":
            chip = Mcp4xxxChip(move)
            self.inputs["pot_cs"] = spi.attach(chip)
            return chip
        pair: Ad5220PairChip
        if pot == "ad5222":
            pair = dual = Ad5222Chip(move)
            self.inputs.update(mode=dual.mode, dacsel=dual.dacsel)
        elif pot == "ad5220":
            pair = Ad5220PairChip(move)
        else:
            pair = X9c104PairChip(move, stored=(START_TAP, START_TAP))
        self.inputs.update(clk=pair.clk, ud=pair.up_down, pulse_cs=pair.cs)
        return pair

    def _pair(self, plant: Plant, index: int, trim_V: Volts | None):
        physics, seed = plant.physics, plant.job.seed
        drops, fixed = plant.drops(index), plant.fixed[index]
        gauss = _scaled(noise.stream(seed, index, noise.DECISION, normal=True), physics.noise_V)
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

    def _on_adc(self, plant: Plant, index: int, spi: SpiBus) -> None:
        physics = plant.physics
        tail, head = plant.job.network.ends[index].tolist()
        volts = [plant.node(node, twin) for twin in (0, 1) for node in (tail, head)]
        levels = smooth_levels(plant.fixed[index], physics.adc_inl_lsb) if physics.adc_inl_lsb else PERFECT
        self.channels = channels = Channels(plant, index, 4, levels, physics.noise_V / 2**0.5)
        self.adc = Mcp3204Chip(_read(volts), channels.codes)
        self.inputs["adc_cs"] = spi.attach(self.adc)

    def _on_pico_adc(self, plant: Plant, index: int) -> None:
        # Difference amplifiers bring -supply .. supply into the ADC's range, at half the size.
        drops, physics, supply_V = plant.drops(index), plant.physics, plant.physics.supply_V
        levels = pico_levels(plant.fixed[index], 8 * physics.adc_inl_lsb) if physics.adc_inl_lsb else PERFECT
        self.channels = Channels(plant, index, 2, levels, physics.noise_V / 2)
        free, clamped = self.channels.codes
        self.analog_u16 = (
            pico_u16(lambda: 0.5 * (supply_V + drops()[0]), free),
            pico_u16(lambda: 0.5 * (supply_V + drops()[1]), clamped),
        )


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
        gauss = _scaled(noise.stream(plant.job.seed, index, noise.DECISION, normal=True), noise_V)
        self.codes: list[Code] = [
            code_transfer(physics.supply_V, levels, offset_V, 1.0, gauss) for offset_V in self.offset_V
        ]


class SupervisorChips:
    """What drives the sources and the clamp, and reads the free outputs.

    The DACs' channels drive, in order, the sources and then the desired voltages of the targets; the ADCs' channels
    read the free outputs; each mixer sets eta at one target.

    Parameters
    ----------
    plant : Plant
    spi : SpiBus
        On it are the mixers and the ADCs.
    dacs : sequence of (I2cBus, int)
        Bus and address of each DAC.
    mixers : int
        How many there are.
    adcs : sequence of int
        Channels of each ADC: 4 or 8.

    Attributes
    ----------
    dacs : list of Mcp4728Chip
    mixers : list of Mcp4131Chip
    clamped : int
        1 while the clamp is connected.
    mixer_cs, adc_cs : list of Pin
    """

    def __init__(self, plant: Plant, spi: SpiBus, dacs: Sequence[tuple[I2cBus, int]], mixers: int, adcs: Sequence[int]):
        job, supply_V = plant.job, plant.physics.supply_V
        self._plant = plant
        self.clamped = 0
        self.dacs = [Mcp4728Chip(lambda volts: None, supply_V) for _ in dacs]
        for chip, (i2c, address) in zip(self.dacs, dacs, strict=True):
            i2c.attach(address, chip)
        self.mixers = [Mcp4131Chip(lambda wiper, tap: self._refresh()) for _ in range(mixers)]
        self.mixer_cs = [spi.attach(chip) for chip in self.mixers]
        code = code_transfer(supply_V)
        targets: list[Volts] = [plant.node(node, 0) for node in job.targets]
        targets += [_ground] * (sum(adcs) - len(targets))
        self.adc_cs = []
        for channels in adcs:
            kind = Mcp3208Chip if channels == Mcp3208Chip.channels else Mcp3204Chip
            self.adc_cs.append(spi.attach(kind(_read(targets[:channels]), [code] * channels)))
            targets = targets[channels:]

    @property
    def eta(self) -> float:
        """The nudge that the mixers make."""
        return self.mixers[0].eta

    def ldac(self, level: int) -> None:
        """LDAC of all DACs."""
        for chip in self.dacs:
            chip.ldac(level)
        if not level:
            self._refresh()

    def clamp(self, level: int) -> None:
        """The switch of the clamp: 1 connects it, 0 floats it."""
        self.clamped = level
        self._refresh()

    def power_cycle(self) -> None:
        """The supply went away and came back."""
        for dac in self.dacs:
            dac.power_cycle()
        for mixer in self.mixers:
            mixer.power_cycle()
        self._refresh()

    def _refresh(self) -> None:
        """Whatever the chips put out now goes to the circuit."""
        job = self._plant.job
        volts = np.concatenate([chip.outputs_V for chip in self.dacs])
        sources, targets = len(job.sources), len(job.targets)
        self._plant.drive(volts[:sources], volts[sources : sources + targets], self.eta, bool(self.clamped))


def _ground() -> float:
    """An input that nothing drives is tied to ground."""
    return 0.0


def _read(volts: Sequence[Volts]) -> Callable[[int], float]:
    """The inputs of an ADC: called with a channel, gives its voltage."""
    return lambda channel: volts[channel]()


def _scaled(draw: Volts, size_V: float) -> Volts | None:
    return (lambda: size_V * draw()) if size_V else None
