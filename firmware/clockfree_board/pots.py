"""Twin potentiometer drivers: one object steps both wipers of an edge.

Every driver has the same face: `tap` is the shadow of both wipers, or UNKNOWN,
and never a guess; `lowest` and `highest` bound it; `reads_back` says whether
the chip can tell its tap after a reset of the board; `adopt`, `set`, `step` and
`check` are the only ways to change it. A tap counts resistance, whatever the
wiring: R = R_W + tap R_AB / steps. With terminals B and W in the circuit a tap
is the chip's own code; with A and W (`reverse`) it is counted from the other
end, so that UP always raises R.

Pins are callables like machine.Pin and the bus is like machine.SPI, both
handed in, so that the same lines run on a board and on simulated chips.
Command bytes and pin levels: Microchip DS22060 (MCP4231, MCP4251), the Analog Devices
AD5220 and AD5222 data sheets, the Renesas X9C102/103/104/503 data sheet.
"""

from clockfree_board.emitters import const, micropython

UNKNOWN = -1

_CMDERR = const(0x02)  # bit of each answered command byte: 1 where the chip understood it


class PotError(Exception):
    """The chip does not answer, or what it reads back cannot be the tap of an edge."""


def _refuse_outside(tap, lowest, highest):
    if not lowest <= tap <= highest:
        raise ValueError("tap %d outside %d..%d" % (tap, lowest, highest))


class Mcp4xxx:
    """What Microchip's twin potentiometers have in common on any bus: command bytes AAAA CC D9 D8, and an answer.

    A driver adds `step`, `_write(frame)` and `_codes()`, the codes of both wipers; the last two raise PotError where
    the chip does not answer.

    Parameters
    ----------
    lowest : lowest tap this edge may take: a lower one would let too much current through a wiper
    reverse : True where terminals A and W are in the circuit, so that an
        increment lowers R
    highest : highest tap that is used
    steps : into how many the chip divides R_AB
    """

    reads_back = True

    def __init__(self, lowest, reverse, highest, steps):
        _refuse_outside(lowest, 0, highest)
        self.tap = UNKNOWN
        self.lowest = lowest
        self.highest = highest
        self._steps = steps
        self._reverse = reverse
        up = b"\x04\x14"  # increment wiper 0, increment wiper 1
        down = b"\x08\x18"
        # Indexed by the step itself: [1] raises R and [-1], the last one, lowers it.
        self._frames = (b"", down, up) if reverse else (b"", up, down)

    def adopt(self):
        """Read both wipers back and take their tap.

        Raises PotError, and leaves the tap UNKNOWN, where the chip does not
        answer, the wipers differ, or the tap is outside lowest..highest.
        """
        self.tap = UNKNOWN
        tap = self._read()
        if not self.lowest <= tap <= self.highest:
            raise PotError("wipers at tap %d, outside %d..%d" % (tap, self.lowest, self.highest))
        self.tap = tap

    def set(self, tap):
        """Write both wipers and read them back.

        Raises ValueError outside lowest..highest; PotError, with the tap
        UNKNOWN, where the chip does not answer or keeps another value.
        """
        _refuse_outside(tap, self.lowest, self.highest)
        self.tap = UNKNOWN
        code = self._steps - tap if self._reverse else tap
        self._write(bytes((code >> 8, code & 0xFF, 0x10 | code >> 8, code & 0xFF)))
        kept = self._read()
        if kept != tap:
            raise PotError("wrote tap %d, read back %d" % (tap, kept))
        self.tap = tap

    def check(self):
        """True where both wipers read back as the shadow says; else False, and the tap is UNKNOWN."""
        try:
            if self.tap != UNKNOWN and self._read() == self.tap:
                return True
        except PotError:
            pass
        self.tap = UNKNOWN
        return False

    def _write(self, frame):
        raise NotImplementedError

    def _codes(self):
        raise NotImplementedError

    def _read(self):
        free, clamped = self._codes()
        if free != clamped:
            raise PotError("wipers differ: %d and %d" % (free, clamped))
        if free > self._steps:  # a line stuck high reads 1FF
            raise PotError("pot does not answer")
        return self._steps - free if self._reverse else free


