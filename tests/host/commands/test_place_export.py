"""`clockfree place` writes a task that reaches what it should, `clockfree export` a network to go on from."""

import json

import numpy as np
import pytest

import clockfree
from clockfree.commands import app
from clockfree.runs import runlog
from clockfree.task.plan import make_plan
from clockfree_model.exporters import OHM, WRITERS
from clockfree_model.importers.resistance import ohms_in
from clockfree_model.network import noted

TABLE = """x,y
1.0,2.0
2.0,2.4
4.0,3.2
"""
TASK = """
updates = 20
network = "nets/square.csv"   # a comment
[placement]
sources = ["r0c0", "r2c2"]
targets = ["r0c1"]
[[lesson]]
[lesson.regression]
data = "table.csv"
inputs = ["x"]
outputs = ["y"]
reference_V = [2.6666666667]
"""


@pytest.fixture
def task(tmp_path):
    (tmp_path / "nets").mkdir()
    edges = [(f"r{r}c{c}", f"r{r + dr}c{c + dc}") for r in range(3) for c in range(3)
             for dr, dc in ((0, 1), (1, 0)) if r + dr < 3 and c + dc < 3]  # fmt: skip
    (tmp_path / "nets/square.csv").write_text("source,target\n" + "\n".join(f"{a},{b}" for a, b in edges))
    (tmp_path / "table.csv").write_text(TABLE)
    (tmp_path / "task.toml").write_text(TASK)
    return tmp_path / "task.toml"


def test_a_placement_is_found_and_written(task, capsys):
    out = task.parent / "elsewhere.toml"
    assert app.status_of(["place", str(task), "--draws", "12", "--out", str(out), "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["placements"] == 13 and found["within_reach"] >= 1
    assert any(row["own"] for row in found["best"])
    assert "12 edges, 9 nodes" in captured.err and "in x in V; out y in V; 3 rows" in captured.err
    plan = make_plan(out, {}, [], False)
    names = plan.job.network.nodes
    assert [names[node] for node in plan.job.sources] == found["best"][0]["sources"]
    assert [names[node] for node in plan.job.targets] == found["best"][0]["targets"]
    assert plan.job.lessons[0].desired_V.tolist() == make_plan(task, {}, [], False).job.lessons[0].desired_V.tolist()
    assert app.status_of(["place", str(task), "--draws", "12", "--out", str(out)]) == 2
    assert capsys.readouterr().err.endswith("expected a file that does not exist, got one that does\n")


def test_what_place_cannot_do(task, tmp_path, capsys):
    for text, line in (
        (
            TASK.partition("[lesson.regression]")[0] + "teacher = true",
            "lesson.0.teacher: expected lessons with outputs of",
        ),
        ("[record]\n", "record.format: expected"),
    ):
        task.write_text(text)
        assert app.status_of(["place", str(task)]) == 2
        assert line in capsys.readouterr().err
    task.write_text(TASK.replace('outputs = ["y"]', 'outputs = ["y"]\noutput_V = [4.0, 4.9]'))
    assert app.status_of(["place", str(task), "--draws", "3"]) == 1  # nothing comes near
    assert (tmp_path / "task-placed.toml").is_file()
    assert "0 of 4 placements come within" in capsys.readouterr().err


def test_a_run_goes_to_a_file_and_on_from_it(task, tmp_path, capsys):
    folder = tmp_path / "run"
    assert app.status_of(["run", str(task), "--out", str(folder), "--json"]) == 0
    job, last = (record := runlog.read(folder)).job, record.samples[-1]["taps"]
    for ending in WRITERS:
        assert app.status_of(["export", str(folder), str(tmp_path / f"learnt{ending}")]) == 0
        network, graph = noted(str(tmp_path / f"learnt{ending}"))
        of = {
            frozenset((network.nodes[a], network.nodes[b])): ohm for (a, b), ohm in zip(network.ends, ohms_in(graph)[1])
        }
        ohms = [of[frozenset((job.network.nodes[a], job.network.nodes[b]))] for a, b in job.network.ends]
        assert ohms == pytest.approx(
            job.physics.rab_ohm / 128 * np.array(last) + ohms[0] - job.physics.rab_ohm / 128 * last[0]
        )
        assert graph.columns.get("tap") is not None or ending in (".mtx", ".cir", ".sp", ".spice")
    assert "12 edges with tap and resistance_ohm, after 20 updates per edge" in capsys.readouterr().err
    assert OHM in graph.columns
    assert clockfree.open(folder).export(tmp_path / "again.csv").read_text() == (tmp_path / "learnt.csv").read_text()
    again = TASK.replace('network = "nets/square.csv"', 'network = "learnt.csv"\nstart_taps = "file"')
    task.write_text(again)
    assert make_plan(task, {}, [], False).job.start_taps.tolist() == last.tolist()
    task.write_text(TASK.replace("network =", 'start_taps = "run"\nnetwork ='))
    assert make_plan(task, {}, [], False).job.start_taps.tolist() == last.tolist()
    assert app.status_of(["export", str(folder), str(tmp_path / "learnt.csv")]) == 2
    assert app.status_of(["export", str(folder), str(tmp_path / "learnt.cvs")]) == 2
    assert capsys.readouterr().err.endswith("got '.cvs' (did you mean .csv?)\n")


def test_what_was_understood_and_decided_is_said(task, tmp_path, capsys):
    square = tmp_path / "nets/square.csv"
    square.write_text(square.read_text() + "\nr0c1,r0c0\nr1c1,r1c1\n")
    run = ["run", str(task), "--set", "updates=1"]
    assert app.status_of([*run, "--out", str(tmp_path / "a")]) == 2
    assert "square.csv: line 15: expected two different nodes, got r1c1-r1c1" in capsys.readouterr().err
    assert app.status_of([*run, "--self-loops", "drop", "--out", str(tmp_path / "a")]) == 2
    assert "square.csv: line 14: expected each edge once, got r0c1-r0c0, which is on line 2" in capsys.readouterr().err
    options = ["--self-loops", "drop", "--parallel", "keep"]
    assert app.status_of([*run, *options, "--out", str(tmp_path / "a")]) == 0
    said = "comma, header source, target, 1 self-loop dropped, 1 edge in parallel to another kept; 13 edges, 9 nodes"
    assert said in capsys.readouterr().err
    assert runlog.read(tmp_path / "a").job.network.edge_name(12) == "r0c1-r0c0#2"
    assert app.status_of(["run", str(tmp_path / "a/run.toml"), "--out", str(tmp_path / "b")]) == 0
    assert (
        runlog.read(tmp_path / "b").samples[-1]["taps"].tolist()
        == runlog.read(tmp_path / "a").samples[-1]["taps"].tolist()
    )
