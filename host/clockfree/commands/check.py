"""`clockfree check`: whether the record of a run is what was written."""

import typer

from clockfree.commands.options import Json, RunFolder
from clockfree.commands.output import FAILED, print_json
from clockfree_model.saying import put


def check(folder: RunFolder, as_json: Json = False) -> None:
    from clockfree.runs import checking  # --help does without

    found = checking.check(folder)
    if as_json:
        print_json(checking.as_json(found))
    else:
        put(checking.text(found))
    if not found.sound:
        raise typer.Exit(FAILED)
