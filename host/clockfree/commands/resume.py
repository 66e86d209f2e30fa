"""`clockfree resume`: a run that was cut off goes on from its last checkpoint."""

from pathlib import Path
from typing import Annotated

import typer

from clockfree.commands.ending import Metrics, Then, end, shown
from clockfree.commands.options import Json, RunFolder


def resume(
    folder: RunFolder,
    bench: Annotated[
        Path | None, typer.Option(help="Bench file (TOML) of its boards. Default: the one it was begun with.")
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="By other code than it began with; boards with another firmware, too.")
    ] = False,
    then: Then = None,
    metrics: Metrics = None,
    as_json: Json = False,
) -> None:
    from clockfree.api import resuming  # --help does without

    with shown(metrics, then) as told:
        found, outcome = resuming.go_on(folder, bench, told, anyway)
    end(found, outcome, as_json, then)
