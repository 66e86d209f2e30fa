"""The runs of capacity against the tests' own solver, and what the figure makes of data whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from clockfree_sim.best import best_error
from clockfree_sim.paper import limits
from clockfree_sim.paper.discrete import job, learnt
from clockfree_sim.paper.figures import capacity
from clockfree_sim.paper.limits import APART, RULES, TEACHER, UNIFORM, WAYS, Run, ended, late_stepping
from clockfree_sim.paper.tasks import Kind, make_task
from clockfree_sim.physics import IDEAL

from tests.sim.jobs import resistance, solve

KIND = Kind("lab16", 4)


def run(targets, seed=3, chased=False, kind=KIND):
    return Run(kind, targets, seed, 60, chased)


def best_V2(task, chosen):
    """Best achievable error of some of the outputs."""
    desired_V = task.lesson.desired_V[:, chosen]
    places = tuple(np.array(task.targets)[chosen])
    return best_error(task.network, task.sources, places, task.lesson.source_V, desired_V, IDEAL)


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
    """Final errors anew: the last fifth by the tests' own solver, from the taps at which the first rule ended."""
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
        late = [resistance(taps) for taps in end.taps[end.updates > 48].astype(int)]
        outputs_V = np.array([solve(task.network, ohm, task.sources, lesson.source_V[0])[targets] for ohm in late])
        errors_V2 = np.mean((outputs_V - lesson.desired_V) ** 2, axis=1)
        assert found["onward"][i, j, k] == pytest.approx(np.mean(errors_V2))
    assert np.isfinite(found["final"]).all() and found["best"] <= found["final"].min()


def test_what_is_not_chased_is_not_run():
    found = ended(run(TEACHER))
    assert np.isnan(found["onward"]).all() and np.isnan(found["final"][1]).all()
    assert np.isfinite(found["final"][[0, 2]]).all() and found["best"] < 1e-9


def made_up(ratios, tasks=30):
    """Errors of p = 1 are so many times those of clock-free edges (cells,); of a tenth of the tasks 1000 times more."""
    rng = np.random.default_rng(0)
    final = np.ones((len(ratios), tasks, 3, 2)) * 1e-6 * rng.uniform(0.9, 1.1, (len(ratios), tasks, 3, 2))
    final[..., 0] *= np.reshape(ratios, (-1, 1, 1))
    final[0, : tasks // 10, 1, 0] *= 1000
    onward = np.ones((*final.shape, 2)) * 1e-6
    onward[0, : tasks // 10, 1, :, 0] = [2e-4, 3e-4]  # p = 1 goes on from its own end, and from the clock-free one
    stepping = np.full(final.shape, 0.01)
    stepping[0, : tasks // 10, 1, 0] = 0.3
    dims = ("cell", "task", "way", "rule")
    return xr.Dataset(
        {
            "final": (dims, final),
            "onward": ((*dims, "next"), onward),
            "stepping": (dims, stepping),
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


def test_the_chase_looks_where_p_1_is_far_worse():
    found = " ".join(capacity.chase(made_up([1.0]).isel(cell=0), "dither alone").split())
    assert "more than 10 times in 3 : 0 of 30 (in these 30.00% of the firings of p = 1 still step" in found
    assert "times below" not in capacity.chase(made_up([1.0]).isel(cell=0), "remedy")
    assert "2e+02 (2e+02 .. 2e+02) times below" in found and "3e+02 (3e+02 .. 3e+02) times above" in found
