"""The command context: what the host lends to commands that know the simulation and not the host.

Task files, one-line errors and output are the host's; a command in the entry-point group `clockfree.commands` asks for
them through its `typer.Context.obj`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from clockfree.base.errors import InputError
from clockfree.commands.output import print_json, print_table

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import RenderableType

    from clockfree.task.plan import Plan

Model = TypeVar("Model", bound="BaseModel")


class Context:
    """The host, as such a command sees it; every command line has one, so it loads what it lends when it is asked.

    Attributes
    ----------
    InputError : type of Exception
        Bad input, to be raised with one line: `FILE: key: expected ..., got ...`.
    """

    InputError = InputError

    def read(self, file: Path, model: "type[Model]") -> "Model":
        """A TOML file, as its model has it; InputError if it cannot be read or is not one."""
        from clockfree.base.overrides import checked  # pydantic: slow to load, and only a sweep asks
        from clockfree.base.toml import read_toml

        return checked(model, read_toml(file), file)

    def plan(self, task: Path, sets: Sequence[str]) -> "Plan":
        """What `clockfree run TASK --set KEY=VALUE ...` would run; InputError if it would not."""
        from clockfree.task.plan import make_plan  # the same

        return make_plan(task, {}, sets, False)

    def versions(self) -> dict[str, str]:
        """Versions of whatever can change a result."""
        from clockfree.task.plan import versions  # the same

        return versions()

    def print(self, found: dict[str, Any], table: "RenderableType", as_json: bool) -> None:
        """What was found, on stdout: one object (`--json`), or a table."""
        if as_json:
            print_json(found)
        else:
            print_table(table)
