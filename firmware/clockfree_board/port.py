"""The port of a board: lines in and out, a small step at a time, and nothing is ever waited for."""

import json
import select
from binascii import crc32

from clockfree_board.emitters import const, micropython
from clockfree_board.link import SEALED, TO_BOARD, Lines, opened

_ROOM = const(16)  # messages that may wait to be sent
_NOTHING = memoryview(b"")
_BROKEN = memoryview(b"               \n")  # ends a line that was begun; sixteen bytes, as all lines are multiples of


class Port:
    """Sealed messages over a pair of byte streams.

    What is sent waits in a queue and leaves piece by piece, as far as the port takes it: a line is made while it goes
    out, so that no step takes long, however long the line. What finds no room is dropped, which the numbers of the
    telemetry and the retries of commands make good.

    Parameters
    ----------
    stdin, stdout : byte streams that can be polled
    gulp : int
        Bytes written at once to a port that says it is ready. A Pico's USB port is ready when it has room for one byte,
        and stalls everything for up to 500 ms if given more than it has room for. Its room is a multiple of 16.
    pad : int
        Lines are made as long as a multiple of this, by spaces. Where all that is written comes in gulps of that
        length, room for one byte is room for all of them.
    """

    def __init__(self, stdin, stdout, gulp=1, pad=1):
        self._read = stdin.read
        self._write = stdout.write
        self._gulp = gulp
        self._pad = pad
        self._lines = Lines(TO_BOARD)
        self._heard = []  # lines that came, and are not opened yet
        self._queue = []  # messages to send, as iterators over their text
        self._making = None  # the one that is on its way
        self._held = _NOTHING  # what is made of it and not written yet
        self._crc = 0
        self._length = 0
        self._in = select.poll()
        self._in.register(stdin, select.POLLIN)
        self._out = select.poll()
        self._out.register(stdout, select.POLLOUT)
        self._both = select.poll()
        self._both.register(stdin, select.POLLIN)
        self._both.register(stdout, select.POLLOUT)

    @property
    def busy(self):
        """True while something waits to be sent."""
        return len(self._held) > 0 or self._making is not None or len(self._queue) > 0

    def listen(self, wait_ms):
        """Wait so long for bytes, or for room for those that wait to be sent; True if there is either."""
        return bool((self._both if self.busy else self._in).poll(wait_ms))

    # -- in ------------------------------------------------------------------------------------------------------

    @micropython.native
    def hear(self):
        """Take some of the bytes that are at the port; False where there are none."""
        if not self._in.poll(0):
            return False
        data = self._read(1)
        if not data:
            return False
        left = self._gulp // 2  # each costs a Pico as much as two that are written
        while left and self._in.poll(0):
            more = self._read(1)
            if not more:
                break
            data += more
            left -= 1
        self._heard.extend(self._lines.feed(data))
        return True

    @property
    def told(self):
        """True while a line waits that may be a message."""
        return len(self._heard) > 0

    def message(self):
        """The message in the first line that waits; None where it is anything else, which is thrown away."""
        return opened(self._heard.pop(0))

    # -- out -----------------------------------------------------------------------------------------------------

    def send(self, message):
        """Queue a message; False, and nothing has changed, where there is no room for it."""
        return self.tell(_whole(message))

    def tell(self, pieces):
        """Queue a message that is made on its way: an iterator over its text, but for the bracket that ends it."""
        if len(self._queue) >= _ROOM:
            return False
        self._queue.append(pieces)
        return True

    @micropython.native
    def pump(self):
        """One small step: write a gulp, or make another piece; False where neither can be done."""
        held = self._held
        count = len(held)
        if not count or (count < self._gulp and self._making is not None):
            return self._make()
        if not self._out.poll(0):
            return False
        gulp = self._gulp
        self._write(held[:gulp])
        self._held = held[gulp:]
        return True

    def _make(self):
        """Make another piece of the line that is on its way, or begin the next one."""
        making = self._making
        if making is None:
            if not self._queue:
                return False
            self._making = making = self._queue.pop(0)
            self._crc = self._length = 0
        try:
            text = next(making, None)
            if text is None:
                self._making = None
                piece = b" " * (-(self._length + SEALED) % self._pad) + b"]"
                piece += b"*%08x\n" % crc32(piece, self._crc)
            else:
                piece = text.encode()
                self._crc = crc32(piece, self._crc)
            self._length += len(piece)
            self._held = memoryview(bytes(self._held) + piece)
        except Exception:  # no memory for it: what there is of the line is no message
            self._making = None
            self._held = _BROKEN
        return True


def _whole(message):
    """A message at once."""
    yield json.dumps(message, separators=(",", ":"))[:-1]
