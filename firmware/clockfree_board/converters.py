"""Converters around the network: DAC and mixer of the supervisor, ADC of supervisor and edges.

Pins are callables like machine.Pin, buses are like machine.I2C and machine.SPI, handed in. Formats: Microchip
DS22187 (MCP4728), DS22060 (MCP4131), DS21298 (MCP3204, MCP3208).
"""

from clockfree_board.emitters import const, micropython, ptr8

NO_ANSWER = -1
NO_DROP = 1 << 20
"""Where the ADC does not answer: larger than any two drops, whatever the other one is."""

_CHANNELS = const(4)
_TOP = const(4095)


class ConverterError(Exception):
    """A converter does not answer."""


class Latch:
    """The LDAC line of any number of DACs: called, it lets all their outputs switch together."""

    def __init__(self, ldac):
        self._ldac = ldac
        ldac(1)

    def __call__(self):
        """Switch every output to what was last written."""
        self._ldac(0)
        self._ldac(1)


class Mcp4728:
    """MCP4728 on I2C: four 12-bit outputs, code / 4096 of V_DD each.

    Its outputs stay as they are while LDAC is high: `Latch` switches them.
    """

    def __init__(self, i2c, address=0x60):
        self._i2c = i2c
        self._address = address
        # Multi-write, three bytes a channel: 01000 DAC1 DAC0 UDAC, V_REF PD1 PD0 G and code. UDAC 1 waits for
        # LDAC; V_REF 0 is V_DD.
        self._frame = bytearray(3 * _CHANNELS)
        for channel in range(_CHANNELS):
            self._frame[3 * channel] = 0x41 | channel << 1

    def write(self, codes):
        """Write the input registers of the first channels, up to four codes 0..4095, with no output moving yet.

        Raises ValueError outside these bounds, and ConverterError where the chip does not answer.
        """
        if len(codes) > _CHANNELS:
            raise ValueError("%d codes for %d channels" % (len(codes), _CHANNELS))
        frame = self._frame
        for channel, code in enumerate(codes):
            if not 0 <= code <= _TOP:
                raise ValueError("code %d outside 0..%d" % (code, _TOP))
            frame[3 * channel + 1] = code >> 8
            frame[3 * channel + 2] = code & 0xFF
        try:
            self._i2c.writeto(self._address, memoryview(frame)[: 3 * len(codes)])
        except OSError:
            raise ConverterError("no DAC at 0x%02x" % self._address) from None


class Mcp4131:
    """MCP4131 on SPI, the mixer between V_F (terminal B) and V_D (terminal A): tap 0..128 is eta = tap / 128.

    SDI and SDO share one pin; reading it takes a slow clock (250 kHz) and a resistor in MOSI. Writing takes
    neither, so this driver only writes: `tap` is what it asked for last, UNKNOWN (-1) before.
    """

    highest = 128

    def __init__(self, spi, cs):
        self.tap = -1
        self._write = spi.write
        self._cs = cs
        cs(1)

    def set(self, tap):
        """Move the wiper; ValueError outside 0..128."""
        if not 0 <= tap <= self.highest:
            raise ValueError("tap %d outside 0..%d" % (tap, self.highest))
        self._cs(0)
        self._write(bytes((0x00, tap)))
        self._cs(1)
        self.tap = tap


class Mcp320x:
    """MCP3204 (4 channels) or MCP3208 (8) on SPI: 12 bits, single-ended, mode 0 or 3.

    At most 1 MHz at 2.7 V and 2 MHz at 5 V.
    """

    def __init__(self, spi, cs, channels=8):
        self.channels = channels
        self._transfer = spi.write_readinto
        self._cs = cs
        # Five zeros, start, single-ended, D2; D1 D0 and zeros: the 12 bits end on the last bit of the frame.
        self._frames = tuple([bytes((0x06 | channel >> 2, (channel & 3) << 6, 0)) for channel in range(channels)])
        self._answer = bytearray(3)
        self.answers = bytearray(12)
        self.drop = _drop
        cs(1)

    def nodes(self, channels):
        """Choose the four channels that `convert` takes."""
        answers = memoryview(self.answers)
        frames = [self._frames[channel] for channel in channels]
        self._chosen = tuple([self._cs, self._transfer] + frames + [answers[at : at + 3] for at in (0, 3, 6, 9)])

    @micropython.native
    def convert(self):
        """Convert four channels, as fast as the bus allows; ``drop(answers, 0)`` is that of the first two, 6 the other.

        A drop is the code of the first channel less that of the second, in 1/16 ADC code; NO_DROP without an answer.
        """
        cs, transfer, frame0, frame1, frame2, frame3, answer0, answer1, answer2, answer3 = self._chosen
        cs(0)
        transfer(frame0, answer0)
        cs(1)
        cs(0)
        transfer(frame1, answer1)
        cs(1)
        cs(0)
        transfer(frame2, answer2)
        cs(1)
        cs(0)
        transfer(frame3, answer3)
        cs(1)

    def read(self, channel):
        """Code 0..4095 of a channel; NO_ANSWER where the null bit before the code is not 0: no chip drives MISO."""
        cs = self._cs
        answer = self._answer
        cs(0)
        self._transfer(self._frames[channel], answer)
        cs(1)
        high = answer[1]
        if high & 0x10:
            return NO_ANSWER
        return (high & 0x0F) << 8 | answer[2]


@micropython.viper
def _drop(answers: ptr8, at: int) -> int:
    """Difference of two answers that begin at a byte of a buffer, 1/16 ADC code."""
    first = answers[at + 1]
    second = answers[at + 4]
    if (first | second) & 0x10:  # the null bit before the code is not 0: no chip drives MISO
        return 1 << 20  # NO_DROP
    return (((first & 0x0F) << 8 | answers[at + 2]) - ((second & 0x0F) << 8 | answers[at + 5])) << 4
