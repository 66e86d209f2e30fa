import os
import subprocess
import sys
import time
from subprocess import PIPE

import numpy as np
import pytest
from numba import njit
from numba.core import config
from numba.core.cpu import CPUContext
from numba.core.errors import TypingError

from clockfree_sim.circuit import caching
from clockfree_sim.circuit.caching import VERSIONS, either, folder, kept
from tests.sim.probe import NAME, probe

PROBE = """
from numba import njit
from clockfree_sim.circuit.caching import kept

FACTOR = 2

@njit
def scaled(x):
    return x * FACTOR

@kept(about_s=3)
def f(x):
    return scaled(x) + 1

@kept(about_s=5)
def g(x):
    return scaled(x) + 2

@kept()
def h(x):
    return scaled(x) + 3

@kept()
def both(x):
    return f(x) + g(x)
"""
SLOW = """
import sys
from numba.extending import overload
from clockfree_sim.circuit.caching import kept

def seen(x):
    pass

@overload(seen)
def _seen(x):
    print("compiles", flush=True)
    sys.stdin.readline()
    return lambda x: x + 1

@kept(about_s=3)
def f(x):
    return seen(x)
"""
CALL = f"""
import fcntl
import {NAME} as module

def flock(file, kind):
    try:
        take(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        print("waits", flush=True)
        take(file, kind)

take, fcntl.flock = fcntl.flock, flock
print(module.f(1), "loaded" if module.f.stats.cache_hits else "compiled", flush=True)
"""
"""A process that compiles says so, and goes on when it is told to; one that has to wait for it says so."""


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    """An empty folder, and a process that has said nothing yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(caching, "_turn", caching._Turn())
    return tmp_path / "caches" / "clockfree" / "compiled"


def once_more(monkeypatch, **constants):
    """As in another process, of a checkout in which constants are others."""
    monkeypatch.setattr(caching, "_turn", caching._Turn())
    return probe(PROBE.replace("FACTOR = 2", f"FACTOR = {constants.get('FACTOR', 2)}"))


def loaded(function):
    """Calls for which what was kept was loaded, and those for which it was compiled."""
    return function.stats.cache_hits.total(), function.stats.cache_misses.total()


def files(folder, ends="*"):
    return sorted(path.name for path in folder.glob(ends))


def test_compiled_once_then_loaded(monkeypatch, caches):
    for times in range(2):
        f = once_more(monkeypatch).f
        assert (f(3), f(4)) == (7, 9)
        assert loaded(f) == ((0, 1) if times == 0 else (1, 0))
    assert len(files(caches, f"{NAME}.f-*.nbi")) == len(files(caches, f"{NAME}.f-*.nbc")) == 1


def test_loaded_without_what_compiles(monkeypatch):
    assert once_more(monkeypatch).f(3) == 7
    monkeypatch.setattr(CPUContext, "refresh", lambda self: pytest.fail("loads all that numba knows"))
    f = once_more(monkeypatch).f
    assert f(3) == 7 and loaded(f) == (1, 0)


def test_each_type_is_kept(monkeypatch):
    for times in range(2):
        f = once_more(monkeypatch).f
        assert (f(3), f(3.5)) == (7, 8.0)
        assert loaded(f) == ((0, 2) if times == 0 else (2, 0))


def test_a_callee_that_has_changed(monkeypatch):
    assert once_more(monkeypatch).f(3) == 7
    assert once_more(monkeypatch, FACTOR=10).f(3) == 31
    assert once_more(monkeypatch).f(3) == 7


def test_other_options_of_the_function_itself(monkeypatch):
    """It divides by zero as Python does, or as numpy does."""
    source = "from clockfree_sim.circuit.caching import kept\n\n@kept({})\ndef f(x):\n    return 1 / x\n"
    with pytest.raises(ZeroDivisionError):
        probe(source.format("")).f(0.0)
    assert probe(source.format("error_model='numpy'")).f(0.0) == np.inf
    again = probe(source.format("error_model='numpy'")).f
    assert again(0.0) == np.inf
    assert loaded(again) == (1, 0)


def test_a_function_with_another_in_its_closure_is_loaded():
    source = """
from numba import njit
from clockfree_sim.circuit.caching import kept

def made():
    @njit
    def inner(x):
        return x + 1

    @kept()
    def f(x):
        return inner(x)

    return f

