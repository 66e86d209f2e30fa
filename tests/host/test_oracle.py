"""The oracle itself: a healthy run passes, and each of its eight checks fails where what it looks at is wrong."""

import dataclasses
import json
import shutil

import pytest

from tests.host import oracle
from tests.host.logs import rewrite
from tests.host.oracle import Fault
from tests.host.racks import TASK, racked


@pytest.fixture(scope="module")
def healthy(micropython, tmp_path_factory):
    """A run without a fault, and the truth of its boards."""
    folder = tmp_path_factory.mktemp("oracle")
    (folder / "task.toml").write_text(TASK)
    with pytest.MonkeyPatch.context() as patch, racked(folder / "task.toml", folder / "bench.toml") as (rack, file):
        pulses = oracle.Pulses(rack, patch)
        said = []
        patch.setattr("clockfree.commands.lines.warn", lambda text: said.append(text))
        options = ["run", folder / "task.toml", "--bench", file, "--trace", "--out", folder / "run"]
        status = oracle.app.status_of([*map(str, options)])
        ran = oracle.Ran(status, "\n".join([*said, ""]).encode(), folder / "run")
        yield ran, oracle.truth(rack, pulses)


def test_a_healthy_run_is_not_complained_of(healthy):
    oracle.judge(*healthy)


def altered(healthy, tmp_path, change):
    """The run with its log changed, and sealed again."""
    ran, _ = healthy
    folder = tmp_path / "run"
    shutil.copytree(ran.folder, folder)
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    change(lines)
    rewrite(folder, lines)
    return dataclasses.replace(ran, folder=folder)


def last(lines):
    return [line for line in lines if line["record"] == "sample"][-1]


def moved(lines):
    last(lines)["taps"][1] += 1


def off(lines):
    last(lines)["error_V2"] += 1e-3


def painted(lines):
    for line in lines:
        if line["record"] == "sample":
            line["error_V2"] += 0.1
    last(lines)["error_V2"] = None


def more_firings(lines):
    last(lines)["counters"]["firings"][0] += 1


def fewer_firings(lines):
    last(lines)["counters"]["firings"][0] -= 1


def invented(lines):
    lines.insert(-1, {"record": "event", "event": "away", "board": "0" * 16, "time_us": 0, "text": "away"})


def failed(lines):
    lines.insert(-1, {"record": "event", "event": "text", "time_us": 0, "text": "no good", "failed": True})


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (moved, "taps: "),
        (off, "error: measured"),
        (painted, "error: printed"),
        (more_firings, "firings: "),
        (fewer_firings, "firings: "),
        (invented, "faults: away"),
        (failed, "end: status 0"),
    ],
)
def test_what_the_record_says_wrongly_is_found(healthy, tmp_path, change, check):
    found = oracle.complaints(altered(healthy, tmp_path, change), healthy[1])
    assert any(each.startswith(check) for each in found), found


def test_taps_of_a_board_that_is_away_are_not_held_against_the_error(healthy, tmp_path):
    def stale(lines):
        samples = [line for line in lines if line["record"] == "sample"]
        for line in samples[1:]:
            line["taps"] = [127, 3, 127, 3, 127]
        return samples[1]

    def marked(lines):
        first = stale(lines)
        away = {"record": "event", "event": "away", "board": "0" * 16, "edges": [1], "text": ""}
        lines.insert(lines.index(first), {**away, "time_us": first["time_us"]})

    for name, change, count in (("stale", stale, 1), ("marked", marked, 0)):
        (tmp_path / name).mkdir()
        found = oracle.complaints(altered(healthy, tmp_path / name, change), healthy[1])
        assert len([each for each in found if each.startswith("error: printed")]) == count, found


def test_a_record_that_is_not_what_was_written_is_found(healthy, tmp_path):
    ran = altered(healthy, tmp_path, lambda lines: None)
    log = ran.folder / "log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]))
    assert [each for each in oracle.complaints(ran, healthy[1]) if each.startswith("record: ")]


def test_what_a_command_does_wrongly_is_found(healthy):
    ran, truth = healthy
    board = next(iter(truth.states))
    running = dataclasses.replace(truth, states=truth.states | {board: "run"})
    for wrong, true, check in (
        (dataclasses.replace(ran, status=-11), truth, "end: signal 11"),
        (dataclasses.replace(ran, printed=ran.printed + b"Traceback (most recent"), truth, "end: a traceback"),
        (dataclasses.replace(ran, printed=ran.printed + b"\x1b[2J"), truth, "text: control bytes [27]"),
        (ran, running, f"HOLD: board {board} is in run"),
    ):
        assert check in "".join(oracle.complaints(wrong, true))
    assert oracle.complaints(ran, truth, Fault("away", board))[0].startswith(f"faults: away of board {board}: not said")
    named = dataclasses.replace(ran, printed=ran.printed + f"board {board}: no HOLD\n".encode())
    assert oracle.complaints(named, running) == []
