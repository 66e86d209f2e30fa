"""The paper's clocked rules against eq. 10 in rounds, written anew."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

from clockfree_model.job import Damage
from clockfree_model.physics import BOARD, IDEAL
from clockfree_sim.plant import oscillator
from clockfree_sim.plant.rounds import BLOCK, probability
from clockfree_sim.world.world import World
from tests.sim.jobs import a_job, resistance, run, trace, twins

PERIOD_US = 100_000  # of edges at 10 Hz


def replayed(job, rows, rounds, gate_V=0.0):
    """Play rounds of rows again: all of a round decide on the state before it. Returns the taps at the end."""
    taps, lesson = np.full(len(job.network.ends), 64), job.lessons[0]
    tail, head = job.network.ends.T
    for group in rounds(rows):
        example = (group[0][1] - 1) // PERIOD_US // 3 % len(lesson.source_V)
        free, clamped = twins(job, resistance(taps), lesson.source_V[example], lesson.desired_V[example])
        drop_free, drop_clamped = free[tail] - free[head], clamped[tail] - clamped[head]
        over, b = drop_clamped - drop_free, drop_clamped + drop_free >= 1e-9
        least = gate_V or 1e-9
        above, below = (over >= least) == b, (over >= (-gate_V or 1e-9)) == b
        steps = np.where(above == below, np.where(above, 1, -1), 0)
        for who, _, _, b_read, step, tap_after in group:
            assert (b_read, step) == (b[who], steps[who])
            taps[who] = min(max(taps[who] + step, 0), 127)
            assert tap_after == taps[who]
    return taps


def by_time(rows):
    return [list(group) for _, group in itertools.groupby(rows, key=lambda row: row[1])]


def by_sixteen(rows):
    return [rows[i : i + 16] for i in range(0, len(rows), 16)]


@pytest.mark.parametrize("rule", ["sync", "p=0.4", "oscillators=0.4"])
@pytest.mark.parametrize(("targets", "examples"), [(1, 1), (3, 4)])
def test_all_of_a_round_decide_on_one_state(rule, targets, examples):
    clamp = {"order": "fixed", "dwell_s": 0.3, "eta": 1.0}
    job = a_job("lab16", 2, targets, examples, clamp=clamp, schedule=rule, updates=100, samples=20, trace=True)
    _, samples = run(job)
    rows = [row for sample in samples for row in sample.trace]
    assert replayed(job, rows, by_time).tolist() == samples[-1].taps.tolist()
    rounds = by_time(rows)
    assert all(group[0][1] % PERIOD_US == 0 for group in rounds)
    if rule == "sync":
        assert [group[0][1] for group in rounds] == list(range(PERIOD_US, 100 * PERIOD_US + 1, PERIOD_US))
        assert all([row[0] for row in group] == list(range(16)) for group in rounds)


def test_clock_free_edges_do_not():
    """The replay is sharp: decisions one after the other are not those of rounds."""
    job = a_job("lab16", 2, 3, updates=100)
    with pytest.raises(AssertionError):
        replayed(job, trace(job).tolist(), by_sixteen)
    rows = trace(job)
    assert len(set(rows[:, 1])) > 0.99 * len(rows)


@pytest.mark.parametrize("f_V", [0.0, 0.003])
def test_edges_that_look_twice_look_within_the_round(f_V):
    edge = {"front_end": "trimmed", "f_V": f_V}
    job = a_job("lab16", 2, 3, edge=edge, schedule="sync", clamp={"eta": 1.0}, updates=60, samples=6, trace=True)
    _, samples = run(job)
    rows = [row for sample in samples for row in sample.trace]
    gate_V = IDEAL.c16(f_V) * 5 / 65536
    assert replayed(job, rows, by_sixteen, gate_V).tolist() == samples[-1].taps.tolist()
    assert len(rows) == 60 * 16
    assert {row[4] for row in rows} == ({1, -1, 0} if f_V else {1, -1})
    # one round a period: each look lets the trim settle for 1 ms
    starts = {row[1] // PERIOD_US for row in rows}
    assert starts == set(range(1, 61)) and max(row[1] % PERIOD_US for row in rows) <= 2000


def test_wipers_that_move_late_move_before_the_next_round():
    at_once = a_job(targets=2, schedule="sync", updates=60)
    late = dataclasses.replace(at_once, physics=dataclasses.replace(IDEAL, age_us=300, skew_us=50))
    np.testing.assert_array_equal(trace(at_once)[:, [0, 2, 3, 4, 5]], trace(late)[:, [0, 2, 3, 4, 5]])


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_each_edge_takes_part_with_probability_p(p):
    job = a_job(schedule=f"p={p}", updates=300)
    rows = trace(job)
    rounds = int(rows[-1, 1]) // PERIOD_US
    assert rounds == pytest.approx(300 / p, rel=0.05)
    took_part = np.zeros((rounds, 16), dtype=bool)
    took_part[rows[:, 1] // PERIOD_US - 1, rows[:, 0]] = True
    assert took_part.sum() == len(rows)
    assert np.abs(took_part.mean(axis=0) - p).max() < 4.5 * np.sqrt(p * (1 - p) / rounds)
    assert np.abs(np.corrcoef(took_part.T) - np.eye(16)).max() < 5 / np.sqrt(rounds)
    count = np.bincount(took_part.sum(axis=1), minlength=17)
    expected = rounds * stats.binom.pmf(np.arange(17), 16, p)
    often = expected > 5
    seen, due = np.append(count[often], count[~often].sum()), np.append(expected[often], expected[~often].sum())
    assert stats.chisquare(seen, due).pvalue > 1e-3
    # from one round to the next there is no memory
    assert abs(np.corrcoef(took_part[1:, 3], took_part[:-1, 3])[0, 1]) < 4.5 / np.sqrt(rounds)


def test_edges_take_part_whose_oscillator_is_above_the_bias():
    """Trigger after trigger, those included at which none is; also when some edges are dead."""
    damage = (Damage(2, "dead", 30.0), Damage(11, "dead", 30.0))
    job = a_job(schedule="oscillators=0.2", updates=100, damage=damage, seed=3, samples=10, trace=True)
    _, samples = run(job)
    rows = [row for sample in samples for row in sample.trace]
    rounds = rows[-1][1] // PERIOD_US
    assert rounds > 1.5 * BLOCK
    took_part = np.zeros((16, rounds), dtype=bool)
    for who, time_us, *_ in rows:
        took_part[who, time_us // PERIOD_US - 1] = True
    died = max(time_us // PERIOD_US for sample in samples[:4] for _, time_us, *_ in sample.trace)
    built = oscillator.build(16, np.random.default_rng([3, 0x6F736369]))
    bias_V = oscillator.bias_of(0.2)
    expected = np.array([(built.volts([k * oscillator.TRIGGER_S]) > bias_V)[:, 0] for k in range(rounds)]).T
    assert not expected.any(axis=0).all()
    expected[[2, 11], died:] = False
    assert (took_part == expected).all()


def test_p_of_one_is_sync():
    assert (trace(a_job(schedule="p=1")) == trace(a_job(schedule="sync"))).all()


@pytest.mark.parametrize("rule", ["clockfree", "sync", "p=0.25", "oscillators=0.25"])
def test_updates_are_counted_alike(rule):
    """An update is a firing, by whatever trigger: time is what differs."""
    world, samples = run(a_job(schedule=rule, updates=200, samples=40))
    for sample in samples:
        firings = np.array(sample.counters["firings"])
        assert sample.updates == firings.sum() / 16
        steps = sum(np.array(sample.counters[name]) for name in ("up", "down", "rail"))
        assert (firings == steps).all() and not any(sample.counters["dropped"])
    assert samples[-1].updates == pytest.approx(200, abs=1)
    rounds = {"clockfree": 200, "sync": 200, "p=0.25": 800, "oscillators=0.25": 800}[rule]
    assert world.time.now_us == pytest.approx(rounds * PERIOD_US, rel=0.05)


@pytest.mark.parametrize("front_end", ["comparator", "adc", "trimmed"])
def test_the_same_edges_take_part(front_end):
    """Their own code: imperfections, thresholds and clocks are those of a clock-free run."""
    edge = {"front_end": front_end} | ({} if front_end == "comparator" else {"f_V": 0.003, "theta_V": 0.02})
    world, samples = run(a_job(physics=BOARD, edge=edge, schedule="sync", updates=80, samples=4))
    assert samples[-1].counters["firings"] == [80] * 16
    states = [tuple(board.edge.clock) for board in world.boards]
    assert len(set(states)) == 16
    if front_end != "comparator":
        assert sum(samples[-1].counters["up"]) + sum(samples[-1].counters["down"]) < 16 * 80


def test_a_dead_edge_takes_no_part():
    job = a_job(schedule="p=0.5", updates=60, damage=(Damage(2, "dead", 20.0), Damage(11, "dead", 40.0)))
    _, samples = run(job)
    middle, end = (np.array(samples[i].counters["firings"]) for i in (5, -1))
    assert end[2] < 35 and end[11] > middle[11] and end[2] == middle[2]


def test_another_seed_other_rounds():
    one, other = (trace(a_job(schedule="p=0.5", updates=20, seed=seed))[:100, 0] for seed in (0, 1))
    assert (one != other).any()


RULES = {"sync": 1.0, "p=1": 1.0, "p=0.25": 0.25, "p=1e-3": 1e-3, "oscillators=0.02": 0.02, "oscillators=1": 1.0}
NOT_RULES = ["p=0", "p=1.1", "p=-0.5", "p=nan", "p=", "p=half", "0.5", "synchronous", "", "p=.5x"]
NOT_OSCILLATORS = [f"oscillators{rest}" for rest in ("", "=", "=0.01", "=1.1", "=nan")]


@pytest.mark.parametrize(("rule", "p"), RULES.items())
def test_rules(rule, p):
    assert probability(rule) == p


@pytest.mark.parametrize("rule", NOT_RULES + NOT_OSCILLATORS)
def test_other_rules_are_refused(rule):
    with pytest.raises(ValueError):
        probability(rule)
    with pytest.raises(ValueError):
        World(a_job(schedule=rule))


def test_a_cut_edge_stays_cut():
    """What a round once changed does not come back with the next."""
    job = a_job(schedule="sync", updates=40, samples=4, damage=(Damage(7, "dead", 10.0), Damage(7, "cut", 20.0)))
    world, samples = run(job)
    ohm = np.where(np.arange(16) == 7, np.inf, resistance(samples[-1].taps))
    expected = twins(job, ohm, job.lessons[0].source_V[0], job.lessons[0].desired_V[0])
    np.testing.assert_allclose([each[0] for each in world.voltages()], expected, rtol=0, atol=1e-9)
