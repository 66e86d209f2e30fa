"""ADC and DAC chips at their buses, and what turns volts into codes."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence

import numpy as np

Code = Callable[[float], int]
"""Transfer of one ADC channel: volts to a code, from 0 on."""

_ANSWERS = [bytes((0xFF, 0xE0 | code >> 8, code & 0xFF)) for code in range(4096)]
_EDGES = np.arange(1, 4096) - 0.5
_WAVES = [np.sin(order * np.pi / 4096 * _EDGES) for order in (1, 2, 3, 4)]
PERFECT = array("d", _EDGES)
"""Levels of a perfect converter."""

_SIGNED_EDGES = np.arange(-4095, 4096) - 0.5
_SIGNED_WAVES = [np.sin(order * np.pi / 8192 * (_SIGNED_EDGES + 4096)) for order in (1, 2, 3, 4)]
SIGNED_PERFECT = array("d", _SIGNED_EDGES)
"""Levels of a perfect converter of 13 bits with a sign, whose codes begin at -4096."""


def code_transfer(
    reference_V: float,
    levels: Sequence[float] | None = None,
    offset_V: float = 0.0,
    gain: float = 1.0,
    gauss: Callable[[], float] | None = None,
) -> Code:
    """Transfer of a 12-bit ADC channel.

    Parameters
    ----------
    reference_V : code 4096 would be this many volts
    levels : (4095,) input, in codes, at which each next code begins (`smooth_levels`, `pico_levels`);
        None is a perfect converter, 0.5, 1.5, ... The channels of one chip share them.
    offset_V, gain : the channel's own: it converts gain * volts + offset
    gauss : callable giving the noise of one conversion, V
    """
    at = PERFECT if levels is None else levels
    per_volt = 4096 / reference_V
    scale, shift = gain * per_volt, offset_V * per_volt
    if gauss is None:
        return lambda volts: bisect_right(at, volts * scale + shift)
    return lambda volts: bisect_right(at, volts * scale + shift + gauss() * per_volt)


def smooth_levels(gauss: Callable[[], float], inl_lsb: float = 1.0) -> array:
    """Code levels of an MCP3204-B: a smooth bow, its largest integral nonlinearity `inl_lsb` (1 LSB at most, DS21298).

    `gauss` gives standard normal numbers, which shape the bow; its ends are true.
    """
    return _bowed(_EDGES, _WAVES, gauss, inl_lsb)


def signed_levels(gauss: Callable[[], float], inl_lsb: float = 1.0) -> array:
    """Code levels of an MCP3304-B: as `smooth_levels`, from -reference to reference (1 LSB at most, DS21697)."""
    return _bowed(_SIGNED_EDGES, _SIGNED_WAVES, gauss, inl_lsb)


def _bowed(edges: np.ndarray, waves: Sequence[np.ndarray], gauss: Callable[[], float], inl_lsb: float) -> array:
    # In place: a large network has an array of levels for each of its edges.
    bow, part = gauss() * waves[0], np.empty_like(edges)
    for order, wave in enumerate(waves[1:], start=2):
        bow += np.multiply(wave, gauss() / order, out=part)
    bow *= inl_lsb / max(bow.max(), -bow.min())
    bow += edges
    return _levels(bow)


def pico_levels(gauss: Callable[[], float], inl_lsb: float = 8.0) -> array:
    """Code levels of an RP2040's own ADC: codes 512, 1536, 2560 and 3584 are too wide, by `inl_lsb`.

    The others make up for it, which gives a saw of +-inl_lsb / 2; a smooth bow of up to inl_lsb / 2 is added.
    """
    widths = np.full(4096, 1.0 - inl_lsb / 1024)
    widths[512::1024] += inl_lsb
    return _levels(np.cumsum(widths)[:-1] - 0.5 + smooth_levels(gauss, inl_lsb / 2) - _EDGES)


def _levels(codes: np.ndarray) -> array:
    """As an array, which bisect reads fastest; by its bytes, since one by one takes longer than all else here."""
    levels = array("d")
    levels.frombytes(memoryview(codes).cast("B"))
    return levels


def pico_u16(volts: Callable[[], float], code: Code) -> Callable[[], int]:
    """An input of an RP2040's own ADC, as machine.ADC.read_u16: 12 bits, the upper four repeated below."""

    def read_u16() -> int:
        raw = code(volts())
        return raw << 4 | raw >> 8

    return read_u16


