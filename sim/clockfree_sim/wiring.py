"""Simulated boards: the firmware's drivers and objects on the pins and buses of simulated chips."""

from collections.abc import Callable, Iterator

import numpy as np
from clockfree import clock
from clockfree.converters import Latch, Mcp320x, Mcp4131, Mcp4728
from clockfree.edge import Edge
from clockfree.pots import Ad5222, Mcp42xx, PulsePots, X9cPots
from clockfree.sense import AdcDrops, ComparatorPins, PicoAdcDrops, TrimmedPins
from clockfree.supervisor import FIXED as IN_ORDER
from clockfree.supervisor import MIXER_TOP, RANDOM, SHUFFLED, Supervisor

from clockfree_sim import noise
from clockfree_sim.job import Lesson
from clockfree_sim.parts.bus import I2cBus, SpiBus
from clockfree_sim.parts.comparators import ComparatorA, ComparatorB, MagnitudeA, TrimFilter, Volts
from clockfree_sim.parts.converters import (
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
from clockfree_sim.plant import START_TAP, Plant

DUTY_PER_C16 = 8
"""Reach of the trim: half the PWM's range is supply / (2 * 8) = supply / 16."""

CLOCKS = {"exponential": clock.EXPONENTIAL, "jittered": clock.JITTERED, "periodic": clock.PERIODIC}
ORDERS = {"fixed": IN_ORDER, "shuffled": SHUFFLED, "random": RANDOM}


def seeded(seed: int, index: int) -> list[int]:
    """State of the clock of board ``index``, from the run's seed (its low 60 bits)."""
    state = [0] * clock.SIZE
    clock.seed(state, seed & clock.MASK, (seed >> 30) & clock.MASK, index)
    return state


def _read(volts: list[Volts]) -> Callable[[int], float]:
    """The inputs of an ADC: called with a channel, gives its voltage."""
    return lambda channel: volts[channel]()


def _scaled(draw: Volts, size_V: float) -> Volts | None:
    return (lambda: size_V * draw()) if size_V else None


class EdgeBoard:
    """One edge: its potentiometers, its front end, its Edge.

    Attributes
    ----------
    edge : Edge
    pots, sense : the drivers
    chip : the potentiometer
    """

    def __init__(self, plant: Plant, index: int):
        settings, physics = plant.job.edge, plant.physics
        self.comparators: tuple[ComparatorA | MagnitudeA, ComparatorB] | None = None
        self.pots = self._pots(plant, index)
        self.sense = getattr(self, "_" + settings.front_end)(plant, index)
        state = seeded(plant.job.seed, index)
        mean_us = round(1e6 / settings.rate_hz)
        clock.configure(state, CLOCKS[settings.clock], mean_us)
        self.edge = Edge(
            state,
            self.sense,
            self.pots,
            mean_us // 10 if settings.late_us is None else settings.late_us,
            physics.c16(settings.f_V),
            physics.c16(settings.theta_V),
        )

    def stick(self, kind: str) -> None:
        """A comparator's output is stuck from now on: 'stuck_a0', 'stuck_a1', 'stuck_b0' or 'stuck_b1'."""
        assert self.comparators is not None, "checked before the run"
        self.comparators["ab".index(kind[6])].stuck = int(kind[7])

    def _pots(self, plant: Plant, index: int):
        lowest = plant.physics.lowest_tap()
        pot = plant.job.edge.pot
        move = plant.mover(index)
        self.chip: Mcp4xxxChip | Ad5220PairChip
        pots: Mcp42xx | PulsePots
        if pot == "mcp42xx":
            bus = SpiBus()
            self.chip = spi_chip = Mcp4xxxChip(move)
            pots = Mcp42xx(bus, bus.attach(spi_chip), lowest)
        elif pot == "ad5222":
            self.chip = dual = Ad5222Chip(move)
            pots = Ad5222(dual.clk, dual.up_down, dual.cs, dual.mode, dual.dacsel, lowest)
        elif pot == "ad5220":
            self.chip = pair = Ad5220PairChip(move)
            pots = PulsePots(pair.clk, pair.up_down, pair.cs, lowest)
        else:
            self.chip = pair = X9c104PairChip(move, stored=(START_TAP, START_TAP))
            pots = X9cPots(pair.clk, pair.up_down, pair.cs, lowest)
        pots.adopt()
        start = plant.job.start_taps
        tap = START_TAP if start is None else int(start[index])
        if tap != pots.tap:
            pots.set(tap)
        return pots

    def _comparators(self, plant: Plant, index: int, trim_V=None):
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

    def _comparator(self, plant: Plant, index: int):
        self.comparators = self._comparators(plant, index)
        return ComparatorPins(self.comparators[0].pin, self.comparators[1].pin)

    def _trimmed(self, plant: Plant, index: int):
        time = plant.time
        trim = TrimFilter(lambda: time.now_us, plant.physics.supply_V / (2 * DUTY_PER_C16), tau_us=100.0)
        self.comparators = self._comparators(plant, index, trim.volts)
        # ten time constants of the filter
        return TrimmedPins(self.comparators[0].pin, self.comparators[1].pin, trim.duty_u16, DUTY_PER_C16, 1000)

    def _adc(self, plant: Plant, index: int):
        physics = plant.physics
        tail, head = plant.job.network.ends[index].tolist()
        volts = [plant.node(node, twin) for twin in (0, 1) for node in (tail, head)]
        codes = self._transfers(plant, index, 4, physics.noise_V / 2**0.5, smooth_levels, physics.adc_inl_lsb)
        bus = SpiBus()
        return AdcDrops(Mcp320x(bus, bus.attach(Mcp3204Chip(_read(volts), codes)), channels=4))

    def _pico_adc(self, plant: Plant, index: int):
        # Difference amplifiers bring -supply .. supply into the ADC's range, at half the size.
        drops, supply_V = plant.drops(index), plant.physics.supply_V
        free, clamped = self._transfers(
            plant, index, 2, plant.physics.noise_V / 2, pico_levels, 8 * plant.physics.adc_inl_lsb
        )
        return PicoAdcDrops(
            pico_u16(lambda: 0.5 * (supply_V + drops()[0]), free),
            pico_u16(lambda: 0.5 * (supply_V + drops()[1]), clamped),
        )

    def _transfers(self, plant: Plant, index: int, channels: int, noise_V: float, levels, inl_lsb: float) -> list[Code]:
        physics, fixed = plant.physics, plant.fixed[index]
        gauss = _scaled(noise.stream(plant.job.seed, index, noise.DECISION, normal=True), noise_V)
        at = levels(fixed, inl_lsb) if inl_lsb else None
        return [code_transfer(physics.supply_V, at, physics.offset_V * fixed(), 1.0, gauss) for _ in range(channels)]


class SupervisorBoard:
    """The supervisor with as many DAC, mixer and ADC chips as the task needs."""

    def __init__(self, plant: Plant):
        job, supply_V = plant.job, plant.physics.supply_V
        self._plant = plant
        self._sources = len(job.sources)
        self._supply_V = supply_V
        self._clamped = 0
        outputs = len(job.targets)
        channels = self._sources + outputs
        self._dac_chips = [Mcp4728Chip(lambda volts: None, supply_V) for _ in range(-(-channels // 4))]
        dacs = []
        for i, chip in enumerate(self._dac_chips):
            if i % 8 == 0:  # eight addresses on a bus
                i2c = I2cBus()
            i2c.attach(0x60 + i % 8, chip)
            dacs.append(Mcp4728(i2c, 0x60 + i % 8))
        spi = SpiBus()
        self._mixer_chips = [Mcp4131Chip(lambda wiper, tap: self._refresh()) for _ in range(outputs)]
        mixers = [Mcp4131(spi, spi.attach(chip)) for chip in self._mixer_chips]
        targets = [plant.node(node, 0) for node in job.targets]
        code = code_transfer(supply_V)
        adcs = []
        for first in range(0, outputs, 8):
            adcs.append(Mcp320x(spi, spi.attach(Mcp3208Chip(_read(targets[first : first + 8]), [code] * 8))))
        state = seeded(job.seed, len(job.network.ends))
        self.supervisor = Supervisor(state, dacs, Latch(self._ldac), mixers, self._switch, adcs)
        self._order, self._dwell_us = ORDERS[job.clamp.order], round(job.clamp.dwell_s * 1e6)
        self.supervisor.nudge(round(plant.physics.mixer_eta(job.clamp.eta) * MIXER_TOP))
        self.supervisor.clamp(True)

    def teach(self, lesson: Lesson) -> None:
        """Take a lesson; it is shown from the next tick on."""
        codes = self._plant.physics.dac_codes(np.hstack([lesson.source_V, lesson.desired_V]))
        self.supervisor.load(codes.tolist(), lesson.desired_V.shape[1], self._order, self._dwell_us)

    def start(self, now_us: int) -> None:
        """Begin the schedule: the first tick is due now."""
        self.supervisor.start(now_us & clock.MASK)

    def tick(self, now_us: int) -> int:
        """The supervisor's event; returns when the next is due, absolute."""
        due_us = self.supervisor.tick(now_us & clock.MASK)
        return now_us + clock.ticks_diff(due_us, now_us & clock.MASK)

    def settings(self, lesson: Lesson) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
        """What the circuit is given at each example of a lesson: source_V, desired_V, eta, as the chips have them."""
        volts = self._plant.physics.dac_volts
        for source_V, desired_V in zip(lesson.source_V, lesson.desired_V, strict=True):
            yield volts(source_V), volts(desired_V), self._mixer_chips[0].eta

    def calm(self, source_V: np.ndarray) -> None:
        """Calibration: float the clamp and put these voltages on the sources."""
        self.supervisor.clamp(False)
        self.supervisor.show(self._plant.physics.dac_codes(source_V).tolist())

    def release(self) -> None:
        """Calibration is over: the clamp is connected again."""
        self.supervisor.clamp(True)

    def measured_error_V2(self, lesson: Lesson) -> float:
        """Mean squared error by the supervisor's own last readings, V^2; nan until every example was read."""
        codes = np.array(self.supervisor.readings)
        if (codes < 0).any():
            return float("nan")
        return float(np.mean((codes / 4096 * self._supply_V - lesson.desired_V) ** 2))

    def _ldac(self, level: int) -> None:
        for chip in self._dac_chips:
            chip.ldac(level)
        if not level:
            self._refresh()

    def _switch(self, level: int) -> None:
        self._clamped = level
        self._refresh()

    def _refresh(self) -> None:
        """Whatever the chips put out now goes to the circuit."""
        volts = np.concatenate([chip.outputs_V for chip in self._dac_chips])
        desired_V = volts[self._sources : self._sources + len(self._mixer_chips)]
        eta = self._mixer_chips[0].eta
        self._plant.drive(volts[: self._sources], desired_V, eta, bool(self._clamped))
