"""`clockfree sweep` as a person types it: the same numbers as `clockfree run`, whatever interrupts it."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from clockfree.commands import app
from clockfree.commands.context import Context
from clockfree_sim.sweep import workers
from clockfree_sim.sweep.load import load
from clockfree_sim.sweep.workers import Workers
from tests.loaded import Command

EXAMPLES = Path(__file__).parents[3] / "examples"
TASK = """
network = "lab16"
updates = 40
[placement]
sources = ["A", "C"]
targets = ["G"]
[[lesson]]
teacher = true
"""
SMALL = 'task = "task.toml"\n[axes]\nrule = ["clockfree", "p=0.5"]\n"seed task_seed" = "0..2"\n'
# On chips that only the simulated bench has, a point takes most of a second.
LONG = 'task = "task.toml"\nset.updates = 2500\nset.edge.pot = "x9c"\n[axes]\nseed = "0..7"\n'


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A fresh folder with a task."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "task.toml").write_text(TASK)
    return tmp_path


@pytest.fixture
def threads(monkeypatch):
    """Threads in place of processes: any executor will do, and these start at once."""
    monkeypatch.setattr(workers, "processes", lambda jobs: Workers(lambda: ThreadPoolExecutor(2), 4, "threads"))


def swept(text, *options, name="s.toml"):
    """Exit status of a sweep file."""
    with open(name, "w") as file:
        file.write(text)
    return app.status_of(["sweep", name, *options])


def opened(folder="runs/s"):
    with xr.open_dataset(f"{folder}/results.nc") as data:
        return data.load()


def ran(folder, *options):
    """What `clockfree run` finds."""
    assert app.status_of(["run", "task.toml", "--out", folder, *options]) == 0
    with xr.open_dataset(f"{folder}/results.nc") as data:
        return data.load()


def journal(path, record="point"):
    text = (path / "points.jsonl").read_text()
    return [found for line in text.splitlines() if (found := json.loads(line))["record"] == record]


def test_every_point_is_what_clockfree_run_finds(here, threads, capsys):
    text = """
        task = "task.toml"
        [axes]
        clamp.dwell_s = [0.1, 0.05]
        "seed task_seed" = [3, 1]
        [variants.how]
        free = {}
        half = { rule = "p=0.5" }
        real = { preset = "board", rule = "clockfree" }
        slow = { edge.pot = "x9c" }
        apart = { edge.decades = 2 }
        """
    assert swept(text) == 0
    table = capsys.readouterr().out
    assert "geometric mean" in table and "half" in table
    data = opened()
    assert data["final_error"].dims == ("clamp.dwell_s", "seed", "how")
    assert data["clamp.dwell_s"].attrs["units"] == "s" and data["final_error"].attrs["units"] == "V2"
    assert data["how"].values.tolist() == ["free", "half", "real", "slow", "apart"] and data[
        "seed"
    ].values.tolist() == [3, 1]
    assert data["engine"].sel(how=["free", "slow"]).values[0, 0].tolist() == ["kernel", "world"]
    assert data.attrs["ended"] == "done" and data.attrs["sweep"] == text
    assert data.attrs["seeds"].tolist() == [1, 3] and data.attrs["version_clockfree"]
    assert json.loads(data.attrs["files"]) == {"s.toml": text, "task.toml": TASK}
    sets = {"free": [], "half": ["--rule", "p=0.5"], "real": ["--preset", "board"], "slow": ["--set", "edge.pot=x9c"]}
    sets["apart"] = ["--set", "edge.decades=2"]
    for how, options in sets.items():
        given = ["--seed", "1", "--task-seed", "1", "--set", "clamp.dwell_s=0.05", *options, "--json"]
        capsys.readouterr()
        run = ran(how, *given)
        found = json.loads(capsys.readouterr().out)
        point = data.sel({"clamp.dwell_s": 0.05, "seed": 1, "how": how})
        assert point["final_error"] == found["final_error_V2"]
        assert point["initial_error"] == found["initial_error_V2"]
        assert point["best_error"] == found["best_error_V2"]
        assert point["firings"] == found["firings"] and point["up"] + point["down"] == found["steps"]
        assert point["virtual_time"] == found["virtual_s"]
        assert np.array_equal(point["mean_error"], run["mean_error"]) and np.array_equal(
            point["at_updates"], run["updates"]
        )
        assert np.array_equal(point["taps"], run["taps"][-1]) and np.array_equal(point["edge"], run["edge"])


@pytest.mark.parametrize("file", sorted((EXAMPLES / "sweeps").glob("*.toml")), ids=lambda file: file.stem)
def test_the_examples_can_be_run(file):
    found = load(file, Context(), lambda count, points: None)
    assert len({point.at for point in found.points}) == len(found.points) > 100


def test_networks_of_different_sizes_and_tasks_of_different_kinds(here, threads, capsys):
    iris = (EXAMPLES / "iris.toml").read_text()
    (here / "iris.toml").write_text(iris.replace("updates = 1500", "updates = 40"))
    (here / "wide.toml").write_text(TASK.replace('"lab16"', '"planar:20:30:1"').replace('["A", "C"]', "2"))
    (here / "wide.toml").write_text((here / "wide.toml").read_text().replace('["G"]', "2"))
    assert swept('[axes]\ntask = ["iris.toml", "wide.toml"]\nupdates = [20, 40]') == 0
    data = opened()
    assert data.sizes == {"task": 2, "updates": 2, "sample": 501, "edge": 30}
    assert (data["taps"].sel(task="iris.toml")[:, 16:] == -1).all() and (data["taps"].sel(task="wide.toml") >= 0).all()
    assert np.isnan(data["test_accuracy"].sel(task="wide.toml")).all()
    assert data["at_updates"].max(("task", "sample")).values == pytest.approx([20, 40])
    (here / "task.toml").write_text((here / "iris.toml").read_text())
    capsys.readouterr()
    ran("run", "--json")
    found = json.loads(capsys.readouterr().out)
    point = data.sel(task="iris.toml", updates=40)
    assert point["test_accuracy"] == found["accuracy"]
    assert point["training_accuracy"] == found["training_accuracy"]


def no_locks(file, how):
    """As a network drive says it."""
    raise OSError(errno.ENOLCK, "No locks available")


def test_a_second_time_nothing_is_run_other_code_is_said_and_another_sweep_is_refused(
    here, threads, capsys, monkeypatch
):
    (here / "runs/s").mkdir(parents=True)
    (here / "runs/s/.DS_Store").touch()  # of a desktop that has looked at it
    monkeypatch.setattr("fcntl.flock", no_locks)
    assert swept(SMALL, "--json") == 0
    first = capsys.readouterr()
    assert json.loads(first.out)["done"] == 6 and first.out.count("\n") == 1
    assert first.err == "6 of 6 points to run on threads, in runs/s\n"
    before = (here / "runs/s/points.jsonl").read_bytes()
    assert swept(SMALL) == 0
    assert "0 of 6 points to run" in capsys.readouterr().err
    assert [*journal(here / "runs/s")] == [json.loads(line) for line in before.splitlines() if b'"point"' in line]
    log, now = here / "runs/s/points.jsonl", journal(here / "runs/s", "session")[0]["versions"]["simulation"]
    log.write_bytes(before.replace(now.encode(), b"0" * 16))
    assert swept(SMALL) == 0
    others = f"results.nc lists them: simulation {'0' * 16}, now {now}"
    assert capsys.readouterr().err.splitlines()[0].endswith(others)
    log.write_bytes(before)
    for change in ("0..3", "1..3"):
        assert swept(SMALL.replace("0..2", change)) == 2
        assert "s.toml: --out: expected a new folder, or this sweep's own, got runs/s, whose" in capsys.readouterr().err
    (here / "task.toml").write_text(TASK.replace("40", "41"))
    assert swept(SMALL) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (here / "runs/s/points.jsonl").read_bytes().startswith(before)
    assert len(journal(here / "runs/s", "session")) == 1


def test_a_bar_with_the_time_left_on_a_terminal(here, threads, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert swept(SMALL) == 0
    err = capsys.readouterr().err
    assert "6 of 6 points to run on threads" in err
    assert "running" in err and "100%" in err and "6 of 6 points" in err and "left" in err


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("", [], "s.toml: axes: expected at least one axis"),
        ("task = 3", [], "s.toml: task: expected text, got 3"),
        ("tusk = 3", [], "s.toml: tusk: expected one of task, set, axes, variants, got an unknown key"),
        (SMALL + "x", [], "s.toml: file: expected TOML"),
        (SMALL + "clamp.eta = [1, 2]", [], "clamp.eta = 2: task.toml: clamp.eta (from --set): expected a number > 0"),
        (SMALL + "clamp.etta = [1]", [], "clamp.etta = 1: task.toml: clamp.etta (from --set): expected one of kind"),
        (SMALL + "network = ['lab17']", [], "network = lab17: task.toml: network (from --set): expected lab16"),
        (SMALL + "placement.sources = [9]", [], "task.toml: placement.sources (from --set): expected at most"),
        (SMALL.replace("task.t", "tusk.t"), [], "seed = 0: tusk.toml: file: expected a readable TOML file"),
        (SMALL + "[variants.mean_error.a]", [], "s.toml: variants.mean_error: expected a name that no result has"),
        (SMALL, ["--jobs", "0"], "--jobs"),
        (SMALL, ["--jobs", "2", "--scheduler", "tcp://x:1"], "--jobs: expected it without --scheduler"),
        (SMALL, ["--out", "task.toml"], "s.toml: --out: expected a folder that can be made, got task.toml"),
        (SMALL, ["--out", "task.toml/x"], "s.toml: --out: expected a folder that can be made, got task.toml/x"),
        (SMALL, ["--out", "."], "s.toml: --out: expected a new folder, or this sweep's own, got . with other files"),
    ],
)
def test_bad_input_is_one_line_and_status_2_before_anything_is_written(text, options, said, here, capsys):
    (here / "s.toml").write_text("")
    before = sorted(here.rglob("*"))
    assert swept(text, *options) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert captured.err.startswith("clockfree: ") and said in captured.err
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("line", [b"nonsense\n", b"{}\n", b'{"record":"point"}\n', b'{"record":"other","at":[0]}\n'])
def test_a_broken_journal_is_refused_as_it_is(line, here, threads, capsys):
    assert swept(SMALL) == 0
    path = here / "runs/s/points.jsonl"
    broken = b"".join([*path.read_bytes().splitlines(keepends=True), line])
    path.write_bytes(broken)
    capsys.readouterr()
    assert swept(SMALL) == 2
    assert "runs/s/points.jsonl, broken in line 9" in capsys.readouterr().err
    assert path.read_bytes() == broken


def test_a_point_that_fails_is_recorded_and_run_again_next_time(here, threads, capsys, monkeypatch):
    right = workers.measure

    def one_fails(point):
        if point.at == (1, 1):
            raise ZeroDivisionError("of all\nthings")
        return right(point)

    monkeypatch.setattr(workers, "measure", one_fails)
    assert swept(SMALL, "--json") == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["failed"] == 1
    assert "rule = p=0.5, seed = 1: failed: ZeroDivisionError: of all things" in captured.err
    data = opened()
    assert data.attrs["ended"] == "failed"
    assert np.isnan(data["final_error"].values).tolist() == [[False] * 3, [False, True, False]]
    assert data["failure"].values[1].tolist() == ["", "ZeroDivisionError: of all things", ""]

    monkeypatch.setattr(workers, "measure", right)
    assert swept(SMALL) == 0
    assert "1 of 6 points to run" in capsys.readouterr().err
    data = opened()
    assert np.isfinite(data["final_error"]).all() and (data["failure"] == "").all()


def test_points_that_failed_before_come_last(here, monkeypatch):
    monkeypatch.setattr(workers, "processes", lambda jobs: Workers(lambda: ThreadPoolExecutor(1), 1, "a thread"))
    right, asked = workers.measure, []

    def fails_at_first(point):
        asked.append(point.at)
        if len(asked) == 3:
            raise KeyboardInterrupt
        raise ZeroDivisionError

    monkeypatch.setattr(workers, "measure", fails_at_first)
    assert swept(SMALL) == 130
    (*failed, _), asked[:] = asked.copy(), []
    monkeypatch.setattr(workers, "measure", lambda point: asked.append(point.at) or right(point))
    assert swept(SMALL) == 0
    assert len(asked) == 6 and asked[-2:] == failed


def test_ctrl_c_before_the_first_point_is_done(here, threads, capsys, monkeypatch):
    monkeypatch.setattr(workers, "_spread", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
    assert swept(SMALL) == 130
    assert capsys.readouterr().err.endswith("same command goes on with the rest\nclockfree: interrupted\n")
    data = opened()
    assert data.attrs["ended"] == "interrupted" and np.isnan(data["final_error"]).all()


def started(here, points):
    """A long sweep in a process of its own, once so many points are in its journal."""
    (here / "s.toml").write_text(LONG)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = Command(["sweep", "s.toml", "--jobs", "1", "--json"], **pipes)
    late = time.monotonic() + 120
    while not (here / "runs/s/points.jsonl").exists() or len(done(here)) < points:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < late
        time.sleep(0.05)
    return process


def done(here):
    data = (here / "runs/s/points.jsonl").read_bytes()
    lines = data[: data.rfind(b"\n") + 1].splitlines()
    return [tuple(found["at"]) for line in lines if (found := json.loads(line))["record"] == "point"]


def children(process):
    """Process ids of all below a process; /proc has them on Linux."""
    path = f"/proc/{process.pid}/task/{process.pid}/children"
    if not os.path.exists(path):
        pytest.skip("this system has no list of children in /proc")
    with open(path) as file:
        return [int(pid) for pid in file.read().split()]


def gone(pids):
    late = time.monotonic() + 60
    while any(os.path.exists(f"/proc/{pid}") for pid in pids):
        if time.monotonic() > late:
            return False
        time.sleep(0.05)
    return True


def test_interrupted_and_killed_sweeps_go_on_where_they_stopped(here, capsys):
    process = started(here, 1)
    below = children(process)
    assert below
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err
    assert "the same command goes on with the rest" in err
    first = json.loads(out)["done"]
    assert 1 <= first < 8 and gone(below)
    data = opened()
    assert data.attrs["ended"] == "interrupted" and np.isfinite(data["final_error"]).sum() == first

    process = started(here, first + 1)
    below = children(process)
    # Another one in the same folder is refused while this one is at work.
    assert app.status_of(["sweep", "s.toml"]) == 2
    assert "in use now" in capsys.readouterr().err
    process.kill()
    process.communicate()
    assert gone(below)  # a killed sweep leaves no workers behind
    killed = len(done(here))
    assert first < killed < 8
    with (here / "runs/s/points.jsonl").open("ab") as file:
        file.write(b'{"record":"point","at":[0,')  # as a kill in the middle of a write leaves it

    assert app.status_of(["sweep", "s.toml", "--jobs", "1"]) == 0
    assert f"{8 - killed} of 8 points to run on 1 process," in capsys.readouterr().err
    assert sorted(done(here)) == [(seed,) for seed in range(8)]  # none twice
    data = opened()
    assert (data["engine"] == "world").all()
    run = ran("run", "--updates", "2500", "--set", "edge.pot=x9c", "--seed", "7")
    assert np.array_equal(data["mean_error"].sel(seed=7), run["mean_error"])
