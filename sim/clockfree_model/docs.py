"""What stands at the top of a class or a function, also where Python was told to leave it out."""

import ast
import inspect
import textwrap
from typing import Any


def doc(of: Any) -> str:
    """Its docstring; with PYTHONOPTIMIZE=2, which leaves them out, from the source; "" if there is none."""
    if found := inspect.getdoc(of):
        return found
    try:
        (made,) = ast.parse(textwrap.dedent(inspect.getsource(of))).body
    except (OSError, TypeError, SyntaxError, ValueError):  # made by a call
        return ""
    return (ast.get_docstring(made) or "") if isinstance(made, ast.ClassDef | ast.FunctionDef) else ""
