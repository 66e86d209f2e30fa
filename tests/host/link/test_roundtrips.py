"""How long a reply is waited for."""

import pytest

from clockfree.link.roundtrips import FIRST_S, LEAST_S, MOST_S, RoundTrips


def test_the_timeout_follows_the_round_trips():
    trips = RoundTrips()
    assert trips.timeout_s == FIRST_S
    trips.took(0.2)
    assert trips.timeout_s == pytest.approx(0.2 + 4 * 0.1)
    for _ in range(100):
        trips.took(0.2)
    assert trips.smoothed_s == pytest.approx(0.2) and trips.timeout_s == pytest.approx(0.2, abs=1e-3)
    trips.took(0.6)
    assert trips.timeout_s == pytest.approx(0.25 + 4 * 0.1, abs=1e-3)
    for _ in range(100):
        trips.took(0.001)
    assert trips.timeout_s == LEAST_S


def test_a_late_reply_doubles_the_timeout_until_one_is_measured():
    trips = RoundTrips()
    trips.took(0.05)
    before_s = trips.timeout_s
    trips.late()
    assert trips.timeout_s == 2 * before_s
    for _ in range(10):
        trips.late()
    assert trips.timeout_s == MOST_S
    trips.took(0.05)
    assert trips.timeout_s < before_s + 1e-9
