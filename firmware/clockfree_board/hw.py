"""The chip: pins and buses from the board's configuration. The only module beside main.py that knows `machine`.

Works wherever MicroPython has machine.Pin and machine.SPI; made for RP2040 and RP2350.
"""

import gc
import os
import sys
import time

import machine
from machine import Pin

from clockfree_board import clock
from clockfree_board.assembly import assemble
from clockfree_board.board import Board
from clockfree_board.clock import MASK
from clockfree_board.config import CONFIG, ConfigError, parse_config, printable, read_config, why
from clockfree_board.emitters import const, micropython
from clockfree_board.port import Port

_WATCHDOG_MS = const(8388)  # the most an RP2040 can
_FEED_MS = const(2000)
_COLLECT_US = const(1_000_000)  # garbage is collected so often, where there is a gap for it and no hurry
_MANY = const(150)  # steps of the link leave some 40 KiB of garbage: what seven edges tell would fill a Pico in 1 s
_PAD = const(16)  # of a USB port's room, which is a multiple of it
_GULP = const(128)  # of what a pipe takes
_WATCHDOGS = {"RP2040": 0x58000, "RP2350": 0xD8000}  # of CTRL among the peripherals
_CLEAR = const(0x3000)  # at this distance from a register a write clears bits of it
_kept: list = []  # a timer that nothing refers to ends with the next collection of garbage


class Chip:
    """Clock, LED, FIRE pin, watchdog and identity of the chip.

    Attributes
    ----------
    unique_id : str
        Hexadecimal; what its USB serial number says too.
    boot : int
        Drawn at each start: another one is a reset.
    reset_cause : str
        "power", "watchdog", which a reset by program is on these chips, or a number.
    mpy : list
        Bytecode version, architecture of native code, and whether this firmware was compiled beforehand.
    code : str or None
        Digest of the files that it runs; see `digest`.
    """

    def __init__(self, config):
        self.unique_id = "".join(["%02x" % byte for byte in machine.unique_id()])
        self.boot = (int.from_bytes(os.urandom(4), "little") & MASK) or 1
        cause = machine.reset_cause()
        self.reset_cause = {machine.PWRON_RESET: "power", machine.WDT_RESET: "watchdog"}.get(cause, str(cause))
        mpy = getattr(sys.implementation, "_mpy", 0)
        self.mpy = [mpy & 0xFF, mpy >> 10 & 0x0F, __file__.endswith(".mpy")]
        self.code = _code()
        self._armed = False
        _stop_watchdog()  # a soft reset leaves it armed
        self.sleep_us = time.sleep_us
        self.reset = machine.reset
        self._watchdog: machine.WDT
        self._led = _named_output(config, "led")
        self._fire = _named_output(config, "fire")
        self._collect_us = 0  # how long the last collection took
        self._collected_us = time.ticks_us()
        if time.ticks_add(MASK, 1) == 0:  # type: ignore[type-var]  # the port's own counter is as wide as ours
            self.now_us = time.ticks_us  # type: ignore[method-assign]

    def now_us(self):
        """Ticks modulo 2**30 us, also where the port's own counter is wider."""
        return time.ticks_us() & MASK  # type: ignore[operator]

    def led(self, level):
        """Switch the LED."""
        if self._led:
            self._led(level)

    @micropython.native
    def pulse(self):
        """A pulse on the FIRE pin, for a capture instrument."""
        fire = self._fire
        if fire:
            fire(1)
            fire(0)

    def heap(self):
        """Bytes of the heap in use, and free."""
        return [gc.mem_alloc(), gc.mem_free()]

    def collect(self, idle_us=None, count=0):
        """Collect garbage now that nothing is due for so long, if that fits: it keeps the collector out of the firings.

        It takes about as long as the last one, and a firing that is a little late for it is not dropped. None is in any
        case. It is done more often where so many steps of the link, `count`, have left garbage. True where it was done.
        """
        before_us = time.ticks_us()
        if idle_us is not None and (
            4 * idle_us < 5 * self._collect_us
            or (count < _MANY and time.ticks_diff(before_us, self._collected_us) < _COLLECT_US)
        ):
            return False
        gc.collect()
        self._collected_us = after_us = time.ticks_us()
        self._collect_us = time.ticks_diff(after_us, before_us)
        return True

    def arm(self):
        """Arm the watchdog; it stays armed in HOLD, until the next reset."""
        if not self._armed:
            self._watchdog = machine.WDT(timeout=_WATCHDOG_MS)
            self._armed = True

    def feed(self):
        """Feed the watchdog, if it is armed."""
        if self._armed:
            self._watchdog.feed()

    def stand_down(self):
        """The program ends: see to it that the watchdog does not reset the board while somebody is at its prompt.

        Where it cannot be stopped a timer feeds it; that ends with a soft reset, and within 8.4 s of one the board is
        reset once more.
        """
        if _stop_watchdog():
            self._armed = False
        elif self._armed and not _kept:
            timer = machine.Timer(-1, mode=machine.Timer.PERIODIC, period=_FEED_MS, callback=lambda timer: self.feed())
            _kept.append(timer)


def _code():
    """Digest of the files of this firmware, by a module that does not stay: a small heap has other uses for it."""
    from clockfree_board import digest

    found = digest.code(__file__.rpartition("/")[0])
    package = sys.modules["clockfree_board"]
    del sys.modules["clockfree_board.digest"], package.digest
    return found


