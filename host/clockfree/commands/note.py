"""`clockfree note`: a line of a person's in the record of a run."""

from typing import Annotated

import typer

from clockfree.commands.options import RunFolder


def note(folder: RunFolder, text: Annotated[str, typer.Argument(help="One line.")]) -> None:
    from clockfree.runs import notes  # --help does without

    notes.add(folder, text)
