"""What keeps a board safe: watchdog, Ctrl-C, a host that is gone, resets, and an LED that shows its state."""

import pytest

from clockfree_board import clock
from tests.firmware.rig import Rig, armed


@pytest.mark.parametrize(("on_loss", "state"), [("learn", "run"), ("hold", "hold")])
def test_when_the_host_is_gone(on_loss, state):
    rig = Rig(config={"on_loss": on_loss, "loss_ms": 15_000})
    rig.learn()
    rig.turns(14)
    assert rig.board.state == "run"
    rig.turns(2000)  # beyond half a wrap, where a difference of ticks changes its sign
    assert rig.board.state == state
    assert rig.status()["reason"] == ("no word from the host for 15000 ms" if state == "hold" else "")


def test_a_board_that_has_no_pause_notices_that_the_host_is_gone():
    rig = Rig(edges=3, config={"on_loss": "hold", "loss_ms": 15_000})
    rig.chip.look_us = 300
    rig.learn(mean_us=500, late_us=1_000_000)
    rig.turns(14)
    assert rig.board.state == "run"
    rig.turns(3)
    assert rig.board.state == "hold"


def test_a_host_that_says_anything_is_not_gone():
    rig = Rig(config={"on_loss": "hold", "loss_ms": 15_000})
    rig.learn()
    for _ in range(20):
        rig.turns(10)
        rig.ok("hello")
    assert rig.board.state == "run"


def test_the_watchdog_is_armed_by_run_and_fed_from_then_on():
    rig = Rig()
    rig.turns(5)
    assert not rig.chip.armed and not rig.chip.fed
    rig.learn()
    rig.turns(10)
    assert rig.chip.armed and 9 <= rig.chip.fed <= 11
    rig.ok("hold")
    fed = rig.chip.fed
    rig.turns(10)
    assert rig.chip.fed >= fed + 9  # nothing stops it


def test_ctrl_c_holds_and_keeps_the_watchdog_fed(capsys):
    rig = Rig()
    rig.learn()

    def interrupted():
        raise KeyboardInterrupt

    rig.port.hear = interrupted
    rig.board.run()
    assert rig.board.state == "hold" and rig.chip.stood_down
    assert "HOLD" in capsys.readouterr().out


def test_the_led_is_on_in_run_and_blinks_in_hold_faster_where_something_is_wrong():
    rig = Rig()
    rig.turns(10)
    slow = len(rig.chip.lit)
    assert 16 <= slow <= 20
    broken = Rig(role=None)
    broken.turns(10)
    assert len(broken.chip.lit) > 2 * slow
    rig.learn()
    rig.turns(1)
    rig.chip.lit.clear()
    rig.turns(5)
    assert rig.chip.lit in ([], [1])


def test_reset_waits_until_its_answer_is_gone_and_is_refused_in_run():
    rig = Rig()
    rig.learn()
    assert rig.no("reset") == "in HOLD only"
    rig.ok("hold")
    rig.ok("reset")
    rig.turns(1)
    assert rig.chip.resets


@pytest.mark.parametrize("idle_s", [0, 600, 900])
def test_the_watchdog_is_fed_however_long_the_board_was_up_before(idle_s):
    """600 s is more than half a wrap of the ticks, where a difference changes its sign."""
    rig = Rig()
    rig.turns(idle_s)
    rig.learn()
    for _ in range(10):
        before = rig.chip.fed
        rig.turns(3)
        assert rig.chip.fed - before in (2, 3, 4)


def test_a_board_that_has_no_pause_feeds_the_watchdog_and_hears_hold():
    rig = Rig(edges=3)
    rig.chip.look_us = 300
    rig.learn(mean_us=500, late_us=1_000_000)
    before_us = rig.chip.t_us
    rig.port.incoming.append(["hold", 1])
    while rig.board.state == "run":
        rig.board.turn()
    assert clock.ticks_diff(rig.chip.t_us, before_us) < 200_000
    rig.learn(mean_us=500, late_us=1_000_000)
    fed = rig.chip.fed
    rig.turns(10)
    assert 9 <= rig.chip.fed - fed <= 11


def test_a_flood_of_commands_does_not_starve_the_watchdog():
    rig = Rig()
    rig.chip.look_us = 500
    rig.learn()
    fed, until = rig.chip.fed, clock.ticks_add(rig.chip.t_us, 10_000_000)
    while clock.ticks_diff(until, rig.chip.t_us) > 0:
        rig.port.incoming.append(["hello", 1])
        rig.board.turn()
        rig.port.waiting.clear()
    assert 9 <= rig.chip.fed - fed <= 11


@pytest.mark.parametrize("idle_s", [1, 600])
def test_the_led_blinks_in_hold_however_long_the_run_was(idle_s):
    rig = Rig()
    rig.learn()
    rig.turns(idle_s)
    rig.ok("hold")
    rig.chip.lit.clear()
    rig.turns(10)
    assert 16 <= len(rig.chip.lit) <= 21


