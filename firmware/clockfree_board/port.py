"""The port of a board: lines in and out, and nothing is ever waited for."""

import select

from clockfree_board.link import TO_BOARD, Lines, opened, seal

_ROOM = 2048  # bytes that may wait to be sent
_READ = 64  # bytes taken at a time: a command is a few times that


class Port:
    """Sealed messages over a pair of byte streams.

    What is sent waits in a queue and leaves as far as the port takes it; what finds no room is dropped, which the
    numbers of the telemetry and the retries of commands make good.

    Parameters
    ----------
    stdin, stdout : byte streams that can be polled
    gulp : int
        Bytes written at once to a port that says it is ready. A Pico's USB port is ready when it has room for one,
        and stalls everything for up to 500 ms if given more than it has room for: 1 there.
    """

    def __init__(self, stdin, stdout, gulp=1):
        self._read = stdin.read
        self._write = stdout.write
        self._gulp = gulp
        self._lines = Lines(TO_BOARD)
        self._queue = []
        self._waiting = 0  # bytes in the queue
        self._written = 0  # bytes of its first line that are gone
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
        return self._waiting > 0

    def listen(self, wait_ms):
        """Wait so long for bytes, or for room for those that wait to be sent; True if there is either."""
        return bool((self._both if self._waiting else self._in).poll(wait_ms))

    def messages(self):
        """The messages that the bytes now at the port complete; anything else on it is thrown away."""
        found = []
        for _ in range(_READ):
            if not self._in.poll(0):
                break
            data = self._read(1)
            if not data:
                break
            for line in self._lines.feed(data):
                message = opened(line)
                if message:
                    found.append(message)
        return found

    def send(self, message):
        """Queue a message; False, and nothing has changed, where there is no room for it."""
        line = seal(message)
        if self._waiting + len(line) > _ROOM:
            return False
        self._queue.append(line)
        self._waiting += len(line)
        return True

    def pump(self, gulps=16):
        """Write what the port takes at once, at most so many gulps."""
        while self._waiting and gulps and self._out.poll(0):
            line = self._queue[0]
            end = self._written + self._gulp
            self._write(line[self._written : end])
            if end < len(line):
                self._written = end
            else:
                self._queue.pop(0)
                self._waiting -= len(line)
                self._written = 0
            gulps -= 1
