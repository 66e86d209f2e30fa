"""The chip: pins and buses from the board's configuration. The only module beside main.py that knows `machine`.

Works wherever MicroPython has machine.Pin and machine.SPI; made for RP2040 and RP2350.
"""

import gc
import json
import os
import sys
import time
from hashlib import sha256

import machine
from machine import Pin

from clockfree import clock
from clockfree.board import Board
from clockfree.clock import MASK
from clockfree.port import Port

CONFIG = "/clockfree.json"
FORMAT = 1
WATCHDOG_MS = 8388  # the most an RP2040 can; nothing stops it once it is armed
_FEED_MS = 2000


class ConfigError(Exception):
    """The configuration cannot be used; the text names the key."""


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
    armed : bool
        The watchdog is armed.
    """

    def __init__(self, config):
        self.unique_id = "".join(["%02x" % byte for byte in machine.unique_id()])
        self.boot = (int.from_bytes(os.urandom(4), "little") & MASK) or 1
        cause = machine.reset_cause()
        self.reset_cause = {machine.PWRON_RESET: "power", machine.WDT_RESET: "watchdog"}.get(cause, str(cause))
        mpy = getattr(sys.implementation, "_mpy", 0)
        self.mpy = [mpy & 0xFF, mpy >> 10, __file__.endswith(".mpy")]
        self.armed = False
        self.sleep_us = time.sleep_us
        self.reset = machine.reset
        self._watchdog: machine.WDT
        self._led = _output(config.get("led"))
        self._fire = _output(config.get("fire"))
        self._collect_us = 0  # how long the last collection took
        self._used = 0  # bytes in use after it

    def now_us(self):
        """Ticks modulo 2**30 us, also where the port's own counter is wider."""
        return time.ticks_us() & MASK  # type: ignore[operator]

    def led(self, level):
        """Switch the LED."""
        if self._led:
            self._led(level)

    def pulse(self):
        """A pulse on the FIRE pin, for a capture instrument."""
        fire = self._fire
        if fire:
            fire(1)
            fire(0)

    def heap(self):
        """Bytes of the heap in use, and free."""
        return [gc.mem_alloc(), gc.mem_free()]

    def collect(self, idle_us):
        """Collect garbage now that nothing is due, if that fits: it keeps the collector out of the firings."""
        if idle_us < 2 * self._collect_us or gc.mem_alloc() < self._used + gc.mem_free() // 4:
            return
        before_us = time.ticks_us()
        gc.collect()
        self._collect_us = time.ticks_diff(time.ticks_us(), before_us)
        self._used = gc.mem_alloc()

    def arm(self):
        """Arm the watchdog; it stays armed until the next reset."""
        if not self.armed:
            self._watchdog = machine.WDT(timeout=WATCHDOG_MS)
            self.armed = True

    def feed(self):
        """Feed the watchdog."""
        self._watchdog.feed()

    def keep_fed(self):
        """Feed the watchdog from a timer until the next reset, while the program is stopped."""
        if self.armed:
            machine.Timer(-1, mode=machine.Timer.PERIODIC, period=_FEED_MS, callback=lambda timer: self.feed())


def _output(number):
    """An output pin at 0; None where the configuration has none."""
    return None if number is None else Pin(number, Pin.OUT, value=0)


def _input(number):
    return Pin(number, Pin.IN)


def _select(number):
    """A chip select, high from the start: never a glitch that a chip could hear."""
    return Pin(number, Pin.OUT, value=1)


def _spi(config):
    pins = config["spi"]
    return machine.SPI(
        0,
        baudrate=pins["baud"],
        polarity=0,
        phase=0,
        sck=Pin(pins["sck"]),
        mosi=Pin(pins["mosi"]),
        miso=Pin(pins["miso"]),
    )


def _sense(wiring, spi):
    from clockfree import sense

    front_end, pins = wiring["front_end"], wiring["pins"]
    if front_end == "comparator":
        return sense.ComparatorPins(_input(pins["a"]), _input(pins["b"]))
    if front_end == "trimmed":
        trim = machine.PWM(Pin(pins["trim"]), freq=100_000, duty_u16=32768)
        return sense.TrimmedPins(
            _input(pins["a"]), _input(pins["b"]), trim.duty_u16, wiring["duty_per_c16"], wiring["settle_us"]
        )
    if front_end == "adc":
        from clockfree.converters import Mcp320x

        return sense.AdcDrops(Mcp320x(spi, _select(pins["adc_cs"]), channels=4))
    if front_end == "pico_adc":
        return sense.PicoAdcDrops(machine.ADC(26).read_u16, machine.ADC(27).read_u16)
    raise ConfigError("front_end: expected comparator, trimmed, adc or pico_adc, got %s" % front_end)


