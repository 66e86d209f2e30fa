"""What was run, as plain data: a job to TOML or JSON and back. The record of a run can be run again.

Written are `run.toml` (for a person, and for `clockfree run RUN/run.toml`) and the first line of `log.jsonl`.
"""

import dataclasses
import json
import math
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from clockfree_host.bench import ClampSettings, Damage, EdgeSettings, Job, Lesson, Network, Physics
from clockfree_host.errors import InputError

WIDTH = 110
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


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


def dumps(table: dict[str, Any]) -> str:
    """A dict of plain data as TOML: numbers, strings, booleans, lists, dicts, lists of dicts."""
    lines: list[str] = []
    _table(lines, (), table)
    return "\n".join(lines) + "\n"


def _table(lines: list[str], path: tuple[str, ...], table: dict[str, Any]) -> None:
    deeper = {key: value for key, value in table.items() if _is_table(value)}
    for key, value in table.items():
        if key not in deeper:
            lines.append(_wrapped(f"{_key(key)} = ", value))
    for key, value in deeper.items():
        heading = ".".join(map(_key, (*path, key)))
        for part in [value] if isinstance(value, dict) else value:
            lines += ["", f"[{heading}]" if isinstance(value, dict) else f"[[{heading}]]"]
            _table(lines, (*path, key), part)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # nan, inf, -inf: TOML spells them as Python does
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace(
            "\x7f", "\\u007f"
        )  # JSON's escapes are TOML's, but for DEL
    return "[" + ", ".join(map(_value, value)) + "]"


def _wrapped(start: str, value: Any) -> str:
    """One line if it fits, otherwise a list filled into lines of readable length."""
    line = start + _value(value)
    if len(line) <= WIDTH or not isinstance(value, list):
        return line
    lines = [start + "["]
    text = "   "
    for part in value:
        item = f" {_value(part)},"
        if len(text) + len(item) > WIDTH and text.strip():
            lines.append(text)
            text = "   "
        text += item
    return "\n".join([*lines, text, "]"])


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dict.

    Raises
    ------
    InputError
        No such file, not UTF-8, not TOML.
    """
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise InputError(f"{path}: file: expected a readable TOML file, got {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: file: expected TOML in UTF-8, got other bytes") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: file: expected TOML, got {error}") from None
