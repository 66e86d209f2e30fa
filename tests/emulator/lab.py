"""A laboratory in emulated time: a Pico with the chips of its edges, and a host that speaks its link, in one process.

The host acts at instants of the chip's own clock, so that a measurement is the same however busy the machine is.
"""

import random
from pathlib import Path
from typing import Any, NamedTuple

from clockfree.link.benchfile import BenchFile, board_config, config_text
from clockfree_board.link import ARMED, EDGE_ROW, TO_HOST, Lines, opened, seal
from clockfree_board.rule import SECOND
from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.converters import Mcp3204Chip
from clockfree_sim.parts.potentiometers import Mcp4xxxChip
from tests.emulator.emulated_pico import EmulatedPico
from tests.emulator.flash_image import flash_image

SEED = (123_456_789, 987_654_321)
RUN_ID = 77
FIRE = 15
BAR_C16 = 2000
"""Of edges that sum: about one step in three firings at the drops that are drawn here."""
_LEAP_US = 2**29 - 2_000_000
_PINS = (0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 20, 21, 22, 26, 27, 28)


def wiring(front_end: str, edges: int) -> list[dict[str, Any]]:
    """So many edges of a board as its bench file has them."""
    names = ["adc_cs", "pot_cs"] if front_end == "adc" else ["a", "b", "pot_cs"]
    free = iter(_PINS)
    return [
        {"edge": f"E{i}-E{i + 1}", "front_end": front_end, "pins": {name: next(free) for name in names}}
        for i in range(edges)
    ]


class Firing(NamedTuple):
    """A firing as an edge's chips saw it.

    Attributes
    ----------
    look_us, clocked_us : float
        When the board began to look, and when it had read its clock last.
    age_us : float or None
        From there until both wipers had moved; None where they did not.
    seen : tuple of int
        What there was to see: bits a and b, or free and clamped drop in 1/16 ADC code.
    free_tap, clamped_tap : int
        Of both wipers afterwards.
    """

    look_us: float
    clocked_us: float
    age_us: float | None
    seen: tuple[int, int]
    free_tap: int
    clamped_tap: int


class EdgeChips:
    """The chips of one edge: a front end that shows random drops, a potentiometer, and what both have seen.

    Attributes
    ----------
    firings : list of Firing
        The record, since `begin`.
    """

    def __init__(self, pico: EmulatedPico, pins: dict[str, int], spi: SpiBus, seed: int) -> None:
        self.firings: list[Firing] = []
        self._pico, self._pins = pico, pins
        self._random = random.Random(seed)
        self._pot = Mcp4xxxChip(self._moved)
        self._codes = [0, 0, 0, 0]
        pico.output(pins["pot_cs"], spi.attach(self._pot), resting=1)
        if "adc_cs" in pins:
            select = spi.attach(Mcp3204Chip(lambda channel: self._codes[channel], [int] * 4))

            def selected(level: int | None = None) -> int | None:
                if level == 0 and self._looked is None:
                    self._looked = pico.now_us(), pico.clocked_us
                return select(level)

            pico.output(pins["adc_cs"], selected, resting=1)
        self.begin()

    def begin(self) -> None:
        """Begin a record."""
        self.firings = []
        self._show()

    @property
    def wipers(self) -> list[int]:
        """Taps of both wipers."""
        return [*self._pot.wipers]

    def fired(self, looked: tuple[float, float]) -> None:
        """A firing of the board is over; with comparators it began at `looked`. If it was this edge's, keep it."""
        by_pins = "a" in self._pins
        if self._looked is not None or (by_pins and self._moved_us is not None):
            look_us, clocked_us = self._looked or looked
            age_us = None if self._moved_us is None else self._moved_us - look_us
            self.firings.append(Firing(look_us, clocked_us, age_us, self._seen, *self._pot.wipers))
            self._show()

    def _show(self) -> None:
        """Something to see at the next firing; a tap near its rails is pushed back."""
        tap, draw = self._pot.wipers[0], self._random
        up = draw.random() < 0.5 if 20 < tap < 108 else tap < 64
        if "a" in self._pins:
            a = draw.getrandbits(1)
            self._seen = a, a if up else 1 - a
            for name, level in zip("ab", self._seen):
                self._pico.drive(self._pins[name], level)
        else:
            less, more = sorted(draw.sample(range(1, 1500), 2))
            free, clamped = (less, more) if up else (more, less)
            self._codes[:] = 2000, 2000 + free, 2000, 2000 - clamped
            self._seen = -free << 4, clamped << 4
        self._looked: tuple[float, float] | None = None
        self._moved_us: float | None = None

    def _moved(self, wiper: int, tap: int) -> None:
        self._moved_us = self._pico.now_us()


