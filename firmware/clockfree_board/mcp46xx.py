"""MCP4661 on I2C: both wipers of an edge step in one message.

Command bytes, and that one message may go on to the other wiper: Microchip DS22107, section 7.
"""

from clockfree_board.pots import UNKNOWN, Mcp4xxx, PotError


class Mcp46xx(Mcp4xxx):
    """MCP4661: 257 codes a wiper; the second one moves a byte of the message, 9 clocks, after the first.

    Nothing is ever written to its EEPROM, where its wipers take their start from.

    Parameters
    ----------
    i2c : machine.I2C or the like, up to 400 kHz
    address : 7 bits
    lowest, reverse, highest, steps : as in pots.Mcp4xxx
    """

    def __init__(self, i2c, address, lowest=0, reverse=False, highest=255, steps=256):
        Mcp4xxx.__init__(self, lowest, reverse, highest, steps)
        self._send = i2c.writeto
        self._receive = i2c.readfrom_into
        self._address = address
        self._asks = (b"\x0c", b"\x1c")
        self._answer = bytearray(2)

    def step(self, step):
        """As pots.Mcp42xx.step; what is not acknowledged did not understand."""
        tap = self.tap
        if tap < 0:
            return False
        try:
            understood = self._send(self._address, self._frames[step]) == 2
        except OSError:
            understood = False
        self.tap = tap + step if understood else UNKNOWN
        return understood

    def _write(self, frame):
        try:
            understood = self._send(self._address, frame) == len(frame)
        except OSError:
            understood = False
        if not understood:
            raise PotError("pot does not answer")

    def _codes(self):
        return self._code(0), self._code(1)

    def _code(self, wiper):
        answer = self._answer
        try:
            self._send(self._address, self._asks[wiper], False)  # and no stop: the read belongs to it
            self._receive(self._address, answer)
        except OSError:
            raise PotError("pot does not answer") from None
        return (answer[0] & 1) << 8 | answer[1]
