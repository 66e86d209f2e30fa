# mypy: ignore-errors
"""`machine` of a virtual board: pins, buses, ADC, PWM and watchdog are messages to the bench.

What only writes is sent and not waited for. What reads has a number, and waits for the answer with that number: one
that Ctrl-C left lying about is dropped. Every answer has one length, so that each read takes exactly one message.
"""

import struct
import time
from binascii import unhexlify

from micropython import const

PWRON_RESET = 1
WDT_RESET = 3

_ANSWER = const(36)  # bytes; the bench has the same number
_DATA = const(32)
_KEPT = const(255)

_bench = open(3, "r+b")
_send = _bench.write
_answer = bytearray(_ANSWER)
_data = memoryview(_answer)[4:]
_number = 0
_read = bytearray(b"r\0\0\0")
_write = bytearray(b"p\0\0")
_frames = {}  # requests of an SPI, by length
_identity = [b"", 0]
_fed = 0
_dropped = 0


def begin(unique_id, cause):
    _identity[:] = unhexlify(unique_id), cause


def up(injected):
    """The board is ready; `injected` bytes of its heap are the bench's."""
    _send(struct.pack("<BI", 85, injected))


def end(script):
    """A program has ended itself, in a soft reset: MicroPython (unix) would go to its prompt."""
    _send(b"E" if script else b"e")
    _wait()


def _wait():
    while True:
        time.sleep(1)


def _ask(request):
    """Send a request, in whose bytes 1 and 2 goes its number; the answer is in `_answer` then."""
    global _number, _dropped
    number = _number = (_number + 1) & 0xFFFF
    request[1] = low = number & 0xFF
    request[2] = high = number >> 8
    _send(request)
    while True:
        _bench.readinto(_answer)
        if _answer[0] == low and _answer[1] == high:
            break
        _dropped += 1
    if _answer[2]:
        raise OSError(_answer[2])


def unique_id():
    return _identity[0]


def reset_cause():
    return _identity[1]


def reset():
    _send(b"R")
    _wait()


def soft_reset():
    raise SystemExit


def freq():
    return 125_000_000


def idle():
    time.sleep_ms(1)


def _gp(pin):
    return pin._gp if isinstance(pin, Pin) else pin


class Pin:
    IN = 0
    OUT = 1
    PULL_UP = 1
    PULL_DOWN = 2

    def __init__(self, id, mode=_KEPT, pull=_KEPT, *, value=None):
        self._gp = gp = 25 if id == "LED" else _gp(id)
        if not 0 <= gp < 30:
            raise ValueError("invalid pin")
        self.init(mode, pull, value=value)

    def init(self, mode=_KEPT, pull=_KEPT, *, value=None):
        level = _KEPT if value is None else 1 if value else 0
        _send(bytes((99, self._gp, mode, 0 if pull is None or pull == -1 else pull, level)))

    def __call__(self, value=None):
        if value is None:
            _read[3] = self._gp
            _ask(_read)
            return _answer[4]
        _write[1] = self._gp
        _write[2] = 1 if value else 0
        _send(_write)

    value = __call__

    def on(self):
        self(1)

    high = on

    def off(self):
        self(0)

    low = off

    def toggle(self):
        self(1 - self())


class SPI:
    MSB = 0
    LSB = 1

    def __init__(self, id, baudrate=1_000_000, *, polarity=0, phase=0, bits=8, firstbit=MSB, sck=18, mosi=19, miso=16):
        if bits != 8 or firstbit != self.MSB:
            raise NotImplementedError("8 bits, most significant first")
        self._id = id
        _send(bytes((98, id, polarity << 1 | phase, _gp(sck), _gp(mosi), _gp(miso))))

    def init(self, baudrate=1_000_000):
        pass

    def deinit(self):
        pass

    def write_readinto(self, sent, received):
        count = len(sent)
        if count != len(received):
            raise ValueError("buffers must be the same length")
        if count > _DATA:
            sent, received = memoryview(sent), memoryview(received)
            for at in range(0, count, _DATA):
                self.write_readinto(sent[at : at + _DATA], received[at : at + _DATA])
            return
        frame = _frames.get(count)
        if frame is None:
            frame = _frames[count] = bytearray(4 + count)
            frame[0] = 120
        frame[3] = self._id
        frame[4:] = sent
        _ask(frame)
        received[:] = _data[:count]

    def write(self, sent):
        _send(bytes((115, self._id)) + bytes(sent))

    def readinto(self, received, write=0):
        self.write_readinto(bytes((write,)) * len(received), received)

    def read(self, count, write=0):
        received = bytearray(count)
        self.readinto(received, write)
        return bytes(received)


class I2C:
    def __init__(self, id, *, scl, sda, freq=400_000, timeout=50_000):
        self._id = id
        _send(bytes((105, id, _gp(sda), _gp(scl))))

    def _asked(self, kind, *more):
        _ask(bytearray((kind, 0, 0, self._id)) + bytes(more))

    def scan(self):
        self._asked(110)
        return [address for address in range(8, 0x78) if _data[address >> 3] >> (address & 7) & 1]

    def writeto(self, address, sent, stop=True):
        self._asked(119, address, *bytes(sent))
        return len(sent)

    def readfrom_into(self, address, received, stop=True):
        if len(received) > _DATA:
            raise NotImplementedError("at most 32 bytes")
        self._asked(103, address, len(received))
        received[:] = _data[: len(received)]

    def readfrom(self, address, count, stop=True):
        received = bytearray(count)
        self.readfrom_into(address, received)
        return bytes(received)


class ADC:
    def __init__(self, pin):
        gp = _gp(pin)
        self._ask = bytearray((97, 0, 0, gp if gp >= 26 else 26 + gp))

    def read_u16(self):
        _ask(self._ask)
        return _answer[4] | _answer[5] << 8


class PWM:
    def __init__(self, pin, *, freq=0, duty_u16=None):
        self._gp = _gp(pin)
        self._duty = 0
        self._freq = freq
        if duty_u16 is not None:
            self.duty_u16(duty_u16)

    def freq(self, value=None):
        if value is None:
            return self._freq
        self._freq = value

    def duty_u16(self, value=None):
        if value is None:
            return self._duty
        self._duty = value
        _send(bytes((100, self._gp, value & 0xFF, value >> 8)))

    def deinit(self):
        self.duty_u16(0)


class WDT:
    def __init__(self, id=0, timeout=5000):
        if timeout > 8388:
            raise ValueError("timeout exceeds 8388")
        _send(struct.pack("<BH", 107, timeout))

    def feed(self):
        global _fed
        _fed += 1
        _send(b"f")


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1
    _count = 0

    def __init__(self, id=-1, **how):
        Timer._count = self._id = (Timer._count + 1) & 0xFF
        if how:
            self.init(**how)

    def init(self, *, mode=PERIODIC, period=-1, freq=-1, callback=None):
        """Nothing interrupts a program here, so a timer can do one thing only, which the bench does for it."""
        before = _fed
        if callback:
            callback(self)
        if mode != self.PERIODIC or _fed == before:
            raise NotImplementedError("a timer of a virtual board can only feed the watchdog, again and again")
        _send(struct.pack("<BBI", 116, self._id, period if period > 0 else 1000 // freq))

    def deinit(self):
        _send(struct.pack("<BBI", 116, self._id, 0))
