import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_model.final import error_at


def test_error_at_n_is_the_mean_over_the_last_fifth_without_its_start():
    updates = np.arange(0.0, 101.0, 10.0)
    error_V2 = np.arange(11.0)
    assert error_at(updates, error_V2, 100) == (9 + 10) / 2  # 80 is out, 90 and 100 are in
    assert error_at(updates, error_V2, 50) == 5  # 40 is out
    assert error_at(updates, error_V2, 55) == 5  # 44 .. 55
    assert error_at(updates, error_V2, 0) == 0  # nothing in (0, 0]: the last sample up to there


def test_the_window_begins_no_earlier_than_the_lesson():
    updates = np.arange(0.0, 101.0, 10.0)
    error_V2 = np.arange(11.0)
    lesson = (updates >= 50).astype(int)
    assert error_at(updates, error_V2, 100, lesson) == (9 + 10) / 2  # it began before the window
    assert error_at(updates, error_V2, 50, lesson) == 5
    assert error_at(updates, error_V2, 60, lesson) == (5 + 6) / 2
    assert error_at(updates, error_V2, 60, (updates >= 60).astype(int)) == 6  # 50 is of another
    assert error_at(updates, error_V2, 40, lesson) == 4
    assert np.isnan(error_at(updates, np.where(updates < 50, error_V2, np.nan), 50, lesson))


@given(
    st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 10)), min_size=1, max_size=40),
    st.floats(0, 1e4),
)
def test_error_at_n_as_the_definition_reads(samples, n):
    samples = [(0.0, 1.0), *sorted(samples)]
    inside = [error for updates, error in samples if 0.8 * n < updates <= n]
    expected = sum(inside) / len(inside) if inside else [error for updates, error in samples if updates <= n][-1]
    assert error_at(*np.array(samples).T, n) == pytest.approx(expected)
