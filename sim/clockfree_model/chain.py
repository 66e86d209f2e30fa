"""Chain of checksums through a log: each line ends with the CRC-32 of its own text and of all lines before it.

A changed byte, a line that is gone, one that was put in, or two in another order break it where that happened. Lines
cut off at the end do not: that the record of the end is missing shows them.
"""

import json
import re
from binascii import crc32
from typing import Any

SEALED = 3
"""Format of a log from which on it has checksums."""
_TAIL = re.compile(rb',"crc":"([0-9a-f]{8})"\}\n\Z')
_LENGTH = len(b',"crc":"00000000"}\n')


class Chain:
    """The chain up to some line."""

    def __init__(self) -> None:
        self._crc = 0

    @property
    def crc(self) -> str:
        """The checksum of the last line."""
        return f"{self._crc:08x}"

    def sealed(self, fields: dict[str, Any]) -> bytes:
        """The next line: JSON, with its checksum as the last field, and a newline."""
        return self.ended(json.dumps(fields, separators=(",", ":"), allow_nan=False).encode("ascii")[:-1])

    def ended(self, text: bytes) -> bytes:
        """The next line, of a JSON object without its closing brace."""
        self._crc = crc32(text, self._crc)
        return text + b',"crc":"%08x"}\n' % self._crc

    def holds(self, line: bytes) -> bool:
        """Whether a line is the next one; if it has a checksum at all the chain goes on with that."""
        tail = _TAIL.search(line, max(0, len(line) - _LENGTH))
        if tail is None:
            return False
        told = int(tail[1], 16)
        found, self._crc = crc32(line[:-_LENGTH], self._crc), told
        return found == told


def sealed(first: dict[str, Any]) -> bool:
    """Whether the log that begins with this record has checksums."""
    found = first.get("format")
    return isinstance(found, int) and found >= SEALED
