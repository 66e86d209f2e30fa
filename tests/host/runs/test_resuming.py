"""A run that was cut off and goes on: its record against that of an undisturbed one, line by line."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

import clockfree as cf
from clockfree.base.errors import InputError
from clockfree.commands import app
from clockfree.runs import checking, results, runlog
from clockfree.runs.logfile import LogFile, records

TASK = cf.Task(
    sources=["A", "C"], targets=["E"], source_V=[[0, 5], [5, 0]], desired_V=[[3.6], [1.4]], updates=6, seed=3
)


def told(folder):
    """What a log says of a run, without checksums, and without what is said of its being resumed."""
    found = [fields for _, fields in records(folder / "log.jsonl")]
    return [
        {key: value for key, value in fields.items() if key != "crc"}
        for fields in found
        if fields["record"] not in ("resumed", "note")
    ]


AT = (15, 22, 38)
"""Samples after which there is a checkpoint."""


class Killed:
    """Told of a run; keeps the folder as a kill at some samples would leave it."""

    def __init__(self, folder, at):
        self.folder, self.at = folder, at
        self.count = 0

    def say(self, text):
        pass

    def share(self, doing, done):
        pass

    def sample(self, job, sample, wall_s):
        self.count += 1
        if self.count in self.at:
            shutil.copytree(self.folder, self.folder.with_name(f"cut{self.count}"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """An undisturbed run of every firing, and what it was when it was cut off: after 20 samples, and after 40."""
    here = tmp_path_factory.mktemp("runs")
    patch = pytest.MonkeyPatch()
    patch.setattr("clockfree.runs.figure.draw", lambda *figure: None)
    # A checkpoint waits for the disk twice: here there are few, at samples that a test counts on.
    patch.setattr(runlog.RunLog, "pause", lambda log: log.checkpoint() if log.samples in AT else None)
    cf.run(TASK, out=here / "whole", trace=True, progress=Killed(here / "whole", (20, 40)))
    yield here
    patch.undo()


@pytest.fixture
def cut(runs, tmp_path):
    """A copy of what a kill left."""

    def copied(count=20, name="run"):
        return shutil.copytree(runs / f"cut{count}", tmp_path / name)

    return copied


def test_a_resumed_run_is_the_undisturbed_one_to_the_last_bit(runs, cut):
    folder = cut()
    # After the checkpoint others came, and half a line.
    later = (runs / "cut40/log.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "log.jsonl").write_bytes(b"".join(later[:70]) + later[70][:50])
    at = json.loads((folder / "checkpoint.json").read_text())
    found = cf.resume(folder)
    assert found.ended == "done" and told(folder) == told(runs / "whole")
    assert found.summary["resumed"] == 1 and found.summary["final_error_V2"] == cf.open(runs / "whole").final_error_V2
    assert {**results.dataset(found.record).attrs} == {**results.dataset(runlog.read(runs / "whole")).attrs}
    for name, variable in results.dataset(found.record).variables.items():
        np.testing.assert_array_equal(variable.values, results.dataset(runlog.read(runs / "whole"))[name].values)
    np.testing.assert_array_equal(runlog.read_firings(folder), runlog.read_firings(runs / "whole"))
    assert checking.check(folder).sound and checking.check(folder).uncounted == 70 - at["log"]["lines"]
    assert at["samples"] == 15 and found.record.resumed[0]["after"] == at["log"]["lines"]


def test_it_is_resumed_again_and_notes_stay(runs, cut, capsys):
    folder = cut()
    assert app.status_of(["note", str(folder), "a fuse blew"]) == 0
    cf.resume(folder, progress=Killed(folder, (10,)))
    second = folder.with_name("cut10")
    assert runlog.read(second).samples[-1]["updates"] == runlog.read(runs / "whole").samples[24]["updates"]
    assert app.status_of(["resume", str(second)]) == 0
    assert told(second) == told(runs / "whole")
    assert app.status_of(["note", str(second), "and was mended"]) == 0
    assert re.search(r"resumed +2 times", capsys.readouterr().out)
    assert app.status_of(["show", str(second), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["resumed"] == 2 and [note[27:] for note in summary["notes"]] == ["a fuse blew", "and was mended"]
    assert app.status_of(["check", str(second), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sound"] and found["uncounted"] > 6


def test_a_changed_line_is_found_after_it_was_resumed(cut):
    folder = cut()
    cf.resume(folder)
    lines = (folder / "log.jsonl").read_bytes().splitlines(keepends=True)
    resumed = next(i for i, line in enumerate(lines) if b'"resumed"' in line)
    for i in (3, resumed, len(lines) - 2):
        changed = lines[i].replace(b"1", b"2", 1)
        (folder / "log.jsonl").write_bytes(b"".join([*lines[:i], changed, *lines[i + 1 :]]))
        assert checking.check(folder).broken == [i + 1]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: cf.resume(folder), "came to its end: to teach it more: .*learn"),
        (lambda folder: (folder / "checkpoint.json").unlink(), "expected the checkpoint of a run"),
        (lambda folder: (folder / "checkpoint.json").write_text('{"updates":3,"taps":[]}'), "got none of this version"),
        (lambda folder: os.truncate(folder / "log.jsonl", 6_000), "that the checkpoint beside it is of, got another"),
        (lambda folder: cf.run(TASK, seed=4, out=folder.parent / "other"), "of the run whose log is beside it"),
    ],
)
def test_what_cannot_be_resumed_is_refused(cut, make, said):
    folder = cut()
    make(folder)
    if (folder.parent / "other").exists():
        shutil.copy(folder.parent / "other/run.toml", folder / "run.toml")
    with pytest.raises(InputError, match=said) as refused:
        cf.resume(folder)
    assert "\n" not in str(refused.value)


def test_by_other_code_only_anyway(runs, cut, monkeypatch):
    folder = cut()
    before = (folder / "log.jsonl").read_bytes()
    monkeypatch.setattr("clockfree.task.versions.PACKAGES", ("numpy",))
    monkeypatch.setattr("clockfree.task.versions.version", lambda package: "0.0")
    with pytest.raises(InputError, match=r"numpy .*, now 0\.0: with --anyway it goes on"):
        cf.resume(folder)
    assert (folder / "log.jsonl").read_bytes() == before
    assert cf.resume(folder, anyway=True).ended == "done" and told(folder) == told(runs / "whole")


def test_one_that_goes_on_now_is_left_alone(cut):
    folder = cut()
    log = LogFile.reopen(folder / "log.jsonl")
    for command in (["resume", str(folder)], ["note", str(folder), "x"]):
        with pytest.raises(InputError, match="expected a run that is over, got one that goes on now"):
            app.app(command, standalone_mode=False)
    log.close()


@pytest.mark.parametrize("text", ["", "two\nlines", "\x1b[2J", "x" * 1001])
def test_a_note_is_one_line(cut, text):
    assert app.status_of(["note", str(cut()), text]) == 2


def test_virtual_boards_go_on_after_a_kill(micropython, tmp_path, capsys):
    """Four edges on five boards, killed after some firings: taps and trims of then are on the new ones."""
    (tmp_path / "net.csv").write_text("A,B\nB,C\nC,D\nD,A\n")
    (tmp_path / "task.toml").write_text(
        'preset = "board"\nnetwork = "net.csv"\nupdates = 50\n[edge]\nrate_hz = 25\n'
        '[placement]\nsources = ["A", "C"]\ntargets = ["B"]\n[[lesson]]\nsource_V = [[0.5, 2.5]]\ndesired_V = [[1.2]]\n'
    )
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "clockfree", "run", str(tmp_path / "task.toml"), "--bench", "virtual"]
    with subprocess.Popen([*command, "--out", str(folder)], stderr=subprocess.PIPE, start_new_session=True) as run:
        for line in run.stderr:  # the first sample in RUN is told at once
            if re.match(rb"[1-9]\d* updates", line):
                os.kill(run.pid, signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
    at = json.loads((folder / "checkpoint.json").read_text())
    found = cf.resume(folder)
    assert found.ended == "done" and checking.check(folder).sound
    record = found.record
    (resumed,) = record.resumed
    assert resumed["taps"] == at["taps"] == at["state"]["taps"]
    first = record.samples[at["samples"]]
    assert first["taps"].tolist() == at["taps"] and first["updates"] == at["updates"]
    assert [board["trims"] for board in resumed["boards"]] == [[trims] for trims in at["state"]["trims"]]
    counts = np.array([sample["counters"].get("firings", np.zeros(4)) for sample in record.samples])
    assert (np.diff(counts, axis=0) >= 0).all() and counts[-1].mean() >= 50
    assert [event["event"] for event in record.events].count("resumed") == 1
