import ast
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from clockfree_sim.circuit import code_digest
from tests.sim.probe import NAME, probe

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("firmware/clockfree_board", "sim/clockfree_model", "sim/clockfree_sim")

PROBE = '''"""A module."""

import math
from math import sin as wave

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from clockfree_sim.circuit.caching import either
from clockfree_sim.circuit.lanes import get_lanes as take
from clockfree_sim.compiled.typed_record import method_of

FACTOR = 2.0
OFFSET = 1
TABLE = np.array([1.0, 2.0])
PAIR = (1, (2, 3))
WORD = ir.IntType(32)
CHOICES = frozenset({"one", "two", "three", "four"})
BY = {"fastmath": {"contract", "nnan", "ninf"}}


class Kind(types.Type):
    """Something with methods."""

    def __init__(self, width):
        """Of this width."""
        super().__init__(name=f"Kind{width}")

    @staticmethod
    def most():
        """The most."""
        return 61

    @property
    def least(self):
        return 62


class OtherKind(types.Type):
    pass


KIND = Kind(4)


@intrinsic
def number(typing_context):
    """An integer."""

    def generate(context, builder, signature, arguments):
        """It."""
        return ir.Constant(WORD, 63 if "one" in CHOICES else 64)

    return types.int32(), generate


@intrinsic
def other_number(typing_context):
    return types.int32(), None


@method_of(Kind, "reads", inline="never")
def _reads(self, x):
    """How it reads."""

    def reads(self, x):
        """It reads."""
        return x + 71

    return reads


def scaled(by):
    @njit
    def scale(x):
        return x * by

    return scale


double, triple = scaled(81), scaled(82)


@njit
def leaf(x):
    """A leaf."""
    return x + OFFSET


@njit(**BY)
def callee(x, y, much=83):
    """It is called."""
    return leaf(x) - y * FACTOR + TABLE[0]


@njit
def small(x):
    return 91


@njit
def large(x):
    return 92


def is_small(x):
    """Which."""
    return str(x) == "int32"


one_of_two = either(small, large, is_small)
the_leaf = leaf


@njit
def apart(p, q):
    return p - q


def f(record, kind, x):
    """The function."""
    if x in {"p", "q", "r", "s"} or x in (1, 2, 3):
        return None
    record.a = callee(x=x, y=math.floor(x)) + double(x) + triple(x)
    taken = take(x, 0) + apart(p=x, q=1) + the_leaf(x)
    return kind.reads(x) + number() + one_of_two(x) + wave(x) + np.exp(x) + len(PAIR)
'''

SAME = {
    "comment": ("    return leaf(x)", "    # why\n    return leaf(x)"),
    "blank lines": ("def f(", "\n\n\ndef f("),
    "docstring of the function": ('"""The function."""', '"""The function.\n\n    At length.\n    """'),
    "docstring of one that is called": ('"""A leaf."""', '"""A tree."""'),
    "docstring taken away, of one that returns None": ('    """The function."""\n', ""),
    "docstring within an intrinsic": ('"""It."""', '"""That."""'),
    "docstring within a method": ('"""It reads."""', '"""So it reads."""'),
    "docstring of a class": ('"""Something with methods."""', '"""Something."""'),
    "docstring in a class": ('"""The most."""', '"""As many."""'),
    "docstring of the module": ('"""A module."""', '"""The module."""'),
}
"""What makes no difference: text, and what stands in its place."""

BESIDE = """
from clockfree_sim.compiled.typed_record import EdgeType, attribute_of

NUMBER = 93


@attribute_of(EdgeType, "probe")
def _probe(edge):
    return lambda edge: 94


def beside(x):
    return NUMBER


def f(x):
    return x.value
"""
"""Nothing of which is named."""

