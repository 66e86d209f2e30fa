"""Record of a job, as plain data: to TOML or JSON and back. What was run can be run again from it.

Written are `run.toml` (for a person, and for `clockfree run RUN/run.toml`) and the first line of `log.jsonl`.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from clockfree_model.ground import Ground
from clockfree_model.job import Damage, Job, Lesson
from clockfree_model.network import Network
from clockfree_model.physics import Physics
from clockfree_model.settings import ClampSettings, EdgeSettings


def named(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a dataclass by their keys in files: their names, where they have none of their own."""
    for field in dataclasses.fields(value):
        yield field.metadata.get("key", field.name), getattr(value, field.name)


def plain(value: Any) -> Any:
    """Dataclasses, arrays and tuples as dicts, lists and numbers; what is None is left out of a dict."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key: plain(part) for key, part in named(value) if part is not None}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items() if part is not None}
    return value


def job_from(table: dict[str, Any]) -> Job:
    """The job that `plain` was given.

    Raises
    ------
    KeyError, TypeError, ValueError
        The table is not one that `plain` wrote.
    """
    fields = dict(table)
    fields["schedule"] = fields.pop("rule")
    fields["network"] = Network(**fields["network"])
    fields["sources"] = tuple(fields["sources"])
    fields["targets"] = tuple(fields["targets"])
    fields["lessons"] = tuple(_lesson(lesson) for lesson in fields["lessons"])
    fields["damage"] = tuple(Damage(**damage) for damage in fields["damage"])
    fields["edge"] = EdgeSettings(**fields["edge"])
    fields["clamp"] = ClampSettings(**fields["clamp"])
    fields["physics"] = Physics(**fields["physics"])
    if "ground" in fields:  # records of before have none
        fields["ground"] = Ground(**fields["ground"])
    if "start_taps" in fields:
        fields["start_taps"] = np.array(fields["start_taps"], dtype=np.int64)
    return Job(**fields)


def _lesson(table: dict[str, Any]) -> Lesson:
    volts = {key: np.array(table[key], dtype=float) for key in ("source_V", "desired_V")}
    return Lesson(**{**table, **volts})
