"""Overclamping in integers, against the formulas in floating point."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clockfree_board.overclamp import POINTS, READS, aim, answered, nulled, point
from tests.firmware.smallint import Small

DRAWN = np.random.default_rng(0)


def aimed(free, desired, held=0, amplitude=372, gain=0, tolerance=40, release=10, hinge=-1, classes=()):
    """Codes that are held, or None; free outputs in c16, what is desired in codes, after two sources."""
    codes = [0] * len(free)
    asked = [amplitude, gain, tolerance, release, hinge]
    return codes if aim(asked, classes, free, [1, 2, *desired], 2, codes, held) else None


outputs = st.lists(st.tuples(st.integers(-100, 65700), st.integers(0, 4095)), min_size=1, max_size=8)


@settings(max_examples=50)
@given(outputs, st.integers(1, 2048), st.integers(0, 1024))
def test_the_output_furthest_off_is_held_by_the_amplitude_and_the_others_in_proportion(both, amplitude, gain):
    free, desired = (np.array(each) for each in zip(*both, strict=True))
    off = desired - free / 16  # codes
    codes = aimed(free.tolist(), desired.tolist(), 0, amplitude, gain, 0)
    worst = np.abs(off).max()
    if not worst:
        assert codes is None
        return
    times = min(gain / 16 or np.inf, amplitude / worst)
    assert codes == pytest.approx(np.clip(free / 16 + times * off, 0, 4095), abs=1.0)  # each is rounded twice


@settings(max_examples=50)
@given(outputs)
def test_every_integer_is_a_small_one(both):
    free, desired = zip(*both, strict=True)
    for gain in (0, 1024):
        asked = [Small(each) for each in (2048, gain, 0, 0, 64)]
        row = [Small(each) for each in desired]
        aim(asked, [[4095 - each for each in row]], [Small(each) for each in free], row, 0, [0] * len(row), 0)


def test_it_holds_above_the_tolerance_and_lets_go_at_the_release():
    for off, held, wanted in (
        (40, 0, False),
        (41, 0, True),
        (41, 1, True),
        (11, 1, True),
        (10, 1, False),
        (-41, 0, True),
    ):
        assert (aimed([16000 - off, 32000], [1000, 2000], held) is not None) == wanted
        assert (aimed([16000, 32000 - off], [1000, 2000], held) is not None) == wanted  # the largest of all counts


def test_a_hinge_lets_go_of_what_is_nearest_to_its_own_class_and_of_nothing_else():
    classes = DRAWN.integers(300, 3000, (4, 3))
    share, right = 0.25, []
    for free in DRAWN.integers(300, 3000, (2000, 3)):
        own, others = classes[0], classes[1:]
        nearer = ((free - others) ** 2).sum(axis=1) - ((free - own) ** 2).sum()
        clear = nearer / ((others - own) ** 2).sum(axis=1)  # 1 where the outputs are as desired, 0 half way
        if np.abs(clear - share).min() > 1e-2:
            found = answered(classes.tolist(), (16 * free).tolist(), own.tolist(), 0, round(128 * share))
            assert found == (clear > share).all()
            right.append(found)
            assert (aimed((16 * free).tolist(), own.tolist(), hinge=32, classes=classes.tolist()) is None) == found
    assert 0.1 < np.mean(right) < 0.9
    assert answered([[1, 2]], [16, 32], [1, 2], 0, 0)  # nothing to tell it from


def test_nulling_takes_off_offset_gain_and_bow():
    """A reading that is up to 12 codes off, and bowed by one, is within an eighth of a code of the DAC."""
    read = lambda code: 16 * (code * 1.002 + 4 + np.sin(3 * np.pi * code / 4096))  # noqa: E731
    nulls = [7] * POINTS + [round(read(point(k)) - 16 * point(k)) for k in range(POINTS)]
    codes = np.arange(point(0), point(POINTS - 1) + 1)
    left = [nulled(nulls, POINTS, round(read(code))) / 16 - code for code in codes.tolist()]
    assert np.abs(left).max() <= 0.125
    for code in (0, 4095):  # beyond the points what is known of the nearest is taken
        assert nulled(nulls, POINTS, round(read(code))) / 16 == pytest.approx(code, abs=0.6)
    assert READS == 16 and point(0) >= 124  # readings add up to c16; the margin of a bench of real parts is outside