def test_ctrl_c_twice_does_not_leave_the_watchdog_alone():
    """mpremote and people press it again at once."""
    rig = Rig()
    rig.learn()
    stand_down = rig.chip.stand_down
    again = iter([1, 1])

    def interrupted():
        raise KeyboardInterrupt

    def interrupted_twice():
        for _ in again:
            raise KeyboardInterrupt
        stand_down()

    rig.port.hear = interrupted
    rig.chip.stand_down = interrupted_twice
    rig.board.run()
    assert rig.board.state == "hold" and rig.chip.stood_down


def test_a_reset_waits_for_a_host_that_does_not_read_but_not_for_ever():
    rig = Rig()
    rig.port.pump = lambda: None
    rig.port.incoming.append(["reset", 1])
    rig.turns(0.9)
    assert not rig.chip.resets
    rig.turns(0.3)
    assert rig.chip.resets


def test_a_run_that_cannot_begin_leaves_hold():
    rig = Rig()

    def broken():
        raise OSError(5)

    rig.chip.arm = broken
    rig.ok("prepare", 5)
    rig.ok("edge", 0, armed(5, 0, 1000, 100, 0, 0, 0, 1, 1, 0))
    assert rig.no("run", 5) == "5"
    assert rig.status()["state"] == "hold" and rig.status()["run"] == 0


def taught(rig, run_id=5, silence_ms=5000, **more):
    """Learning with several examples: without a word of the supervisor no longer than so long."""
    rig.learn(run_id, **more)
    rig.ok("hold")
    rig.ok("prepare", run_id)
    for i in range(len(rig.role.edges)):
        rig.ok("edge", i, armed(run_id, clock.EXPONENTIAL, 100_000, 10_000, 0, 0, 0, 3, 4, i))
    rig.ok("run", run_id, silence_ms)


def test_a_board_holds_by_itself_where_the_supervisor_is_not_heard_of():
    """And says so, and goes on with what it has when it is told to: it counts on, from the tap that it has."""
    rig = Rig()
    taught(rig)
    for ago_ms in (0, 0, 500):
        rig.turns(4)
        rig.ok("heard", ago_ms)
    rig.turns(4)
    assert rig.board.state == "run"
    rig.turns(2.5)  # 500 ms more had passed, and it looks every second
    status = rig.status()
    assert (status["state"], status["run"], status["reason"]) == ("hold", 5, "no word of the supervisor for 5000 ms")
    fired, tap = rig.row()["firings"], rig.row()["tap"]
    assert fired > 100
    rig.turns(600)
    assert rig.row()["firings"] == fired
    rig.ok("run", 5, 5000)
    rig.turns(3)
    assert rig.board.state == "run" and rig.row()["firings"] > fired
    assert abs(rig.row()["tap"] - tap) <= rig.row()["firings"] - fired
    rig.ok("hold")
    assert rig.status()["run"] == 0 and rig.no("run", 5) == "prepared for run 0"


@pytest.mark.parametrize("silence_ms", [0, 5000])
def test_word_of_the_supervisor_that_comes_late_or_twice_makes_nothing_younger(silence_ms):
    rig = Rig()
    taught(rig, silence_ms=silence_ms)
    rig.turns(3)
    for ago_ms in (2000, 500_000, 100, 2000):
        rig.ok("heard", ago_ms)
    rig.turns(4.5)
    assert rig.board.state == "run"
    for _ in range(20):
        rig.ok("heard", 400_000)
        rig.turns(1)
    assert rig.board.state == ("hold" if silence_ms else "run")
    assert rig.no("heard", -1) == rig.no("run", 5, 500_001) == "time outside 0..500000 ms"


def test_the_word_of_the_supervisor_is_no_trigger():
    """It makes no two edges act together (law 4), for no firing depends on when it comes or on what it says.

    A board that hears it at odd moments, one that hears it at others and one that never does fire at the same times, to
    the microsecond, each by its own clock. Where it fails to come nothing fires: a board stops, as it would without
    power, by its own time; two that heard it at different moments stop at different moments.
    """
    fired, stopped_us = [], []
    for offset in (0.3, 0.7, None):
        rig = Rig(edges=2)
        taught(rig, silence_ms=0 if offset is None else 5000)
        rig.ok("report", 100, 1)
        for second in range(8):
            rig.turns(offset or 0.5)
            if offset:
                rig.ok("heard", 100 * second)
            rig.turns(1 - (offset or 0.5))
        fired.append([row for line in rig.told("firings") for row in line[3:]][:100])
        while offset and rig.board.state == "run":
            rig.board.turn()
        stopped_us.append(rig.chip.t_us)
    assert len(fired[0]) == 100
    assert fired[0] == fired[1] == fired[2]
    assert stopped_us[0] != stopped_us[1]
