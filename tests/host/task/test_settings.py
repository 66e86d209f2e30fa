"""A setting is said once: one that a test makes up is a key, a check, an option, in the record and on the page."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MADE_UP = """
from dataclasses import dataclass

from clockfree_model import settings


@dataclass(frozen=True)
class EdgeSettings(settings.EdgeSettings):
    made_up_mV: float = settings.setting(1.5, "made up by a test", "mV", ge=0, le=9)


settings.EdgeSettings = EdgeSettings
settings.EDGES = {name: EdgeSettings(**vars(edge)) for name, edge in settings.EDGES.items()}
"""
RUN = (
    MADE_UP
    + """
import sys
from clockfree.commands import app

sys.exit(app.status_of(sys.argv[1:]))
"""
)
PAGE = (
    MADE_UP
    + """
from docs import generate

print(generate.settings())
"""
)


def run(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)


def recorded(folder):
    with open(folder / "log.jsonl", encoding="utf-8") as log:
        return json.loads(log.readline())["job"]["edge"]


def test_one_field_is_all_that_a_setting_takes(tmp_path):
    task = tmp_path / "task.toml"
    text = 'network = "lab16"\nupdates = 20\n[placement]\nsources = ["A", "C"]\ntargets = ["E"]\n' + (
        "[[lesson]]\nsource_V = [[0.0, 5.0]]\ndesired_V = [[2.0]]\n[edge]\n"
    )
    task.write_text(text, encoding="utf-8")
    options = "run", str(task), "--bench", "sim", "--out"
    assert run(RUN, *options, str(tmp_path / "default")).returncode == 0
    assert recorded(tmp_path / "default")["made_up_mV"] == 1.5
    told = run(RUN, *options, str(tmp_path / "told"), "--set", "edge.made_up_mV=2.5")
    assert told.returncode == 0 and recorded(tmp_path / "told")["made_up_mV"] == 2.5
    refused = run(RUN, *options, str(tmp_path / "refused"), "--set", "edge.made_up_mV=12")
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert "edge.made_up_mV (from --set): expected a number >= 0 and <= 9, got 12" in refused.stderr
    task.write_text(text + "made_up_mV = -1\n", encoding="utf-8")
    refused = run(RUN, *options, str(tmp_path / "refused"))
    assert refused.returncode == 2 and "edge.made_up_mV: expected a number >= 0 and <= 9, got -1" in refused.stderr
    # Run again from the record alone: it reads what it wrote.
    again = run(RUN, "run", str(tmp_path / "told/run.toml"), "--out", str(tmp_path / "again"))
    assert again.returncode == 0 and recorded(tmp_path / "again")["made_up_mV"] == 2.5
    assert "made_up_mV" in run(PAGE).stdout
