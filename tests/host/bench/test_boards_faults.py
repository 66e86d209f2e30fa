"""What is broken in a run on virtual boards, by the commands that a person types; each test ends with the oracle."""

import itertools
import os
import subprocess
import threading

import numpy as np
import pytest

from clockfree.bench.boards import BoardBench
from clockfree.learning import arming, silence
from clockfree.learning.learning import Learning
from clockfree.learning.measuring import Probe
from clockfree.link import session
from clockfree.runs import runlog
from clockfree_model import events as kinds
from tests.host import oracle
from tests.host.noisy import NoisyPort
from tests.host.oracle import Fault
from tests.host.racks import TASK, during, events, racked

CALIBRATED = f"""{TASK}
front_end = "adc"
calibrate = true
f_V = 0.005
[physics]
mismatch = 0.002
offset_V = 0.005
"""


@pytest.fixture(scope="module")
def standing(micropython, tmp_path_factory):
    """Boards that stay up from one test to the next, the task, and their bench file."""
    folder = tmp_path_factory.mktemp("faults")
    (folder / "bridge.toml").write_text(CALIBRATED)
    with racked(folder / "bridge.toml", folder / "bench.toml") as (rack, file):
        yield rack, folder / "bridge.toml", file


@pytest.fixture
def learn(standing, tmp_path, capfdbinary, monkeypatch):
    """Runs the task on these boards: what it came to, and the truth."""
    rack, task, file = standing

    def run(*options, updates=60):
        pulses = oracle.Pulses(rack, monkeypatch)
        folder = tmp_path / "run"
        command = ["run", task, "--bench", file, "--updates", updates, "--out", folder, *options]
        found = oracle.ran(command, capfdbinary, folder)
        return found, oracle.truth(rack, pulses)

    return run


def test_edges_hold_while_the_supervisor_is_not_heard_of_and_go_on_when_it_is(standing, learn, monkeypatch):
    """With two examples; each board by its own time. Nothing is learnt meanwhile, and the error shown is null."""
    rack, _, _ = standing
    monkeypatch.setattr(arming, "SILENCE_S", 1.0)
    monkeypatch.setattr(silence, "TOLD_S", 0.3)
    victim, edges = rack.bench.supervisor.id, rack.bench.boards
    stood = []

    def look():
        stood.append([rack.boards.chips(board.id)["wipers"] for board in edges])

    def unplug():
        rack.boards.unplug(victim)
        threading.Timer(3.5, look).start()
        threading.Timer(4.0, look).start()
        threading.Timer(4.1, rack.boards.plug, [victim]).start()

    during(monkeypatch, 0.4, unplug)
    ran, truth = learn("--trace", updates=150)
    record = runlog.read(ran.folder)
    assert stood[0] == stood[1]  # nothing stepped
    held = events(record, kinds.HELD)
    assert "no word of the supervisor for 1 s" in held[0]["text"]
    each = [event for event in held if "board" in event]  # by its own time, so on a busy machine perhaps once more
    assert {event["board"] for event in each} == {board.id for board in edges}
    rows = runlog.read_firings(ran.folder)
    for event in each:
        own = rows[rows[:, 0] == event["edges"][0], 1]
        assert np.diff(own).max() > 0.5 * (event["to_us"] - event["from_us"])
        assert not ((own > event["from_us"]) & (own < event["to_us"] - 500_000)).any()
    assert max(event["to_us"] - event["from_us"] for event in each) > 0.4e6
    (away,) = events(record, kinds.AWAY)
    unknown = [sample for sample in record.samples if np.isnan(sample["error_V2"])]
    assert unknown and all(sample["time_us"] > away["time_us"] for sample in unknown)
    assert record.samples[-1]["counters"]["firings"].min() > 75  # of 150, about 60 before it was unplugged
    oracle.judge(ran, truth, Fault(kinds.AWAY, victim))


def test_readings_that_are_off_in_run_alone_are_said_at_the_end(standing, learn, monkeypatch):
    """By 10%, as of an ADC whose reference sags as edges fire: HOLD measures what is so, the errors before are not."""
    rack, _, _ = standing
    read = Learning._read

    def sagged(self, number, first, rows):
        read(self, number, first, [[round(1.1 * code) for code in row] for row in rows])

    monkeypatch.setattr(Learning, "_read", sagged)
    ran, truth = learn(updates=200)
    (event,) = events(runlog.read(ran.folder), kinds.CONTRADICTION)
    assert event["board"] == rack.bench.supervisor.id and "left in example" in event["text"]
    oracle.judge(ran, truth, Fault(kinds.CONTRADICTION, rack.bench.supervisor.id))


def test_readings_that_lag_behind_what_is_learnt_are_no_contradiction(learn):
    """A run so short that outputs move all the time, and as old as a round of examples: judged by the oracle."""
    ran, truth = learn(updates=40)
    oracle.judge(ran, truth)


