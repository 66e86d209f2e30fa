"""Resets of every kind, unplugging, and what each leaves behind."""

import os

import pytest
import serial

from tests.sim.virtual.conftest import ONE, OTHER
from tests.sim.virtual.repl import Repl, wait

COUNTS = """
from machine import Pin
import time
led = Pin("LED", Pin.OUT)
while True:
    led(1)
    led(0)
    time.sleep_ms(1)
"""


def reopened(boards, unique_id, before):
    """The board's port, once it is another than before."""

    def another():
        try:
            return boards.port(unique_id) if boards.is_up(unique_id) else None
        except FileNotFoundError:
            return None

    return wait(another)


def goes_away(repl):
    """True when the port of an open connection is gone."""

    def gone():
        try:
            repl.serial.read(1)
        except serial.SerialException:
            return True
        return False

    return wait(gone)


def write(repl, path, text):
    repl.run(f"with open({path!r}, 'w') as file: file.write({text!r})")


def test_soft_reset_at_the_friendly_prompt(repl):
    write(repl, "boot.py", "print('boot')\n")
    write(repl, "main.py", "print('main')\nfrom_main = 5\n")
    repl.run("x = 1")
    repl.send(b"\x02")
    repl.until(b">>> ")
    repl.send(b"\x04")
    assert repl.until(b">>> ").startswith(b"\r\nMPY: soft reboot\r\nboot\nmain\nMicroPython ")
    repl.send(b"from_main\r")
    assert repl.until(b">>> ") == b"from_main\r\n5\n>>> "
    repl.send(b"x\r")
    assert b"NameError" in repl.until(b">>> ")


def test_soft_reset_in_raw_mode_skips_main(repl):
    write(repl, "boot.py", "print('boot')\n")
    write(repl, "main.py", "print('main')\n")
    repl.send(b"\x04")
    assert repl.until(b"exit\r\n>") == b"OK\r\nMPY: soft reboot\r\nboot\nraw REPL; CTRL-B to exit\r\n>"


def test_bytes_that_come_during_a_reset_are_kept(repl):
    repl.send(b"\x04print(6 * 7)\x04")  # all at once
    assert repl.until(b"\x04\x04>").endswith(b"raw REPL; CTRL-B to exit\r\n>OK42\n\x04\x04>")


def test_ctrl_c_in_main_gives_the_prompt(repl, boards):
    write(repl, "main.py", COUNTS)
    repl.send(b"\x02\x04")
    repl.until(b"soft reboot\r\n")
    before = boards.pulses(ONE, 25)
    wait(lambda: boards.pulses(ONE, 25) > before + 10)
    repl.send(b"\x03")
    assert b"KeyboardInterrupt" in repl.until(b">>> ")


def test_an_error_in_a_program_gives_the_prompt(repl):
    write(repl, "boot.py", "1 // 0\n")
    write(repl, "main.py", "print('main')\n")
    repl.send(b"\x02\x04")
    printed = repl.until(b">>> ") + repl.until(b">>> ")
    assert b"ZeroDivisionError" in printed and b"main\n" not in printed  # as on an RP2040


def test_a_program_may_end_in_a_soft_reset(repl):
    write(repl, "once.txt", "")
    write(
        repl,
        "main.py",
        "import os\nif 'once.txt' in os.listdir():\n os.remove('once.txt')\n raise SystemExit\nprint('again')",
    )
    repl.send(b"\x02\x04")
    assert repl.until(b"again\n").count(b"soft reboot") == 2


@pytest.mark.parametrize(
    ("how", "cause"), [("pin", 1), ("machine.reset", 3), ("watchdog", 3), ("power", 1), ("crash", 1)]
)
def test_hard_reset(boards, how, cause):
    before = boards.port(ONE)
    with Repl(before) as repl:
        repl.enter()
        write(repl, "main.py", "")
        repl.run("import machine\nlost = 5\nassert machine.Pin(7, machine.Pin.OUT, value=1)() == 1")
        if how == "pin":
            boards.reset(ONE)
        elif how == "power":
            boards.power_cycle(ONE)
        elif how == "crash":
            os.kill(boards.told(ONE)["process"], 11)
        else:
            repl.send(b"machine.reset()\x04" if how == "machine.reset" else b"machine.WDT(timeout=20)\x04")
        assert goes_away(repl)
    assert boards.told(ONE)["crashes"] == (how == "crash")
    with Repl(reopened(boards, ONE, before)) as repl:
        repl.enter()
        assert repl.run("import machine\nprint(machine.reset_cause(), 'lost' in globals(), machine.Pin(7)())") == (
            f"{cause} False 0\n"
        )
        assert repl.run("import os\nprint('main.py' in os.listdir())") == "True\n"


def test_a_watchdog_that_is_fed_does_not_bite(repl, boards):
    process = boards.told(ONE)["process"]
    feeds = "import machine, time\ndog = machine.WDT(timeout=100)\nfor _ in range(30):\n time.sleep_ms(10)\n dog.feed()"
    repl.run(feeds)
    # A timer goes on feeding, but it ends with a soft reset, and a watchdog does not.
    repl.run("machine.Timer(-1, mode=machine.Timer.PERIODIC, period=20, callback=lambda timer: dog.feed())")
    repl.run("time.sleep_ms(300)")
    assert boards.told(ONE)["process"] == process
    with pytest.raises(AssertionError, match="NotImplementedError: a timer of a virtual board"):
        repl.run("machine.Timer(period=5, callback=print)")
    with pytest.raises(AssertionError, match="ValueError: timeout exceeds 8388"):
        repl.run("machine.WDT(timeout=8389)")
    repl.send(b"\x04")
    assert goes_away(repl)
    wait(lambda: boards.is_up(ONE))


def test_unplugged_and_replugged_a_program_goes_on(repl, boards):
    repl.start(COUNTS)
    link = next(path for path in boards.by_id.iterdir() if ONE in path.name)
    assert os.readlink(link) == boards.port(ONE)
    boards.unplug(ONE)
    assert goes_away(repl)
    assert not link.is_symlink()
    before, process = boards.pulses(ONE, 25), boards.told(ONE)["process"]
    wait(lambda: boards.pulses(ONE, 25) > before + 20)
    boards.plug(ONE)
    assert boards.told(ONE)["process"] == process
    with Repl(boards.port(ONE)) as again:
        before = boards.pulses(ONE, 25)
        wait(lambda: boards.pulses(ONE, 25) > before + 20)
        again.enter()
        assert again.run("print(led())") in ("0\n", "1\n")


def test_a_board_that_is_reset_while_unplugged_has_no_port(boards):
    boards.unplug(OTHER)
    boards.reset(OTHER)
    wait(lambda: boards.is_up(OTHER))
    with pytest.raises(FileNotFoundError):
        boards.port(OTHER)
    boards.plug(OTHER)
    with Repl(boards.port(OTHER)) as repl:
        repl.enter()
        assert repl.run("print(1)") == "1\n"
