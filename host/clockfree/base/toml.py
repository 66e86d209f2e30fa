"""TOML: reading a file with errors that name it, and writing plain data (Python reads TOML but does not write it)."""

import json
import math
import re
import tomllib
from pathlib import Path
from typing import Any

from clockfree.base.errors import InputError
from clockfree_model.contents import contents

WIDTH = 110
MOST = 2 << 20
"""Bytes of a TOML file: half a second to read."""
PARTS = 16
"""Of a dotted key; to read one takes as long as the cube of them."""
_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_DEEP = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{PARTS}}}")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


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
        text = contents(path, MOST).decode("utf-8").removeprefix("\ufeff")  # which editors of Windows begin a file with
        if _DEEP.search(text):
            raise ValueError(f"a key of more than {PARTS} parts")
        return tomllib.loads(text)
    except OSError as error:
        raise InputError(f"{path}: file: expected a readable TOML file, got {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: file: expected TOML in UTF-8, got other bytes") from None
    except (ValueError, RecursionError) as error:  # no TOML; a number of thousands of digits, brackets as deep
        raise InputError(f"{path}: file: expected TOML, got {error}") from None