class _SerialAdc:
    """What Microchip's ADCs on SPI have in common.

    After CS falls, leading zeros are skipped; then start, SGL/DIFF, D2, D1, D0, one clock in which the input is held, a
    null bit, the code with its highest bit first, the same with the lowest first, and zeros. Until the null bit DOUT
    floats.
    """

    bits = 12  # of a code

    def __init__(self) -> None:
        self.present = True
        self._heard = b""  # since CS fell
        self._code: int | None = None  # held input, converted

    def release(self) -> None:
        """CS rises: the conversion is over."""
        self._heard = b""
        self._code = None

    def transfer(self, sent: bytes) -> bytes:
        """Bytes on DIN in, bytes on DOUT out."""
        before = len(self._heard)
        heard = self._heard = self._heard + sent
        clocks = 8 * len(heard)
        bits = int.from_bytes(heard, "big")
        start = clocks - bits.bit_length()  # index of the first 1, the start bit
        answer = [1] * clocks
        if bits and clocks > start + 5:
            if self._code is None:
                command = bits >> clocks - start - 5
                self._code = self._convert(command >> 3 & 1, command & 7)
            high_first = [self._code >> i & 1 for i in reversed(range(self.bits))]
            out = [0, *high_first, *high_first[-2::-1]]
            answer[start + 6 :] = (out + [0] * clocks)[: clocks - start - 6]
        packed = sum(bit << clocks - 1 - i for i, bit in enumerate(answer))
        return packed.to_bytes(len(heard), "big")[before:]

    def _convert(self, single: int, number: int) -> int:
        """Code of what SGL/DIFF and D2, D1, D0 choose."""
        raise NotImplementedError


class Mcp3208Chip(_SerialAdc):
    """MCP3208: eight channels, single-ended, on SPI [Microchip DS21298].

    Parameters
    ----------
    volts : called with a channel, gives its voltage
    codes : transfer of each channel
    """

    channels = 8

    def __init__(self, volts: Callable[[int], float], codes: Sequence[Code]) -> None:
        if len(codes) != self.channels:
            raise ValueError(f"{len(codes)} transfers for {self.channels} channels")
        super().__init__()
        self._volts = volts
        self._codes = codes
        self._channel = 0  # converted last
        self._frames: dict[bytes, int] = {}  # whole conversations in three bytes, and their channel

    def transfer(self, sent: bytes) -> bytes:
        """Bytes on DIN in, bytes on DOUT out."""
        if self._heard:
            return super().transfer(sent)
        channel = self._frames.get(sent)
        if channel is not None:
            self._heard = sent
            self._code = code = self._codes[channel](self._volts(channel))
            return _ANSWERS[code]
        answer = super().transfer(sent)
        if len(sent) == 3 and sent[0] >> 2 == 1:  # the start bit is such that the code ends with the frame
            self._frames[sent] = self._channel
        return answer

    def _convert(self, single: int, number: int) -> int:
        if not single:
            raise NotImplementedError("differential conversions are not modelled")
        self._channel = channel = number % self.channels
        return self._codes[channel](self._volts(channel))


class Mcp3204Chip(Mcp3208Chip):
    """MCP3204: four channels; D2 means nothing."""

    channels = 4


