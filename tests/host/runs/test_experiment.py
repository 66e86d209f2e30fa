import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from clockfree.base.errors import InputError
from clockfree.bench.registry import open_bench
from clockfree.bench.simulated import SimBench
from clockfree.runs import experiment, figure, forecast, readout, resuming, runlog
from clockfree.task.plan import make_plan
from clockfree_model.final import Best
from clockfree_model.job import Damage
from clockfree_model.parts import POTS
from clockfree_sim.circuit.twins import free_outputs
from clockfree_sim.theory import best
from tests.host.logs import rewrite

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.toml"))
TASK = """
updates = 20
[placement]
sources = ["A", "C"]
targets = ["G"]
[[lesson]]
teacher = true
"""


class Quiet:
    def __init__(self):
        self.lines = []
        self.samples = 0

    def say(self, text):
        self.lines.append(text)

    def share(self, doing, done):
        self.lines.append(doing)

    def sample(self, job, sample, wall_s):
        self.samples += 1


@pytest.fixture(autouse=True)
def quick(request, monkeypatch):
    """Most tests here do without the two slow parts of a run, which the first of them and other files test."""
    if "whole" not in request.function.__name__:
        found = [Best(0, 0.0, 1e-9)]
        monkeypatch.setattr(best, "best_errors", lambda job: found)
        monkeypatch.setattr(figure, "draw", lambda data, path, highest: path.touch())


@pytest.fixture
def task(tmp_path):
    path = tmp_path / "task.toml"
    path.write_text(TASK)
    return path


def ran(file, out, progress=None, bench=None, sets=(), trace=False, **options):
    plan = make_plan(Path(file), options, sets, trace)
    return experiment.run(plan, Path(file), "sim", bench or open_bench("sim", "clockfree"), out, progress or Quiet())


def log_of(folder):
    return (folder / "log.jsonl").read_bytes()


def test_a_run_leaves_a_whole_folder(task, tmp_path):
    out = tmp_path / "out"
    outcome = ran(task, out)
    assert outcome.make_files() == []
    assert sorted(path.name for path in out.iterdir()) == [
        "checkpoint.json", "figure.png", "log.jsonl", "results.nc", "run.toml",
    ]  # fmt: skip
    found = outcome.summary
    assert not outcome.interrupted
    assert found["firings"] == 20 * 16 and found["updates_per_edge"] == 20
    assert found["final_error_V2"] < found["initial_error_V2"]
    assert found["best_error_V2"] < 1e-10
    last = runlog.read(out).samples[-1]
    assert json.loads((out / "checkpoint.json").read_text())["taps"] == last["taps"].tolist()


def test_the_same_seeds_give_the_same_bytes_and_others_do_not(task, tmp_path):
    ran(task, tmp_path / "first", seed="1")
    ran(task, tmp_path / "second", seed="1")
    ran(task, tmp_path / "third", seed="2")
    ran(task, tmp_path / "fourth", seed="1", task_seed="2")
    logs = [log_of(tmp_path / name) for name in ("first", "second", "third", "fourth")]
    assert logs[0] == logs[1]
    assert len({log.split(b"\n", 1)[1] for log in logs}) == 3  # what happened differs, not only what is said of it


def test_a_record_runs_again_without_its_task_file(task, tmp_path):
    first = tmp_path / "first"
    sets = ["edge.rate_hz=25", "edge.decades=1.5", "clamp.order='random'", "edge.late_us=1000"]
    ran(task, first, seed="5", task_seed="6", preset="board", sets=sets)
    task.unlink()
    ran(first / "run.toml", tmp_path / "second")
    assert log_of(tmp_path / "second") == log_of(first)
    with pytest.raises(InputError, match=r"run.toml: edge.decades: expected 0 with rule sync, .*, got 1.5"):
        ran(first / "run.toml", tmp_path / "refused", rule="sync")
    outcome = ran(first / "run.toml", tmp_path / "third", seed="8", updates="10")
    assert outcome.summary["seed"] == 8 and outcome.summary["task_seed"] == 6
    assert outcome.summary["updates_per_edge"] == 10


