"""Runs of version 0.2.0, shown, read, compared and run again: `fixtures/runs-0.2`, and what 0.2.0 printed of them."""

import importlib.metadata
import itertools
import json
import shutil
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from clockfree.commands import app as cli
from clockfree.runs import runlog

FIXTURES = Path(__file__).resolve().parent / "fixtures/runs-0.2"
NAMES = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())
SIMULATED = [name for name in NAMES if name != "boards"]


def at_once(pool, function, *arguments):
    done = Future()
    done.set_result(function(*arguments))
    return done


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Without what is slow and other tests do: pictures are not drawn, and this process does the work of a pool."""
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, file, **more: None)
    monkeypatch.setattr(ProcessPoolExecutor, "__init__", lambda pool, *more: None)
    monkeypatch.setattr(ProcessPoolExecutor, "submit", at_once)
    monkeypatch.setattr(ProcessPoolExecutor, "shutdown", lambda pool, **more: None)


@pytest.fixture
def folder(name, tmp_path):
    return shutil.copytree(FIXTURES / name, tmp_path / name)


@pytest.fixture
def printed(name):
    """What 0.2.0 printed of the run, by command."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


@pytest.fixture
def clockfree(capsys):
    """Runs a command line, which has to end with status 0; returns what it printed."""

    def run(*arguments):
        assert cli.status_of([*map(str, arguments)]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run


def samples_of(folder):
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [line for line in lines if line["record"] == "sample"]


def states_of(folder):
    """The samples of a run, each with its outputs, whatever its log tells them by."""
    found = zip(samples_of(folder), runlog.read(folder).samples, strict=True)
    return [
        {key: value for key, value in line.items() if key != "gain"} | {"outputs_V": sample["outputs_V"].tolist()}
        for line, sample in found
    ]


def firings_of(folder):
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [row for line in lines for row in line.get("rows", ())]


def said_again(found, before):
    """Whether all that was said before is said again; fractions may be rounded otherwise, and the folder is a copy."""
    if isinstance(before, dict):
        return all(key == "run" or said_again(found[key], part) for key, part in before.items())
    if isinstance(before, list):
        return len(found) == len(before) and all(map(said_again, found, before))
    return found == (pytest.approx(before, rel=1e-9, abs=1e-12) if isinstance(before, float) else before)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_shown(name, folder, printed, clockfree):
    found = json.loads(clockfree("show", folder, "--json"))
    assert said_again(found, printed["show"])

    # The same numbers by hand, from the log: the mean over the last fifth, of the lesson then taught.
    samples = samples_of(folder)
    last = samples[-1]
    ending = [each for each in samples if each["updates"] > 0.8 * last["updates"] and each["lesson"] == last["lesson"]]
    error_V2 = np.mean([each["error_V2"] for each in ending if each["error_V2"] is not None])
    assert found["final_error_V2"] == pytest.approx(error_V2, rel=1e-12)
    assert found["firings"] == sum(last["counters"]["firings"])
    assert (folder / "figure.png").exists()

    with xr.open_dataset(folder / "results.nc") as data:
        assert data["taps"].values[-1].tolist() == last["taps"]
        assert data["error"].values[-1] == last["error_V2"]
        if (FIXTURES / name / "results.nc").exists():
            with xr.open_dataset(FIXTURES / name / "results.nc") as before:
                assert before.attrs.items() <= data.attrs.items()
                for key, variable in before.variables.items():
                    xr.testing.assert_identical(data.variables[key], variable)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read(name, folder, printed, clockfree):
    found = json.loads(clockfree("read", folder, "--json"))
    assert said_again(found, printed["read"])

    targets = [row for row in found["readings"] if row["role"] == "target"]
    outputs_V = samples_of(folder)[-1]["outputs_V"]
    step_V = 5.0 / 4096  # of the supervisor's DAC
    assert [row["free_V"] for row in targets] == pytest.approx(np.ravel(outputs_V), abs=2 * step_V)
    assert f"{targets[-1]['free_V']:.4f}" in clockfree("read", folder)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_compared(name, folder, printed, clockfree):
    runs = len(printed["compare"]["sim_error_V2"])
    found = json.loads(clockfree("compare", folder, "--runs", runs, "--json"))
    assert said_again(found, printed["compare"])


@pytest.mark.parametrize("name", SIMULATED)
def test_it_is_run_again(name, folder, printed, tmp_path, capsys):
    again = tmp_path / "again"
    assert cli.status_of(["run", str(folder / "run.toml"), "--out", str(again)]) == 0
    # To the last digits: small networks have had a solver of their own since.
    assert said_again(states_of(again), samples_of(folder))
    assert firings_of(again) == firings_of(folder)
    assert bool(firings_of(again)) == (name == "retraining")

    table, told = capsys.readouterr()
    before = printed["show"]
    # Every state counts now, weighed by its time, where only samples did.
    means_V2, weights = np.array([
        (each["mean_error_V2"], each["stood_us"])
        for former, each in itertools.pairwise(samples_of(again))
        if former["updates"] + each["updates"] > 1.6 * before["updates_per_edge"]
        and each["lesson"] == samples_of(again)[-1]["lesson"]
    ]).T  # fmt: skip
    final_V2 = np.average(means_V2, weights=weights)
    assert f"{before['initial_error_V2']:.3g} V² at first, {final_V2:.3g} V² at last" in table
    assert ("second" in table) == (name == "retraining") and ("held-out" in table) == (name == "classification")
    if importlib.metadata.version("clockfree") != "0.2.0":
        assert "recorded with clockfree 0.2.0, now " in told


@pytest.mark.parametrize("name", ["boards"])
def test_a_run_on_boards_is_run_again_on_the_simulated_bench(name, folder, tmp_path, clockfree):
    found = json.loads(clockfree("run", folder / "run.toml", "--out", tmp_path / "again", "--json"))
    assert (found["bench"], found["seed"], found["updates_per_edge"]) == ("sim", 1, pytest.approx(58))
    assert samples_of(tmp_path / "again")[0]["taps"] == samples_of(folder)[0]["taps"]


@pytest.mark.parametrize("name", ["boards"])
def test_its_firings_are_examined(name, folder, printed, clockfree):
    assert said_again(json.loads(clockfree("independence", folder, "--json")), printed["independence"])
