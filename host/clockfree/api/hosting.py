"""What the host lends to a sweep, which knows the simulation and not the host: tasks, and errors in one line."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from clockfree.base import shipped
from clockfree.base.errors import InputError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from clockfree.task.plan import Plan

Model = TypeVar("Model", bound="BaseModel")


class Host:
    """The host, as a sweep sees it; every command line has one, so it loads what it lends when it is asked.

    Attributes
    ----------
    InputError : type of Exception
        Bad input, to be raised with one line: `FILE: key: expected ..., got ...`.
    """

    InputError: type[Exception] = InputError

    def read(self, file: Path, model: "type[Model]") -> "Model":
        """A TOML file, as its model has it; InputError if it cannot be read or is not one."""
        from clockfree.base.overrides import checked  # pydantic: slow to load, and only a sweep asks
        from clockfree.base.toml import read_toml

        return checked(model, read_toml(file), file)

    def find(self, noun: str, name: "Path | str") -> Path:
        """A task or sweep file by its name: that of a file, or of an example; InputError if it is neither."""
        return shipped.find(shipped.KINDS[noun], name)

    def text(self, file: Path) -> str:
        """What a file says, for the record."""
        return file.read_text(encoding="utf-8")

    def plan(self, task: Path, sets: Sequence[str]) -> "Plan":
        """What `clockfree run TASK --set KEY=VALUE ...` would run; InputError if it would not."""
        from clockfree.task.plan import make_plan  # the same

        return make_plan(task, {}, sets, False)

    def versions(self) -> dict[str, str]:
        """Versions of whatever can change a result."""
        from clockfree.task.versions import versions  # the same

        return versions()