@pytest.mark.parametrize(
    ("options", "sets", "said"),
    [
        ({"network": "lab16"}, [], "--network: expected only --updates, --seed, --rule"),
        ({"task_seed": "3"}, [], "--task-seed: expected only"),
        ({}, ["edge.f_V=1"], "--set: expected only"),
        ({"seed": "x"}, [], r"seed \(from --seed\): expected an integer, got 'x'"),
        ({"seed": "-1"}, [], r"seed \(from --seed\): expected a number"),
        ({"updates": "-1"}, [], r"updates \(from --updates\): expected a number >= 0"),
        ({"rule": "p=2"}, [], r"rule \(from --rule\): expected clockfree"),
    ],
)
def test_a_record_takes_only_what_it_can_be_run_again_with(task, tmp_path, options, sets, said):
    ran(task, tmp_path / "first", updates="2")
    with pytest.raises(InputError, match=said):
        make_plan(tmp_path / "first" / "run.toml", options, sets, False)


def test_a_record_that_was_edited_is_refused(task, tmp_path):
    ran(task, tmp_path / "first", updates="2")
    path = tmp_path / "first" / "run.toml"
    text = path.read_text()
    for old, new, said in [
        ("eta = 0.5", "eta = 5.0", "sha256: expected a record as it was written"),
        ("rate_hz = 10.0\n", "", "sha256: expected a record as it was written"),
        ("format = 2", "format = 7", "record.format: expected 1 or 2"),
        ("\ntask = ", "\ntalk = ", "record.task: expected text, got None"),
        ("\ntask_seed = 0", "\ntask_seed = true", "record.task_seed: expected an integer, got true"),
        ("[versions]", "[sorts]", "versions: expected a table, got None"),
    ]:
        path.write_text(text.replace(old, new))
        assert path.read_text() != text
        with pytest.raises(InputError, match=said):
            make_plan(path, {}, [], False)


def test_a_record_of_other_versions_says_so(task, tmp_path):
    ran(task, tmp_path / "first", updates="2")
    path = tmp_path / "first" / "run.toml"
    before, after = path.read_text().split("\nnumpy = ", 1)
    path.write_text(before + '\nnumpy = "0.1"\n' + after.split("\n", 1)[1])
    progress = Quiet()
    ran(path, tmp_path / "second", progress)
    assert any("recorded with numpy 0.1, now " in line for line in progress.lines)


def test_a_record_keeps_the_held_out_examples(tmp_path):
    first = ran(EXAMPLES[0].with_name("iris.toml"), tmp_path / "first", updates="2")
    second = ran(tmp_path / "first" / "run.toml", tmp_path / "second")
    assert log_of(tmp_path / "second") == log_of(tmp_path / "first")
    names = ("accuracy", "training_accuracy", "majority_accuracy", "logistic_accuracy")
    assert [second.summary[name] for name in names] == [first.summary[name] for name in names]
    assert first.summary["majority_accuracy"] == pytest.approx(1 / 3)
    # What the log says of the answers, by hand: the class that is nearest to the outputs.
    record = runlog.read(tmp_path / "first")
    outputs_V, desired_V = record.samples[-1]["outputs_V"], record.job.lessons[0].desired_V
    classes = np.unique(desired_V, axis=0)
    nearest = classes[((outputs_V[:, None] - classes[None]) ** 2).sum(axis=-1).argmin(axis=1)]
    assert record.samples[-1]["accuracy"]["training"] == pytest.approx((nearest == desired_V).all(axis=1).mean())
    job, (exam,) = record.job, make_plan(tmp_path / "first" / "run.toml", {}, [], False).held_out
    ohm = job.physics.resistance(record.samples[-1]["taps"], POTS[job.edge.pot])
    outputs_V = free_outputs(job.network, ohm, job.sources, job.targets, exam.source_V)
    nearest = ((outputs_V[:, None] - exam.class_V[None]) ** 2).sum(axis=-1).argmin(axis=1)
    assert record.samples[-1]["accuracy"]["test"] == pytest.approx((nearest == exam.labels).mean())


def test_nothing_is_written_over_and_nothing_half(task, tmp_path, monkeypatch):
    monkeypatch.setattr(best, "best_errors", None)  # refused before the long search
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(InputError, match="--out: expected a folder that does not exist"):
        ran(task, out)
    assert not list(out.iterdir())
    with pytest.raises(InputError):
        ran(task, tmp_path / "other", preset="magic")
    assert not (tmp_path / "other").exists()


