import itertools

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from clockfree_model.job import Lesson
from clockfree_model.network import lab16, load, square
from clockfree_sim.theory.continuous import LOWEST_OHM, Rule, learn
from tests.sim.jobs import solve

NETWORK, SOURCES, TARGETS = lab16(), (1, 3, 7), (4, 6)  # no edge joins two sources: all can move
GAMMA = 1e13  # ohm^3 / V^2
OHM = np.random.default_rng(5).uniform(2e4, 8e4, 16)
LESSON = Lesson(
    "made up", 0.0, np.random.default_rng(6).uniform(0, 5, (4, 3)), np.random.default_rng(7).uniform(0, 5, (4, 2))
)


def rng(seed=0):
    return np.random.default_rng(seed)


def pushes(network, ohm, sources, targets, lesson, eta):
    """dV_C^2 - dV_F^2 of every example and edge (B, E), by dense solves of both twins, V^2."""
    tail, head = network.ends.T
    found = []
    for source_V, desired_V in zip(lesson.source_V, lesson.desired_V):
        free = solve(network, ohm, sources, source_V)
        nudged = free[list(targets)] + eta * (desired_V - free[list(targets)])
        clamped = solve(network, ohm, [*sources, *targets], [*source_V, *nudged])
        found.append((clamped[tail] - clamped[head]) ** 2 - (free[tail] - free[head]) ** 2)
    return np.array(found)


def error(network, ohm, sources, targets, lesson):
    free = [solve(network, ohm, sources, source_V)[list(targets)] for source_V in lesson.source_V]
    return np.mean((np.array(free) - lesson.desired_V) ** 2)


def step(rule, seed=0, ohm=OHM, steps=1):
    return learn(NETWORK, SOURCES, TARGETS, LESSON, rule, ohm, steps, rng(seed))


def test_a_divider_by_hand():
    """R_1 from 5 V to the target, R_2 from there to 0 V: everything is a ratio."""
    one, two, eta, desired_V = 30e3, 20e3, 0.25, 3.0
    free_V = 5 * two / (one + two)
    nudged_V = free_V + eta * (desired_V - free_V)
    wanted = [
        one + GAMMA / one**2 * ((5 - nudged_V) ** 2 - (5 - free_V) ** 2),
        two + GAMMA / two**2 * (nudged_V**2 - free_V**2),
    ]
    lesson = Lesson("divider", 0.0, np.array([[5.0, 0.0]]), np.array([[desired_V]]))
    ohm, errors = learn(square(1, 3), (0, 2), (1,), lesson, Rule(GAMMA, eta), np.array([one, two]), 1, rng())
    assert ohm == pytest.approx(wanted, rel=1e-12)
    assert abs(ohm - [one, two]).min() > 100  # it moved, towards the higher voltage
    assert errors == pytest.approx([1.0, (5 * wanted[1] / sum(wanted) - 3) ** 2], rel=1e-9)


@pytest.mark.parametrize("spec", ["lab16", "planar:64:143:0"])
def test_examples_in_turn_against_dense_solves(spec):
    """Eq. 2, six steps over four examples."""
    network = load(spec)
    wanted = rng(1).uniform(2e4, 8e4, len(network.ends))
    ohm, errors = learn(network, SOURCES, TARGETS, LESSON, Rule(GAMMA, 0.3), wanted, 6, rng())
    found = [error(network, wanted, SOURCES, TARGETS, LESSON)]
    for n in range(6):
        push_V2 = pushes(network, wanted, SOURCES, TARGETS, LESSON, 0.3)[n % 4]
        wanted = wanted + GAMMA / wanted**2 * push_V2
        found.append(error(network, wanted, SOURCES, TARGETS, LESSON))
    assert ohm == pytest.approx(wanted, rel=1e-9)
    assert errors == pytest.approx(found, rel=1e-9)


def test_the_whole_batch_against_dense_solves():
    """Eq. 7 at p = b = 1: the sum over all examples, and nothing random in it."""
    wanted = OHM + GAMMA / OHM**2 * pushes(NETWORK, OHM, SOURCES, TARGETS, LESSON, 0.7).sum(axis=0)
    generator = rng()
    ohm, _ = learn(NETWORK, SOURCES, TARGETS, LESSON, Rule(GAMMA, 0.7, batch=True), OHM, 1, generator)
    assert ohm == pytest.approx(wanted, rel=1e-11)
    assert generator.random() == rng().random()  # untouched
    long_run = Rule(GAMMA, 0.7, batch=True)
    assert step(long_run, 1, steps=50)[0].tobytes() == step(long_run, 2, steps=50)[0].tobytes()


