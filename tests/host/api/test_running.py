"""Runs from Python, against a solve by hand, single runs, and the command line."""

import json
import os
import signal
import threading
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import xarray as xr

import clockfree as cf
from clockfree.commands import app
from clockfree.runs import figure
from tests.host.logs import rewrite

# What some of these tasks ask for, no resistances give.
pytestmark = pytest.mark.filterwarnings("ignore:.*its error cannot come near 0")

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures/runs-0.2"
GRID = nx.grid_2d_graph(3, 3)
TASK = {
    "network": GRID, "sources": [(0, 0), (2, 2)], "targets": [(1, 2), (2, 0)], "updates": 50,
    "source_V": [[0, 5], [4, 1]], "desired_V": [[2, 3], [2.5, 2]],
}  # fmt: skip


@pytest.fixture(scope="module")
def task():
    return cf.Task(**TASK)


@pytest.fixture(scope="module")
def run(task):
    return cf.run(task, seed=3)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def solved(run, source_V):
    """Outputs by Kirchhoff's laws: the Laplacian of networkx, with the conductances of the taps."""
    graph = nx.Graph()
    graph.add_nodes_from(GRID)
    for edge, ohm in zip(run.resistance_ohm.edge.values, run.resistance_ohm.values):
        graph.add_edge(*edge, weight=1 / ohm)
    nodes = list(graph)
    laplacian = nx.laplacian_matrix(graph).toarray()
    held = [nodes.index(node) for node in TASK["sources"]]
    free = [i for i in range(len(nodes)) if i not in held]
    voltage = np.zeros((len(source_V), len(nodes)))
    voltage[:, held] = np.minimum(np.rint(np.array(source_V) / 5 * 4096), 4095) * 5 / 4096  # a DAC of 12 bits
    voltage[:, free] = -np.linalg.solve(
        laplacian[np.ix_(free, free)], laplacian[np.ix_(free, held)] @ voltage[:, held].T
    ).T
    return voltage[:, [nodes.index(node) for node in TASK["targets"]]]


def test_outputs_are_those_of_kirchhoffs_laws(run):
    asked = [[0, 5], [5, 0], [1.234, 3.21], [5, 5]]
    outputs = run.outputs(np.array(asked))
    assert outputs.values == pytest.approx(solved(run, asked), abs=1e-9)
    assert outputs.dims == ("example", "target") and outputs.attrs["units"] == "V"
    assert list(outputs.target.values) == TASK["targets"]
    taught = run.outputs(TASK["source_V"])
    assert taught.values == pytest.approx(run.data.outputs[-1].values, abs=1e-9)
    last = run.data.where(run.data.updates > 0.8 * 50 + 1e-6, drop=True)
    assert run.final_error_V2 == pytest.approx(float(last.mean_error.weighted(last.mean_time).mean()), rel=1e-9)
    off = taught.values - run.data.desired[0].values
    assert float((off**2).mean()) == pytest.approx(float(run.data.error[-1]), rel=1e-6)


def test_no_updates_measure_the_network_as_it_is(task, run):
    there = cf.run(task, updates=0, start_taps=run.taps.values.tolist())
    off = solved(run, TASK["source_V"]) - there.data.desired[0].values
    assert there.final_error_V2 == pytest.approx(np.mean(off**2), rel=1e-9)
    assert there.summary["firings"] == 0 and (there.taps == run.taps).all()
    assert "predicted_error_V2" not in there.data.attrs  # a law of where learning ends


def test_outputs_are_asked_in_the_tasks_own_volts_below_0_V_too(task):
    shifted = cf.run(task.replace(source_V=[[-1, 3.5], [3, 0]], desired_V=[[1, 2], [1.5, 1]]), seed=3)
    asked = [[-1, 3.5], [3, 0], [0.2, -0.7]]
    outputs = shifted.outputs(asked)
    lifted = np.array(asked) + 1
    assert outputs.values == pytest.approx(solved(shifted, lifted) - 1, abs=2e-3)  # two roundings by the DAC
    assert outputs.values[:2] == pytest.approx(shifted.data.outputs[-1].values, abs=1e-9)
    with pytest.raises(cf.InputError, match=r"got -1.1"):
        shifted.outputs([[-1.1, 0]])


def test_outputs_know_what_was_cut(task):
    cut = cf.run(task.replace(damage=[{"edges": [((0, 0), (1, 0))], "kind": "cut", "at_updates": 5}]), seed=3)
    assert np.isinf(cut.resistance_ohm.sel(edge=((0, 0), (1, 0))))
    assert cut.outputs([[0, 5]]).values == pytest.approx(solved(cut, [[0, 5]]), abs=1e-6)


