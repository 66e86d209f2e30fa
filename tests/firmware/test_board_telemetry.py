"""What a board tells: as often as asked, never when a firing is near, and what is lost is counted."""

import itertools

from clockfree import clock

from tests.firmware.desk import Desk


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
    assert desk.row()["firings"] > 20  # and the learning went on


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
    assert sum(len(line) - 3 for line in lines) == desk.row()["firings"] - lost - desk.role._count


def test_lines_are_told_one_at_a_time():
    """Each takes a Pico some ms, and between two of them a firing may fall due."""
    desk = Desk(edges=3)
    desk.learn(mean_us=20_000)
    desk.ok("report", 500, 1)
    desk.port.pump()
    told = 0
    for _ in range(2000):
        desk.port.sent.clear()
        desk.board.turn()
        desk.port.pump()
        assert len(desk.port.sent) <= 1
        told += len(desk.port.sent)
    assert told > 50


def test_firings_are_told_as_of_the_moment_the_report_began():
    """Else a board that fires faster than it can tell would tell nothing else any more."""
    desk = Desk()
    desk.learn()
    desk.turns(4)
    report = desk.role.report(desk.chip.t_us, 77, True)
    assert next(report)[0] == "edges"
    waiting = desk.role._count
    lines = []
    for line in report:
        desk.turns(1)
        lines.append(line)
    assert sum(len(line) - 2 for line in lines) == waiting > 16
    desk.ok("hold")
    report = desk.role.report(desk.chip.t_us, 77, True)
    next(report)
    next(report)
    desk.ok("prepare", 6)  # forgets what there was to tell
    assert list(report) == [] and desk.role._count == 0


def test_a_line_that_finds_no_memory_is_dropped_and_the_learning_goes_on():
    desk = Desk()
    desk.learn()
    desk.ok("report", 100, 0)
    report, failing = desk.role.report, iter([1, 1, 1])

    def short_of_memory(*about):
        for _ in failing:
            raise MemoryError
        yield from report(*about)

    desk.role.report = short_of_memory
    desk.turns(5)
    numbers = [message[1] for message in desk.told("edges")]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] == 3 and len(numbers) > 40
    assert desk.board.state == "run" and desk.row()["firings"] > 30
