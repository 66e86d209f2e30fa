"""Wipers that move late and boards that are busy: when exactly, and what the other edges see meanwhile."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from clockfree_model.physics import IDEAL
from clockfree_sim.world.world import World
from tests.sim.jobs import a_job, resistance, run, trace, twins

FAST = {"rate_hz": 1000.0, "late_us": 0}


def delayed(**delays):
    return dataclasses.replace(IDEAL, **delays)


# -- decision age and skew -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age_us", "skew_us"), [(0, 50), (300, 0), (300, 200), (2000, 50)])
@pytest.mark.parametrize("pot", ["mcp42xx", "ad5222"])
def test_decisions_are_made_on_wipers_that_move_late(pot, age_us, skew_us):
    """A thousand firings a second: others decide while wipers are still on their way, the two twins apart."""
    edge = {**FAST, "pot": pot}
    physics = delayed(age_us=age_us, skew_us=skew_us)
    job = a_job(targets=2, physics=physics, edge=edge, updates=40, samples=8, trace=True)
    _, samples = run(job)
    lesson = job.lessons[0]
    taps, wipers, moves = np.full(16, 64), np.full((2, 16), 64), []
    pending_moves, apart = 0, 0

    def catch_up(now_us):
        """Everything that moved before now: at the same microsecond edges come first."""
        while moves and moves[0][0] < now_us:
            _, twin, who, tap = moves.pop(0)
            wipers[twin][who] = tap

    def voltages():
        ohm = resistance(wipers)
        return twins(job, ohm[0], lesson.source_V[0], lesson.desired_V[0], ohm[1])

    for sample in samples:
        for who, t_us, a, b, step, tap_after in sample.trace:
            catch_up(t_us)
            pending_moves += any(each[2] != who for each in moves)
            apart += (wipers[0] != wipers[1]).any()
            free, clamped = voltages()
            tail, head = job.network.ends[who]
            drop_free, drop_clamped = free[tail] - free[head], clamped[tail] - clamped[head]
            assert (a, b) == (int(drop_clamped - drop_free > 1e-9), int(drop_clamped + drop_free > 1e-9))
            taps[who] = min(max(taps[who] + step, 0), 127)
            assert tap_after == taps[who]  # the shadow does not wait
            for twin, delay_us in enumerate((age_us, age_us + skew_us)):
                moves.append((t_us + delay_us, twin, who, tap_after))
            moves.sort(key=lambda move: move[0])
        catch_up(sample.time_us)
        free, _ = voltages()
        error = np.mean((free[list(job.targets)] - lesson.desired_V[0]) ** 2)
        assert sample.error_V2 == pytest.approx(error, rel=1e-9, abs=1e-15)
    assert pending_moves > 100
    assert (apart > 100) == (skew_us > 0)


def test_a_run_with_delays_still_learns():
    physics = delayed(age_us=100, skew_us=50, settle_us=30.0, clamp_us=10.0)
    _, samples = run(a_job(physics=physics, updates=300, samples=5))
    assert samples[-1].error_V2 < samples[0].error_V2 / 100


# -- busy boards -----------------------------------------------------------------------------------------------------


def firings(rows, edge):
    return rows[rows[:, 0] == edge, 1]


@pytest.mark.parametrize("clock", ["exponential", "periodic"])
def test_a_busy_board_serves_late(clock):
    """Due times follow from the clocks alone, so the ideal run has them; lateness does not slow a clock down."""
    edge = {"clock": clock, "late_us": 10**9 // 2}
    ideal = trace(a_job(edge=edge, updates=300))
    busy = trace(a_job(edge=edge, physics=delayed(lateness_us=800.0), updates=300))
    late_us = []
    for who in range(16):
        due_us, served_us = firings(ideal, who), firings(busy, who)
        count = min(len(due_us), len(served_us))
        late = served_us[:count] - due_us[:count]
        assert late[0] == 0 and (late >= 0).all()  # the first event of all is served on time
        alone = np.diff(due_us[:count]) > 20_000  # not still busy with the firing before
        late_us.append(late[1:][alone])
    late_us = np.concatenate(late_us)
    assert stats.kstest(late_us, "expon", args=(0, 800)).pvalue > 1e-3
    assert late_us.mean() == pytest.approx(800, rel=4 / np.sqrt(len(late_us)))


def test_what_became_due_while_a_board_was_busy_is_served_in_turn():
    """Firings of one edge never change places, and none is lost as long as none is overdue."""
    edge = {"rate_hz": 1000.0, "late_us": 10**9 // 2}
    job = a_job(edge=edge, physics=delayed(lateness_us=3000.0), updates=100, trace=True)
    _, samples = run(job)
    rows = np.array([row for sample in samples for row in sample.trace])
    ideal = trace(a_job(edge=edge, updates=200))
    for who in range(16):
        served_us, due_us = firings(rows, who), firings(ideal, who)[: len(firings(rows, who))]
        assert (np.diff(served_us) >= 0).all() and (served_us >= due_us).all()
    assert samples[-1].counters["dropped"] == [0] * 16


@pytest.mark.parametrize("front_end", ["comparator", "trimmed"])
def test_overdue_firings_are_dropped_and_counted(front_end):
    """One in e is later than the mean lateness; what is dropped is no firing, and its clock is drawn from then."""
    edge = {"rate_hz": 2.0, "late_us": 1000, "front_end": front_end}
    world, samples = run(a_job(edge=edge, physics=delayed(lateness_us=1000.0), updates=300, samples=3))
    dropped, fired = np.array(samples[-1].counters["dropped"]), np.array(samples[-1].counters["firings"])
    assert fired.sum() == 300 * 16
    share = dropped.sum() / (dropped.sum() + fired.sum())
    assert share == pytest.approx(np.exp(-1), abs=4 * np.sqrt(0.23 / 7500))
    assert (dropped > 0).all()
    # each drop takes a wait of its own, from the moment it is dropped
    assert world.time.now_us == pytest.approx(0.5e6 * (fired + dropped).mean(), rel=0.05)


def test_a_firing_that_is_not_late_enough_is_served():
    for late_us, some in ((0, True), (100_000, False)):
        edge = {"late_us": late_us}
        _, samples = run(a_job(edge=edge, physics=delayed(lateness_us=500.0), updates=20, samples=1))
        assert any(samples[-1].counters["dropped"]) == some


def test_lateness_is_each_edges_own_and_each_seeds():
    edge = {"clock": "periodic", "late_us": 10**9 // 2}
    late = []
    for seed in (0, 1):
        rows = [
            trace(a_job(seed=seed, edge=edge, physics=delayed(lateness_us=lateness_us), updates=60))
            for lateness_us in (0.0, 500.0)
        ]
        late += [firings(rows[1], who)[:45] - firings(rows[0], who)[:45] for who in range(4)]
    assert np.abs(np.corrcoef(late) - np.eye(8)).max() < 5 / np.sqrt(45)


def test_a_comparison_run_knows_no_lateness():
    """Its trigger is the simulation's own."""
    job = a_job(schedule="sync", updates=10)
    late = dataclasses.replace(job, physics=delayed(lateness_us=500.0))
    assert (trace(job) == trace(late)).all()
    assert World(late).time.now_us == 0
