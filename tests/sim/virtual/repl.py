"""A host's end of a board's port: the raw REPL, and bytes."""

import time
from pathlib import Path

import serial

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"


class Repl:
    """One open port."""

    def __init__(self, port):
        self.serial = serial.Serial(port, timeout=0.01, exclusive=True)
        self._come = b""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.serial.close()

    def send(self, data):
        self.serial.write(data)

    def until(self, ending, timeout_s=5.0):
        """What comes until and with these bytes; what comes after them is kept."""
        stop = time.monotonic() + timeout_s
        while ending not in self._come:
            self._come += self.serial.read(max(1, self.serial.in_waiting))
            assert time.monotonic() < stop, f"no {ending!r} in {timeout_s:g} s, but {self._come[-500:]!r}"
        found, _, self._come = self._come.partition(ending)
        return found + ending

    def take(self):
        """What has come by now."""
        self._come += self.serial.read(max(1, self.serial.in_waiting))
        found, self._come = self._come, b""
        return found

    def enter(self):
        """Interrupt whatever runs, and go to the raw REPL."""
        self.send(b"\r\x03\x03")
        self.send(b"\r\x01")
        self.until(b"raw REPL; CTRL-B to exit\r\n>")

    def start(self, code):
        """Let the raw REPL begin this."""
        self.send(code.encode() + b"\x04")
        self.until(b"OK")

    def finish(self, timeout_s=5.0):
        """What it printed; AssertionError with the traceback if it raised."""
        printed = self.until(b"\x04", timeout_s)[:-1].decode()
        raised = self.until(b"\x04>", timeout_s)[:-2].decode()
        assert not raised, raised
        return printed

    def run(self, code, timeout_s=5.0):
        """Run code in the raw REPL."""
        self.start(code)
        return self.finish(timeout_s)

    def install(self, *names):
        """Put modules of the firmware on the board."""
        self.run("import os\nif 'clockfree_board' not in os.listdir(): os.mkdir('clockfree_board')")
        for name in ("__init__", *names):
            data = (FIRMWARE / "clockfree_board" / f"{name}.py").read_bytes()
            self.run(f"file = open('clockfree_board/{name}.py', 'wb')")
            for at in range(0, len(data), 4096):
                self.run(f"file.write({data[at : at + 4096]!r})")
            self.run("file.close()")


def wait(condition, timeout_s=5.0):
    """Wait until something is so, and return it."""
    stop = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < stop, f"not in {timeout_s:g} s"
        time.sleep(0.002)
    return found
