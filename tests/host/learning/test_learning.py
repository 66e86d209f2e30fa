"""A run on boards, step by step: what is kept, and who is taken in again, whatever comes between two questions."""

import numpy as np
import pytest

from clockfree.learning import learning as module
from clockfree.learning.arming import Member
from clockfree.learning.events import MOST_TEXTS
from clockfree.learning.grouping import Grouping
from clockfree_board import clock
from clockfree_board.link import EDGE_ROW
from clockfree_model.parts import POTS
from clockfree_sim.world.world import World
from tests.firmware.rig import Rig
from tests.host.rigs import RUN_ID, RigSession, Run


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(module, "END_S", 0.05)
    run = Run()
    run.learning.start()
    return run


def counted(rig):
    return [row[1] for row in rig.status()["edges"]]


def test_a_board_that_was_in_hold_is_armed_again_and_goes_on_counting(run):
    board = run.boards[1]
    board.rig.turns(3)
    run.hear(board)
    before = counted(board.rig)
    assert run.firings()[2:] == before and min(before) > 10
    board.rig.ok("hold")
    run.hear(board)
    run.fleet.go_on()
    run.learning.turn(0.0)
    assert board.rig.status()["state"] == "run" and run.firings()[2:] == before
    board.rig.turns(3)
    run.hear(board)
    assert run.firings()[2:] == [a + b for a, b in zip(before, counted(board.rig), strict=True)]
    assert "restart" in run.events()


def test_what_is_fired_until_the_hold_counts_when_a_board_is_armed_again(run):
    """Between its first answer and HOLD a board in RUN goes on; its chips stand where it says after that."""
    board = run.boards[1]
    board.rig.role.edges[0].pots.tap = -1  # its chip did not answer
    run.hear(board)
    board.meanwhile["hold"] = lambda: board.rig.turns(3)
    run.fleet.go_on()
    run.learning.turn(0.0)
    stood = [pot.wipers[0] for pot in board.rig.pots]
    assert min(stood) < 50
    assert run.firings()[3:] == [64 - tap for tap in stood[1:]]
    assert run.learning.tally.taps[3:].tolist() == stood[1:]
    assert counted(board.rig) == [0, 0, 0]


@pytest.mark.parametrize("moment", ["status", "hello", "report", "hold", "prepare", "tap", "edge", "run"])
@pytest.mark.parametrize("late", [False, True])
def test_a_board_that_comes_back_as_the_run_ends_is_in_hold(run, moment, late):
    """The end comes while it is being taken in, between any two questions; and may be over before the next of them."""
    board = run.boards[1]
    board.rig.turns(3)
    run.hear(board)
    before = run.firings()
    board.rig.ok("hold")
    run.hear(board)
    board.meanwhile[moment] = run.learning.finish if late else run.learning.hold
    run.fleet.go_on()
    if not late:
        run.learning.finish()
    assert [session.rig.status()["state"] for session in run.fleet.sessions] == ["hold"] * 3
    assert run.firings()[2:] == before[2:]
    assert run.learning.journal.failures == []


def test_a_board_that_is_still_being_asked_at_the_end_is_not_waited_for_long(run):
    run.boards[1].rig.ok("hold")
    run.hear(run.boards[1])  # and nobody lets it go on
    run.learning.finish()
    assert run.boards[1].rig.status()["state"] == "hold"


def test_a_reset_just_before_the_end_is_said(run):
    board = run.boards[0]
    board.rig.turns(3)
    run.hear(board)
    before = run.firings()
    board.rig.chip.boot += 1
    run.learning.finish()
    assert run.firings()[:2] == before[:2] and "reset" in run.events()


@pytest.mark.parametrize("pot", [name for name, part in POTS.items() if part.reads_back and part.forgets])
def test_what_was_learnt_comes_back_after_a_loss_of_power(monkeypatch, pot):
    """Chips that lost their power stand at their own start tap, and read back as if nothing were wrong."""
    monkeypatch.setattr(module, "END_S", 0.05)
    run = Run(pot=pot)
    run.learning.start()
    board = run.boards[0]
    board.rig.turns(3)
    run.hear(board)
    learnt = run.learning.tally.taps[:2].tolist()
    assert max(learnt) < 50
    rig = Rig(edges=2, start_us=123_000_000, pot=pot)
    rig.chip.boot = board.rig.chip.boot + 1
    assert [pot.wipers[0] for pot in rig.pots] == [POTS[pot].start_tap] * 2
    board.put(rig)
    run.hear(board)
    run.fleet.go_on()
    run.learning.turn(0.0)
    assert [pot.wipers for pot in rig.pots] == [[tap, tap] for tap in learnt]
    (restart,) = [event for event in run.learning.sample().events if event["event"] == "restart"]
    assert restart["restored"] == [0, 1]