class Mcp3304Chip(_SerialAdc):
    """MCP3304: four differential pairs, CH0-CH1 to CH6-CH7, on SPI [Microchip DS21697].

    D2 and D1 are the pair, D0 swaps its inputs; a code is a sign bit and 12 more.

    Parameters
    ----------
    volts : called with an input, 0 to 7, gives its voltage
    codes : transfer of the difference on each pair, which counts its codes from -4096 on: 0..8191 (`SIGNED_PERFECT`)
    """

    pairs = 4
    bits = 13

    def __init__(self, volts: Callable[[int], float], codes: Sequence[Code]) -> None:
        if len(codes) != self.pairs:
            raise ValueError(f"{len(codes)} transfers for {self.pairs} pairs")
        super().__init__()
        self._volts = volts
        self._codes = codes

    def _convert(self, single: int, number: int) -> int:
        if single:
            raise NotImplementedError("single-ended conversions are not modelled")
        pair, swapped = number >> 1, number & 1
        plus, minus = 2 * pair + swapped, 2 * pair + 1 - swapped
        return self._codes[pair](self._volts(plus) - self._volts(minus)) - 4096


class Mcp4728Chip:
    """MCP4728: four 12-bit outputs on I2C, with input registers behind the output registers [Microchip DS22187].

    The multi-write command is decoded; the others (fast write, writes to the EEPROM, ...) raise
    NotImplementedError. While LDAC is low, and where the command's UDAC bit is 0, what is written
    shows at once; else when LDAC falls.

    Parameters
    ----------
    on_outputs : called with the four output voltages, V, whenever they switch
    supply_V : V_DD

    Attributes
    ----------
    outputs_V : voltages now: zero at power-on
    """

    def __init__(self, on_outputs: Callable[[list[float]], object], supply_V: float) -> None:
        self.present = True
        self.outputs_V = [0.0] * 4
        self._supply_V = supply_V
        self._on_outputs = on_outputs
        self._ldac = 1
        self._inputs = [(0, 0)] * 4  # V_REF PD1 PD0 G, code

    def power_cycle(self) -> None:
        """The supply went away and came back: its EEPROM has all outputs at zero."""
        self._inputs = [(0, 0)] * 4
        self._switch(range(4))

    def ldac(self, level: int | None = None) -> int | None:
        """LDAC, active low: all outputs take over their input registers."""
        if level is None:
            return self._ldac
        falling = self._ldac and not level
        self._ldac = 1 if level else 0
        if falling:
            self._switch(range(4))
        return None

    def write(self, data: bytes) -> None:
        """Bytes after the address."""
        if data and data[0] >> 3 != 0b01000:
            raise NotImplementedError(f"command 0x{data[0]:02x} is not modelled")
        for at in range(0, len(data) - 2, 3):  # an unfinished channel changes nothing
            select, high, low = data[at : at + 3]
            channel = select >> 1 & 3
            self._inputs[channel] = (high >> 4, (high & 0xF) << 8 | low)
            if not self._ldac:
                self._switch(range(4))
            elif not select & 1:
                self._switch((channel,))

    def read(self, count: int) -> bytes:
        """Input registers and EEPROM of each channel, three bytes each; the EEPROM holds zeros."""
        data = bytearray()
        for channel, (setting, code) in enumerate(self._inputs):
            head = 0xC0 | channel << 4  # ready, powered, address bits 000
            data += bytes((head, setting << 4 | code >> 8, code & 0xFF, head, 0, 0))
        return bytes(data[:count]).ljust(count, b"\xff")

    def _switch(self, channels: Sequence[int]) -> None:
        for channel in channels:
            setting, code = self._inputs[channel]
            if setting >> 1 & 3:  # powered down, to ground
                volts = 0.0
            elif setting & 8:  # its own reference of 2.048 V, times one or two
                volts = min(self._supply_V, 2.048 * (1 + (setting & 1)) * code / 4096)
            else:
                volts = self._supply_V * code / 4096
            self.outputs_V[channel] = volts
        self._on_outputs(self.outputs_V)
