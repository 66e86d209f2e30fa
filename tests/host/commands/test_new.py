"""`clockfree new`: the file that it makes is a task that runs, or there is none."""

import contextlib
import json
import os
import pty
import select
import sys
import time
import tomllib
from pathlib import Path

import pytest

from clockfree.commands import app
from clockfree.task.plan import make_plan

FILE = Path("task.toml")
CSV = "a,b,class\n1,2,x\n2,1,y\n3,5,x\n4,4,y\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("options", "sources", "targets", "examples"),
    [
        ([], 2, 1, 1),
        (["--example", "0,3:1.2,2", "--example", "3,0:1,1", "--targets", "E,F"], 2, 2, 2),
        (["--coefficients", "0.2,0.3,0.1;0.1,0.1,0.1"], 4, 2, 6),
        (["--data", "mine.csv", "--preset", "ideal"], 4, 1, 2),
        (["--network", "wheel", "--sources", "hub, rim1", "--targets", "1", "--updates", "7"], 2, 1, 1),
    ],
)
def test_what_is_made_is_what_was_asked_for(options, sources, targets, examples, capsys):
    Path("mine.csv").write_text(CSV)
    assert app.status_of(["new", *options]) == 0
    assert capsys.readouterr().err.endswith("    clockfree run task.toml\n")
    job = make_plan(FILE, {}, [], False).job
    assert (len(job.sources), len(job.targets), len(job.lessons[0].source_V)) == (sources, targets, examples)
    lines = FILE.read_text().splitlines()
    keys = [line for line in lines if "=" in line and not line.startswith("#")]
    assert keys and all("# " in line or lines[lines.index(line) - 1].startswith("# ") for line in keys)


def test_voltages_stand_in_the_file_as_they_were_given():
    assert app.status_of(["new", "--sources", "A,C", "--targets", "E", "--example", "0, 3.1 : 1.2", "-q"]) == 0
    task = tomllib.loads(FILE.read_text())
    assert task["lesson"] == [{"source_V": [[0.0, 3.1]], "desired_V": [[1.2]]}]
    assert task["placement"] == {"sources": ["A", "C"], "targets": ["E"]}


def test_what_stands_there_as_a_comment_is_the_default():
    assert app.status_of(["new", "-q"]) == 0
    before = make_plan(FILE, {}, [], False).job
    keys = ("gain", "tolerance_V", "dwell_s", "rate_hz")
    text = FILE.read_text()
    for key in keys:
        text = text.replace(f"\n# {key} =", f"\n{key} =")
    FILE.write_text(text)
    after = make_plan(FILE, {}, [], False).job
    assert (before.clamp, before.edge) == (after.clamp, after.edge) and all(f"\n{key} =" in text for key in keys)


def test_a_network_and_data_are_found_beside_a_task_file_elsewhere(monkeypatch, tmp_path):
    Path("deep").mkdir()
    Path("mine.csv").write_text(CSV)
    Path("net.csv").write_text("a,b\nb,c\nc,d\nd,e\ne,a\na,c\n")
    assert app.status_of(["new", "deep/task.toml", "--network", "net.csv", "--data", "mine.csv", "-q"]) == 0
    monkeypatch.chdir("/")
    assert len(make_plan(tmp_path / "deep/task.toml", {}, [], False).job.sources) == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--preset", "bord"], "--preset: expected one of ideal, paper, board, got 'bord' (did you mean board?)"),
        (["--teach", "student"], "--teach: expected one of teacher, examples, regression, classification"),
        (["--network", "lab17"], "--network: lab17: network: expected lab16"),
        (["--sources", "A,Z"], "--sources: lab16: nodes: expected one of A, B"),
        (["--sources", "9"], "--sources: expected 1..8 sources, got 9"),
        (["--sources", "A", "--targets", "A"], "placement.targets.0: expected a node with no other part"),
        (["--example", "0,4:1"], "--example: expected 0..3.1 V, what the preset has room for, got 4"),
        (["--example", "0:1"], "--example: expected 2 source voltages : 1 desired voltages, got '0:1'"),
        (["--example", "0,x:1"], "--example: expected a number, got 'x'"),
        (["--data", "none.csv"], "--data: none.csv: file: expected a readable data file"),
        (["--coefficients", "1,2;3"], "--coefficients: expected as many numbers in each row"),
        (["--coefficients", "0.1,0.2", "--sources", "2"], "--sources: expected 3 sources, got 2"),
        (["--updates", "0"], "--updates: expected an integer >= 1, got '0'"),
    ],
)
def test_what_cannot_be_run_is_one_line_and_leaves_nothing(options, said, capsys):
    assert app.status_of(["new", *options]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("clockfree: task.toml: ") and said in captured.err and captured.err.count("\n") == 1
    assert captured.out == "" and [*Path().iterdir()] == []


def test_a_file_that_is_there_is_left_alone(capsys):
    FILE.write_text("mine")
    assert app.status_of(["new"]) == 2
    assert "task.toml: FILE: expected a file that does not exist" in capsys.readouterr().err
    assert FILE.read_text() == "mine"
    assert app.status_of(["new", "no/such/task.toml"]) == 2
    assert not Path("no").exists()


def test_json_is_the_task(capsys):
    assert app.status_of(["new", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {"file": "task.toml", "task": {key: found["task"][key] for key in found["task"]}}
    made = tomllib.loads(FILE.read_text())
    assert {key: made[key] for key in found["task"]} == found["task"]


def talk(*typed):
    """What `clockfree new` says on a terminal to a person who types this, an answer a prompt, and its status."""
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "clockfree", "new"])
    said, answers, until = b"", list(typed), time.monotonic() + 60
    while time.monotonic() < until and select.select([master], [], [], 60)[0]:
        try:
            said += os.read(master, 4096)
        except OSError:  # it has ended
            break
        if answers and said.rstrip().endswith(b":"):
            os.write(master, answers.pop(0))
            said += b"\n"
    with contextlib.suppress(OSError):
        os.close(master)
    return said.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_person_is_asked_step_by_step_and_again_where_an_answer_is_none():
    said, status = talk(
        b"lab17\n", b"\n", b"\n", b"examples\n", b"A, C\n", b"E\n", b"0,9:1\n", b"0,3:1\n", b"3,0:2\n", b"\n", b"20\n"
    )
    assert status == 0, said
    assert "lab17: network: expected lab16" in said and "expected 0..3.1 V" in said
    assert "9 nodes, 16 edges: A, B, C" in said
    task = tomllib.loads(FILE.read_text())
    assert task["lesson"] == [{"source_V": [[0.0, 3.0], [3.0, 0.0]], "desired_V": [[1.0], [2.0]]}]
    assert (task["updates"], task["preset"]) == (20, "board")


def test_ctrl_c_in_the_middle_leaves_nothing():
    said, status = talk(b"\n", b"\x03")
    assert status == 130, said
    assert said.endswith("clockfree: interrupted\r\n")
    assert [*Path().iterdir()] == []
