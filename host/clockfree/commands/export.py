"""`clockfree export`: what a run learnt, as a network file."""

from pathlib import Path
from typing import Annotated

import typer

from clockfree.commands.options import RunFolder


def export(
    folder: RunFolder,
    file: Annotated[Path, typer.Argument(help="File to make; its ending says the format: .csv, .graphml, .cir, ...")],
) -> None:
    from clockfree.commands.lines import say  # --help does without
    from clockfree.runs import export as exporting
    from clockfree.runs import runlog

    record = runlog.read(folder)
    last = record.samples[-1]
    exporting.write(record.job, last["taps"], file)
    edges = len(record.job.network.ends)
    say(f"{file}: {edges} edges with tap and resistance_ohm, after {last['updates']:.6g} updates per edge")
