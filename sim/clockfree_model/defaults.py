"""Tables of settings in a task file: their defaults by preset, and ranges and defaults in words."""

from collections.abc import Mapping
from typing import Any

from clockfree_model.physics import PRESETS
from clockfree_model.presets import CLAMPS, EDGES
from clockfree_model.settings import Setting

TABLES: dict[str, Mapping[str, Any]] = {
    "edge": EDGES,
    "clamp": CLAMPS,
    "physics": PRESETS,
}
"""Of each table, the settings of every preset."""
SIGNS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def in_words(value: object) -> str:
    """A value as a task file has it; `-` for one that is left out."""
    if isinstance(value, bool):
        return str(value).lower()
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def range_of(known: Setting) -> str:
    """What a value has to be: choices, or limits; "" where anything goes."""
    limits = " and ".join(f"{SIGNS[limit]} {value:.10g}" for limit, value in known.limits.items())
    return ", ".join(known.choices) or limits


def default_of(table: str, key: str, preset: str = "") -> str:
    """The default of a preset; without one that of all, or of every one where they differ."""
    values = {name: in_words(getattr(each, key)) for name, each in TABLES[table].items()}
    if preset:
        return values[preset]
    if len({*values.values()}) == 1:
        return next(iter(values.values()))
    return ", ".join(f"{value} ({preset})" for preset, value in values.items())
