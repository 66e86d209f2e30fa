"""Pace: what a board holds by its rehearsal, against a simulated queue; and firings that are missing."""

import numpy as np
import pytest

from clockfree.learning.arming import Member
from clockfree.learning.pace import MOST_BUSY, MOST_DROPPED, Pace, floor_us, most_load, not_held
from tests.sim.jobs import a_job


def dropped(load, firing_us, late_us, firings=200_000):
    """Share of random firings that are dropped by a board that does one at a time, as an edge drops them."""
    draw = np.random.default_rng(7)
    free_us = due_us = lost = 0.0
    for wait_us in draw.exponential(firing_us / load, firings):
        due_us += wait_us
        begins_us = max(due_us, free_us)
        if begins_us - due_us > late_us:
            lost += 1
        else:
            free_us = begins_us + firing_us
    return lost / firings


@pytest.mark.parametrize("ratio", [3, 6, 12])
def test_the_load_that_is_held_drops_a_hundredth(ratio):
    load = most_load(1.0, ratio)
    assert dropped(load, 1.0, ratio) == pytest.approx(MOST_DROPPED, rel=0.1)


def test_a_board_whose_firings_take_little_leaves_time_for_its_link():
    loads = [most_load(1.0, ratio) for ratio in np.geomspace(0.3, 1e6, 400)]
    assert np.all(np.diff(loads) >= 0) and loads[0] > 0 and loads[-1] == MOST_BUSY
    assert dropped(MOST_BUSY, 1.0, 100) < MOST_DROPPED


def a_board(edges, firing_us, late_us):
    return Member(None, edges, firing_us=[firing_us] * len(edges), late_us=[late_us] * len(edges))


def test_a_board_holds_its_edges_together_or_says_what_it_would_hold():
    job = a_job(edge={"rate_hz": 400.0})
    assert not_held(job, a_board([0], 400, 2000)) is None
    name, asked_hz, held_hz = not_held(job, a_board([2, 3, 4, 5, 6], 400, 2000))
    assert (name, asked_hz) == (job.network.edge_name(2), 400.0)
    assert held_hz == pytest.approx(most_load(400, 2000) * 1e6 / 400 / 5)
    assert floor_us([250]) == 2000 and floor_us([250, 900]) == 2700


def test_edges_that_fire_too_seldom_are_found_by_their_boards_own_clock():
    job = a_job(edge={"rate_hz": 100.0})
    found = []
    for fired in (10_000, 9_600, 9_500):  # of 10,000 due; three deviations of 16 edges as one are four of one, 390
        pace, board = Pace(job), Member(None, [3])
        pace.told(board, 2**30 - 5_000_000, [[64, 100]])
        pace.told(board, 95_000_000, [[64, 100 + fired]])
        assert pace.of(3) == (fired, 100.0)
        found.append([name for name, _, _ in pace.short()])
    assert found == [[], [], [job.network.edge_name(3)]]
    pace.restart(board)
    pace.told(board, 7, [[64, 0]])  # it was reset: nothing is made up
    assert pace.of(3) == (9_500, 100.0)
