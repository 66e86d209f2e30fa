"""`clockfree independence`: a test on the firing times of a run."""

import typer

from clockfree.commands.options import Json, RunFolder
from clockfree.commands.output import FAILED, print_json, print_table


def independence(folder: RunFolder, as_json: Json = False) -> None:
    from clockfree.runs import independence as test  # --help does without
    from clockfree.runs import runlog

    record = runlog.read(folder)
    found = test.verdict(record)
    if as_json:
        print_json(test.as_json(found))
    else:
        print_table(test.table(record, found))
    if not found.independent:
        raise typer.Exit(FAILED)
