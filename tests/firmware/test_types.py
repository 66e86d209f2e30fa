"""The type check of the firmware has teeth: it knows the board's modules, and CPython's are not there."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SOURCE = """
import machine, micropython, time, os
reveal_type(time.ticks_us)
reveal_type(machine.Pin(1))
reveal_type(micropython.const(1))
time.perf_counter()
os.environ
machine.Pinn
time.ticks_us(3)
def f():
    machine.SPI(0).write_everything(b"")
    import dataclasses
import functools
"""


def test_knows_a_board_from_cpython(tmp_path):
    assert (ROOT / "typings").is_dir(), "no typings: make setup"
    (tmp_path / "probe.py").write_text(SOURCE, encoding="utf-8")
    config = ["--config-file", str(ROOT / "firmware/mypy.ini"), "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *config, "probe.py"], cwd=tmp_path, capture_output=True, text=True
    )
    said = {}
    for line in done.stdout.splitlines()[:-1]:
        file, number, kind, text = line.split(":", 3)
        assert file == "probe.py", line
        said.setdefault(int(number), f"{kind.strip()}:{text}")
    types = [said.pop(line) for line in (3, 4, 5)]
    assert all(kind in text for kind, text in zip(["_TicksUs", "machine.Pin", "int"], types, strict=True)), types
    assert {line for line, text in said.items() if text.startswith("error:")} == {6, 7, 8, 9, 11, 12, 13}, said
