"""The process of a virtual bench: its boards, and what the handle in the parent asks for."""

import resource
import traceback
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from clockfree_model import streams
from clockfree_sim.virtual.board import VirtualBoard
from clockfree_sim.virtual.loop import Loop
from clockfree_sim.virtual.ports import Watch
from clockfree_sim.virtual.zygote import Zygote


class Rack:
    """All boards of a bench, the circuit they are wired to, and the loop they live in.

    Parameters
    ----------
    handle : Connection
        To the parent.
    zygote : Zygote
    ids : list of str
    folder, by_id : Path
    options : dict
        Of every board.
    """

    def __init__(
        self, handle: Connection, zygote: Zygote, ids: list[str], folder: Path, by_id: Path, options: dict[str, Any]
    ):
        self._handle, self._zygote = handle, zygote
        self._loop, self._watch = Loop(), Watch()
        self._plant: Any = None
        self._boards = {
            unique_id: VirtualBoard(self._loop, zygote, self._watch, unique_id, folder, by_id, **options)
            for unique_id in ids
        }
        for board in self._boards.values():
            board.power_on()

    def wire(self, job: Any, configs: Mapping[str, Mapping[str, Any]]) -> None:
        """Build the circuit, and put chips on the pins of the boards.

        ValueError where a configuration does not fit the job.
        """
        from clockfree_model.job import check
        from clockfree_sim.plant.plant import Plant  # compiled, slow to load: boards are up before

        check(job)
        if job.schedule != "clockfree":
            raise ValueError(f"rule: expected clockfree on virtual boards, got {job.schedule}")
        self._plant = Plant(job, self._loop.time)
        for unique_id, config in configs.items():
            board = self._boards[unique_id]
            try:
                if config.get("role") == "edge":
                    board.wired.attach_edges(self._plant, config, board.machine.pads)
                elif config.get("role") == "supervisor":
                    board.wired.attach_supervisor(self._plant, config, board.machine.pads)
            except ValueError as error:
                raise ValueError(f"board {unique_id}: {error}") from None

    def run(self) -> None:
        """Serve until the handle goes away."""
        self._loop.reads(self._handle, self._asked)
        self._loop.reads(self._zygote, self._ended)
        self._loop.reads(self._watch, self._watch.look)
        self._ended()  # while the others were started
        self._loop.run()
        for board in self._boards.values():
            board.close()

    def _asked(self) -> None:
        try:
            number, what, *arguments = self._handle.recv()
        except (EOFError, OSError):
            self._loop.running = False
            return
        try:
            answer = (number, True, getattr(self, "do_" + what)(*arguments))
        except Exception as error:
            answer = (number, False, _plain(error))
        try:
            self._handle.send(answer)
        except OSError:  # whoever asked has ended
            self._loop.running = False

    def _ended(self) -> None:
        # Starting one of them again may take the news of others off the socket, so that it will not be told again.
        while ended := self._zygote.ended():
            boards = {board.process: board for board in self._boards.values()}
            for process, status in ended:
                if process in boards:
                    boards[process].ended(status)

    # -- what the handle asks for --------------------------------------------------------------------------------

    def do_waiting(self) -> list[str]:
        """Boards that are not up."""
        return [unique_id for unique_id, board in self._boards.items() if not board.up]

    def do_board(self, unique_id: str, what: str, *arguments: Any) -> Any:
        """Call a method of a board."""
        return getattr(self._boards[unique_id], what)(*arguments)

    def do_pad(self, unique_id: str, number: int, what: str) -> Any:
        """An attribute of a pin."""
        return getattr(self._boards[unique_id].machine.pads[number], what)

    def do_hold(self, unique_id: str, number: int, level: int | None) -> None:
        """Hold a pin at a level, or let it go."""
        self._boards[unique_id].machine.pads[number].held = level

    def do_look(self, unique_id: str) -> dict[str, Any]:
        """What a board's chips are at."""
        return self._boards[unique_id].wired.look()

    def do_told(self, unique_id: str) -> dict[str, int]:
        """What is known of a board's MicroPython."""
        board = self._boards[unique_id]
        return {"process": board.process, "injected_bytes": board.injected_bytes, "crashes": board.crashes}

    def do_voltages(self) -> tuple[Any, Any]:
        """True node voltages of the free and the clamped twin, V (N,)."""
        circuit = self._plant.circuit
        return circuit.v_free.copy(), circuit.v_clamped.copy()


def _plain(error: Exception) -> Exception:
    """An error as it can cross to the parent: what is wrong with an input as it is, a fault with where it was."""
    if isinstance(error, ValueError | OSError):
        return type(error)(*error.args)
    return RuntimeError(traceback.format_exc())


def main(number: int, device: str) -> None:
    """The child's whole life: `number` is the file of the handle's socket, `device` what `Zygote` takes."""
    streams.settle()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # ten files a board
    zygote = Zygote(device)  # before anything that has threads is imported
    handle = Connection(number)
    try:
        try:
            bench = Rack(handle, zygote, *handle.recv())
            job, configs = handle.recv()
            if job is not None:
                bench.wire(job, configs)
        except (EOFError, ConnectionError):  # the parent has thought better of it
            return
        except Exception as error:
            said: tuple[int, bool, Exception | None] = (0, False, _plain(error))
        else:
            said = (0, True, None)
        try:
            handle.send(said)
        except OSError:  # it has ended by now
            return
        if said[1]:
            bench.run()
    finally:
        zygote.close()
