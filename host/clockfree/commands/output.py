"""Output of commands: exit statuses, and how they print what they found."""

import json
import sys
from typing import TYPE_CHECKING, Any

from clockfree_model.saying import put

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
WIDE = 200
"""Columns of a table that goes to a file or a pipe, so that nothing is folded."""


def print_json(found: dict[str, Any]) -> None:
    """One object on one line."""
    put(json.dumps(found, allow_nan=False).replace("\x7f", "\\u007f"))


def print_made(made: object) -> None:
    """What a quiet command made, a folder or a file: all that a script goes on with, under the name that it has."""
    put(str(made)) if sys.stdout.isatty() else print(made)


def console(stderr: bool = False) -> "Console":
    """A terminal, or whatever stands for it."""
    from clockfree.commands.terminal import Terminal  # rich: slow to load, and --help prints no table

    stream = sys.stderr if stderr else sys.stdout
    return Terminal(stderr=stderr, width=None if stream.isatty() else WIDE)


def print_table(table: "RenderableType") -> None:
    """A table as wide as the terminal, or as it needs to be anywhere else."""
    console().print(table)
