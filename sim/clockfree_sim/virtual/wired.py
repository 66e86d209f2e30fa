"""Chips on the pins of each board, by its configuration: the same that boards in virtual time have."""

from collections.abc import Mapping
from typing import Any

from clockfree_model.parts import CONVERTERS
from clockfree_sim.parts.bus import I2cBus, SpiBus
from clockfree_sim.virtual.pads import Pad

SPI_PINS = ("sck", "mosi", "miso")


class Wired:
    """The chips of one board; there are none until `attach_edges` or `attach_supervisor` puts them there.

    Attributes
    ----------
    spi, i2c : the buses
    spi_pins : tuple of int
        GP numbers of SCK, MOSI and MISO.
    i2c_pins : tuple of int
        GP numbers of SDA and SCL.
    analog : dict of int to callable
        What is on the board's own ADC, by GP number, as 16 bits.
    """

    def __init__(self) -> None:
        self.spi, self.i2c = SpiBus(), I2cBus()
        self.spi_pins: tuple[int, ...] = ()
        self.i2c_pins: tuple[int, ...] = ()
        self.analog: dict[int, Any] = {}
        self.edges: dict[str, Any] = {}
        self.supervisor: Any = None

    def attach_edges(self, plant: Any, config: Mapping[str, Any], pads: list[Pad]) -> None:
        """Potentiometers and front ends of the edges of a configuration.

        ValueError where it does not say what the job of the plant says.
        """
        from clockfree_sim.plant.chips import EdgeChips  # compiled, slow to load: boards are up before

        self._buses(config)
        for place, wiring in enumerate(config["edges"]):
            settings = plant.job.edge
            expected = {"front_end": settings.front_end, "pot": settings.pot}
            for key, value in expected.items():
                if wiring[key] != value:
                    raise ValueError(f"edges.{place}.{key}: expected {value}, as in the job, got {wiring[key]}")
            if wiring["pots"]["given"]["reverse"]:
                raise ValueError(f"edges.{place}: expected B-W wiring, as in the job, got reverse")
            index = plant.job.network.edge(wiring["edge"])
            self.edges[wiring["edge"]] = chips = EdgeChips(plant, index, self.spi, self.i2c)
            for part in (wiring["sense"], wiring["sense"].get("on"), wiring["pots"]):
                for name, role, number in part["pins"] if part else ():
                    self._attach(pads[number], number, role, chips.lines[name])

    def _attach(self, pad: Any, number: int, role: str, line: Any) -> None:
        """Put a line of a chip on a pin of the board, as the role of the pin is."""
        if role == "adc":
            self.analog[number] = line
        elif role == "input":
            pad.sense(line)
        elif role == "pwm":
            pad.modulate(line)
        else:
            pad.drive(line, int(role == "select"))

    def attach_supervisor(self, plant: Any, config: Mapping[str, Any], pads: list[Pad]) -> None:
        """DACs, mixers and ADCs of a configuration; ValueError where they are too few for the job of the plant."""
        from clockfree_sim.plant.chips import SupervisorChips  # the same

        self._buses(config)
        job = plant.job
        sources, targets = len(job.sources), len(job.targets)
        needs = {
            "dacs": (sources + targets, sum(CONVERTERS[part["chip"]].channels for part in config["dacs"])),
            "mixers": (targets, len(config["mixers"])),
            "adcs": (targets, sum(CONVERTERS[part["chip"]].channels for part in config["adcs"])),
        }
        for key, (needed, there) in needs.items():
            if needed > there:
                raise ValueError(f"{key}: expected {needed} channels for this job, got {there}")
        dacs = [(part["chip"], self.i2c, part["address"]) for part in config["dacs"]]
        mixers, adcs = ([part["chip"] for part in config[kind]] for kind in ("mixers", "adcs"))
        self.supervisor = chips = SupervisorChips(plant, self.spi, dacs, mixers, adcs)
        selects, on_spi = (*chips.mixer_cs, *chips.adc_cs), (*config["mixers"], *config["adcs"])
        for chip_select, part in zip(selects, on_spi, strict=True):
            for _, role, number in part["pins"]:
                self._attach(pads[number], number, role, chip_select)
        pads[config["ldac"]].drive(chips.ldac, 0)
        pads[config["clamp"]].drive(chips.clamp, 0)

    def power_cycle(self) -> None:
        """The supply of the chips went away and came back."""
        for chips in (*self.edges.values(), *([self.supervisor] if self.supervisor else [])):
            chips.power_cycle()

    def look(self) -> dict[str, Any]:
        """What the chips are at: wipers by edge; outputs, mixers and clamp of a supervisor."""
        found: dict[str, Any] = {"wipers": {edge: list(chips.pot.wipers) for edge, chips in self.edges.items()}}
        if self.supervisor:
            found["outputs_V"] = [volts for chip in self.supervisor.dacs for volts in chip.outputs_V]
            found["mixers"] = [chip.wipers[0] for chip in self.supervisor.mixers]
            found["clamped"] = self.supervisor.clamped
        return found

    def _buses(self, config: Mapping[str, Any]) -> None:
        self.spi_pins = tuple(config["spi"][name] for name in SPI_PINS)
        if "i2c" in config:
            self.i2c_pins = (config["i2c"]["sda"], config["i2c"]["scl"])
