"""The loop of a board: what comes first, HOLD and RUN, what it answers, what it tells."""

import itertools

import pytest
from clockfree import clock
from clockfree.link import EDGE_ROW, NUMBERS

from tests.firmware.desk import Desk


def row(desk, edge=0):
    return dict(zip(EDGE_ROW, desk.status()["edges"][edge], strict=True))


def expected_times(run_us, seed, index, mean_us, kind, count):
    """When an edge fires, from its own generator alone."""
    state = [0] * clock.SIZE
    clock.seed(state, *seed, index)
    clock.configure(state, kind, mean_us)
    due = [clock.ticks_add(run_us, clock.first_us(state))]
    while len(due) < count:
        due.append(clock.ticks_add(due[-1], clock.wait_us(state)))
    return due


def test_boots_into_hold_and_fires_nothing():
    desk = Desk()
    desk.turns(60)
    assert desk.status()["state"] == "hold"
    assert row(desk)["firings"] == 0 and desk.chip.pulses == 0 and not desk.chip.armed
    assert desk.no("run", 5) == "prepared for run 0"


def test_runs_only_with_the_run_id_it_was_prepared_for():
    desk = Desk(edges=2)
    assert desk.no("edge", 0, 5, 0, 1000, 100, 0, 0, 1, 1, 0) == "prepared for run 0"
    desk.ok("prepare", 5)
    assert desk.no("edge", 0, 6, 0, 1000, 100, 0, 0, 1, 1, 0) == "prepared for run 5"
    desk.ok("edge", 0, 5, 0, 1000, 100, 0, 0, 1, 1, 0)
    assert desk.no("run", 6) == "prepared for run 5"
    assert desk.no("run", 5) == "edge 1 is not set up"
    desk.ok("edge", 1, 5, 0, 1000, 100, 0, 0, 1, 1, 1)
    desk.ok("run", 5)
    desk.ok("run", 5)  # retried
    assert desk.no("run", 6) == "running 5"
    assert desk.status()["run"] == 5
    desk.ok("hold")
    assert desk.no("run", 5) == "prepared for run 0"


@pytest.mark.parametrize("kind", [clock.EXPONENTIAL, clock.JITTERED, clock.PERIODIC])
def test_every_edge_fires_where_its_own_generator_puts_it(kind):
    start_us = clock.MASK - 3_000_000  # across the wrap
    desk = Desk(edges=3, start_us=start_us)
    desk.learn(kind=kind)
    desk.ok("report", 100, 1)
    began_us = desk.chip.t_us
    desk.turns(20)
    rows = [row for message in desk.told("firings") for row in message[3:]]
    for i in range(3):
        times = [t_us for edge, t_us, *_ in rows if edge == i]
        due = expected_times(start_us, (3, 4), i, 100_000, kind, len(times))
        assert len(times) > 100
        late = [clock.ticks_diff(t, d) for t, d in zip(times, due, strict=True)]
        assert 0 <= min(late) and max(late) < 4000, (min(late), max(late))  # the port sleeps in ms
    assert clock.ticks_diff(desk.chip.t_us, began_us) >= 20_000_000
    assert desk.chip.pulses == sum(found[1] for found in desk.status()["edges"])


def test_a_late_firing_is_dropped_and_counted_never_made_up_for():
    desk = Desk()
    desk.learn(kind=clock.PERIODIC, late_us=10_000)
    desk.turns(2)
    before = row(desk)
    desk.chip.sleep_us(3_000_000)  # the board was elsewhere
    desk.turns(1)
    after = row(desk)
    assert after["dropped"] == before["dropped"] + 1
    assert after["firings"] - before["firings"] <= 12


def test_the_counters_add_up_and_the_steps_are_the_chips():
    desk = Desk()
    desk.learn()
    desk.turns(3)
    found = row(desk)
    assert found["down"] == 64 - desk.pots[0].wipers[0] == 64 - desk.pots[0].wipers[1] > 10
    assert found["tap"] == desk.pots[0].wipers[0] and found["firings"] == found["down"]
    desk.bits = [1, 1]
    desk.turns(30)
    found = row(desk)
    assert found["tap"] == 127 and found["rail"] == found["firings"] - found["up"] - found["down"] > 0
    assert (found["a"], found["b"]) == (1, 1)
    assert (found["seed_low"], found["seed_high"]) == (3, 4)


