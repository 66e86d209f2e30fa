"""Boards that are lost at the start, in the middle and at the end of a run: what was known is kept, nobody waits."""

import numpy as np
import pytest

from clockfree.base.errors import BoardError
from clockfree.learning import learning
from clockfree_model.events import EVENTS
from tests.host.rigs import Run


def test_what_led_to_a_run_that_is_given_up_is_in_its_last_sample(monkeypatch):
    monkeypatch.setattr(learning, "STALLED_S", 0.0)
    run = Run()
    bench = run.board_bench()
    bench._job.edge.__dict__["rate_hz"] = 1e6  # given up at once
    gone = (run.boards[0], "gone", "unplugged, or in a reset")
    run.supervisor.meanwhile["run"] = lambda: run.fleet.events.put(gone)
    samples = bench.run()
    next(samples)
    last = next(samples)
    assert [event["text"] for event in last.events if event["event"] == "away"] == [
        "away (unplugged, or in a reset): learning goes on without it"
    ]
    with pytest.raises(BoardError, match=r"no edge has fired for .* so the run is given up \(.*: away \(unplugged, or"):
        next(samples)


def test_a_run_that_is_given_up_though_all_answer_says_so(monkeypatch):
    monkeypatch.setattr(learning, "STALLED_S", 0.0)
    run = Run()
    bench = run.board_bench()
    bench._job.edge.__dict__["rate_hz"] = 1e6
    with pytest.raises(BoardError, match=r"the run is given up \(though every board answers\)"):
        list(bench.run())


def test_a_supervisor_that_is_lost_before_the_start_is_said(monkeypatch):
    run = Run()
    run.supervisor.up = False
    with pytest.raises(BoardError, match="0000000000000000: clamp: no answer: the board is away"):
        next(run.board_bench().run())


def test_outputs_are_not_known_where_the_supervisor_is_lost_as_the_run_ends():
    """What it read last was at other taps."""
    run = Run()
    bench = run.board_bench()
    samples = bench.run()
    assert np.isfinite(next(samples).error_V2)
    bench.stop()
    run.boards[0].meanwhile["hold"] = lambda: setattr(run.supervisor, "up", False)
    *_, last = samples
    assert np.isnan(last.error_V2) and np.isnan(last.outputs_V).all()
    assert any("no HOLD at the end" in event["text"] for event in last.events)


def test_taps_and_error_are_not_known_of_a_board_without_hold_at_the_end():
    """It may go on, or may have lost its power: what it told last is where its wipers were."""
    run = Run()
    lost = run.boards[1]
    bench = run.board_bench()
    samples = bench.run()
    next(samples)
    bench.stop()
    run.boards[0].meanwhile["hold"] = lambda: setattr(lost, "up", False)
    *_, last = samples
    assert [edge for edge, tap in enumerate(last.taps) if tap < 0] == [2, 3, 4]  # its three
    assert np.isnan(last.error_V2) and np.isnan(last.outputs_V).all()
    assert [event["text"][:18] for event in last.events if event.get("failed")] == ["no HOLD at the end"]


def test_a_board_that_runs_other_code_is_in_the_record():
    """It was taken anyway: nobody else takes one."""
    run = Run()
    other = run.boards[1]
    other.hello = {**other.hello, "code": "0" * 16}
    samples = run.board_bench().run()
    (told,) = [event for event in next(samples).events if event["event"] == "other code"]
    assert (told["board"], told["text"][:22]) == (other.name, "code: expected " + other.rig.chip.code[:7])
    assert EVENTS["other code"].warns
    samples.close()


def test_held_out_examples_are_not_known_where_the_supervisor_is_lost():
    run = Run()
    bench = run.board_bench()
    bench._in_hold = True
    assert bench.outputs(np.array([[1.0, 2.0]])).shape == (1, 1)
    adc, _ = run.supervisor.rig.role.supervisor.inputs[0]
    adc.read = lambda channel: -1  # it does not answer, and that is no answer to an example
    assert bench.outputs(np.array([[1.0, 2.0]])) is None
    run.supervisor.up = False
    assert bench.outputs(np.array([[1.0, 2.0]])) is None
    assert "the board is away" in run.said[-1]


def test_boards_that_are_lost_in_hold_are_not_waited_for_at_every_example():
    run = Run(front_end="adc")
    bench = run.board_bench()
    away, silent = run.boards
    away.up = False

    def refuse():
        silent.up = False  # it was there when it was asked

    silent.meanwhile["measure"] = refuse
    probe = bench._probe
    for _ in range(3):
        found = probe.example([0] * 3)
        silent.up = True
    assert found.drops_V == {} and np.isfinite(found.outputs_V).all()
    assert away.asked.count("measure") == 0 and silent.asked.count("measure") == 1
