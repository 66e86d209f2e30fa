"""Ending of a command that ran something: what it came to, and the exit status that says so."""

import sys
from typing import TYPE_CHECKING

import typer

from clockfree.commands.lines import warn
from clockfree.commands.output import FAILED, INTERRUPTED, print_json, print_made, print_table
from clockfree_model.quiet import quiet

if TYPE_CHECKING:
    from clockfree.api.result import Run
    from clockfree.runs.experiment import Outcome


def end(found: "Run", outcome: "Outcome", as_json: bool) -> None:
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
    if found.ended == "interrupted":
        raise typer.Exit(INTERRUPTED)
    if found.failures:
        raise typer.Exit(FAILED)