def test_the_decision_age_is_bounded_by_what_a_firing_takes():
    desk = Desk()
    desk.chip.look_us = 40
    desk.learn()
    desk.turns(5)
    assert 40 <= row(desk)["age_us"] <= 80


def test_what_is_due_comes_before_commands():
    desk = Desk()
    desk.learn(kind=clock.PERIODIC)
    desk.turns(1)
    due_us = desk.role._due_us[0]
    desk.chip.t_us = due_us
    before = desk.role.edges[0].firings
    desk.port.incoming.append(["hold", 9])
    desk.board.turn()
    assert desk.role.edges[0].firings == before + 1


def test_telemetry_is_never_built_while_a_firing_is_near():
    desk = Desk()
    desk.learn(kind=clock.PERIODIC)
    desk.ok("report", 10, 0)
    for _ in range(3000):
        left_us = clock.ticks_diff(desk.role._due_us[0], desk.chip.t_us)
        before = len(desk.told("edges"))
        desk.board.turn()
        if len(desk.told("edges")) > before:
            assert not 0 < left_us < 5000


def test_reports_come_as_often_as_asked_and_stop_when_asked():
    desk = Desk()
    desk.learn()
    desk.ok("report", 100, 0)
    desk.turns(10)
    assert 95 <= len(desk.told("edges")) <= 101
    assert not desk.told("firings")
    desk.ok("report", 0, 0)
    count = len(desk.told("edges"))
    desk.turns(2)
    assert len(desk.told("edges")) == count
    assert desk.no("report", -1, 0) == "period outside 0..500000 ms"


def test_telemetry_that_finds_no_room_leaves_a_gap_in_the_numbers():
    desk = Desk()
    desk.learn()
    desk.ok("report", 100, 0)
    desk.turns(1)
    desk.port.pump = lambda: None  # the host reads no more
    desk.port.room = 5
    desk.turns(2)
    del desk.port.pump
    desk.port.pump()
    desk.port.room = 100
    desk.turns(1)
    numbers = [message[1] for message in desk.told("edges")]
    steps = [later - sooner for sooner, later in itertools.pairwise(numbers)]
    assert set(steps[:-12]) == {1} and max(steps) > 10
    assert row(desk)["firings"] > 20  # and the learning went on


def test_firings_that_nobody_fetches_are_counted_as_lost():
    desk = Desk()
    desk.learn()
    desk.turns(20)
    found = desk.status()
    assert found["lost"] == found["edges"][0][1] - 64 > 0
    desk.ok("report", 50, 1)
    desk.turns(1)
    lines = desk.told("firings")
    lost = desk.status()["lost"]
    assert lines[0][2] == lost >= found["lost"]
    assert all(len(line) <= 3 + 16 for line in lines)
    assert sum(len(line) - 3 for line in lines) == row(desk)["firings"] - lost - desk.role._count


@pytest.mark.parametrize(("on_loss", "state"), [("learn", "run"), ("hold", "hold")])
def test_when_the_host_is_gone(on_loss, state):
    desk = Desk(config={"on_loss": on_loss, "loss_ms": 15_000})
    desk.learn()
    desk.turns(14)
    assert desk.board.state == "run"
    desk.turns(2000)  # beyond half a wrap, where a difference of ticks changes its sign
    assert desk.board.state == state
    assert desk.status()["reason"] == ("no word from the host for 15000 ms" if state == "hold" else "")


def test_a_host_that_says_anything_is_not_gone():
    desk = Desk(config={"on_loss": "hold", "loss_ms": 15_000})
    desk.learn()
    for _ in range(20):
        desk.turns(10)
        desk.ok("hello")
    assert desk.board.state == "run"


def test_the_watchdog_is_armed_by_run_and_fed_from_then_on():
    desk = Desk()
    desk.turns(5)
    assert not desk.chip.armed and not desk.chip.fed
    desk.learn()
    desk.turns(10)
    assert desk.chip.armed and 9 <= desk.chip.fed <= 11
    desk.ok("hold")
    fed = desk.chip.fed
    desk.turns(10)
    assert desk.chip.fed >= fed + 9  # nothing stops it


