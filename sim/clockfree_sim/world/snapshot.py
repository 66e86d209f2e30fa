"""Snapshot of a world between two events: all that can change of it, as data that JSON takes.

A world is built from its job alone, so two worlds of one job are alike, object by object. Nothing here knows what any
of them is: from a world that has just begun everything that it reaches is found and numbered, and later what has
changed is told by these numbers. Another world of the same job that has just begun takes it and goes on from there, to
the last bit.

What is of a kind that this module does not know is refused, when a world begins or when something is told: nothing that
can change is left out in silence.
"""

import json
from array import array
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from operator import is_
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

_PLAIN = (type(None), bool, int, float, str, bytes, np.generic)
_FIXED = (FunctionType, MethodType, BuiltinFunctionType, tuple, memoryview, type, ModuleType, Dispatcher)
"""What never changes itself, though what it reaches may."""
_OURS = ("clockfree_board.", "clockfree_sim.", "tests.")
_DATA = "clockfree_model."
"""Objects of the model are plain data that nobody changes."""


class SnapshotError(Exception):
    """Something is reached of which it cannot be told what it is, or the world is another."""


class Snapshot:
    """What has changed of an object, and of all that it reaches, since this was made.

    Parameters
    ----------
    root : object

    Attributes
    ----------
    digest : str
        Of everything as it was then: two objects whose digests differ are not alike.

    Raises
    ------
    SnapshotError
    """

    def __init__(self, root: object) -> None:
        self._found: list[Any] = []  # kept, so that no number is given to another object
        self._number: dict[int, int] = {}
        stack = [root]
        while stack:
            thing = stack.pop()
            if isinstance(thing, _PLAIN) or id(thing) in self._number:
                continue
            self._number[id(thing)] = len(self._found)
            self._found.append(thing)
            stack.extend(reversed([*_reached(thing)]))
        self._before = [_held(thing) for thing in self._found]
        digest = sha256()
        for thing, held in zip(self._found, self._before):
            digest.update(type(thing).__name__.encode())
            if held is not None:
                digest.update(held if isinstance(held, bytes) else json.dumps(self._content(held, {})).encode())
        self.digest = digest.hexdigest()

    def changes(self) -> dict[str, Any]:
        """What is other than it was, by number."""
        told: dict[str, Any] = {}
        new: dict[int, tuple[int, Any]] = {}
        for number, (thing, before) in enumerate(zip(self._found, self._before)):
            held = _held(thing)
            if held is not None and not _same(held, before):
                told[str(number)] = self._content(held, new)
        return told

    def put(self, told: dict[str, Any]) -> None:
        """Make everything as another of the same digest was when its changes were told."""
        made: list[Any] = []
        for number, content in told.items():
            _put(self._found[int(number)], self._value(content, made))

    # -- data ----------------------------------------------------------------------------------------------------

    def _content(self, held: Any, new: dict[int, tuple[int, Any]]) -> Any:
        """What an object holds, as data."""
        if held is None or isinstance(held, bytes):
            return None if held is None else {"bytes": b64encode(held).decode()}
        return {"items": [self._told(item, new) for item in held]}

    def _told(self, thing: Any, new: dict[int, tuple[int, Any]]) -> Any:
        """A value: itself, or a table with one key that says what it is."""
        if isinstance(thing, bool | int | str | None):
            return thing
        if isinstance(thing, float) and not isinstance(thing, np.generic):
            return thing if np.isfinite(thing) else {"float": repr(thing)}
        if isinstance(thing, bytes):
            return {"bytes": b64encode(thing).decode()}
        if isinstance(thing, np.generic):
            return {"scalar": [thing.dtype.str, b64encode(thing.tobytes()).decode()]}
        if id(thing) in self._number:
            return {"at": self._number[id(thing)]}
        if id(thing) in new:
            return {"again": new[id(thing)][0]}
        if isinstance(thing, MethodType):
            return {"method": [self._told(thing.__self__, new), thing.__name__]}
        if isinstance(thing, tuple):
            return {"tuple": [self._told(item, new) for item in thing]}
        new[id(thing)] = len(new), thing
        if isinstance(thing, np.ndarray):
            owner = thing
            while isinstance(owner.base, np.ndarray):
                owner = owner.base
            if id(owner) in self._number:
                raise SnapshotError("a new view of an array that was there")
            return {"array": [thing.dtype.str, thing.shape, b64encode(thing.tobytes()).decode()]}
        if isinstance(thing, list | deque | set | dict):
            return {type(thing).__name__: [self._told(item, new) for item in _held(thing) or ()]}
        raise SnapshotError(f"{type(thing).__module__}.{type(thing).__qualname__}: made since the world began")

    def _value(self, told: Any, made: list[Any]) -> Any:
        """The value that `_told`, or `_content`, told."""
        if not isinstance(told, dict):
            return told
        ((kind, what),) = told.items()
        if kind in ("items", "tuple"):
            return tuple(self._value(item, made) for item in what)
        if kind == "at":
            return self._found[what]
        if kind == "again":
            return made[what]
        if kind == "method":
            return getattr(self._value(what[0], made), what[1])
        if kind == "float":
            return float(what)
        if kind == "bytes":
            return b64decode(what)
        if kind == "scalar":
            return np.frombuffer(b64decode(what[1]), what[0])[0]
        if kind == "array":
            made.append(np.frombuffer(b64decode(what[2]), what[0]).reshape(what[1]).copy())
            return made[-1]
        thing: Any = {"list": list, "deque": deque, "set": set, "dict": dict}[kind]()
        made.append(thing)
        _put(thing, tuple(self._value(item, made) for item in what))
        return thing


