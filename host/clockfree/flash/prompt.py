"""Programs for a board's prompt while it is flashed, in MicroPython, and how files are packed into them.

Every byte counts: a Pico's port takes 20 kB/s or so. Files go deflated, as literals in the program itself.
"""

import functools
import re
import zlib
from collections.abc import Iterator, Sequence

from clockfree.base.firmware import MADE, PACKAGE
from clockfree.flash.firmware import BoardFile

NEW = ".new"
"""Ends the name of a file that is not whole, or not yet in its place."""
PART = 6144
"""Bytes that are packed, or sent, in one go: a small heap has room for that."""
WINDOW = 12
"""2**12 bytes: the window of the board's inflater, which lies in its heap."""

ROOM = 65536
"""Bytes of heap that the programs below are sure to get by with."""

OF_0_2 = "clockfree"
"""What the firmware's package was called up to version 0.2: a flash clears it off the board."""

MEMORY = f"""
import gc,sys
gc.collect()
print([int('{PACKAGE}.hw' in sys.modules or '{OF_0_2}.hw' in sys.modules),gc.mem_free()])
"""
"""Prints whether the firmware is in memory, running or stopped, and the free heap."""

SURVEY = f"""
import os,sys,json,machine
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
for _d in {PACKAGE!r},{OF_0_2!r}:
 _f.update(_l('/'+_d+'/',lambda n:n=={MADE!r} or n.split('.')[-1] in ('py','mpy',{NEW[1:]!r})))
_i=hexlify(machine.unique_id()).decode()
print(json.dumps([_i,getattr(sys.implementation,'_mpy',0),sys.version.split('; ')[-1],bool(deflate),_f]))
"""
"""Prints `[unique id, _mpy, MicroPython's version, does it inflate, {path: SHA-256 as BoardFile.digest has it}]`.

The files are the firmware's own, or would be in its way.
"""

WRITER = f"""
def _w(p,m,d):
 with open(p,m) as f:
  if deflate:
   d=deflate.DeflateIO(io.BytesIO(d),deflate.RAW,{WINDOW})
   while 1:
    b=d.read(1024)
    if not b:break
    f.write(b)
  else:
   f.write(d)
try:
 os.mkdir('/{PACKAGE}')
except OSError:
 pass
"""
"""What `write` needs; goes after SURVEY."""

RESET = "import machine\nmachine.reset()"

_ESCAPED = re.compile(rb"[\x00-\x05\n\r\x11\x13'\\](?=(\d?))")  # ends of lines, the REPL's commands, XON, XOFF


def write(files: Sequence[BoardFile], packs: bool) -> Iterator[tuple[bytes, list[BoardFile]]]:
    """Programs that write new files, each with the files whose hashes it prints: those that are whole then.

    Several small files go in one program, and a large one in several. `packs` is whether the board can inflate.
    """
    program, whole = b"", list[BoardFile]()
    for file in files:
        for start in range(0, max(1, len(file.data)), PART):
            part = _packed(file.data[start : start + PART], packs)
            if program and len(program) + len(part) > PART:
                yield program, whole
                program, whole = b"", []
            program += b"_w(%a,%a,%b)\n" % (file.path + NEW, "ab" if start else "wb", part)
        program += b"print(_h(%a))\n" % (file.path + NEW)
        whole.append(file)
    if program:
        yield program, whole


def put_in_place(paths: Sequence[str], stale: Sequence[str]) -> str:
    """Rename new files to their names, then remove what would be in their way, and the old package if it is empty."""
    emptied = f"\ntry:\n os.rmdir('/{OF_0_2}')\nexcept OSError:\n pass"
    return f"for p in {[*paths]}:os.rename(p+{NEW!r},p)\n{remove(stale)}{emptied}"


def remove(paths: Sequence[str]) -> str:
    """Remove those of the files that are there."""
    return f"for p in {[*paths]}:\n try:\n  os.remove(p)\n except OSError:\n  pass"


@functools.lru_cache(maxsize=256)
def _packed(part: bytes, packs: bool) -> bytes:
    """Part of a file as a literal; the same for every board that gets it."""
    return literal(pack(part) if packs else part)


def pack(data: bytes) -> bytes:
    """Bytes deflated, without header."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -WINDOW)
    return packer.compress(data) + packer.flush()


def literal(data: bytes) -> bytes:
    """Bytes as MicroPython's source, which may hold any byte in a literal but a few: 7% longer, where base64 is 33%."""
    return b"b'%b'" % _ESCAPED.sub(_escape, data)


def _escape(found: re.Match[bytes]) -> bytes:
    byte = found[0]
    if byte in b"'\\":
        return b"\\" + byte
    # An octal escape takes up to three digits, so all three where a digit follows.
    return (b"\\%03o" if found[1] else b"\\%o") % byte[0]