def test_one_output_and_a_small_nudge_follow_the_gradient_of_the_error():
    lesson = Lesson("one", 0.0, LESSON.source_V[:1], LESSON.desired_V[:1, :1])
    ohm, _ = learn(NETWORK, SOURCES, TARGETS[:1], lesson, Rule(GAMMA * 1e3, 1e-4), OHM, 1, rng())
    downhill = -approx_fprime(OHM, lambda at: error(NETWORK, at, SOURCES, TARGETS[:1], lesson), 0.1)
    went = ohm - OHM
    assert went @ downhill / np.linalg.norm(went) / np.linalg.norm(downhill) == pytest.approx(1, abs=1e-4)


def test_each_edge_is_kept_with_its_chance():
    """Eq. 3: a kept edge moves as at p = 1, another not at all."""
    whole = step(Rule(GAMMA, 0.5))[0]
    kept = []
    for seed in range(400):
        ohm = step(Rule(GAMMA, 0.5, p=0.3), seed)[0]
        assert np.all((ohm == whole) | (ohm == OHM))
        kept.append(ohm == whole)
    share = np.mean(kept, axis=0)
    assert np.abs(share - 0.3).max() < 4 * np.sqrt(0.3 * 0.7 / 400)
    assert np.abs(np.corrcoef(np.array(kept).T) - np.eye(16)).max() < 0.25  # edges on their own
    assert np.std(np.sum(kept, axis=1)) == pytest.approx(np.sqrt(16 * 0.3 * 0.7), rel=0.15)


def test_each_example_of_the_batch_is_kept_with_its_chance():
    """Eq. 7 at b < 1: the sum over some of the examples, the same for all edges."""
    push_V2 = pushes(NETWORK, OHM, SOURCES, TARGETS, LESSON, 0.5)
    subsets = np.array(list(itertools.product([0, 1], repeat=4)))
    possible = OHM + GAMMA / OHM**2 * (subsets @ push_V2)
    found = []
    for seed in range(400):
        apart = np.abs(possible - step(Rule(GAMMA, 0.5, batch=True, b=0.7), seed)[0]).max(axis=1)
        assert apart.min() < 1e-6
        found.append(subsets[apart.argmin()])
    assert np.abs(np.mean(found, axis=0) - 0.7).max() < 4 * np.sqrt(0.3 * 0.7 / 400)
    assert {tuple(row) for row in found} == {tuple(row) for row in subsets}


def test_fixed_fractions():
    """Exactly three quarters of the examples and half of the edges, all of them in turn."""
    push_V2 = pushes(NETWORK, OHM, SOURCES, TARGETS, LESSON, 0.5)
    moved = []
    for seed in range(200):
        ohm = step(Rule(GAMMA, 0.5, batch=True, p=0.5, b=0.75, fixed=True), seed)[0]
        moved.append(ohm != OHM)
        without = [OHM + GAMMA / OHM**2 * (push_V2.sum(axis=0) - push_V2[j]) for j in range(4)]
        assert min(np.abs(ohm - each)[moved[-1]].max() for each in without) < 1e-6
    assert set(np.sum(moved, axis=1)) == {8}
    assert np.abs(np.mean(moved, axis=0) - 0.5).max() < 4 * np.sqrt(0.25 / 200)


def test_stops_when_it_is_good_enough():
    teacher = rng(3).uniform(2e4, 8e4, 16)
    desired_V = np.array([solve(NETWORK, teacher, SOURCES, row)[list(TARGETS)] for row in LESSON.source_V])
    lesson = Lesson("teacher", 0.0, LESSON.source_V, desired_V)
    rule = Rule(GAMMA, 0.5, batch=True)
    ohm, errors = learn(NETWORK, SOURCES, TARGETS, lesson, rule, OHM, 100_000, rng(), stop_V2=1e-6)
    assert errors[-1] <= 1e-6 < errors[:-1].min()
    assert error(NETWORK, ohm, SOURCES, TARGETS, lesson) == pytest.approx(errors[-1], rel=1e-6)
    assert len(errors) < 100_000


def test_no_resistance_falls_below_the_lowest_tap():
    lesson = Lesson("all", 0.0, np.array([[5.0, 0.0]]), np.array([[5.0]]))
    ohm, _ = learn(square(1, 3), (0, 2), (1,), lesson, Rule(1e15, 1.0), np.array([5e4, 5e4]), 30, rng())
    assert ohm[0] == LOWEST_OHM < 1000 and ohm[1] > 5e4
