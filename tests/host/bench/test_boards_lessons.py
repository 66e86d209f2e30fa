"""Several lessons, and classes, on virtual boards; the truth is a dense solve of the bridge at the taps read back."""

import numpy as np
import pytest

from clockfree.bench.virtual import VirtualBench
from clockfree.commands import app
from clockfree.commands.lines import Lines
from clockfree.runs import runlog
from clockfree.task.plan import make_plan
from tests.host.racks import BRIDGE, events
from tests.sim.jobs import resistance, solve

HEAD = f"""
network = "{BRIDGE}"
[placement]
sources = ["top", "bottom"]
targets = ["left"]
[clamp]
dwell_s = 0.05
[edge]
rate_hz = 50.0
late_us = 10000
"""
TWO_LESSONS = f"""
updates = 160
{HEAD}
[[lesson]]
name = "low"
source_V = [[3.0, 0.2]]
desired_V = [[0.9]]
[[lesson]]
name = "high"
from_updates = 80
source_V = [[3.0, 0.2], [2.0, 0.0]]
desired_V = [[2.4], [1.6]]
"""
CLASSES = f"""
updates = 100
{HEAD}
[[lesson]]
[lesson.classification]
data = "sizes.csv"
test_share = 0.5
input_V = [0.0, 3.0]
class_V = {{ small = [0.5], large = [2.3] }}
"""
ADC_V = 3 * 5.0 / 4096
"""How far a measured output may be off, V: what it is asked for and what it reads are rounded."""


@pytest.fixture(autouse=True)
def _micropython(micropython):
    pass


def outputs_V(job, taps, source_V):
    """Output of the free twin, V, for each example (B, O)."""
    found = [solve(job.network, resistance(taps), job.sources, row) for row in source_V]
    return np.array(found)[:, list(job.targets)]


def run(tmp_path, text):
    task = tmp_path / "task.toml"
    task.write_text(text)
    assert app.status_of(["run", str(task), "--bench", "virtual", "--trace", "--out", str(tmp_path / "run")]) == 0
    return runlog.read(tmp_path / "run")


@pytest.mark.parametrize("reset", [False, True])
def test_a_second_lesson_begins_where_the_first_one_ended(tmp_path, monkeypatch, reset):
    """Nothing is reset at its beginning; a supervisor that is reset afterwards goes on with it."""
    benches, sample = [], Lines.sample
    start = VirtualBench.start
    monkeypatch.setattr(VirtualBench, "start", lambda bench, *more: (benches.append(bench), start(bench, *more))[1])

    def sampled(lines, job, found, wall_s):
        sample(lines, job, found, wall_s)
        if benches and found.lesson == 1 and reset:
            bench = benches.pop()
            bench._rack.boards.reset(bench.bench.supervisor.id)

    monkeypatch.setattr(Lines, "sample", sampled)
    record = run(tmp_path, TWO_LESSONS)
    samples = record.samples
    lessons = [found["lesson"] for found in samples]
    assert lessons == sorted(lessons) and set(lessons) == {0, 1}
    (taught,) = events(record, "lesson")
    assert taught["lesson"] == 1 and "high is taught now" in taught["text"]
    assert len(events(record, "restart")) == reset

    last = {found["lesson"]: found for found in samples}
    assert last[0]["updates"] >= 60
    for lesson, found in last.items():
        expected_V = outputs_V(record.job, found["taps"], record.job.lessons[lesson].source_V)
        if found is samples[-1]:  # measured in HOLD; before that a reading is as old as a round of examples
            assert found["outputs_V"] == pytest.approx(expected_V, abs=ADC_V)
        desired_V = record.job.lessons[lesson].desired_V
        # How far it comes in the time depends on how soon a board that was reset is back.
        begun = samples[0] if lesson == 0 else last[0]
        begun_V = outputs_V(record.job, begun["taps"], record.job.lessons[lesson].source_V)
        assert np.abs(expected_V - desired_V).max() < 0.5 * np.abs(begun_V - desired_V).max()
    first_V = outputs_V(record.job, last[0]["taps"], record.job.lessons[1].source_V)
    assert np.abs(first_V - record.job.lessons[1].desired_V).min() > 0.5  # the lessons have little in common

    # No edge ever jumps: the second lesson starts from the taps of the first.
    rows = runlog.read_firings(tmp_path / "run")
    for edge in range(5):
        taps = np.array([64, *rows[rows[:, 0] == edge, 5]])
        assert np.abs(np.diff(taps)).max() <= 1


def test_held_out_examples_are_classified_in_hold(tmp_path):
    sizes = np.linspace(0.0, 10.0, 24).tolist()
    rows = "".join(f"{size},{'small' if size < 5 else 'large'}\n" for size in sizes)
    (tmp_path / "sizes.csv").write_text(f"size,kind\n{rows}")
    record = run(tmp_path, CLASSES)
    first, *middle, last = record.samples
    assert middle and all(np.isnan(found["accuracy"]["test"]) for found in middle)  # measured in HOLD only

    (exam,) = make_plan(tmp_path / "task.toml", {}, [], False).held_out
    assert len(exam.labels) == 12
    for found in (first, last):
        volts = outputs_V(record.job, found["taps"], exam.source_V)[:, 0]
        right = (np.abs(volts - 2.3) < np.abs(volts - 0.5)) == (np.array(exam.classes)[exam.labels] == "large")
        undecided = (np.abs(volts - 1.4) < ADC_V).sum()
        assert 12 * found["accuracy"]["test"] == pytest.approx(right.sum(), abs=undecided + 1e-6)
    assert last["accuracy"]["test"] > first["accuracy"]["test"] + 0.2
