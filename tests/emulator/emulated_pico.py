"""A Raspberry Pi Pico in rp2040py, with its firmware's USB port as a pseudo-terminal and pins to wire chips to.

Everything here happens in one event loop: between two batches of instructions the port is served, and whatever is
wired to a pin is called by the instruction that drives it. The emulated time is the chip's own, counted in its clock
cycles, and has nothing to do with the time on the wall.
"""

import asyncio
import os
import pty
import tty
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from rp2040py.boards import BoardSpec
from rp2040py.device import BaseDevice, ResetCause
from rp2040py.gpio_pin import GPIOPinState

from clockfree_sim.parts.bus import Pin, SpiBus
from tests.emulator.flash_image import FILES_AT

_BOOT_S = 120.0
_GPIO_IN = 0x004  # register of the pins' levels
_TIMER = 0x40054000
_TIMELR, _TIMERAWL = 0x0C, 0x28  # registers of its lower word
_CLK_PERI_HZ = 48_000_000


class EmulatedPico:
    """The board: wire it, then power it.

    Parameters
    ----------
    uf2 : Path
        MicroPython, for an RP2040.
    files : bytes
        Its file system, as `flash_image` makes it.

    Attributes
    ----------
    reads_us : deque of (float, float)
        When the board last read its pins, and its clock before that, us: the last two times.
    clocked_us : float
        When it last read its clock, us.
    """

    def __init__(self, uf2: Path, files: bytes):
        self.reads_us: deque[tuple[float, float]] = deque([(0.0, 0.0)] * 2, maxlen=2)
        self.clocked_us = 0.0
        self._device = BaseDevice(board=BoardSpec(image=uf2))
        self._mcu = self._device.mcu
        self._mcu.flash[FILES_AT : FILES_AT + len(files)] = files
        self._outputs: list[Callable[[GPIOPinState, GPIOPinState], None]] = []
        self._from_board = bytearray()
        self._asking: tuple[int, int] | None = None  # endpoint and size of a read that nothing has answered yet
        self._note_reads()
        self._note_clock()
        self._hold_empty_reads()
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
        """Set the level of a pin that the board reads."""
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

    def lose_byte(self) -> None:
        """The next byte of SPI0 never ends: whoever waits for it hangs."""
        spi = self._mcu.spi[0]
        begin = spi.on_transmit

        def lost(value: int) -> None:
            spi.on_transmit = begin

        spi.on_transmit = lost

    def near_watchdog(self, us: float) -> None:
        """The watchdog, if it is armed, bites in so long, unless it is fed before."""
        self._mcu.watchdog.timer.set(round(2 * us))  # an RP2040 counts down twice a microsecond

    @property
    def timer_us(self) -> float:
        """The board's own timer, which counts from its reset."""
        return float(self._mcu.find_peripheral(_TIMER)._micros())

    @timer_us.setter
    def timer_us(self, us: float) -> None:
        self._mcu.find_peripheral(_TIMER)._epoch_nanos = self._mcu.clock.nanos - 1000 * us

    def now_us(self) -> float:
        """Emulated time since power-on, us."""
        return self._mcu.clock.nanos / 1000

    # -- power ---------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def powered(self) -> AsyncIterator[str]:
        """Boot it, and stop it in the end; gives the device name of its USB port."""
        self._loop = asyncio.get_running_loop()
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self._device.cdc.on_serial_data = self._to_host
        await self._device.astart(_BOOT_S)
        self._loop.add_reader(self._master, self._to_board)
        yield os.ttyname(slave)
        self._device.stop()

    async def run_until(self, event: asyncio.Event) -> None:
        """Run until something has happened; RuntimeError if the emulator breaks down before."""
        await self._device.simulator.wait_for(event, None)

    def _reset(self) -> None:
        """The board resets itself: its pins are inputs again."""
        self._asking = None
        self._device.hard_reset(cause=ResetCause.WATCHDOG)
        for follow in self._outputs:
            follow(GPIOPinState.INPUT, GPIOPinState.INPUT)

    # -- port ----------------------------------------------------------------------------------------------------

    def _to_board(self) -> None:
        """As many bytes as the USB port takes; the others wait in the pseudo-terminal."""
        fifo = self._device.cdc.tx_fifo
        room = fifo.size - fifo.item_count
        for byte in os.read(self._master, room) if room else b"":
            fifo.push(byte)
        self.wake()

    def wake(self) -> None:
        """Answer a read that has waited for bytes, now that there are some."""
        if self._asking and self._device.cdc.tx_fifo.item_count:
            asking, self._asking = self._asking, None
            self._answer(*asking)

    def _to_host(self, data: bytes | bytearray) -> None:
        self._from_board += data
        self._loop.remove_writer(self._master)
        try:
            while self._from_board:
                del self._from_board[: os.write(self._master, self._from_board)]
        except BlockingIOError:
            self._loop.add_writer(self._master, self._to_host, b"")

    def _hold_empty_reads(self) -> None:
        """A host sends no empty packets; rp2040py sends 35,000 a second, and the firmware spends its time on them."""
        usb = self._mcu.usb_ctrl
        fifo = self._device.cdc.tx_fifo
        self._answer = answer = usb.on_endpoint_read

        def asked(endpoint: int, size: int) -> None:
            if endpoint == 0 or fifo.item_count:
                answer(endpoint, size)
            else:
                self._asking = (endpoint, size)

        usb.on_endpoint_read = asked

    def _note_reads(self) -> None:
        sio = self._mcu.sio
        read = sio.read_uint32

        def noted(offset: int) -> int | float:
            if offset == _GPIO_IN:
                self.reads_us.append((self.now_us(), self.clocked_us))
            return read(offset)

        sio.read_uint32 = noted

    def _note_clock(self) -> None:
        timer = self._mcu.find_peripheral(_TIMER)
        read = timer.read_uint32

        def noted(offset: int) -> int | float:
            if offset in (_TIMELR, _TIMERAWL):
                self.clocked_us = self.now_us()
            return read(offset)

        timer.read_uint32 = noted
