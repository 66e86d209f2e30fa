"""The command context: what the host lends to commands that know the simulation and not the host.

Task files, one-line errors and output are the host's; a command in the entry-point group `clockfree.commands` asks for
them through its `typer.Context.obj`.
"""

from typing import TYPE_CHECKING, Any

from clockfree.api.hosting import Host
from clockfree.commands.output import print_json, print_table

if TYPE_CHECKING:
    from rich.console import RenderableType


class Context(Host):
    """The host, as such a command sees it."""

    def print(self, found: dict[str, Any], table: "RenderableType", as_json: bool) -> None:
        """What was found, on stdout: one object (`--json`), or a table."""
        if as_json:
            print_json(found)
        else:
            print_table(table)
