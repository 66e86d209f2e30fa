"""No two edges ever act together: shown on the records of clock-free runs, and the same checks shown to catch it."""

import numpy as np
import pytest
from scipy.stats import poisson

from clockfree_board import clock
from clockfree_model.physics import BOARD
from clockfree_sim.theory.independence import examine, unwrapped
from clockfree_sim.world.world import World
from tests.sim.jobs import MASK, a_job

KINDS = {"exponential": clock.EXPONENTIAL, "jittered": clock.JITTERED, "periodic": clock.PERIODIC}
WRAP_US = 1 << 30


def firings(world):
    """Run a world: rows of edge, t_us, a, b, step, tap_after of all firings, and the samples."""
    samples = list(world.run())
    return np.array([row for sample in samples for row in sample.trace]), samples


def records_of(rows, edges):
    times = unwrapped(rows[:, 1])
    return [times[rows[:, 0] == edge] for edge in range(edges)]


def alone_us(job, edge, count, dither_c16=0):
    """When an edge fires by its own clock, us since the start: computed from the firmware's clock and nothing else."""
    state = [0] * clock.SIZE
    clock.seed(state, job.seed & MASK, job.seed >> 30 & MASK, edge)
    clock.configure(state, KINDS[job.edge.clock], round(1e6 / job.edge.rate_hz))
    times, now_us = [], clock.first_us(state)
    for _ in range(count):
        times.append(now_us)
        if dither_c16:
            clock.below(state, dither_c16 + 1)
        now_us += clock.wait_us(state)
    return times


def not_by_their_own_clock(rows, job, dither_c16=0):
    """Edges with a firing that is not the one their own clock names, or that miss one of those."""
    return [
        edge
        for edge, record in enumerate(records_of(rows, len(job.network.ends)))
        if record.tolist() != alone_us(job, edge, len(record), dither_c16)
    ]


def in_lockstep(rows):
    """Pairs of edges that share more microseconds than chance allows (once in a million such runs)."""
    edges = int(rows[:, 0].max()) + 1
    count = np.bincount(rows[:, 0], minlength=edges)
    span_us = int(np.ptp(unwrapped(rows[:, 1])))
    _, moment = np.unique(unwrapped(rows[:, 1]), return_inverse=True)
    fired = [set(moment[rows[:, 0] == edge].tolist()) for edge in range(edges)]
    pairs = [(i, j) for j in range(edges) for i in range(j)]
    allowed = poisson.isf(1e-6 / len(pairs), max(count) ** 2 / span_us)
    return [(i, j) for i, j in pairs if len(fired[i] & fired[j]) > allowed]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("network", "updates"), [("lab16", 1000), ("planar:64:143:0", 200)])
def test_nothing_but_its_own_clock_makes_an_edge_fire(network, updates, kind):
    job = a_job(network, updates=updates, edge={"clock": kind}, trace=True, seed=(12345 << 30) + 6789)
    rows, _ = firings(World(job))
    assert len(rows) == updates * len(job.network.ends)
    assert not_by_their_own_clock(rows, job) == []
    assert in_lockstep(rows) == []
    verdict = examine(records_of(rows, len(job.network.ends)))
    assert verdict.independent, verdict


def test_neither_does_a_board_with_all_its_imperfections():
    theta_c16 = 100
    edge = {"front_end": "adc", "f_V": 0.003, "theta_V": theta_c16 * BOARD.supply_V / 65536}
    job = a_job(physics=BOARD, edge=edge, examples=4, updates=500, trace=True)
    rows, _ = firings(World(job))
    assert not_by_their_own_clock(rows, job, theta_c16) == []
    assert in_lockstep(rows) == []
    assert examine(records_of(rows, 16)).independent


class Meddled(World):
    """A world in which something makes edges act together."""

    def __init__(self, job):
        super().__init__(job)
        self.fires = {}
        self._enter = self.setup.pace.enter
        self.setup.pace.enter = self.enter

    def enter(self, index, edge, fire):
        self.fires[index] = fire
        self._enter(index, edge, self.meddle(index, fire))

    def meddle(self, index, fire):
        return fire


class OneFiresAnother(Meddled):
    def meddle(self, index, fire):
        def both(now_us):
            due_us = fire(now_us)
            self.fires[5](now_us)
            return due_us

        return both if index == 3 else fire


class OneFiresAnotherAtTimes(Meddled):
    """In one of four firings."""

    def meddle(self, index, fire):
        def both(now_us):
            due_us = fire(now_us)
            if self.boards[3].edge.firings % 4 == 0:
                self.fires[5](now_us)
            return due_us

        return both if index == 3 else fire