def test_ctrl_c_holds_and_keeps_the_watchdog_fed(capsys):
    desk = Desk()
    desk.learn()

    def interrupted():
        raise KeyboardInterrupt

    desk.port.messages = interrupted
    desk.board.run()
    assert desk.board.state == "hold" and desk.chip.kept_fed
    assert "HOLD" in capsys.readouterr().out


def test_the_led_is_on_in_run_and_blinks_in_hold_faster_where_something_is_wrong():
    desk = Desk()
    desk.turns(10)
    slow = len(desk.chip.lit)
    assert 16 <= slow <= 20
    broken = Desk(role=None)
    broken.turns(10)
    assert len(broken.chip.lit) > 2 * slow
    desk.learn()
    desk.turns(1)
    desk.chip.lit.clear()
    desk.turns(5)
    assert desk.chip.lit in ([], [1])


def test_a_board_without_a_role_says_why_and_does_nothing():
    desk = Desk(role=None)
    hello = desk.ok("hello")[0]
    assert (hello["role"], hello["state"], hello["reason"], hello["can"]) == (None, "hold", "no good", {})
    assert desk.no("prepare", 5) == desk.no("run", 5) == "no good"
    assert desk.no("tap", 0, 5) == "unknown command"
    desk.ok("hold")
    assert desk.status()["reason"] == "no good"


def test_an_edge_that_raises_ends_in_hold_with_the_reason():
    desk = Desk()
    desk.learn()

    def broken():
        raise OSError(5)

    desk.role.edges[0]._look = lambda gate: broken()
    desk.turns(3)
    status = desk.status()
    assert status["state"] == "hold" and status["reason"] == "OSError: 5"


def test_reset_waits_until_its_answer_is_gone_and_is_refused_in_run():
    desk = Desk()
    desk.learn()
    assert desk.no("reset") == "in HOLD only"
    desk.ok("hold")
    desk.ok("reset")
    desk.turns(1)
    assert desk.chip.resets


@pytest.mark.parametrize(
    "message",
    [
        ["tap"],
        ["tap", "x"],
        [7, 1],
        [None, 1],
        [[], 1],
        [{}, 1],
        ["tap", 1, 9, 9],
        ["tap", 1, "a", "b"],
        ["tap", 1, 0, 1.5],
        ["tap", 1],
        ["tap", 1, 0, 0],
        ["trim", 1, 0, []],
        ["edge", 1, 0, None, 0, 0, 0, 0, 0, 0, 0, 0],
        ["hello", 1, 2],
        ["prepare", 1, NUMBERS],
        ["prepare", 1, "x"],
        ["ok", 1],
        ["null", 1, 0],
        ["report", 1, "x", 0],
    ],
)
def test_nonsense_is_refused_and_changes_nothing(message):
    desk = Desk()
    desk.port.incoming.append(message)
    desk.board.turn()
    desk.port.pump()
    assert all(reply[0] == "no" and reply[2] for reply in desk.port.sent)
    assert len(desk.port.sent) == (len(message) > 1 and message[1] == 1)
    assert row(desk)["tap"] == 64 == desk.pots[0].wipers[0]
    assert desk.no("run", 1)


def test_taps_are_set_by_value_and_only_in_hold():
    desk = Desk()
    for _ in range(2):
        assert desk.ok("tap", 0, 63) == [63]
    assert desk.pots[0].wipers == [63, 63]
    desk.pots[0].wipers[1] = 9  # a wiper that went its own way is found
    assert desk.ok("tap", 0, 63) == [63]
    assert desk.pots[0].wipers == [63, 63]
    desk.pots[0].wipers = [40, 40]
    assert desk.ok("adopt", 0) == [40]
    assert desk.no("tap", 0, 1) == "tap 1 outside 2..127"
    assert desk.no("tap", 1, 5) == "edge 1 outside 0..0"
    desk.learn()
    assert desk.no("tap", 0, 63) == "in HOLD only"


def test_an_edge_whose_tap_is_unknown_keeps_a_run_from_starting():
    desk = Desk()
    desk.pots[0].present = False
    assert desk.no("adopt", 0)
    desk.ok("prepare", 5)
    desk.ok("edge", 0, 5, 0, 1000, 100, 0, 0, 1, 1, 0)
    assert desk.no("run", 5) == "edge 0: tap unknown"


