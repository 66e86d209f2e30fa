"""A run on boards, step by step: what is kept, and who is taken in again, whatever comes between two questions."""

import pytest
from clockfree_host import learning as module
from clockfree_host.journal import MOST_TEXTS

from tests.host.desks import RUN_ID, Run


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(module, "END_S", 0.05)
    run = Run()
    run.learning.start()
    return run


def counted(desk):
    return [row[1] for row in desk.status()["edges"]]


def test_a_board_that_was_in_hold_is_armed_again_and_goes_on_counting(run):
    board = run.boards[1]
    board.desk.turns(3)
    run.hear(board)
    before = counted(board.desk)
    assert run.firings()[2:] == before and min(before) > 10
    board.desk.ok("hold")
    run.hear(board)
    run.fleet.go_on()
    run.learning.turn(0.0)
    assert board.desk.status()["state"] == "run" and run.firings()[2:] == before
    board.desk.turns(3)
    run.hear(board)
    assert run.firings()[2:] == [a + b for a, b in zip(before, counted(board.desk), strict=True)]
    assert "restart" in run.events()


def test_what_is_fired_until_the_hold_counts_when_a_board_is_armed_again(run):
    """Between its first answer and HOLD a board in RUN goes on; its chips stand where it says after that."""
    board = run.boards[1]
    board.desk.role.edges[0].pots.tap = -1  # its chip did not answer
    run.hear(board)
    board.meanwhile["hold"] = lambda: board.desk.turns(3)
    run.fleet.go_on()
    run.learning.turn(0.0)
    stood = [pot.wipers[0] for pot in board.desk.pots]
    assert min(stood) < 50
    assert run.firings()[3:] == [64 - tap for tap in stood[1:]]
    assert run.learning.tally.taps[3:].tolist() == stood[1:]
    assert counted(board.desk) == [0, 0, 0]


@pytest.mark.parametrize("moment", ["status", "hello", "report", "hold", "prepare", "tap", "edge", "run"])
@pytest.mark.parametrize("late", [False, True])
def test_a_board_that_comes_back_as_the_run_ends_is_in_hold(run, moment, late):
    """The end comes while it is being taken in, between any two questions; and may be over before the next of them."""
    board = run.boards[1]
    board.desk.turns(3)
    run.hear(board)
    before = run.firings()
    board.desk.ok("hold")
    run.hear(board)
    board.meanwhile[moment] = run.learning.finish if late else run.learning.hold
    run.fleet.go_on()
    if not late:
        run.learning.finish()
    assert [session.desk.status()["state"] for session in run.fleet.sessions] == ["hold"] * 3
    assert run.firings()[2:] == before[2:]
    assert run.learning.journal.failures == []


def test_a_board_that_is_still_being_asked_at_the_end_is_not_waited_for_long(run):
    run.boards[1].desk.ok("hold")
    run.hear(run.boards[1])  # and nobody lets it go on
    run.learning.finish()
    assert run.boards[1].desk.status()["state"] == "hold"


def test_a_reset_just_before_the_end_is_said(run):
    board = run.boards[0]
    board.desk.turns(3)
    run.hear(board)
    before = run.firings()
    board.desk.chip.boot += 1
    run.learning.finish()
    assert run.firings()[:2] == before[:2] and "reset" in run.events()


def test_nonsense_is_said_a_few_times_and_does_no_harm(run):
    for _ in range(200):
        run.tell(run.boards[0], "heard", ["edges", 1])
        run.tell(run.supervisor, "heard", ["readings", 1, 1, 0, [[]]])
    assert len(run.said) == 2 * MOST_TEXTS
    run.boards[0].desk.turns(3)
    run.hear(run.boards[0])
    assert min(run.firings()[:2]) > 10


def test_a_board_that_holds_at_once_each_time_is_asked_less_and_less_often(run):
    board = run.boards[0]
    for _ in range(20):
        board.desk.ok("hold")
        run.hear(board)
        run.fleet.go_on()
        run.learning.turn(0.0)
    assert board.asked.count("run") == 3  # at the start, then at once, and once more; the next is seconds away


def test_what_a_board_said_before_run_is_in_the_log(monkeypatch):
    run = Run()
    run.fleet.events.put((run.boards[0], "heard", ["edges", 1, 0, 0, 0, []]))
    run.fleet.events.put((run.boards[0], "text", "MemoryError: no room"))
    run.learning.start()
    assert run.events() == ["text"] and "MemoryError: no room" in run.said[0]
    assert run.boards[0].desk.status()["run"] == RUN_ID
