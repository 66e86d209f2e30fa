"""Meanings of the keys of a task file, which stand below each in its source."""

import ast
import inspect
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


def meaning(table: type[BaseModel], key: str) -> str:
    """What a key of a table means; "" where nothing is said."""
    return next((found[key] for each in table.__mro__ if key in (found := _meanings(each))), "")


@cache
def _meanings(table: type) -> dict[str, str]:
    """By key."""
    found: dict[str, str] = {}
    if table is BaseModel or not issubclass(table, BaseModel):
        return found
    try:
        (source,) = ast.parse(inspect.getsource(table)).body
    except (OSError, TypeError):  # made from settings, which say themselves what they mean
        return found
    lines = source.body if isinstance(source, ast.ClassDef) else []
    for line, below in pairwise(lines):
        match line, below:
            case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(value=str(text))):
                found[key] = text
    return found
