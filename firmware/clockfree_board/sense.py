"""Front ends of an edge: comparator bits, or measured drops.

``look(gate)`` returns the step the rule asks for, or AGAIN (call once more after ``settle_us``), or BLIND (the
converter does not answer: no step). What was seen stays in ``a`` and ``b``: the two bits, or the free and the clamped
drop. Drops, offsets and gates are integers in 1/16 ADC code (c16): 65536 of them span the reference voltage.

``nulling`` is the part of calibration an edge does by itself in HOLD, with the clamp floated so that both twins
are alike: a generator that yields how long to wait, us, before it is resumed. ``trims`` are the values it found, and
``put_trims`` puts them back after a reset.
"""

from clockfree_board.emitters import const, micropython
from clockfree_board.rule import MEMORY, SECOND, agreed, from_bits, from_q, from_total, q_of

AGAIN = const(2)
BLIND = const(3)

TRIM_READS = 31
"""Readings of A at each step towards its trim."""
READS = 64
"""Readings of both drops whose mean calibration takes."""

_MOST_DROPS = const(2 * 4095 << 4)
_MOST_MISMATCH = const((1 << 14) - 1)  # half: keeps drop * mismatch below 2**30


class ComparatorPins:
    """Two comparators: pin a reads dV_C > dV_F, pin b dV_C + dV_F > 0, or dV_F > 0 where it is wired for that."""

    settle_us = 0
    no_gate = True  # it knows no threshold

    def __init__(self, a, b):
        self._pin_a = a
        self._pin_b = b
        self.a = 0
        self.b = 0

    @micropython.native
    def look(self, gate):
        """Step from the two bits; two plain comparators know no gate, so it must be 0."""
        self.a = a = self._pin_a()
        self.b = b = self._pin_b()
        return from_bits(a, b)


