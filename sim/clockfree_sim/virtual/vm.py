"""One run of MicroPython on a board, from a start to a reset: its process and the ends of its files."""

import contextlib
import fcntl
import os
import select
import signal
import socket
import time
from pathlib import Path

from clockfree_sim.virtual.zygote import Zygote

_PIPE_BYTES = 4096
_STOPPED_S = 2.0


class Input:
    """What is on its way to a board: bytes that the host has sent and no program has read.

    It outlives a soft reset, as the buffer in front of a board's REPL does.
    """

    def __init__(self) -> None:
        self.source, self.sink = _pipe()
        for end in (self.source, self.sink):
            os.set_blocking(end, False)
        self._poll = select.poll()
        self._poll.register(self.source, select.POLLIN)
        self._blocking = os.open(f"/proc/self/fd/{self.source}", os.O_RDONLY | os.O_CLOEXEC)

    def fileno(self) -> int:
        """For a selector: writable when there is room."""
        return self.sink

    @property
    def board(self) -> int:
        """The file that a board reads, and waits on."""
        return self._blocking

    def write(self, data: bytes | bytearray) -> int:
        """Add bytes; returns how many there was room for."""
        try:
            return os.write(self.sink, data)
        except BlockingIOError:
            return 0

    @property
    def waiting(self) -> bool:
        """True if there is something that nobody has read."""
        return bool(self._poll.poll(0))

    def clear(self) -> None:
        """Throw away what is there."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.source, _PIPE_BYTES)

    def close(self) -> None:
        """Done with."""
        for end in (self.source, self.sink, self._blocking):
            os.close(end)


class Vm:
    """A MicroPython that runs.

    Attributes
    ----------
    process : int
    socket : socket.socket
        Its machine messages, each a packet.
    stdout : int
        What it prints.
    """

    def __init__(self, zygote: Zygote, code: str, heap_kib: int, raw: bool, stdin: Input, flash: int):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.stdout, stdout = _pipe()
        self.socket.setblocking(False)
        os.set_blocking(self.stdout, False)
        self.process = zygote.fork(code, heap_kib, raw, (stdin.board, stdout, theirs.fileno(), flash))
        try:
            self._handle = os.pidfd_open(self.process)  # never another process, whatever its number
        except ProcessLookupError:  # gone already
            self._handle = -1
        theirs.close()
        os.close(stdout)

    def read(self, most: int) -> bytes | None:
        """What it has printed; None if there is nothing now, nothing if there will never be more."""
        try:
            return os.read(self.stdout, most)
        except BlockingIOError:
            return None

    def rest(self) -> bytes:
        """The last it printed; it has ended."""
        found = b""
        while data := self.read(_PIPE_BYTES):
            found += data
        return found

    def kill(self) -> None:
        """End it where it stands."""
        with contextlib.suppress(ProcessLookupError):
            self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Close our ends; it has ended."""
        self.socket.close()
        os.close(self.stdout)
        if self._handle >= 0:
            os.close(self._handle)

    def interrupt(self, stdin: Input) -> bool | None:
        """Raise KeyboardInterrupt in its program; what the host had sent before and nobody has read is thrown away.

        False where it waits for input with Ctrl-C as one more byte, as the REPL does; None where that cannot be told
        yet, because it is busy with what the host sent before.
        """
        try:
            waits = self._state() == "S" and not stdin.waiting
            if not waits and not self._catches_ctrl_c():
                return None  # left in peace: each stop costs it its turn, on a machine that has others to serve
            # Stopped, so that it cannot go from one to the other between the question and the answer.
            self._signal(signal.SIGSTOP)
            until = time.monotonic() + _STOPPED_S
            while self._state() in "RSD" and time.monotonic() < until:
                os.sched_yield()
            caught = self._catches_ctrl_c()
            if caught:
                self._signal(signal.SIGUSR1)
                stdin.clear()
            self._signal(signal.SIGCONT)
        except (ProcessLookupError, FileNotFoundError):  # it has just ended
            return False
        return caught or (False if waits else None)

    def _signal(self, number: signal.Signals) -> None:
        if self._handle < 0:
            raise ProcessLookupError
        signal.pidfd_send_signal(self._handle, number)

    def _state(self) -> str:
        """R, runs; S, waits; T, stopped; ..."""
        return Path(f"/proc/{self.process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]

    def _catches_ctrl_c(self) -> bool:
        """True while MicroPython has its handler for Ctrl-C in place, as it has while a program runs."""
        with open(f"/proc/{self.process}/status", encoding="ascii") as status:
            caught = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt"))
        return bool(caught >> signal.SIGINT - 1 & 1)


def _pipe() -> tuple[int, int]:
    """A pipe that can be written to only while it is empty: a program that asks first never fills it."""
    ends = os.pipe2(os.O_CLOEXEC)
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return ends
