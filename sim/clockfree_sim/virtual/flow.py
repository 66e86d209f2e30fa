"""Bytes on their way through a board's port, in one direction."""

from collections.abc import Callable

from clockfree_sim.virtual.loop import WallTime

_HELD_BYTES = 4096
_PACKET_BYTES = 64  # of USB
_US_PER_BYTE = 50  # 20 kB/s, what a Pico's port makes


class Flow:
    """At most so many bytes held, and at a Pico's pace at most so many a second.

    Parameters
    ----------
    time : WallTime
    paced : bool
    pump : callable
        Called when what was held back may go on.
    """

    def __init__(self, time: WallTime, paced: bool, pump: Callable[[], None]):
        self.held = bytearray()
        self._time, self._paced, self._pump = time, paced, pump
        self._most = _PACKET_BYTES if paced else _HELD_BYTES
        self._free_us = 0
        self._waiting = False

    @property
    def room(self) -> int:
        """How many more bytes may be held."""
        return max(0, self._most - len(self.held))

    def ready(self) -> bool:
        """True if there is something that may go on now."""
        if not self.held:
            return False
        if not self._paced or self._time.now_us >= self._free_us:
            return True
        if not self._waiting:
            self._waiting = True
            self._time.later(self._free_us, self._again)
        return False

    def went(self, count: int) -> None:
        """So many bytes have gone on."""
        del self.held[:count]
        if self._paced:
            self._free_us = self._time.now_us + count * _US_PER_BYTE

    def _again(self) -> None:
        self._waiting = False
        self._pump()
