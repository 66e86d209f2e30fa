import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_board import clock
from clockfree_sim.theory.independence import SURROGATES, examine, pieces, unwrapped
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
    verdicts = [examine(own_clocks(kind, 5, 500, seed), seed) for kind in KINDS for seed in range(10, 14)]
    assert all(verdict.independent for verdict in verdicts)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("edges", "waits"), [(16, 500), (143, 200)])
def test_shared_triggers_are_caught(kind, edges, waits):
    for seed in range(2 if edges == 16 else 1):
        records = shared_triggers(own_clocks(kind, edges, waits, seed), waits, seed)
        verdict = examine(records)
        assert verdict.coincidences > verdict.coincidences_limit, verdict


@pytest.mark.parametrize("kind", KINDS)
def test_edges_that_trigger_another_are_caught(kind):
    for seed in range(2):
        verdict = examine(triggered_by_neighbours(own_clocks(kind, 16, 500, seed), seed))
        assert verdict.coincidences > verdict.coincidences_limit, verdict


@pytest.mark.parametrize(("kind", "apart_us"), [("exponential", 0), ("exponential", 5000), ("jittered", 500)])
def test_two_edges_in_lockstep_are_caught(kind, apart_us):
    """Among 143, where their coincidences alone are too few to stand out."""
    records = [*own_clocks(kind, 143, 300, 1)]
    records[90] = records[17] + apart_us
    verdict = examine(records)
    assert verdict.correlation > verdict.correlation_limit, verdict
    assert not verdict.independent
    assert verdict.pair == (17, 90)
    assert verdict.correlation > 0.8


