"""Digest of what a compiled function is made of: its byte code, that of all it calls, and the constants they name.

What only a person reads (comments, docstrings, the lines that something stands on) is no part of it.
"""

import sys
from collections.abc import Iterator
from dis import EXTENDED_ARG, hasconst
from functools import cache
from hashlib import sha256
from inspect import CO_VARARGS, CO_VARKEYWORDS, unwrap
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.dispatcher import Dispatcher
from numba.extending import _Intrinsic

OURS = "clockfree"
_CONSTANTS = (int, float, complex, str, bytes, bool, type(None), np.generic, np.dtype, ir.Type)
_methods: list[tuple[str, str, str, FunctionType]] = []


def method(kind: type, name: str, function: Any, **options: Any) -> None:
    """Make known what compiled code finds by the name of an attribute, and not among globals.

    What has the attribute is made by an intrinsic of the module that its type is in.

    Parameters
    ----------
    kind : class of a numba type
        What has the attribute.
    name : str
    function : callable
        Chooses the code by the types of its arguments.
    options : of `numba.njit`
        With which that is compiled.
    """
    _methods.append((name, kind.__module__, f"{kind.__qualname__} {options_text(options)}", unwrap(function)))


def options_text(options: dict[str, Any]) -> str:
    """Options of `numba.njit`, the same text in every process."""
    return repr([(name, sorted(of) if isinstance(of, set) else of) for name, of in sorted(options.items())])


def code_digest(function: FunctionType) -> str:
    """16 hexadecimal digits.

    Raises
    ------
    TypeError
        Something is named of which it cannot be told whether it has changed.
    """
    found = sha256()
    for piece in _Walk().all(function):
        found.update(piece.encode())
        found.update(b"\0")
    return found.hexdigest()[:16]


@cache
def _instructions(code: CodeType) -> tuple[str, frozenset[str]]:
    """Instructions with the constants they load, and all names in them.

    Where a constant stands among others depends on whether there is a docstring, and a docstring is never loaded. Names
    of arguments count: a caller may use them.
    """
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    names = {*code.co_names}
    pieces = [f"{code.co_name} {code.co_names} {arguments} {code.co_flags & (CO_VARARGS | CO_VARKEYWORDS)}"]
    plain, high = bytearray(code.co_code), 0
    for at in range(0, len(plain), 2):
        if plain[at] == EXTENDED_ARG:
            high = high + plain[at + 1] << 8
            continue
        if plain[at] in hasconst:
            constant = code.co_consts[high + plain[at + 1]]
            plain[at + 1] = 0
            if isinstance(constant, CodeType):
                text, inner = _instructions(constant)
                pieces.append(text)
                names |= inner
            else:
                pieces.append(repr(sorted(constant, key=repr) if isinstance(constant, frozenset) else constant))
        high = 0
    return "\0".join([*pieces, plain.hex(), code.co_exceptiontable.hex()]), frozenset(names)


class _Walk:
    """All that can be reached from a function, each once, and by its number where it is named again."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._names: set[str] = set()
        self._modules: set[str] = set()

    def all(self, function: FunctionType) -> Iterator[str]:
        """A function, and the methods of what it and its like make."""
        yield from self.function(function)
        left = sorted(_methods, key=lambda each: (*each[:3], each[3].__module__, each[3].__qualname__))
        while now := [each for each in left if each[0] in self._names and each[1] in self._modules]:
            left = [each for each in left if each not in now]
            for name, _, how, choose in now:
                yield f"{name} {how}"
                yield from self.function(choose)

    def function(self, function: FunctionType) -> Iterator[str]:
        """A function's own code, then whatever it names."""
        if self._again(function):
            yield f"again {self._seen[id(function)]}"
            return
        yield function.__qualname__
        text, names = _instructions(function.__code__)
        yield text
        self._names |= names
        for cell in function.__closure__ or ():
            yield from self._value(cell.cell_contents, names)
        yield from self._value(function.__defaults__, names)
        for name in sorted(names):
            if name in function.__globals__:
                yield name
                yield from self._value(function.__globals__[name], names)

    def _again(self, value: Any) -> bool:
        """Whether it has been seen; it has now."""
        count = len(self._seen)
        return self._seen.setdefault(id(value), count) < count

    def _value(self, value: Any, names: frozenset[str]) -> Iterator[str]:
        """A global, or what a closure holds."""
        module, name = getattr(value, "__module__", None) or "", getattr(value, "__qualname__", "")
        if isinstance(value, Dispatcher):
            yield options_text(value.targetoptions)
            if hasattr(value, "stands_for"):
                yield from self._value(value.stands_for, names)
            else:
                yield from self.function(value.py_func)
        elif isinstance(value, ModuleType):
            yield value.__name__
            if value.__name__.startswith(OURS) and value.__name__ != __name__:  # what makes digests makes no code
                for each in sorted(names & {*vars(value)}):
                    yield each
                    yield from self._value(vars(value)[each], names)
        elif isinstance(value, _Intrinsic):
            yield from self._all_of(value._defn)
        elif isinstance(value, type) and not issubclass(value, types.Type):  # a named tuple
            yield f"{module}.{name} {getattr(value, '_fields', ())}"
        elif isinstance(value, type):
            yield from self._all_of(value)
        elif isinstance(value, FunctionType) and module.startswith(OURS):
            yield from self.function(value)
        elif isinstance(value, types.Type):
            yield repr(value)
            yield from self._all_of(type(value))
        elif isinstance(value, np.ndarray):
            yield f"{value.dtype!r} {value.shape} {value.flags.f_contiguous} {value.tobytes().hex()}"
        elif isinstance(value, np.ufunc):
            yield value.__name__
        elif isinstance(value, _CONSTANTS):
            yield f"{type(value).__name__} {value!r}"
        elif isinstance(value, tuple | list | set | frozenset):
            yield f"{type(value).__name__} {len(value)}"
            for part in sorted(value, key=repr) if isinstance(value, set | frozenset) else value:
                yield from self._value(part, names)
        elif module and name and not module.startswith(OURS):  # a function of numpy or Python
            yield f"{module}.{name}"
        else:
            raise TypeError(f"compiled code names {value!r}, of which nobody can tell whether it has changed")

    def _all_of(self, made: Any) -> Iterator[str]:
        """What tells numba how machine code is made: whatever its module defines, since hooks are found by type."""
        module = made.__module__
        yield f"{module}.{made.__qualname__}"
        if module.startswith(OURS) and module not in self._modules:
            self._modules.add(module)
            for name, value in sorted(vars(sys.modules[module]).items()):
                yield from self._defined(name, value, module)

    def _defined(self, name: str, value: Any, module: str) -> Iterator[str]:
        """What a module, or a class in it, defines under a name: constants, types, functions, classes."""
        value = getattr(value, "fget", getattr(value, "__func__", value))  # of a property, of a static method
        if isinstance(value, _CONSTANTS) and name.startswith("__"):
            return
        if not isinstance(value, _CONSTANTS) and getattr(value, "__module__", None) != module:
            return
        yield name
        if isinstance(value, type):
            if not self._again(value):
                yield f"{value.__bases__} {getattr(value, '_fields', ())}"
                for own, part in sorted(vars(value).items()):
                    yield from self._defined(own, part, module)
        elif isinstance(value, _Intrinsic):
            yield from self.function(value._defn)
        else:
            yield from self._value(value, frozenset())
