"""The port: what waits where, at which pace, and what is lost when nobody listens."""

import time
from pathlib import Path

import pytest

from clockfree_sim.virtual import VirtualBoards
from tests.sim.virtual.conftest import ONE
from tests.sim.virtual.repl import Repl, wait

PRINTS = """
from machine import Pin
led = Pin("LED", Pin.OUT, value=0)
number = 0
print("go")
while True:
    print(number)
    number += 1
    led(1)
    led(0)
"""


def rss_kib(process):
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def stands_still(count):
    """The count at which something has stopped counting."""
    last = [-1]

    def still():
        before, last[0] = last[0], count()
        time.sleep(0.05)
        return before == last[0]

    wait(still)
    return last[0]


def test_a_host_that_does_not_read_holds_the_program_up(boards, repl):
    lines = lambda: boards.pulses(ONE, 25)  # noqa: E731
    first = lines()
    repl.start(PRINTS)
    repl.until(b"go\n")
    held = stands_still(lines) - first
    assert 100 < held < 100_000
    bench = int(Path(f"/proc/{boards.told(ONE)['process']}/stat").read_text().split()[3])  # the process that forks
    bench = int(Path(f"/proc/{bench}/stat").read_text().split()[3])
    before = rss_kib(bench)
    came = bytearray()
    while came.count(b"\n") < held + 100_000:
        came += repl.take()
    *numbers, _ = bytes(came).split(b"\n")
    assert list(map(int, numbers)) == list(range(len(numbers)))  # every line once, and in order
    assert stands_still(lines) - first > held
    assert rss_kib(bench) < before + 2_000
    # Ctrl-C does its work even so.
    repl.send(b"\x03")
    assert b"KeyboardInterrupt" in repl.until(b"\x04>")


def test_a_program_that_asks_first_is_told(boards, repl):
    repl.start(
        "import select, sys\npoll = select.poll()\npoll.register(sys.stdout.buffer, select.POLLOUT)\nprint('go')\n"
        "sent = 0\nwhile poll.poll(200):\n sent += sys.stdout.buffer.write(b'0123456789ABCDEF')\n"
    )
    repl.until(b"go\n")
    time.sleep(0.5)  # nobody reads: the program finds the port full and goes on
    came = repl.until(b"\x04")[:-1]
    repl.until(b"\x04>")
    assert came == b"0123456789ABCDEF" * (len(came) // 16)
    assert int(repl.run("print(sent)")) == len(came)
    assert 1_000 < len(came) < 300_000


def test_what_nobody_has_the_port_open_for_is_lost_and_holds_nothing_up(boards, repl):
    repl.start(PRINTS)
    repl.until(b"go\n")
    repl.serial.close()
    first = boards.pulses(ONE, 25)
    wait(lambda: boards.pulses(ONE, 25) > first + 20_000)
    with Repl(boards.port(ONE)) as again:
        again.until(b"\n")  # what was left of a line
        number = int(again.until(b"\n"))
        assert number > 10_000
        assert int(again.until(b"\n")) == number + 1
        again.enter()
    repl.serial.open()  # for the fixture


def test_what_was_not_read_is_not_for_the_next(boards, repl):
    repl.run("print('for one')")
    repl.send(b"print('nobody reads this')\x04")
    stands_still(lambda: repl.serial.in_waiting)
    repl.serial.close()
    with Repl(boards.port(ONE)) as again:
        assert again.serial.read(100) == b""
        again.send(b"print(6 * 7)\x04")
        assert again.until(b"\x04>") == b"OK42\n\x04\x04>"
    repl.serial.open()


WRITE = """
import time
began = time.ticks_ms()
with open('data', 'wb') as file:
    for _ in range(4): file.write(bytes(4096))
print(time.ticks_diff(time.ticks_ms(), began))
"""


@pytest.mark.parametrize("pace", [False, True])
def test_a_picos_pace(tmp_path, pace):
    """20 kB/s either way, and 50 ms for 4 KiB of flash."""
    with VirtualBoards(None, {ONE: {}}, tmp_path, pace=pace) as boards, Repl(boards.port(ONE)) as repl:
        repl.enter()
        began = time.monotonic()
        assert len(repl.run("print('x' * 10_000)")) == 10_001
        out_s = time.monotonic() - began
        began = time.monotonic()
        repl.run("#" * 10_000)
        in_s = time.monotonic() - began
        flash_ms = int(repl.run(WRITE))
        if pace:
            assert 0.5 < out_s < 2.0 and 0.5 < in_s < 2.0
            assert 200 <= flash_ms < 1000
        else:
            assert out_s < 0.4 and in_s < 0.4 and flash_ms < 150