def test_folders_of_their_own_in_runs(task, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = {ran(task, None, updates="1").summary["run"] for _ in range(3)}
    assert len(folders) == 3
    assert all(Path(folder).parent == Path("runs") and Path(folder).name.startswith("task-") for folder in folders)


class Interrupting(Quiet):
    """Presses Ctrl-C when the fifth sample is shown."""

    def sample(self, job, sample, wall_s):
        super().sample(job, sample, wall_s)
        if self.samples == 5:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_keeps_what_was_measured(task, tmp_path, capfd):
    out = tmp_path / "out"
    before = signal.getsignal(signal.SIGINT)
    outcome = ran(task, out, Interrupting())
    assert signal.getsignal(signal.SIGINT) is before
    assert outcome.interrupted
    assert "Ctrl-C once more" in capfd.readouterr().err
    record = runlog.read(out)
    assert record.end["reason"] == "interrupted"
    assert 5 <= len(record.samples) <= 6
    assert outcome.data.attrs["ended"] == "interrupted"
    assert outcome.make_files() == [] and (out / "results.nc").exists() and (out / "figure.png").exists()
    ran(out / "run.toml", tmp_path / "whole")
    whole = log_of(tmp_path / "whole").splitlines()
    assert log_of(out).splitlines()[:-1] == whole[: len(record.samples) + 1]  # the beginning of the very same run
    resumed = resuming.resume(out, Quiet())
    assert resumed.record.end["reason"] == "done" and len(resumed.record.samples) == len(whole) - 2
    assert (resumed.record.samples[-1]["taps"] == runlog.read(tmp_path / "whole").samples[-1]["taps"]).all()


class Stuck:
    """A bench that hangs after its third sample, until Ctrl-C is pressed twice."""

    def __init__(self):
        self.sim = open_bench("sim", "clockfree")
        for name in ("start", "outputs", "stop", "about", "files", "keep", "saved", "close", "failures"):
            setattr(self, name, getattr(self.sim, name))

    def run(self, pause):
        for count, sample in enumerate(self.sim.run(pause), start=1):
            yield sample
            if count == 3:
                for _ in range(2):
                    os.kill(os.getpid(), signal.SIGINT)
                raise AssertionError("went on")


def test_a_second_ctrl_c_breaks_off_at_once(task, tmp_path):
    outcome = ran(task, tmp_path / "out", bench=Stuck())
    assert outcome.interrupted
    assert len(runlog.read(tmp_path / "out").samples) == 3


class Failing(Stuck):
    def run(self, pause):
        for count, sample in enumerate(self.sim.run(pause), start=1):
            yield sample
            if count == 3:
                raise OSError("a board is gone")


def test_a_bench_that_fails_leaves_what_was_measured(task, tmp_path):
    with pytest.raises(OSError, match="a board is gone"):
        ran(task, tmp_path / "out", bench=Failing())
    record = runlog.read(tmp_path / "out")
    assert record.end["reason"] == "failed"
    assert len(record.samples) == 3


def test_every_firing_is_traced(task, tmp_path):
    outcome = ran(task, tmp_path / "out", trace=True)
    rows = runlog.read_firings(tmp_path / "out")
    assert len(rows) == outcome.summary["firings"]
    assert (np.bincount(rows[:, 0]) == outcome.data["firings"].values[-1]).all()
    assert (np.diff(rows[:, 1]) >= 0).all()
    for edge in range(16):
        assert rows[rows[:, 0] == edge][-1, 5] == outcome.data["taps"].values[-1, edge]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run_and_are_read_out(path, tmp_path):
    outcome = ran(path, tmp_path / "out", updates="20")
    record = runlog.read(tmp_path / "out")
    rows = readout.readings(record)
    job, last = record.job, record.samples[-1]
    lesson = job.lessons[last["lesson"]]
    assert len(rows) == len(lesson.source_V) * len(job.network.nodes)
    step_V = job.physics.supply_V / 4096  # the supervisor's DAC sets the sources only so finely
    for row in rows:
        node = job.network.index(row.node)
        if node in job.sources:
            shown = lesson.source_V[row.example, job.sources.index(node)]
            assert row.free_V == row.clamped_V == pytest.approx(shown, abs=step_V)
        if node in job.targets:
            target = job.targets.index(node)
            assert row.role == "target"
            assert row.desired_V == lesson.desired_V[row.example, target]
            assert row.free_V == pytest.approx(last["outputs_V"][row.example, target], abs=2 * step_V)
            off_V = lesson.desired_V[row.example] - last["outputs_V"][row.example]
            gain = job.clamp.eta
            if job.clamp.kind == "overclamp":  # the supervisor rounds what it makes so much of
                gain = min(job.clamp.gain, job.clamp.amplitude_V / abs(off_V).max())
                assert abs(off_V).max() > job.clamp.tolerance_V
            held_V = row.free_V + gain * off_V[target]
            assert row.clamped_V == pytest.approx(held_V, abs=(2 + gain) * step_V)
    assert ("accuracy" in outcome.summary) == (path.stem == "iris")


def test_a_cut_edge_stays_cut_when_voltages_are_worked_out_again(task, tmp_path):
    with task.open("a") as file:
        file.write('[[damage]]\nedges = ["E-G"]\nkind = "cut"\nat_updates = 5\n')
    ran(task, tmp_path / "out", sets=["physics.mismatch=0.01"])
    record = runlog.read(tmp_path / "out")
    assert record.job.damage == (Damage(record.job.network.edge("E-G"), "cut", 5.0),)
    target = next(row for row in readout.readings(record) if row.role == "target")
    assert target.free_V == pytest.approx(record.samples[-1]["outputs_V"][0, 0], abs=2 * 5.0 / 4096)


def test_an_edge_whose_board_was_away_at_the_end_is_read_out_as_not_measured(recorded):
    folder = recorded(count=2)
    first, *rest, end = [json.loads(line) for line in log_of(folder).splitlines()]
    edges = [[edge, 0.1, 0.2, "b"] for edge in range(1, 16)]
    event = {"record": "event", "event": "measured", "text": "", "example": 1, "outputs_V": [1.0], "nodes": []}
    board = {"id": "b", "edges": [*range(16)]}
    first |= {"values": {}, "run_id": 5, "supervisor": {"id": "s"}, "boards": [board]}
    lines = [first, *rest, event | {"drops": edges}, end]
    rewrite(folder, lines)
    found = readout.edges(runlog.read(folder))
    assert [row.example for row in found] == [1] * 16
    assert [row.free_drop_V for row in found] == [None, *[0.1] * 15]
    assert [row.clamped_drop_V for row in found] == [None, *[0.2] * 15]


def test_an_unknown_tap_is_not_guessed(recorded, made_up):
    folder = recorded(made_up[0]())
    lines = (folder / "log.jsonl").read_text().splitlines()
    last = json.loads(lines[-2])
    last["taps"][1] = -1
    lines[-2] = json.dumps(last)
    rewrite(folder, lines)
    with pytest.raises(InputError, match="taps: expected known taps, got an unknown one at A-E"):
        readout.readings(runlog.read(folder))


def test_a_run_that_is_broken_off_before_anything_was_measured(task, tmp_path, monkeypatch):
    class BrokenOff(SimBench):
        def run(self, pause):
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        ran(task, out, bench=BrokenOff())
    first, last = map(json.loads, log_of(out).splitlines())
    last.pop("crc")
    assert first["record"] == "run" and last == {"record": "end", "reason": "interrupted", "samples": 0}


class Hours:
    """A clock on which each look at it comes so many seconds after the one before."""

    def __init__(self, step_s):
        self.now_s, self.step_s = 1000.0, step_s

    def monotonic(self):
        self.now_s += self.step_s
        return self.now_s


@pytest.mark.parametrize(
    ("step_s", "said"),
    [
        (0.01, []),  # 320 samples, one a firing: all over in three seconds
        (0.02, ["about 6.4 s"]),
        (0.2, ["about 64 s"]),
        (15.0, ["about 80 min"]),
        (60.0, ["about 5.3 h"]),
        (2000.0, ["about 7.4 days"]),
    ],
)
def test_a_long_run_says_at_its_beginning_how_long_it_takes(step_s, said, task, tmp_path, monkeypatch):
    monkeypatch.setattr(forecast, "time", Hours(step_s))
    progress = Quiet()
    ran(task, tmp_path / "out", progress)
    assert progress.samples == 321
    assert [line for line in progress.lines if "wall time" in line] == [
        f"it will take {text} of wall time in all" for text in said
    ]


def test_a_forecast_is_told_once_and_before_half_is_over(monkeypatch):
    monkeypatch.setattr(forecast, "time", Hours(1.0))
    lines = [(share, told.line(share)) for told in [forecast.Forecast()] for share in np.linspace(0, 1, 101)]
    assert [(share, line) for share, line in lines if line] == [
        (0.01, "it will take about 1.7 min of wall time in all")
    ]
