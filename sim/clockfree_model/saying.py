"""Everything that is said to a person goes through here, so that it is printable: names and texts are of other people.

A terminal does what control characters tell it; a file, or a board, has no business with it.
"""

import re
import sys
import threading
from contextlib import suppress

_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters but for newlines, and what turns the direction of a text round."""
_SAYING = threading.Lock()  # a print writes its newline apart


def printable(text: str) -> str:
    r"""A text with control characters as escapes, `\x1b`; newlines stay."""
    return text if text.isprintable() else _UNPRINTABLE.sub(lambda found: _escaped(found[0]), text)


def say(text: str) -> None:
    """One line on stderr; from any thread. Where nobody can read it, it is lost and nothing else is."""
    with _SAYING, suppress(OSError):
        print(printable(text).replace("\n", "\\n"), file=sys.stderr, flush=True)


def put(text: str) -> None:
    """Text on stdout."""
    print(printable(text))


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii") if ord(letter) > 0xFF else f"\\x{ord(letter):02x}"
