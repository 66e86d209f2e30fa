"""Processes of virtual benches, forked from one that has loaded what a circuit takes: that takes them a second each."""

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

ROOM = 1 << 16
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
SERVE = "import sys; from tests.loaded import serve; serve(int(sys.argv[1]))"


class Forked:
    """What a `subprocess.Popen` is to `VirtualBoards`: a process that somebody else has started."""

    def __init__(self, pid: int, file: int):
        self.pid, self._file = pid, file

    def wait(self, timeout: float | None = None) -> None:
        """Until it has ended."""
        poll = select.poll()
        poll.register(self._file, select.POLLIN)
        if not poll.poll(None if timeout is None else 1000 * timeout):
            raise subprocess.TimeoutExpired("virtual boards", timeout or 0.0)

    def kill(self) -> None:
        """End it."""
        signal.pidfd_send_signal(self._file, signal.SIGKILL)

    def __del__(self) -> None:
        os.close(self._file)


class Server:
    """The process that is forked; it ends with this one."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = os.pathsep.join(each for each in sys.path if each)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", SERVE, str(theirs.fileno())],
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": path},
                pass_fds=[theirs.fileno()],
            )

    def start(self, number: int, device: str) -> Forked:
        """As `clockfree_sim.virtual.boards.start`."""
        request = json.dumps([device, os.getcwd()]).encode()
        socket.send_fds(self._socket, [request], [number, 2])
        answer, files, _, _ = socket.recv_fds(self._socket, ROOM, 1)
        return Forked(int(answer), files[0])

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait()


def serve(number: int) -> None:
    """Fork a bench whenever one is asked for."""
    from clockfree_sim.plant.plant import Plant
    from clockfree_sim.virtual import child
    from clockfree_sim.virtual.loop import WallTime
    from tests.sim.jobs import a_job

    Plant(a_job(), WallTime())  # what is compiled for it, loaded
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    asked = socket.socket(fileno=number)
    while True:
        request, files, _, _ = socket.recv_fds(asked, ROOM, 2)
        if not request:
            return
        pid = os.fork()
        if not pid:
            asked.close()
            _become(child.main, files, *json.loads(request))
        for file in files:
            os.close(file)
        made = os.pidfd_open(pid)
        socket.send_fds(asked, [str(pid).encode()], [made])
        os.close(made)


def _become(main: Callable[[int, str], None], files: list[int], device: str, folder: str) -> NoReturn:
    """In the forked process: what the child of a virtual bench is."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.chdir(folder)
        handle, stderr = files
        os.dup2(stderr, 2)
        os.close(stderr)
        main(handle, device)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
