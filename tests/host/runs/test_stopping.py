"""Boards that somebody runs: they are stopped and read all the same, by the commands that a person types."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from clockfree.commands import app
from clockfree.link import hosts
from clockfree.link.benchfile import read_bench
from clockfree.runs import stopping
from tests.host import oracle
from tests.host.racks import TASK, racked

RUN = "import sys; from clockfree.commands import app; sys.exit(app.status_of(sys.argv[1:]))"


@pytest.fixture(scope="module")
def standing(micropython, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stopping")
    (folder / "bridge.toml").write_text(TASK)
    with racked(folder / "bridge.toml", folder / "bench.toml") as (rack, file):
        yield rack, folder / "bridge.toml", file


@pytest.fixture
def running(standing, tmp_path):
    """A run of many hours in a process of its own, a few samples old, and the folder of its record."""
    rack, task, file = standing
    out = tmp_path / "run"
    arguments = ["run", task, "--bench", file, "--updates", "1000000", "--out", out]
    with subprocess.Popen(
        [sys.executable, "-c", RUN, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as host:
        late_s = time.monotonic() + 60
        while not _learns(file):
            assert time.monotonic() < late_s and host.poll() is None, host.stdout.read()
        yield host, out
        host.kill()


def _learns(file):
    found = hosts.host_of(read_bench(file))
    seen = found and found.seen(0.2)
    return seen and all(row["firings"] > 0 for row in seen["edges"])


def clockfree(*arguments):
    return app.status_of([*map(str, arguments)])


def test_a_bench_that_runs_is_read_from_its_record_and_held_by_its_own_host(standing, running, capfd):
    rack, _, file = standing
    host, out = running
    capfd.readouterr()
    assert clockfree("read", "--bench", file, "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert {row["state"] for row in found["boards"]} == {"run"} and "told to its run" in found["boards"][0]["reason"]
    assert [row["edge"] for row in found["edges"]] == [each.edges[0].edge for each in rack.bench.boards]
    assert all(row["firings"] > 0 for row in found["edges"])
    assert {row["node"] for row in found["nodes"]} == {"left"} and all(0 < row["free_V"] < 5 for row in found["nodes"])

    assert clockfree("hold", "--bench", file, "--json") == 0
    said = capfd.readouterr()
    assert f"process {host.pid}" in said.err and "asked to end" in said.err
    assert {(row["was"], row["error"]) for row in json.loads(said.out)["boards"]} == {("hold", "")}
    ran = oracle.ended(host, out)
    assert ran.status == 130
    oracle.judge(ran, oracle.truth(rack))


def test_boards_are_taken_from_a_host_that_hangs(standing, running, capfd, monkeypatch):
    rack, _, file = standing
    host, out = running
    monkeypatch.setattr(stopping, "ASKED_S", 0.3)
    monkeypatch.setattr(stopping, "GENTLE_S", 0.3)
    os.kill(host.pid, signal.SIGSTOP)
    capfd.readouterr()
    assert clockfree("hold", "--bench", file) == 1
    assert f"process {host.pid} runs these boards and does not end: clockfree stop" in capfd.readouterr().err
    assert clockfree("stop", "--bench", file, "--json") == 0
    said = json.loads(capfd.readouterr().out)
    assert said["host"] == {"pid": host.pid, "killed": True}
    assert {(row["was"], row["error"]) for row in said["boards"]} == {("run", "")}
    ran = oracle.ended(host, out)
    ran.killed = True
    oracle.judge(ran, oracle.truth(rack))
    assert hosts.host_of(read_bench(file)) is None and clockfree("stop", "--bench", file) == 0


def test_a_note_of_a_process_that_is_gone_names_nobody(standing, tmp_path, monkeypatch):
    """The lock on it went with the process, and another one may have its number by now."""
    _, _, file = standing
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    bench = read_bench(file)
    note = hosts.Note(bench)
    (path,) = (tmp_path / "clockfree/hosts").iterdir()
    assert hosts.host_of(bench) is None  # this process
    said = json.loads(path.read_text())
    path.write_text(json.dumps(said | {"pid": 1}))
    assert hosts.host_of(bench).pid == 1
    # Boards of the same ids that are looked for elsewhere are others: they are left alone.
    assert hosts.host_of(bench.model_copy(update={"by_id": str(tmp_path)})) is None
    assert hosts.host_of(bench.model_copy(update={"by_id": None})) is None
    stale = path.with_name("1-1.json")
    stale.write_text(path.read_text())
    note.close()
    assert not path.exists() and hosts.host_of(bench) is None and not stale.exists()
