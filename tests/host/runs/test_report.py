import json
import os
import resource
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import imread

from clockfree.base.files import create
from clockfree.runs import figure, report, results, runlog
from clockfree.runs.runlog import RunLog
from clockfree_model.counters import COUNTERS
from clockfree_model.final import Best
from clockfree_model.job import Damage
from tests.host.conftest import ABOUT
from tests.host.logs import rewrite


def told(folder):
    record = runlog.read(folder)
    data = results.dataset(record)
    results.write(data, folder / "results.nc")
    return record, data


def drawn(folder):
    record, data = told(folder)
    figure.draw(data, folder / "figure.png", 127)
    return record, data


def text_of(table):
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


# -- netCDF --------------------------------------------------------------------------------------------------------


def test_plain_xarray_opens_the_results_with_units(recorded, made_up):
    make_job, make_samples = made_up
    job = make_job(lessons=2, damage=(Damage(3, "cut", 30.0), Damage(5, "dead", 70.0)))
    folder = recorded(job, accuracy=True)
    told(folder)
    samples = list(make_samples(job))
    with xr.open_dataset(folder / "results.nc") as data:
        assert all(variable.attrs.get("long_name") for variable in data.variables.values())
        assert {"time": "s", "updates": "1", "error": "V2", "outputs": "V", "desired": "V", "taps": "1"}.items() <= {
            name: data[name].attrs["units"] for name in data.variables if "units" in data[name].attrs
        }.items()
        assert set(data["error"].coords) >= {"time", "updates"}
        assert data.sizes == {
            "sample": 21, "edge": 16, "node": 9, "source": 2, "target": 1, "example": 3,
            "lesson": 2, "phase": 2, "damaged": 2, "end": 2,
        }  # fmt: skip
        np.testing.assert_array_equal(data["taps"], [sample.taps for sample in samples])
        np.testing.assert_array_equal(data["firings"][-1], samples[-1].counters["firings"])
        np.testing.assert_array_equal(data["rail"], 0)
        np.testing.assert_array_equal(data["outputs"][-1], samples[-1].outputs_V)
        assert np.isnan(data["outputs"][0, 2, 0]) and np.isnan(data["desired"][0, 2, 0])  # a shorter lesson is padded
        assert np.isnan(data["measured_error"][0]) and not np.isnan(data["measured_error"][2])
        assert list(data["edge"].values[:2]) == ["A-B", "A-E"]
        assert list(data["target"].values) == ["H"] and list(data["source"].values) == ["A", "D"]
        ends = data["edge_ends"].values
        assert [f"{a}-{b}" for a, b in data["node"].values[ends]] == list(data["edge"].values)
        np.testing.assert_array_equal(np.column_stack([data["x"], data["y"]]), job.network.positions)
        assert data["damaged_edge"].values.tolist() == [3, 5]
        assert data["damage_kind"].values.tolist() == ["cut", "dead"]
        assert data.attrs["seed"] == 7 and data.attrs["network"] == "lab16" and data.attrs["ended"] == "done"


@pytest.mark.parametrize(
    "job", [{}, {"lessons": 2, "damage": (Damage(3, "cut", 30.0), Damage(5, "dead", 70.0))}, {"spec": "square:1x4"}]
)
def test_the_file_is_what_xarray_itself_would_write(recorded, made_up, job):
    folder = recorded(made_up[0](**job), accuracy="lessons" in job)
    _, data = told(folder)
    given = {name: (each.dims, each.values, each.attrs) for name, each in data.variables.items()}
    packed = {name: {"zlib": True} for name in ("taps", *COUNTERS)}
    ours = xr.Dataset(given, attrs=data.attrs).set_coords(["time", "updates"])
    ours.to_netcdf(folder / "xarray.nc", engine="h5netcdf", encoding=packed)
    with xr.open_dataset(folder / "results.nc") as found, xr.open_dataset(folder / "xarray.nc") as expected:
        xr.testing.assert_identical(found, expected)
        for name, variable in expected.variables.items():
            assert found[name].dtype == variable.dtype
            for key in ("dtype", "_FillValue", "zlib", "complevel", "chunksizes", "coordinates"):
                np.testing.assert_equal(found[name].encoding.get(key), variable.encoding.get(key))


def test_results_are_rebuilt_from_the_log_alone(recorded):
    folder = recorded()
    _, before = drawn(folder)
    for path in folder.iterdir():
        if path.name != "log.jsonl":
            path.unlink()
    record, after = drawn(folder)
    for name, variable in before.variables.items():
        np.testing.assert_array_equal(variable.values, after[name].values)
    assert (folder / "figure.png").exists()
    assert results.summary(record, after)["wall_s"] is None
    assert not list(folder.glob("*.new"))


