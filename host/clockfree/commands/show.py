"""`clockfree show`: a run printed and plotted again, from its log."""

import sys

import typer

from clockfree.commands.options import Json, RunFolder
from clockfree.commands.output import FAILED, print_json, print_table


def show(folder: RunFolder, as_json: Json = False) -> None:
    from clockfree.commands.lines import warn  # --help does without
    from clockfree.runs import report, results, runlog
    from clockfree.runs.made import make

    record = runlog.read(folder)
    data = results.dataset(record)
    found = results.summary(record, data)
    if as_json:
        print_json(found)
    else:
        print_table(report.table(found, data))
    sys.stdout.flush()
    if not_made := make(record, data):  # what was asked for
        for text in not_made:
            warn(text)
        raise typer.Exit(FAILED)
