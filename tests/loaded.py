"""Processes forked from one that has loaded what a circuit and a command take: that takes them a second each."""

import atexit
import ctypes
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

ROOM = 1 << 17
HIGH = 200
"""Descriptors from here on are not among those that somebody asks for."""
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
SERVE = "import sys; from tests.loaded import serve; serve(int(sys.argv[1]))"
LOADED = (
    "clockfree.commands.app", "clockfree.commands.run", "clockfree_sim.compiled.kernel", "clockfree_sim.sweep.point",
    "matplotlib.figure", "h5netcdf",
)  # fmt: skip
FORKS = sys.platform == "linux"
"""Elsewhere nobody adopts a process, nor holds on to one by a file: all are started."""
CLOCKFREE = "from clockfree.commands.app import main; main()"


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
        request = json.dumps(["bench", device, os.getcwd()]).encode()
        socket.send_fds(self._socket, [request], [number, 2])
        answer, files, _, _ = socket.recv_fds(self._socket, ROOM, 1)
        return Forked(int(answer), files[0])

    def run(self, code: str, arguments: Sequence[str], files: dict[int, int]) -> int:
        """Run Python's `-c CODE ARGUMENTS` in a child of this process, with files of this one by their numbers there.

        Returns its process id.
        """
        request = json.dumps(["code", code, list(arguments), dict(os.environ), os.getcwd(), list(files)]).encode()
        with _adopting():
            socket.send_fds(self._socket, [request], list(files.values()))
            return int(self._socket.recv(ROOM))

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.wait()


_servers: list[Server] = []


def server() -> Server:
    """The one of this process, which whoever needs it first has started."""
    if not _servers:
        _servers.append(Server())
    return _servers[0]


def close() -> None:
    """End it, where there is one."""
    while _servers:
        _servers.pop().close()


class Command(subprocess.Popen):
    """`clockfree ARGUMENTS`, as `subprocess.Popen`, in this environment and folder."""

    def __init__(self, arguments: Sequence[str], **pipes: Any):
        super().__init__([sys.executable, "-c", CLOCKFREE, *arguments], **pipes)

    def _execute_child(self, args: list[str], *rest: Any) -> None:  # type: ignore[override]
        if not FORKS:
            super()._execute_child(args, *rest)  # type: ignore[misc]
            return
        *ours, errread, errwrite = rest[9:15]
        p2cread, _, _, c2pwrite = ours
        files = {0: p2cread, 1: c2pwrite, 2: errwrite}
        try:
            self.pid = server().run(CLOCKFREE, args[3:], {at: at if file == -1 else file for at, file in files.items()})
            self._child_created = True
        finally:
            self._close_pipe_fds(*ours, errread, errwrite)  # type: ignore[attr-defined]


def spawn(path: bytes, arguments: Sequence[str | bytes], files: Sequence[int]) -> int | None:
    """As `multiprocessing.util.spawnv_passfds`, for a process of a pool; None for any other."""
    given = [os.fsdecode(each) for each in arguments]
    if "--multiprocessing-fork" not in given:
        return None
    at = given.index("-c")
    return server().run(given[at + 1], given[at + 2 :], {file: file for file in (0, 1, 2, *files)})


@contextmanager
def _adopting() -> Iterator[None]:
    """Processes below this one whose parent ends meanwhile become its children."""
    prctl = ctypes.CDLL(None).prctl
    prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    try:
        yield
    finally:
        prctl(36, 0, 0, 0, 0)


def serve(number: int) -> None:
    """Fork a process whenever one is asked for."""
    for name in LOADED:
        importlib.import_module(name)
    from clockfree_sim import sources_digest
    from clockfree_sim.sweep.point import Point, measure
    from clockfree_sim.virtual import child
    from tests.sim.jobs import a_job

    measure(Point((0,), "", a_job(updates=1), (None,), sources_digest()))  # what is compiled for it, loaded
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    asked = socket.socket(fileno=number)
    while True:
        request, files, _, _ = socket.recv_fds(asked, ROOM, 16)
        if not request:
            return
        kind, *given = json.loads(request)
        if kind == "code":
            answer = _orphan(asked, files, *given)
            for file in files:
                os.close(file)
            asked.send(str(answer).encode())
            continue
        pid = os.fork()
        if not pid:
            asked.close()
            _become(child.main, files, *given)
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


def _orphan(asked: socket.socket, files: list[int], *given: Any) -> int:
    """The process id of one whose parent has ended: it is a child of whoever adopts it."""
    reading, writing = os.pipe()
    between = os.fork()
    if not between:
        pid = os.fork()
        if pid:
            os.write(writing, str(pid).encode())
            os._exit(0)
        os.close(reading)
        os.close(writing)
        asked.close()
        _run(files, *given)
    os.close(writing)
    with suppress(ChildProcessError):  # nobody waits for it, but until it has ended
        os.waitpid(between, 0)
    pid = int(os.read(reading, 32))
    os.close(reading)
    return pid


def _run(
    files: list[int], code: str, arguments: list[str], env: dict[str, str], folder: str, at: list[int]
) -> NoReturn:
    """In the forked process: what Python does of `-c`."""
    status: Any = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        moved = [fcntl.fcntl(file, fcntl.F_DUPFD, HIGH) for file in files]  # out of the way of those asked for
        for file in files:
            os.close(file)
        for file, number in zip(moved, at, strict=True):
            os.dup2(file, number)
            os.close(file)
        sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)
        sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(folder)
        sys.argv[:] = ["-c", *arguments]
        exec(code, {"__name__": "__main__"})
        status = 0
    except SystemExit as end:
        status = end.code or 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
