"""What is done when a run ends, and the metrics that are kept while it goes on."""

import json
import re

import numpy as np
import pytest

import clockfree as cf
from clockfree.base.errors import BoardError
from clockfree.commands import app
from clockfree.commands.progress import progress
from clockfree_model.events import GAP
from clockfree_model.job import Sample

TASK = """
updates = 8
[placement]
sources = ["A", "C"]
targets = ["G"]
[[lesson]]
teacher = true
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("clockfree.runs.figure.draw", lambda *figure: None)
    (tmp_path / "task.toml").write_text(TASK)
    return tmp_path


def test_then_a_command_with_what_it_came_to(here, capfd):
    then = "env | grep ^CLOCKFREE_ > told; echo done; exit 3"
    assert app.status_of(["run", "task.toml", "--out", "run", "--json", "--then", then]) == 0
    said = capfd.readouterr()
    summary = json.loads(said.out)  # one object, whatever the command prints
    told = dict(line.split("=", 1) for line in (here / "told").read_text().splitlines())
    assert told["CLOCKFREE_ENDED"] == "done" and told["CLOCKFREE_RUN"] == "run" and told["CLOCKFREE_STATUS"] == "0"
    assert float(told["CLOCKFREE_FINAL_ERROR_V2"]) == summary["final_error_V2"]
    assert re.search(r"^done$", said.err, re.M) and "warning: --then: env | grep" in said.err and "status 3" in said.err


def test_then_it_is_told_what_boards_could_not_do(here, monkeypatch, capfd):
    def fail(*given, **more):
        raise BoardError("no board is there")

    monkeypatch.setattr("clockfree.runs.experiment.run", fail)
    then = "echo $CLOCKFREE_ENDED: $CLOCKFREE_ERROR > told"
    assert app.status_of(["run", "task.toml", "--then", then]) == 1
    assert (here / "told").read_text() == "failed: no board is there\n"


@pytest.mark.parametrize("option", ["--then", "--metrics"])
def test_many_runs_have_no_end_of_their_own(here, option, capfd):
    assert app.status_of(["run", "task.toml", "--seeds", "2", option, "x"]) == 2
    assert f"{option}: expected one run with it, got --seeds 2" in capfd.readouterr().err


def test_metrics_are_what_prometheus_reads_and_what_the_run_says(here, capfd):
    parser = pytest.importorskip("prometheus_client.parser")
    assert app.status_of(["run", "task.toml", "--out", "run", "--metrics", "run.prom"]) == 0
    found = {}
    for family in parser.text_string_to_metric_families((here / "run.prom").read_text()):
        found[family.name] = {tuple(each.labels.values()): each.value for each in family.samples}
    run = cf.open("run")
    assert found["clockfree_updates_per_edge"] == {(): 8.0}
    assert found["clockfree_error_square_volts"] == {(): run.record.samples[-1]["error_V2"]}
    fired = {edge: float(count) for edge, count in found["clockfree_firings"].items()}
    last = run.record.samples[-1]["counters"]["firings"]
    assert list(fired.values()) == last.tolist() and ("A-B",) in fired
    rates = np.array([*found["clockfree_rate_hertz"].values()])
    assert rates == pytest.approx(last / run.record.samples[-1]["time_us"] * 1e6)
    assert app.status_of(["run", "task.toml", "--metrics", "nowhere/there/x.prom", "--bench", "x.toml"]) == 2


def test_lines_that_a_board_lost_are_added_up(here):
    pytest.importorskip("prometheus_client")
    from clockfree.commands.metrics import Metered

    job = cf.Task("task.toml").plan(False).job
    metered = Metered(progress(), here / "x.prom")
    for at in (1, 2, 8):
        gap = {"event": GAP, "board": "b1", "lost": at}
        none = np.zeros(16, dtype=int)
        metered.sample(
            job, Sample(at * 10**6, at, 0, np.nan, np.nan, none, none, {"firings": [at] * 16}, events=[gap]), 1.0
        )
    text = (here / "x.prom").read_text()
    assert 'clockfree_lost_lines{board="b1"} 11.0' in text and "clockfree_error_square_volts NaN" in text
