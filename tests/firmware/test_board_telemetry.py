"""What a board tells: as often as asked, never when a firing is near, and what is lost is counted."""

import itertools
import json

import pytest

from clockfree_board import clock
from tests.firmware.rig import Rig


def test_telemetry_is_never_begun_while_a_firing_is_near():
    rig = Rig()
    rig.learn(kind=clock.PERIODIC)
    rig.ok("report", 10, 0)
    tell, left_us = rig.port.tell, []

    def told(pieces):
        left_us.append(clock.ticks_diff(rig.role._due_us[0], rig.chip.t_us))
        return tell(pieces)

    rig.port.tell = told
    rig.turns(30)
    assert len(left_us) > 1000
    assert min(left_us) > 1000


def test_reports_come_as_often_as_asked_and_stop_when_asked():
    rig = Rig()
    rig.learn()
    rig.ok("report", 100, 0)
    rig.turns(10)
    assert 95 <= len(rig.told("edges")) <= 101
    assert not rig.told("firings")
    rig.ok("report", 0, 0)
    count = len(rig.told("edges"))
    rig.turns(2)
    assert len(rig.told("edges")) == count
    assert rig.no("report", -1, 0) == "period outside 0..500000 ms"


def test_telemetry_that_finds_no_room_leaves_a_gap_in_the_numbers():
    rig = Rig()
    rig.learn()
    rig.ok("report", 100, 0)
    rig.turns(1)
    rig.port.pump = lambda: None  # the host reads no more
    rig.port.room = 5
    rig.turns(2)
    del rig.port.pump
    rig.port.pump()
    rig.port.room = 100
    rig.turns(1)
    numbers = [message[1] for message in rig.told("edges")]
    steps = [later - sooner for sooner, later in itertools.pairwise(numbers)]
    assert set(steps[:-12]) == {1} and max(steps) > 10
    assert rig.row()["firings"] > 20  # and the learning went on


def test_firings_that_nobody_fetches_are_counted_as_lost():
    rig = Rig()
    rig.learn()
    rig.turns(20)
    found = rig.status()
    assert found["lost"] == found["edges"][0][1] - 64 > 0
    rig.ok("report", 50, 1)
    rig.turns(1)
    lines = rig.told("firings")
    lost = rig.status()["lost"]
    assert lines[0][2] == lost >= found["lost"]
    assert all(len(line) <= 3 + 16 for line in lines)
    assert sum(len(line) - 3 for line in lines) == rig.row()["firings"] - lost - rig.role._count


@pytest.mark.parametrize(("step_us", "late"), [(900, False), (1900, True)])
def test_no_step_of_the_link_makes_a_firing_late_that_takes_less_than_a_millisecond(step_us, late):
    rig = Rig(edges=3)
    rig.learn(mean_us=20_000)
    pump = rig.port.pump

    def step():
        rig.chip.sleep_us(step_us)
        return pump()

    rig.port.pump = step
    rig.ok("report", 20, 1)
    rig.turns(5)
    assert (max(rig.role._late_us) > 0) == late
    assert len(rig.told("edges")) > 150


def test_firings_are_told_as_of_the_moment_the_report_began():
    """Else a board that fires faster than it can tell would tell nothing else any more."""
    rig = Rig()
    rig.learn()
    rig.turns(4)
    report = rig.role.report(rig.chip.t_us, 77, True)
    assert next(report)[0] == "edges"
    waiting = rig.role._count
    lines = []
    for _, pieces in report:
        rig.turns(1)
        lines.append(json.loads("[0" + "".join(pieces) + "]"))
    assert sum(len(line) - 2 for line in lines) == waiting > 16
    rig.ok("hold")
    report = rig.role.report(rig.chip.t_us, 77, True)
    next(report)
    next(report)
    rig.ok("prepare", 6)  # forgets what there was to tell
    assert list(report) == [] and rig.role._count == 0


def test_a_line_that_finds_no_memory_is_dropped_and_the_learning_goes_on():
    rig = Rig()
    rig.learn()
    rig.ok("report", 100, 0)
    report, failing = rig.role.report, iter([1, 1, 1])

    def short_of_memory(*about):
        for _ in failing:
            raise MemoryError
        yield from report(*about)

    rig.role.report = short_of_memory
    rig.turns(5)
    numbers = [message[1] for message in rig.told("edges")]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] == 3 and len(numbers) > 40
    assert rig.board.state == "run" and rig.row()["firings"] > 30