def test_a_bad_cable_in_mid_run_is_named_once_with_its_loss_and_the_board_learns_and_holds(
    standing, learn, monkeypatch
):
    """1% of the bytes of one board are flipped from RUN on, both ways."""
    rack, _, _ = standing
    victim = rack.bench.boards[3].id
    device, running = rack.boards.port(victim), []
    start, really = Learning.start, session.open_port

    def started(learning):
        running.append(True)
        start(learning)

    def opened(name, *more):
        port = really(name, *more)
        return NoisyPort(port, on=lambda: running) if name == device else port

    monkeypatch.setattr(Learning, "start", started)
    monkeypatch.setattr(session, "open_port", opened)
    ran, truth = learn(updates=250)
    running.clear()
    record = runlog.read(ran.folder)
    (event,) = events(record, kinds.LOSSY)
    assert 5 < float(event["text"].split("%")[0]) < 95
    assert ran.status == 0 and record.samples[-1]["counters"]["firings"].min() > 100
    # Where all that the host says of the supervisor is lost for five seconds it holds, and goes on: no time to fire in.
    oracle.judge(ran, truth, Fault(kinds.LOSSY, victim))


def test_a_bad_cable_from_the_start_is_asked_until_it_answers(standing):
    """1% of all bytes are flipped: of a HELLO one in a hundred arrives whole, of a status one in ten."""
    rack, _, _ = standing
    board = rack.bench.boards[0]
    with pytest.MonkeyPatch.context() as patch:
        really, seeds = session.open_port, itertools.count()
        patch.setattr(session, "open_port", lambda *given: NoisyPort(really(*given), seed=next(seeds)))
        with session.Session(board, rack.bench.links) as asked:
            asked.open()
            for tap in (60, 64):
                assert asked.ask("tap", 0, tap) == [tap]
            assert asked.ask("status")[0]["edges"][0][0] == 64
            assert asked.quality.lossy and 0.3 < asked.quality.loss < 1
    assert rack.boards.chips(board.id)["wipers"] == {board.edges[0].edge: [64, 64]}


def test_a_host_that_stands_still_blames_itself_and_no_board(learn, monkeypatch):
    """It is stopped for 3 s in mid-run; the boards go on, and what they told meanwhile comes at once or never."""
    stop = f"kill -STOP {os.getpid()}; sleep 3; kill -CONT {os.getpid()}"
    stopping = []
    during(monkeypatch, 0.3, lambda: stopping.append(subprocess.Popen(["sh", "-c", stop])))
    ran, truth = learn(updates=350)
    stopping.pop().wait()
    (event,) = events(runlog.read(ran.folder), kinds.STOOD)
    assert "stood still for" in event["text"] and "board" not in event
    oracle.judge(ran, truth, Fault(kinds.STOOD))


def unplugged_once(monkeypatch, rack, victim, where, name):
    """Its cable is pulled, and with it its power, for a second, just before this is done."""
    really, once = getattr(where, name), iter([1])

    def act(self, *given):
        for _ in once:
            rack.boards.power_cycle(victim)
            rack.boards.unplug(victim)
            threading.Timer(1.0, rack.boards.plug, [victim]).start()
        return really(self, *given)

    monkeypatch.setattr(where, name, act)


def test_a_board_that_is_unplugged_in_calibration_is_waited_for_and_the_others_keep_theirs(
    standing, learn, monkeypatch
):
    rack, _, _ = standing
    victim = rack.bench.boards[1].id
    asked, ask = [], session.Session.ask

    def asking(self, kind, *given, **more):
        found = ask(self, kind, *given, **more)
        asked.append((self.name, kind))
        return found

    monkeypatch.setattr(session.Session, "ask", asking)
    unplugged_once(monkeypatch, rack, victim, Probe, "match")
    ran, truth = learn()
    times = {board.id: asked.count((board.id, "null")) for board in rack.bench.boards}
    assert times == {board.id: 2 if board.id == victim else 1 for board in rack.bench.boards}
    assert {asked.count((board.id, "match")) for board in rack.bench.boards if board.id != victim} == {12}
    assert all(board["trims"] != [[0, 0, 0]] for board in runlog.read(ran.folder).about["boards"])
    oracle.judge(ran, truth, Fault(kinds.AWAY, victim), Fault(kinds.RESET, victim))


def test_a_board_that_is_unplugged_just_before_run_is_waited_for(standing, learn, monkeypatch):
    rack, _, _ = standing
    victim = rack.bench.boards[2].id
    unplugged_once(monkeypatch, rack, victim, BoardBench, "_learn")
    ran, truth = learn()
    oracle.judge(ran, truth, Fault(kinds.AWAY, victim), Fault(kinds.RESTART, victim))
