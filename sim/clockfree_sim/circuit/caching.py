"""Compiled functions, kept on disk by what they are made of (see `code_digest`).

numba itself keeps a compiled function by the time stamp of its own file, and goes on using it after a change to a
function that it calls: wrong numbers without a word.

Who compiles says so, once, and whoever wants the same meanwhile waits for it. Of every function the versions used last
are kept, and older ones deleted.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from numba import config, njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache
from numba.core.runtime import rtsys
from numba.core.types.misc import unliteral

from clockfree_model.quiet import quiet
from clockfree_model.saying import say
from clockfree_sim.circuit.code_digest import code_digest, options_text

if config.DISABLE_JIT:
    raise ImportError("NUMBA_DISABLE_JIT: expected it unset: the simulation is compiled code, and there is no other")

UNUSED_S = 30 * 86400
"""Folders of versions of clockfree before 0.3, one for all sources at a time, are deleted after so long, s."""
VERSIONS = 4
"""So many versions of a function are kept: two checkouts at work in turns, each before and after a change."""


def kept(signature: Any = None, *, about_s: float = 0.0, **options: Any) -> Callable[[Callable], Any]:
    """As `numba.njit`, with what was compiled kept on disk.

    Parameters
    ----------
    signature : of numba, or None
        Compiled at once for this one, and for no other.
    about_s : float
        What it takes to compile it with all it calls, s of one core: said when it is. 0 is not worth a word.
    options : of `numba.njit`
    """

    def keep(function: Callable) -> Any:
        made = njit(function, **options)
        made._cache = _Kept(function, options_text(made.targetoptions), about_s)
        compiled, template = made.compile, made.get_call_template

        def compile_(sig: Any) -> Any:
            with _turn:
                return compiled(sig)

        made.compile = compile_
        # numba would compile anew for every constant that it is called with.
        made.get_call_template = lambda args, kws: template(
            [unliteral(each) for each in args], {name: unliteral(each) for name, each in kws.items()}
        )
        if signature is not None:
            made.compile(signature)
            made.disable_compile()
        return made

    return keep


def either(one: Any, other: Any, chosen: Callable[[Any], bool]) -> Any:
    """One of two compiled functions, in its place: the first where `chosen` says so of the type of its plan.

    The caller is compiled with the one that is chosen, and the other is not compiled for it.
    """

    def of(arguments: Any) -> Any:
        return one if chosen(arguments[0]) else other

    made = njit(one.py_func)
    made.get_call_template = lambda args, kws: of(args).get_call_template(args, kws)
    made.get_overload = lambda args: of(args).get_overload(args)
    made.stands_for = one, other, chosen
    return made


def folder() -> Path | None:
    """Where compiled functions are kept; None where this user has no home.

    As everywhere in it a function goes by its digest here, and not as numba's own would.
    """
    if os.path.isabs(given := os.environ.get("NUMBA_CACHE_DIR", "")):
        return Path(given) / "clockfree"
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    with suppress(RuntimeError):
        # A relative one is to be ignored, says the XDG Base Directory Specification.
        return (caches if caches.is_absolute() else Path.home() / ".cache") / "clockfree" / "compiled"
    return None


class _Kept(NullCache):
    """What numba asks for a function that was compiled before.

    Its digest is made when it is asked for first: what a function calls may be defined further down.
    """

    def __init__(self, function: Any, options: str, about_s: float):
        self._function, self._options, self._about_s = function, options, about_s

    @cached_property
    def _files(self) -> FunctionCache | None:
        return _Files(self._function, self._options) if folder() else None

    @property
    def cache_path(self) -> str | None:
        """Where it is kept."""
        return self._files.cache_path if self._files else None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """A compiled function, or None: then it is this process's turn to compile."""
        if self._files is None:
            return None
        found = self._files.load_overload(sig, target_context)
        if found is None:
            _turn.take(self._files.index, sig)
            found = self._files.load_overload(sig, target_context)
        if found is not None:
            with suppress(OSError):  # used last now
                os.utime(self._files.index)
        elif self._about_s and not _turn.said:
            _turn.said = True
            if not quiet():
                say(f"compiling, once, about {self._about_s:g} s")
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled; a folder that cannot be written to costs a compilation each time."""
        if self._files is None:
            _turn.say_unkept("there is no home folder for it")
            return
        try:
            with _locked(self._files.index):  # numba reads the index, and writes it with one line more
                self._files.save_overload(sig, data)
            self._files.tidy()
        except OSError as error:
            _turn.say_unkept(f"in {self.cache_path}: {error.strerror}")


class _Place:
    """Where one version of a function is kept, as numba asks for it."""

    def __init__(self, function: Any):
        self._digest, self._py_file = code_digest(function), function.__code__.co_filename

    def get_cache_path(self) -> str:
        """The folder."""
        return str(folder())

    def ensure_cache_path(self) -> None:
        """Make the folder."""
        os.makedirs(self.get_cache_path(), exist_ok=True)

    def get_source_stamp(self) -> str:
        """What tells this version from others."""
        return self._digest

    get_disambiguator = get_source_stamp


class _Results(CompileResultCacheImpl):
    def __init__(self, function: Any):
        # numba lets its environment name other places, in which files go by the time stamp of one source: not for ours.
        place = f"{Path(function.__code__.co_filename).stem}.{function.__qualname__}"
        self._lineno, self._locator = function.__code__.co_firstlineno, _Place(function)
        self._filename_base = self.get_filename_base(place, getattr(sys, "abiflags", ""))


class _Files(FunctionCache):
    """The files of one version of one function."""

    _impl_class = _Results

    def __init__(self, function: Any, options: str):
        super().__init__(function)
        self._options = options

    def _index_key(self, sig: Any, codegen: Any) -> tuple:
        # numba's own key has the closure, which it writes another way in every process; the digest is of it already.
        return sig, codegen.magic_tuple(), self._options

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """A compiled function, or None where none can be read; what was not written to its end is deleted."""
        try:
            # What numba loads before, all that it can compile, is not needed for what is compiled: a tenth of a second.
            rtsys.initialize(target_context)
            return self._load_overload(sig, target_context)
        except OSError:
            return None
        except (EOFError, UnpicklingError):
            with suppress(OSError):
                self.index.unlink()
            return None

    @property
    def index(self) -> Path:
        """The file that says what there is."""
        return Path(self._cache_file._index_path)

    def tidy(self) -> None:
        """Delete all versions of this function but those used last."""
        name = self.index.name.rpartition("-")[0]
        versions = sorted(self.index.parent.glob(f"{name}-*.nbi"), key=_used_s, reverse=True)
        for index in versions[VERSIONS:]:
            for file in [*index.parent.glob(f"{index.stem}.*.nbc"), index]:
                file.unlink(missing_ok=True)
        for former in self.index.parent.parent.glob("[0-9a-f]" * 16):
            if _used_s(former) < time.time() - UNUSED_S:
                shutil.rmtree(former, ignore_errors=True)


def _used_s(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:  # another process has just deleted it
        return 0.0


class _Turn:
    """Whose turn it is to compile a function, among the processes of this user.

    A context, entered again for every function that is called by the one being compiled. Nobody waits for each other:
    what a function calls never waits for the function.
    """

    def __init__(self) -> None:
        self.said = self._unkept = False
        self._taken: list[ExitStack] = []

    def __enter__(self) -> None:
        self._taken.append(ExitStack())

    def __exit__(self, *error: object) -> None:
        self._taken.pop().close()

    def say_unkept(self, why: str) -> None:
        """Code is compiled, and cannot be kept: said once."""
        if not self._unkept:
            self._unkept = True
            say(f"cannot keep compiled code: {why}; it is compiled each time")

    def take(self, index: Path, sig: Any) -> None:
        """Wait for it."""
        self._taken[-1].enter_context(_locked(index.with_suffix(f".{sha256(str(sig).encode()).hexdigest()[:8]}")))


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Keep other processes from what this file stands for."""
    lock = file.with_name(file.name + ".lock")
    try:
        import fcntl

        lock.parent.mkdir(parents=True, exist_ok=True)
        held = open(lock, "wb")
    except (ImportError, OSError):  # Windows has none; nothing can be written
        yield
        return
    with held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


_turn = _Turn()
