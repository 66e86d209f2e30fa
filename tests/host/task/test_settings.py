"""A setting is said once: one that a test makes up is a key, a check, an option, in the record and on the page."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MADE_UP = """
import json
import sys
from dataclasses import dataclass

from clockfree_model import settings


@dataclass(frozen=True)
class EdgeSettings(settings.EdgeSettings):
    made_up_mV: float = settings.setting(1.5, "made up by a test", "mV", ge=0, le=9)


settings.EdgeSettings = EdgeSettings

from clockfree_model import presets

presets.EDGES.update({name: EdgeSettings(**vars(edge)) for name, edge in presets.EDGES.items()})

from clockfree.commands import app
from docs import generate

told = [app.status_of(arguments) for arguments in json.loads(sys.argv[1])]
print(json.dumps([told, generate.settings()]))
"""
TASK = """
network = "lab16"
updates = 20
[placement]
sources = ["A", "C"]
targets = ["E"]
[[lesson]]
source_V = [[0.0, 5.0]]
desired_V = [[2.0]]
[edge]
"""


def recorded(folder):
    with open(folder / "log.jsonl", encoding="utf-8") as log:
        return json.loads(log.readline())["job"]["edge"]


def test_one_field_is_all_that_a_setting_takes(tmp_path):
    task, wrong = tmp_path / "task.toml", tmp_path / "wrong.toml"
    task.write_text(TASK, encoding="utf-8")
    wrong.write_text(TASK + "made_up_mV = -1\n", encoding="utf-8")
    runs = (
        ("default", task),
        ("told", task, "--set", "edge.made_up_mV=2.5"),
        ("refused", task, "--set", "edge.made_up_mV=12"),
        ("refused", wrong),
        ("again", tmp_path / "told/run.toml"),  # from the record alone: it reads what it wrote
    )
    commands = [["run", str(what), "--out", str(tmp_path / name), *options] for name, what, *options in runs]
    told = [sys.executable, "-c", MADE_UP, json.dumps(commands)]
    done = subprocess.run(told, cwd=ROOT, check=True, capture_output=True, text=True)
    statuses, page = json.loads(done.stdout.splitlines()[-1])
    assert statuses == [0, 0, 2, 2, 0]
    assert [recorded(tmp_path / name)["made_up_mV"] for name in ("default", "told", "again")] == [1.5, 2.5, 2.5]
    assert f"{task}: edge.made_up_mV (from --set): expected a number >= 0 and <= 9, got 12" in done.stderr
    assert f"{wrong}: edge.made_up_mV: expected a number >= 0 and <= 9, got -1" in done.stderr
    assert "| `made_up_mV` | mV | >= 0 and <= 9 | 1.5 |" in page
