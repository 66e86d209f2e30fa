"""Task files written for a person: the keys with what they mean beside them, and checked before they are there."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from clockfree.base.errors import InputError
from clockfree.base.overrides import table_in
from clockfree.base.toml import dumps
from clockfree.task.meanings import meaning
from clockfree.task.plan import Plan, make_plan
from clockfree.task.taskfile import Task
from clockfree_model.defaults import TABLES, default_of, range_of
from clockfree_model.files import replaced
from clockfree_model.presets import CLAMPS
from clockfree_model.settings import NUDGE, OVERCLAMP, settings_of

OFFERED = {"clamp": ("dwell_s",), "edge": ("rate_hz", "f_V", "theta_V")}
"""Settings that stand in a new file as comments: what people change first."""
OF_CLAMP = {NUDGE: ("eta",), OVERCLAMP: ("gain", "tolerance_V")}
"""The same, of the preset's clamp."""
COLUMN = 34
"""Where comments begin."""


def text_of(task: dict[str, Any], preset: str) -> str:
    """A task file.

    Parameters
    ----------
    task : dict
        As TOML has it, without tables of settings.
    preset : str
        Whose defaults stand in the comments.
    """
    lines = ["# Each key is explained by clockfree help KEY, all of them by clockfree help task.", ""]
    _table(lines, "", Task, task)
    for name, keys in OFFERED.items():
        lines += ["", f"[{name}]"]
        known = {key: setting for key, _, setting in settings_of(type(TABLES[name][preset]))}
        for key in (*OF_CLAMP[CLAMPS[preset].kind], *keys) if name == "clamp" else keys:
            value = default_of(name, key, preset)
            unit = f", {known[key].unit}" if known[key].unit else ""
            lines += _commented(f"# {key} = {value}", f"{known[key].what.split(';')[0]}{unit}; {range_of(known[key])}")
    return "\n".join(lines) + "\n"


def write(file: Path, text: str) -> Plan:
    """Write a task file that can be run, and return what would be; one that cannot leaves nothing behind.

    Raises
    ------
    InputError
        Why it cannot be run.
    """
    with replaced(file) as beside:
        beside.write_text(text, encoding="utf-8")
        try:
            return make_plan(beside, {}, [], False)
        except InputError as error:
            raise InputError(str(error).replace(str(beside), str(file))) from None


def _table(lines: list[str], heading: str, model: type[BaseModel], table: dict[str, Any]) -> None:
    """Keys and values first, then the tables in it."""
    inner = {key: found for key in table if (found := table_in(model.model_fields[key].annotation))}
    for key, value in table.items():
        if key not in inner:
            lines += _commented(_line(key, value), meaning(model, key))
    for key, found in inner.items():
        name = f"{heading}{key}"
        for each in table[key] if isinstance(table[key], list) else [table[key]]:
            lines += ["", f"[[{name}]]" if isinstance(table[key], list) else f"[{name}]"]
            _table(lines, f"{name}.", found, each)


def _line(key: str, value: Any) -> str:
    if not isinstance(value, dict):
        return dumps({key: value}).strip()
    return f"{key} = {{ {', '.join(dumps({name: part}).strip() for name, part in value.items())} }}"


def _commented(code: str, what: str) -> list[str]:
    """A key with its meaning beside it, or above it where it is long."""
    what = what.replace("`", "")
    if "\n" in code or len(code) > COLUMN - 2:
        return [f"# {what}", code]
    return [f"{code.ljust(COLUMN)}# {what}"]
