"""Ending of a command that ran something: what it came to, the exit status that says so, and what is done then."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clockfree.base.errors import BoardError
from clockfree.commands.lines import say, warn
from clockfree.commands.output import FAILED, INTERRUPTED, print_json, print_made, print_table
from clockfree_model.quiet import quiet

if TYPE_CHECKING:
    from clockfree.api.result import Run
    from clockfree.runs.experiment import Outcome

Then = Annotated[
    str | None,
    typer.Option(
        metavar="COMMAND",
        help="Run at the end, by the shell, with what it came to in CLOCKFREE_ENDED, _RUN, _FINAL_ERROR_V2, ...",
    ),
]
Metrics = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Keep metrics there for Prometheus' textfile collector (.prom).")
]


@contextmanager
def shown(metrics: Path | None, then: str | None) -> Iterator[Any]:
    """Who is told of a run: the terminal, and a file of metrics; what boards could not do is told at the end, too."""
    from clockfree.commands.progress import progress

    try:
        with progress() as told:
            if metrics is None:
                yield told
                return
            from clockfree.commands.metrics import Metered  # only who asks for it needs it

            yield Metered(told, metrics)
    except BoardError as error:
        do_then(then, {"ENDED": "failed", "ERROR": " ".join(str(error).split())})
        raise


def end(found: "Run", outcome: "Outcome", as_json: bool, then: str | None = None) -> None:
    """Print what a run came to, and make its files; typer.Exit where it failed or was interrupted."""
    try:  # what it came to comes first: what follows may take long, or fail
        if as_json:
            print_json(found.summary)
        elif quiet():
            for text in found.summary.get("warnings", ()):
                warn(f"warning: {text}")
            print_made(found.summary["run"])
        else:
            print_table(found.table())
        sys.stdout.flush()
    finally:
        for text in outcome.make_files():
            warn(f"warning: {text}")
    status = INTERRUPTED if found.ended == "interrupted" else FAILED if found.failures else 0
    summary = found.summary
    told = {key: summary.get(key) for key in ("run", "task", "updates_per_edge", "final_error_V2", "best_error_V2")}
    counts = {"warnings": len(summary.get("warnings", ())), "failures": len(found.failures), "status": status}
    do_then(then, {"ENDED": found.ended, **told, **counts})
    if status == INTERRUPTED:
        say(f"clockfree resume {quote(str(summary['run']))} goes on from there")
    if status:
        raise typer.Exit(status)


def do_then(command: str | None, told: dict[str, Any]) -> None:
    """Do what a person wants done at the end; what it prints goes to stderr, and that it failed is a warning."""
    if command is None:
        return
    variables = {f"CLOCKFREE_{key.upper()}": "" if value is None else str(value) for key, value in told.items()}
    status = subprocess.run(command, shell=True, env={**os.environ, **variables}, stdout=2, check=False).returncode
    if status:
        warn(f"warning: --then: {command}: exit status {status}")
