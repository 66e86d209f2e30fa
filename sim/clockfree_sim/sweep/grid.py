"""A sweep file: its axes, the values on each, and so the points of a grid.

A point is a task with some of its keys set, just as `clockfree run TASK --set KEY=VALUE ...` has them; what a key
means, and which values it takes, is the task's affair.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from clockfree_model.places import beside

FILES = {"task", "network", "data", "test_data", "start_taps"}
"""Keys, or last parts of keys, whose text may be a path from the sweep file."""
MOST_POINTS = 100_000
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


class SweepError(ValueError):
    """A sweep that cannot be run as it stands; the text is `KEY: expected ..., got ...`."""


class SweepFile(BaseModel):
    """What a sweep file may say; `task` and the tables are laid over each other, and no key is said twice.

    Attributes
    ----------
    task : str or None
        The task file, looked for beside the sweep file. None if the tasks are an axis.
    set : table
        A piece of a task file that goes for all points.
    axes : table
        A key of the task file (or `task`, or `p`, which is the rule `p=...` as a number), and its values: a list, or
        `"0..39"` for all integers of a range. A quoted key may be several with blanks between them, which take the same
        value, as `"seed task_seed"` does; the first one names the axis.
    variants : table
        Axes whose values have names; each name stands for a piece of a task file.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    task: str | None = None
    set: dict[str, Any] = {}
    axes: dict[str, Any] = {}
    variants: dict[str, dict[str, dict[str, Any]]] = {}


@dataclass(frozen=True)
class Axis:
    """One dimension of the results.

    Attributes
    ----------
    name : str
    keys : tuple of str
        What it sets.
    values : tuple
        Its coordinates: all of them numbers, or all text.
    settings : tuple of dict
        For each value, the keys of the task file that it stands for, and their values.
    """

    name: str
    keys: tuple[str, ...]
    values: tuple[Any, ...]
    settings: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Cell:
    """One point: indices into the axes, what that means in words, task file, and `KEY=VALUE` of each --set."""

    at: tuple[int, ...]
    where: str
    task: Path
    sets: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """All axes, and what goes for every point."""

    file: Path
    axes: tuple[Axis, ...]
    common: dict[str, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values on each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    def cells(self) -> Iterator[Cell]:
        """Every point; the last axis runs fastest."""
        for at in product(*map(range, self.shape)):
            settings = dict(self.common)
            for axis, i in zip(self.axes, at):
                settings |= axis.settings[i]
            for key in settings:
                if key.rpartition(".")[2] in FILES and isinstance(settings[key], str):
                    settings[key] = self._beside(key, settings[key])
            task = Path(settings.pop("task"))
            sets = tuple(f"{key}={_toml(value)}" for key, value in settings.items())
            where = ", ".join(f"{axis.name} = {axis.values[i]}" for axis, i in zip(self.axes, at))
            yield Cell(at, where, task, sets)

    def _beside(self, key: str, name: str) -> str:
        """A file, or a folder of taps, beside the sweep file if there is one of this name, else the name as it is."""
        try:
            return str(beside(self.file, name, Path.is_dir if key == "start_taps" else Path.is_file) or name)
        except ValueError as error:
            raise SweepError(f"{key}: {error}") from None


def grid(asked: SweepFile, file: Path) -> Grid:
    """The grid that a sweep file asks for; SweepError if it asks for none."""
    places = {f"axes.{key}": _axis(key, values) for key, values in _flat(asked.axes)}
    places |= {f"variants.{name}": _variants(name, pieces) for name, pieces in asked.variants.items()}
    if not places:
        raise SweepError("axes: expected at least one axis there or in variants, got none")
    common = dict(_flat(asked.set))
    if asked.task is not None:
        common = {"task": asked.task, **common}
    said = {key: "task" if key == "task" else f"set.{key}" for key in common}
    axes: dict[str, Axis] = {}
    for place, axis in places.items():
        if axis.name in axes:
            raise SweepError(f"{place}: expected a name of its own, got that of another axis")
        axes[axis.name] = axis
        for key in axis.keys:
            if key in said:
                raise SweepError(f"{place}: expected {key} to be said once, got it in {said[key]} too")
        said |= dict.fromkeys(axis.keys, place)
    if "task" not in said:
        raise SweepError("task: expected a task file, or an axis of task files, got neither")
    points = math.prod(len(axis.values) for axis in axes.values())
    if points > MOST_POINTS:
        raise SweepError(f"axes: expected at most {MOST_POINTS} points, got {points}")
    return Grid(file, tuple(axes.values()), common)


def _flat(table: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys of nested tables, and what is not a table there."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value


def _axis(key: str, listed: Any) -> Axis:
    keys = tuple(key.split())
    where = f"axes.{key}"
    if not keys or not all(map(_NAME.fullmatch, keys)):
        raise SweepError(f"{where}: expected a key of the task file, or several with blanks between them")
    span = _RANGE.fullmatch(listed) if isinstance(listed, str) else None
    if span:
        first, last = map(int, span.groups())
        if last - first >= MOST_POINTS:
            raise SweepError(f"{where}: expected at most {MOST_POINTS} values, got {listed!r}")
        listed = list(range(first, last + 1)) or listed
    if not isinstance(listed, list) or not listed:
        raise SweepError(f'{where}: expected a list of values, or a range of integers such as "0..9", got {listed!r}')
    settings = [{"rule": f"p={value}"} if key == "p" else dict.fromkeys(keys, value) for value in listed]
    return Axis(keys[0], tuple(settings[0]), _coordinates(where, listed), tuple(settings))


def _variants(name: str, pieces: dict[str, dict[str, Any]]) -> Axis:
    where = f"variants.{name}"
    if not _NAME.fullmatch(name):
        raise SweepError(f"{where}: expected a name of letters, digits and _")
    if not pieces:
        raise SweepError(f"{where}: expected at least one variant, got none")
    settings = tuple(dict(_flat(piece)) for piece in pieces.values())
    keys = tuple(dict.fromkeys(key for each in settings for key in each))
    return Axis(name, keys, tuple(pieces), settings)


def _toml(value: Any) -> str:
    """A value as --set takes it: JSON's words are TOML's, but for tables."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)


def _coordinates(where: str, listed: list[Any]) -> tuple[Any, ...]:
    """Values as they stand on an axis: numbers if all of them are, else text."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in listed)
    shown = [value if numbers or isinstance(value, str) else json.dumps(value, default=str) for value in listed]
    if len(set(shown)) < len(shown):
        twice = next(value for value in shown if shown.count(value) > 1)
        raise SweepError(f"{where}: expected every value once, got {twice} twice")
    return tuple(shown)