def _pots(wiring, spi, config):
    from clockfree import pots as chips

    pot, pins, reverse = wiring["pot"], wiring["pins"], wiring["reverse"]
    lowest = chips.lowest_tap(config["supply_mv"], wiring["wiper_ohm"], wiring["rab_ohm"], config["most_ua"])
    if pot == "mcp42xx":
        found = chips.Mcp42xx(spi, _select(pins["pot_cs"]), lowest, reverse)
        try:
            found.adopt()  # a reset of the board leaves the wipers alone: take them as they are
        except chips.PotError:
            pass  # its tap stays unknown, and is told as such
        return found
    kinds = {"ad5220": chips.PulsePots, "ad5222": chips.Ad5222, "x9c": chips.X9cPots}
    if pot not in kinds:
        raise ConfigError("pot: expected mcp42xx, ad5220, ad5222 or x9c, got %s" % pot)
    lines = [_output(pins["clk"]), _output(pins["ud"]), _select(pins["pulse_cs"])]
    if pot == "ad5222":
        lines.extend((_output(pins["mode"]), _output(pins["dacsel"])))
    return kinds[pot](*lines, lowest=lowest, reverse=reverse)


def _edge_role(chip, config):
    from clockfree.edge import Edge
    from clockfree.role_edges import EdgeRole

    if not config["edges"]:
        raise ConfigError("edges: expected at least one")
    spi = _spi(config)
    edges = []
    for i, wiring in enumerate(config["edges"]):
        try:
            edges.append(Edge([0] * clock.SIZE, _sense(wiring, spi), _pots(wiring, spi, config), 0))
        except ConfigError as error:
            raise ConfigError("edges.%d.%s" % (i, error)) from None
        except KeyError as error:
            raise ConfigError("edges.%d: nothing named %s" % (i, error)) from None
    return EdgeRole(chip, edges, config["edges"])


def _supervisor_role(chip, config):
    from clockfree.converters import Latch, Mcp320x, Mcp4131, Mcp4728
    from clockfree.role_supervisor import SupervisorRole
    from clockfree.supervisor import Supervisor

    spi = _spi(config)
    i2c = machine.I2C(0, sda=Pin(config["i2c"]["sda"]), scl=Pin(config["i2c"]["scl"]), freq=400_000)
    adcs = [Mcp320x(spi, _select(cs), channels) for cs, channels in config["adcs"]]
    supervisor = Supervisor(
        [0] * clock.SIZE,
        [Mcp4728(i2c, address) for address in config["dacs"]],
        Latch(_select(config["ldac"])),
        [Mcp4131(spi, _select(cs)) for cs in config["mixers"]],
        _output(config["clamp"]),
        adcs,
    )
    clock.seed(supervisor.clock, 0, 0, 0)
    return SupervisorRole(chip, supervisor, sum([channels for _, channels in config["adcs"]]))


_ROLES = {"edge": _edge_role, "supervisor": _supervisor_role}


def read_config():
    """The configuration, and its hash as HELLO tells it.

    Raises ConfigError with the hash, or None, where it cannot be used.
    """
    try:
        with open(CONFIG, "rb") as file:
            text = file.read()
    except OSError:
        raise ConfigError("%s: expected the board's configuration, got none" % CONFIG, None) from None
    digest = "".join(["%02x" % byte for byte in sha256(text).digest()[:8]])
    try:
        config = json.loads(text)
    except ValueError:
        config = None
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ConfigError("%s: format: expected JSON of format %d" % (CONFIG, FORMAT), digest)
    if config.get("role") not in _ROLES:
        raise ConfigError("%s: role: expected edge or supervisor, got %s" % (CONFIG, config.get("role")), digest)
    return config, digest


def make_board():
    """The board that the configuration describes; one that cannot be built is in HOLD and says why in HELLO."""
    # USB on rp2 says it can be written to when it has room for one byte, and waits if it gets more.
    port = Port(sys.stdin.buffer, sys.stdout.buffer, 1 if sys.platform == "rp2" else 64)
    try:
        config, digest = read_config()
    except ConfigError as error:
        text, digest = error.args
        return Board(Chip({}), port, None, {}, digest, text)
    try:
        chip = Chip(config)
        role = _ROLES[config["role"]](chip, config)
    except Exception as error:  # whatever a wrong value makes a driver or `machine` raise
        text = "nothing named %s" % error if isinstance(error, KeyError) else "%s" % error
        return Board(Chip({}), port, None, {}, digest, "%s: %s" % (CONFIG, text))
    return Board(chip, port, role, config, digest)


def start():
    """Be a board, until Ctrl-C."""
    make_board().run()