class TrimmedPins:
    """Two comparators, and a trim output (PWM through a filter) that shifts the reference of a.

    With a gate, a is read with the trim at +gate and at -gate, and the edge steps only if both agree. ``trim``
    takes a 16-bit duty; ``duty_per_c16`` is how far it must move to shift the reference by 1/16 ADC code.
    """

    def __init__(self, a, b, trim, duty_per_c16, settle_us):
        self._pin_a = a
        self._pin_b = b
        self._trim = trim
        self._duty_per_c16 = duty_per_c16
        self._phase = 0
        self._above = 0
        self._at = None
        self.settle_us = settle_us
        self.offset_c16 = 0
        self.a = 0
        self.b = 0

    def restart(self):
        """Forget a firing that was begun."""
        self._phase = 0

    def trims(self):
        """Calibration: offset of A, c16."""
        return [self.offset_c16]

    def put_trims(self, values):
        """Take calibration values that ``trims`` gave."""
        (offset_c16,) = values
        self.offset_c16 = int(offset_c16)

    def _set(self, c16):
        """Shift the reference; True if the filter must settle first."""
        if c16 == self._at:
            return False
        self._at = c16
        duty = 32768 + c16 * self._duty_per_c16
        self._trim(0 if duty < 0 else 65535 if duty > 65535 else duty)
        return True

    def look(self, gate):
        """Next of: set +gate, read and set -gate, read and decide."""
        offset = self.offset_c16
        if self._phase == 0:
            self._phase = 1
            if self._set(offset + gate):
                return AGAIN
        self.a = a = self._pin_a()
        self.b = b = self._pin_b()
        step = from_bits(a, b)
        if self._phase == 1 and gate:
            self._phase = 2
            self._above = step
            self._set(offset - gate)
            return AGAIN
        if self._phase == 2:
            step = agreed(self._above, step)
        self._phase = 0
        return step

    def nulling(self, reads=TRIM_READS):
        """Find the trim at which a flips half the time, by successive approximation."""
        self._phase = 0
        self.offset_c16 = 0
        low = -(32768 // self._duty_per_c16)
        bit = -low
        while bit:
            middle = low + bit
            if self._set(middle):
                yield self.settle_us
            ones = 0
            for _ in range(reads):
                ones += self._pin_a()
                yield 100
            if 2 * ones > reads:
                low = middle
            bit >>= 1
        self.offset_c16 = low


class _Drops:
    """Measured drops, with the edge's own offset and mismatch taken out."""

    settle_us = 0

    def __init__(self):
        self.a = 0
        self.b = 0
        self.offset_free_c16 = 0
        self.offset_clamped_c16 = 0
        self.order = SECOND
        self.bar_c16 = 0
        self.memory = [0] * MEMORY
        self.mismatch = 0  # clamped drop over free drop, less one, in 2**-15
        self.noise_c16 = 0  # of q, as nulling found it: how far two readings are apart, on average
        self._spread = 0
        self._products = 0
        self._squares = 0

    def _read(self):
        """Read both drops into a and b; False where the converter does not answer."""
        raise NotImplementedError

    def keep_total(self, bar_c16):
        """Sum drops over firings from now on, up to a bar; 0 takes every firing by itself."""
        self.bar_c16 = bar_c16
        self.memory[:] = [0] * MEMORY

    @micropython.native
    def look(self, gate):
        """Step from the two drops, or from their sum over firings.

        The floor of a sum is the gate, or the edge's own noise where that is larger.
        """
        if not self._read():
            return BLIND
        free = self.a - self.offset_free_c16
        clamped = self.b - self.offset_clamped_c16
        mismatch = self.mismatch
        if mismatch:
            clamped -= (free * mismatch) >> 15
        self.a = free
        self.b = clamped
        q = q_of(free, clamped, self.order)
        bar = self.bar_c16
        if bar:
            noise = self.noise_c16
            return from_total(self.memory, q, noise if noise > gate else gate, bar)
        return from_q(q, gate)

    def trims(self):
        """Calibration: offsets of the free and the clamped drop, c16; mismatch, 2**-15; noise, c16."""
        return [self.offset_free_c16, self.offset_clamped_c16, self.mismatch, self.noise_c16]

    def put_trims(self, values):
        """Take calibration values that ``trims`` gave."""
        free, clamped, mismatch, noise = values
        if not 0 <= noise < 1 << 16:
            raise ValueError("noise outside 0..65535")
        if not -_MOST_MISMATCH <= mismatch <= _MOST_MISMATCH:
            raise ValueError("mismatch outside -%d..%d" % (_MOST_MISMATCH, _MOST_MISMATCH))
        self.offset_free_c16, self.offset_clamped_c16 = int(free), int(clamped)
        self.mismatch, self.noise_c16 = int(mismatch), int(noise)

    def _mean(self, reads):
        """Mean of ``reads`` readings of both drops, and how far their difference moves between two, c16.

        Yields between readings.
        """
        free = clamped = spread = last = 0
        for i in range(reads):
            if not self._read():
                raise OSError("ADC does not answer")
            free += self.a
            clamped += self.b
            more = self.b - self.a
            if i:
                spread += abs(more - last)
            last = more
            yield 100
        half = reads // 2
        self.a = (free + half) // reads
        self.b = (clamped + half) // reads
        self._spread = spread // (reads - 1)

    def nulling(self, reads=READS):
        """Take offsets and noise, with every node at one voltage so that both drops are zero."""
        yield from self._mean(reads)
        self.take_offsets(self.a, self.b, self._spread)

    def take_offsets(self, free, clamped, spread):
        """Take the mean of readings at drops of zero, and how far they are apart; the mismatch is fitted anew."""
        self._products = 0
        self._squares = 0
        self.offset_free_c16 = free
        self.offset_clamped_c16 = clamped
        self.noise_c16 = spread

    def matching(self, reads=READS):
        """Add one point, at any inputs and taps, to the fit of the mismatch; best over several of both."""
        yield from self._mean(reads)
        self.take_mismatch(self.a, self.b)

    def take_mismatch(self, free, clamped):
        """Add the mean of readings at one input and tap to the fit of the mismatch."""
        free -= self.offset_free_c16
        more = clamped - self.offset_clamped_c16 - free
        free >>= 5
        self._products += free * more
        self._squares += free * free
        if self._squares > 1 << 12:
            # least squares: clamped - free = mismatch * free (in HOLD, so long integers do no harm)
            fit = (self._products << 10) // self._squares
            self.mismatch = max(-_MOST_MISMATCH, min(_MOST_MISMATCH, fit))


class AdcDrops(_Drops):
    """Four node voltages on an SPI ADC (MCP3204): free tail and head, clamped tail and head."""

    def __init__(self, adc, channels=(0, 1, 2, 3)):
        super().__init__()
        adc.nodes(channels)
        self._adc = adc
        self._channels = channels
        self._convert = adc.convert
        self._answers = adc.answers
        self._drop = adc.drop

    def codes(self):
        """Codes of the four nodes: free tail and head, clamped tail and head; -1 where the ADC does not answer."""
        return [self._adc.read(channel) for channel in self._channels]

    @micropython.native
    def _read(self):
        answers = self._answers  # at hand before the reading: it would add to the decision age
        drop = self._drop
        self._convert()
        free = drop(answers, 0)
        clamped = drop(answers, 6)
        if free + clamped > _MOST_DROPS:  # NO_DROP is more
            return False
        self.a = free
        self.b = clamped
        return True


class PicoAdcDrops(_Drops):
    """The board's own ADC behind two difference amplifiers: (V_ref + drop) / 2 on one input a drop."""

    def __init__(self, free_u16, clamped_u16):
        super().__init__()
        self._free = free_u16
        self._clamped = clamped_u16

    def _read(self):
        self.a = ((self._free() >> 4) - 2048) << 5
        self.b = ((self._clamped() >> 4) - 2048) << 5
        return True


class Mcp3304Drops(_Drops):
    """MCP3304 on SPI, its reference the supply: 13 bits of the free drop on CH0-CH1, of the clamped one on CH2-CH3.

    Mode 0 or 3, at most 2.1 MHz at 5 V; specified from 4.5 V on [Microchip DS21697].
    """

    def __init__(self, spi, cs):
        super().__init__()
        self._transfer = spi.write_readinto
        self._cs = cs
        # Four zeros, start, differential, D2, D1; D0 and zeros: sign and 12 bits end on the last bit of the frame.
        self._frames = (b"\x08\x00\x00", b"\x09\x00\x00")
        self._answer = bytearray(3)
        cs(1)

    def _heard(self, pair):
        """Convert; False where the null bit before the sign is not 0: no chip drives MISO."""
        cs = self._cs
        answer = self._answer
        cs(0)
        self._transfer(self._frames[pair], answer)
        cs(1)
        return not answer[1] & 0x20

    def _drop(self):
        """Of the last answer, two's complement."""
        answer = self._answer
        high = answer[1] & 0x1F
        return ((high - 0x20 if high & 0x10 else high) << 8 | answer[2]) << 4

    def _read(self):
        if not self._heard(0):
            return False
        self.a = self._drop()
        if not self._heard(1):
            return False
        self.b = self._drop()
        return True
