"""The error of a run against a sum over every recorded step: dense solves in numpy, weighed by the time between."""

import itertools

import numpy as np
import pytest

from clockfree_model.final import error_at
from clockfree_model.job import Damage
from clockfree_sim.compiled.kernel import Kernel
from clockfree_sim.sweep.seeds import run_seeds
from clockfree_sim.world.world import World
from tests.sim.jobs import a_job, resistance, retimed

RULES = ("sync", "p=0.3", "clockfree", "clockfree")
UPDATES, SAMPLES = 60, 10


def a_random_job(seed):
    """Every rule, 1 or 16 examples, 1 or 2 targets, with and without lessons that change and edges that fail."""
    draw = np.random.default_rng(seed)
    examples, targets = (1, 16)[seed // 4 % 2], (1, 2)[seed // 8 % 2]
    cut, dead, stuck = draw.permutation(16)[:3].tolist()
    damage = (Damage(dead, "dead", 13.0), Damage(cut, "cut", 31.8), Damage(stuck, "stuck_a1", 40.0))
    lessons = 1 + seed % 3
    job = a_job(
        task_seed=seed, seed=seed, targets=targets, examples=examples, lessons=lessons, schedule=RULES[seed % 4],
        damage=damage[: seed % 4], updates=UPDATES, samples=SAMPLES, trace=True,
        start_taps=draw.integers(8, 120, 16), clamp={"dwell_s": 0.03},
    )  # fmt: skip
    # Times that come to whole firings, of 16 and of 15 edges: none is half of one.
    return retimed(job, *(0.0, 21.4, 50.8)[:lessons])


class Told:
    """Errors and their times, by nothing but a job and the record of its run."""

    def __init__(self, job, samples):
        self._job = job
        self._rows = [row for sample in samples for row in sample.trace]
        self._taps = np.array(job.start_taps)
        self._cut, self._live, self._lesson = set(), set(range(len(job.network.ends))), 0
        changes = [(each.from_updates, i) for i, each in enumerate(job.lessons)][1:]
        changes += [(each.at_updates, each) for each in job.damage]
        self._changes = sorted(changes, key=lambda change: change[0])

    def states(self):
        """Begin, end, us, index of the lesson, taps and edges that are cut, of every state that stood."""
        since_us, updates, made, at_once = 0, 0.0, 0, self._job.schedule == "clockfree"
        for _, group in itertools.groupby(enumerate(self._rows), key=lambda row: (row[1][1], row[0] * at_once)):
            rows = [row for _, row in group]
            yield since_us, rows[0][1], self._lesson, self._taps.copy(), frozenset(self._cut)
            since_us = rows[0][1]
            made += len(rows)
            for edge, _, _, _, _, tap in rows:
                self._taps[edge] = tap
            while self._changes and made >= max(0, round((self._changes[0][0] - updates) * len(self._live))):
                updates, made = updates + made / len(self._live), 0
                self._happen(self._changes.pop(0)[1])

    def _happen(self, what):
        if not isinstance(what, Damage):
            self._lesson = what
        elif what.kind == "cut":
            self._cut.add(what.edge)
        elif what.kind == "dead":
            self._live.discard(what.edge)


def errors_V2(job, states):
    """Error of each state: every network solved anew, with the Laplacian as a textbook has it."""
    nodes, ends = len(job.network.nodes), job.network.ends
    conducts = np.zeros((len(states), len(ends)))
    for i, (_, _, _, taps, cut) in enumerate(states):
        conducts[i] = 1.0 / resistance(taps)
        conducts[i, list(cut)] = 0.0
    joins = np.zeros((len(ends), nodes))
    joins[np.arange(len(ends)), ends[:, 0]], joins[np.arange(len(ends)), ends[:, 1]] = 1.0, -1.0
    laplacian = np.einsum("en,ke,em->knm", joins, conducts, joins)
    free = np.setdiff1d(np.arange(nodes), job.sources)
    unit_V = np.linalg.solve(laplacian[:, free[:, None], free], -laplacian[:, free[:, None], list(job.sources)])
    at = np.searchsorted(free, job.targets)
    found = []
    for (_, _, which, _, _), gain in zip(states, unit_V[:, at], strict=True):
        lesson = job.lessons[which]
        found.append(np.mean((lesson.source_V @ gain.T - lesson.desired_V) ** 2))
    return np.array(found)


def mean_V2(states, errors, begin_us, end_us, lesson):
    """Mean over what stood of a lesson between two times."""
    weights = np.array([
        max(0, min(end, end_us) - max(begin, begin_us)) * (which == lesson) for begin, end, which, *_ in states
    ])  # fmt: skip
    return np.sum(weights * errors) / np.sum(weights)


@pytest.mark.parametrize("seed", range(40))
def test_error_is_the_sum_over_every_recorded_step(seed):
    job = a_random_job(seed)
    samples = list((World if seed % 5 == 0 else Kernel)(job).run())
    states = list(Told(job, samples).states())
    errors = errors_V2(job, states)
    for before, sample in itertools.pairwise(samples):
        expected_V2 = mean_V2(states, errors, before.time_us, sample.time_us, sample.lesson)
        assert sample.mean_error_V2 == pytest.approx(expected_V2, rel=1e-9)
    begin_us = samples[SAMPLES * 4 // 5].time_us
    updates, lessons, means, stood = (
        np.array([getattr(each, name) for each in samples])
        for name in ("updates", "lesson", "mean_error_V2", "stood_us")
    )
    expected_V2 = mean_V2(states, errors, begin_us, samples[-1].time_us, samples[-1].lesson)
    final_V2 = error_at(updates, means, updates[-1], lessons, stood)
    assert final_V2 == pytest.approx(expected_V2, rel=1e-9)
    _, found = run_seeds(job, [job.seed])
    assert found.final_errors() == [final_V2]
    # It is another number than that of samples, which this test would be blind to if all were alike.
    assert error_at(updates, [each.error_V2 for each in samples], updates[-1], lessons) != pytest.approx(final_V2, 1e-6)


def test_an_even_stride_sees_both_phases_of_a_synchronous_cycle():
    """Even strides see every second round of a cycle of two; the error does not."""
    found = {}
    for updates in (400, 401, 1000):
        job = a_job(task_seed=1, schedule="sync", updates=updates, samples=100)
        _, runs = run_seeds(job, [0])
        found[updates] = runs.final_errors()[0], error_at(runs.updates, runs.error_V2[0], updates)
    exact_V2, sampled_V2 = np.array(list(found.values())).T
    assert exact_V2 == pytest.approx(exact_V2[0], rel=0.01)
    assert sampled_V2.max() > 2 * sampled_V2.min()
