"""What was run, as plain data: a job to TOML or JSON and back. The record of a run can be run again.

Written are `run.toml` (for a person, and for `clockfree run RUN/run.toml`) and the first line of `log.jsonl`.
"""

import dataclasses
from typing import Any

import numpy as np

from clockfree_model.job import ClampSettings, Damage, EdgeSettings, Job, Lesson
from clockfree_model.network import Network
from clockfree_model.physics import Physics


def plain(value: Any) -> Any:
    """Dataclasses, arrays and tuples as dicts, lists and numbers; what is None is left out of a dict."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: plain(part) for name, part in fields if part is not None}
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
    fields["network"] = Network(**fields["network"])
    fields["sources"] = tuple(fields["sources"])
    fields["targets"] = tuple(fields["targets"])
    fields["lessons"] = tuple(_lesson(lesson) for lesson in fields["lessons"])
    fields["damage"] = tuple(Damage(**damage) for damage in fields["damage"])
    fields["edge"] = EdgeSettings(**fields["edge"])
    fields["clamp"] = ClampSettings(**fields["clamp"])
    fields["physics"] = Physics(**fields["physics"])
    if "start_taps" in fields:
        fields["start_taps"] = np.array(fields["start_taps"], dtype=np.int64)
    return Job(**fields)


def _lesson(table: dict[str, Any]) -> Lesson:
    volts = {key: np.array(table[key], dtype=float) for key in ("source_V", "desired_V")}
    return Lesson(**{**table, **volts})