def test_edges_and_nodes_are_those_of_the_graph(run):
    assert list(run.taps.edge.values) == list(GRID.edges)
    assert (
        run.taps.sel(edge=((0, 0), (0, 1))).item()
        == run.record.samples[-1]["taps"][list(GRID.edges).index(((0, 0), (0, 1)))]
    )
    assert list(run.data.node.values) == list(GRID)
    assert run.resistance_ohm.attrs["units"] == "ohm"
    assert run.resistance_ohm.values == pytest.approx((run.taps.values + 1) * 100e3 / 128)
    attributes = dict(zip(run.taps.edge.values, run.taps.values))
    nx.set_edge_attributes(GRID.copy(), attributes, "tap")  # takes them as they are
    text = repr(run)
    assert "\n" not in text and "done after 50 updates" in text and run._repr_html_() == f"<code>{text}</code>"


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ([0, 5], "got shape (2,): write [[...]] for one example"),
        ([[0, 5, 1]], "expected rows of 2 voltages, one for each source, got shape (1, 3)"),
        ([[0, 6]], "expected voltages between the rails, 0..5 V for this task, got 6"),
        ([[0, np.nan]], "got nan"),
        ("high", "expected an array of voltages"),
    ],
)
def test_outputs_for_what_is_no_voltage_are_refused(run, asked, line):
    with pytest.raises(cf.InputError) as error:
        run.outputs(asked)
    assert line in str(error.value)


def test_a_run_that_goes_on_is_the_longer_run_to_the_last_bit(task, run):
    more = run.learn(50)
    whole = cf.run(task, seed=3, updates=100)
    xr.testing.assert_identical(more.data, whole.data)
    at = int(np.flatnonzero(np.isclose(more.data.updates, 50))[0])
    assert more.data.taps[at].values.tolist() == run.taps.values.tolist()
    assert float(more.data.error[at]) == float(run.data.error[-1])
    assert float(more.data.time[at]) == float(run.data.time[-1])
    assert more.learn(1).data.updates[-1] == pytest.approx(101)
    with pytest.raises(cf.InputError, match="expected a number of updates per edge >= 1, got 0"):
        run.learn(0)


