"""Learning on virtual boards, by the commands that a person types: Wheatstone's bridge, five edges and a supervisor."""

import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from clockfree.bench.virtual import VirtualRack
from clockfree.commands import app
from clockfree.link import discovery
from clockfree.link.benchfile import bench_text
from clockfree.runs import runlog
from clockfree_model import events as kinds
from clockfree_model.parts import POTS
from clockfree_model.physics import PRESETS
from tests.host import oracle
from tests.host.oracle import Fault
from tests.host.own_clock import late_us
from tests.host.racks import TASK, during, events, racked


@pytest.fixture(autouse=True)
def _micropython(micropython):
    pass


@pytest.fixture
def task(tmp_path):
    path = tmp_path / "bridge.toml"
    path.write_text(TASK)
    return path


def clockfree(*arguments):
    return app.status_of([*map(str, arguments)])


@pytest.fixture
def rack(task, tmp_path):
    with racked(task, tmp_path / "bench.toml") as found:
        yield found


@pytest.mark.parametrize(
    ("preset", "chips"), [("ideal", {}), ("board", {}), ("board", {"front_end": "mcp3304", "pot": "mcp4661"})]
)
def test_a_task_is_learnt_and_every_firing_is_where_its_edges_own_clock_puts_it(task, tmp_path, capsys, preset, chips):
    out = tmp_path / "run"
    apart = ["--set", "edge.decades=1"] if preset == "ideal" else []  # 16 .. 158 firings a second
    for key, name in chips.items():
        apart += ["--set", f"edge.{key}={name}"]
    options = ["--bench", "virtual", "--preset", preset, *apart, "--trace", "--out", out, "--json"]
    assert clockfree("run", task, *options) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["bench"] == "virtual" and said["boards"] == 6 and said["restarts"] == said["lost_lines"] == 0
    assert said["final_error_V2"] < 0.2 * said["initial_error_V2"]

    record = runlog.read(out)
    job, last = record.job, record.samples[-1]
    chips = {"front_end": "adc" if preset == "board" else "comparator", "pot": "mcp42xx", **chips}
    assert {key: getattr(job.edge, key) for key in chips} == chips
    assert last["updates"] >= 60
    rows = runlog.read_firings(out)
    counters = last["counters"]
    assert len(rows) == counters["firings"].sum()
    assert (rows[:, 4] != 0).sum() == sum(counters.get(name, np.zeros(5)).sum() for name in ("up", "down", "rail"))
    physics = PRESETS[preset]
    begun = record.samples[0]["taps"]
    for edge in range(5):
        own = rows[rows[:, 0] == edge]
        assert own[-1, 5] == last["taps"][edge]
        steps = np.diff([begun[edge], *own[:, 5]])
        assert set(steps) <= {-1, 0, 1} and (steps[steps != 0] == own[steps != 0, 4]).all()
        assert own[:, 5].min() >= physics.lowest_tap(POTS[job.edge.pot])
        if not counters.get("dropped", np.zeros(5))[edge]:
            # An edge is served at its due time or at most some ms late, never early.
            assert late_us(job, edge, own[:, 1]).max() <= job.edge.late_us

    assert (out / "figure.png").stat().st_size > 10_000
    assert "bench.toml" in {path.name for path in out.iterdir()}
    assert clockfree("show", out) == 0
    assert "measured by the supervisor" in capsys.readouterr().out


def test_what_was_measured_can_be_read_and_says_by_whom(task, tmp_path, capsys):
    for preset, measured in (("ideal", False), ("board", True)):
        out = tmp_path / preset
        assert clockfree("run", task, "--bench", "virtual", "--preset", preset, "--updates", 5, "--out", out) == 0
        capsys.readouterr()
        assert clockfree("read", out) == 0
        table = capsys.readouterr().out
        assert "set by supervisor" in table and "the boards that measured it" in table and "sim" not in table
        assert clockfree("read", out, "--json") == 0
        found = json.loads(capsys.readouterr().out)
        nodes = {row["node"]: row for row in found["readings"] if row["example"] == 0}
        assert nodes["top"]["free_V"] == pytest.approx(1.5, abs=2e-3)
        # On the circuit all is higher, since no DAC gives -1.3 V; what is read is the task's own.
        assert runlog.read(out).job.ground.lift_steps > 1000
        assert nodes["left"]["free_V"] == pytest.approx(nodes["left"]["desired_V"], abs=0.7)
        if measured:
            assert nodes["right"]["free_V"] == pytest.approx(nodes["left"]["free_V"], abs=1.0)
        assert nodes["left"]["source"].startswith("supervisor ")
        # Two comparators know no voltage: where nothing measures it there is none.
        assert (nodes["right"]["free_V"] is not None) is measured
        assert all((row["free_drop_V"] is not None) is measured for row in found["edges"])
        assert all(row["tap"] is not None for row in found["edges"])


