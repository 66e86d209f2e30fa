"""`clockfree compare`: a run beside simulated ones of the same job."""

from typing import Annotated

import typer

from clockfree.commands.options import Json, RunFolder
from clockfree.commands.output import FAILED, print_json, print_table


def compare(
    folder: RunFolder,
    runs: Annotated[int, typer.Option(min=1, help="Simulated runs, each with another clock seed.")] = 100,
    as_json: Json = False,
) -> None:
    from clockfree.commands.progress import progress  # --help does without
    from clockfree.runs import compare as comparison
    from clockfree.runs import runlog

    record = runlog.read(folder)
    with progress() as shown:
        found = comparison.compare(record, runs, lambda done: shown.share(f"simulating {runs} runs", done / runs))
    if as_json:
        print_json(comparison.as_json(found))
    else:
        print_table(comparison.table(found))
    if not found.within:
        raise typer.Exit(FAILED)
