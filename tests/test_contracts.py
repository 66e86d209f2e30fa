"""The contracts of import-linter hold, and each of them can be broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("firmware/clockfree_board", "sim/clockfree_model", "sim/clockfree_sim", "host/clockfree")
LINT = "import sys; from importlinter.cli import lint_imports_command as lint; sys.argv[1:] = ['--no-cache']; lint()"
BREACHES = {
    "Four packages": ("sim/clockfree_model/job.py", "from clockfree_sim.plant import noise"),
    "Rooms of the host": ("host/clockfree/link/fleet.py", "def f():\n    from clockfree.runs import runlog"),
    "Rooms of the simulation": ("sim/clockfree_sim/world/world.py", "from clockfree_sim.compiled import kernel"),
    "No circle of files": ("sim/clockfree_model/draws.py", "from clockfree_model import rates"),
    "What talks to boards does without the simulation": (
        "host/clockfree/runs/live.py",
        "def f():\n    from clockfree_sim.world.world import recall",
    ),
}


def contracts(folder):
    """What import-linter says of each contract, by its name, of the sources in a folder."""
    path = os.pathsep.join(str(folder / part) for part in ("firmware", "sim", "host"))
    done = subprocess.run(
        [sys.executable, "-c", LINT], cwd=folder, env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    lines = [line.strip().rpartition(" ") for line in done.stdout.splitlines()]
    return {name: word for name, _, word in lines if word in ("KEPT", "BROKEN")}, done.returncode


def test_all_contracts_are_kept():
    assert contracts(ROOT) == (dict.fromkeys(BREACHES, "KEPT"), 0)


def test_each_contract_can_be_broken(tmp_path):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line in BREACHES.values():
        path = tmp_path / file
        path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")
    assert contracts(tmp_path) == (dict.fromkeys(BREACHES, "BROKEN"), 1)
