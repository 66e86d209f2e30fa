"""Bench of virtual boards: made up from a job, flashed like real ones, and taught over their ports."""

import hashlib
import math
import threading
from collections.abc import Callable

from clockfree.base.errors import BoardError, InputError
from clockfree.bench.boards import BoardBench
from clockfree.bench.fitting import check_fit
from clockfree.bench.layout import boards_needed, lay_out
from clockfree.bench.protocol import Observer
from clockfree.flash.deploy import deploy
from clockfree.learning.arming import rehearse
from clockfree.link.benchfile import BenchFile, Board, EdgeBoard, EdgeWiring, SupervisorBoard, board_config
from clockfree_model.job import Job
from clockfree_model.parts import MOST_A
from clockfree_model.scratch import Scratch
from clockfree_sim.virtual import VirtualBoards, VirtualBoardsError

NAME = "virtual"


def made_up(job: Job) -> BenchFile:
    """A bench for a job, of boards that do not exist yet; InputError as `lay_out`."""
    physics = job.physics
    # The boards work out their lowest tap. A preset that knows none gets wipers that let no current do harm.
    harmless_ohm = math.ceil(physics.supply_V / MOST_A)
    ids = [unique_id(job.seed, number) for number in range(boards_needed(job))]
    return lay_out(job, ids, physics.wiper_ohm if physics.limit_lowest else harmless_ohm, NAME)


def unique_id(seed: int, number: int) -> str:
    """Unique id of a virtual board: 16 hex digits."""
    return hashlib.sha256(f"clockfree virtual board {seed} {number}".encode()).hexdigest()[:16]


class VirtualRack:
    """The virtual boards of a job, powered; a context manager.

    Parameters
    ----------
    job : Job
    bench : BenchFile
        `made_up` for the job.

    Attributes
    ----------
    bench : BenchFile
        The same, and where they are.
    boards : VirtualBoards
        Hands to unplug, reset and power them.

    Raises
    ------
    InputError
        There are no virtual boards for this machine.
    """

    def __init__(self, job: Job, bench: BenchFile) -> None:
        self._flash = Scratch()
        configs = {board.name: board_config(bench, board) for board in bench.every_board}
        try:
            self.boards = VirtualBoards(job, configs, self._flash.path)
        except BaseException as error:
            self._flash.close()
            if isinstance(error, VirtualBoardsError | OSError):
                raise InputError(f"{NAME}: --bench: {error}; --bench sim does the job") from None
            raise
        self.bench = bench.model_copy(update={"by_id": str(self.boards.by_id)})

    def close(self) -> None:
        """Power off."""
        self.boards.close()
        self._flash.close()

    def __enter__(self) -> "VirtualRack":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def flash(self, share: Callable[[str, float], None]) -> None:
        """Bring the firmware onto all boards.

        Raises
        ------
        BoardError
            Which of them did not take it.
        KeyboardInterrupt
            Ctrl-C ended it.
        """
        shares: dict[str, float] = {}
        lock = threading.Lock()
        boards: list[Board] = self.bench.every_board
        doing = f"flashing {len(boards)} boards"

        def tell(board: str, done: float, what: str) -> None:
            with lock:
                shares[board] = done
                share(doing, sum(shares.values()) / len(boards))

        stop = threading.Event()
        reports = deploy(self.bench, boards, tell, stop)
        if stop.is_set():
            raise KeyboardInterrupt
        for report in reports:
            if report.error:
                raise BoardError(f"{NAME}: {report.board}: {report.error}")


class VirtualBench(BoardBench):
    """Boards that are made up for the job, and gone after it."""

    strict = False

    def __init__(self) -> None:
        self._rack: VirtualRack | None = None
        # Which boards, only the job says.
        nobody = BenchFile(
            supervisor=SupervisorBoard(id="0" * 16), boards=[EdgeBoard(id="1" * 16, edges=[EdgeWiring(edge="A-B")])]
        )
        super().__init__(nobody, NAME)

    def _call(self, job: Job, observer: Observer) -> None:
        """Make the boards up and flash them before they are called as any boards are."""
        self.bench = made_up(job)
        check_fit(job, self.bench, NAME)
        self._rack = VirtualRack(job, self.bench)
        self.bench = self._rack.bench
        self._rack.flash(observer.share)
        super()._call(job, observer)

    def _rehearse(self) -> None:
        """One edge stands for all: they are processes of one machine, which hold what it can give them in RUN."""
        rehearse(self._boards[0], count=1)

    def close(self) -> None:
        """Let go of the boards, and switch them off."""
        try:
            super().close()
        finally:
            if self._rack is not None:
                rack, self._rack = self._rack, None
                rack.close()
