"""`clockfree compare`: a run beside simulated ones of the same job, or beside another run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clockfree.commands.completion import completed
from clockfree.commands.options import Json, RunFolder
from clockfree.commands.output import FAILED, print_json, print_table
from clockfree_model.quiet import quiet

if TYPE_CHECKING:
    from clockfree.runs.runlog import Record


def compare(
    folder: RunFolder,
    other: Annotated[
        Path | None,
        typer.Argument(
            help="Another run: which of the two jobs ends lower?", show_default=False, autocompletion=completed("runs")
        ),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Simulated runs, each with another clock seed.")] = 100,
    as_json: Json = False,
) -> None:
    from clockfree.commands.lines import warn  # the same
    from clockfree.commands.progress import progress  # --help does without
    from clockfree.runs import compare as comparison
    from clockfree.runs import runlog
    from clockfree.task.versions import changed

    record, second = runlog.read(folder), None if other is None else runlog.read(other)
    for each in (record, second):
        if each and (text := changed(each.about["versions"])):
            warn(f"{each.folder}: recorded with {text}")
    if second:
        _versus(record, second, runs, as_json)
        return
    with progress() as shown:
        found = comparison.compare(record, runs, lambda done: shown.share(f"simulating {runs} runs", done / runs))
    if as_json:
        print_json(comparison.as_json(found))
    elif not quiet():
        print_table(comparison.table(found))
    if not found.within:
        raise typer.Exit(FAILED)


def _versus(first: "Record", second: "Record", runs: int, as_json: bool) -> None:
    from clockfree.commands.progress import progress  # --help does without
    from clockfree.runs import versus

    doing = f"simulating {runs} runs of each"
    with progress() as shown:
        found = versus.versus(first, second, runs, lambda done: shown.share(doing, done / (2 * runs)))
    if as_json:
        print_json(versus.as_json(found))
    elif not quiet():
        print_table(versus.table(found))
