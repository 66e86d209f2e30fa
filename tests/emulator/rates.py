"""What a Pico does, measured on an emulated one: make emulator, with CLOCKFREE_UF2=FILE.

- Asked rate x front end x one or seven edges on a board -> what it says in HOLD that it holds, what it fired and
  dropped, decision age and lateness, telemetry that arrived, firings that did not go by the rule, and how far its waits
  are from those of an exponential clock (KS), with the wrap of its microseconds in the middle.
- Rates around what each board says that it holds: what is accepted drops no more than 1%, and at what is refused below
  0.6 of it the board really drops more.
- Memory after 30,000 firings; a hang and Ctrl-C in RUN.

Telemetry is asked for every 100 ms and a status each second, as a host does. An emulated second takes 5 to 10 of a
core: the whole is about half an hour of one. Times count the chip's clock cycles without the wait states of its flash.
What is not as it has to be is said, and ends with status 1.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import expon, kstest

from clockfree.learning.pace import MOST_DROPPED, floor_us, most_load
from tests.emulator.lab import BAR_C16, Lab
from tests.emulator.measure import Found, measure
from tests.emulator.stops import hung, interrupted, kept

ANY = 1.0
LATE_99_US = 500
HELD_FIRINGS = 2000
"""At each rate around the one that is held: the share that is dropped is known to half a percent then."""
HELD_AT = (0.6, 0.8, 1.0, 1.2, 1.4, 1 / 0.6)
"""Of what a board says that it holds."""
SLOW_HZ = 100.0
"""So slow that lateness does not show in the waits of an edge."""
LEAST_P = 1e-3
FIRINGS_KEPT = 30_000


class Cell(NamedTuple):
    """A rate, for how long it is asked for, s, and the share that may be dropped."""

    rate_hz: float
    seconds: float
    most: float


class Board(NamedTuple):
    """A board to measure: its front end, whether drops are summed, its edges, rates, and bounds on medians at 100/s."""

    name: str
    front_end: str
    bar_c16: int
    edges: int
    age_us: float
    late_us: float
    cells: tuple[Cell, ...]


BOARDS = (
    Board(
        "comparators",
        "comparator",
        0,
        1,
        70,
        60,
        (
            Cell(20, 5, 0),
            Cell(100, 20, 0),
            Cell(1000, 2, MOST_DROPPED),
            Cell(2000, 2, MOST_DROPPED),
            Cell(3000, 1, ANY),
        ),
    ),
    Board("ADC plain", "adc", 0, 1, 240, 100, (Cell(100, 20, 0), Cell(1000, 2, MOST_DROPPED), Cell(1500, 1, ANY))),
    Board(
        "ADC summed", "adc", BAR_C16, 1, 265, 100, (Cell(100, 20, 0), Cell(1000, 2, MOST_DROPPED), Cell(1500, 1, ANY))
    ),
    Board("comparators", "comparator", 0, 7, 70, 100, (Cell(20, 20, 0), Cell(200, 2, MOST_DROPPED), Cell(300, 1, ANY))),
    Board("ADC summed", "adc", BAR_C16, 7, 265, 120, (Cell(20, 20, 0), Cell(100, 2, MOST_DROPPED), Cell(200, 1, ANY))),
)
RATES = (
    "| board | edges | asked, /s | holds, /s | fired | dropped | age, us: median, most | late, us: median, 99%, most "
    "| telemetry | not by the rule | KS |\n|---|---|---|---|---|---|---|---|---|---|---|"
)
HELD = "| board | edges | says it holds, /s | asked, /s | of that | fired | dropped |\n|---|---|---|---|---|---|---|"


def rates(lab: Lab, board: Board, holds_hz: float, share: float) -> Iterator[Callable[[], str]]:
    """The cells of a board; each says what is wrong."""
    for cell in board.cells:

        def measured(cell: Cell = cell) -> str:
            found = measure(lab, cell.rate_hz, floor_us([0]), share * cell.seconds, board.bar_c16)
            ks, p = kstest(found.waits, expon.cdf) if len(found.waits) and cell.rate_hz <= SLOW_HZ else (0.0, 1.0)
            print(_row(board, cell.rate_hz, holds_hz, found, ks), flush=True)
            return ", ".join(_breaches(board, cell, found, p))

        yield measured


def _breaches(board: Board, cell: Cell, found: Found, p: float) -> Iterator[str]:
    if found.share > cell.most:
        yield f"{found.dropped} dropped"
    if found.wrong:
        yield f"{found.wrong} not by the rule"
    if p < LEAST_P:
        yield f"waits are not exponential (p {p:.2g})"
    if not found.crossed:
        yield "no wrap was crossed"
    if cell.rate_hz <= SLOW_HZ and np.median(found.age_us) > board.age_us:
        yield f"age above {board.age_us} us"
    if cell.rate_hz <= SLOW_HZ and len(found.late_us):
        if np.median(found.late_us) > board.late_us:
            yield f"lateness above {board.late_us} us"
        if board.edges == 1 and np.percentile(found.late_us, 99) > LATE_99_US:
            yield f"99% of lateness above {LATE_99_US} us"
    least = 0.95 if cell.most == 0 else 0.5
    if cell.most < ANY and found.lines < least * found.due - 1:
        yield "too little telemetry"


def _row(board: Board, rate_hz: float, holds_hz: float, found: Found, ks: float) -> str:
    def at(values: np.ndarray, *shares: float) -> str:
        return ", ".join(f"{value:.0f}" for value in np.percentile(values, shares)) if len(values) else "-"

    ages, late = at(found.age_us, 50, 100), at(found.late_us, 50, 99, 100)
    return (
        f"| {board.name} | {board.edges} | {rate_hz:g} | {holds_hz:.0f} | {found.fired} "
        f"| {found.dropped} ({100 * found.share:.2f}%) | {ages} | {late} | {found.lines} of {found.due} "
        f"| {found.wrong} | {f'{ks:.3f}' if ks else '-'} |"
    )


def held(lab: Lab, board: Board, holds_hz: float, share: float) -> Iterator[Callable[[], str]]:
    """Rates around what a board says that it holds; each says what is wrong."""
    for part in HELD_AT:

        def measured(part: float = part) -> str:
            rate_hz = part * holds_hz
            found = measure(lab, rate_hz, floor_us([0]), share * HELD_FIRINGS / rate_hz / board.edges, board.bar_c16)
            accepted, drops = part <= 1, found.share > MOST_DROPPED
            print(
                f"| {board.name} | {board.edges} | {holds_hz:.0f} | {rate_hz:.0f} "
                f"| {part:.2f}: {'accepted' if accepted else 'refused'} "
                f"| {found.fired} | {found.dropped} ({100 * found.share:.2f}%) |",
                flush=True,
            )
            if accepted and drops:
                return "accepted, and more than 1% is dropped"
            return "refused below 0.6 of what is held" if part == HELD_AT[-1] and not drops else ""

        yield measured


def stops(lab: Lab, board: Board, holds_hz: float, share: float) -> Iterator[Callable[[], str]]:
    """Memory, a hang, Ctrl-C; each says what is wrong."""

    def memory() -> str:
        firings = round(share * FIRINGS_KEPT)
        before, after = kept(lab, firings, min(2000.0, holds_hz), board.bar_c16)
        print(f"{board.name}: {before} B of the heap in use, after {firings} firings {after}", flush=True)
        return ""

    def hang() -> str:
        print(f"{board.name}: a hang in RUN: in HOLD again, reset by the watchdog, after {hung(lab):.1f} s", flush=True)
        return ""

    def interrupt() -> str:
        interrupted(lab, 10e6)
        print(f"{board.name}: Ctrl-C in RUN: HOLD and a prompt, and still so after 10 s", flush=True)
        return ""

    yield from (memory, hang, interrupt)


PARTS = {
    "rates": (RATES, rates, BOARDS),
    "held": (HELD, held, tuple(board for board in BOARDS if board.name != "ADC plain")),
    "stops": ("", stops, BOARDS[:1]),
}


def apart(act: Callable[[], str]) -> bool:
    """Do something in a process of its own, so that the board is as it was for the next one; False if it is wrong."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if wrong := act():
                print(f"WRONG: {wrong}", flush=True)
            status = int(bool(wrong))
        except AssertionError as error:
            print(f"WRONG: {error}", flush=True)
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def measured(uf2: Path, board: Board, part: str, share: float) -> bool:
    """One part of one board, each measurement from the same state in HOLD; False where something is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(uf2, board.front_end, board.edges, Path(folder))
        lab.boot()
        lab.arm(100, floor_us([0]), board.bar_c16)
        firing_us = [lab.ask("rehearse", i)[0] for i in range(board.edges)]
        late_us = floor_us(firing_us)
        assert late_us == floor_us([0]), firing_us
        holds_hz = 1e6 * most_load(max(firing_us), late_us) / sum(firing_us)
        return not sum(not apart(act) for act in PARTS[part][1](lab, board, holds_hz, share))


def main() -> None:
    """Measure all boards and parts, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the emulated time of each measurement")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part")
    parser.add_argument("--only", default="", help="boards whose name begins so")
    parser.add_argument("--edges", type=int, help="boards of so many edges")
    given = parser.parse_args()
    uf2 = os.environ.get("CLOCKFREE_UF2")
    if not uf2:
        sys.exit("set CLOCKFREE_UF2=FILE: the UF2 of MicroPython for the Raspberry Pi Pico")
    right = True
    for part in given.part or PARTS:
        head, _, boards = PARTS[part]
        print(head, flush=True)
        for board in boards:
            if board.name.startswith(given.only) and given.edges in (None, board.edges):
                right &= measured(Path(uf2), board, part, given.share)
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
