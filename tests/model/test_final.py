import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_model.final import LEAST_SAMPLES, error_at, sampling_error


def test_error_at_n_is_the_mean_over_the_last_fifth_without_its_start():
    updates = np.arange(0.0, 101.0, 10.0)
    error_V2 = np.arange(11.0)
    assert error_at(updates, error_V2, 100) == (9 + 10) / 2  # 80 is out, 90 and 100 are in
    assert error_at(updates, error_V2, 50) == 5  # 40 is out
    assert error_at(updates, error_V2, 55) == 5  # 44 .. 55
    unknown = np.where(updates > 40, np.nan, error_V2)
    assert np.isnan(error_at(updates, unknown, 100))  # what was measured before is of another state
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


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 10)), min_size=5, max_size=60), st.integers(1, 100))
def test_with_the_times_they_stood_it_is_the_mean_of_all_states(states, every):
    """Of states, each with its time, from the sample at 0.8 n on: however they are gathered into samples."""
    stood_us, error_V2 = np.array(states).T
    count = len(states) - len(states) % 5
    stood_us, error_V2 = stood_us[:count], error_V2[:count]
    whole = np.average(error_V2[count * 4 // 5 :], weights=stood_us[count * 4 // 5 :])
    updates = np.arange(count + 1.0) * every

    def sampled(bounds):
        parts = [slice(begin, end) for begin, end in itertools.pairwise(bounds)]
        times = np.array([0, *(stood_us[part].sum() for part in parts)])
        means = np.array([error_V2[0], *(np.average(error_V2[part], weights=stood_us[part]) for part in parts)])
        return error_at(updates[bounds], means, updates[-1], None, times)

    assert sampled(np.arange(count + 1)) == pytest.approx(whole)
    assert sampled(np.arange(0, count + 1, count // 5)) == pytest.approx(whole)
    assert sampled(np.array([0, 1, count * 4 // 5, count])) == pytest.approx(whole)


def test_where_no_time_has_passed_it_is_the_last_known():
    updates, error_V2 = np.array([0.0, 10.0, 10.0]), np.array([3.0, 2.0, 1.0])
    assert error_at(updates, error_V2, 10, np.array([0, 0, 1]), np.array([0, 5, 0])) == 1  # a lesson begins at the end
    assert error_at(updates[:1], error_V2[:1], 0, None, np.array([0])) == 3


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_sampling_error_is_the_spread_of_the_mean_of_samples_that_depend_on_each_other(rho):
    """Of an autoregressive series x' = rho x + noise the variance of a mean is known."""
    count, runs, rng = 2500, 200, np.random.default_rng(0)
    series = np.empty((runs, count))
    series[:, 0] = rng.standard_normal(runs) / (1 - rho**2) ** 0.5
    for i in range(1, count):
        series[:, i] = rho * series[:, i - 1] + rng.standard_normal(runs)
    lags = np.arange(1, count)
    spread = (1 + 2 * np.sum((1 - lags / count) * rho**lags)) / (1 - rho**2) / count
    updates = np.arange(1, count + 1) / count + 5  # all of them in the window
    found = [sampling_error(updates, each, 6.0) for each in series]
    assert np.mean(np.square(found)) == pytest.approx(spread, rel=0.2)


def test_of_few_samples_no_sampling_error_is_given():
    updates = np.arange(1.0, 101.0)
    values = np.random.default_rng(0).random(100)
    assert np.isnan(sampling_error(updates, values, 95.0))  # 77 .. 95
    assert sampling_error(updates, values, 100.0) > 0
    assert LEAST_SAMPLES == 20