def _stop_watchdog():
    """Stop the watchdog; False where that is not known how.

    MicroPython has no call for it. This is what watchdog_disable of the Pico's SDK does.
    """
    chip = getattr(sys.implementation, "_machine", "").split(" with ")[-1]
    control = _WATCHDOGS.get(chip.split("-")[0])  # without the -RISCV of some
    if control is None:
        return False
    enable = peripherals = MASK + 1  # bit 30 is both; a literal so large is compiled differently for 64 bits
    machine.mem32[peripherals + control + _CLEAR] = enable
    return True


def _output(number):
    """An output pin at 0; None where the configuration has none."""
    return None if number is None else Pin(number, Pin.OUT, value=0)


def _named_output(config, key):
    try:
        return _output(config.get(key))
    except Exception as error:
        raise ConfigError("%s: expected an output pin, got %s (%s)" % (key, config[key], error)) from None


def _select(number):
    """A chip select, high from the start: never a glitch that a chip could hear."""
    return Pin(number, Pin.OUT, value=1)


class Lines:
    """Pins and buses of the board, as `assembly` asks for them."""

    def __init__(self, config):
        self.select = _select
        self.output = _output
        self._config = config
        self._spi = self._i2c = None

    @property
    def spi(self):
        """The SPI bus, set up when it is first asked for."""
        if self._spi is None:
            pins = self._config["spi"]
            sck, mosi, miso = (Pin(pins[name]) for name in ("sck", "mosi", "miso"))
            self._spi = machine.SPI(0, baudrate=pins["baud"], polarity=0, phase=0, sck=sck, mosi=mosi, miso=miso)
        return self._spi

    @property
    def i2c(self):
        """The I2C bus, likewise; on these chips the pins say which of the two it is."""
        if self._i2c is None:
            pins = self._config["i2c"]
            sda, scl = Pin(pins["sda"]), Pin(pins["scl"])
            self._i2c = machine.I2C(pins["sda"] >> 1 & 1, sda=sda, scl=scl, freq=pins["baud"])
        return self._i2c

    def input(self, number):
        """What a pin says."""
        return Pin(number, Pin.IN)

    def pwm(self, number):
        """Duty of a PWM, 16 bits; half to begin with."""
        return machine.PWM(Pin(number), freq=100_000, duty_u16=32768).duty_u16

    def adc(self, number):
        """What the board's own ADC reads at a pin, 16 bits."""
        return machine.ADC(number).read_u16


def _edge_role(chip, config):
    from clockfree_board.edge import Edge
    from clockfree_board.pots import PotError
    from clockfree_board.role_edges import EdgeRole

    if not config["edges"]:
        raise ConfigError("edges: expected at least one")
    lines = Lines(config)
    edges = []
    for i, wiring in enumerate(config["edges"]):
        try:
            sense, pots = assemble(wiring["sense"], lines), assemble(wiring["pots"], lines)
            if pots.reads_back:
                try:
                    pots.adopt()  # a reset of the board leaves the wipers alone: take them as they are
                except PotError:
                    pass  # its tap stays unknown, and is told as such
            edges.append(Edge([0] * clock.SIZE, sense, pots, 0))
            if printable(wiring["edge"]) != wiring["edge"]:
                raise ConfigError("edge: expected a name in printable ASCII, got %s" % wiring["edge"])
        except ConfigError as error:
            raise ConfigError("edges.%d.%s" % (i, error)) from None
        except Exception as error:
            raise ConfigError("edges.%d: %s" % (i, why(error))) from None
    return EdgeRole(chip, edges, config["edges"])


def _supervisor_role(chip, config):
    from clockfree_board.converters import Latch
    from clockfree_board.role_supervisor import SupervisorRole
    from clockfree_board.supervisor import Supervisor

    lines = Lines(config)
    dacs, mixers, adcs = ([assemble(part, lines) for part in config[kind]] for kind in ("dacs", "mixers", "adcs"))
    latch, clamp = Latch(_select(config["ldac"])), _output(config["clamp"])
    supervisor = Supervisor([0] * clock.SIZE, dacs, latch, mixers, clamp, adcs)
    clock.seed(supervisor.clock, 0, 0, 0)
    return SupervisorRole(chip, supervisor)


_ROLES = {"edge": _edge_role, "supervisor": _supervisor_role}


def make_board():
    """The board that the configuration describes; one that cannot be built is in HOLD and says why in HELLO."""
    # USB on rp2 says it can be written to when it has room for one byte, and waits if it gets more; a pipe, when it is
    # empty.
    usb = sys.platform == "rp2"
    port = Port(sys.stdin.buffer, sys.stdout.buffer, *((_PAD, _PAD) if usb else (_GULP, 1)))
    chip = digest = None
    try:
        text, digest = read_config()
        config = parse_config(text)
        chip = Chip(config)
        role = _ROLES[config["role"]](chip, config)
    except Exception as error:  # whatever a wrong value makes a driver or `machine` raise
        return Board(chip or Chip({}), port, None, {}, digest, "%s: %s" % (CONFIG, why(error)))
    return Board(chip, port, role, config, digest)


def start():
    """Be a board, until Ctrl-C."""
    board = make_board()
    gc.collect()
    gc.threshold(-1)  # main.py has set it; from here on garbage is collected when nothing is due
    board.run()
