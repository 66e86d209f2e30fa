"""The figure bias: its points, its comparison algorithms against a plain one made here, and what it says of numbers."""

import dataclasses
import itertools

import numpy as np
import pytest
import xarray as xr

from clockfree_model.final import error_at
from clockfree_model.physics import BOARD, IDEAL
from clockfree_sim.paper import by_host, discrete, edges, remedies
from clockfree_sim.paper.figures import bias
from clockfree_sim.paper.picking import curve, errors, gain, scanned
from clockfree_sim.paper.tasks import Kind, make_task
from clockfree_sim.world.world import World
from tests.sim.jobs import solve

SMALL = Kind("lab16", 2)


def host_job(updates=30, seed=4, physics=BOARD):
    task = make_task(SMALL, seed, physics)
    return discrete.job(task, seed, physics=physics, updates=updates, samples=updates)


def plain_host(job, moves):
    """Error after every trial, V^2, and the taps at the end, by dense solves: `moves` says which trials, and what to
    keep."""
    (lesson,), physics = job.lessons, job.physics
    step_V = physics.supply_V / 4096

    def both(taps):
        ohm = physics.wiper_ohm + taps * physics.rab_ohm / 128
        out = np.array([solve(job.network, ohm, job.sources, row)[list(job.targets)] for row in lesson.source_V])
        read = np.rint(out / step_V) * step_V
        return np.mean((out - lesson.desired_V) ** 2), np.mean((read - lesson.desired_V) ** 2)

    taps = np.full(len(job.network.ends), 64)
    now_V2, read_V2 = both(taps)
    found = [now_V2]
    kept = None
    while len(found) <= job.updates * len(taps):
        edge, step, better = moves(kept)
        kept = False
        if 2 <= taps[edge] + step <= 127:
            taps[edge] += step
            new_V2, new_read_V2 = both(taps)
            kept = better(new_read_V2, read_V2)
            if kept:
                now_V2, read_V2 = new_V2, new_read_V2
            else:
                taps[edge] -= step
        found.append(now_V2)
    return np.array(found), taps


def test_descent_by_a_host_is_the_plain_one():
    job = host_job()
    state = {"edge": 15, "step": -1}

    def moves(kept):
        """Up, and down if that was not kept; then the next edge."""
        if state["step"] == 1 and not kept:
            state["step"] = -1
        else:
            state.update(edge=(state["edge"] + 1) % 16, step=1)
        return state["edge"], state["step"], lambda new, old: new < old

    wanted, _ = plain_host(job, moves)
    updates, found, _ = by_host.descent(job)
    assert updates == pytest.approx(np.arange(31))
    assert found == pytest.approx(wanted[::16], rel=1e-6, abs=1e-12)
    assert found[-1] < 1e-3 * found[0]


def test_perturbation_by_a_host_is_the_plain_one():
    job = host_job(updates=40)
    rng = np.random.default_rng(job.seed)
    drawn = zip(rng.integers(16, size=1000), 2 * rng.integers(2, size=1000) - 1, strict=True)
    wanted, _ = plain_host(job, lambda kept: (*next(drawn), lambda new, old: new <= old))
    assert by_host.perturbation(job)[1] == pytest.approx(wanted[::16], rel=1e-6, abs=1e-12)
    assert wanted[-1] < 0.2 * wanted[0]


# -- points -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quick", [True, False])
def test_every_point_can_be_told_from_the_others(quick):
    points = remedies.points(quick)
    keys = [(point.part, point.name, point.size, point.other, point.kind) for point in points]
    assert len(set(keys)) == len(keys)
    assert all(point.count >= 2 for point in points)
    if not quick:
        ways = [point for point in points if point.part == "ways" and point.name in ("plain", "remedy")]
        assert all(point.long and point.count >= (24 if point.kind.network == "lab16" else 12) for point in ways)
        assert {point.kind.network == "lab16" for point in ways} == {True, False}


def test_what_is_alone_is_alone():
    """One imperfection a point, none in the readings of sigma but sigma, all of them on the board."""
    faults = {*remedies.IMPERFECTIONS.values(), "sigma_V"}
    for point in remedies.points(False):
        on = {name for name in faults if getattr(point.physics, name)}
        if point.part in remedies.IMPERFECTIONS:
            assert on == {remedies.IMPERFECTIONS[point.part]}
            assert getattr(point.physics, *on) == pytest.approx(point.size * getattr(BOARD, *on))
        elif point.part == "ADC step":
            assert not on
            inputs_V = point.physics.supply_V - 2 * point.physics.margin_V
            assert inputs_V * point.size == pytest.approx(3.1)
        elif point.part.startswith(("sigma", "start")):
            reading = point.part.split()[1]
            assert on == {"none": set(), "centred": {"noise_V"}}.get(reading, {"sigma_V"})
            assert reading in ("none", "centred", point.physics.sigma_kind)
        else:
            assert dataclasses.replace(point.physics, margin_V=0.1) == BOARD


