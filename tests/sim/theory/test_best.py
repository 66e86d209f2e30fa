from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, brute

from clockfree_model.job import Damage, Job, Lesson
from clockfree_model.network import lab16, load, square
from clockfree_model.parts import POTS
from clockfree_model.physics import BOARD, IDEAL
from clockfree_sim.circuit.direct import solve
from clockfree_sim.theory import best
from clockfree_sim.theory.best import REACHED_V2, _Problem, best_error, best_errors

NETWORK = lab16()
SOURCES, TARGETS = (0, 2), (4, 6)

POT = POTS["mcp42xx"]


def test_gradient_against_finite_differences():
    rng = np.random.default_rng(1)
    problem = _Problem(NETWORK, SOURCES, TARGETS, rng.uniform(0, 5, (3, 2)), rng.uniform(0, 5, (3, 2)), dense=True)
    x = np.log(rng.uniform(1e3, 1e5, 16))
    error, gradient = problem.error(x)
    assert gradient == pytest.approx(approx_fprime(x, lambda at: problem.error(at)[0], 1e-7), rel=1e-4, abs=1e-6)


def test_dense_and_sparse_agree():
    network = square(16, 16)
    x = np.log(np.random.default_rng(2).uniform(1e3, 1e5, len(network.ends)))
    task = (network, (0, 5), (77,), np.array([[0.0, 5.0]]), np.array([[2.0]]))
    sparse, dense = (_Problem(*task, dense=dense).error(x) for dense in (False, True))
    assert sparse[0] == pytest.approx(dense[0], rel=1e-12)
    assert sparse[1] == pytest.approx(dense[1], rel=1e-8, abs=1e-14)


def test_slopes_against_finite_differences():
    rng = np.random.default_rng(3)
    problem = _Problem(NETWORK, SOURCES, TARGETS, rng.uniform(0, 5, (5, 2)), rng.uniform(0, 5, (5, 2)))
    x = np.log(rng.uniform(1e3, 1e5, 16))
    error_V2, off_V, slope_V = problem.sloped(x)
    assert error_V2 == problem.error(x)[0]
    for each, slopes in enumerate(slope_V):
        wanted = approx_fprime(x, lambda at, each=each: problem.sloped(at)[1][each], 1e-7)
        assert slopes == pytest.approx(wanted, rel=1e-4, abs=1e-6)


def test_what_can_be_reached_is_found_in_a_few_steps(monkeypatch):
    """With 16 numbers to meet, where a descent along the gradient ends above 0 from all starts."""
    monkeypatch.setattr("scipy.optimize.minimize", lambda *arguments, **options: pytest.fail("searches further"))
    network, sources, targets = load("planar:64:143:0"), (0, 9, 30, 41), (20, 50, 11, 58)
    rng = np.random.default_rng(0)
    source_V = rng.uniform(0, 5, (30, 4))
    ohm = IDEAL.resistance(rng.integers(0, 128, 143), POT)
    desired_V = solve(64, network.ends, 1 / ohm, sources, source_V)[:, list(targets)]
    assert best_error(network, sources, targets, source_V, desired_V, IDEAL, POT) < REACHED_V2


