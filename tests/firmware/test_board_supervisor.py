"""The supervisor's board: lessons, its own schedule, and what it measures."""

import pytest

from tests.firmware.rig import Rig


def teach(rig, number=1, run_id=5, examples=((1000, 2000, 3000), (0, 1, 2)), dwell_us=50_000):
    rig.ok("lesson", number, run_id, len(examples), 2, 0, dwell_us, 64, 1, 2, 16)
    for k, codes in enumerate(examples):
        rig.ok("example", number, k, list(codes))
    rig.ok("teach", number)


def test_the_supervisor_shows_its_lesson_on_its_own_schedule():
    rig = Rig(role="supervisor")
    assert rig.ok("hello")[0]["can"] == {"dac": 4, "mixers": 2, "adc": 8}
    rig.ok("prepare", 5)
    assert rig.no("run", 5) == "no lesson"
    teach(rig)
    rig.ok("run", 5)
    assert rig.clamped[-1] == 1
    rig.ok("report", 100, 0)
    rig.turns(1)
    assert 19 <= rig.told("shown")[-1][4] <= 21
    assert rig.told("readings")[-1][2:] == [1, 0, [[100, 200], [100, 200]]]
    assert [round(1000 * volts) for volts in rig.dac.outputs_V[:3]] in ([1000, 2000, 3000], [0, 1, 2])


def test_a_lesson_is_taught_whole_or_not_at_all_also_while_it_runs():
    rig = Rig(role="supervisor")
    rig.ok("prepare", 5)
    assert rig.no("teach", 1) == "lesson 1 was not begun"
    rig.ok("lesson", 1, 5, 2, 2, 0, 50_000, 64, 1, 2, 16)
    rig.ok("example", 1, 0, [1, 2, 3])
    assert rig.no("teach", 1) == "example 1 is missing"
    assert rig.no("example", 1, 2, [1]) == "example 2 outside 0..1"
    teach(rig)
    rig.ok("teach", 1)  # retried
    rig.ok("run", 5)
    rig.turns(1)
    teach(rig, number=2, examples=[(7, 8, 9)])
    rig.turns(1)
    assert [round(1000 * volts) for volts in rig.dac.outputs_V[:3]] == [7, 8, 9]
    assert rig.no("lesson", 3, 6, 2, 2, 0, 50_000, 64, 1, 2, 16) == "prepared for run 5"
    assert rig.no("lesson", 3, 5, 2, 9, 0, 50_000, 64, 1, 2, 16) == "9 outputs, 8 ADC channels"
    assert rig.no("lesson", 3, 5, 2, 2, 0, 50_000, 129, 1, 2, 16) == "eta outside 1..128"
    assert rig.no("show", [1]) == rig.no("clamp", 0) == rig.no("measure") == "in HOLD only"


def test_in_hold_the_supervisor_shows_and_measures_what_it_is_told():
    rig = Rig(role="supervisor")
    rig.ok("show", [500, 600])
    assert [round(1000 * volts) for volts in rig.dac.outputs_V[:2]] == [500, 600]
    assert rig.ok("measure") == [[100, 200]]
    rig.ok("clamp", 0)
    assert rig.clamped[-1] == 0
    assert rig.no("show", [5000]) == "code 5000 outside 0..4095"
    assert rig.no("show", [-1])


def test_many_readings_are_told_in_turn():
    rig = Rig(role="supervisor")
    rig.ok("prepare", 5)
    teach(rig, examples=[(i, 0, 0) for i in range(40)], dwell_us=10_000)
    rig.ok("run", 5)
    rig.ok("report", 100, 0)
    rig.turns(2)
    lines = rig.told("readings")
    assert [line[3] for line in lines[:4]] == [0, 16, 32, 0]
    assert [len(line[4]) for line in lines[:3]] == [16, 16, 8]


@pytest.mark.parametrize("codes", [[4096, 0, 0], [0, -1, 0], [65536 + 7, 0, 0]])
def test_codes_that_no_dac_has_are_refused_at_once(codes):
    """MicroPython's array would keep the last 16 bits of them."""
    rig = Rig(role="supervisor")
    rig.ok("prepare", 5)
    rig.ok("lesson", 1, 5, 1, 2, 0, 50_000, 64, 1, 2, 16)
    assert rig.no("example", 1, 0, codes) == "DAC codes outside 0..4095"
    assert rig.no("teach", 1) == "example 0 is missing"


def test_an_order_that_there_is_not():
    rig = Rig(role="supervisor")
    rig.ok("prepare", 5)
    assert rig.no("lesson", 1, 5, 1, 2, 3, 50_000, 64, 1, 2, 16) == "order outside 0..2"


