"""The bench's side of `machine`: each message of a board moves pins, buses and watchdog, or asks for what is there.

A message begins with the letter of its kind. Those that are answered have a number, and every answer has the same
length: two bytes of the number, a status (0, or an errno), a spare byte, and data. So a board that gave up waiting,
because Ctrl-C came, later drops whatever has another number.
"""

import struct
from collections.abc import Callable

from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.virtual.loop import WallTime
from clockfree_sim.virtual.pads import GPIOS, Pad
from clockfree_sim.virtual.wired import Wired

ANSWER_BYTES = 36
"""Of every answer; the board's side has the same number."""

ANSWERED = b"rxwgna"
"""Kinds of messages that are answered."""

_DATA_BYTES = ANSWER_BYTES - 4
_LEVELS = tuple(bytes((0, 0, level)).ljust(ANSWER_BYTES - 2, b"\0") for level in (0, 1))
_EIO = 5
_MOST_WATCHDOG_MS = 8388


Hear = Callable[[bytes], bytes | None]


class Watchdog:
    """The watchdog of a board, and the timers that feed it.

    Parameters
    ----------
    time : WallTime
    bites : callable
        Resets the board.
    """

    def __init__(self, time: WallTime, bites: Callable[[], None]):
        self._time, self._bites = time, bites
        self._timeout_us = 0
        self._until_us = 0
        self._armed = 0  # counts, so that what is left of an earlier one does nothing
        self._timers: dict[int, int] = {}
        self._feedings = 0

    def arm(self, timeout_ms: int) -> None:
        """Reset the board when it has not been fed for so long."""
        self._timeout_us = 1000 * timeout_ms
        self._armed += 1
        self.feed()
        self._look(self._armed)

    def feed(self) -> None:
        """It is well for another while."""
        self._until_us = self._time.now_us + self._timeout_us

    def feed_by_timer(self, timer: int, period_ms: int) -> None:
        """Feed it again and again; 0 ends that."""
        self._feedings += 1
        self._timers.pop(timer, None)
        if period_ms:
            self._timers[timer] = self._feedings
            self._fed_by(timer, self._feedings, 1000 * period_ms)

    def stop_timers(self) -> None:
        """A soft reset ends timers; nothing ends a watchdog."""
        self._timers.clear()

    def reset(self) -> None:
        """The board was reset."""
        self.stop_timers()
        self._armed += 1

    def _look(self, armed: int) -> None:
        if armed == self._armed:
            if self._time.now_us >= self._until_us:
                self._armed += 1
                self._bites()
            else:
                self._time.later(self._until_us, lambda: self._look(armed))

    def _fed_by(self, timer: int, feeding: int, period_us: int) -> None:
        if self._timers.get(timer) == feeding:
            self.feed()
            self._time.later(self._time.now_us + period_us, lambda: self._fed_by(timer, feeding, period_us))