@pytest.fixture
def traced(monkeypatch):
    monkeypatch.setattr(module, "END_S", 0.05)
    run = Run(trace=True)
    run.learning.start()
    return run


def reset(run, number):
    """A board that has been reset, with its chips as they were, and ticks that begin anew."""
    session = run.boards[number]
    taps = [pot.wipers[0] for pot in session.rig.pots]
    rig = Rig(edges=len(taps), start_us=123_000_000)
    rig.chip.boot = session.rig.chip.boot + 1
    for pot, edge, tap in zip(rig.pots, rig.role.edges, taps, strict=True):
        pot.wipers[:] = [tap, tap]
        edge.pots.adopt()
    session.put(rig)
    return session


def told(run, session):
    """Its firings so far are heard by the host."""
    session.rig.turns(0.5)
    messages = session.rig.told("firings")
    session.rig.port.sent.clear()
    for message in messages:
        run.tell(session, "heard", message)
    return sum(len(message) - 3 for message in messages)


def test_firings_told_before_the_host_knows_of_the_new_clock_get_its_times(traced):
    """The telemetry after a reset can overtake the news that the board was armed again."""
    run = traced
    session = reset(run, 0)
    run.tell(session, "rebooted", 78)
    run.fleet.go_on()
    news = run.fleet.events.get_nowait()
    assert news[1] == "joined"
    count = told(run, session)
    assert count > 2
    run.fleet.events.put(news)
    run.learning.turn(0.0)
    sample = run.learning.sample()
    times_s = [t_us / 1e6 for _, t_us, *_ in sample.trace]
    assert len(times_s) == count and all(-1 < t_s < 60 for t_s in times_s)


@pytest.mark.parametrize("was_reset", [True, False])
def test_a_board_that_is_lost_while_it_is_armed_is_armed_from_the_start(traced, was_reset):
    """RUN was heard, the reply to what was asked after it never came: it runs, and nobody knows its clock."""
    run = traced
    session = reset(run, 0) if was_reset else run.boards[0]
    session.rig.ok("hold")
    asked, ask = [], session.ask

    def asking(kind, *arguments, **more):
        asked.append(kind)
        session.up = not (kind == "status" and "run" in asked)  # the first question after RUN
        return ask(kind, *arguments, **more)

    session.ask = asking
    run.hear(session)
    run.fleet.go_on()
    run.fleet.events.put((session, "heard", ["firings", 1, 0, [0, 123_000_500, 0, 1, -1, 63]]))
    news = run.fleet.events.get_nowait()
    run.learning.turn(0.0)
    run.fleet.events.put(news)
    run.learning.turn(0.0)
    assert session.rig.status()["state"] == "run"
    sample = run.learning.sample()
    assert [event["event"] for event in sample.events][-2:] == ["away", "gap"] and not sample.trace

    session.ask, session.up = ask, True
    run.tell(session, "back", 1.0)
    run.fleet.go_on()
    run.learning.turn(0.0)
    events = run.events()
    assert "restart" in events and "clock" in events
    assert told(run, session) == len(run.learning.sample().trace) > 0


def test_nonsense_is_said_a_few_times_and_does_no_harm(run):
    for _ in range(200):
        run.tell(run.boards[0], "heard", ["edges", 1])
        run.tell(run.supervisor, "heard", ["readings", 1, 1, 0, [[]]])
    assert len(run.said) == 2 * MOST_TEXTS
    run.boards[0].rig.turns(3)
    run.hear(run.boards[0])
    assert min(run.firings()[:2]) > 10


def test_readings_from_before_a_board_was_away_say_nothing_of_what_was_measured_after_it(run):
    """Nor what was read while it was: nobody tells where its wipers go."""
    board, read = run.boards[1], (np.zeros((1, 1)), np.zeros(5))
    run.learning.told.append(read)
    run.tell(board, "gone", "unplugged")
    assert not run.learning.told
    run.learning.told.append(read)
    run.tell(board, "back", None)
    run.fleet.go_on()
    run.learning.turn(0.0)
    assert not run.learning.told