def test_seeds_are_the_single_runs_to_the_last_bit(task, run):
    many = cf.run(task, seeds=range(2, 5))
    assert many.seed.values.tolist() == [2, 3, 4] and dict(many.final_error.sizes) == {"seed": 3}
    for seed in (2, 3, 4):
        one = run if seed == 3 else cf.run(task, seed=seed)
        row = many.sel(seed=seed)
        for name in ("error", "mean_error", "mean_time", "measured_error", "time"):
            np.testing.assert_array_equal(row[name].values, one.data[name].values)
        for name in ("taps", "outputs", "firings", "up", "down", "rail"):
            np.testing.assert_array_equal(row[name].values, one.data[name][-1].values)
        assert float(row.final_error) == one.final_error_V2
    assert float(many.geometric_mean) == pytest.approx(float(many.final_error.prod()) ** (1 / 3), rel=1e-12)
    logs = np.log(many.final_error.values)
    half = 4.302652729911275 * logs.std(ddof=1) / np.sqrt(3)  # Student's t, 0.975, two degrees of freedom
    assert np.log(many.interval.sel(bound="high")) == pytest.approx(logs.mean() + half, rel=1e-9)
    assert list(many.target.values) == TASK["targets"]
    assert np.isnan(cf.run(task, seeds=[5]).interval).all()


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ({"seeds": 8}, "write seeds=range(8)"),
        ({"seeds": [1, 1]}, "expected every seed once, got 1 twice"),
        ({"seeds": [-1]}, "expected integers >= 0, got -1"),
        ({"seeds": []}, "expected at least one seed"),
        ({"seeds": [1], "bench": "virtual"}, "expected --bench sim, got virtual"),
        ({"seeds": [1], "seed": 2}, "expected no seed beside them"),
        ({"seeds": [1], "trace": True}, "expected no trace beside them"),
        ({"out": 7}, "out: expected a folder"),
        ({"bench": "nowhere.toml"}, "nowhere.toml: file: expected a readable TOML file"),
        ({"rule": "p=2"}, "rule: expected clockfree, sync"),
        ({"edges": {"rate_hz": 1}}, "task: edges: expected one of name"),
    ],
)
def test_what_cannot_be_run_is_refused(task, how, line):
    with pytest.raises(cf.InputError) as error:
        cf.run(task, **how)
    assert line in str(error.value)


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures of records are not drawn: other tests do."""
    monkeypatch.setattr(figure, "draw", lambda data, path, highest: path.write_text("drawn"))


def test_a_run_leaves_nothing_behind_unless_it_is_kept(task, run, here, undrawn):
    assert run.folder is None and run.summary["run"] is None
    cf.run(task)
    assert not list(here.iterdir())
    kept = cf.run(task, seed=3, out=True)
    assert kept.folder.parent == Path("runs") and (kept.folder / "figure.png").stat().st_size
    xr.testing.assert_identical(kept.data, run.data)
    opened = cf.open(kept.folder.name)
    assert opened.final_error_V2 == run.final_error_V2 and opened.summary == kept.summary
    assert opened.taps.sel(edge="(0, 0)-(0, 1)") == run.taps.sel(edge=((0, 0), (0, 1)))
    with xr.open_dataset(kept.folder / "results.nc") as written:
        xr.testing.assert_equal(opened.data, written.load())
    # What is recorded of a network from Python is all that it takes.
    assert app.status_of(["run", str(kept.folder / "run.toml"), "--out", "again"]) == 0
    assert (here / "again/log.jsonl").read_bytes() == (kept.folder / "log.jsonl").read_bytes()
    more = opened.learn(50)
    assert more.final_error_V2 == run.learn(50).final_error_V2
    lines = [json.loads(line) for line in (kept.folder / "log.jsonl").read_text().splitlines()]
    lines[5]["error_V2"] *= 1 + 1e-15
    rewrite(kept.folder, lines)
    with pytest.raises(cf.InputError, match="expected a record that this version of clockfree repeats"):
        cf.open(kept.folder).learn(1)


def test_seeds_are_kept_and_opened(task, here, capsys):
    many = cf.run(task, seeds=range(3), out="kept")
    opened = cf.open("kept")
    assert many.attrs["folder"] == "kept" and opened.sizes == many.sizes
    np.testing.assert_array_equal(opened.final_error.values, many.final_error.values)
    path = task.save("task.toml")
    assert app.status_of(["run", str(path), "--seeds", "3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["final_error_V2"] == many.final_error.values.tolist() and said["seeds"] == [0, 1, 2]
    assert said["interval_V2"] == many.interval.values.tolist()
    assert app.status_of(["run", str(path), "--seeds", "1..2", "--out", "two"]) == 0
    assert "geometric mean" in capsys.readouterr().out
    assert cf.open("two").seed.values.tolist() == [1, 2]
    assert app.status_of(["run", str(path), "--seeds", "2..1"]) == 2
    assert "--seeds: expected how many (8 is 0..7)" in capsys.readouterr().err
    assert app.status_of(["run", str(path), "--seeds", "2", "--seed", "1"]) == 2
    assert "--seeds: expected no --seed beside them, got 1" in capsys.readouterr().err


def test_every_firing_is_there_if_it_is_asked_for(task, run):
    traced = cf.run(task, seed=3, trace=True)
    assert traced.firings.sizes["firing"] == 50 * 12
    assert traced.firings.tap_after.values[traced.firings.edge.values == 4][-1] == traced.taps.values[4]
    with pytest.raises(cf.InputError, match="expected a run with every firing recorded"):
        run.firings  # noqa: B018


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()))
def test_runs_of_earlier_versions_are_opened(name):
    run = cf.open(FIXTURES / name)
    assert run.final_error_V2 == run.summary["final_error_V2"]
    assert run.data.sizes["sample"] == len(run.record.samples) and "\n" not in repr(run)
    assert run.task.name == run.summary["task"] and repr(run.task)
    if name == "boards":
        for asked in (lambda: run.outputs([[0, 5]]), lambda: run.learn(5)):
            with pytest.raises(cf.InputError, match="expected a simulated run, got one on boards"):
                asked()


def test_what_is_no_record_is_refused(here):
    (here / "empty").mkdir()
    for name, line in (("nothing", "got none of that name"), ("empty", "without log.jsonl or results.nc")):
        with pytest.raises(cf.InputError, match=line):
            cf.open(name)


class Stops:
    """An observer that presses Ctrl-C at the third sample."""

    def __init__(self):
        self.samples = 0

    def say(self, text):
        pass

    def share(self, doing, done):
        pass

    def sample(self, job, sample, wall_s):
        self.samples += 1
        if self.samples == 3:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_ends_a_run_with_what_was_learnt_by_then(task, run):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt) as stopped:
        cf.run(task, seed=3, progress=Stops())
    part = stopped.value.run
    assert isinstance(stopped.value, cf.Interrupted) and part.ended == "interrupted"
    samples = part.data.sizes["sample"]
    assert 3 <= samples <= 4
    np.testing.assert_array_equal(part.data.error.values, run.data.error.values[:samples])
    assert signal.getsignal(signal.SIGINT) is before


def test_threads_run_at_the_same_time_and_come_to_the_same(task, run):
    found = {}

    def learn(seed):
        try:
            found[seed] = cf.run(task, seed=seed).data
        except BaseException as error:
            found[seed] = error

    threads = [threading.Thread(target=learn, args=(seed,)) for seed in (3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    xr.testing.assert_identical(found[3], run.data)
    xr.testing.assert_identical(found[4], cf.run(task, seed=4).data)


def test_lines_go_to_whoever_asks_for_them(task, capsys):
    lines = []
    cf.run(task, progress=lines.append)
    assert any("updates per edge, error" in line for line in lines)
    assert capsys.readouterr() == ("", "")
    cf.run(task, progress=True)
    assert capsys.readouterr().err.splitlines() == lines


def test_the_figure_is_a_file_or_one_of_pyplots(run, tmp_path):
    import matplotlib.pyplot as plt

    run.plot(tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert not plt.get_fignums()
    figure = run.plot()
    assert plt.gcf() is figure
    plt.close(figure)
    with pytest.raises(cf.InputError, match="expected a name that ends in"):
        run.plot(tmp_path / "figure.xyz")
