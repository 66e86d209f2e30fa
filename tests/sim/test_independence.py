import functools

import numpy as np
import pytest
from clockfree import clock
from clockfree_sim.independence import SURROGATES, examine, unwrapped
from hypothesis import given
from hypothesis import strategies as st

from tests.sim.jobs import a_job, trace

KINDS = {"exponential": clock.EXPONENTIAL, "jittered": clock.JITTERED, "periodic": clock.PERIODIC}
MEAN_US = 100_000


@functools.cache
def own_clocks(kind, edges, waits, seed):
    """Records of edges that have nothing but the firmware's clocks, over so many mean waits."""
    records = []
    for edge in range(edges):
        state = [0] * clock.SIZE
        clock.seed(state, seed, 7, edge)
        clock.configure(state, KINDS[kind], MEAN_US)
        now_us, record = clock.first_us(state), []
        while now_us < waits * MEAN_US:
            record.append(now_us)
            now_us += clock.wait_us(state)
        records.append(np.array(record))
    return records


def with_more(record, more_us):
    return np.sort(np.concatenate([record, np.asarray(more_us, dtype=np.int64)]))


def shared_triggers(records, waits, seed, share=0.05):
    """A trigger for all that makes up a share of everybody's firings; an edge follows it within 0.5 ms."""
    rng = np.random.default_rng(seed)
    triggers = rng.integers(0, waits * MEAN_US, round(share * waits))
    kept = [record[rng.random(len(record)) > share] for record in records]
    return [with_more(record, triggers + rng.integers(0, 500, len(triggers))) for record in kept]


def triggered_by_neighbours(records, seed, share=0.05):
    """A share of the firings of each edge makes the next edge fire 0.2 ms later."""
    rng = np.random.default_rng(seed)
    sparks = [record[rng.random(len(record)) < share] + 200 for record in records]
    return [with_more(record, sparks[edge - 1]) for edge, record in enumerate(records)]