class Machine:
    """Pins, buses and watchdog of one board.

    Parameters
    ----------
    time : WallTime
    wired : Wired
        What is on the pins.
    bites : callable
        What the watchdog does.
    more : dict of str to callable
        Kinds of messages that are not for pins, buses or watchdog.
    """

    def __init__(self, time: WallTime, wired: Wired, bites: Callable[[], None], more: dict[str, Hear]):
        self.pads = [Pad() for _ in range(GPIOS)]
        self.watchdog = Watchdog(time, bites)
        self._wired = wired
        self._nothing = SpiBus()
        self._spi: dict[int, SpiBus] = {}
        self._i2c: dict[int, bool] = {}
        kinds: dict[str, Hear] = {
            **more,
            "p": self._pin_write,
            "r": self._pin_read,
            "c": self._pin_configure,
            "x": self._spi_exchange,
            "s": self._spi_write,
            "b": self._spi_begin,
            "i": self._i2c_begin,
            "w": self._i2c_write,
            "g": self._i2c_read,
            "n": self._i2c_scan,
            "a": self._adc_read,
            "d": self._pwm,
            "k": self._watchdog_arm,
            "f": self._watchdog_feed,
            "t": self._timer,
        }
        self._kinds = {ord(letter): action for letter, action in kinds.items()}

    def hear(self, message: bytes) -> bytes | None:
        """Take one message; returns the answer, if it is one that is answered."""
        return self._kinds[message[0]](message)

    def soft_reset(self) -> None:
        """Timers end; pins, buses and watchdog stay as they are."""
        self.watchdog.stop_timers()

    def reset(self) -> None:
        """The board was reset: pins let go, watchdog off."""
        self.watchdog.reset()
        self._spi.clear()
        self._i2c.clear()
        for pad in self.pads:
            pad.reset()

    # -- pins ----------------------------------------------------------------------------------------------------

    def _pin_write(self, message: bytes) -> None:
        self.pads[message[1]].write(message[2])

    def _pin_read(self, message: bytes) -> bytes:
        return message[1:3] + _LEVELS[self.pads[message[3]].read()]

    def _pin_configure(self, message: bytes) -> None:
        _, number, mode, pull, level = message
        pad = self.pads[number]
        pad.configure(
            pad.mode if mode == 255 else mode, pad.pull if pull == 255 else pull, pad.latch if level == 255 else level
        )

    def _pwm(self, message: bytes) -> None:
        self.pads[message[1]].duty(message[2] | message[3] << 8)

    def _adc_read(self, message: bytes) -> bytes:
        read_u16 = self._wired.analog.get(message[3])
        return _answer(message, struct.pack("<H", read_u16() if read_u16 else 0))

    # -- buses ---------------------------------------------------------------------------------------------------

    def _spi_begin(self, message: bytes) -> None:
        _, bus, mode, *pins = message
        there = tuple(pins) == self._wired.spi_pins and mode in (0, 3)
        self._spi[bus] = self._wired.spi if there else self._nothing

    def _spi_exchange(self, message: bytes) -> bytes:
        sent = message[4:]
        received = bytearray(len(sent))
        self._spi[message[3]].write_readinto(sent, received)
        return _answer(message, received)

    def _spi_write(self, message: bytes) -> None:
        self._spi[message[1]].write(message[2:])

    def _i2c_begin(self, message: bytes) -> None:
        _, bus, *pins = message
        self._i2c[bus] = tuple(pins) == self._wired.i2c_pins

    def _i2c_write(self, message: bytes) -> bytes:
        _, _, _, bus, address = message[:5]
        try:
            if not self._i2c[bus]:
                return _answer(message, status=_EIO)
            self._wired.i2c.writeto(address, message[5:])
        except OSError:
            return _answer(message, status=_EIO)  # what an RP2040 says to a missing acknowledge
        return _answer(message)

    def _i2c_read(self, message: bytes) -> bytes:
        _, _, _, bus, address, count = message
        try:
            if not self._i2c[bus]:
                return _answer(message, status=_EIO)
            return _answer(message, self._wired.i2c.readfrom(address, count))
        except OSError:
            return _answer(message, status=_EIO)

    def _i2c_scan(self, message: bytes) -> bytes:
        found = self._wired.i2c.scan() if self._i2c[message[3]] else []
        return _answer(message, sum(1 << address for address in found).to_bytes(16, "little"))

    # -- watchdog ------------------------------------------------------------------------------------------------

    def _watchdog_arm(self, message: bytes) -> None:
        self.watchdog.arm(struct.unpack_from("<H", message, 1)[0])

    def _watchdog_feed(self, message: bytes) -> None:
        self.watchdog.feed()

    def _timer(self, message: bytes) -> None:
        self.watchdog.feed_by_timer(*struct.unpack_from("<BI", message, 1))


def refusal(message: bytes) -> bytes | None:
    """Answer to a message that could not be carried out, if it is one that is answered."""
    return _answer(message, status=_EIO) if message[0] in ANSWERED else None


def _answer(message: bytes, data: bytes | bytearray = b"", status: int = 0) -> bytes:
    return message[1:3] + bytes((status, 0)) + bytes(data).ljust(_DATA_BYTES, b"\0")
