"""Digest of what a compiled function is made of: its byte code, that of all it calls, and the constants they name.

What only a person reads (comments, docstrings, the lines that something stands on) is no part of it.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from inspect import unwrap
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba.core import types
from numba.core.dispatcher import Dispatcher
from numba.extending import _Intrinsic

OURS = "clockfree"
_CONSTANTS = (int, float, complex, str, bytes, bool, type(None), np.generic, np.dtype)
_methods: dict[str, list[FunctionType]] = defaultdict(list)


def method(name: str, function: Any) -> None:
    """Make known what compiled code finds by the name of an attribute, and not among globals."""
    _methods[name].append(unwrap(function))


def code_digest(function: FunctionType) -> str:
    """16 hexadecimal digits.

    Raises
    ------
    TypeError
        Something is named of which it cannot be told whether it has changed.
    """
    found = sha256()
    for piece in _Walk().function(function):
        found.update(piece.encode())
        found.update(b"\0")
    return found.hexdigest()[:16]


class _Walk:
    """All that can be reached from a function, each once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._named: set[str] = set()
        self._modules: set[str] = set()

    def function(self, function: FunctionType) -> Iterator[str]:
        """A function's own code, then whatever it names."""
        if id(function.__code__) in self._seen:
            return
        self._seen.add(id(function.__code__))
        names: list[str] = []
        yield function.__qualname__
        yield from self._code(function.__code__, function.__doc__, names)
        for cell in function.__closure__ or ():
            yield from self._value(cell.cell_contents, names)
        for value in function.__defaults__ or ():
            yield from self._value(value, names)
        for name in sorted({*names}):
            if name in function.__globals__:
                yield name
                yield from self._value(function.__globals__[name], names)
            if name in _methods and name not in self._named:
                self._named.add(name)
                for each in sorted(_methods[name], key=lambda each: (each.__module__, each.__qualname__)):
                    yield from self.function(each)

    def _code(self, code: CodeType, doc: str | None, names: list[str]) -> Iterator[str]:
        yield code.co_code.hex()
        names += code.co_names
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield constant.co_name
                yield from self._code(constant, None, names)
            elif isinstance(constant, frozenset):
                yield repr(sorted(constant, key=repr))
            elif constant is None or constant != doc:
                yield repr(constant)

    def _value(self, value: Any, names: list[str]) -> Iterator[str]:
        """A global, or what a closure holds."""
        if isinstance(value, Dispatcher):
            yield repr(sorted(value.targetoptions.items(), key=str))
            for each in getattr(value, "stands_for", (value,)):
                yield from self.function(each.py_func)
        elif isinstance(value, FunctionType):
            if (value.__module__ or "").startswith(OURS):
                yield from self.function(value)
            else:
                yield f"{value.__module__}.{value.__qualname__}"
        elif isinstance(value, _Intrinsic):
            yield from self._all_of(value._defn)
        elif isinstance(value, type):
            if issubclass(value, types.Type):
                yield from self._all_of(value)
            else:
                yield f"{value.__module__}.{value.__qualname__} {getattr(value, '_fields', ())}"
        elif isinstance(value, types.Type):
            yield repr(value)
            yield from self._all_of(type(value))
        elif isinstance(value, np.ndarray):
            yield f"{value.dtype.descr} {value.shape} {value.tobytes().hex()}"
        elif isinstance(value, np.ufunc):
            yield value.__name__
        elif isinstance(value, _CONSTANTS):
            yield f"{type(value).__name__} {value!r}"
        elif isinstance(value, tuple | frozenset):
            for part in value:
                yield from self._value(part, names)
        elif isinstance(value, ModuleType):
            yield value.__name__
            if value.__name__.startswith(OURS):
                for name in sorted({*names} & {*vars(value)}):
                    yield name
                    yield from self._value(vars(value)[name], names)
        elif (getattr(value, "__module__", None) or "").startswith(OURS):
            raise TypeError(f"compiled code names {value!r}, of which nobody can tell whether it has changed")

    def _all_of(self, made: Any) -> Iterator[str]:
        """What tells numba how machine code is made: whatever its module defines, since hooks are found by type."""
        module = made.__module__
        if not module.startswith(OURS):
            yield f"{module}.{made.__qualname__}"
            return
        if module in self._modules:
            return
        self._modules.add(module)
        for name, value in sorted(vars(sys.modules[module]).items()):
            yield from self._defined(name, value, module)

    def _defined(self, name: str, value: Any, module: str) -> Iterator[str]:
        """What a module defines under a name: functions, those of classes, constants."""
        if isinstance(value, _CONSTANTS) and not name.startswith("__"):
            yield f"{name} {value!r}"
        if getattr(value, "__module__", None) != module:
            return
        yield name
        if isinstance(value, type):
            yield repr(getattr(value, "_fields", ()))
            for own, part in sorted(vars(value).items()):
                yield from self._defined(own, part.fget if isinstance(part, property) else part, module)
            return
        if isinstance(value, _Intrinsic | Dispatcher):
            value = value._defn if isinstance(value, _Intrinsic) else value.py_func
        if isinstance(value, FunctionType):
            yield from self.function(value)