f = made()
"""
    assert probe(source).f(1) == 2
    again = probe(source).f
    assert again(1) == 2
    assert loaded(again) == (1, 0)


def test_a_signature_is_compiled_at_once_and_no_other():
    source = "from numba import int64\nfrom clockfree_sim.circuit.caching import kept\n\n@kept(int64(int64))\n"
    source += "def f(x):\n    return x + 1\n"
    f = probe(source).f
    assert len(f.overloads) == 1
    assert f(3.7) == 4
    assert len(f.overloads) == 1
    assert loaded(probe(source).f) == (1, 0)


def test_constants_are_no_types_of_their_own(monkeypatch):
    f = once_more(monkeypatch).f

    @njit
    def calls(x):
        return f(1) + f(2) + f(x=3) + f(x=4) + f(x)

    assert calls(5) == 35
    assert len(f.overloads) == 1


def test_versions_used_last_stay(monkeypatch, caches):
    for factor in range(VERSIONS):
        assert once_more(monkeypatch, FACTOR=factor).f(1) == factor + 1
    assert once_more(monkeypatch, FACTOR=0).f(1) == 1  # used again, the oldest of them
    once_more(monkeypatch).h(1)  # other functions do not count
    before = {*files(caches)}
    assert once_more(monkeypatch, FACTOR=VERSIONS).f(1) == VERSIONS + 1
    assert len(before - {*files(caches)}) == 2  # one version: what there is, and the code
    assert len(files(caches, f"{NAME}.f-*.nbi")) == len(files(caches, f"{NAME}.f-*.nbc")) == VERSIONS
    assert len(files(caches, f"{NAME}.h-*.nbi")) == 1
    for factor, found in ((0, (1, 0)), (2, (1, 0)), (VERSIONS, (1, 0)), (1, (0, 1))):
        f = once_more(monkeypatch, FACTOR=factor).f
        assert f(1) == factor + 1
        assert loaded(f) == found, factor


def test_versions_of_a_file_whose_name_has_a_hyphen(caches):
    """Functions of `a-b.py` and `a-c.py` are not versions of one function."""
    source = "from clockfree_sim.circuit.caching import kept\n\n@kept()\ndef f(x):\n    return x + {}\n"
    for i in range(VERSIONS + 1):
        names = {"__name__": f"a_{i}"}
        exec(compile(source.format(i), f"a-{i}.py", "exec"), names)
        assert names["f"](1) == i + 1
    assert len(files(caches, "a-*.nbi")) == VERSIONS + 1


def test_said_once_and_only_where_it_takes_long(monkeypatch, capfd):
    module = once_more(monkeypatch)
    assert module.h(1) == 5
    assert capfd.readouterr() == ("", "")
    assert (module.f(1), module.g(1)) == (3, 4)
    assert capfd.readouterr() == ("", "compiling, once, about 3 s\n")
    module = once_more(monkeypatch)
    assert (module.f(1), module.g(1)) == (3, 4)
    assert capfd.readouterr() == ("", "")


def in_a_file(tmp_path):
    (tmp_path / "caches").write_text("")
    return "Not a directory"


def read_only(tmp_path):
    if os.name == "nt" or os.getuid() == 0:
        pytest.skip("whoever runs this may write anywhere")
    (tmp_path / "caches").mkdir(mode=0o500)
    return "Permission denied"


@pytest.mark.parametrize("unwritable", [in_a_file, read_only])
def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path, capfd, caches, unwritable):
    why = unwritable(tmp_path)
    for _ in range(2):
        module = once_more(monkeypatch)
        assert (module.f(1), module.g(1)) == (3, 4)
        assert loaded(module.f) == (0, 1)
        said = "compiling, once, about 3 s", f"cannot keep compiled code: in {caches}: {why}; it is compiled each time"
        assert capfd.readouterr() == ("", "".join(f"{line}\n" for line in said))


def test_a_full_disk(monkeypatch, capfd, caches):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    module = once_more(monkeypatch)
    assert (module.h(1), module.f(1)) == (5, 3)
    line = f"cannot keep compiled code: in {caches}: No space left on device; it is compiled each time\n"
    assert capfd.readouterr().err == f"{line}compiling, once, about 3 s\n"
    assert files(caches) == []


def test_folders_of_earlier_versions_go_when_nobody_used_them_for_long(monkeypatch, caches):
    old, new, other = (caches.parent / name for name in ("0123456789abcdef", "fedcba9876543210", "mine"))
    for path in (old, new, other):
        path.mkdir(parents=True)
    long_ago_s = time.time() - caching.UNUSED_S - 60
    for path in (old, other):
        os.utime(path, (long_ago_s, long_ago_s))
    once_more(monkeypatch).f(1)
    assert [path.exists() for path in (old, new, other)] == [False, True, True]


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("left", [0, 100])
def test_a_file_that_was_not_written_to_its_end(monkeypatch, caches, kind, left):
    assert once_more(monkeypatch).f(1) == 3
    (path,) = caches.glob(f"*.{kind}")
    path.write_bytes(path.read_bytes()[:left])
    for found in ((0, 1), (1, 0)):
        f = once_more(monkeypatch).f
        assert f(1) == 3
        assert loaded(f) == found


def test_no_home(monkeypatch, capfd, tmp_path):
    """As in a container whose user is nobody that the system knows."""
    pwd = pytest.importorskip("pwd")

    def unknown(_):
        raise KeyError

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.chdir(tmp_path)
    assert folder() is None
    for _ in range(2):
        f = once_more(monkeypatch).f
        assert f(1) == 3
        assert loaded(f) == (0, 1)
        said = "cannot keep compiled code: there is no home folder for it; it is compiled each time\n"
        assert capfd.readouterr() == ("", said)
    assert files(tmp_path) == []


def test_the_environment_gives_no_cache_that_goes_by_a_time_stamp(monkeypatch, tmp_path, caches):
    """numba would put it beside the source, and go on with it after a change to a function that is called."""
    monkeypatch.setattr(config, "CACHE_LOCATOR_CLASSES", "InTreeCacheLocator")
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{NAME}.py").write_text("")
    assert once_more(monkeypatch).f(3) == 7
    assert once_more(monkeypatch, FACTOR=10).f(3) == 31
    assert len(files(caches, f"{NAME}.f-*.nbi")) == 2


def test_nothing_is_written_where_somebody_works(monkeypatch, tmp_path):
    """Neither in the current folder, wherever caches are said to be, nor beside the source."""
    here, home, source = (tmp_path / name for name in ("here", "home", "source"))
    for path in (here, home, source):
        path.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    for given in ("", "caches"):
        monkeypatch.setenv("XDG_CACHE_HOME", given)
        assert folder() == home / ".cache" / "clockfree" / "compiled"
    monkeypatch.setenv("NUMBA_CACHE_DIR", "caches")
    assert folder() == home / ".cache" / "clockfree" / "compiled"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    assert folder() == tmp_path / "numba" / "clockfree"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    (source / "where.py").write_text("def f(x):\n    return x + 1\n")
    names = {"__name__": NAME}
    exec(compile((source / "where.py").read_text(), str(source / "where.py"), "exec"), names)
    assert kept()(names["f"])(1) == 2
    assert len(files(folder(), "where.f-*.nbc")) == 1
    assert (files(here), files(source), files(home)) == ([], ["where.py"], [".cache"])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no fcntl")
class TestTurns:
    """Of processes of one user."""

    def free(self, caches):
        """Whether another may compile whatever it likes."""
        return not [*caches.glob("*.lock")]

    def test_taken_until_all_is_kept(self, monkeypatch, caches):
        """What is called is compiled within the turn of what calls it, and all turns are over with it."""
        free, save = [], caching._Kept.save_overload

        def saves(*arguments):
            save(*arguments)
            free.append(self.free(caches))

        monkeypatch.setattr(caching._Kept, "save_overload", saves)
        assert once_more(monkeypatch).both(1) == 7
        assert free == [False] * 3
        assert self.free(caches)

    def test_given_back_after_a_failure(self, monkeypatch, caches):
        source = "from clockfree_sim.circuit.caching import kept\n\n@kept()\ndef f(x):\n    return x.nothing\n"
        with pytest.raises(TypingError):
            probe(source).f(1)
        assert self.free(caches)
        assert once_more(monkeypatch).f(1) == 3

    def test_one_compiles_and_the_other_waits(self, tmp_path):
        (tmp_path / f"{NAME}.py").write_text(SLOW, "utf-8")
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
        started = [
            subprocess.Popen([sys.executable, "-c", CALL], env=env, cwd=tmp_path, text=True, stdin=PIPE, stdout=PIPE,
                             stderr=PIPE)
            for _ in range(2)
        ]  # fmt: skip
        with started[0], started[1]:
            lines = [process.stdout.readline().strip() for process in started]
            assert sorted(lines) == ["compiles", "waits"]
            first, second = started if lines[0] == "compiles" else started[::-1]
            assert first.communicate("\n", timeout=60) == ("2 compiled\n", "compiling, once, about 3 s\n")
            assert second.communicate("\n", timeout=60) == ("2 loaded\n", "")


def test_either_is_chosen_by_type_and_the_other_not_compiled():
    @njit
    def small(x):
        return 1

    @njit
    def large(x, y=5):
        return 2

    asked = []

    def is_small(kind):
        asked.append(kind)
        return str(kind.dtype) == "int32"

    chosen = either(small, large, is_small)

    @njit
    def calls(x):
        return chosen(x)

    for kind, result, compiled in ((np.int32, 1, (1, 0)), (np.int64, 2, (1, 1)), (np.int32, 1, (1, 1))):
        assert calls(np.zeros(2, dtype=kind)) == result
        assert (len(small.overloads), len(large.overloads)) == compiled
    assert {str(kind.dtype) for kind in asked} == {"int32", "int64"}
