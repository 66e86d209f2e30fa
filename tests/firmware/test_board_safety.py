"""What keeps a board safe: watchdog, Ctrl-C, a host that is gone, resets, and an LED that shows its state."""

import pytest
from clockfree import clock

from tests.firmware.desk import Desk


@pytest.mark.parametrize(("on_loss", "state"), [("learn", "run"), ("hold", "hold")])
def test_when_the_host_is_gone(on_loss, state):
    desk = Desk(config={"on_loss": on_loss, "loss_ms": 15_000})
    desk.learn()
    desk.turns(14)
    assert desk.board.state == "run"
    desk.turns(2000)  # beyond half a wrap, where a difference of ticks changes its sign
    assert desk.board.state == state
    assert desk.status()["reason"] == ("no word from the host for 15000 ms" if state == "hold" else "")


def test_a_board_that_has_no_pause_notices_that_the_host_is_gone():
    desk = Desk(edges=3, config={"on_loss": "hold", "loss_ms": 15_000})
    desk.chip.look_us = 300
    desk.learn(mean_us=500, late_us=1_000_000)
    desk.turns(14)
    assert desk.board.state == "run"
    desk.turns(3)
    assert desk.board.state == "hold"


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
    assert desk.board.state == "hold" and desk.chip.stood_down
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


def test_reset_waits_until_its_answer_is_gone_and_is_refused_in_run():
    desk = Desk()
    desk.learn()
    assert desk.no("reset") == "in HOLD only"
    desk.ok("hold")
    desk.ok("reset")
    desk.turns(1)
    assert desk.chip.resets


@pytest.mark.parametrize("idle_s", [0, 600, 900])
def test_the_watchdog_is_fed_however_long_the_board_was_up_before(idle_s):
    """600 s is more than half a wrap of the ticks, where a difference changes its sign."""
    desk = Desk()
    desk.turns(idle_s)
    desk.learn()
    for _ in range(10):
        before = desk.chip.fed
        desk.turns(3)
        assert desk.chip.fed - before in (2, 3, 4)


def test_a_board_that_has_no_pause_feeds_the_watchdog_and_hears_hold():
    desk = Desk(edges=3)
    desk.chip.look_us = 300
    desk.learn(mean_us=500, late_us=1_000_000)
    before_us = desk.chip.t_us
    desk.port.incoming.append(["hold", 1])
    while desk.board.state == "run":
        desk.board.turn()
    assert clock.ticks_diff(desk.chip.t_us, before_us) < 200_000
    desk.learn(mean_us=500, late_us=1_000_000)
    fed = desk.chip.fed
    desk.turns(10)
    assert 9 <= desk.chip.fed - fed <= 11


def test_a_flood_of_commands_does_not_starve_the_watchdog():
    desk = Desk()
    desk.chip.look_us = 500
    desk.learn()
    fed, until = desk.chip.fed, clock.ticks_add(desk.chip.t_us, 10_000_000)
    while clock.ticks_diff(until, desk.chip.t_us) > 0:
        desk.port.incoming.append(["hello", 1])
        desk.board.turn()
        desk.port.waiting.clear()
    assert 9 <= desk.chip.fed - fed <= 11


@pytest.mark.parametrize("idle_s", [1, 600])
def test_the_led_blinks_in_hold_however_long_the_run_was(idle_s):
    desk = Desk()
    desk.learn()
    desk.turns(idle_s)
    desk.ok("hold")
    desk.chip.lit.clear()
    desk.turns(10)
    assert 16 <= len(desk.chip.lit) <= 21


def test_ctrl_c_twice_does_not_leave_the_watchdog_alone():
    """mpremote and people press it again at once."""
    desk = Desk()
    desk.learn()
    stand_down = desk.chip.stand_down
    again = iter([1, 1])

    def interrupted():
        raise KeyboardInterrupt

    def interrupted_twice():
        for _ in again:
            raise KeyboardInterrupt
        stand_down()

    desk.port.messages = interrupted
    desk.chip.stand_down = interrupted_twice
    desk.board.run()
    assert desk.board.state == "hold" and desk.chip.stood_down


def test_a_reset_waits_for_a_host_that_does_not_read_but_not_for_ever():
    desk = Desk()
    desk.port.pump = lambda: None
    desk.port.incoming.append(["reset", 1])
    desk.turns(0.9)
    assert not desk.chip.resets
    desk.turns(0.3)
    assert desk.chip.resets


def test_a_run_that_cannot_begin_leaves_hold():
    desk = Desk()

    def broken():
        raise OSError(5)

    desk.chip.arm = broken
    desk.ok("prepare", 5)
    desk.ok("edge", 0, 5, 0, 1000, 100, 0, 0, 0, 1, 1, 0)
    assert desk.no("run", 5) == "5"
    assert desk.status()["state"] == "hold" and desk.status()["run"] == 0