def test_boards_at_each_others_edges_are_refused_or_marked(rack, task, tmp_path, capsys):
    rack, file = rack
    swapped = rack.bench.model_copy(deep=True)
    one, other = swapped.boards[0], swapped.boards[4]
    one.id, other.id = other.id, one.id
    file.write_text(bench_text(swapped))
    assert clockfree("flash", "--bench", file) == 0
    out = tmp_path / "run"
    options = ["run", task, "--bench", file, "--updates", 5, "--out", out]
    capsys.readouterr()
    assert clockfree(*options) == 2
    name = [board.edges[0].edge for board in (one, other)]
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{name[0]} and {name[1]} are exchanged" in said and "--anyway" in said and not out.exists()
    assert clockfree(*options, "--anyway") == 0
    (event,) = events(runlog.read(out), "wiring")
    assert f"{name[0]} and {name[1]}" in event["text"]
    assert json.loads((out / "log.jsonl").read_text().splitlines()[0])["wiring"]["outputs_V"] > 0.01


def test_a_board_that_is_reset_in_mid_run_is_armed_again_with_its_taps(rack, task, tmp_path, monkeypatch, capfdbinary):
    rack, file = rack
    victim = rack.bench.boards[2]
    during(monkeypatch, 0.3, lambda: rack.boards.reset(victim.id))
    out = tmp_path / "run"
    pulses = oracle.Pulses(rack, monkeypatch)
    ran = oracle.ran(["run", task, "--bench", file, "--updates", 150, "--trace", "--out", out], capfdbinary, out)
    assert ran.status == 0
    record = runlog.read(out)
    (event,) = events(record, "restart")
    assert event["board"] == victim.id and event["restored"] == [] and event["restarts"] == 1
    edge = event["edges"][0]
    rows = runlog.read_firings(out)
    own = rows[rows[:, 0] == edge]
    jumps = [(a, b) for a, b in itertools.pairwise(own[:, 5].tolist()) if abs(a - b) > 1]
    # What it stepped before its last word and the reset was not told; its chip kept it.
    assert len(jumps) <= 1 and event["taps"][0] in own[:, 5] + 1 - np.arange(3)[:, None]
    assert record.samples[-1]["counters"]["firings"][edge] > 20
    oracle.judge(ran, oracle.truth(rack, pulses), Fault(kinds.AWAY, victim.id), Fault(kinds.RESTART, victim.id))


def test_a_board_that_is_unplugged_goes_on_and_is_taken_in_again(rack, task, tmp_path, monkeypatch, capfdbinary):
    rack, file = rack
    victim = rack.bench.boards[1]

    def unplug():
        rack.boards.unplug(victim.id)
        threading.Timer(1.0, rack.boards.plug, [victim.id]).start()

    during(monkeypatch, 0.2, unplug)
    out = tmp_path / "run"
    pulses = oracle.Pulses(rack, monkeypatch)
    ran = oracle.ran(["run", task, "--bench", file, "--updates", 200, "--out", out], capfdbinary, out)
    assert ran.status == 0
    record = runlog.read(out)
    (away,), (back,) = events(record, "away"), events(record, "back")
    assert away["board"] == back["board"] == victim.id and "learning goes on without it" in away["text"]
    assert back["firings"] > 10  # it had gone on learning
    assert not events(record, "restart")
    firings = record.samples[-1]["counters"]["firings"]
    assert firings.min() > 0.7 * firings.max()
    oracle.judge(ran, oracle.truth(rack, pulses), Fault(kinds.AWAY, victim.id))


def test_ctrl_c_holds_every_board_and_keeps_what_was_measured(rack, task, tmp_path, monkeypatch, capfdbinary):
    rack, file = rack
    during(monkeypatch, 0.01, lambda: os.kill(os.getpid(), signal.SIGINT))
    out = tmp_path / "run"
    ran = oracle.ran(["run", task, "--bench", file, "--updates", 2000, "--out", out], capfdbinary, out)
    assert ran.status == 130 and runlog.read(out).end["reason"] == "interrupted"
    truth = oracle.truth(rack)
    assert {*truth.states.values()} == {"hold"}
    oracle.judge(ran, truth)


