"""Output of commands: exit statuses, and how they print what they found."""

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
WIDE = 200
"""Columns of a table that goes to a file or a pipe, so that nothing is folded."""


def print_json(found: dict[str, Any]) -> None:
    """One object on one line."""
    print(json.dumps(found, allow_nan=False))


def print_made(made: object) -> None:
    """What a quiet command made, a folder or a file: all that a script goes on with."""
    print(made)


def console(stderr: bool = False) -> "Console":
    """A terminal, or whatever stands for it, that shows text as it is: names may hold brackets and colons."""
    from rich.console import Console  # slow to load, and --help prints no table

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=None if stream.isatty() else WIDE)


def print_table(table: "RenderableType") -> None:
    """A table as wide as the terminal, or as it needs to be anywhere else."""
    console().print(table)
