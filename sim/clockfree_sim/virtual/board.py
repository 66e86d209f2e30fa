"""One board: a MicroPython in a process of its own, its port, its flash, and the ways it can be reset."""

import contextlib
import os
import signal
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from clockfree_sim.virtual.loop import Loop
from clockfree_sim.virtual.ports import BY_ID, Port, Watch
from clockfree_sim.virtual.zygote import RESET, Zygote

FLASH_BYTES = 352 * 4096
POWER, WATCHDOG = 1, 3
"""Reset causes, as `machine` numbers them on an RP2040; `machine.reset` uses the watchdog there."""

_PIPE_BYTES = 4096
_HELD_BYTES = 4096  # on the way between host and board, each way
_PACKET_BYTES = 64  # of USB, at a Pico's pace
_US_PER_BYTE = 50  # 20 kB/s
_STOPPED_S = 2.0
_CTRL_C = b"\x03"


class Flow:
    """Bytes on the way in one direction, at most so many, and so many a second."""

    def __init__(self, loop: Loop, paced: bool, pump: Callable[[], None]):
        self.held = bytearray()
        self._time = loop.time
        self._paced = paced
        self._pump = pump
        self._free_us = 0
        self._waiting = False

    @property
    def room(self) -> int:
        """Bytes that may be added."""
        return max(0, (_PACKET_BYTES if self._paced else _HELD_BYTES) - len(self.held))

    def allowed(self) -> memoryview:
        """What may go on now; calls `pump` again when there is more to come."""
        if self._paced and self._time.now_us < self._free_us:
            if not self._waiting:
                self._waiting = True
                self._time.later(self._free_us, self._again)
            return memoryview(b"")
        return memoryview(bytes(self.held))

    def went(self, count: int) -> None:
        """So many bytes have gone on."""
        del self.held[:count]
        if self._paced:
            self._free_us = self._time.now_us + count * _US_PER_BYTE

    def _again(self) -> None:
        self._waiting = False
        self._pump()


class Machine:
    """What `machine` of a board is connected to."""

    def __init__(self, board: "Board"):
        self._board = board

    def hear(self, message: bytes) -> bytes | None:
        """Take one message; returns the answer, if it is one that is answered."""
        board = self._board
        if message[0] == ord("U"):
            (board.injected_bytes,) = struct.unpack_from("<I", message, 1)
            board.is_up()
        return None


