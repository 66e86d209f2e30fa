"""What is said at a board's prompt, on a real MicroPython. Nothing here touches files: they are the board's."""

import hashlib
import random

import pytest

from clockfree.flash import prompt

HASHED = """
import io, deflate
from hashlib import sha256
from binascii import hexlify
with open({path!r}, "rb") as file:
    source = file.read()
exec(source)
for data in DATA:
    print(hexlify(sha256(data).digest()).decode())
for data in PACKED:
    print(hexlify(sha256(deflate.DeflateIO(io.BytesIO(data), deflate.RAW, {window}).read()).digest()).decode())
"""


def samples():
    rng = random.Random(1)
    digits = b"".join(bytes([byte]) + b"7" for byte in range(256))  # what an escape must not swallow
    return [b"", b"\\", b"'", bytes(range(256)), bytes(range(255, -1, -1)), digits, rng.randbytes(4000)]


def test_any_bytes_arrive(vm, tmp_path):
    """Literals of any bytes, and packed ones, which the board inflates in the window it is told of."""
    plain = samples()
    zeros = [data * 20 for data in plain] + [bytes(prompt.PART)]
    source = b"DATA=[%b]\n" % b",".join(map(prompt.literal, plain))
    source += b"PACKED=[%b]\n" % b",".join(prompt.literal(prompt.pack(data)) for data in zeros)
    path = tmp_path / "source.bin"
    path.write_bytes(source)
    said = vm(HASHED.format(path=str(path), window=prompt.WINDOW)).split()
    assert said == [hashlib.sha256(data).hexdigest() for data in plain + zeros]


@pytest.mark.parametrize("data", samples(), ids=range(len(samples())))
def test_a_literal_holds_nothing_that_the_prompt_would_obey(data):
    literal = prompt.literal(data)
    assert not set(literal) & {*range(6), 10, 13, 0x11, 0x13}
    assert eval(literal.decode("latin-1")[1:]).encode("latin-1") == data  # CPython agrees, once bytes are characters


def test_a_literal_is_hardly_longer_than_its_bytes():
    data = random.Random(2).randbytes(100_000)
    assert len(prompt.literal(data)) < 1.08 * len(data)
