"""A run among simulated ones: `clockfree compare`, held against runs made one by one by `clockfree run`."""

import json
import os
import shutil
import signal

import pytest
import xarray as xr

from clockfree.commands import app
from clockfree.runs import compare
from tests.host.logs import rewrite

TASK = """
updates = 20
[placement]
sources = ["A", "C"]
targets = ["G"]
[[lesson]]
teacher = true
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of runs with clock seeds 0 .. 5."""
    tmp_path = tmp_path_factory.mktemp("runs")
    task = tmp_path / "task.toml"
    task.write_text(TASK)
    folders = [tmp_path / f"run{seed}" for seed in range(6)]
    for seed, folder in enumerate(folders):
        assert app.status_of(["run", str(task), "--seed", str(seed), "--out", str(folder)]) == 0
    return folders


def of_every_state(folder):
    with xr.open_dataset(folder / "results.nc") as data:
        late = data.where(data["updates"] > 0.8 * 20, drop=True)
        return float((late["mean_error"] * late["mean_time"]).sum() / late["mean_time"].sum())


def measured(folder):
    with xr.open_dataset(folder / "results.nc") as data:
        return float(data["measured_error"].where(data["updates"] > 0.8 * 20).mean())


def of_before(folder, to, **changed):
    """The run as records of format 2 have it: samples are all there is."""
    folder = shutil.copytree(folder, to)
    log = folder / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines[0]["format"] = 2
    for line in lines:
        if line["record"] == "sample":
            line |= changed
            del line["mean_error_V2"], line["stood_us"]
    rewrite(folder, lines)
    return folder


@pytest.mark.parametrize("error", [of_every_state, measured])
def test_the_simulated_runs_are_those_of_other_clock_seeds_and_the_rank_is_counted(runs, tmp_path, capsys, error):
    """By every state, or, of a run of which only samples are known, by the readings on both sides."""
    errors_V2 = [error(folder) for folder in runs]
    folder = runs[0] if error is of_every_state else of_before(runs[0], tmp_path / "before")
    capsys.readouterr()
    status = app.status_of(["compare", str(folder), "--runs", "5", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["sim_error_V2"] == pytest.approx(sorted(errors_V2[1:]), rel=1e-12)
    assert found["error_V2"] == pytest.approx(errors_V2[0], rel=1e-12)
    assert found["rank"] == 1 + sum(error < errors_V2[0] for error in errors_V2[1:])
    assert found["within"] == (min(errors_V2[1:]) <= errors_V2[0] <= max(errors_V2[1:]))
    assert status == (0 if found["within"] else 1)
    assert len(set(errors_V2)) == 6  # or the clock seed does nothing here


def test_a_run_outside_the_range_is_said_and_fails(runs, capsys):
    # One simulated run is a range of one number.
    assert app.status_of(["compare", str(runs[0]), "--runs", "1"]) == 1
    assert "of 2 from the smallest: outside the range" in capsys.readouterr().out


def test_a_run_by_other_code_is_said_before_anything_is_run(runs, tmp_path, capsys, monkeypatch):
    folder = shutil.copytree(runs[0], tmp_path / "other code")
    first, *lines = (folder / "log.jsonl").read_text().splitlines()
    first = json.loads(first)
    now = first["versions"]
    first["versions"] = {**now, "simulation": "0" * 16, "blas": "another"}
    rewrite(folder, [first, *lines])
    monkeypatch.setattr(compare, "pool", None)
    said = f"{folder}: recorded with simulation {'0' * 16}, now {now['simulation']}; blas another, now {now['blas']}\n"
    with pytest.raises(TypeError):  # nothing can be run
        app.status_of(["compare", str(folder)])
    assert capsys.readouterr().err.startswith(said)
    with pytest.raises(TypeError):
        app.status_of(["compare", str(runs[0])])
    assert "recorded with" not in capsys.readouterr().err


def test_a_run_that_was_cut_off_is_refused(runs, tmp_path, capsys):
    folder = shutil.copytree(runs[0], tmp_path / "cut off")
    log = folder / "log.jsonl"
    lines = log.read_text().splitlines()
    end = {**json.loads(lines[-1]), "reason": "interrupted"}
    rewrite(folder, [*lines[:-1], end])
    assert app.status_of(["compare", str(folder)]) == 2
    assert "expected a run that came to its end, got one that was interrupted" in capsys.readouterr().err


def test_a_run_whose_error_nobody_measured_is_refused(runs, tmp_path, capsys):
    folder = of_before(runs[0], tmp_path / "unmeasured", measured_error_V2=None)
    assert app.status_of(["compare", str(folder), "--json"]) == 2
    assert "expected a run whose error was measured at its end" in capsys.readouterr().err


def die(job, seeds, measured):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_is_said_in_a_line(runs, capsys, monkeypatch):
    monkeypatch.setattr(compare, "final_errors", die)
    assert app.status_of(["compare", str(runs[0]), "--runs", "1"]) == 1
    said = capsys.readouterr().err
    assert said == "clockfree: a process that worked for this has died: killed, or out of memory\n"