class Board:
    """One virtual board.

    Attributes
    ----------
    injected_bytes : int
        Heap that the bench itself takes on the board: `machine`, the file system, the restrictions.
    crashes : int
        How often MicroPython itself has crashed.
    """

    def __init__(self, loop: Loop, zygote: Zygote, watch: Watch, unique_id: str, folder: Path, by_id: Path, *,
                 pace: bool, heap_kib: int):  # fmt: skip
        self.unique_id = unique_id
        self.injected_bytes = 0
        self.crashes = 0
        self.process = 0
        self.up = False
        self.port: Port | None = None
        self.machine = Machine(self)
        self._loop, self._zygote, self._watch = loop, zygote, watch
        self._link = by_id / BY_ID.format(unique_id)
        self._pace, self._heap_kib = pace, heap_kib
        self._flash = os.open(folder / f"{unique_id}.flash", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.ftruncate(self._flash, FLASH_BYTES)
        self._cause = POWER
        self._plugged = True
        self._resetting = False
        self._in = Flow(loop, pace, self._pump_in)
        self._out = Flow(loop, pace, self._pump_out)
        self._stdin = self._stdout = (-1, -1)
        self._socket: socket.socket | None = None

    # -- life ----------------------------------------------------------------------------------------------------

    def power_on(self, cause: int = POWER) -> None:
        """Start from nothing."""
        self._cause = cause
        self._in.held.clear()
        self._out.held.clear()
        self._stdin = _pipe()
        os.set_blocking(self._stdin[1], False)
        self._start(raw=False)

    def reset(self, cause: int = POWER) -> None:
        """Reset: RAM is lost, and the port vanishes until the board is up again."""
        self._cause = cause
        self._resetting = True
        self._unplug()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)

    def is_up(self) -> None:
        """The board has started: boot.py is next, and the port is there."""
        self.up = True
        if self._plugged and not self.port:
            self._plug()
        self._pump()

    def ended(self, status: int) -> None:
        """Its process has ended."""
        self.process = 0
        self.up = False
        self._drain()
        self._close_machine()
        if self._resetting or status not in (RESET, RESET + 1):
            if not self._resetting:
                self.crashes += 1
                self._unplug()
            self._resetting = False
            for file in self._stdin:
                os.close(file)
            self.power_on(self._cause)
        else:
            self._out.held += b"MPY: soft reboot\r\n"
            self._start(raw=status == RESET + 1)

    def plug(self) -> None:
        """Plug the board in."""
        self._plugged = True
        if self.up and not self.port:
            self._plug()
            self._pump()

    def unplug(self) -> None:
        """Unplug the board; it has power of its own, and goes on."""
        self._plugged = False
        self._unplug()

    def _start(self, raw: bool) -> None:
        self._stdout = _pipe()
        os.set_blocking(self._stdout[0], False)
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        code = "import gc;n=gc.mem_alloc();import _board;_board.boot(n,{!r},{},{},{})"
        code = code.format(self.unique_id, self._cause, self._pace, not raw)
        files = (self._stdin[0], self._stdout[1], theirs.fileno(), self._flash)
        self.process = self._zygote.fork(code, self._heap_kib, raw, files)
        theirs.close()
        os.close(self._stdout[1])
        self._loop.reads(self._socket, self._hear)
        self._pump()

    def _close_machine(self) -> None:
        if self._socket is not None:
            self._loop.reads(self._socket, None)
            self._socket.close()
            self._socket = None

    def _hear(self) -> None:
        assert self._socket is not None
        try:
            message = self._socket.recv(512)
        except BlockingIOError:
            return
        if not message:
            self._close_machine()
            return
        answer = self.machine.hear(message)
        if answer is not None and self._socket is not None:
            with contextlib.suppress(BrokenPipeError, BlockingIOError):
                self._socket.send(answer)

    # -- bytes between host and board ----------------------------------------------------------------------------

    def _plug(self) -> None:
        self.port = Port(self._watch, self._link)

    def _unplug(self) -> None:
        if self.port:
            self._loop.reads(self.port, None)
            self._loop.writes(self.port, None)
            self.port.close()
            self.port = None
        self._in.held.clear()
        self._pump()

    def _pump(self) -> None:
        self._pump_in()
        self._pump_out()

    def _pump_in(self) -> None:
        """From the host to the board."""
        flow, port = self._in, self.port
        if self.up and port and flow.room:
            self._take(port.read(flow.room))
        if self.up and flow.held:
            allowed = flow.allowed()
            if allowed:
                with contextlib.suppress(BlockingIOError):
                    flow.went(os.write(self._stdin[1], allowed))
        if port:
            self._loop.reads(port, self._pump_in if self.up and flow.room else None)
        blocked = self.up and flow.held and flow.allowed()
        self._loop.writes(self._stdin[1], self._pump_in if blocked else None)

    def _take(self, data: bytes) -> None:
        first, *rest = data.split(_CTRL_C)
        self._in.held += first
        for more in rest:
            if not self._interrupt():
                self._in.held += _CTRL_C
            self._in.held += more

    def _pump_out(self) -> None:
        """From the board to the host."""
        flow, port = self._out, self.port
        if self._stdout[0] >= 0 and (flow.room or not (port and port.connected)):
            try:
                data = os.read(self._stdout[0], flow.room or _HELD_BYTES)
                flow.held += data
                if not data:
                    self._close_stdout()
            except BlockingIOError:
                pass
        if not (port and port.connected):
            flow.held.clear()  # as a board does whose port nobody has open
        elif flow.held:
            allowed = flow.allowed()
            if allowed:
                flow.went(port.write(allowed))
        if self._stdout[0] >= 0:
            self._loop.reads(self._stdout[0], self._pump_out if flow.room else None)
        if port:
            blocked = port.connected and flow.held and flow.allowed()
            self._loop.writes(port, self._pump_out if blocked else None)

    def _drain(self) -> None:
        """Keep what the board has written before it ended."""
        if self._stdout[0] >= 0:
            with contextlib.suppress(BlockingIOError):
                while data := os.read(self._stdout[0], _PIPE_BYTES):
                    self._out.held += data
            self._close_stdout()

    def _close_stdout(self) -> None:
        self._loop.reads(self._stdout[0], None)
        os.close(self._stdout[0])
        self._stdout = (-1, -1)

    # -- Ctrl-C --------------------------------------------------------------------------------------------------

    def _interrupt(self) -> bool:
        """Raise KeyboardInterrupt on the board; False where it reads Ctrl-C as a byte: at the REPL, say.

        The board is stopped for the moment between asking and acting, so that it cannot go from one to the other.
        What the host had sent before and nobody has read is thrown away, as on a Pico.
        """
        if not self.process:
            return False
        try:
            os.kill(self.process, signal.SIGSTOP)
            self._stopped()
            caught = _catches_ctrl_c(self.process)
            if caught:
                os.kill(self.process, signal.SIGUSR1)
                self._in.held.clear()
                os.set_blocking(self._stdin[0], False)
                with contextlib.suppress(BlockingIOError):
                    os.read(self._stdin[0], _PIPE_BYTES)
                os.set_blocking(self._stdin[0], True)
            os.kill(self.process, signal.SIGCONT)
        except (ProcessLookupError, FileNotFoundError):
            return False
        return caught

    def _stopped(self) -> None:
        until = time.monotonic() + _STOPPED_S
        while time.monotonic() < until:
            state = Path(f"/proc/{self.process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
            if state not in "RSD":
                return
            os.sched_yield()


def _catches_ctrl_c(process: int) -> bool:
    """True while MicroPython has its handler for Ctrl-C in place, which it has while a program runs."""
    with open(f"/proc/{process}/status", encoding="ascii") as status:
        caught = next(int(line.split()[1], 16) for line in status if line.startswith("SigCgt"))
    return bool(caught >> signal.SIGINT - 1 & 1)


def _pipe() -> tuple[int, int]:
    import fcntl

    ends = os.pipe2(os.O_CLOEXEC)
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return ends
