"""Ctrl-C at any moment: the program stops, and nothing that it reads afterwards is what was asked before."""

import random
import time

from clockfree_sim.virtual import VirtualBoards
from tests.sim.virtual.benches import edge_config, edge_job
from tests.sim.virtual.conftest import ONE
from tests.sim.virtual.repl import Repl

READS = """
from machine import Pin, SPI
spi = SPI(0, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
cs = Pin(17, Pin.OUT, value=1)
high, low, own = Pin(7, Pin.IN), Pin(8, Pin.IN), Pin(9, Pin.OUT)
wrong, loops, tap = [], 0, 0
answer = bytearray(4)

def exchange(*frame):
    cs(0)
    spi.write_readinto(bytes(frame), answer)
    cs(1)
    return answer[1] | (answer[0] & 1) << 8, answer[3] | (answer[2] & 1) << 8

def expect(what, got, expected):
    if got != expected:
        wrong.append((what, got, expected))

def reads():
    global tap, loops
    cs(1)  # Ctrl-C may have left it low
    print("go")
    while True:
        loops += 1
        tap = (tap + 37) & 127
        exchange(0x00, tap, 0x10, 127 - tap)
        expect("high", high(), 1)
        expect("pot", exchange(0x0C, 0xFF, 0x1C, 0xFF), (tap, 127 - tap))
        expect("low", low(), 0)
        own(tap & 1)
        expect("own", own(), tap & 1)
"""


def test_a_thousand_times_at_random_moments(tmp_path):
    moments = random.Random(20240607)
    job = edge_job()
    with VirtualBoards(job, {ONE: edge_config(job, 0)}, tmp_path) as boards, Repl(boards.port(ONE)) as repl:
        boards.hold_pin(ONE, 7, 1)
        boards.hold_pin(ONE, 8, 0)
        process = boards.told(ONE)["process"]
        repl.enter()
        repl.run(READS)
        for _ in range(1000):
            repl.start("reads()")
            repl.until(b"go\n")
            time.sleep(moments.uniform(0, 0.002))
            repl.send(b"\x03")
            assert b"KeyboardInterrupt" in repl.until(b"\x04>")
        assert repl.run("print(wrong)") == "[]\n"
        assert int(repl.run("print(loops)")) > 1_000
        # The answers that nobody waited for had come, and were dropped.
        assert int(repl.run("import machine\nprint(machine._dropped)")) > 20
        assert boards.told(ONE) == boards.told(ONE) | {"process": process, "crashes": 0}


def test_files_survive_it(boards, repl):
    """What was closed before stays; and there is no crash, wherever it falls in littlefs."""
    moments = random.Random(5)
    process = boards.told(ONE)["process"]
    repl.run(
        "def writes():\n"
        " print('go')\n"
        " while True:\n"
        "  with open('new', 'wb') as file: file.write(bytes(range(256)) * 8)\n"
        "with open('kept', 'wb') as file: file.write(b'kept' * 1000)"
    )
    for _ in range(100):
        repl.start("writes()")
        repl.until(b"go\n")
        time.sleep(moments.uniform(0, 0.002))
        repl.send(b"\x03")
        assert b"KeyboardInterrupt" in repl.until(b"\x04>")
        assert repl.run("print(open('kept', 'rb').read() == b'kept' * 1000)") == "True\n"
    assert boards.told(ONE) == boards.told(ONE) | {"process": process, "crashes": 0}


def test_many_at_once_and_at_the_prompt(boards, repl):
    process = boards.told(ONE)["process"]
    repl.send(b"\x02")
    repl.until(b">>> ")
    for _ in range(50):
        repl.send(b"\x03\x03\x03")
        repl.until(b">>> ")
    repl.send(b"while True: pass\r\r" + b"\x03" * 20)
    repl.send(b"\x03")
    repl.enter()
    assert repl.run("print(5)") == "5\n"
    assert boards.told(ONE) == boards.told(ONE) | {"process": process}


def test_a_program_may_read_it_as_a_byte(repl):
    repl.start(
        "import micropython, sys\nmicropython.kbd_intr(-1)\nprint('go')\nprint(sys.stdin.buffer.read(3))\n"
        "micropython.kbd_intr(3)\nprint('on')\nwhile True: pass"
    )
    repl.until(b"go\n")
    repl.send(b"a\x03b")
    assert repl.until(b"on\n") == b"b'a\\x03b'\non\n"
    repl.send(b"\x03")
    assert b"KeyboardInterrupt" in repl.until(b"\x04>")


def test_what_nobody_had_read_before_is_thrown_away(boards, repl):
    repl.start("print('go')\nwhile True: pass")
    repl.until(b"go\n")
    repl.send(b"print('never')\x04")
    for _ in range(3):  # by the time of the answer this has gone through the bench
        assert boards.is_up(ONE)
    repl.send(b"\x03")
    repl.until(b"\x04>")
    repl.send(b"print('now')\x04")
    assert repl.until(b"\x04>") == b"OKnow\n\x04\x04>"


def test_it_waits_for_the_program_that_was_sent_before_it(repl):
    for _ in range(20):
        repl.send(b"while True: pass\x04\x03")
        assert b"KeyboardInterrupt" in repl.until(b"\x04>")
