"""What rates a Pico holds, measured on an emulated one: make emulator, with CLOCKFREE_UF2=FILE.

Asked rate x front end x one or seven edges on a board -> what it says in HOLD that it holds, what it fired and dropped,
decision age and lateness, telemetry that arrived, firings that did not go by the rule. Telemetry is asked for every
100 ms and a status each second, as a host does. An emulated second takes 10 to 20 of the machine's: the whole is about
half an hour of one core. Times count the chip's clock cycles without the wait states of its flash.
"""

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clockfree.learning.pace import FLOOR_US, most_load
from tests.emulator.lab import BAR_C16, Lab
from tests.emulator.measure import Found, measure


@dataclass(frozen=True)
class Board:
    """A board to measure: its front end, whether drops are summed, its edges, and rates with seconds for each."""

    name: str
    front_end: str
    bar_c16: int
    edges: int
    cells: tuple[tuple[float, float], ...]


BOARDS = (
    Board("comparators", "comparator", 0, 1, ((20, 5), (100, 20), (1000, 2), (2000, 2), (3000, 1))),
    Board("ADC plain", "adc", 0, 1, ((100, 5), (1000, 2), (1500, 1))),
    Board("ADC summed", "adc", BAR_C16, 1, ((100, 20), (1000, 2), (1500, 1))),
    Board("comparators", "comparator", 0, 7, ((20, 20), (200, 2), (300, 1))),
    Board("ADC summed", "adc", BAR_C16, 7, ((20, 20), (100, 2), (200, 1))),
)
HEAD = (
    "| board | edges | asked, /s | holds, /s | fired | dropped | age, us: median, most | late, us: median, 99%, most "
    "| telemetry | not by the rule |\n|---|---|---|---|---|---|---|---|---|---|"
)


def row(board: Board, rate_hz: float, holds_hz: float, found: Found) -> str:
    """A row of the table."""

    def at(values: np.ndarray, *shares: float) -> str:
        return ", ".join(f"{value:.0f}" for value in np.percentile(values, shares)) if len(values) else "-"

    ages, late = at(found.age_us, 50, 100), at(found.late_us, 50, 99, 100)
    return (
        f"| {board.name} | {board.edges} | {rate_hz:g} | {holds_hz:.0f} | {found.fired} "
        f"| {found.dropped} ({100 * found.share:.2f}%) | {ages} | {late} | {found.lines} of {found.due} "
        f"| {found.wrong} |"
    )


def measured(uf2: Path, board: Board, share: float) -> None:
    """Measure one board, each rate from the same state in HOLD: a process of its own for each."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(uf2, board.front_end, board.edges, Path(folder))
        lab.boot()
        lab.arm(100, FLOOR_US, board.bar_c16)
        firing_us = [lab.ask("rehearse", i)[0] for i in range(board.edges)]
        holds_hz = 1e6 * most_load(max(firing_us), FLOOR_US) / sum(firing_us)
        for rate_hz, seconds in board.cells:
            child = os.fork()
            if child == 0:
                found = measure(lab, rate_hz, FLOOR_US, share * seconds, board.bar_c16)
                print(row(board, rate_hz, holds_hz, found), flush=True)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if status:
                sys.exit("a measurement has failed")


def main() -> None:
    """Measure all boards, or those of one front end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the emulated time of each cell")
    parser.add_argument("--only", default="", help="boards whose name begins so")
    given = parser.parse_args()
    uf2 = os.environ.get("CLOCKFREE_UF2")
    if not uf2:
        sys.exit("set CLOCKFREE_UF2=FILE: the UF2 of MicroPython for the Raspberry Pi Pico")
    print(HEAD, flush=True)
    for board in BOARDS:
        if board.name.startswith(given.only):
            measured(Path(uf2), board, given.share)


if __name__ == "__main__":
    main()
