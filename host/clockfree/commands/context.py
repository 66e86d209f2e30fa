"""The command context: what the host lends to commands that know the simulation and not the host.

Task files, one-line errors and output are the host's; a command in the entry-point group `clockfree.commands` asks for
them through its `typer.Context.obj`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from clockfree.api.hosting import Host
from clockfree.commands.lines import warn
from clockfree.commands.output import print_json, print_made, print_table
from clockfree_model.quiet import quiet

if TYPE_CHECKING:
    from rich.console import RenderableType


class Context(Host):
    """The host, as such a command sees it."""

    def complete(self, name: str, incomplete: str) -> list[str]:
        """Completion of a shell by one of the host's lists, and files."""
        from clockfree.commands.completion import completed  # only a shell asks

        return completed(name, "toml")(incomplete)

    def warn(self, text: str) -> None:
        """A warning, on stderr."""
        warn(f"warning: {text}")

    def print(self, found: dict[str, Any], table: "RenderableType", as_json: bool, made: Path) -> None:
        """What was found, on stdout: one object (`--json`), a table, or of a quiet command what was made."""
        if as_json:
            print_json(found)
        elif quiet():
            print_made(made)
        else:
            print_table(table)
