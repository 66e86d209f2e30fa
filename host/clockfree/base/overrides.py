"""Overrides of a file by the command line, and errors of a value in one line."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from clockfree.base.errors import InputError
from clockfree.base.toml import PARTS
from clockfree_model.nearest import nearest

Model = TypeVar("Model", bound=BaseModel)
EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_type": "an integer",
    "list_type": "a list",
    "model_type": "a table",
    "string_type": "text",
}
ITEMS = {"source_V": "example", "desired_V": "example"}
SIGNS = {Gt: (">", "gt"), Ge: (">=", "ge"), Lt: ("<", "lt"), Le: ("<=", "le")}


def value_of(text: str) -> Any:
    """A TOML value; what is not TOML is a string as it stands."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return table["value"] if len(table) == 1 else text


def override(data: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key (`edge.f_V`, `lesson.0.teacher`) in nested dicts and lists; missing tables are made.

    Raises
    ------
    ValueError
        The key leads into something that is neither a table nor a list, or beyond a list's end.
    """
    *path, last = key.split(".")
    if len(path) >= PARTS:
        raise ValueError(f"expected a key of at most {PARTS} parts, got {len(path) + 1}")
    place: Any = data
    for i, part in enumerate([*path, last]):
        if isinstance(place, list):
            if not part.isdecimal() or int(part) >= len(place):
                raise ValueError(f"expected 0..{len(place) - 1} after {'.'.join(path[:i])}, got {part!r}")
            index: Any = int(part)
        elif isinstance(place, dict):
            index = part
        else:
            raise ValueError(f"expected a table or a list at {'.'.join(path[:i])}, got {shown(place)}")
        if i == len(path):
            place[index] = value
        else:
            place = place[index] if isinstance(place, list) else place.setdefault(index, {})


def origin(key: str, overridden: Mapping[str, str]) -> str:
    """` (from --set)` if an option gave the value at this key, a part of it, or what it is a part of.

    An option without a name is where all values are from, and said by nobody.
    """
    for given, option in overridden.items():
        if option and (f"{key}.".startswith(f"{given}.") or f"{given}.".startswith(f"{key}.")):
            return f" (from {option})"
    return ""


def checked(model: type[Model], data: dict[str, Any], where: Path | str) -> Model:
    """Data as its model has it; InputError, which begins with where the data is from, if it is not."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{where}: {one_line(model, error, {})}") from None


def one_line(model: type[BaseModel], error: ValidationError, overridden: Mapping[str, str]) -> str:
    """The first thing wrong, as `KEY: expected …, got …`. A misspelt key goes before the key it leaves missing.

    What is wrong with the file as a whole has no key.
    """
    details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")[0]
    key = ".".join(str(part) for part in details["loc"])
    where = f"{key}{origin(key, overridden)}: " if key else ""
    return where + _said(model, details)


def shown(value: object) -> str:
    """A value as an error shows it: in TOML's words for booleans, and short."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _said(model: type[BaseModel], details: ErrorDetails) -> str:
    kind, context, key = details["type"], details.get("ctx", {}), str((details["loc"] or ("",))[-1])
    table, field = _find(model, details["loc"])
    if kind == "missing":
        return "expected a value, got nothing"
    if kind == "extra_forbidden":
        if len(details["loc"]) > 1 and key in model.model_fields:  # TOML puts a line into the table above it
            above = f"{key} belongs above [{details['loc'][-2]}]"
            return f"expected one of {', '.join(table.model_fields)}, got a key of the whole file: {above}"
        return f"expected one of {', '.join(table.model_fields)}, got an unknown key{nearest(key, table.model_fields)}"
    if kind == "too_short":
        return f"expected at least one {ITEMS.get(str(details['loc'][-1]), 'entry')}, got none"
    got = f", got {shown(details['input'])}"
    if kind == "value_error":
        text = str(context["error"])
        return text if ", got" in text else text + got
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        return f"expected a number {limits_of(field)}{got}"
    if kind == "literal_error":
        allowed = re.findall(r"'([^']+)'", context["expected"])
        return f"expected {context['expected']}{got}{nearest(details['input'], allowed)}"
    if kind in EXPECTED:
        return f"expected {EXPECTED[kind]}{got}"
    return f"expected another value ({details['msg']}){got}"


def limits_of(field: FieldInfo | None) -> str:
    """`> 0 and <= 1`: what the field asks of a number."""
    limits = []
    for limit in field.metadata if field is not None else ():
        if type(limit) in SIGNS:
            sign, name = SIGNS[type(limit)]
            limits.append(f"{sign} {getattr(limit, name)}")
    return " and ".join(limits)


def _find(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[type[BaseModel], FieldInfo | None]:
    """The table that a place in a file lies in, and the table's field there."""
    table = model
    field: FieldInfo | None = None
    for part in loc:
        if isinstance(part, str):
            inner = table_in(field.annotation) if field is not None else None
            table = inner or table
            field = table.model_fields.get(part)
    return table, field


def table_in(annotation: Any) -> type[BaseModel] | None:
    """The table that a field of this type holds, or holds a list of; None if it is a value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := table_in(part))), None)
