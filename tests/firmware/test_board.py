"""The loop of a board: what comes first, HOLD and RUN, who is answered what."""

import pytest

from clockfree_board import clock
from clockfree_board.link import EDGE_ROW, NUMBERS, VERSION
from tests.firmware.rig import Rig, armed


def test_boots_into_hold_and_fires_nothing():
    rig = Rig()
    rig.turns(60)
    assert rig.status()["state"] == "hold"
    assert rig.row()["firings"] == 0 and rig.chip.pulses == 0 and not rig.chip.armed
    assert rig.no("run", 5) == "prepared for run 0"


def test_runs_only_with_the_run_id_it_was_prepared_for():
    rig = Rig(edges=2)
    assert rig.no("edge", 0, armed(5, 0, 1000, 100, 0, 0, 0, 1, 1, 0)) == "prepared for run 0"
    rig.ok("prepare", 5)
    assert rig.no("edge", 0, armed(6, 0, 1000, 100, 0, 0, 0, 1, 1, 0)) == "prepared for run 5"
    rig.ok("edge", 0, armed(5, 0, 1000, 100, 0, 0, 0, 1, 1, 0))
    assert rig.no("run", 6) == "prepared for run 5"
    assert rig.no("run", 5) == "edge 1 is not set up"
    rig.ok("edge", 1, armed(5, 0, 1000, 100, 0, 0, 0, 1, 1, 1))
    rig.ok("run", 5)
    rig.ok("run", 5)  # retried
    assert rig.no("run", 6) == "running 5"
    assert rig.status()["run"] == 5
    rig.ok("hold")
    assert rig.no("run", 5) == "prepared for run 0"


def test_what_is_due_comes_before_commands():
    rig = Rig()
    rig.learn(kind=clock.PERIODIC)
    rig.turns(1)
    due_us = rig.role._due_us[0]
    rig.chip.t_us = due_us
    before = rig.role.edges[0].firings
    rig.port.incoming.append(["hold", 9])
    rig.board.turn()
    assert rig.role.edges[0].firings == before + 1


def test_a_board_without_a_role_says_why_and_does_nothing():
    rig = Rig(role=None)
    hello = rig.ok("hello")[0]
    assert (hello["role"], hello["state"], hello["reason"], hello["can"]) == (None, "hold", "no good", {})
    assert rig.no("prepare", 5) == rig.no("run", 5) == "no good"
    assert rig.no("tap", 0, 5) == "unknown command"
    rig.ok("hold")
    assert rig.status()["reason"] == "no good"


def test_an_edge_that_raises_ends_in_hold_with_the_reason():
    rig = Rig()
    rig.learn()

    def broken():
        raise OSError(5)

    rig.role.edges[0]._look = lambda gate: broken()
    rig.turns(3)
    status = rig.status()
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
        ["edge", 1, 0, armed(None, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
        ["hello", 1, 2],
        ["prepare", 1, NUMBERS],
        ["prepare", 1, "x"],
        ["ok", 1],
        ["null", 1, 0],
        ["report", 1, "x", 0],
    ],
)
def test_nonsense_is_refused_and_changes_nothing(message):
    rig = Rig()
    rig.port.incoming.append(message)
    rig.board.turn()
    rig.port.pump()
    assert all(reply[0] == "no" and reply[2] for reply in rig.port.sent)
    assert len(rig.port.sent) == (len(message) > 1 and message[1] == 1)
    assert rig.row()["tap"] == 64 == rig.pots[0].wipers[0]
    assert rig.no("run", 1)


def test_a_command_that_comes_just_before_a_firing_waits_for_it():
    rig = Rig()
    rig.learn(kind=clock.PERIODIC)
    due_us = rig.role._due_us[0]
    rig.port.listen = lambda wait_ms: None
    rig.chip.t_us = clock.ticks_add(due_us, -30_000)
    rig.board.turn()  # it listens
    rig.chip.t_us = clock.ticks_add(due_us, -2000)
    rig.port.incoming.append(["hello", 1])
    before = rig.role.edges[0].firings
    while rig.port.incoming:
        rig.board.turn()
    assert rig.role.edges[0].firings == before + 1


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("tap", (0, 50.5)),
        ("edge", (0, armed(5, 0, 1000, 100, 0.5, 0, 0, 1, 1, 0))),
        ("report", (0.5, 0)),
        ("prepare", (1.5,)),
    ],
)
def test_fractions_are_refused_and_change_nothing(kind, fields):
    rig = Rig()
    rig.ok("prepare", 5)
    assert rig.no(kind, *fields).startswith("expected whole numbers")
    assert rig.row()["tap"] == 64 == rig.pots[0].wipers[0]
    assert rig.no("run", 5) == "edge 0 is not set up"


def test_a_status_carries_what_tells_how_a_board_fares():
    """The list at the end of HARDWARE: firings to decision age and readback errors of each edge, and who says so."""
    rig = Rig(edges=2)
    rig.learn()
    status = rig.status()
    assert {"state", "run", "boot", "reason", "version", "config", "t_us", "lost", "edges"} == status.keys()
    assert (status["boot"], status["version"], status["config"]) == (77, VERSION, "c0ffee")
    assert {"firings", "up", "down", "rail", "dropped", "skipped", "age_us", "errors", "seed_low", "seed_high"} < {
        *EDGE_ROW
    }
    assert all(len(row) == len(EDGE_ROW) for row in status["edges"])
