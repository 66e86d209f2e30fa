"""Simulated boards: the firmware's drivers and objects on the pins and buses of simulated chips."""

from collections.abc import Callable, Iterator

import numpy as np

from clockfree_board import clock
from clockfree_board.assembly import assemble
from clockfree_board.converters import Latch
from clockfree_board.edge import Edge
from clockfree_board.supervisor import FIXED as IN_ORDER
from clockfree_board.supervisor import RANDOM, SHUFFLED, Supervisor
from clockfree_model.job import Lesson, gate_c16
from clockfree_model.overclamp import NULLED, asked_of, held_V
from clockfree_model.parts import ADC, CONVERTERS, DAC, FRONT_ENDS, MIXER, POTS
from clockfree_model.rates import waits_us
from clockfree_model.settings import OVERCLAMP
from clockfree_sim.parts.bus import I2cBus, SpiBus
from clockfree_sim.plant.chips import EdgeChips, SupervisorChips
from clockfree_sim.plant.plant import Plant

CLOCKS = {"exponential": clock.EXPONENTIAL, "jittered": clock.JITTERED, "periodic": clock.PERIODIC}
ORDERS = {"fixed": IN_ORDER, "shuffled": SHUFFLED, "random": RANDOM}


def seeded(seed: int, index: int) -> list[int]:
    """State of the clock of board ``index``, from the run's seed (its low 60 bits)."""
    state = [0] * clock.SIZE
    clock.seed(state, seed & clock.MASK, (seed >> 30) & clock.MASK, index)
    return state


class SimulatedEdge:
    """One edge: its chips, the drivers on them, its Edge.

    Attributes
    ----------
    edge : Edge
    pots, sense : the drivers
    chips : EdgeChips
    """

    def __init__(self, plant: Plant, index: int):
        settings, physics = plant.job.edge, plant.physics
        front_end, pot = FRONT_ENDS[settings.front_end], POTS[settings.pot]
        lines = _Lines()
        self.chips = chips = EdgeChips(plant, index, lines.spi, lines.i2c)
        lowest = physics.lowest_tap(pot)
        given = {"lowest": lowest, "highest": pot.highest, "steps": pot.steps}
        self.pots = assemble(pot.spec(chips.lines, **given), lines)
        self.pots.adopt()
        taps = plant.job.start_taps
        tap = pot.start_tap if taps is None else int(taps[index])
        if tap != self.pots.tap:
            self.pots.set(tap)
        self.sense = assemble(front_end.spec(chips.lines, **chips.front_end.given), lines)
        floor_c16, dither_c16, bar_c16 = gate_c16(settings, physics)
        if front_end.measures:
            self.sense.order = settings.order
            self.sense.keep_total(bar_c16)
        state = seeded(plant.job.seed, index)
        mean_us, late_us = waits_us(plant.job, index)
        clock.configure(state, CLOCKS[settings.clock], mean_us)
        self.edge = Edge(
            state,
            self.sense,
            self.pots,
            late_us,
            floor_c16,
            dither_c16,
        )


class _Lines:
    """Buses of a simulated board; whatever its role, a pin is called as `machine`'s would be."""

    def __init__(self) -> None:
        self.spi, self.i2c = SpiBus(), I2cBus()
        self.select = self.output = self.input = self.pwm = self.adc = lambda line: line