def test_what_nobody_tells_is_not_known_and_is_remembered(run):
    """Taps of a board that is away may go anywhere; the last ones are what its chips get back if they forget."""
    board = run.boards[1]
    known = run.learning.sample().taps.tolist()
    run.tell(board, "gone", "unplugged")
    assert run.learning.sample().taps.tolist() == [*known[:2], -1, -1, -1]
    assert run.learning.saved()["taps"] == known
    run.tell(board, "back", None)
    assert run.learning.sample().taps.min() == -1  # it is being asked
    run.fleet.go_on()
    run.learning.turn(0.0)
    assert run.learning.sample().taps[2:].tolist() == [pot.wipers[0] for pot in board.rig.pots]


@pytest.mark.parametrize("what", ["gone", "rebooted"])
def test_outputs_are_not_known_from_the_moment_at_which_the_supervisor_is_away_or_begins_anew(run, what):
    run.tell(run.supervisor, "heard", ["readings", 1, 1, 0, [[2000]]])
    assert np.isfinite(run.learning.sample().error_V2)
    run.tell(run.boards[1], what, 1)
    assert np.isfinite(run.learning.sample().error_V2)  # the edges have changed, and it reads on
    run.tell(run.supervisor, what, 1)
    assert np.isnan(run.learning.sample().error_V2)


def test_after_this_computer_stood_still_outputs_are_not_known_until_they_are_read_again(run):
    reading = ["readings", 1, 1, 0, [[2000]]]
    run.learning._turned_s -= 5.0
    run.tell(run.supervisor, "heard", reading)  # it lay at the port meanwhile
    assert "stood" in run.events() and np.isnan(run.learning.sample().error_V2)
    run.tell(run.supervisor, "heard", reading)
    assert np.isfinite(run.learning.sample().error_V2)


def test_a_board_that_holds_at_once_each_time_is_asked_less_and_less_often(run):
    board = run.boards[0]
    for _ in range(20):
        board.rig.ok("hold")
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
    assert run.boards[0].rig.status()["run"] == RUN_ID


def test_an_edge_that_fires_too_rarely_is_said_and_one_that_was_not_heard_lately_is_not(run):
    session, member = run.boards[0], run.members[1]
    session.rig.turns(30)
    run.hear(session)
    for heard_s, said in ((30.0, []), (300.0, ["silent", "silent"])):
        session.heard_s = member.armed_s + heard_s
        found = run.learning._complaints.look(
            run.learning.tally, run.learning.pace, [member], 0, run.learning._outputs_V
        )
        assert [event for event, *_ in found if event == "silent"] == said


@pytest.mark.parametrize(
    ("takes_us", "strict", "said"),
    [
        (6_000, True, []),  # the largest supervisor
        (14_000, True, []),
        (19_500, True, []),  # no time is left, and it is told all the same
        (30_000, True, [("behind", False)]),
        (50_000, True, [("behind", True)]),
        (50_000, False, [("behind", False)]),
    ],
)
def test_a_supervisor_that_is_too_slow_for_its_dwell_is_said(takes_us, strict, said):
    """Of 20 ms. What it tells is what its board tells, each change of example taking so long."""
    run = Run(strict=strict)
    supervisor, rig = run.members[0], run.supervisor.rig

    class Slowly(list):
        def __getitem__(self, channel):
            rig.chip.sleep_us(takes_us)
            return super().__getitem__(channel)

    rig.codes = Slowly([100])
    run.learning.start()
    for second in range(1, 13):
        rig.turns(1)
        for message in rig.told("shown")[-1:]:
            run.tell(run.supervisor, "heard", message)
        run.supervisor.heard_s = supervisor.armed_s + second
    found = run.learning._complaints.look(
        run.learning.tally, run.learning.pace, [supervisor], 0, run.learning._outputs_V
    )
    assert [(event, failed) for event, _, _, failed in found] == said


def test_a_supervisor_that_went_on_without_us_is_not_behind():
    run = Run()
    supervisor, rig = run.members[0], run.supervisor.rig
    run.learning.start()
    run.tell(run.supervisor, "gone", "unplugged")
    rig.turns(30)
    run.tell(run.supervisor, "back", None)
    run.fleet.go_on()
    run.learning.turn(0.0)
    run.supervisor.heard_s = supervisor.armed_s + 30
    assert run.events() == ["away", "back"]
    look = (run.learning.tally, run.learning.pace, [supervisor], 0, run.learning._outputs_V)
    assert not [*run.learning._complaints.look(*look)]
    run.supervisor.heard_s += 30  # and tells nothing
    ((event, text, *_),) = run.learning._complaints.look(*look)
    assert event == "behind" and "has told of 150" in text and "about 2900 were due" in text


