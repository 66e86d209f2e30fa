"""The runs of capacity against the tests' own solver, and what the figure makes of data whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from clockfree_model.final import error_at
from clockfree_model.job import Lesson
from clockfree_model.network import Network
from clockfree_model.physics import IDEAL
from clockfree_sim.paper import limits
from clockfree_sim.paper.discrete import job, learnt
from clockfree_sim.paper.figures import capacity
from clockfree_sim.paper.limits import APART, RULES, TEACHER, UNIFORM, WAYS, Run, ended, late_stepping
from clockfree_sim.paper.overshoot import gain
from clockfree_sim.paper.tasks import POT, Kind, Task, make_task
from clockfree_sim.theory.best import best_error
from tests.sim.jobs import resistance, solve

KIND = Kind("lab16", 4)


def run(targets, seed=3, chased=False, kind=KIND):
    return Run(kind, targets, seed, 60, chased)


def best_V2(task, chosen):
    """Best achievable error of some of the outputs."""
    desired_V = task.lesson.desired_V[:, chosen]
    places = tuple(np.array(task.targets)[chosen])
    return best_error(task.network, task.sources, places, task.lesson.source_V, desired_V, IDEAL, POT)


@pytest.mark.parametrize("targets", limits.TARGETS)
def test_only_the_desired_voltages_differ(targets):
    task, plain = run(targets).task, make_task(KIND, 3)
    assert (task.sources, task.targets) == (plain.sources, plain.targets)
    same = np.array_equal(task.lesson.desired_V, plain.lesson.desired_V)
    assert same == (targets == TEACHER) and task.lesson.desired_V.shape == (1, 4)


def test_with_a_teacher_each_every_output_can_be_reached_alone_but_not_all_of_them_always():
    several = [run(APART, seed).task for seed in range(6)]
    assert all(best_V2(task, [output]) < 1e-9 for task in several for output in range(4))
    together = [best_V2(task, range(4)) for task in several]
    assert max(together) > 1e-4
    assert all(best_V2(run(TEACHER, seed).task, range(4)) < 1e-9 for seed in range(6))


def test_uniform_is_uniform():
    volts = np.ravel([run(UNIFORM, seed).task.lesson.desired_V for seed in range(200)])
    counts, _ = np.histogram(volts, bins=5, range=(0, 5))
    assert counts.sum() == 800 and counts == pytest.approx(160, abs=45)


def test_what_still_steps_is_what_the_wipers_say():
    """Against recorded taps, with a sample at each round."""
    end = learnt(job(run(TEACHER).task, 3, RULES[0], edge=WAYS["dither alone"], updates=50, samples=50))
    moves = np.abs(np.diff(end.taps.astype(int), axis=0)).sum(axis=1)
    assert late_stepping(end) == moves[40:].sum() / (16 * 10)
    assert 0 < late_stepping(end) < end.stepping


def test_both_rules_go_on_from_each_end():
    """From the taps at which the first rule ended, by the tests' own solver; what it then came to, from its own run."""
    each = run(APART, chased=True)
    found = ended(each)
    task = each.task
    for i, j, k in ((0, 0, 1), (1, 1, 0), (2, 0, 0)):
        edge = list(WAYS.values())[i]
        first, then = (job(task, 3, RULES[which], limits.ETA, edge=edge, updates=60) for which in (j, k))
        start = learnt(first).taps[-1].astype(int)
        end = learnt(replace(then, start_taps=start))
        assert (end.taps[0] == start).all()
        lesson, targets = then.lessons[0], list(task.targets)
        outputs_V = solve(task.network, resistance(start), task.sources, lesson.source_V[0])[targets]
        assert end.error_V2[0] == pytest.approx(np.mean((outputs_V - lesson.desired_V[0]) ** 2))
        late_V2 = error_at(end.updates, end.mean_error_V2, 60, stood_us=end.stood_us)
        assert found["onward"][i, j, k] == pytest.approx(late_V2)
    last = learnt(job(task, 3, RULES[1], limits.ETA, edge=WAYS["floor and dither"], updates=60))
    assert found["gain"][2] == gain(task, then.lessons[0], last.taps[-1], 0.02) and np.isnan(found["gain"][0])
    assert np.isfinite(found["final"]).all() and found["best"] <= found["final"].min()


def test_what_is_not_chased_is_not_run():
    found = ended(run(TEACHER))
    assert np.isnan(found["onward"]).all() and np.isnan(found["gain"]).all() and np.isnan(found["final"][1]).all()
    assert np.isnan(found["final"][2]).all()
    assert np.isfinite(found["final"][[0, 3]]).all() and found["best"] < 1e-9


