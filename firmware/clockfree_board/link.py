"""The link between host and board: one message a line, a JSON array sealed by its CRC.

    ["tap",7,0,63]*1b2c3d4e

Body, ``*``, the CRC-32 of the body's bytes in eight lowercase hex digits, newline. The body is printable ASCII, so
that Ctrl-C stays Ctrl-C and a person can always break in; any other text on the line is not a message and is never
parsed. Commands are ``[kind, id, ...]`` and answered by ``["ok", id, ...]`` or ``["no", id, reason]``; telemetry is
``[kind, n, ...]`` with a number that shows what was lost. Both count modulo 2**30, each for itself.
"""

import json
from binascii import crc32

VERSION = "0.3.0"
PROTOCOL = 5
TO_BOARD = 512  # bytes of a line to a board, newline included
TO_HOST = 4096
NUMBERS = 1 << 30

HOLD = "hold"
RUN = "run"

FIRINGS, UP, DOWN, RAIL, DROPPED, SKIPPED, ERRORS = COUNTERS = (
    "firings", "up", "down", "rail", "dropped", "skipped", "errors",
)  # fmt: skip
EDGE_ROW = ("tap",) + COUNTERS + ("age_us", "late_us", "a", "b", "seed_low", "seed_high")
ARMED = (
    "run", "clock", "mean_us", "late_us", "floor_c16", "dither_c16", "bar_c16", "seed_low", "seed_high", "index",
    "order",
)  # fmt: skip
"""Fields of what an edge is told before it runs: its run, kind of clock, waits, threshold, what seeds its clock, and
the order of its rule."""
FIRING_ROW = ("edge", "t_us", "a", "b", "step", "tap_after")

_TAIL = 9  # the star and the CRC
SEALED = 1 + _TAIL + 1
"""Length of what ends a line: bracket, star, CRC, newline."""


def _plain(body):
    """True where every byte is printable ASCII."""
    return min(body) >= 0x20 and max(body) <= 0x7E


def seal(message):
    """The line of a message, newline included: bytes.

    Raises ValueError where it is not a list, or its text is not printable ASCII.
    """
    body = json.dumps(message, separators=(",", ":")).encode()
    if not isinstance(message, list) or not _plain(body):
        raise ValueError("a message is a list in printable ASCII")
    return body + b"*%08x\n" % crc32(body)


def opened(line):
    r"""The message in a line without its newline, or None where it is anything but a whole sealed line.

    The CRC is taken over the bytes as they came, never over a re-encoding; one ``\r`` at the end is dropped.
    """
    if line[-1:] == b"\r":
        line = line[:-1]
    body = line[:-_TAIL]
    if not body or line[-_TAIL:] != b"*%08x" % crc32(body) or not _plain(body):
        return None
    try:
        message = json.loads(body)
    except (ValueError, RuntimeError, MemoryError):  # a nesting too deep is a RuntimeError
        return None
    return message if isinstance(message, list) else None


class Lines:
    """Cuts what arrives into lines, in constant memory.

    Parameters
    ----------
    most : int
        Bytes of a line, newline included; a longer one is thrown away up to its newline.
    """

    def __init__(self, most):
        self._room = most - 1
        self._held = bytearray()
        self._over = False

    def feed(self, data):
        """Take bytes as they come; returns the lines they complete, without their newlines."""
        lines: list[bytes] = []
        start = 0
        while True:
            end = data.find(b"\n", start)
            stop = len(data) if end < 0 else end
            if self._over or len(self._held) + stop - start > self._room:
                self._over = True
                self._held = bytearray()
            else:
                self._held.extend(data[start:stop])
            if end < 0:
                return lines
            if not self._over:
                lines.append(bytes(self._held))
                self._held = bytearray()
            self._over = False
            start = end + 1
