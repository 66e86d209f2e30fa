"""Firmware onto 16 virtual boards: `clockfree flash` against sixteen `mpremote cp -r` of the same files in a row.

At a Pico's pace (ports of 20 kB/s, flash of 50 ms for 4 KiB) and as fast as this machine goes. A flash counts from
blank boards until all say HELLO with the right configuration; mpremote's from blank boards until the last file is
there. Both ship what a flash ships: compiled files, main.py, each board's own configuration.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from _record import WANTED, record, row

from clockfree.flash.deploy import deploy
from clockfree.flash.firmware import compiled_files
from clockfree.link.benchfile import BenchFile, Board, board_config, config_text
from clockfree_model.job import Job, Lesson
from clockfree_model.network import load
from clockfree_sim.virtual import VirtualBoards

REPEATS = 3  # unthrottled, where other programs on the machine disturb; the best of each counts
MPY = 6 | 3 << 8 | 2 << 10  # of the virtual boards: x64


def job() -> Job:
    lesson = Lesson("", 0.0, np.array([[0.0, 3.0]]), np.array([[1.0]]))
    return Job(load("lab16"), (0, 2), (4,), (lesson,))


def bench_of(job: Job) -> BenchFile:
    edges = [job.network.edge_name(edge) for edge in range(len(job.network.ends))]
    boards = [{"id": f"e6614103e745{number:04x}", "edges": [{"edge": edge}]} for number, edge in enumerate(edges)]
    return BenchFile.model_validate({"supervisor": {"id": "e6614103e745ffff"}, "boards": boards})


@contextmanager
def blank(bench: BenchFile, pace: bool) -> Iterator[VirtualBoards]:
    configs = {board.name: board_config(bench, board) for board in bench.boards}
    with tempfile.TemporaryDirectory() as folder, VirtualBoards(job(), configs, Path(folder), pace=pace) as boards:
        yield boards


def flash(bench: BenchFile, boards: VirtualBoards) -> tuple[float, int]:
    """Seconds of a flash, and files copied."""
    bench = bench.model_copy(update={"by_id": str(boards.by_id)})
    begun = time.monotonic()
    reports = deploy(bench, bench.boards, lambda board, share, doing: None, threading.Event())
    seconds = time.monotonic() - begun
    for report in reports:
        if report.error:
            sys.exit(f"{report.board}: {report.error}")
    return seconds, sum(len(report.copied) for report in reports)


def one_after_another(bench: BenchFile, boards: VirtualBoards) -> float:
    """Seconds of sixteen mpremotes."""
    seconds = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in compiled_files(MPY, "virtual board"):
            path = folder / file.path[1:]
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(file.data)
        for board in bench.boards:
            (folder / "clockfree.json").write_text(config_text(board_config(bench, board)))
            seconds += mpremote(board, boards, ["main.py", "clockfree.json", "clockfree_board"], folder)
    return seconds


def mpremote(board: Board, boards: VirtualBoards, files: list[str], folder: Path) -> float:
    command = [sys.executable, "-m", "mpremote", "connect", boards.port(board.name), "cp", "-r", *files, ":"]
    begun = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"mpremote: {done.stdout}{done.stderr}")
    return time.monotonic() - begun


def main() -> None:
    bench = bench_of(job())
    rows = []
    for pace, repeats in ((True, 1), (False, REPEATS)):
        firsts, seconds, baselines = [], [], []
        for _ in range(repeats):
            with blank(bench, pace) as boards:
                baselines.append(one_after_another(bench, boards))
            with blank(bench, pace) as boards:
                first, copied = flash(bench, boards)
                second, again = flash(bench, boards)
            if not copied or again:
                sys.exit(f"expected files copied once, got {copied} and {again}")
            firsts.append(first)
            seconds.append(second)
        first, second, baseline = min(firsts), min(seconds), min(baselines)
        name = f"flash {len(bench.boards)} boards, " + ("at a Pico's pace" if pace else "unthrottled")
        print(
            f"{name}: {first:.2f} s until all say HELLO; mpremote cp -r, one board after another: {baseline:.2f} s, "
            f"{baseline / first:.1f} times as long; flashed again, nothing changed: {second:.2f} s",
            flush=True,
        )
        rows.append(row(name, first, "s", baseline, "`mpremote cp -r`, one board after another"))
        rows.append(row(f"{name}, again, nothing changed", second, "s", 2.0, WANTED))
    record(rows)


if __name__ == "__main__":
    main()
