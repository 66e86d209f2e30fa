"""The loop of a board: what comes first, HOLD and RUN, who is answered what."""

import pytest
from clockfree import clock
from clockfree.link import EDGE_ROW, NUMBERS, VERSION

from tests.firmware.desk import Desk


def test_boots_into_hold_and_fires_nothing():
    desk = Desk()
    desk.turns(60)
    assert desk.status()["state"] == "hold"
    assert desk.row()["firings"] == 0 and desk.chip.pulses == 0 and not desk.chip.armed
    assert desk.no("run", 5) == "prepared for run 0"


def test_runs_only_with_the_run_id_it_was_prepared_for():
    desk = Desk(edges=2)
    assert desk.no("edge", 0, 5, 0, 1000, 100, 0, 0, 0, 1, 1, 0) == "prepared for run 0"
    desk.ok("prepare", 5)
    assert desk.no("edge", 0, 6, 0, 1000, 100, 0, 0, 0, 1, 1, 0) == "prepared for run 5"
    desk.ok("edge", 0, 5, 0, 1000, 100, 0, 0, 0, 1, 1, 0)
    assert desk.no("run", 6) == "prepared for run 5"
    assert desk.no("run", 5) == "edge 1 is not set up"
    desk.ok("edge", 1, 5, 0, 1000, 100, 0, 0, 0, 1, 1, 1)
    desk.ok("run", 5)
    desk.ok("run", 5)  # retried
    assert desk.no("run", 6) == "running 5"
    assert desk.status()["run"] == 5
    desk.ok("hold")
    assert desk.no("run", 5) == "prepared for run 0"


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
        ["edge", 1, 0, None, 0, 0, 0, 0, 0, 0, 0, 0, 0],
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
    assert desk.row()["tap"] == 64 == desk.pots[0].wipers[0]
    assert desk.no("run", 1)


def test_a_command_that_comes_just_before_a_firing_waits_for_it():
    desk = Desk()
    desk.learn(kind=clock.PERIODIC)
    due_us = desk.role._due_us[0]
    desk.port.listen = lambda wait_ms: None
    desk.chip.t_us = clock.ticks_add(due_us, -50_000)
    desk.board.turn()  # it listens
    desk.chip.t_us = clock.ticks_add(due_us, -3000)
    desk.port.incoming.append(["hello", 1])
    before = desk.role.edges[0].firings
    while desk.port.incoming:
        desk.board.turn()
    assert desk.role.edges[0].firings == before + 1


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("tap", (0, 50.5)), ("edge", (0, 5, 0, 1000, 100, 0.5, 0, 0, 1, 1, 0)), ("report", (0.5, 0)), ("prepare", (1.5,))],
)
def test_fractions_are_refused_and_change_nothing(kind, fields):
    desk = Desk()
    desk.ok("prepare", 5)
    assert desk.no(kind, *fields) == "expected whole numbers"
    assert desk.row()["tap"] == 64 == desk.pots[0].wipers[0]
    assert desk.no("run", 5) == "edge 0 is not set up"


def test_a_status_carries_what_tells_how_a_board_fares():
    """The list at the end of HARDWARE: firings to decision age and readback errors of each edge, and who says so."""
    desk = Desk(edges=2)
    desk.learn()
    status = desk.status()
    assert {"state", "run", "boot", "reason", "version", "config", "t_us", "lost", "edges"} == status.keys()
    assert (status["boot"], status["version"], status["config"]) == (77, VERSION, "c0ffee")
    assert {"firings", "up", "down", "rail", "dropped", "skipped", "age_us", "errors", "seed_low", "seed_high"} < {
        *EDGE_ROW
    }
    assert all(len(row) == len(EDGE_ROW) for row in status["edges"])
