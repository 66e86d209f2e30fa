"""A small process that has loaded MicroPython, and forks a board whenever one is asked for.

Loading takes a tenth of a second and a fork a millisecond; and a fork is only safe from a process with one thread,
which a bench with numpy in it is not.
"""

import contextlib
import ctypes
import fcntl
import importlib
import json
import os
import select
import signal
import socket
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import NoReturn

RESET = 64
"""Exit status of a board that ended in order: this much more than its REPL's mode, 0 friendly or 1 raw."""

_ROOM = 4096
_HIGH = 64  # files from here on are out of the way
_PR_SET_PDEATHSIG = 1


class Zygote:
    """The bench's end: asks for boards and hears when they end.

    Start it before the first thread. Everything it has started ends with it, and it ends with the bench.

    Parameters
    ----------
    device : str
        Folder of the modules that a board finds before it has files of its own.
    """

    def __init__(self, device: str) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._ended: deque[tuple[int, int]] = deque()
        self._process = os.fork()
        if not self._process:
            status = 1
            try:
                own = fcntl.fcntl(theirs, fcntl.F_DUPFD, _HIGH)
                os.closerange(3, own)
                _serve(socket.socket(fileno=own), device)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        theirs.close()

    def fileno(self) -> int:
        """For a selector: readable when a board has ended."""
        return self._socket.fileno()

    def fork(self, code: str, heap_kib: int, raw: bool, files: Sequence[int]) -> int:
        """Start a board on these files: stdin, stdout, machine socket, flash; returns its process.

        `code` runs first; `raw` has the REPL begin in raw mode.
        """
        request = json.dumps([code, heap_kib, raw]).encode()
        socket.send_fds(self._socket, [request], list(files))
        while True:
            kind, process, status = self._hear()
            if kind == "forked":
                return process
            self._ended.append((process, status))

    def ended(self) -> list[tuple[int, int]]:
        """Boards that have ended since the last call: process, and exit status or minus the signal."""
        while self._poll.poll(0):
            _, process, status = self._hear()
            self._ended.append((process, status))
        found = list(self._ended)
        self._ended.clear()
        return found

    def close(self) -> None:
        """End it, and with it every board."""
        self._socket.close()
        os.waitpid(self._process, 0)

    def _hear(self) -> tuple[str, int, int]:
        message = b""
        with contextlib.suppress(ConnectionResetError):
            message = self._socket.recv(_ROOM)
        if not message:
            raise RuntimeError("the process that starts boards has ended")
        kind, process, status = json.loads(message)
        return kind, process, status


def _serve(bench: socket.socket, device: str) -> None:
    """Fork what the bench asks for until it is gone."""
    micropython_run = importlib.import_module("micropython_run")

    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    wakes, wake = socket.socketpair()
    for end in (wakes, wake):
        end.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    poll = select.poll()
    for end in (bench, wakes):
        poll.register(end, select.POLLIN)
    boards: set[int] = set()
    try:
        while True:
            ready = {number for number, _ in poll.poll()}
            if wakes.fileno() in ready:
                with contextlib.suppress(BlockingIOError):
                    while wakes.recv(_ROOM):
                        pass
                for process, status in _ended(boards):
                    bench.send(json.dumps(["ended", process, status]).encode())
            if bench.fileno() in ready:
                request, files, _, _ = socket.recv_fds(bench, _ROOM, 8)
                if not request:
                    break
                process = os.fork()
                if not process:
                    _board(micropython_run, device, files, *json.loads(request))
                boards.add(process)
                for file in files:
                    os.close(file)
                bench.send(json.dumps(["forked", process, 0]).encode())
    except (BrokenPipeError, ConnectionResetError):  # the bench went away while something was on its way to it
        pass
    finally:
        for process in boards:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        signal.set_wakeup_fd(-1)
        for end in (bench, wakes, wake):
            end.close()


def _ended(boards: set[int]) -> Iterator[tuple[int, int]]:
    """Boards that have ended: process, and exit status or minus the signal."""
    while boards:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            break
        boards.remove(process)
        yield process, os.waitstatus_to_exitcode(status)


def _board(micropython_run: ModuleType, device: str, files: list[int], code: str, heap_kib: int, raw: bool) -> NoReturn:
    """In the forked process: become the board."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        libc, vm = ctypes.CDLL(None), ctypes.CDLL(micropython_run.__file__)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        stdin, stdout, machine, flash = files
        # Out of the way of 0 .. 4 first, then into place; nothing else stays open.
        high = [fcntl.fcntl(file, fcntl.F_DUPFD, _HIGH) for file in (stdin, stdout, stdout, machine, flash)]
        for place, file in enumerate(high):
            os.dup2(file, place)
        os.closerange(len(high), _HIGH * 64)
        # MicroPython's own handler of SIGINT jumps out of whatever C code runs, and leaves heap or files half
        # changed. A board's port schedules a KeyboardInterrupt instead, which Python code raises when it is safe:
        # the same function is the handler of another signal here.
        libc.signal(signal.SIGUSR1, vm.mp_sched_keyboard_interrupt)
        libc.siginterrupt(signal.SIGUSR1, 1)
        os.environ.clear()
        os.environ["MICROPYPATH"] = f".frozen:{device}"
        mode = ctypes.c_int.in_dll(vm, "pyexec_mode_kind")
        mode.value = int(raw)
        micropython_run.run_main(["board", "-X", f"heapsize={heap_kib}K", "-i", "-c", code])
        status = RESET + mode.value
    finally:
        os._exit(status)
