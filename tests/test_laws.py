"""The laws of the design that its source can be asked about, and proof that each question can be answered no."""

import ast
import importlib
from pathlib import Path

import pytest

import clockfree_sim
from tests import laws

ROOT = Path(__file__).resolve().parent.parent
CHECKS = [
    (laws.firmware, "firmware"),
    (laws.model, "sim/clockfree_model"),
    (laws.simulation, "sim/clockfree_sim"),
    (laws.host, "host/clockfree"),
]
FILES = [(check, path) for check, folder in CHECKS for path in sorted((ROOT / folder).rglob("*.py"))]
RUNS_ANYWHERE = [
    path for path in (ROOT / "firmware/clockfree_board").glob("*.py") if path.name not in laws.TOUCH_THE_BOARD
]


@pytest.mark.parametrize(("check", "path"), FILES, ids=[str(path.relative_to(ROOT)) for _, path in FILES])
def test_keeps_the_laws(check, path):
    assert not [*check(path.name, ast.parse(path.read_text(encoding="utf-8")))]


BROKEN = [
    (laws.firmware, "rule.py", "import math"),
    (laws.firmware, "clock.py", "def f():\n    from array import array"),
    (laws.firmware, "rule.py", "HALF = 0.5"),
    (laws.firmware, "clock.py", "def f(a, b):\n    return a / b"),
    (laws.firmware, "clock.py", "def f(a):\n    a /= 2"),
    (laws.firmware, "rule.py", "def f(a):\n    return float(a)"),
    (laws.firmware, "pots.py", "from machine import Pin"),
    (laws.firmware, "edge.py", "def f():\n    import machine"),
    (laws.firmware, "edge.py", "machine = __import__('machine')"),
    (laws.firmware, "edge.py", "from typing import Any"),
    (laws.firmware, "edge.py", "import dataclasses"),
    (laws.firmware, "edge.py", "from enum import Enum"),
    (laws.firmware, "hw.py", "from clockfree_sim.parts import bus"),
    (laws.firmware, "hw.py", "import clockfree"),
    (laws.firmware, "hw.py", "from clockfree_model import job"),
    (laws.firmware, "edge.py", "match 1:\n    case 1:\n        pass"),
    (laws.firmware, "edge.py", "def f(a, /):\n    pass"),
    (laws.firmware, "edge.py", "f = lambda a, /: a"),
    (laws.firmware, "board.py", "def on_sync():\n    pass"),
    (laws.firmware, "board.py", "KINDS = ['HOLD', 'SYNC']"),
    (laws.firmware, "board.py", "link.broadcast(1)"),
    (laws.firmware, "board.py", "class SyncPin:\n    pass"),
    (laws.model, "rates.py", "from numba import njit"),
    (laws.model, "draws.py", "def f():\n    import numba"),
    (laws.simulation, "setup.py", "from clockfree_sim.world.rounds import Rounds"),
    (laws.simulation, "setup.py", "from clockfree_sim.plant import rounds"),
    (laws.simulation, "setup.py", "import importlib\nimportlib.import_module('clockfree_sim.world.rounds')"),
    (laws.simulation, "world.py", "for edge in edges:\n    edge.fire(now)"),
    (laws.simulation, "world.py", "for edge, fire in chosen:\n    fire(now)"),
    (laws.simulation, "world.py", "for i in range(n):\n    if True:\n        fires[i](now)"),
    (laws.simulation, "world.py", "dues = [edge.fire(now) for edge in edges]"),
    (laws.simulation, "world.py", "dues = {i: fires[i](now) for i in range(n)}"),
    (laws.simulation, "world.py", "edge.due_us = now"),
    (laws.simulation, "world.py", "if rule == 'sync':\n    pass"),
    (laws.host, "taskfile.py", "from clockfree_board.pots import Mcp42xx"),
    (laws.host, "taskfile.py", "from clockfree_board import edge"),
    (laws.host, "session.py", "from mpremote.transport_serial import SerialTransport"),
    (laws.host, "run.py", "print(task)"),
    (laws.simulation, "world.py", "def f():\n    print('done')"),
    (laws.model, "network.py", "print(1)"),
]


@pytest.mark.parametrize(("check", "file", "source"), BROKEN)
def test_a_broken_law_is_found(check, file, source):
    assert [*check(file, ast.parse(source))]


KEPT = [
    (laws.firmware, "hw.py", "from machine import Pin"),
    (laws.firmware, "rule.py", '"""No sync, no 0.5."""\nHALF = 1 // 2'),
    (laws.firmware, "rule.py", "from clockfree_board.emitters import micropython"),
    (laws.firmware, "board.py", "import asyncio"),
    (laws.simulation, "rounds.py", "if rule == 'sync':\n    for edge in edges:\n        edge.fire(edge.due_us)"),
    (laws.simulation, "world.py", "from clockfree_sim.world.rounds import Rounds"),
    (laws.simulation, "world.py", "for _ in range(n):\n    who = heap.next()\n    fires[who](now)"),
    (laws.simulation, "world.py", "fires = [edge.fire for edge in edges]"),
    (laws.model, "network.py", "import networkx"),
    (laws.host, "session.py", "from clockfree_board import link\nfrom clockfree_board.link import seal"),
    (laws.host, "repl.py", "import mpremote"),
    (laws.host, "context.py", "class Context:\n    def print(self):\n        pass"),
    (laws.model, "saying.py", "print(1)"),
]


@pytest.mark.parametrize(("check", "file", "source"), KEPT)
def test_what_keeps_the_laws_is_left_alone(check, file, source):
    assert not [*check(file, ast.parse(source))]


@pytest.mark.parametrize("part", clockfree_sim.NOT_COMPILED)
def test_nothing_is_compiled_where_an_edit_leaves_compiled_code_as_it_is(part):
    for path in (ROOT / "sim/clockfree_sim" / part).rglob("*.py"):
        modules = {module.partition(".")[0] for _, module, _ in laws.imports(ast.parse(path.read_text("utf-8")))}
        assert "numba" not in modules, path


def lacking(vm, wanted):
    """Those of the (module, name) pairs that MicroPython does not have."""
    return vm(
        f"for module, name in {sorted(wanted)!r}:\n"
        "    try:\n"
        "        if name:\n"
        "            exec('from ' + module + ' import ' + name)\n"
        "        else:\n"
        "            __import__(module)\n"
        "    except ImportError:\n"
        "        print(module, name)\n"
    ).split("\n")[:-1]


def test_micropython_has_all_that_the_firmware_imports(vm):
    wanted = set()
    for path in (ROOT / "firmware").rglob("*.py"):
        wanted |= {(module, name) for _, module, name in laws.imports(ast.parse(path.read_text(encoding="utf-8")))}
    # The unix VM has no chip. hw.py is held to the chip's own modules by the type check.
    board_only = {pair for pair in wanted if {*laws.BOARD_ONLY, "hw"} & {*pair[0].split("."), pair[1]}}
    assert lacking(vm, wanted - board_only) == []


def test_a_module_or_name_that_micropython_lacks_is_found(vm):
    asked = {("functools", ""), ("time", "ticks_us"), ("time", "perf_counter"), ("clockfree_board.rule", "from_bits")}
    assert lacking(vm, asked) == ["functools ", "time perf_counter"]


@pytest.mark.parametrize("path", RUNS_ANYWHERE, ids=lambda path: path.name)
def test_cpython_imports_the_firmware_too(path):
    importlib.import_module(f"clockfree_board.{path.stem}")
