"""The MCP4661 at its bus: messages move wipers, or are not acknowledged, as the chip would have it."""

import errno

from clockfree_sim.parts.potentiometers import OnWiper

_WRITE, _INCREMENT, _DECREMENT, _READ = range(4)
_STORED = 0x2  # and 0x3: where the wipers start
_TCON = 0x4
_STATUS = 0x5
_RESERVED = 0x1E0  # bits of the status that read 1


class Mcp4661Chip:
    """MCP4661: two wipers of 257 taps on I2C, their start in EEPROM [Microchip DS22107, sections 4 and 7].

    A command byte is AAAA CC D9 D8; a write takes one more byte. A message may hold any number of commands, and a
    wiper moves at the acknowledge of each. What is not in the memory map is not acknowledged, and ends the message. A
    read is of the address that was last named.

    Parameters
    ----------
    on_wiper : called with (wiper, tap 0..256) whenever a wiper moves

    Attributes
    ----------
    wipers : wiper registers. Above 256 a wiper stays at terminal A (tap 256) and does not count.
    stored : their values in EEPROM, which power-on recalls; a new chip has mid scale there
    stores : EEPROM writes so far
    present : False is a chip that is unplugged
    """

    TOP = 256  # terminal A

    def __init__(self, on_wiper: OnWiper) -> None:
        self.present = True
        self.stored = [128, 128]
        self.stores = 0
        self.wipers = list(self.stored)
        self._registers = {_TCON: 0x1FF, _STATUS: _RESERVED, **dict.fromkeys(range(6, 16), 0)}
        self._on_wiper = on_wiper
        self._named = 0

    def power_cycle(self) -> None:
        """The supply went away and came back: whatever was learnt is lost."""
        self._registers[_TCON] = 0x1FF
        self._named = 0
        for wiper, tap in enumerate(self.stored):
            self._put(wiper, tap)

    def write(self, data: bytes) -> None:
        """A message; OSError where it is not acknowledged to its end."""
        rest = iter(data)
        for byte in rest:
            self._named, command = byte >> 4, byte >> 2 & 3
            if command in (_INCREMENT, _DECREMENT) and self._named < 2:
                tap = self.wipers[self._named] + (1 if command == _INCREMENT else -1)
                if 0 <= tap <= self.TOP >= self.wipers[self._named]:
                    self._put(self._named, tap)
            elif command == _WRITE and self._named != _STATUS:
                low = next(rest, None)
                if low is not None:  # else it was cut short, and is not executed
                    self._keep((byte & 1) << 8 | low)
            elif command != _READ:
                raise OSError(errno.EIO, "not acknowledged")

    def read(self, count: int) -> bytes:
        """Nine bits in two bytes, again and again."""
        value = self._value()
        return (bytes((value >> 8, value & 0xFF)) * count)[:count]

    def _value(self) -> int:
        if self._named < _STORED:
            return self.wipers[self._named]
        return self.stored[self._named - _STORED] if self._named < _TCON else self._registers[self._named]

    def _keep(self, value: int) -> None:
        if self._named < _STORED:
            self._put(self._named, value)
            return
        self.stores += self._named != _TCON
        if self._named < _TCON:
            self.stored[self._named - _STORED] = value
        else:
            self._registers[self._named] = value

    def _put(self, wiper: int, value: int) -> None:
        if value != self.wipers[wiper]:
            self.wipers[wiper] = value
            self._on_wiper(wiper, min(value, self.TOP))
