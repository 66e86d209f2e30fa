"""`clockfree resume`: a run that was cut off goes on from its last checkpoint."""

from pathlib import Path
from typing import Annotated

import typer

from clockfree.commands.options import Json, RunFolder


def resume(
    folder: RunFolder,
    bench: Annotated[
        Path | None, typer.Option(help="Bench file (TOML) of its boards. Default: the one it was begun with.")
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="By other code than it began with; boards with another firmware, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    from clockfree.api import resuming  # --help does without
    from clockfree.commands.ending import end
    from clockfree.commands.progress import progress

    with progress() as shown:
        found, outcome = resuming.go_on(folder, bench, shown, anyway)
    end(found, outcome, as_json)
