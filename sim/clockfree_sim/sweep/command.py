"""`clockfree sweep SWEEP.toml`: the arguments."""

from pathlib import Path
from typing import Annotated

import typer

FAILED, INTERRUPTED = 1, 130


def _complete(context: typer.Context, incomplete: str) -> list[str]:
    found: list[str] = context.find_root().obj.complete("sweeps", incomplete)
    return found


def sweep(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="Sweep file (TOML), or the name of an example.", autocompletion=_complete)
    ],
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="all cores")] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Dask scheduler to use (tcp://HOST:PORT), not processes."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to make, or to go on in.", show_default="runs/, by the file's name")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")] = False,
) -> None:
    """Run a task on a grid of settings and seeds. What was interrupted goes on by the same command."""
    from clockfree_sim.sweep import results  # slow to load, and `clockfree --help` loads this module
    from clockfree_sim.sweep.progress import progress
    from clockfree_sim.sweep.running import run_sweep

    file = context.obj.find("sweep", file)
    folder = out or Path("runs") / file.stem
    with progress() as observer:
        found = run_sweep(context.obj, file, jobs, scheduler, folder, observer)
    came_to = results.summary(found.sweep, found.journal), results.table(found.sweep, found.data)
    try:  # what it came to comes first: what follows may fail
        context.obj.print(*came_to, as_json, folder)
    finally:
        for text in found.make_file():
            context.obj.warn(text)
    if found.ended != "done":
        raise typer.Exit(INTERRUPTED if found.ended == "interrupted" else FAILED)
