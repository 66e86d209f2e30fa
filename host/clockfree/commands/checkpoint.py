"""`clockfree checkpoint`: taps and calibration of a bench, to a file."""

from pathlib import Path
from typing import Annotated

import typer

from clockfree.commands.options import Bench

Kept = Annotated[Path, typer.Argument(metavar="FILE", help="The checkpoint (JSON).")]


def checkpoint(bench: Bench, file: Kept) -> None:
    from clockfree.commands.lines import say  # --help does without
    from clockfree.link.benchfile import read_bench
    from clockfree.runs import bench_checkpoint

    count = bench_checkpoint.save(read_bench(bench), str(bench), file)
    say(f"{file}: taps and calibration of {count} edges")
