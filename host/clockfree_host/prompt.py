"""What a flash says at a board's prompt: short programs in MicroPython, and how files are packed into them.

Every byte counts: a Pico's port takes 20 kB/s or so. Files go deflated, as literals in the program itself.
"""

import zlib
from collections.abc import Sequence

NEW = ".new"
"""Ends the name of a file that is not whole, or not yet in its place."""
PART = 8192
"""Bytes of a file that are packed and sent in one go: a small heap has room for that."""
WINDOW = 12
"""2**12 bytes: the window of the board's inflater, which lies in its heap."""

LOADED = "import sys\nprint('clockfree.hw' in sys.modules)"
"""Is the firmware in memory, running or stopped?"""

SURVEY = f"""
import os,sys,json
from hashlib import sha256
from binascii import hexlify
try:
 import deflate,io
except ImportError:
 deflate=None
def _h(p):
 h=sha256()
 with open(p,'rb') as f:
  while 1:
   b=f.read(512)
   if not b:break
   h.update(b)
 return hexlify(h.digest()[:8]).decode()
def _l(d,k):
 try:
  return {{d+e[0]:_h(d+e[0]) for e in os.ilistdir(d[:-1] or d) if e[1]==0x8000 and k(e[0])}}
 except OSError:
  return {{}}
_f=_l('/',lambda n:n.split({NEW!r})[0] in ('main.py','clockfree.json'))
_f.update(_l('/clockfree/',lambda n:n.split('.')[-1] in ('py','mpy',{NEW[1:]!r})))
print(json.dumps([getattr(sys.implementation,'_mpy',0),sys.version.split('; ')[-1],bool(deflate),_f]))
"""
"""Prints `[_mpy, MicroPython's version, does it inflate, {path: SHA-256 so far as BoardFile.digest has it}]`.

The files are the firmware's own, or would be in its way.
"""

WRITER = f"""
def _w(p,m,d):
 with open(p,m) as f:
  if deflate:
   d=deflate.DeflateIO(io.BytesIO(d),deflate.RAW,{WINDOW})
   while 1:
    b=d.read(512)
    if not b:break
    f.write(b)
  else:
   f.write(d)
try:
 os.mkdir('/clockfree')
except OSError:
 pass
"""
"""What `write` needs; goes after SURVEY."""

RESET = "import machine\nmachine.reset()"

_ESCAPED = {*range(6), *b"\n\r", 0x11, 0x13}  # ends of lines, what the REPL takes for a command, XON and XOFF


def pack(data: bytes) -> bytes:
    """Bytes deflated, without header."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -WINDOW)
    return packer.compress(data) + packer.flush()


def write(path: str, first: bool, packed: bytes) -> bytes:
    """Begin a new file, or go on with it; `packed` is as it is where the board cannot inflate."""
    return b"_w(%a,%a,%b)" % (path + NEW, "wb" if first else "ab", literal(packed))


def read_back(path: str) -> str:
    """Print the hash of a new file."""
    return f"print(_h({path + NEW!r}))"


def put_in_place(paths: Sequence[str], stale: Sequence[str]) -> str:
    """Rename new files to their names, then remove what would be in their way."""
    return f"for p in {[*paths]}:os.rename(p+{NEW!r},p)\n{remove(stale)}"


def remove(paths: Sequence[str]) -> str:
    """Remove those of the files that are there."""
    return f"for p in {[*paths]}:\n try:\n  os.remove(p)\n except OSError:\n  pass"


def literal(data: bytes) -> bytes:
    """Bytes as MicroPython's source, which may hold any byte in a literal but a few: 7% longer, where base64 is 33%."""
    text = bytearray(b"b'")
    for byte, after in zip(data, [*data[1:], 0]):
        if byte in _ESCAPED:
            # An octal escape takes up to three digits, so all three where a digit follows.
            text += b"\\%03o" % byte if chr(after).isdecimal() else b"\\%o" % byte
        elif byte in b"'\\":
            text += b"\\%c" % byte
        else:
            text.append(byte)
    return bytes(text + b"'")
