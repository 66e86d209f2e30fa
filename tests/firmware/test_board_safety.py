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
