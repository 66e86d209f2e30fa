"""The chips around one edge and around the supervisor, wired to the plant; their pins are free for a board.

Built here and nowhere else, for boards in virtual time (`wiring`) and for MicroPython in wall time (`virtual`).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from clockfree_model.parts import CONVERTERS, FRONT_ENDS, POTS, resolve
from clockfree_sim.parts.bus import I2cBus, SpiBus
from clockfree_sim.parts.comparators import Volts
from clockfree_sim.parts.converters import code_transfer
from clockfree_sim.plant import noise
from clockfree_sim.plant.front_ends import SimulatedFrontEnd, scaled
from clockfree_sim.plant.plant import Plant
from clockfree_sim.plant.reading import supervisor_adc


class EdgeChips:
    """Potentiometer and front end of one edge, as its job has them.

    Parameters
    ----------
    plant : Plant
    index : int
    spi, i2c : SpiBus, I2cBus
        The board's buses, on which those chips are that have one.

    Attributes
    ----------
    pot : the potentiometer
    front_end : SimulatedFrontEnd
    lines : dict of str to callable
        Pins of both, by the names that the table of parts has for them.
    """

    def __init__(self, plant: Plant, index: int, spi: SpiBus, i2c: I2cBus):
        settings = plant.job.edge
        part = POTS[settings.pot]
        stored = {} if part.forgets else {"stored": (part.start_tap, part.start_tap)}
        self.pot = pot = resolve(part.chip)(plant.mover(index), **stored)
        if part.bus == "i2c":
            i2c.attach(part.address, pot)
        self.lines: dict[str, Callable[..., Any]] = {
            pin.name: getattr(pot, pin.at) if pin.at else spi.attach(pot) for pin in part.pins
        }
        self.front_end: SimulatedFrontEnd = resolve(FRONT_ENDS[settings.front_end].chip)(plant, index, spi, i2c)
        self.lines |= self.front_end.lines

    def stick(self, kind: str) -> None:
        """A comparator's output is stuck from now on: 'stuck_a0', 'stuck_a1', 'stuck_b0' or 'stuck_b1'."""
        assert self.front_end.comparators is not None, "checked before the run"
        self.front_end.comparators["ab".index(kind[6])].stuck = int(kind[7])

    def power_cycle(self) -> None:
        """The supply went away and came back."""
        self.pot.power_cycle()


class SupervisorChips:
    """What drives the sources and the clamp, and reads the free outputs.

    The DACs' channels drive, in order, the sources and then the desired voltages of the targets; the ADCs' channels
    read the free outputs; each mixer sets eta at one target.

    Parameters
    ----------
    plant : Plant
    spi : SpiBus
        On it are the mixers and the ADCs.
    dacs : sequence of (str, I2cBus, int)
        Name among the parts, bus and address of each DAC.
    mixers, adcs : sequence of str
        Names of the others.

    Attributes
    ----------
    dacs, mixers : list
        Their chips.
    clamped : int
        1 while the clamp is connected.
    mixer_cs, adc_cs : list of Pin
    """

    def __init__(
        self,
        plant: Plant,
        spi: SpiBus,
        dacs: Sequence[tuple[str, I2cBus, int]],
        mixers: Sequence[str],
        adcs: Sequence[str],
    ):
        job, supply_V = plant.job, plant.physics.supply_V
        self._plant = plant
        self.clamped = 0
        self.dacs = [_chip(name)(lambda volts: None, supply_V) for name, _, _ in dacs]
        for chip, (_, i2c, address) in zip(self.dacs, dacs, strict=True):
            i2c.attach(address, chip)
        self.mixers = [_chip(name)(lambda wiper, tap: self._refresh()) for name in mixers]
        self.mixer_cs = [spi.attach(chip) for chip in self.mixers]
        adc = supervisor_adc(job)
        gauss = scaled(noise.stream(job.seed, len(job.network.ends), noise.DECISION, normal=True), adc.noise_V)
        targets: list[Volts] = [plant.node(node, 0) for node in job.targets]
        spare = sum(CONVERTERS[name].channels for name in adcs) - len(targets)
        targets, offsets_V = targets + [_ground] * spare, adc.offset_V + [0.0] * spare
        levels = adc.levels + adc.levels[-1:] * (len(adcs) - len(adc.levels))
        self.adc_cs = []
        for name, of_chip in zip(adcs, levels, strict=True):
            channels = CONVERTERS[name].channels
            codes = [code_transfer(supply_V, of_chip, off_V, 1.0, gauss) for off_V in offsets_V[:channels]]
            self.adc_cs.append(spi.attach(_chip(name)(_read(targets[:channels]), codes)))
            targets, offsets_V = targets[channels:], offsets_V[channels:]

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


def _chip(name: str) -> Any:
    """The simulated chip of a converter."""
    return resolve(CONVERTERS[name].chip)


def _ground() -> float:
    """An input that nothing drives is tied to ground."""
    return 0.0


def _read(volts: Sequence[Volts]) -> Callable[[int], float]:
    """The inputs of an ADC: called with a channel, gives its voltage."""
    return lambda channel: volts[channel]()
