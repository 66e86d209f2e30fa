"""The process of a virtual bench: its boards, and what the handle in the parent asks for."""

import os
import resource
import signal
from multiprocessing.connection import Connection

from clockfree_sim.virtual.board import Board
from clockfree_sim.virtual.loop import Loop
from clockfree_sim.virtual.ports import Watch
from clockfree_sim.virtual.zygote import Zygote


class Bench:
    """All boards of a bench, and the loop they live in."""

    def __init__(self, handle: Connection, zygote: Zygote):
        self._handle, self._zygote = handle, zygote
        self._loop = Loop()
        self._watch = Watch()
        configs, folder, by_id, options = handle.recv()
        self._boards = {
            unique_id: Board(self._loop, zygote, self._watch, unique_id, folder, by_id, **options)
            for unique_id in configs
        }
        self._loop.reads(handle, self._asked)
        self._loop.reads(zygote, self._ended)
        self._loop.reads(self._watch, self._watch.look)

    def run(self) -> None:
        """Serve until the handle goes away."""
        for board in self._boards.values():
            board.power_on()
        self._loop.run()
        for board in self._boards.values():
            board.unplug()

    def _asked(self) -> None:
        try:
            what, *arguments = self._handle.recv()
        except EOFError:
            self._loop.running = False
            return
        try:
            self._handle.send((True, getattr(self, "do_" + what)(*arguments)))
        except Exception as error:
            self._handle.send((False, error))

    def _ended(self) -> None:
        boards = {board.process: board for board in self._boards.values()}
        for process, status in self._zygote.ended():
            if process in boards:
                boards[process].ended(status)

    # -- what the handle asks for --------------------------------------------------------------------------------

    def do_waiting(self) -> list[str]:
        """Boards that are not up yet."""
        return [board.unique_id for board in self._boards.values() if not board.up]

    def do_unplug(self, unique_id: str) -> None:
        """Unplug a board."""
        self._boards[unique_id].unplug()

    def do_plug(self, unique_id: str) -> None:
        """Plug a board in."""
        self._boards[unique_id].plug()

    def do_reset(self, unique_id: str) -> None:
        """Reset a board."""
        self._boards[unique_id].reset()


def main(number: int) -> None:
    """The child's whole life; `number` is the file of the handle's socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setsid()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))  # four files a board
    zygote = Zygote()  # before anything that has threads is imported
    Bench(Connection(number), zygote).run()
    zygote.close()
