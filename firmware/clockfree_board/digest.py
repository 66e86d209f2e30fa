"""Digest of the code that a board runs: of its own files, read when it starts.

Beside compiled files a flash leaves what they are, in `made.txt`: the digest of the sources that they were made from,
and their own. Where the files are still those, the board tells that of the sources, which is the same for every chip
and compiler. Else it tells their own: of sources that is what it would be anyway, and of a file that was changed it is
another.
"""

import os
from hashlib import sha256

from clockfree_board.emitters import const

MADE = "made.txt"
MAIN = "main.py"
_PART = const(512)


def short(hashed):
    """The first 16 hex digits of a hash."""
    return "".join(["%02x" % byte for byte in hashed.digest()[:8]])


def code(package):
    """The digest of the files in a folder and of `/main.py`; None where there are none: frozen into MicroPython.

    Every file counts by name, length and contents, in the order of their names, `main.py` last.
    """
    try:
        names = sorted([entry[0] for entry in os.ilistdir(package) if entry[0].split(".")[-1] in ("py", "mpy")])
        own = _of([(name, package + "/" + name) for name in names] + [(MAIN, "/" + MAIN)])
    except OSError:
        return None
    try:
        with open(package + "/" + MADE) as file:
            sources, made = file.read().split()
    except (OSError, ValueError):
        return own
    return sources if made == own else own


def _of(files):
    hashed, part = sha256(), bytearray(_PART)
    view = memoryview(part)
    for name, path in files:
        hashed.update(("%s %d\n" % (name, os.stat(path)[6])).encode())
        with open(path, "rb") as file:
            while True:
                count = file.readinto(part)
                if not count:
                    break
                hashed.update(view[:count])
    return short(hashed)