def test_plain_comparators_take_no_threshold_and_have_nothing_to_null():
    desk = Desk()
    desk.ok("prepare", 5)
    assert desk.no("edge", 0, 5, 0, 1000, 100, 3, 0, 1, 1, 0) == "two plain comparators know no threshold"
    assert desk.no("null", 0) == "this front end has no nulling"
    assert desk.ok("measure", 0) == [0, 1, []]


def teach(desk, number=1, run_id=5, examples=((1000, 2000, 3000), (0, 1, 2)), dwell_us=50_000):
    desk.ok("lesson", number, run_id, len(examples), 2, 0, dwell_us, 64, 1, 2, 16)
    for k, codes in enumerate(examples):
        desk.ok("example", number, k, list(codes))
    desk.ok("teach", number)


def test_the_supervisor_shows_its_lesson_on_its_own_schedule():
    desk = Desk(role="supervisor")
    assert desk.ok("hello")[0]["can"] == {"dac": 4, "mixers": 2, "adc": 8}
    desk.ok("prepare", 5)
    assert desk.no("run", 5) == "no lesson"
    teach(desk)
    desk.ok("run", 5)
    assert desk.clamped[-1] == 1
    desk.ok("report", 100, 0)
    desk.turns(1)
    assert 19 <= desk.told("shown")[-1][4] <= 21
    assert desk.told("readings")[-1][2:] == [1, 0, [[100, 200], [100, 200]]]
    assert [round(1000 * volts) for volts in desk.dac.outputs_V[:3]] in ([1000, 2000, 3000], [0, 1, 2])


def test_a_lesson_is_taught_whole_or_not_at_all_also_while_it_runs():
    desk = Desk(role="supervisor")
    desk.ok("prepare", 5)
    assert desk.no("teach", 1) == "lesson 1 was not begun"
    desk.ok("lesson", 1, 5, 2, 2, 0, 50_000, 64, 1, 2, 16)
    desk.ok("example", 1, 0, [1, 2, 3])
    assert desk.no("teach", 1) == "example 1 is missing"
    assert desk.no("example", 1, 2, [1]) == "example 2 outside 0..1"
    teach(desk)
    desk.ok("teach", 1)  # retried
    desk.ok("run", 5)
    desk.turns(1)
    teach(desk, number=2, examples=[(7, 8, 9)])
    desk.turns(1)
    assert [round(1000 * volts) for volts in desk.dac.outputs_V[:3]] == [7, 8, 9]
    assert desk.no("lesson", 3, 6, 2, 2, 0, 50_000, 64, 1, 2, 16) == "prepared for run 5"
    assert desk.no("lesson", 3, 5, 2, 9, 0, 50_000, 64, 1, 2, 16) == "9 outputs, 8 ADC channels"
    assert desk.no("lesson", 3, 5, 2, 2, 0, 50_000, 129, 1, 2, 16) == "eta outside 1..128"
    assert desk.no("show", [1]) == desk.no("clamp", 0) == desk.no("measure") == "in HOLD only"


def test_in_hold_the_supervisor_shows_and_measures_what_it_is_told():
    desk = Desk(role="supervisor")
    desk.ok("show", [500, 600])
    assert [round(1000 * volts) for volts in desk.dac.outputs_V[:2]] == [500, 600]
    assert desk.ok("measure") == [[100, 200]]
    desk.ok("clamp", 0)
    assert desk.clamped[-1] == 0
    assert desk.no("show", [5000]) == "code 5000 outside 0..4095"
    assert desk.no("show", [-1])


def test_many_readings_are_told_in_turn():
    desk = Desk(role="supervisor")
    desk.ok("prepare", 5)
    teach(desk, examples=[(i, 0, 0) for i in range(40)], dwell_us=10_000)
    desk.ok("run", 5)
    desk.ok("report", 100, 0)
    desk.turns(2)
    lines = desk.told("readings")
    assert [line[3] for line in lines[:4]] == [0, 16, 32, 0]
    assert [len(line[4]) for line in lines[:3]] == [16, 16, 8]