def test_a_full_disk_ends_the_run_and_every_board_is_in_hold(rack, task, tmp_path, monkeypatch, capsys):
    rack, file = rack
    write = runlog.RunLog.sample

    def sample(log, found, accuracy=None):
        if found.updates > 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(log.folder / "log.jsonl"))
        write(log, found, accuracy)

    monkeypatch.setattr(runlog.RunLog, "sample", sample)
    out = tmp_path / "run"
    assert clockfree("run", task, "--bench", file, "--updates", 2000, "--out", out) == 1
    assert capsys.readouterr().err.endswith(f"clockfree: {out}/log.jsonl: No space left on device\n")
    assert {row.hello["state"] for row in discovery.of_bench(rack.bench)} == {"hold"}


def test_boards_that_learn_on_are_read_and_held(rack, task, tmp_path, capsys):
    """The host is killed in mid-run: with one example boards go on by themselves, as their configuration says."""
    rack, file = rack
    task.write_text(TASK.replace("[[1.5, -1.3], [0.5, -0.5]]", "[[1.5, -1.3]]"))
    out = tmp_path / "run"
    code = "import sys; from clockfree.commands import app; sys.exit(app.status_of(sys.argv[1:]))"
    arguments = ["run", task, "--bench", file, "--updates", "5000", "--out", out]
    with subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.DEVNULL) as host:
        late_s = time.monotonic() + 120  # it hangs; a busy machine takes long to start
        while not (out / "log.jsonl").exists() or (out / "log.jsonl").read_text().count('"sample"') < 3:
            assert time.monotonic() < late_s and host.poll() is None
            time.sleep(0.02)
        host.kill()

    def look():
        assert clockfree("read", "--bench", file, "--json") == 0
        return json.loads(capsys.readouterr().out)["edges"]

    first = look()
    while not all(row["firings"] > before["firings"] for row, before in zip(look(), first, strict=True)):
        assert time.monotonic() < late_s
    assert clockfree("hold", "--bench", file, "--json") == 0
    rows = json.loads(capsys.readouterr().out)["boards"]
    assert {row["was"] for row in rows} == {"run"}
    assert [(row["tap"], row["firings"]) for row in look()] == [(row["tap"], row["firings"]) for row in look()]


def test_a_run_on_boards_can_be_run_again_from_its_record(rack, task, tmp_path, capsys):
    _, file = rack
    assert clockfree("run", task, "--bench", file, "--updates", 5, "--out", tmp_path / "one") == 0
    again = ("run", tmp_path / "one" / "run.toml", "--bench", file, "--out", tmp_path / "two")
    assert clockfree(*again) == 0
    one, two = (runlog.read(tmp_path / name) for name in ("one", "two"))
    assert (one.job.seed, one.job.updates) == (two.job.seed, two.job.updates) == (0, 5)
    assert one.about["run_id"] != two.about["run_id"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('\n[[damage]]\nedges = [0]\nkind = "dead"\nat_updates = 5\n', "damage: expected none on boards"),
        ('\nrule = "sync"\n', ""),
    ],
)
def test_what_boards_cannot_do_is_refused_before_any_is_flashed(task, tmp_path, capsys, monkeypatch, more, said):
    if said:
        task.write_text(TASK + more)
    monkeypatch.setattr(VirtualRack, "__init__", None)
    arguments = ["run", task, "--bench", "virtual", "--out", tmp_path / "run"] + ([] if said else ["--rule", "sync"])
    assert clockfree(*arguments) == 2
    err = capsys.readouterr().err.splitlines()
    assert (said or "expected clockfree on this bench") in err[-1]
    assert not (tmp_path / "run").exists()


def test_a_task_for_other_chips_is_refused_by_key(rack, task, tmp_path, capsys):
    _, file = rack
    assert clockfree("run", task, "--bench", file, "--set", "edge.pot=ad5220", "--out", tmp_path / "run") == 2
    assert "boards.0.edges.0.pot: expected ad5220, as edge.pot of the task, got mcp42xx" in capsys.readouterr().err
    assert clockfree("run", task, "--bench", file, "--set", "physics.rab_ohm=1e4", "--out", tmp_path / "run") == 2
    said = "boards.0.edges.0.rab_ohm: expected 10000, as physics.rab_ohm of the task, got 100000"
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