def test_examples_of_different_lengths_are_refused():
    rig = Rig(role="supervisor")
    rig.ok("prepare", 5)
    rig.ok("lesson", 1, 5, 2, 2, 0, 50_000, 64, 1, 2, 16)
    rig.ok("example", 1, 0, [1, 2, 3])
    rig.ok("example", 1, 1, [1, 2])
    assert rig.no("teach", 1) == "examples need equally many codes"


# -- an overclamp ----------------------------------------------------------------------------------------------------

ASKED = [300, 0, 32, 16, -1]  # 300 codes; holds above two codes, lets go at one


def overclamp(rig, examples, **more):
    """Null at all points, and teach; the rig's ADC reads 7 codes too much on its second channel."""
    rig.ok("clamp", 0)
    for number in range(16):
        code = 128 + 256 * number
        rig.ok("show", [code])
        rig.codes[:] = code, code + 7
        assert rig.ok("null", number) == [[0, 112]]
    rig.ok("prepare", 5)
    for number in range(16):
        rig.ok("nulls", number, [0, 112])
    rig.ok("overclamp", 5, 10_000, ASKED)
    teach(rig, examples=examples, **more)


def test_an_overclamp_holds_what_is_off_and_lets_go_of_what_is_not():
    rig = Rig(role="supervisor")
    overclamp(rig, [(500, 1100, 2300)])
    rig.codes[:] = 1000, 2157  # 100 and 150 codes below what is desired
    before = len(rig.clamped)
    rig.ok("run", 5)
    rig.turns(0.5)
    assert rig.clamped[before:] == [0, 1]  # at first it has not looked yet
    assert [round(1000 * volts) for volts in rig.dac.outputs_V[:3]] == [500, 1000 + 200, 2150 + 300]
    status = rig.status()
    assert status["looks"] == status["holds"] and 45 <= status["looks"] <= 52 and status["shown"] == 11
    rig.codes[:] = 1101, 2307  # the second is as desired, the first a code off
    rig.turns(0.1)
    assert rig.clamped[-1] == 0
    status = rig.status()
    assert 8 <= status["looks"] - status["holds"] <= 12
    rig.ok("report", 100, 0)
    rig.turns(0.3)
    assert rig.told("readings")[-1][4] == [[1101, 2300]]
    rig.ok("hold")
    assert rig.ok("measure") == [[1101, 2300]]


def test_each_example_has_its_own_clamp():
    rig = Rig(role="supervisor")
    overclamp(rig, [(500, 1100, 2300), (600, 1001, 2150)], dwell_us=30_000)
    rig.codes[:] = 1000, 2157
    switched = len(rig.clamped)
    rig.ok("run", 5)
    rig.turns(0.6)
    assert rig.clamped[switched:] == [0] + [1, 0] * ((len(rig.clamped) - switched) // 2)
    assert 9 <= rig.clamped[switched:].count(1) <= 11  # the second is as desired


def test_a_supervisor_nudges_again_where_nobody_asks_for_an_overclamp():
    rig = Rig(role="supervisor")
    overclamp(rig, [(500, 1100, 2300)])
    rig.ok("prepare", 6)
    teach(rig, number=2, run_id=6)
    rig.ok("run", 6)
    assert rig.clamped[-1] == 1 and "looks" not in rig.status()
    rig.ok("hold")
    assert rig.ok("measure") == [rig.codes]


@pytest.mark.parametrize(
    ("asked", "refresh_us", "said"),
    [
        ([300, 0, 32, 16], 10_000, "expected 5 values, and a refresh within 1..536870911 us"),
        (ASKED, 0, "expected 5 values, and a refresh within 1..536870911 us"),
        ([0, *ASKED[1:]], 10_000, "0 outside 1..2048"),
        ([300, 2000, 32, 16, -1], 10_000, "2000 outside 0..1024"),
        ([300, 0, 32, 16, 129], 10_000, "129 outside -1..128"),
    ],
)
def test_what_an_overclamp_cannot_be_asked_for(asked, refresh_us, said):
    rig = Rig(role="supervisor")
    rig.ok("prepare", 5)
    assert rig.no("overclamp", 5, refresh_us, asked) == said
    assert rig.no("overclamp", 6, 10_000, ASKED) == "prepared for run 5"
    assert rig.no("null", 16) == "point outside 0..15"
    assert rig.no("nulls", 3, [1]) == "expected a point, and a value for each output"


def test_a_hinge_needs_classes():
    rig = Rig(role="supervisor")
    rig.ok("prepare", 5)
    rig.ok("overclamp", 5, 10_000, [300, 0, 32, 16, 0])
    rig.ok("lesson", 1, 5, 1, 2, 0, 50_000, 128, 1, 2, 16)
    rig.ok("example", 1, 0, [1, 2, 3])
    assert rig.no("teach", 1) == "a hinge is for 2 .. 32 classes, got 1"