def _reached(thing: Any) -> Iterator[Any]:
    """What an object refers to."""
    if isinstance(thing, FunctionType):
        yield from thing.__closure__ or ()
        yield from thing.__defaults__ or ()
    elif isinstance(thing, MethodType | BuiltinFunctionType):
        yield thing.__self__
    elif isinstance(thing, tuple):
        yield from thing
    elif isinstance(thing, memoryview):
        yield thing.obj
    elif isinstance(thing, np.ndarray):
        yield thing.base if isinstance(thing.base, np.ndarray) else None
    else:
        held = _held(thing)
        if held is not None and not isinstance(held, bytes):
            yield from held


def _held(thing: Any) -> tuple[Any, ...] | bytes | None:
    """All that can change of an object: what it refers to, or bytes; None where that is nothing."""
    if isinstance(thing, _FIXED):
        return None
    if isinstance(thing, list | deque):
        return tuple(thing)
    if isinstance(thing, dict):
        return (*thing.keys(), *thing.values())
    if isinstance(thing, CellType):
        return (thing.cell_contents,)
    if isinstance(thing, set):
        return tuple(sorted(thing))
    if isinstance(thing, np.ndarray):
        return None if isinstance(thing.base, np.ndarray) else thing.tobytes()  # a view is its owner's
    if isinstance(thing, array | bytearray):
        return bytes(thing)
    if isinstance(thing, np.random.Generator):
        return (json.dumps(thing.bit_generator.state),)
    module = type(thing).__module__ + "."
    if module.startswith(_DATA):
        return None
    if module.startswith(_OURS) and not any("__slots__" in vars(kind) for kind in type(thing).__mro__[:-1]):
        fields = vars(thing)
        return (*fields.keys(), *fields.values())
    raise SnapshotError(f"{module}{type(thing).__qualname__}: nobody said how it changes")


def _same(held: Any, before: Any) -> bool:
    if isinstance(held, bytes):
        return bool(held == before)
    return len(held) == len(before) and all(map(is_, held, before))


def _put(thing: Any, held: Any) -> None:
    """Give an object what `_held` told of one like it."""
    if isinstance(thing, list):
        thing[:] = held
    elif isinstance(thing, deque):
        thing.clear()
        thing.extend(held)
    elif isinstance(thing, set):
        thing.clear()
        thing.update(held)
    elif isinstance(thing, CellType):
        (thing.cell_contents,) = held
    elif isinstance(thing, np.ndarray):
        thing[...] = np.frombuffer(held, thing.dtype).reshape(thing.shape)
    elif isinstance(thing, array | bytearray):
        thing[:] = type(thing)(thing.typecode, held) if isinstance(thing, array) else held
    elif isinstance(thing, np.random.Generator):
        thing.bit_generator.state = json.loads(held[0])
    else:
        fields = thing if isinstance(thing, dict) else vars(thing)
        fields.clear()
        fields.update(zip(held[: len(held) // 2], held[len(held) // 2 :]))
