"""A task file with another placement: what `clockfree place` writes."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clockfree.base.errors import InputError
from clockfree.base.toml import dumps, read_toml
from clockfree.task.taskfile import lay_over, task_of
from clockfree_model.places import beside, named

FILES = ("network", "data", "test_data", "start_taps")
"""Keys whose text may be a path from the task file."""


def placed_task(
    file: Path, options: Mapping[str, Any], sets: Sequence[str], written: Path
) -> Callable[[list[str], list[str], float], str]:
    """What makes the text of a task file with these sources and targets, to be written at another path.

    Raises
    ------
    InputError
        The record of a run, whose placement is fixed; a lesson of a teacher, which every placement reaches.
    """
    data = read_toml(file)
    if "record" in data:
        raise InputError(f"{file}: record: expected a task file, got the record of a run, whose placement is fixed")
    task = task_of(data, file, lay_over(data, file, options, sets))
    for i, lesson in enumerate(task.lesson):
        if lesson.teacher:
            raise task.problem(f"lesson.{i}.teacher", "expected lessons with outputs of their own: any placement does")
    _moved(data, file, written.parent)

    def text(sources: list[str], targets: list[str], error_V2: float) -> str:
        data["placement"] = {"sources": sources, "targets": targets}
        first = (
            f"# {file.name} with the placement that clockfree place found: best achievable error {error_V2:.3g} V^2."
        )
        return f"{first}\n\n{dumps(data)}"

    return text


def _moved(table: Any, file: Path, new: Path) -> None:
    """Paths from one file as paths from a folder, in place."""
    for key, value in table.items() if isinstance(table, dict) else ():
        if key in FILES and isinstance(value, str) and not named(value).is_absolute():
            if (found := beside(file, value, Path.exists)) is not None:
                table[key] = os.path.relpath(found, new)
        for part in value if isinstance(value, list) else [value]:
            _moved(part, file, new)
