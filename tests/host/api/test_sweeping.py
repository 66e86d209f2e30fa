"""Sweeps from Python: the same points as single runs, by names of axes and nodes."""

from concurrent.futures import ThreadPoolExecutor

import networkx as nx
import numpy as np
import pytest

import clockfree as cf
from clockfree_sim.sweep import workers

GRAPH = nx.grid_2d_graph(2, 3)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """This process does the work of a pool, which other tests start."""
    monkeypatch.setattr(workers, "pool", lambda jobs: ThreadPoolExecutor(1))


@pytest.fixture(scope="module")
def task():
    return cf.Task(
        network=GRAPH, sources=[(0, 0), (1, 2)], targets=[(0, 1)], source_V=[[0, 5]], desired_V=[[2]], updates=20
    )


def test_points_are_the_single_runs(task, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = []
    axes = {"edge.rate_hz": np.array([10.0, 20.0]), "seed": range(2)}
    data = cf.sweep({"task": task, "axes": axes, "set": {"clamp": {"eta": 1.0}}}, jobs=1, progress=said.append)
    assert dict(data.final_error.sizes) == {"edge.rate_hz": 2, "seed": 2} and data.attrs["ended"] == "done"
    for rate_hz in (10.0, 20.0):
        for seed in (0, 1):
            run = cf.run(task, seed=seed, edge={"rate_hz": rate_hz}, clamp={"eta": 1.0})
            point = data.sel({"edge.rate_hz": rate_hz, "seed": seed})
            assert float(point.final_error) == run.final_error_V2
            assert point.taps.values.tolist() == run.taps.values.tolist()
    assert list(data.edge.values) == list(GRAPH.edges)
    assert "4 of 4 points" in said and not list(tmp_path.iterdir())


def test_a_sweep_that_is_kept_goes_on_and_is_opened(task, tmp_path):
    said = {"task": task, "axes": {"seed": [0]}}
    first = cf.sweep(said, jobs=1, out=tmp_path / "kept")
    again = cf.sweep(said, jobs=1, out=tmp_path / "kept")
    np.testing.assert_array_equal(first.wall_time.values, again.wall_time.values)  # it was not run again
    opened = cf.open(tmp_path / "kept")
    np.testing.assert_array_equal(opened.final_error.values, first.final_error.values)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"axes": {"seed": [0]}}, "sweep: task: expected a task file"),
        ({"task": None}, "sweep: axes: expected at least one axis"),
        ({"task": None, "axes": {"seed": [0], "edge.rate": [1]}}, "sweep: seed = 0, edge.rate = 1: task: edge.rate"),
        ({"task": None, "axis": {}}, "sweep: axis: expected one of task, set, axes, variants"),
        ({"task": "nowhere.toml", "axes": {"seed": [0]}}, "nowhere.toml: file: expected a readable TOML file"),
        (7, "sweep: expected a sweep file, or a dict"),
    ],
)
def test_what_is_no_sweep_is_refused(task, said, line):
    if isinstance(said, dict) and "task" in said and said["task"] is None:
        said = said | {"task": task}
    with pytest.raises(cf.InputError) as error:
        cf.sweep(said)
    assert line in str(error.value)