OTHER = {
    "constant of the function": ("(1, 2, 3)", "(1, 2, 4)"),
    "its type": ("(1, 2, 3)", "(1.0, 2, 3)"),
    "its set": ('{"p", "q", "r", "s"}', '{"p", "q", "r", "t"}'),
    "attribute that is written": ("record.a =", "record.b ="),
    "function of numpy": ("np.exp(", "np.log("),
    "function of Python": ("math.floor", "math.ceil"),
    "function of Python by another name": ("from math import sin as", "from math import cos as"),
    "constant of the module": ("FACTOR = 2.0", "FACTOR = 2.5"),
    "array": ("[1.0, 2.0]", "[1.0, 2.5]"),
    "type of an array": ("[1.0, 2.0])", "[1.0, 2.0]).view(np.int64)"),
    "tuple": ("(1, (2, 3))", "((1, 2), 3)"),
    "called function": ("leaf(x) - y", "leaf(x) + y"),
    "arguments by each other's names": ("apart(p, q):\n    return p - q", "apart(q, p):\n    return q - p"),
    "default of its argument": ("83", "84"),
    "its options": ('"ninf"', '"ninf", "nsz"'),
    "constant of what that calls": ("OFFSET = 1", "OFFSET = 2"),
    "code of what that calls": ("x + OFFSET", "x - OFFSET"),
    "closure": ("scaled(81)", "scaled(80)"),
    "another closure of the same code": ("scaled(82)", "scaled(80)"),
    "two functions by each other's names": ("double, triple", "triple, double"),
    "another function that is named elsewhere, too": ("the_leaf = leaf", "the_leaf = small"),
    "method": ("71", "70"),
    "option of a method": ('"never"', '"always"'),
    "what a method belongs to": ("@method_of(Kind", "@method_of(OtherKind"),
    "intrinsic": ("63", "60"),
    "type in an intrinsic's module": ("ir.IntType(32)", "ir.IntType(64)"),
    "set in an intrinsic's module": ('"four"', '"five"'),
    "instance of a type": ("Kind(4)", "Kind(8)"),
    "another intrinsic": ("+ number()", "+ other_number()"),
    "another intrinsic by that name": ("get_lanes as", "get_pair as"),
    "static method of a type": ("61", "60"),
    "property of a type": ("62", "60"),
    "base of a type": ("class Kind(types.Type)", "class Kind(types.Opaque)"),
    "first of two": ("91", "90"),
    "second of two": ("92", "90"),
    "which of two": ('== "int32"', '== "int64"'),
    "two that change places": ("either(small, large", "either(large, small"),
}
"""What makes a difference."""


def digest(source, monkeypatch):
    monkeypatch.setattr(code_digest, "_methods", [])
    return code_digest.code_digest(probe(source).f)


def changed(old, new, source=PROBE):
    assert source.count(old) == 1, old
    return source.replace(old, new)


@pytest.mark.parametrize("change", SAME)
def test_what_makes_no_difference(monkeypatch, change):
    assert digest(changed(*SAME[change]), monkeypatch) == digest(PROBE, monkeypatch)


@pytest.mark.parametrize("change", OTHER)
def test_what_makes_a_difference(monkeypatch, change):
    assert digest(changed(*OTHER[change]), monkeypatch) != digest(PROBE, monkeypatch)


@pytest.mark.parametrize("change", [("93", "90"), ("94", "90"), ("def beside(x)", "def aside(x, y)")])
def test_what_is_not_named_makes_no_difference(monkeypatch, change):
    assert digest(changed(*change, BESIDE), monkeypatch) == digest(BESIDE, monkeypatch)


def test_a_function_that_has_moved(monkeypatch):
    """To another place in the same file: a digest knows nothing of what stands before it."""
    leaf = PROBE[PROBE.index("@njit\ndef leaf") : PROBE.index("@njit(**BY)")]
    moved = changed(leaf, "").replace("the_leaf = leaf", f"{leaf}the_leaf = leaf")
    assert moved.index("def leaf") > moved.index("def callee")
    assert digest(moved, monkeypatch) == digest(PROBE, monkeypatch)


@pytest.mark.parametrize(
    "what",
    [
        "Thing()",
        "Colour.RED",
        "{1: 2}",
        "functools.partial(abs)",
        "np.random.default_rng(0)",
        "(1, Thing())",
        "functools.cache(Thing.method)",
    ],
)
def test_what_cannot_be_told(monkeypatch, what):
    source = f"""
import enum, functools
import numpy as np

class Thing:
    def method(self):
        pass

class Colour(enum.Enum):
    RED = 1

IT = {what}

def f():
    return IT
"""
    with pytest.raises(TypeError, match=r"compiled code names .* of which nobody can tell whether it has changed"):
        digest(source, monkeypatch)


def test_a_constant_among_very_many(monkeypatch):
    """Python needs more than a byte for its place."""
    many = "\n".join(f"    x += {i}.5" for i in range(700))
    source = f"def f(x):\n{many}\n    return x\n"
    assert digest(source, monkeypatch) != digest(changed(" 600.5\n", " 6000.5\n", source), monkeypatch)


def test_the_same_in_two_processes(tmp_path, monkeypatch):
    """Whose sets are in different orders, since strings have different hashes."""
    (tmp_path / f"{NAME}.py").write_text(PROBE, "utf-8")
    code = f"from {NAME} import f; from clockfree_sim.circuit.code_digest import code_digest as of; print(of(f))"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    digests = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout.strip()
        for seed in ("1", "2")
    ]  # fmt: skip
    assert digests == [digest(PROBE, monkeypatch)] * 2


# -- the package itself ----------------------------------------------------------------------------------------------