@given(
    examples=st.integers(1, 300),
    outputs=st.integers(1, 3),
    constant=st.booleans(),
    teacher=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_many_examples_are_the_mean_of_single_ones(examples, outputs, constant, teacher, seed):
    """Whatever stands for them: a single one is never reduced, and its error needs no algebra."""
    rng = np.random.default_rng(seed)
    network, sources, targets = square(5, 5), (0, 7, 12, 24), (3, 16, 20)[:outputs]
    source_V = rng.uniform(0, 5, (examples, 4))
    if constant:  # as references are; two of them are one column twice
        source_V[:, 2:] = 3.0, 0.0
    x = np.log(rng.uniform(1e3, 1e5, len(network.ends)))
    desired_V = rng.uniform(0, 5, (examples, outputs))
    if teacher:
        desired_V = solve(25, network.ends, 1 / rng.uniform(1e3, 1e5, 40), sources, source_V)[:, list(targets)]
    single = [
        _Problem(network, sources, targets, source_V[[b]], desired_V[[b]], dense=True).error(x) for b in range(examples)
    ]
    error_V2, gradient = _Problem(network, sources, targets, source_V, desired_V, dense=True).error(x)
    wanted_V2 = np.mean([error for error, _ in single])
    assert abs(error_V2 - wanted_V2) <= 2e-15 * (wanted_V2 + 5.0 * wanted_V2**0.5)  # where volts are rounded
    of_all = np.mean([each for _, each in single], axis=0)
    assert np.abs(gradient - of_all).max() <= 1e-14 * np.abs([each for _, each in single]).max()


def test_a_lesson_that_comes_back_is_looked_for_once(monkeypatch):
    asked = []
    monkeypatch.setattr(best, "best_error", lambda network, *more: asked.append(len(network.ends)) or 1.0 / len(asked))
    volts = np.array([[0.0, 5.0]]), np.array([[1.0], [2.0]])
    lessons = [Lesson(str(i), 10.0 * i, volts[0], volts[1][[i % 2]]) for i in range(4)]
    job = Job(NETWORK, SOURCES, TARGETS[:1], tuple(lessons), damage=(Damage(3, "cut", 25.0), Damage(5, "dead", 15.0)))
    found = [(best.lesson, best.from_updates, best.error_V2) for best in best_errors(job)]
    assert found == [(0, 0, 1.0), (1, 10, 0.5), (2, 20, 1.0), (2, 25, 1 / 3), (3, 30, 0.25)]
    assert asked == [16, 16, 15, 15]


@pytest.mark.parametrize("physics", [IDEAL, BOARD])
@pytest.mark.parametrize("seed", range(4))
def test_what_a_teacher_does_can_be_reached(physics, seed):
    rng = np.random.default_rng(seed)
    ohm = physics.resistance(rng.integers(physics.lowest_tap(POT), 128, 16), POT)
    source_V = np.array([[0.0, physics.supply_V]])
    desired_V = solve(9, NETWORK.ends, 1 / ohm, SOURCES, source_V)[:, list(TARGETS)]
    assert best_error(NETWORK, SOURCES, TARGETS, source_V, desired_V, physics, POT) < REACHED_V2


def test_a_divider_against_brute_force():
    """Two resistors between 0 and 5 V, asked for two outputs at once: the compromise is one dimensional."""
    network = square(1, 3)
    source_V, desired_V = np.array([[0.0, 5.0], [0.0, 5.0]]), np.array([[1.0], [2.0]])
    got = best_error(network, (0, 2), (1,), source_V, desired_V, IDEAL, POT)
    assert got == pytest.approx(0.25, rel=1e-9)  # at 1.5 V: (0.5^2 + 0.5^2) / 2
    wanted = brute(lambda v: np.mean((v[0] - desired_V) ** 2), ((0.0, 5.0),), Ns=51)
    assert got == pytest.approx(float(np.mean((wanted - desired_V) ** 2)), rel=1e-6)


def test_bounds_are_kept():
    """A divider cannot go beyond the ratio of its extreme taps."""
    network = square(1, 3)
    got = best_error(network, (0, 2), (1,), np.array([[0.0, 5.0]]), np.array([[5.0]]), IDEAL, POT)
    assert got == pytest.approx((5.0 / 129) ** 2, rel=1e-6)  # 128 steps below, 1 above


def test_an_x9c_has_99_steps():
    """A divider asked for all of the supply keeps the share of the lowest tap, wiper included."""
    lowest_ohm, highest_ohm = (75 + tap * 100e3 / 99 for tap in (BOARD.lowest_tap(POTS["x9c"]), 99))
    got = best_error(square(1, 3), (0, 2), (1,), np.array([[0.0, 3.3]]), np.array([[3.3]]), BOARD, POTS["x9c"])
    assert got == pytest.approx((3.3 * lowest_ohm / (lowest_ohm + highest_ohm)) ** 2, rel=1e-6)


def test_a_short_is_never_quite_one():
    """With a lowest tap of no resistance the search still has bounds, and goes where an output is a source's."""
    physics = replace(IDEAL, spare_taps=0)
    got = best_error(square(1, 3), (0, 2), (1,), np.array([[0.0, 5.0]]), np.array([[5.0]]), physics, POT)
    assert 0 <= got < 1e-6