class SimulatedSupervisor:
    """The supervisor with as many DAC, mixer and ADC chips as the task needs."""

    def __init__(self, plant: Plant):
        job = plant.job
        self._plant = plant
        self._supply_V, self._ground = plant.physics.supply_V, job.ground
        outputs = len(job.targets)
        channels = len(job.sources) + outputs
        dac, mixer, adc = CONVERTERS[DAC], CONVERTERS[MIXER], CONVERTERS[ADC]
        count, on_bus = -(-channels // dac.channels), dac.addresses
        buses = [_Lines() for _ in range(-(-count // on_bus))]
        places = [(buses[i // on_bus], dac.address + i % on_bus) for i in range(count)]
        lines = _Lines()
        at = [(DAC, bus.i2c, address) for bus, address in places]
        self.chips = chips = SupervisorChips(
            plant, lines.spi, at, [MIXER] * outputs, [ADC] * -(-outputs // adc.channels)
        )
        dacs = [assemble(dac.spec({}, address), bus) for bus, address in places]
        mixers = [assemble(mixer.spec({"cs": cs}), lines) for cs in chips.mixer_cs]
        adcs = [assemble(adc.spec({"cs": cs}), lines) for cs in chips.adc_cs]
        state = seeded(job.seed, len(job.network.ends))
        self.supervisor = Supervisor(state, dacs, Latch(chips.ldac), mixers, chips.clamp, adcs)
        self._order, self._dwell_us = ORDERS[job.clamp.order], round(job.clamp.dwell_s * 1e6)
        if job.clamp.kind == OVERCLAMP:
            self.supervisor.overclamp(asked_of(job.clamp, plant.physics), round(job.clamp.refresh_s * 1e6))
            self.supervisor.delay_us = plant.physics.clamp_delay_us
        else:
            self.supervisor.nudge(plant.physics.mixer_tap(job.clamp.eta))
        self.supervisor.clamp(True)

    def null(self, settle: Callable[[], None]) -> None:
        """HOLD: the readings of an overclamp are nulled against the DAC that it holds with."""
        self.supervisor.clamp(False)
        for number, code in enumerate(NULLED):
            self.supervisor.show([code] * len(self._plant.job.sources))
            settle()
            self.supervisor.null(number)

    def teach(self, lesson: Lesson) -> None:
        """Take a lesson; it is shown from the next tick on."""
        codes = self._ground.codes(np.hstack([lesson.source_V, lesson.desired_V]), self._plant.physics)
        self.supervisor.load(codes.tolist(), lesson.desired_V.shape[1], self._order, self._dwell_us)

    def start(self, now_us: int) -> None:
        """Begin the schedule: the first tick is due now."""
        self.supervisor.start(now_us & clock.MASK)

    def tick(self, now_us: int) -> int:
        """The supervisor's event; returns when the next is due, absolute."""
        due_us = self.supervisor.tick(now_us & clock.MASK)
        return now_us + clock.ticks_diff(due_us, now_us & clock.MASK)

    def settled(self, lesson: Lesson) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Node voltages of the free and the clamped twin, V (N,), at each example of a lesson; disturbs nothing."""
        plant, eta = self._plant, self.chips.eta
        physics = plant.physics
        source_V, desired_V = (
            physics.dac_volts(self._ground.on_circuit(own_V, physics)) for own_V in (lesson.source_V, lesson.desired_V)
        )
        if self.supervisor.overclamps:
            dark = np.zeros(desired_V.shape[1])
            free_V = [plant.settled(row, dark, eta, False)[0][list(plant.job.targets)] for row in source_V]
            desired = self._ground.codes(lesson.desired_V, physics)
            desired_V = held_V(plant.job.clamp, physics, desired, np.array(free_V), desired)
        for given_V, wanted_V in zip(source_V, desired_V, strict=True):
            yield plant.settled(given_V, np.nan_to_num(wanted_V), eta, bool(np.isfinite(wanted_V).all()))

    def calm(self, source_V: np.ndarray) -> None:
        """Calibration: float the clamp and put these voltages on the sources."""
        self.supervisor.clamp(False)
        self.supervisor.show(self._plant.physics.dac_codes(source_V).tolist())

    def release(self) -> None:
        """Calibration is over: the clamp is connected again."""
        self.supervisor.clamp(True)

    def measured_error_V2(self, lesson: Lesson) -> float:
        """Mean squared error by the supervisor's last readings, V^2 of the task; nan until every example was read."""
        codes = np.array(self.supervisor.readings)
        if (codes < 0).any():
            return float("nan")
        read_V = self._ground.own(codes / 4096 * self._supply_V, self._plant.physics)
        return float(np.mean((read_V - lesson.desired_V) ** 2))