DIGESTS = """
import importlib, json, os, sys
for _ in sys.stdin:
    for name in [name for name in sys.modules if name.startswith("clockfree")]:
        del sys.modules[name]
    import clockfree_sim.compiled.kernel
    from clockfree_sim.circuit.code_digest import code_digest
    found = {}
    for name in sys.argv[1:]:
        module, _, function = name.rpartition(".")
        found[name] = code_digest(getattr(importlib.import_module("clockfree_sim." + module), function).py_func)
    print(json.dumps(found), flush=True)
os._exit(0)
"""
LOOP, ROUNDS, TRIM = "compiled.loop.serve", "compiled.rounds.serve_rounds", "compiled.front_ends.trim"
STEP, SOLVE, DENSE, SCHUR = "circuit.twins._step", "circuit.twins._solve", "circuit.dense.step", "circuit.schur.step"
GAUSS, UNIFORM = "plant.noise.gauss", "plant.noise.uniform"
FIRING = {LOOP, ROUNDS}
EDGES = {*FIRING, TRIM}
CIRCUIT = {*EDGES, STEP, SOLVE, DENSE, SCHUR}
ALL = {*CIRCUIT, GAUSS, UNIFORM}
CHANGES = (
    ("firmware/clockfree_board/clock.py", "_LOW15 = const((1 << 15) - 1)", "_LOW15 = const((1 << 14) - 1)", EDGES),
    ("firmware/clockfree_board/rule.py", "1 - ((a ^ b) << 1)", "1 - ((a & b) << 1)", FIRING),
    ("sim/clockfree_model/draws.py", "/ 9007199254740992.0", "/ 9007199254740994.0", {*EDGES, GAUSS, UNIFORM}),
    ("sim/clockfree_sim/plant/noise.py", "0.425:", "0.426:", {*EDGES, GAUSS}),
    ("sim/clockfree_sim/circuit/schur.py", "ROUNDINGS = 1e5", "ROUNDINGS = 2e5", {*FIRING, STEP, DENSE, SCHUR}),
    ("sim/clockfree_sim/circuit/dense.py", "d * inverse, 0.0\n", "d * inverse, 0.5\n", {*FIRING, STEP, DENSE}),
    ("sim/clockfree_sim/circuit/solver.py", 'str(plan.dtype) == "int32"', "plan is None", {*EDGES, STEP, SOLVE}),
    ("sim/clockfree_sim/compiled/pots.py", '(PotsType, "step", **WITHIN)', '(PotsType, "step")', FIRING),
    ("sim/clockfree_sim/circuit/lanes.py", '_CONTRACT = ("contract",)', "_CONTRACT = ()", CIRCUIT),
)
"""File, text, what stands in its place, and what has another digest then."""


def copy_to(folder):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@contextmanager
def digests_of(sources, cache, seed):
    """Function that gives the digests of compiled functions as the sources are at that moment; all in one process."""
    env = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(str(sources / part) for part in ("firmware", "sim")),
        "PYTHONHASHSEED": seed,
        "XDG_CACHE_HOME": str(cache),
    }
    command = [sys.executable, "-c", DIGESTS, *sorted(ALL)]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def digests():
            process.stdin.write("\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield digests


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package's sources, the function that gives its digests, and what they are; and a cache."""
    sources, cache = copy_to(tmp_path_factory.mktemp("package")), tmp_path_factory.mktemp("cache")
    with digests_of(sources, cache, "1") as digests:
        yield sources, digests, digests(), cache


def told(text):
    """A module in which a person reads other things, at other lines."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            last = node.body[0].end_lineno - 1
            before, mark, after = lines[last].rpartition('"""')
            lines[last] = f"{before} Or so.{mark}{after}"
    return "\n".join(["# Read this.", "", *lines, "", "# And this.", ""])


def test_what_the_package_says_makes_no_difference(package, tmp_path):
    """Comments, docstrings and lines of every module; nor do another folder and another process."""
    _, _, before, cache = package
    assert len({*before.values()}) == len(ALL)
    files = sorted(copy_to(tmp_path).rglob("*.py"))
    assert len(files) > 100
    for file in files:
        file.write_text(told(file.read_text("utf-8")), "utf-8")
    with digests_of(tmp_path, cache, "2") as digests:
        assert digests() == before


@pytest.mark.parametrize("name, old, new, differ", CHANGES, ids=[name.rpartition("/")[2] for name, *_ in CHANGES])
def test_what_the_package_does_makes_a_difference_where_it_is_used(package, name, old, new, differ):
    sources, digests, before, _ = package
    text = (sources / name).read_text("utf-8")
    (sources / name).write_text(changed(old, new, text), "utf-8")
    after = digests()
    (sources / name).write_text(text, "utf-8")
    assert {each for each in ALL if after[each] != before[each]} == differ


def test_methods_of_what_a_function_never_has_make_no_difference(monkeypatch):
    """A circuit's step is no edge's: it is compiled once for runs with and without compiled edges."""
    from clockfree_sim.circuit import twins
    from clockfree_sim.compiled import pots

    assert pots.PotsType.__module__ in {module for name, module, _, _ in code_digest._methods if name == "step"}
    before = code_digest.code_digest(twins._step.py_func)
    monkeypatch.setattr(code_digest, "_methods", [])
    assert code_digest.code_digest(twins._step.py_func) == before
