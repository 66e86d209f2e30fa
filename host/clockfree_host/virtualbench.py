"""Virtual boards as a bench: made up from a job, flashed like real ones, and taught over their ports."""

import hashlib
import math
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from clockfree_host.bench import Job, Teller, virtual_boards
from clockfree_host.benchfile import (
    BenchFile,
    Board,
    EdgeBoard,
    EdgeWiring,
    SupervisorBoard,
    board_config,
)
from clockfree_host.boardbench import BoardBench
from clockfree_host.errors import BoardError, InputError
from clockfree_host.overrides import one_line

NAME = "virtual"
FIRST_ADDRESS = 0x60
ADC_CHANNELS = DACS = 8
DAC_CHANNELS = 4
CHIP_SELECTS = (20, 22, 17, 0, 1, 2, *range(7, 15), 26, 27, 28, 23, 24, 29, *range(30, 48))
"""Free pins of a supervisor's board: HARDWARE's first, then what a Pico has, then what larger chips have."""


def made_up(job: Job) -> BenchFile:
    """A bench for a job: one board an edge, and a supervisor with as many chips as the task needs.

    Raises
    ------
    InputError
        No supervisor has so many pins or channels.
    """
    network, physics = job.network, job.physics
    names = [network.edge_name(edge) for edge in range(len(network.ends))]
    sources, targets = ([network.nodes[i] for i in chosen] for chosen in (job.sources, job.targets))
    dacs, adcs = -(-(len(sources) + len(targets)) // DAC_CHANNELS), -(-len(targets) // ADC_CHANNELS)
    if dacs > DACS or len(targets) + adcs > len(CHIP_SELECTS):
        text = f"{len(sources)} sources and {len(targets)} targets are more than one supervisor's board has pins for"
        raise InputError(f"{NAME}: placement: {text}: --bench sim")
    selects = iter(CHIP_SELECTS)
    mixers = [{"cs": next(selects)} for _ in targets]
    # The boards work out their lowest tap. A preset that knows none gets wipers that let no current do harm.
    harmless_ohm = math.ceil(1000 * physics.supply_V / 2.5)
    wiring = {
        "front_end": job.edge.front_end,
        "pot": job.edge.pot,
        "rab_ohm": physics.rab_ohm,
        "wiper_ohm": physics.wiper_ohm if physics.limit_lowest else harmless_ohm,
    }
    contents = {
        "supply_V": physics.supply_V,
        "supervisor": {
            "id": unique_id(job.seed, 0),
            "sources": sources,
            "targets": targets,
            "dacs": [{"address": FIRST_ADDRESS + i} for i in range(dacs)],
            "mixers": mixers,
            "adcs": [{"cs": next(selects)} for _ in range(adcs)],
        },
        "boards": [
            {"id": unique_id(job.seed, 1 + edge), "edges": [{"edge": name, **wiring}]}
            for edge, name in enumerate(names)
        ],
    }
    try:
        return BenchFile.model_validate(contents)
    except ValidationError as error:
        raise InputError(f"{NAME}: {one_line(BenchFile, error, {})}") from None


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
    """

    def __init__(self, job: Job, bench: BenchFile) -> None:
        self._flash = tempfile.TemporaryDirectory(prefix="clockfree-flash-")
        configs = {board.name: board_config(bench, board) for board in bench.every_board}
        try:
            self.boards = virtual_boards(job, configs, Path(self._flash.name))
        except BaseException:
            self._flash.cleanup()
            raise
        self.bench = bench.model_copy(update={"by_id": str(self.boards.by_id)})

    def close(self) -> None:
        """Power off."""
        self.boards.close()
        self._flash.cleanup()

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
        """
        from clockfree_host.deploy import deploy

        shares: dict[str, float] = {}
        lock = threading.Lock()
        boards: list[Board] = self.bench.every_board
        doing = f"flashing {len(boards)} boards"

        def tell(board: str, done: float, what: str) -> None:
            with lock:
                shares[board] = done
                share(doing, sum(shares.values()) / len(boards))

        for report in deploy(self.bench, boards, tell, threading.Event()):
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

    def start(self, job: Job, teller: Teller) -> None:
        """Make the boards up, flash them, and get them ready as any boards are."""
        self.bench = made_up(job)
        self._check(job)
        self._rack = VirtualRack(job, self.bench)
        self.bench = self._rack.bench
        self._rack.flash(teller.share)
        super().start(job, teller)

    def close(self) -> None:
        """Let go of the boards, and switch them off."""
        try:
            super().close()
        finally:
            if self._rack is not None:
                rack, self._rack = self._rack, None
                rack.close()
