"""Virtual boards with something broken: in the circuit, on the board, in the cable. For doctor, and for its study."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from clockfree.bench.virtual import VirtualRack, made_up
from clockfree.link import session
from clockfree.link.benchfile import BenchFile, bench_text
from clockfree.task.plan import make_plan
from tests.host.flashing import on, wait_for_port
from tests.host.noisy import NoisyPort

ROOT = Path(__file__).resolve().parents[2]

NO_ENTROPY = """
import os
os.urandom = lambda count: b"1234567890"[:count]
"""
SLOW_BUS = """
import machine, time
really = machine.SPI
class Slow(really):
    def write_readinto(self, sent, received):
        time.sleep_us(1000)
        really.write_readinto(self, sent, received)
machine.SPI = Slow
"""
NOISY_ADC = """
import machine, os
really = machine.SPI
class Noisy(really):
    def write_readinto(self, sent, received):
        really.write_readinto(self, sent, received)
        if len(sent) == 3:
            received[2] ^= os.urandom(1)[0] & 0x1F
machine.SPI = Noisy
"""
"""What a board does before our program: random numbers that are none, a bus that is slow, an ADC that is noisy."""


@dataclass(frozen=True)
class Circuit:
    """A job to virtual boards whose circuit is not as it says: unpickled in their process, it alters it there.

    Attributes
    ----------
    job : Job
    ratios : dict of int to float
        R_AB of an edge over what it should be.
    dead : dict of int to tuple of int
        Wipers of an edge that no longer move, though their chip says so; 0 is the free twin's.
    """

    job: Any
    ratios: dict[int, float]
    dead: dict[int, tuple[int, ...]]

    def __reduce__(self) -> Any:
        return altered, (self.job, self.ratios, self.dead)


def altered(job: Any, ratios: dict[int, float], dead: dict[int, tuple[int, ...]]) -> Any:
    """The job, and from now on plants in this process are so."""
    from clockfree_sim.plant.plant import Plant

    begin, mover = Plant.__init__, Plant.mover

    def altering(self: Any, *given: Any, **more: Any) -> None:
        begin(self, *given, **more)
        for edge, ratio in ratios.items():
            self._g_free[edge] = self._ladder(ratio)
            self._g_clamped[edge] = self._ladder(ratio * self.ratio[edge])
        self._ladders = None
        self.place([self.pot.start_tap] * len(job.network.ends))

    def stuck(self: Any, edge: int) -> Any:
        move, start, at = mover(self, edge), self.pot.start_tap, dead.get(edge, ())
        return lambda wiper, tap: move(wiper, start if wiper in at else tap)

    Plant.__init__, Plant.mover = altering, stuck
    return job


class Bench:
    """Flashed virtual boards and their bench file; edges are given by name."""

    def __init__(self, rack: VirtualRack, file: Path):
        self.rack, self.file = rack, file
        self._board = {edge.edge: board.id for board in rack.bench.boards for edge in board.edges}

    def board(self, edge: str) -> str:
        """The unique id of the board that the bench file says serves an edge."""
        return str(self._board[edge])

    def before(self, edge: str, code: str) -> None:
        """A board does something else before our program, from now on; "" ends that."""
        id_, boards = self.board(edge), self.rack.boards
        does = (
            f"with open('/boot.py', 'w') as file: file.write({code!r})" if code else "import os; os.remove('/boot.py')"
        )
        on(boards, id_, does)
        boards.reset(id_)
        wait_for_port(boards, id_)

    def stick(self, edge: str, comparator: str, level: int | None) -> None:
        """The output of a comparator is stuck; None lets it go."""
        board = next(each for each in self.rack.bench.boards if each.id == self.board(edge))
        self.rack.boards.hold_pin(self.board(edge), getattr(board.edges[0].pins, comparator), level)

    def taps(self) -> dict[str, list[int]]:
        """Wipers of every edge."""
        chips = self.rack.boards.chips
        return {edge: wipers for id_ in self._board.values() for edge, wipers in chips(id_)["wipers"].items()}

    @contextlib.contextmanager
    def lossy(self, edge: str, rate: float = 0.004) -> Iterator[None]:
        """The cable of a board flips one bit in so many bytes."""
        device, really = os.path.realpath(self.rack.boards.port(self.board(edge))), session.open_port
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                session,
                "open_port",
                lambda name, *more: NoisyPort(really(name, *more), rate) if name == device else really(name, *more),
            )
            yield


@contextlib.contextmanager
def broken(
    task: Path,
    file: Path,
    *options: str,
    ratios: Mapping[str, float] = MappingProxyType({}),
    dead: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
    swapped: tuple[tuple[str, str], ...] = (),
    seed: int = 0,
) -> Iterator[Bench]:
    """A bench for a task, with R_AB, wipers, and boards at each other's edges as given, that stays up."""
    job = make_plan(task, {"seed": str(seed)}, [*options], False).job
    index = job.network.edge
    circuit = Circuit(
        job, {index(edge): ratio for edge, ratio in ratios.items()}, {index(edge): at for edge, at in dead.items()}
    )
    with pytest.MonkeyPatch.context() as patch:  # their process finds this module
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        rack = VirtualRack(circuit, made_up(job))  # type: ignore[arg-type]
    with rack:
        rack.bench = exchanged(rack.bench, swapped)
        rack.flash(lambda doing, share: None)
        file.write_text(bench_text(rack.bench))
        yield Bench(rack, file)


def exchanged(bench: BenchFile, pairs: tuple[tuple[str, str], ...]) -> BenchFile:
    """A bench file that has boards at each other's edges."""
    boards = [*bench.boards]
    at = {board.edges[0].edge: i for i, board in enumerate(boards)}
    for pair in pairs:
        i, j = (at[edge] for edge in pair)
        first, second = boards[i], boards[j]
        boards[i], boards[j] = (
            each.model_copy(update={"id": other.id}) for each, other in ((first, second), (second, first))
        )
    return bench.model_copy(update={"boards": boards})


def drawn_ratios(names: list[str], seed: int, tolerance: float = 0.15) -> dict[str, float]:
    """R_AB of healthy chips: each within its tolerance."""
    random = np.random.default_rng([22, seed])
    return {name: float(random.uniform(1 - tolerance, 1 + tolerance)) for name in names}