def records_of(job):
    rows = trace(job)
    times = unwrapped(rows[:, 1])
    return [times[rows[:, 0] == edge] for edge in range(len(job.network.ends))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_independent_clocks_pass(kind, seed):
    verdict = examine(own_clocks(kind, 16, 500, seed))
    assert verdict.independent, verdict
    assert verdict.edges == 16
    assert verdict.firings == pytest.approx(16 * 500, rel=0.05)
    assert verdict.bin_us == pytest.approx(MEAN_US / 2, rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_as_many_edges_as_the_large_network_has_pass(kind):
    verdict = examine(own_clocks(kind, 143, 200, 1))
    assert verdict.independent, verdict


def test_false_alarms_are_rare():
    """One in a thousand for each comparison: two are expected here in 40 times as many."""
    verdicts = [examine(own_clocks(kind, 5, 60, seed), seed) for kind in KINDS for seed in range(10, 18)]
    assert sum(not verdict.independent for verdict in verdicts) <= 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("edges", "waits"), [(16, 500), (143, 200)])
def test_shared_triggers_are_caught(kind, edges, waits):
    for seed in range(3 if edges == 16 else 1):
        records = shared_triggers(own_clocks(kind, edges, waits, seed), waits, seed)
        verdict = examine(records)
        assert verdict.coincidences > verdict.coincidences_limit, verdict


@pytest.mark.parametrize("kind", KINDS)
def test_edges_that_trigger_another_are_caught(kind):
    for seed in range(3):
        verdict = examine(triggered_by_neighbours(own_clocks(kind, 16, 500, seed), seed))
        assert verdict.coincidences > verdict.coincidences_limit, verdict


@pytest.mark.parametrize("kind", ["exponential", "jittered"])
def test_two_edges_in_lockstep_are_caught(kind):
    """Among 143, where their coincidences alone are too few to stand out. 5 ms apart counts as well."""
    for apart_us in (0, 5000):
        records = [*own_clocks(kind, 143, 200, 1)]
        records[90] = records[17] + apart_us
        verdict = examine(records)
        assert verdict.correlation > verdict.correlation_limit, verdict
        assert verdict.pair == (17, 90)
        assert verdict.correlation > 0.8


@pytest.mark.parametrize("rule", ["sync", "p=0.5"])
def test_a_comparison_run_is_caught(rule):
    verdict = examine(records_of(a_job(rule=rule, updates=200)))
    assert not verdict.independent
    assert verdict.coincidences > 2 * verdict.coincidences_limit
    assert "NOT independent" in str(verdict)


def test_numbers_are_those_of_a_plain_count():
    records = own_clocks("exponential", 5, 300, 3)
    verdict = examine(records)
    start, stop = min(record[0] for record in records), max(record[-1] for record in records) + 1
    edges_us = start + verdict.bin_us * np.arange(round((stop - start) / verdict.bin_us) + 1)
    edges_us[-1] = stop
    counts = np.array([np.histogram(record, edges_us)[0] for record in records])
    r = np.abs(np.corrcoef(counts) - np.eye(5))
    assert verdict.correlation == pytest.approx(r.max(), abs=1e-12)
    assert r[verdict.pair] == pytest.approx(r.max())
    turn_us = -(-(stop - start) // 1000) * 1000
    close = 0
    for i in range(5):
        for j in range(i):
            apart_us = np.abs(records[i][:, None] - records[j])
            close += np.count_nonzero(np.minimum(apart_us, turn_us - apart_us) <= 1000)
    assert verdict.coincidences == close > 20

    rng = np.random.default_rng(5)
    largest = []
    for _ in range(SURROGATES):
        rolled = [np.roll(row, rng.integers(len(row))) for row in counts]
        largest.append(np.abs(np.corrcoef(rolled) - np.eye(5)).max())
    assert verdict.correlation_limit == pytest.approx(max(largest), rel=0.15)


def test_the_end_of_a_record_meets_its_beginning():
    """Around the circle of the surrogates the first and the last firing are 700 us apart."""
    rng = np.random.default_rng(0)
    one = np.sort(np.append(rng.integers(1, 400, 30) * 10_000, [0]))
    other = np.sort(np.append(rng.integers(1, 400, 30) * 10_000 + 5000, [4_100_299]))
    assert examine([one, other]).coincidences == 1


def test_rhythm_of_each_edge():
    verdict = {kind: examine(own_clocks(kind, 5, 500, 0)) for kind in KINDS}
    assert verdict["exponential"].fano.mean() == pytest.approx(1.0, abs=0.2)
    # what the phase of a window leaves, and for jittered waits their variance in units of their mean
    assert verdict["jittered"].fano.max() < 0.05
    assert verdict["periodic"].fano.max() < 0.05
    assert np.abs(verdict["exponential"].lag1).max() < 0.15
    assert np.abs(verdict["jittered"].lag1).max() < 0.15
    limping = np.cumsum(np.tile([60_000, 140_000], 250))
    lag1 = examine([limping, own_clocks("jittered", 1, 500, 0)[0]]).lag1
    assert lag1[0] == pytest.approx(-1.0, abs=0.01)


def test_a_silent_edge_does_not_disturb():
    verdict = examine([*own_clocks("exponential", 5, 100, 2), np.array([], dtype=np.int64)])
    assert verdict.independent
    assert np.isnan(verdict.fano[5])
    assert np.isnan(verdict.lag1[5])


def test_what_it_refuses():
    with pytest.raises(ValueError, match="at least 2 edges"):
        examine([np.arange(100)])
    with pytest.raises(ValueError, match="at least 20 firings"):
        examine([np.arange(10), np.arange(10)])
    with pytest.raises(ValueError, match="rise"):
        examine([np.arange(100)[::-1], np.arange(100)])


def test_the_same_seed_gives_the_same_verdict():
    records = own_clocks("exponential", 16, 500, 0)
    assert str(examine(records, 3)) == str(examine(records, 3))
    assert examine(records, 3).coincidences_limit != examine(records, 4).coincidences_limit


@given(st.integers(0, 2**30 - 1), st.lists(st.integers(0, 2**30 - 1), max_size=50))
def test_unwrapped(first, waits):
    times = np.cumsum([first, *waits])
    assert unwrapped(times % 2**30).tolist() == times.tolist()
    assert unwrapped(times).tolist() == times.tolist()


def test_unwrapped_nothing():
    assert unwrapped([]).tolist() == []
