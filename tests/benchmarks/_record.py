"""The record of benchmarks, build/bench.json: rows, and the machine that they were all measured on.

Every row has a baseline that was measured in the same run, or the figure that is wanted where it says so. Its ratio
says how many times as good as the baseline it is: below 1 is worse, whatever the unit.
"""

import json
import os
import platform
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RECORD = Path("build/bench.json")
LESS_IS_BETTER = ("s", "us", "1")
WANTED = "what is wanted"
"""A baseline that is no measurement."""


def row(name: str, value: float, unit: str, baseline: float, against: str) -> dict:
    """A row; its ratio is null where it would be of nothing."""
    better, worse = (baseline, value) if unit in LESS_IS_BETTER else (value, baseline)
    ratio = better / worse if worse else None
    return {"name": name, "value": value, "unit": unit, "baseline": baseline, "against": against, "ratio": ratio}


def record(rows: list[dict]) -> None:
    """Put a script's rows into the record, in place of those it had; another machine begins a new record."""
    group, machine = Path(sys.argv[0]).stem, described()
    kept = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    others = [each for each in kept.get("rows", []) if each["group"] != group]
    if kept.get("machine") != machine:
        others = []
    ours = [{"group": group, "date": date.today().isoformat(), **each} for each in rows]
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps({"machine": machine, "rows": others + ours}, indent=1) + "\n", "utf-8")


def described() -> dict[str, str]:
    """This machine, and what compiles on it."""
    packages = {name: _version(name) for name in ("numba", "numpy", "jax")}
    return {"CPU": _processor(), "cores": str(os.cpu_count()), "Python": platform.python_version(), **packages}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not here"


def _processor() -> str:
    """Model of the processor, with the numbers that tell it from others of the same name."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = dict(reversed([tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line]))
    numbers = [f"{key} {found[key]}" for key in ("cpu family", "model") if key in found]
    return ", ".join([found.get("model name", platform.machine()), *numbers])
