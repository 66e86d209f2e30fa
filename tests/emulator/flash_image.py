"""A Pico's file system with the firmware on it, made by MicroPython itself: nothing is copied by an emulated port."""

import os
import subprocess
import sys
from pathlib import Path

from clockfree.flash.firmware import compiled_files
from tests.conftest import RUN_VM

RP2040 = 4 << 10 | 3 << 8 | 6
"""`sys.implementation._mpy` of a Pico."""
FILES_AT = 0xA0000
"""Where its file system begins in its flash."""
BLOCKS, BLOCK = 352, 4096

_SCRIPT = """
import os

class Flash:
    def __init__(self):
        self.data = bytearray({blocks} * {block})
    def readblocks(self, n, buffer, offset=0):
        at = n * {block} + offset
        buffer[:] = memoryview(self.data)[at : at + len(buffer)]
    def writeblocks(self, n, buffer, offset=None):
        at = n * {block} + (offset or 0)
        self.data[at : at + len(buffer)] = buffer
    def ioctl(self, what, n):
        return {{4: {blocks}, 5: {block}, 6: 0}}.get(what, 0)

flash = Flash()
os.VfsLfs2.mkfs(flash, progsize=256)
files = os.VfsLfs2(flash, progsize=256)
files.mkdir("/clockfree_board")
for name in {names}:
    with open("{folder}/" + name.replace("/", "+"), "rb") as there, files.open("/" + name, "wb") as here:
        here.write(there.read())
with open("{folder}/image", "wb") as image:
    image.write(flash.data)
"""


def flash_image(folder: Path, config: bytes = b"", main: bytes | None = None) -> bytes:
    """The file system: firmware compiled for an RP2040, a configuration, and another `main.py` where one is given."""
    files = {file.path.removeprefix("/"): file.data for file in compiled_files(RP2040, "MicroPython")}
    if main is not None:
        files["main.py"] = main
    if config:
        files["clockfree.json"] = config
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name.replace("/", "+")).write_bytes(data)
    script = folder / "make.py"
    script.write_text(_SCRIPT.format(blocks=BLOCKS, block=BLOCK, folder=folder, names=list(files)))
    command = [sys.executable, "-c", RUN_VM, "-X", "heapsize=8M", str(script)]
    subprocess.run(command, check=True, env=os.environ, stdin=subprocess.DEVNULL)
    return (folder / "image").read_bytes()
