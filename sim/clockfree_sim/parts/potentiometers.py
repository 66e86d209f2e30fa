"""Digital potentiometers at their pins: what a driver sends moves wipers, or is refused as the chip would.

Each chip tells the circuit through `on_wiper(wiper, tap)` that wiper 0 (free twin) or 1 (clamped
twin) has moved; the tap counts from terminal B. Construction tells nothing: `wipers` holds the
taps at power-on.
"""

from collections.abc import Callable

OnWiper = Callable[[int, int], object]
Moves = tuple[tuple[tuple[int, int], ...], bytes]

_WRITE, _INCREMENT, _DECREMENT, _READ = range(4)
_TCON = 0x4
_STATUS = 0x5


class Mcp4xxxChip:
    """MCP4131 (one wiper) or MCP4231 (two): 7-bit, volatile, on SPI [Microchip DS22060]; MCP4251 is the 8-bit one.

    A command byte is AAAA CC D9 D8. Increment and decrement end there; write and read take one
    more byte. SDO is high but for bit 1 of the command byte (CMDERR) and the bits of a read. A
    combination that is not in the memory map clears CMDERR, and from there on everything is
    ignored and answered by zeros until CS rises. A command cut short by CS is not executed.
    A wiper moves at the eighth clock of an increment or decrement, the sixteenth of a write.

    Parameters
    ----------
    on_wiper : called with (wiper, tap 0..TOP) whenever a wiper moves
    wipers : number of wipers, 1 or 2

    Attributes
    ----------
    wipers : wiper registers, half of TOP at power-on. A driver can write up to 0x1FF; above TOP the wiper
        stays at terminal A (tap TOP) and does not count.
    tcon : terminal control register; kept and read back, its switches have no effect here
    present : False is a chip that is unplugged: it hears nothing and drives nothing
    """

    TOP = 128  # terminal A

    def __init__(self, on_wiper: OnWiper, wipers: int = 2) -> None:
        self.present = True
        self.wipers = [self.TOP // 2] * wipers
        self.tcon = 0x1FF
        self._on_wiper = on_wiper
        self._pending = -1  # the write or read command that waits for its data byte
        self._refusing = False
        self._fresh = True
        self._known: dict[bytes, Moves | tuple[()]] = {}

    def power_cycle(self) -> None:
        """The supply went away and came back: mid tap, whatever was learnt is lost."""
        self.release()
        self.tcon = 0x1FF
        for wiper in range(len(self.wipers)):
            self._put(wiper, self.TOP // 2)

    def release(self) -> None:
        """CS rises: a command error is cleared and an unfinished command is dropped."""
        if not self._fresh:
            self._pending = -1
            self._refusing = False
            self._fresh = True

    def transfer(self, sent: bytes) -> bytes:
        """Bytes on SDI in, bytes on SDO out."""
        if self._fresh:
            known = self._known.get(sent)
            if known is None:
                known = self._known[sent] = self._decode(sent)
            if known:  # the hot path: the same bytes always mean the same moves
                moves, answer = known
                wipers = self.wipers
                for wiper, delta in moves:
                    before = wipers[wiper]
                    tap = before + delta
                    if 0 <= tap <= self.TOP >= before:
                        wipers[wiper] = tap
                        self._on_wiper(wiper, tap)
                return answer
        return bytes([self._byte(byte) for byte in sent])

    def _decode(self, sent: bytes) -> Moves | tuple[()]:
        """Moves and answer of a frame of increments and decrements; empty where it holds anything else."""
        moves = []
        for byte in sent:
            address, command = byte >> 4, byte >> 2 & 3
            if address >= len(self.wipers) or command not in (_INCREMENT, _DECREMENT):
                return ()
            moves.append((address, 1 if command == _INCREMENT else -1))
        return tuple(moves), b"\xff" * len(sent)

    def _byte(self, byte: int) -> int:
        self._fresh = False
        if self._refusing:
            return 0x00
        if self._pending >= 0:
            return self._data_byte(byte)
        address, command = byte >> 4, byte >> 2 & 3
        if address < len(self.wipers):
            if command in (_INCREMENT, _DECREMENT):
                tap = self.wipers[address] + (1 if command == _INCREMENT else -1)
                if 0 <= tap <= self.TOP >= self.wipers[address]:
                    self._put(address, tap)
                return 0xFF
        elif (address, command) not in ((_TCON, _WRITE), (_TCON, _READ), (_STATUS, _READ)):
            self._refusing = True
            return 0xFC
        self._pending = byte
        return 0xFF if command == _WRITE else 0xFE | self._register(address) >> 8

    def _data_byte(self, byte: int) -> int:
        address, command = self._pending >> 4, self._pending >> 2 & 3
        value = (self._pending & 1) << 8 | byte
        self._pending = -1
        if command == _READ:
            return self._register(address) & 0xFF
        if address == _TCON:
            self.tcon = value
        else:
            self._put(address, value)
        return 0xFF

    def _register(self, address: int) -> int:
        if address == _TCON:
            return self.tcon
        if address == _STATUS:
            return 0x1E0  # bits 8..5 read 1; the others 0 while SHDN is high
        return self.wipers[address]

    def _put(self, wiper: int, value: int) -> None:
        if value != self.wipers[wiper]:
            self.wipers[wiper] = value
            self._on_wiper(wiper, min(value, self.TOP))


class Mcp4251Chip(Mcp4xxxChip):
    """MCP4251: two wipers of 257 taps, whose ninth bit goes with the command byte."""

    TOP = 256


class Mcp4131Chip(Mcp4xxxChip):
    """MCP4131 as a mixer, written only: SDI and SDO are one pin, which is wired to MOSI and not to MISO."""

    def __init__(self, on_wiper: OnWiper) -> None:
        super().__init__(on_wiper, wipers=1)

    @property
    def eta(self) -> float:
        """Share of terminal A in the wiper's voltage, 0..1."""
        return min(self.wipers[0], self.TOP) / self.TOP

    def transfer(self, sent: bytes) -> bytes:
        """Bytes on SDI in; MISO floats."""
        super().transfer(sent)
        return b"\xff" * len(sent)


class Ad5220PairChip:
    """Two AD5220 on shared CLK, U/D and CS lines: 128 positions, counters that stop at their ends.

    A falling edge of CLK while CS is low counts both, up while U/D is high. Each counts for
    itself, so that an offset between them is lost at an end stop. The pins `clk`, `up_down`
    and `cs` read with no argument and take 0 or 1.

    Parameters
    ----------
    on_wiper : called with (wiper, tap 0..127) whenever a wiper moves
    """

    LAST = 127

    def __init__(self, on_wiper: OnWiper) -> None:
        self.wipers = [64, 64]
        self._on_wiper = on_wiper
        self._clk = 0  # a board's pin in reset is pulled low
        self._up_down = 0
        self._cs = 1  # by its pull-up

    def power_cycle(self) -> None:
        """The supply went away and came back: both wipers at mid tap."""
        for wiper in (0, 1):
            self._put(wiper, 64)

    def clk(self, level: int | None = None) -> int | None:
        """CLK (INC on an X9C): the wipers move on its falling edge."""
        if level is None:
            return self._clk
        falling = self._clk and not level
        self._clk = 1 if level else 0
        if falling and not self._cs:
            self._count(1 if self._up_down else -1)
        return None

    def up_down(self, level: int | None = None) -> int | None:
        """U/D: high counts towards terminal A."""
        if level is None:
            return self._up_down
        self._up_down = 1 if level else 0
        return None

    def cs(self, level: int | None = None) -> int | None:
        """CS, active low."""
        if level is None:
            return self._cs
        self._cs = 1 if level else 0
        return None

    def _count(self, delta: int) -> None:
        for wiper in (0, 1):
            self._put(wiper, self.wipers[wiper] + delta)

    def _put(self, wiper: int, tap: int) -> None:
        if 0 <= tap <= self.LAST and tap != self.wipers[wiper]:
            self.wipers[wiper] = tap
            self._on_wiper(wiper, tap)


class Ad5222Chip(Ad5220PairChip):
    """AD5222: as a pair of AD5220, but MODE and DACSEL say which wiper a pulse counts.

    MODE low: both, and their offset is kept: where one has reached its end the other stops too.
    MODE high: wiper 0 while DACSEL is low, wiper 1 while it is high.
    """

    def __init__(self, on_wiper: OnWiper) -> None:
        super().__init__(on_wiper)
        self._mode = 0
        self._dacsel = 0

    def mode(self, level: int | None = None) -> int | None:
        """MODE: low moves both wipers together."""
        if level is None:
            return self._mode
        self._mode = 1 if level else 0
        return None

    def dacsel(self, level: int | None = None) -> int | None:
        """DACSEL: the wiper that moves while MODE is high."""
        if level is None:
            return self._dacsel
        self._dacsel = 1 if level else 0
        return None

    def _count(self, delta: int) -> None:
        if self._mode:
            self._put(self._dacsel, self.wipers[self._dacsel] + delta)
        elif all(0 <= tap + delta <= self.LAST for tap in self.wipers):
            super()._count(delta)


class X9c104PairChip(Ad5220PairChip):
    """Two X9C104 on shared INC (`clk`), U/D and CS lines: 100 taps, and an EEPROM each.

    CS rising while INC is high stores both taps; power-on recalls them.

    Attributes
    ----------
    stored : taps in the EEPROMs
    stores : EEPROM writes so far
    """

    LAST = 99

    def __init__(self, on_wiper: OnWiper, stored: tuple[int, int] = (0, 0)) -> None:
        super().__init__(on_wiper)
        self.stored = list(stored)
        self.stores = 0
        self.wipers = list(stored)

    def power_cycle(self) -> None:
        """The supply went away and came back: the stored taps are recalled."""
        for wiper in (0, 1):
            self._put(wiper, self.stored[wiper])

    def cs(self, level: int | None = None) -> int | None:
        """CS, active low; its rising edge stores while INC is high."""
        if level and not self._cs and self._clk:
            self.stored = list(self.wipers)
            self.stores += 1
        return super().cs(level)