def made_up(ratios, tasks=30):
    """Errors of p = 1 are so many times those of clock-free edges (cells,); of a tenth of the tasks 1000 times more."""
    rng = np.random.default_rng(0)
    final = (
        np.ones((len(ratios), tasks, len(WAYS), 2)) * 1e-6 * rng.uniform(0.9, 1.1, (len(ratios), tasks, len(WAYS), 2))
    )
    final[..., 0] *= np.reshape(ratios, (-1, 1, 1))
    final[0, : tasks // 10, 1, 0] *= 1000
    onward = np.ones((*final.shape, 2)) * 1e-6
    onward[0, : tasks // 10, 1, :, 0] = [2e-4, 3e-4]  # p = 1 goes on from its own end, and from the clock-free one
    stepping = np.full(final.shape, 0.01)
    stepping[0, : tasks // 10, 1, 0] = 0.3
    gains = np.broadcast_to([np.nan, 1.0, 1.0, np.nan], final.shape[:3]).copy()
    gains[0, : tasks // 10, 1] = 3.0
    dims = ("cell", "task", "way", "rule")
    return xr.Dataset(
        {
            "final": (dims, final),
            "onward": ((*dims, "next"), onward),
            "stepping": (dims, stepping),
            "gain": (dims[:3], gains),
            "best": (dims[:2], np.full(final.shape[:2], 1e-9)),
        },
        coords={"way": list(WAYS), "rule": ["p = 1", "clock-free"], "next": ["p = 1", "clock-free"]},
    )


def test_ratios_are_over_tasks():
    data = made_up([2.0, 8.0])
    assert capacity.ratio(data, "plain").mean("task").values == pytest.approx([2, 8], rel=0.1)
    over = capacity.over_tasks(capacity.ratio(data, "plain"))
    assert over.shape == (30,) and over == pytest.approx(4, rel=0.25)  # geometric mean over two cells
    data["final"][1, 10:] = np.nan
    over = capacity.over_tasks(capacity.ratio(data, "plain"))
    assert over.shape == (30,) and over[10:] == pytest.approx(2, rel=0.25)
    data["best"][1, 10:] = np.nan
    assert capacity.tasks_of(data).tolist() == [30, 10]


def test_the_chase_tells_rest_from_overshoot():
    found = " ".join(capacity.chase(made_up([1.0]).isel(cell=0), "dither alone").split())
    assert "3 : 0 of 30 far worse; when both go on from the end of p = 1 1.7 (" in found  # 200^(1 / 10)
    assert "from the clock-free end 1.8 (" in found
    assert "gain above 2: 1e+03 (" in found and "3 : 0 of 3 far worse, 30.0% and" in found
    assert "gain below 2: 0.99 (" in found and "0 : 0 of 27 far worse, 1.0% and" in found
    plain = capacity.chase(made_up([1.0]).isel(cell=0), "plain")
    assert "gain" not in plain and "0 : 0 of 30 far worse" in plain


@pytest.mark.parametrize("seed", [1, 5])
def test_the_gain_is_that_of_finite_differences(seed):
    task = run(APART, seed).task
    rng = np.random.default_rng(seed)
    taps = rng.integers(0, 128, 16)
    taps[[2, 9]] = 0, 127
    lesson, held = task.lesson, (*task.sources, *task.targets)
    held_V = [*lesson.source_V[0], *lesson.desired_V[0]]
    tail, head = task.network.ends.T

    def q(taps):
        free_V = solve(task.network, resistance(taps), task.sources, lesson.source_V[0])
        clamped_V = solve(task.network, resistance(taps), held, held_V)
        return np.abs(clamped_V[tail] - clamped_V[head]) - np.abs(free_V[tail] - free_V[head])

    inside = [edge for edge in range(16) if 0 < taps[edge] < 127]
    moves = 1e-4 * np.eye(16)[inside]
    answers = np.array([(q(taps + move) - q(taps - move)) / 2e-4 for move in moves])[:, inside].T
    wanted = np.max(-np.linalg.eigvals(answers).real) / 0.02
    assert wanted > 0.01 and gain(task, lesson, taps, 0.02) == pytest.approx(wanted, rel=1e-4)


def test_a_round_overshoots_above_a_gain_of_two():
    """Two edges in series, the output between them, half of 5 V wanted: with equal taps t it is reached.

    One tap more moves the output by 5 V / 4 (t + 1), q of the edge itself down and q of its neighbour up by as much:
    eigenvalues 0 and twice that.
    """
    network = Network("series", ("A", "B", "C"), np.array([[0, 1], [1, 2]]), np.zeros((3, 2)))
    task = Task(network, (0, 2), (1,), Lesson("", 0.0, np.array([[0.0, 5.0]]), np.array([[2.5]])))
    still = {}
    for theta_V in (0.01, 0.08):
        assert gain(task, task.lesson, np.array([63, 63]), theta_V) == pytest.approx(2 * 5 / (4 * 64) / theta_V)
        edge = replace(WAYS["dither alone"], theta_V=theta_V)
        made = job(task, 1, RULES[0], 1.0, edge=edge, updates=400)
        still[theta_V] = late_stepping(learnt(replace(made, start_taps=np.array([72, 53]))))
    assert still[0.01] > 0.5 and still[0.08] < 0.02  # gains of 3.9 and 0.49