def test_a_disk_without_room_for_netcdf_is_said_and_leaves_the_old(recorded):
    folder = recorded()
    _, data = told(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in (0, 1, 5000, len(before["results.nc"]) - 1):  # of a file that HDF5 itself writes this was a SIGSEGV
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                results.write(data, folder / "results.nc")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_is_cut_short_leaves_the_old_and_nothing_else(recorded, monkeypatch):
    folder = recorded()
    record, data = drawn(folder)
    there = {path: path.read_bytes() for path in folder.iterdir()}

    def stopped(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        results.write(data, folder / "results.nc")
    with pytest.raises(KeyboardInterrupt):
        figure.draw(data, folder / "figure.png", 127)
    assert {path: path.read_bytes() for path in folder.iterdir()} == there


# -- what it comes to ----------------------------------------------------------------------------------------------


def test_summary_has_the_keys_that_were_promised(recorded):
    folder = recorded()
    found = results.summary(*told(folder))
    assert list(found) == [
        "run", "task", "network", "nodes", "edges", "bench", "rule", "preset", "seed", "task_seed", "firings", "steps",
        "updates_per_edge", "initial_error_V2", "final_error_V2", "best_error_V2", "predicted_error_V2", "n_r_tau",
        "wall_s", "virtual_s",
    ]  # fmt: skip
    assert found["firings"] == found["steps"] == 1600
    assert found["updates_per_edge"] == 100
    assert found["initial_error_V2"] == 2.0
    late = [1.5 * 2.0 * 10 ** (-u / 50) for u in (85, 90, 95, 100)]
    assert found["final_error_V2"] == pytest.approx(np.average(late, weights=[517, 518, 519, 520]), rel=1e-12)
    assert found["best_error_V2"] == 1e-6
    assert found["virtual_s"] == 10.0
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_final_error_is_that_of_the_last_lesson_alone(recorded, made_up):
    first, second = made_up[0](lessons=2).lessons
    folder = recorded(replace(made_up[0](), lessons=(first, replace(second, from_updates=90.0))))
    late = [1.5 * 2.0 * 10 ** (-(u - 90) / 50) for u in (90, 95, 100)]  # 85 is in (80, 100], and of another lesson
    final_V2 = results.summary(*told(folder))["final_error_V2"]
    assert final_V2 == pytest.approx(np.average(late, weights=[518, 519, 520]), rel=1e-12)


def test_a_record_of_before_keeps_its_mean_of_samples_and_says_so(recorded):
    folder = recorded()
    log = folder / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines[0]["format"] = 2
    kept = [{key: what for key, what in line.items() if key not in ("mean_error_V2", "stood_us")} for line in lines]
    rewrite(folder, kept)
    record, data = told(folder)
    found = results.summary(record, data)
    late = [2.0 * 10 ** (-u / 50) for u in (85, 90, 95, 100)]
    assert found["final_error_V2"] == pytest.approx(np.mean(late), rel=1e-12)
    assert found["sampling_error_V2"] is None and "mean_error" not in data.variables
    said = text_of(report.table(found, data))
    assert "mean of samples, too few of them for its standard error; recorded before every state counted" in said


def test_summary_of_a_classification_is_beside_its_baselines(recorded):
    record, data = told(recorded(accuracy=True))
    found = results.summary(record, data)
    late = [sample["accuracy"] for sample in record.samples[-4:]]  # 85, 90, 95 and 100 of 100 updates
    assert found["accuracy"] == pytest.approx(np.mean([shares["test"] for shares in late]))
    assert found["training_accuracy"] == pytest.approx(np.mean([shares["training"] for shares in late]))
    assert found["majority_accuracy"] == 0.25 and found["logistic_accuracy"] == 0.75
    assert "0.861 on held-out examples" in text_of(report.table(found, data))


def test_a_classification_after_another_lesson(recorded):
    folder = recorded(accuracy=True)
    log = folder / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines[1:8]:
        del line["accuracy"]
    rewrite(folder, lines)
    record, data = drawn(folder)
    assert np.isnan(data["test_accuracy"].values).tolist() == [True] * 7 + [False] * 14
    assert results.summary(record, data)["accuracy"] == pytest.approx(0.861, abs=5e-4)


def test_the_best_error_is_that_of_the_present_phase(recorded, made_up):
    job = made_up[0](lessons=2)
    _, data = told(recorded(job))
    assert [results.best_at(data, updates) for updates in (0, 49.9, 50, 100)] == [1e-6, 1e-6, 2e-6, 2e-6]
    assert report.lesson_errors(data) == [
        ("part0", pytest.approx(np.average(3.0 * 10 ** (-np.array([40, 45]) / 50), weights=[508, 509])), 1e-6),
        ("part1", pytest.approx(np.average(3.0 * 10 ** (-np.array([45, 50]) / 50), weights=[519, 520])), 2e-6),
    ]


def test_what_a_person_should_look_into_stands_among_the_warnings(tmp_path, made_up):
    """A supervisor that is too slow is told once, in the middle of the run: "behind", as the log of a run has it."""
    make_job, make_samples = made_up
    create(tmp_path / "run")
    boards = {"run_id": 1, "supervisor": {"id": "s"}, "boards": [], "values": {}}
    about = {**ABOUT, **boards, "best": [Best(0, 0.0, 1e-6)], "baselines": [None]}
    log = RunLog(tmp_path / "run", make_job(), about)
    *before, last = make_samples(make_job())
    for sample in before:
        log.sample(sample)
    told = [
        {"event": name, "text": name} for name in ("behind", "silent", "readback", "gap", "back", "of another version")
    ]
    log.sample(replace(last, events=told))
    log.end("done")
    record = runlog.read(tmp_path / "run")
    assert results.summary(record, results.dataset(record))["warnings"] == ["behind", "silent", "readback"]


def test_what_was_seen_is_said_of_the_last_lesson_in_volts(recorded, made_up):
    record, data = told(recorded(made_up[0](lessons=2)))
    data["error"].values[np.flatnonzero(data["present_lesson"].values)[0]] = 9.0
    found = results.summary(record, data)
    end_V = found["final_error_V2"] ** 0.5
    assert report.seen(found, data) == (
        "lesson part1: 16 edges, each fired by a clock of its own and by nothing else, brought output H from 3 V "
        f"off what was wanted to {end_V * 1e3:.3g} mV off in 50 firings each"
    )
    assert "brought output H from 3 V off" in text_of(report.table(found, data))


def test_what_was_seen_claims_neither_learning_nor_a_clock_nor_a_reading_that_was_not(recorded):
    record, data = told(recorded())
    found = results.summary(record, data) | {"final_error_V2": 2.25, "rule": "sync"}
    assert report.seen(found, data) == (
        "16 edges, all fired by one common trigger, did not learn, and took output H from 1.41 V off what was wanted "
        "to 1.5 V off in 100 firings each"
    )
    assert "to 1.5 V off, as the supervisor reads it, in" in report.seen(found | {"boards": 17}, data)
    step_V = record.job.physics.supply_V / 4096
    for final_V2, said in (
        (0.0, "to within 1.22 mV of it, a step of the supervisor's ADC, in"),
        (step_V**2, "1.22 mV off, as"),
    ):
        assert said in report.seen(found | {"final_error_V2": final_V2, "boards": 17}, data)
    assert report.seen(found | {"final_error_V2": None}, data) == ""
    data["error"].values[:2] = np.nan, 4.0  # a supervisor may have read nothing yet when a lesson begins
    assert "from 2 V off" in report.seen(found, data) and "in 100 firings each" in report.seen(found, data)
    data["error"].values[:] = np.nan
    assert report.seen(found, data) == ""


@pytest.mark.parametrize("rule", ["clockfree", "sync", "p=0.5", "oscillators=0.5"])
def test_who_fires_an_edge_is_said_of_every_rule(recorded, rule):
    record, data = told(recorded())
    clocked = "trigger" in report.seen(results.summary(record, data) | {"rule": rule}, data)
    assert clocked == (rule != "clockfree")


# -- the figure ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "more"),
    [
        ({}, {}),
        ({}, {"count": 1}),
        ({"lessons": 2, "damage": (Damage(3, "dead", 30.0), Damage(5, "cut", 500.0))}, {"accuracy": True}),
        ({"spec": "square:1x4"}, {}),
        ({"spec": "square:3x3:periodic"}, {}),
    ],
)
def test_a_figure_of_anything(recorded, made_up, job, more):
    folder = recorded(made_up[0](**job), **more)
    drawn(folder)
    pixels = imread(folder / "figure.png")
    assert pixels.shape[1] >= 2000  # enough for print
    assert pixels[..., :3].std() > 0.05


def test_a_wrapping_edge_is_two_stubs_at_its_own_nodes():
    place = np.array([[0.0, 0], [1, 0], [2, 0], [3, 0]])
    ends = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    lines, owner = figure._lines(place, ends, np.arange(4), periodic=True)
    assert owner.tolist() == [0, 1, 2, 3, 3]
    np.testing.assert_allclose(lines[3], [[3, 0], [3.5, 0]])
    np.testing.assert_allclose(lines[4], [[0, 0], [-0.5, 0]])
    lines, owner = figure._lines(place, ends, np.arange(4), periodic=False)
    assert owner.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(lines[3], [[3, 0], [0, 0]])


def test_only_what_has_failed_by_now_is_drawn_as_failed(recorded, made_up):
    job = made_up[0](damage=(Damage(3, "dead", 30.0), Damage(5, "cut", 60.0), Damage(7, "cut", 500.0)))
    _, data = told(recorded(job))
    assert np.flatnonzero(figure._damaged(data, 100.0, None)).tolist() == [3, 5]
    assert np.flatnonzero(figure._damaged(data, 100.0, {"cut"})).tolist() == [5]
    assert np.flatnonzero(figure._damaged(data, 10.0, None)).tolist() == []


@pytest.mark.parametrize(("highest", "ticks"), [(127, [0, 32, 64, 96, 127]), (99, [0, 25, 50, 75, 99])])
def test_colours_end_where_the_potentiometers_do(recorded, made_up, highest, ticks):
    _, data = told(recorded(made_up[0]()))
    panel = Figure()
    figure._network(panel, data, highest)
    network, bar = panel.axes
    assert {drawn.norm.vmax for drawn in network.collections if isinstance(drawn, LineCollection)} == {highest}
    assert bar.get_yticks().tolist() == ticks
