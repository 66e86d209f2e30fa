"""The host's ends of a bench with one emulated Pico: its port, the link over it, a pipe to the chips on its pins."""

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import serial

from clockfree_board.link import TO_HOST, Lines, opened, seal

PATIENCE_S = 300.0
"""Time on the wall that anything may take: on a busy machine the emulator is a hundred times slower than a Pico."""


class Bench:
    """A Pico with one edge's chips; entering it is power-on.

    Parameters
    ----------
    uf2 : Path
        MicroPython for it.
    files : bytes
        Its file system.

    Attributes
    ----------
    port : str
        Device name of its USB port.
    """

    port: str

    def __init__(self, uf2: Path, files: bytes):
        from tests.emulator.chips import serve  # rp2040py is an extra

        self._pipe, self._theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")  # nothing of this process goes into that one
        self._process = context.Process(target=serve, args=(uf2, files, self._theirs), daemon=True)

    def __enter__(self) -> "Bench":
        self._process.start()
        self._theirs.close()
        self.port = self._answer()
        return self

    def __exit__(self, *exception: object) -> None:
        self._pipe.close()
        self._process.join(PATIENCE_S)
        self._process.close()

    def ask(self, method: str, *arguments: object) -> Any:
        """Call a method of `Chips`, between two instructions of the board."""
        self._pipe.send((method, arguments))
        return self._answer()

    def mpremote(self, *arguments: str) -> str:
        """What `mpremote connect PORT ARGUMENTS` prints; AssertionError with what it said if it fails."""
        command = [sys.executable, "-m", "mpremote", "connect", self.port, *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, f"mpremote {' '.join(arguments)}:\n{done.stdout[-2000:]}{done.stderr}"
        return done.stdout

    def _answer(self) -> Any:
        assert self._pipe.poll(PATIENCE_S), f"the emulator has said nothing for {PATIENCE_S:.0f} s"
        try:
            return self._pipe.recv()
        except EOFError:
            raise AssertionError("the emulator has ended: its traceback is in what was captured") from None


class Link:
    """The host's end of the link, as patient as an emulated board needs: nothing is said twice."""

    def __init__(self, port: serial.Serial):
        self._port = port
        self._lines = Lines(TO_HOST)
        self._number = 0

    def messages(self, done: Callable[[], bool] = lambda: False) -> Iterator[list]:
        """Every message that arrives until something is so."""
        late_s = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < late_s, f"the board has not got there in {PATIENCE_S:.0f} s"
            for line in self._lines.feed(self._port.read(max(1, self._port.in_waiting))):
                message = opened(line)
                if message is not None:
                    yield message

    def ask(self, kind: str, *arguments: object) -> list:
        """What a board answers to a command."""
        self._number += 1
        self._port.write(seal([kind, self._number, *arguments]))
        for message in self.messages():
            if message[:2] == ["ok", self._number]:
                return message[2:]
            assert message[0] != "no", message
        raise AssertionError
