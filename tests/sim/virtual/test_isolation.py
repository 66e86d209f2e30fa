"""A virtual board has what a Pico has and reaches nothing of the host; its flash is as large as a Pico's."""

import pytest

from tests.sim.virtual.conftest import ONE, OTHER
from tests.sim.virtual.repl import Repl

ESCAPES = [
    "open('/etc/passwd')",
    "open('../../../../etc/passwd')",
    "import os; os.chdir('..'); os.chdir('/..'); open('etc/passwd')",
    "import os; os.listdir('/proc')",
    "import os; os.stat('/dev/null')",
    "import os; os.VfsPosix('/')",
    "import os; os.system('true')",
    "import os; os.getenv('PATH')",
    "import uos; uos.VfsPosix('/')",
    "from os import VfsPosix",
    "import vfs; vfs.VfsPosix('/')",
    "import uvfs; uvfs.VfsPosix",
    "import vfs; vfs.umount('/'); open('/etc/passwd')",
    "import sys; del sys.modules['os']; import os; os.system",
    "import socket",
    "import usocket",
    "import ssl",
    "import termios",
    "import _thread",
    "import mip",
    "import requests",
    "import machine; machine.mem32[0]",
    "import umachine; umachine.mem8",
    "import _board",
    "import sys; sys.path.append('/usr/lib/python3'); import antigravity",
    "execfile('/etc/hostname')",
]


@pytest.mark.parametrize("code", ESCAPES)
def test_no_way_out(boards, code):
    with Repl(boards.port(OTHER)) as repl:
        repl.enter()
        repl.send(b"\x04")  # afresh: one of them unmounts the flash
        repl.until(b"exit\r\n>")
        with pytest.raises(AssertionError, match=r"OSError|ImportError|AttributeError"):
            repl.run(code)


def test_what_a_board_has(repl):
    assert repl.run("import os, sys, asyncio, vfs\nprint(sys.path, os.getcwd(), os.listdir('/'))") == (
        "['', '.frozen', '/lib'] / []\n"
    )
    assert repl.run("from machine import unique_id\nprint(unique_id().hex())") == f"{ONE}\n"
    assert repl.run("print(os.statvfs('/')[:3])") == "(4096, 4096, 352)\n"
    # The same names by way of MicroPython's old ones.
    assert repl.run("import uos, umachine, machine\nprint(uos is os, umachine is machine)") == "True True\n"


def test_ids_are_the_boards_own(boards):
    found = []
    for unique_id in (ONE, OTHER):
        with Repl(boards.port(unique_id)) as repl:
            repl.enter()
            found.append(repl.run("import machine\nprint(machine.unique_id().hex())").strip())
    assert found == [ONE, OTHER]


FILL = """
import os
written = 0
try:
    with open('big', 'wb') as file:
        while True:
            written += file.write(bytes(4096))
except OSError as error:
    print(error.errno, written)
"""


def test_flash_full(repl):
    number, written = map(int, repl.run(FILL, timeout_s=20).split())
    assert number == 28  # ENOSPC
    assert 330 * 4096 < written <= 352 * 4096
    repl.run("os.remove('big')\nwith open('small', 'w') as file: file.write('fits')")
    repl.send(b"\x04")
    repl.until(b"exit\r\n>")
    assert repl.run("print(open('small').read())") == "fits\n"


def test_heap_is_a_boards_and_what_the_bench_takes_of_it_is_told(repl, boards):
    repl.send(b"\x04")
    repl.until(b"exit\r\n>")
    used, free = map(int, repl.run("import gc\ngc.collect()\nprint(gc.mem_alloc(), gc.mem_free())").split())
    assert 180 * 1024 < used + free <= 192 * 1024
    assert 10_000 < boards.told(ONE)["injected_bytes"] < min(used, 20_000)