def test_every_edge_of_a_board_has_the_rate_that_it_has_in_the_simulation():
    run = Run(decades=2.0)
    world = World(run.job)
    edges = [edge for session in run.boards for edge in session.rig.role.edges]
    mean_us = [edge.clock[clock.MEAN] << edge.clock[clock.SHIFT] for edge in edges]
    assert len(set(mean_us)) == 5 and max(mean_us) > 3 * min(mean_us)
    for own, simulated in zip(edges, (board.edge for board in world.boards), strict=True):
        assert own.late_us == simulated.late_us
        names = (clock.KIND, clock.MEAN, clock.SHIFT)
        assert [own.clock[name] for name in names] == [simulated.clock[name] for name in names]


def test_an_edge_that_is_slow_by_its_rate_is_not_too_slow():
    run = Run(decades=2.0)
    run.learning.start()
    for session, member in zip(run.boards, run.members[1:], strict=True):
        session.rig.turns(60)
        run.hear(session)
        session.heard_s = member.armed_s + 60
    assert max(run.firings()) > 3 * min(run.firings())
    complaints = run.learning._complaints
    told = run.learning.tally, run.learning.pace
    assert not [*complaints.look(*told, run.members[1:], 0, run.learning._outputs_V)]


def row_of(board, place=0, **changed):
    """What a board tells of its edges, with something of one of them changed."""
    status = board.rig.status()
    told = dict(zip(EDGE_ROW, status["edges"][place], strict=True)) | changed
    status["edges"][place] = list(told.values())
    return status


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"firings": 10**9}, "firings where about"),
        ({"firings": -(10**9)}, "a count below 0"),
        ({"up": -1}, "a count below 0"),
        ({"tap": 128}, "tap 128"),
        ({"tap": -2}, "tap -2"),
        ({"firings": "many"}, "whole numbers"),
        ({"tap": 1.5}, "whole numbers"),
        ({"dropped": True}, "whole numbers"),
    ],
)
def test_a_board_that_tells_what_cannot_be_is_named_and_left_out(run, changed, said):
    """It ends no run, neither at once nor never; nor does it move a number of the others."""
    run.learning._due = lambda member: np.full(len(member.edges), 30.0)
    liar, honest = run.boards
    for board in run.boards:
        board.rig.turns(3)
        run.hear(board)
    before = run.firings()
    assert min(before) > 10
    run.tell(liar, "heard", ["status", 1, row_of(liar, 1, **changed)])
    assert run.firings() == before
    (event,) = [event for event in run.learning.sample().events if event["event"] == "impossible"]
    assert said in event["text"] and event["board"] == liar.name and event["failed"]
    honest.rig.turns(1)
    run.hear(honest)
    run.hear(liar)  # whatever it tells later
    assert run.firings()[:2] == before[:2] and sum(run.firings()[2:]) > sum(before[2:])
    assert run.learning.updates == np.mean(run.firings()[2:])
    assert len(run.learning.journal.failures) == 1


def test_a_board_that_says_hold_and_goes_on_fails_the_run(run):
    board = run.boards[0]
    board.rig.role.edges[0].pots.tap = 50
    real = board.ask

    def ask(kind, *arguments, within_s=8.0):
        reply = real(kind, *arguments, within_s=within_s)
        return [{**reply[0], "state": "run"}] if kind == "status" else reply

    board.ask = ask
    run.learning.finish()
    (failure,) = run.learning.journal.failures
    assert board.name in failure and "goes on" in failure
    assert "unheld" in run.events()


@pytest.mark.parametrize("which", ["supervisor", "edge", "away"])
def test_what_is_measured_across_a_reset_is_not_taken(run, which):
    bench = run.board_bench()
    bench._learning = run.learning
    session = run.supervisor if which == "supervisor" else run.boards[0]
    run.learning.finish()
    assert run.learning.stayed()
    if which == "away":
        session.up = False
    else:
        session.rig.chip.boot += 1
    assert not run.learning.stayed()
    (event,) = [event for event in run.learning.sample().events if event["event"] == "reset"]
    assert "not taken" in event["text"] and event["board"] == session.name
    run.learning.outputs_unknown()
    assert np.isnan(run.learning.sample().measured_error_V2)