class Lab:
    """One board, powered; times are those of the emulated chip.

    Parameters
    ----------
    uf2 : Path
    front_end : str
    edges : int
    folder : Path
        For what is made on the way.
    main : bytes or None
        Another `main.py`.
    """

    def __init__(self, uf2: Path, front_end: str, edges: int, folder: Path, main: bytes | None = None) -> None:
        file = BenchFile.model_validate(
            {
                "supervisor": {"port": "/dev/none"},
                "boards": [{"port": "/dev/one", "edges": wiring(front_end, edges)}],
            }
        )
        config = board_config(file, file.boards[0])
        self.measures = front_end == "adc"
        self.pico = pico = EmulatedPico(uf2, flash_image(folder, config_text(config).encode(), main))
        self._device, self._mcu = pico._device, pico._mcu
        bus = SpiBus()
        pico.spi0(bus)
        self.edges = [EdgeChips(pico, each["pins"], bus, seed) for seed, each in enumerate(wiring(front_end, edges))]
        pico.output(FIRE, self._fire, resting=0)
        self.texts: list[bytes] = []
        self.telemetry: list[list[Any]] = []
        self._replies: dict[int, list[Any]] = {}
        self._number = 0
        self._lines = Lines(TO_HOST)
        self._device.cdc.on_serial_data = self._heard
        self._late = self._mcu.clock.create_alarm(self._stop)
        self._beat = self._mcu.clock.create_alarm(self._status)
        self._wanted: int | None = None

    # -- emulated time -------------------------------------------------------------------------------------------

    def boot(self) -> dict[str, Any]:
        """Power on; returns what the board says of itself."""
        connected: list[bool] = []

        def ready() -> None:
            connected.append(True)
            self._device.simulator.stop()

        self._device.cdc.on_device_connected = ready
        self._mcu.leave_reset()
        self._go(20e6)
        assert connected
        return self.hello(20e6)

    def hello(self, within_us: float) -> dict[str, Any]:
        """What a board that starts says of itself."""
        told = len(self.telemetry)
        late_us = self.pico.now_us() + within_us
        while not (said := [message[2] for message in self.telemetry[told:] if message[0] == "hello"]):
            assert self.pico.now_us() < late_us, "no HELLO"
            self.run_us(100_000)
        return said[0]

    def run_us(self, us: float) -> None:
        """Let the board go on for so long."""
        self._go(us)

    def approach(self, us: float) -> None:
        """Set the board's own timer to a time to come, in leaps that its ticks do not take for steps back."""
        while us - self.pico.timer_us > _LEAP_US:
            self.pico.timer_us += _LEAP_US
            self.run_us(200_000)  # it looks at its clock at least every 100 ms
        self.pico.timer_us = us

    def _go(self, us: float) -> None:
        simulator = self._device.simulator
        self._late.schedule(1000 * us)
        simulator.stopped = False
        while not simulator.stopped:
            simulator._execute_batch()
        self._late.cancel()

    def _stop(self) -> None:
        self._device.simulator.stop()

    # -- the host ------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Bytes to the board's port."""
        for byte in data:
            self._device.cdc.send_serial_byte(byte)
        self.pico.wake()

    def say(self, kind: str, *arguments: Any) -> int:
        """Send a command; returns its number."""
        self._number += 1
        self.send(seal([kind, self._number, *arguments]))
        return self._number

    def ask(self, kind: str, *arguments: Any, within_us: float = 8e6, again_us: float = 1e6) -> list[Any]:
        """What a board answers."""
        number = self.say(kind, *arguments)
        for _ in range(int(within_us / again_us)):
            self._wanted = number
            if number not in self._replies:
                self._go(again_us)
            if number in self._replies:
                reply = self._replies.pop(number)
                if reply[0] == "no":
                    raise ValueError(reply[2])
                return reply[2:]
            self.send(seal([kind, number, *arguments]))
        raise AssertionError(f"{kind}: no answer; texts {self.texts[-5:]}")

    def _heard(self, data: bytes) -> None:
        for line in self._lines.feed(bytes(data)):
            message = opened(line)
            if message is None:
                self.texts.append(line)
            elif message[0] in ("ok", "no"):
                self._replies[message[1]] = message
                if message[1] == self._wanted:
                    self._wanted = None
                    self._stop()
            else:
                self.telemetry.append(message)

    def _status(self) -> None:
        self.say("status")
        self._beat.schedule(1e9)

    def beat(self, on: bool) -> None:
        """A status each second."""
        if on:
            self._beat.schedule(1e9)
        else:
            self._beat.cancel()

    def arm(self, rate_hz: float, late_us: int, bar_c16: int = 0, clock: int = 0) -> None:
        """Prepare every edge, as a host does."""
        self.ask("prepare", RUN_ID)
        for i in range(len(self.edges)):
            self.ask("tap", i, 64)
            values = (RUN_ID, clock, round(1e6 / rate_hz), late_us, 0, 0, bar_c16, *SEED, i, SECOND)
            self.ask("edge", i, dict(zip(ARMED, values, strict=True)))

    def status(self) -> list[dict[str, Any]]:
        """The rows of the edges."""
        return [dict(zip(EDGE_ROW, row)) for row in self.ask("status")[0]["edges"]]

    # -- the chips -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a record of firings."""
        for edge in self.edges:
            edge.begin()

    def _fire(self, level: int | None = None) -> None:
        if level:
            for edge in self.edges:
                edge.fired(self.pico.reads_us[0])
