"""A Raspberry Pi Pico in rp2040py, with its firmware's USB port as a pseudo-terminal and simulated chips on its pins.

The emulated time is the chip's own, counted in its clock cycles: it runs on while the Pico waits, however long that
takes here, and has nothing to do with the time on the wall.
"""

import asyncio
import os
import pty
import subprocess
import sys
import threading
import tty
from collections import deque
from collections.abc import Callable
from pathlib import Path

from clockfree_sim.parts.bus import Pin, SpiBus
from rp2040py.boards import BoardSpec
from rp2040py.device import BaseDevice, ResetCause
from rp2040py.gpio_pin import GPIOPinState

BOOT_S = 60.0
CALL_S = 120.0
_STOP_S = 30.0
_GPIO_IN = 0x004  # register of the pins' levels
_CLK_PERI_HZ = 48_000_000


class EmulatedPico:
    """The board; wire it first, then enter it: that is power-on.

    Parameters
    ----------
    uf2 : Path
        Its firmware, for an RP2040.

    Attributes
    ----------
    port : str
        Device name of its USB port.
    reads_us : deque of float
        When the board last read its pins, us: the last two times.
    """

    def __init__(self, uf2: Path):
        self.reads_us: deque[float] = deque((0.0, 0.0), maxlen=2)
        self._device = BaseDevice(board=BoardSpec(image=uf2))
        self._mcu = self._device.mcu
        self._outputs: list[Callable[[GPIOPinState, GPIOPinState], None]] = []
        self._from_board = bytearray()
        self._thread = threading.Thread(target=self._run, name="emulated Pico")
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._note_reads()
        # MicroPython lets the USB clock drive the peripherals; to rp2040py they run at the processor's.
        self._mcu.clk_peri = _CLK_PERI_HZ
        self._mcu.watchdog.on_watchdog_trigger = self._reset

    # -- wiring --------------------------------------------------------------------------------------------------

    def output(self, gp: int, pin: Pin, resting: int) -> None:
        """Wire a pin of the board to one that is called with each new level; undriven it rests, as it does now."""
        now = resting

        def follow(state: GPIOPinState, before: GPIOPinState) -> None:
            nonlocal now
            level = int(state) if state in (GPIOPinState.LOW, GPIOPinState.HIGH) else resting
            if level != now:
                now = level
                pin(level)

        self._mcu.gpio[gp].add_listener(follow)
        self._outputs.append(follow)

    def drive(self, gp: int, level: int) -> None:
        """Set the level of a pin that the board reads; out of a pin that listens, or through `call`."""
        self._mcu.gpio[gp].set_input_value(bool(level))

    def spi0(self, bus: SpiBus) -> None:
        """Wire MISO, SCK and MOSI of SPI0. A byte is exchanged at its last clock, as slowly as the board set it."""
        spi = self._mcu.spi[0]
        received = bytearray(1)
        sending = 0

        def begin(value: int) -> None:
            nonlocal sending
            sending = value
            last_clock.schedule(spi.data_bits / spi.clock_frequency * 1e9)

        def end() -> None:
            bus.write_readinto(bytes((sending,)), received)
            spi.complete_transmit(received[0])

        last_clock = self._mcu.clock.create_alarm(end)
        spi.on_transmit = begin

    def now_us(self) -> float:
        """Emulated time since power-on, us."""
        return self._mcu.clock.nanos / 1000

    # -- from outside --------------------------------------------------------------------------------------------

    def call(self, function: Callable[[], object]) -> None:
        """Call a function between two instructions of the board."""

        async def inside() -> None:
            function()

        asyncio.run_coroutine_threadsafe(inside(), self._loop).result(CALL_S)

    def mpremote(self, *arguments: str) -> str:
        """What `mpremote connect PORT ARGUMENTS` prints; AssertionError with what it said if it fails."""
        command = [sys.executable, "-m", "mpremote", "connect", self.port, *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CALL_S)
        assert done.returncode == 0, f"mpremote {' '.join(arguments)}:\n{done.stdout[-2000:]}{done.stderr}"
        return done.stdout

    def __enter__(self) -> "EmulatedPico":
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._thread.start()
        self._ready.wait()
        if self._error:
            self.__exit__()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._off.set)
        self._thread.join(_STOP_S)
        os.close(self._master)
        os.close(self._slave)
        if self._error:
            raise self._error

    # -- inside --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._powered())
        except Exception as error:
            self._error = error
        self._ready.set()

    async def _powered(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._off = asyncio.Event()
        self._device.cdc.on_serial_data = self._to_host
        await self._device.astart(BOOT_S)
        self._loop.add_reader(self._master, self._to_board)
        self._ready.set()
        await self._device.simulator.wait_for(self._off, None)
        self._device.stop()

    def _reset(self) -> None:
        """The board resets itself: its pins are inputs again."""
        self._device.hard_reset(cause=ResetCause.WATCHDOG)
        for follow in self._outputs:
            follow(GPIOPinState.INPUT, GPIOPinState.INPUT)

    def _to_board(self) -> None:
        """As many bytes as the USB port takes; the others wait in the pseudo-terminal."""
        fifo = self._device.cdc.tx_fifo
        room = fifo.size - fifo.item_count
        for byte in os.read(self._master, room) if room else b"":
            fifo.push(byte)

    def _to_host(self, data: bytes | bytearray) -> None:
        self._from_board += data
        self._loop.remove_writer(self._master)
        try:
            while self._from_board:
                del self._from_board[: os.write(self._master, self._from_board)]
        except BlockingIOError:
            self._loop.add_writer(self._master, self._to_host, b"")

    def _note_reads(self) -> None:
        sio = self._mcu.sio
        read = sio.read_uint32

        def noted(offset: int) -> int | float:
            if offset == _GPIO_IN:
                self.reads_us.append(self.now_us())
            return read(offset)

        sio.read_uint32 = noted