def several(front_end="comparator"):
    """A run with two examples."""
    run = Run(front_end=front_end, examples=2)
    run.learning.start()
    return run


def silent(run):
    """The supervisor is heard of no more, and each edge board has held by itself."""
    run.supervisor.silent = True
    for board in run.boards:
        board.rig.turns(7)
        run.hear(board)
    run.learning._looked_s = 0.0
    run.learning.turn(0.0)


def test_boards_that_hold_in_silence_go_on_when_the_supervisor_is_heard_of():
    run = several()
    silent(run)
    assert [board.rig.status()["state"] for board in run.boards] == ["hold", "hold"]
    before = [counted(board.rig) for board in run.boards]
    run.fleet.go_on()  # nobody is asked to go on
    assert np.isnan(run.learning.sample().error_V2)
    assert [board.asked.count("run") for board in run.boards] == [1, 1]
    run.tell(run.boards[0], "back", 1.0)  # nor is one that comes back meanwhile
    run.fleet.go_on()
    assert run.boards[0].asked.count("run") == 1

    run.supervisor.silent = False
    run.learning._looked_s = 0.0
    run.learning.turn(0.0)
    run.fleet.go_on()
    run.learning.turn(0.0)
    for board, counts in zip(run.boards, before, strict=True):
        board.rig.turns(3)
        run.hear(board)
        assert board.rig.status()["state"] == "run" and board.asked.count("prepare") == 1
        assert min(np.array(counted(board.rig)) - counts) > 10
    assert run.firings() == [count for board in run.boards for count in counted(board.rig)]
    held = [event for event in run.learning.sample().events if event["event"] == "held"]
    assert [event["board"] for event in held if "board" in event] == [board.name for board in run.boards]


def test_with_one_example_edges_go_on_without_the_supervisor_and_its_readings_are_not_shown(run):
    silent(run)
    assert [board.rig.status()["state"] for board in run.boards] == ["run", "run"]
    run.tell(run.supervisor, "gone", "unplugged")
    sample = run.learning.sample()
    assert np.isnan(sample.error_V2) and np.isnan(sample.measured_error_V2)
    (away,) = [event for event in sample.events if event["event"] == "away"]
    assert "learning goes on without it" in away["text"]


def test_time_in_hold_is_none_in_which_an_edge_ran_and_nobody_is_said_to_be_slow_for_it(run):
    """Over a bad cable: of a board that holds by itself, telemetry arrives, and for a while no status."""
    board, member, pace = run.boards[0], run.members[1], run.learning.pace

    def tell(second, fired):
        row = [64, fired, *[0] * (len(EDGE_ROW) - 2)]
        run.tell(board, "heard", ["edges", second, second * 1_000_000, member.boot, 0, [row, row]])

    def slow():
        found = run.learning._complaints.look(run.learning.tally, pace, [member], 0, run.learning._outputs_V)
        return [event for event, *_ in found if event == "silent"]

    for second in range(20):
        tell(second, 10 * min(second, 3))
    assert pace.of(0) == (30, 3.0) and not slow()  # it may be in HOLD
    pace.restart(member)  # it was
    assert pace.of(0) == (30, 3.0)
    for second in range(20, 24):
        tell(second, 10 * second - 170)
    assert pace.of(0) == (60, 6.0) and not slow()
    for second in range(24, 40):
        tell(second, 60)
    run.hear(board)  # it says RUN
    assert pace.of(0) == (60, 22.0) and slow() == ["silent"] * 2


@pytest.mark.parametrize(("boards", "lines"), [(2, 2), (16, 1)])
def test_what_many_boards_have_at_once_is_one_line(boards, lines):
    run = Run()
    journal = run.learning.journal
    members = [
        Member(RigSession(run.bench, board, Rig(edges=2)), [k % 5])
        for k, board in enumerate([run.bench.boards[0]] * boards)
    ]
    grouping = Grouping(journal)
    for k, member in enumerate(members):
        grouping.add("dropped", f"edge {k}: its board is too busy", member, False, now_s=100 + 0.1 * k)
    grouping.say(101.9)
    assert not run.said
    grouping.say(102.0)
    found = [event for event in run.learning.sample().events if event["event"] == "dropped"]
    assert len(run.said) == len(found) == lines
    if boards > 2:
        assert "16 boards at once" in run.said[0] and "and 13 more; of the first: edge 0: its board" in run.said[0]
        assert len(found[0]["boards"]) == len(found[0]["edges"]) == 16