class Mcp42xx(Mcp4xxx):
    """MCP4231 (129 codes a wiper) or MCP4251 (257) on SPI: both wipers stepped inside one chip select.

    Parameters
    ----------
    spi : machine.SPI or the like, up to 10 MHz, mode 0 or 3
    cs : pin, active low
    lowest, reverse, highest, steps : as in Mcp4xxx
    """

    def __init__(self, spi, cs, lowest=0, reverse=False, highest=127, steps=128):
        Mcp4xxx.__init__(self, lowest, reverse, highest, steps)
        self._cs = cs
        self._transfer = spi.write_readinto
        self._stepping = cs, spi.write_readinto, self._frames, bytearray(2)  # in one piece: that is quicker to get at
        self._read_both = b"\x0c\xff\x1c\xff"
        self._read_answer = bytearray(4)
        cs(1)

    @micropython.native
    def step(self, step):
        """Move both wipers one tap, +1 (R up) or -1 (R down); the caller has checked the rail.

        Returns True, or False with `tap` UNKNOWN where the chip did not
        understand. Nothing moves while the tap is UNKNOWN.
        """
        tap = self.tap
        if tap < 0:
            return False
        cs, transfer, frames, answer = self._stepping
        cs(0)
        transfer(frames[step], answer)
        cs(1)
        if answer[0] & answer[1] & 0x02:
            self.tap = tap + step
            return True
        self.tap = UNKNOWN
        return False

    def _write(self, frame):
        self._exchange(frame, bytearray(4))

    def _codes(self):
        answer = self._read_answer
        self._exchange(self._read_both, answer)
        return (answer[0] & 1) << 8 | answer[1], (answer[2] & 1) << 8 | answer[3]

    def _exchange(self, frame, answer):
        """Send two 16-bit commands inside one chip select; PotError unless both are understood."""
        self._cs(0)
        self._transfer(frame, answer)
        self._cs(1)
        if not answer[0] & answer[2] & _CMDERR:
            raise PotError("pot does not answer")


class PulsePots:
    """A pair of AD5220, or of X9C104, on shared lines: one pulse on CLK moves both wipers, nothing reads back.

    Between steps CLK rests low, where a board in reset pulls it too, so that no
    reset makes an edge on it. The tap is known only by counting from an end
    stop; homing goes to the end where R is largest, because the other one
    would pass below `lowest`, where the supply can drive more current through
    a wiper than it may carry.

    An X9C writes its EEPROM when CS rises while CLK, its INC, is high. It is low
    at every deselect here, so nothing is ever stored: ten stores a second would
    wear the chip out within hours.

    Parameters
    ----------
    clk, up_down, cs : pins; U/D high moves the wiper towards terminal A, CS is active low
    lowest, reverse, highest, steps : as in Mcp4xxx
    """

    reads_back = False

    def __init__(self, clk, up_down, cs, lowest=0, reverse=False, highest=127, steps=128):
        self._beyond = steps - highest  # on A-W wiring the end stop is so many taps above `highest`
        if reverse and lowest < self._beyond:
            lowest = self._beyond
        _refuse_outside(lowest, 0, highest)
        self.tap = UNKNOWN
        self.lowest = lowest
        self.highest = highest
        self._reverse = reverse
        self._clk = clk
        self._up_down = up_down
        self._cs = cs
        self._levels = (0, 0, 1) if reverse else (0, 1, 0)  # of U/D, indexed by the step
        clk(0)
        cs(1)

    @micropython.native
    def step(self, step):
        """As Mcp42xx.step; no chip of this kind can report a failure."""
        tap = self.tap
        if tap < 0:
            return False
        clk = self._clk
        cs = self._cs
        self._up_down(self._levels[step])
        cs(0)
        clk(1)
        clk(0)  # the wipers move on this edge
        cs(1)
        self.tap = tap + step
        return True

    def adopt(self):
        """Re-home: both wipers to the end stop where R is largest; the tap is `highest` then."""
        self.tap = UNKNOWN
        self._home()
        if self._reverse:
            self._pulse(self._levels[-1], self._beyond)
        self.tap = self.highest

    def set(self, tap):
        """Count both wipers to a tap, re-homing first if theirs is UNKNOWN; ValueError outside lowest..highest."""
        _refuse_outside(tap, self.lowest, self.highest)
        if self.tap == UNKNOWN:
            self.adopt()
        count = tap - self.tap
        self.tap = UNKNOWN  # while the pulses go out
        self._pulse(self._levels[1 if count > 0 else -1], abs(count))
        self.tap = tap

    def check(self):
        """Nothing reads back: True while the tap is known."""
        return self.tap != UNKNOWN

    def _home(self):
        self._pulse(self._levels[1], self.highest + 1)

    def _pulse(self, level, count):
        clk = self._clk
        self._up_down(level)
        self._cs(0)
        for _ in range(count):
            clk(1)
            clk(0)
        self._cs(1)


class Ad5222(PulsePots):
    """AD5222: both wipers in one chip, moved together while MODE is low.

    Moved together they keep whatever offset they have, even at an end stop, so
    each is homed alone (MODE high, DACSEL choosing the wiper).

    Parameters
    ----------
    clk, up_down, cs, lowest, reverse, highest, steps : as in PulsePots
    mode, dacsel : pins
    """

    def __init__(self, clk, up_down, cs, mode, dacsel, lowest=0, reverse=False, highest=127, steps=128):
        PulsePots.__init__(self, clk, up_down, cs, lowest, reverse, highest, steps)
        self._mode = mode
        self._dacsel = dacsel
        mode(0)

    def _home(self):
        self._mode(1)
        for wiper in (0, 1):
            self._dacsel(wiper)
            PulsePots._home(self)
        self._mode(0)