def test_edges_that_take_turns_are_caught():
    """Each fires at times at which the other does not: their r is negative."""
    records = [*own_clocks("exponential", 16, 500, 4)]
    mine = np.random.default_rng(1).random(250) < 0.5
    records[2] = records[2][mine[records[2] // 200_000]]
    records[9] = records[9][~mine[records[9] // 200_000]]
    verdict = examine(records)
    assert verdict.correlation > verdict.correlation_limit, verdict
    assert verdict.pair == (2, 9)
    assert verdict.coincidences <= verdict.coincidences_limit


@pytest.mark.parametrize("edges", [2, 5])
def test_two_of_few_edges_in_lockstep_are_caught_by_either_number(edges):
    """Whatever the shifts: they never bring back what the surrogates are to be compared with."""
    for seed in range(5):
        records = [*own_clocks("exponential", edges, 100, seed)]
        records[1] = records[0]
        verdict = examine(records, seed)
        assert verdict.correlation > verdict.correlation_limit, verdict
        assert verdict.coincidences > verdict.coincidences_limit, verdict


@pytest.mark.parametrize("rule", ["sync", "p=0.5"])
def test_a_comparison_run_is_caught(rule):
    verdict = examine(records_of(a_job(schedule=rule, updates=200)))
    assert not verdict.independent
    assert verdict.coincidences > 2 * verdict.coincidences_limit
    assert "NOT independent" in str(verdict)


def test_numbers_are_those_of_a_plain_count():
    """In the middle two thirds of the records; the limit from surrogates that are shifted one by one."""
    records = own_clocks("exponential", 5, 300, 3)
    verdict = examine(records)
    start, stop = min(record[0] for record in records), max(record[-1] for record in records) + 1
    bins = round((stop - start) / verdict.bin_us)
    assert bins == pytest.approx(600, rel=0.1)
    limits = np.linspace(start, stop, bins + 1)
    counts = np.array([np.histogram(record, limits)[0] for record in records])
    sixth = bins // 6

    def largest(shifts):
        pieces = [row[sixth + shift : bins - sixth + shift] for row, shift in zip(counts, shifts)]
        r = np.abs(np.corrcoef(pieces) - np.eye(5))
        near = np.abs(np.subtract.outer(shifts, shifts)) <= 2
        return r.max() if not any(shifts) else np.where(near, 0.0, r).max()

    assert verdict.correlation == pytest.approx(largest([0] * 5), abs=1e-12)
    rng = np.random.default_rng(5)
    by_chance = [largest(rng.integers(-sixth // 2, sixth // 2, 5)) for _ in range(SURROGATES)]
    assert verdict.correlation_limit == pytest.approx(max(by_chance), rel=0.1)

    middle = [record[np.abs(record - (start + stop) / 2) < (stop - start) / 3] for record in records]
    apart_us = [np.abs(middle[i][:, None] - middle[j]) for i in range(5) for j in range(i)]
    assert verdict.coincidences == sum(np.count_nonzero(apart <= 1000) for apart in apart_us) > 20


def test_surrogates_coincide_as_often_as_independent_clocks_do():
    """Their largest number of 999 is about three standard deviations above the expected one."""
    records = own_clocks("exponential", 16, 500, 0)
    products = sum(len(records[i]) * len(records[j]) for i in range(16) for j in range(i))
    expected = 2 / 3 * products * 2 * 1000 / (500 * MEAN_US)
    assert expected + 2 * expected**0.5 < examine(records).coincidences_limit < expected + 4 * expected**0.5


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


def holed(records, holes_us, seed=0):
    """Each hole is one edge's: nothing of it arrived then."""
    random = np.random.default_rng(seed)
    records = [*records]
    for begin_us, end_us in holes_us:
        k = random.integers(len(records))
        records[k] = records[k][(records[k] < begin_us) | (records[k] >= end_us)]
    return records


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_is_left_out_for_all(kind):
    """A long hole, or ten short ones; a joint would break the rhythm of regular clocks."""
    for seed, holes_us in enumerate(
        [[(20_000_000, 45_000_000)], [(at_us, at_us + 700_000) for at_us in range(3_000_000, 75_000_000, 8_000_000)]]
    ):
        whole = own_clocks(kind, 16, 800, 30 + seed)
        for records, independent in ((whole, True), (shared_triggers(whole, 800, seed), False)):
            records = holed(records, holes_us)
            pieces_us, share = pieces(records, holes_us)
            lost_us = sum(end_us - begin_us for begin_us, end_us in holes_us)
            assert share == pytest.approx(1 - lost_us / 80e6, abs=0.02)
            assert examine(records, pieces_us=pieces_us).independent is independent


def test_numbers_with_a_hole_are_those_of_a_plain_count():
    records = own_clocks("exponential", 4, 400, 6)
    hole_us = (17_000_000, 23_000_000)
    pieces_us, _ = pieces(records, [hole_us])
    verdict = examine(records, pieces_us=pieces_us)
    start, stop = pieces_us[0][0], pieces_us[1][1]
    bins = round((stop - start) / verdict.bin_us)
    limits = np.linspace(start, stop, bins + 1)
    counts = np.array([np.histogram(record, limits)[0] for record in records])
    known = (limits[1:] <= hole_us[0]) | (limits[:-1] >= hole_us[1])
    known[: bins // 6] = known[bins - bins // 6 :] = False
    r = np.abs(np.corrcoef(counts[:, known]) - np.eye(4))
    assert verdict.correlation == pytest.approx(r.max(), abs=1e-12)
    assert verdict.firings == sum(((each >= start) & (each < stop)).sum() for each in records) - sum(
        ((each >= hole_us[0]) & (each < hole_us[1])).sum() for each in records
    )


def test_pieces():
    records = [np.arange(1000, 90_000, 1000), np.arange(0, 100_000, 1000)]
    assert pieces(records, []) == ([(1000, 89_001)], 1.0)
    found, share = pieces(records, [(40_000, 50_000), (45_000, 60_000), (61_000, 62_000), (80_000, 200_000)])
    assert found == [(1000, 40_000)]  # 60 .. 61 ms and 62 .. 80 ms are shorter than twenty waits
    assert share == pytest.approx(39_000 / 88_001)
    assert pieces([np.array([], dtype=int)], []) == ([], 0.0)


def test_what_it_refuses():
    with pytest.raises(ValueError, match="at least 2 edges"):
        examine([np.arange(100)])
    with pytest.raises(ValueError, match="at least 50 firings"):
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


def test_rates_that_are_decades_apart_are_no_tie():
    """The rhythm of each edge is judged by its own waits."""
    for kind, low, high in (("exponential", 0.8, 1.2), ("periodic", 0.0, 0.05)):
        job = a_job(edge={"clock": kind, "decades": 2.0, "late_us": 0}, updates=500, samples=1, trace=True)
        rows = trace(job)
        verdict = examine([unwrapped(rows[rows[:, 0] == edge, 1]) for edge in range(16)])
        assert verdict.independent and low <= np.median(verdict.fano) <= high
        assert verdict.fano.max() < high or kind == "exponential"