class TheSupervisorFiresAll(Meddled):
    def __init__(self, job):
        super().__init__(job)
        self._tick, self.supervisor.tick = self.supervisor.tick, self.tick

    def tick(self, now_us):
        due_us = self._tick(now_us)
        for fire in self.fires.values():
            fire(now_us & MASK)
        return due_us


class OneAppointmentForTwo(Meddled):
    def meddle(self, index, fire):
        def at_its_time(now_us):
            fire(now_us)
            return self.boards[3].edge.due_us

        return at_its_time if index == 5 else fire


class OneGeneratorForTwo(Meddled):
    def __init__(self, job):
        super().__init__(job)
        self.boards[5].edge.clock[:] = self.boards[3].edge.clock


class Watched(Meddled):
    """Nothing is meddled with; every time that passes between board and world is noted."""

    def __init__(self, job):
        self.times = set()
        super().__init__(job)

    def meddle(self, index, fire):
        def noted(now_us):
            due_us = fire(now_us)
            self.times |= {now_us, due_us}
            return due_us

        return noted


@pytest.mark.parametrize(
    "meddled",
    [OneFiresAnother, OneFiresAnotherAtTimes, TheSupervisorFiresAll, OneAppointmentForTwo, OneGeneratorForTwo],
)
def test_whatever_makes_edges_act_together_is_caught(meddled):
    job = a_job(updates=1000, examples=3, clamp={"dwell_s": 1.0}, trace=True)
    rows, _ = firings(meddled(job))
    moved = range(16) if meddled is TheSupervisorFiresAll else [5]
    assert not_by_their_own_clock(rows, job) == [*moved]
    assert (3, 5) in in_lockstep(rows)
    assert not examine(records_of(rows, 16)).independent


def test_a_comparison_run_is_caught():
    job = a_job(updates=100, schedule="sync", trace=True)
    rows, _ = firings(World(job))
    assert not_by_their_own_clock(rows, job) == [*range(16)]
    assert len(in_lockstep(rows)) == 120
    assert not examine(records_of(rows, 16)).independent


def test_across_the_wrap_everything_goes_on():
    """12,000 updates at 10 Hz are 1,200 s; the boards' microseconds begin again after 1,074 s."""
    job = a_job(updates=12_000, samples=120, examples=2, trace=True)
    world = Watched(job)
    rows, samples = firings(world)
    assert 0 <= min(world.times) < max(world.times) < WRAP_US
    assert 0 <= world.supervisor.supervisor.due_us < WRAP_US
    assert 0 <= rows[:, 1].min() < rows[:, 1].max() < WRAP_US
    assert np.count_nonzero(np.diff(rows[:, 1]) < 0) == 1
    assert not_by_their_own_clock(rows, job) == []

    last = samples[-1]
    assert last.time_us == pytest.approx(1.2e9, rel=0.01)
    assert sum(last.counters["firings"]) == 16 * 12_000
    assert [last.counters[name] for name in ("dropped", "skipped", "errors")] == [[0] * 16] * 3
    assert world.supervisor.supervisor.shown == last.time_us // 100_000 + 1

    times, after = unwrapped(rows[:, 1]), unwrapped(rows[:, 1]) >= WRAP_US
    assert times[-1] == last.time_us
    for part in (~after, after):
        count = np.bincount(rows[part, 0], minlength=16)
        expected = np.ptp(times[part]) / 1e5
        assert np.abs(count - expected).max() < 4.5 * expected**0.5

    wrapped = [sample.time_us >= WRAP_US for sample in samples].index(True)
    errors = [sample.error_V2 for sample in samples]
    before, since = np.mean(errors[20:wrapped]), np.mean(errors[wrapped:])
    assert since < 3 * before < 0.1 * errors[0]
    assert rows[after, 4].any()


@pytest.mark.parametrize(
    ("physics", "edge"),
    [
        ({}, {}),
        ({"physics": BOARD}, {"front_end": "adc", "f_V": 0.003, "theta_V": 0.02}),
        ({"physics": BOARD}, {"front_end": "trimmed", "f_V": 0.003, "theta_V": 0.02}),
    ],
    ids=["comparators", "adc", "trimmed"],
)
def test_a_run_over_the_wrap_is_the_same_run_later(physics, edge):
    """Begun 5 s before the wrap, every edge and the supervisor do what they do when begun at 0."""
    job = a_job(updates=100, examples=4, edge=edge, trace=True, **physics)
    rows, _ = firings(World(job))
    late = World(job)
    begun_us = WRAP_US - 5_000_000
    late.time.now_us = begun_us
    shifted, samples = firings(late)
    assert samples[-1].time_us > WRAP_US
    expected = rows.copy()
    expected[:, 1] = (rows[:, 1] + begun_us) % WRAP_US
    assert shifted.tolist() == expected.tolist()
