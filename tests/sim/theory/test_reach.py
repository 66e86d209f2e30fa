import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from clockfree_model.job import Job, Lesson
from clockfree_model.network import lab16, square
from clockfree_model.parts import POTS
from clockfree_sim.circuit.direct import solve
from clockfree_sim.theory.best import best_errors
from clockfree_sim.theory.placing import ranked
from clockfree_sim.theory.reach import averages_V2, near_V, out_of_reach

XOR_V = np.array([[0, 3, 0, 3, 0], [0, 3, 3, 0, 0], [3, 0, 0, 3, 0], [3, 0, 3, 0, 0]], dtype=float)
"""Two inputs, each beside its complement, and 0 V."""
ANSWERS_V = np.array([[1.0], [1.4], [1.4], [1.0]])


def job_of(source_V, desired_V, sources=(0, 2, 3, 7, 8), targets=(4,)):
    lesson = Lesson("one", 0.0, np.asarray(source_V, dtype=float), np.asarray(desired_V, dtype=float))
    return Job(lab16(), sources, targets, (lesson,))


def test_xor_is_no_average_of_its_inputs():
    # In the four examples each input is as often high as low: any averages give their own mean to both answers.
    assert averages_V2(XOR_V, ANSWERS_V) == pytest.approx(0.04)
    job = job_of(XOR_V, ANSWERS_V)
    (line,) = out_of_reach(job, best_errors(job))
    assert line.startswith("one: its error cannot come near 0 (best achievable 0.04 V^2, 0.2 V rms, where 0.039 V is")
    assert line.endswith("same weights in every example, and the best averages leave 0.2 V rms")


def test_no_output_lies_beyond_the_sources():
    job = job_of([[0.0, 3.0], [1.0, 3.0]], [[4.0], [3.0]], sources=(0, 2))
    (line,) = out_of_reach(job, best_errors(job))
    assert line.endswith("example 0 asks 4 V of E, and its sources are 0..3 V, which no output leaves")


def test_a_placement_that_does_not_reach_what_the_sources_could():
    # Node 1 of a line lies next to source 0, and node 2 to source 3: neither sees the other source first.
    lesson = Lesson("one", 0.0, np.array([[0.0, 5.0]]), np.array([[4.9, 0.1]]))
    job = Job(square(1, 4), (0, 3), (1, 2), (lesson,))
    (line,) = out_of_reach(job, best_errors(job))
    assert line.endswith("(the best averages leave 0 V rms), but for network and placement: clockfree place looks for "
                         "a better one")  # fmt: skip
    found = ranked(job, 23, 0, lambda share: None)
    assert len(found) == 24 and found[0].error_V2 < 1e-4  # V rms of 10 mV: the taps at their ends set the limit
    assert found[0].error_V2 <= min(each.error_V2 for each in found)
    assert (job.sources, job.targets) in [(each.sources, each.targets) for each in found]


def test_what_can_be_reached_is_not_spoken_of():
    rng = np.random.default_rng(4)
    source_V = rng.uniform(0, 5, (6, 3))
    desired_V = solve(9, lab16().ends, 1 / rng.uniform(1e3, 1e5, 16), (0, 2, 8), source_V)[:, [4]]
    job = job_of(source_V, desired_V, sources=(0, 2, 8))
    assert out_of_reach(job, best_errors(job)) == []
    assert near_V(job) == job.physics.supply_V / POTS[job.edge.pot].steps


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 3))
def test_the_bound_is_the_best_of_all_averages(seed, examples, sources):
    rng = np.random.default_rng(seed)
    source_V, desired_V = rng.uniform(0, 5, (examples, sources)), rng.uniform(0, 5, (examples, 1))

    def error(weights):
        return float(np.mean((source_V @ weights - desired_V[:, 0]) ** 2))

    corners = [error(np.eye(sources)[i]) for i in range(sources)]
    sums = {"type": "eq", "fun": lambda weights: weights.sum() - 1}
    start = np.full(sources, 1 / sources)
    found = minimize(
        error, start, bounds=[(0, 1)] * sources, constraints=[sums], method="SLSQP", options={"ftol": 1e-12}
    )
    assert averages_V2(source_V, desired_V) == pytest.approx(min(found.fun, *corners), rel=1e-4, abs=1e-6)


def test_every_lesson_has_its_own_word_once():
    (lesson,) = job_of(XOR_V, ANSWERS_V).lessons
    lessons = tuple(
        replace(lesson, name=name, from_updates=begin, desired_V=lesson.desired_V if far else np.full((4, 1), 1.5))
        for name, begin, far in (("a", 0.0, True), ("b", 10.0, False), ("c", 20.0, True))
    )
    job = replace(job_of(XOR_V, ANSWERS_V), lessons=lessons)
    lines = out_of_reach(job, [*best_errors(job), *best_errors(job)])
    assert [line.split(":")[0] for line in lines] == ["a", "c"]


def test_draws_are_different_and_from_the_seed():
    job = job_of([[0.0, 5.0]], [[2.0]], sources=(0, 2))
    first, again, other = (ranked(job, 8, seed, lambda share: None) for seed in (1, 1, 2))
    assert first == again != other
    nodes = [(*each.sources, *each.targets) for each in first]
    assert len(set(nodes)) == 9 and all(len(set(each)) == 3 for each in nodes)
    assert all(a.error_V2 <= b.error_V2 for a, b in itertools.pairwise(first))
