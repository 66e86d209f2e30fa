"""The law of the floor: its gradients, exact chains that it must give, and runs that it must predict."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from clockfree_model.job import Damage, Job, Lesson
from clockfree_model.network import lab16
from clockfree_model.parts import POTS
from clockfree_model.physics import BOARD, IDEAL
from clockfree_model.settings import ClampSettings, EdgeSettings
from clockfree_sim.paper import discrete
from clockfree_sim.paper.tasks import Kind, make_task, task_seeds
from clockfree_sim.theory import law, walk
from tests.sim.jobs import solve

SOURCE_V = np.array([[0.0, 5.0], [3.0, 1.0]])


def a_job(pot="mcp42xx", targets=(4, 6), **more):
    lessons = (Lesson("", 0.0, SOURCE_V, np.full((2, len(targets)), 2.0)),)
    return Job(lab16(), (0, 2), targets, lessons, edge=EdgeSettings(pot=pot), physics=IDEAL, **more)


def outputs_V(job, taps):
    ohm = job.physics.resistance(taps, POTS[job.edge.pot])
    return np.array([solve(job.network, ohm, job.sources, row)[list(job.targets)] for row in SOURCE_V])


# -- what outputs and edges answer to ----------------------------------------------------------------------------------


@pytest.mark.parametrize("pot", ["mcp42xx", "x9c303"])
def test_a_step_moves_the_outputs_by_g(pot):
    """Against the outputs of a dense solve one tap further up and down, but for the curvature between them."""
    job, taps = a_job(pot), np.random.default_rng(3).integers(40, 90, 16).astype(float)
    found = law.answers(job, taps, job.lessons[0]).per_tap_V
    for edge in range(16):
        step = np.eye(16)[edge]
        moved = (outputs_V(job, taps + step) - outputs_V(job, taps - step)) / 2
        assert found[:, :, edge] == pytest.approx(moved, rel=2e-3, abs=1e-7)


def test_edges_step_by_the_sign_of_the_metric():
    """Against both twins, nudged a little: |dV_C| > |dV_F| is up, and up it is where g^T M x is negative."""
    job, rng = a_job(), np.random.default_rng(5)
    taps = rng.integers(10, 120, 16).astype(float)
    found, ohm = law.answers(job, taps, job.lessons[0]), IDEAL.resistance(taps, POTS["mcp42xx"])
    tail, head = job.network.ends.T
    for example, _ in product(range(2), range(4)):
        off_V = 1e-5 * rng.normal(size=2)
        free = solve(job.network, ohm, job.sources, SOURCE_V[example])
        held = np.concatenate([SOURCE_V[example], free[list(job.targets)] - off_V])
        clamped = solve(job.network, ohm, (*job.sources, *job.targets), held)
        up = np.abs(clamped[tail] - clamped[head]) > np.abs(free[tail] - free[head])
        leads = found.per_tap_V[example].T @ found.metric @ off_V
        assert (up == (leads < 0)).all()


# -- exact chains ------------------------------------------------------------------------------------------------------


def chain_V2(jumps, chances):
    """Mean square of x -> x - G sign(x) for G of these sizes (integers) and chances, x anywhere between two of them.

    On each lattice u, u + 1, ... the chain is a matrix, run from anywhere until it changes no more; u is uniform.
    """
    most, means = max(jumps), []
    for u in (np.arange(40) + 0.5) / 40:
        x = u + np.arange(-most, most)
        matrix = np.zeros((len(x), len(x)))
        for jump, chance in zip(jumps, chances, strict=True):
            after = np.rint(x - jump * np.sign(x) - u + most).astype(int)
            matrix[after, np.arange(len(x))] += chance
        lazy = np.linalg.matrix_power((matrix + np.eye(len(x))) / 2, 2**14)  # so that 2-cycles come to rest too
        means.append(x**2 @ lazy.mean(axis=1))
    return float(np.mean(means))


SIZES = np.array([1.0, 2.0, 2.0, 5.0])


def test_clock_free_edges_one_by_one():
    assert law.floor_V2(SIZES) == pytest.approx(chain_V2([1, 2, 2, 5], [0.25] * 4), rel=2e-3)
    rates = np.array([4.0, 1.0, 2.0, 1.0])
    assert law.floor_V2(-SIZES, rates_hz=rates) == pytest.approx(chain_V2([1, 2, 2, 5], rates / 8), rel=2e-3)


@pytest.mark.parametrize("p", [1.0, 0.5, 0.05])
def test_rounds_of_some_of_the_edges(p):
    rounds = list(product([0, 1], repeat=4))
    jumps = [int(np.dot(each, SIZES)) for each in rounds]
    chances = [p ** sum(each) * (1 - p) ** (4 - sum(each)) for each in rounds]
    moves = [i for i, jump in enumerate(jumps) if jump and chances[i]]  # the others leave x where it is
    share = sum(chances[i] for i in moves)
    exact = chain_V2([jumps[i] for i in moves], [chances[i] / share for i in moves])
    assert law.floor_V2(SIZES, p) == pytest.approx(exact, rel=2e-3)


def test_gains_by_hand():
    assert law.gain(np.full(7, 0.3)) == pytest.approx(49)
    assert law.gain(np.array([3.0, -1.0])) == pytest.approx(64 / 28)
    two = np.stack([SIZES, 2 * SIZES])
    assert law.floor_V2(two) == pytest.approx(2.5 * law.floor_V2(SIZES))


# -- the linear network, followed --------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [None, 1.0, 0.3])
def test_followed_with_one_output_it_is_the_closed_form(p):
    sizes, rates = np.array([0.7, 1.1, 1.9, 2.3, 0.4]), np.array([1.0, 1.0, 3.0, 1.0, 2.0])
    found = walk.floor_V2(sizes.reshape(1, 1, 1, 5), np.eye(1)[None], p, rates, 0.1, seed=1, walkers=2000, updates=40)
    assert found == pytest.approx(law.floor_V2(sizes, p, rates), rel=0.05)


def test_outputs_that_share_no_edge_have_each_its_own_floor():
    per_tap_V = np.zeros((1, 1, 2, 8))
    per_tap_V[0, 0, 0, :4], per_tap_V[0, 0, 1, 4:] = SIZES, -3 * SIZES
    found = walk.floor_V2(per_tap_V, np.diag([1.0, 7.0])[None], None, np.ones(8), 0.1, walkers=1500, updates=40)
    assert found == pytest.approx(5 * law.floor_V2(SIZES), rel=0.05)


def test_examples_alike_are_one():
    per_tap_V = np.tile(SIZES, (3, 1)).reshape(1, 3, 1, 4)
    found = walk.floor_V2(per_tap_V, np.eye(1)[None], None, np.ones(4), 0.5, walkers=1500, updates=60)
    assert found == pytest.approx(law.floor_V2(SIZES), rel=0.05)


# -- runs --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("outputs", "low", "high"), [(1, 0.7, 1.4), (3, 0.7, 1.4)])
def test_runs_end_at_the_floor(outputs, low, high):
    ratios = []
    for seed in task_seeds(0, 6):
        job = discrete.job(make_task(Kind("lab16", outputs), seed), seed, updates=600, eta=1.0)
        found = discrete.learnt(job)
        ratios.append(found.final_V2 / law.predicted_V2(job, found.taps[found.updates > 480]))
    assert low < np.exp(np.mean(np.log(ratios))) < high


def test_it_speaks_of_ideal_parts_alone():
    job = a_job()
    known = (job, replace(job, schedule="sync"), replace(job, schedule="p=0.2"))
    assert all(
        map(law.applies, (*known, replace(job, clamp=ClampSettings(eta=0.1), physics=replace(IDEAL, supply_V=3.3))))
    )
    noisy, gated = replace(job, physics=replace(IDEAL, noise_V=1e-3)), replace(job, edge=EdgeSettings(front_end="adc"))
    others = (noisy, gated, replace(job, damage=(Damage(1, "cut", 5.0),)), replace(job, schedule="oscillators=0.5"))
    assert not any(map(law.applies, others))
    assert np.isnan(law.predicted_V2(noisy, np.full((1, 16), 64)))
    board = replace(job, physics=replace(BOARD, noise_V=0.0))
    assert law.applies(law.of_ideal_parts(board)) and law.of_ideal_parts(board).physics.wiper_ohm == BOARD.wiper_ohm