def test_errors_are_those_of_the_slow_reference(monkeypatch):
    monkeypatch.setattr(remedies, "AT", (60, 200))
    monkeypatch.setattr(remedies, "SAMPLES", (50, 100))
    point = remedies.Point("ways", "remedy", SMALL, 2, edge=edges.REMEDY, eta=0.5, schedule="p=0.3", long=True)
    found = remedies.errors((point, 11))
    task = make_task(SMALL, 11, BOARD)
    job = discrete.job(
        task, 11, "p=0.3", 0.5, BOARD, edges.REMEDY, updates=200, samples=100
    )  # fmt: skip
    samples = list(World(job).run())
    names = ("updates", "mean_error_V2", "stood_us")
    updates, error_V2, stood_us = (np.array([getattr(each, name) for each in samples]) for name in names)
    assert found == [error_at(updates, error_V2, at, stood_us=stood_us) for at in (60, 200)]
    short = remedies.errors((dataclasses.replace(point, long=False), 11))
    assert short[0] > 0 and np.isnan(short[1])


def test_the_teacher_has_the_resistors_of_the_physics():
    """What it asks for is what these do at its taps, drawn here again."""
    task = make_task(SMALL, 5, BOARD)
    rng = np.random.default_rng(5)
    rng.permutation(9)
    ohm = 75.0 + rng.integers(2, 128, 16) * 100e3 / 128
    wanted = solve(task.network, ohm, task.sources, [0.0, 5.0])[list(task.targets)]
    assert task.lesson.desired_V[0] == pytest.approx(wanted, rel=1e-9)
    assert make_task(SMALL, 5).lesson.desired_V[0] != pytest.approx(wanted, rel=1e-4)
    assert make_task(SMALL, 5, IDEAL).lesson.desired_V == pytest.approx(make_task(SMALL, 5).lesson.desired_V)


# -- numbers ----------------------------------------------------------------------------------------------------------


def made_up(plain, remedy, kinds=("a",)):
    """A table with two ways at both ends, the same errors on every kind of task; plain has one task more."""
    rows = [(name, kind) for kind in kinds for name in ("plain", "remedy")]
    error = np.array([plain if name == "plain" else remedy for name, _ in rows], dtype=float)
    count = len(rows)
    coords = {
        "part": ("point", ["ways"] * count),
        "name": ("point", [name for name, _ in rows]),
        "kind": ("point", [kind for _, kind in rows]),
        "edges": ("point", [16] * count),
        "size": ("point", [1.0] * count),
        "at": ("at", list(bias.AT)),
    }
    return xr.Dataset({"error": (("point", "task", "at"), error)}, coords=coords)


def test_verdicts_follow_from_the_errors():
    plain = [[4e-4, 4e-4], [1e-4, 1e-4]]
    for remedy, wanted in (
        ([[1e-5, 1e-5], [1e-6, 1e-6]], [True, True, True]),  # 63 times
        ([[4e-5, 1e-6], [1e-5, 1e-6]], [False, True, True]),  # 10 times at first
        ([[1e-6, 4e-6], [1e-6, 4e-6]], [True, True, False]),  # forgets four times
    ):
        verdicts = bias.must_show(made_up(plain, remedy))
        assert list(verdicts.values()) == wanted
    nothing_long = [[1e-6, np.nan]] * 2
    assert list(bias.must_show(made_up([[1e-4, np.nan]] * 2, nothing_long)).values()) == [True]


def test_picking():
    data = made_up([[4.0, 8.0], [9.0, np.nan]], [[1.0, 2.0], [1.0, np.nan]], kinds=("b", "a"))
    assert scanned(data, "kind", name="plain") == ["a", "b"]
    assert errors(data, 20_000, name="plain", kind="a").tolist() == [8.0]
    assert gain(data, 1500, "plain", "remedy", kind="a")[0] == pytest.approx(6.0)
    missing = made_up([[4.0, 8.0], [9.0, 1.0], [5.0, 1.0]], [[1.0, 2.0], [np.nan, 2.0], [5.0, 1.0]])  # pairs stay pairs
    assert gain(missing, 1500, "plain", "remedy")[0] == pytest.approx(2.0)
    values, found = curve(data, "kind", 1500, name="plain")
    assert values == ["a", "b"] and found[0] == pytest.approx([6.0, 6.0]) and (found[1] < found[0]).all()
    with pytest.raises(ValueError, match="expected 1"):
        errors(data, 1500, name="plain")


def test_where_a_reading_shows_the_benefit():
    """Benefits of 2 at every task, of 1/2 at every task, and of 4 and 1/2 by turns."""
    rows = [(5.0, 2.0), (15.0, 0.5), (50.0, None)]
    error, coords = [], {"size": [], "name": []}
    for size, times in rows:
        one = np.array([1.0, 1.1, 0.9, 1.2]) * 1e-3
        over = np.array(list(itertools.islice(itertools.cycle((4.0, 0.5)), 4))) if times is None else times
        for name, values in (("p = 1", one), ("p = 0.1", one / over), ("clock-free", one)):
            error.append(np.stack([values, np.full(4, np.nan)], axis=1))
            coords["size"].append(size)
            coords["name"].append(name)
    many = len(error)
    data = xr.Dataset(
        {"error": (("point", "task", "at"), np.array(error))},
        coords={
            **{name: ("point", values) for name, values in coords.items()},
            "part": ("point", ["sigma signed"] * many),
            "other": ("point", [0.5] * many),
            "edges": ("point", [143] * many),
            "kind": ("point", ["a"] * many),
            "at": ("at", list(bias.AT)),
        },
    )
    where = {"edges": 143, "kind": "a"}
    assert bias.beneficial(data, "signed", where, 0.5) == [5.0]
