"""What fig1 and fig2 make of data whose truth is known."""

import numpy as np
import pytest
import xarray as xr

from clockfree_sim.paper import tasks
from clockfree_sim.paper.figures import fig1, fig2

P, LEVELS_V2, MULTIPLES = np.array([1.0, 0.5, 0.1]), np.array([1e-1, 1e-8]), np.array([1, 4, 16])


def collapse(factor, tasks=12):
    """Steps x p of made-up tasks: those of p = 1 times a factor (P, levels), give or take 1%; three masks."""
    rng = np.random.default_rng(0)
    one = rng.uniform(20, 2000, (1, tasks, 1, 1, 1))
    spread = 1 + 0.01 * rng.standard_normal((1, tasks, len(P), 3, 2))
    spread[:, :, 0] = 1.0
    small = one * np.array([1.0, 8.0]) * np.array(factor)[:, None, :] * spread
    work = np.repeat(small[:, :, None, :, 0], len(MULTIPLES), axis=2)
    return xr.Dataset(
        {
            "small_work": (("case", "task", "p", "mask", "level"), small),
            "work": (("case", "task", "multiple", "p", "level"), work),
        },
        coords={"p": P, "level": LEVELS_V2, "multiple": MULTIPLES, "case": ["made up"]},
    )


def seen(data):
    (found,) = fig1.must_show(data).values()
    return found


def test_the_collapse_is_seen_where_it_is_and_nowhere_else():
    assert seen(collapse([[1, 1], [1.2, 1.1], [0.85, 0.9]]))
    assert not seen(collapse([[1, 1], [1.3, 1.1], [1, 1]]))  # one level at one p is off
    assert not seen(collapse([[1, 1], [1, 1], [1, 0.7]]))


def test_what_is_never_reached_counts_against_the_collapse_only_where_p_1_gets_there():
    data = collapse([[1, 1]] * 3)
    data["small_work"][0, :8, 2, 0, 1] = np.nan  # one mask of most tasks never comes to 1e-8 V^2
    assert np.isinf(fig1.ratios(data).sel(p=0.1, level=1e-8)).sum() == 8
    assert not seen(data)
    data = collapse([[1, 1]] * 3)
    data["small_work"][0, :8, :, :, 1] = np.nan  # nothing does
    assert np.isnan(fig1.ratios(data).sel(level=1e-8)).sum() == 24
    assert seen(data)


def test_larger_steps_are_measured_against_small_ones_at_p_1():
    data = collapse([[1, 1]] * 3)
    data["work"][0, :, 1] *= 2.0  # twice the way with four times the gamma
    data["work"][0, 3:, 2, 0] = np.nan  # nine of twelve tasks fail at p = 1 with 16 times
    cost, reached = fig1.breaks(data)
    assert cost.sel(multiple=4).values == pytest.approx(2, rel=0.02)
    assert np.isinf(cost.sel(multiple=16, p=1.0)) and reached.sel(multiple=16, p=1.0) == 0.25
    assert cost.sel(multiple=16, p=0.1) == pytest.approx(1, rel=0.02) and reached.sel(multiple=16, p=0.1) == 1


def test_the_larger_network_is_the_one_that_was_asked_for(monkeypatch):
    monkeypatch.setattr(tasks, "LARGE", "square:9x9")
    for quick in (True, False):
        assert {kind.network for kind, _ in fig1.cases(quick)} == {"lab16", "square:9x9"}


def distances(spread_power=0.5, shift_kohm=10.0, tasks=40, masks=32):
    """Made-up solutions: 2 kohm x^power of noise on each of 16 edges, and a mean shift of so many kohm times x."""
    rng = np.random.default_rng(1)
    left_out = np.array([x for _, x in fig2.POINTS])
    deterministic = rng.uniform(2e4, 8e4, (tasks, 16))
    noise = 2e3 * left_out[:, None, None, None] ** spread_power * rng.standard_normal((len(left_out), tasks, masks, 16))
    shift = 1e3 * shift_kohm * left_out[:, None, None, None] * np.ones(16) / 4
    return xr.Dataset(
        {
            "deterministic": (("task", "edge"), deterministic),
            "resistance": (("point", "task", "mask", "edge"), deterministic[:, None] + noise + shift),
        },
        coords={"family": ("point", [name for name, _ in fig2.POINTS]), "left_out": ("point", left_out)},
    )


def test_fluctuation_and_shift_are_told_apart():
    data = distances()
    spread = fig2.fluctuation(data)
    assert spread.mean("task").values == pytest.approx(8 * data["left_out"].values ** 0.5, rel=0.02)
    for family in fig2.FAMILIES:
        assert fig2.slopes(spread, family).mean() == pytest.approx(0.5, abs=0.02)
        middle, bounds, slope = fig2.mean_shift(data, family)
        x = data["left_out"].values[data["family"].values == family]
        assert middle == pytest.approx(10 * x, rel=0.2)
        assert ((bounds[0] < 10 * x) & (10 * x < bounds[1])).sum() >= len(x) - 1
        assert np.median(slope) == pytest.approx(1, abs=0.15)
    whole = np.sqrt(64 * data["left_out"] + 100 * data["left_out"] ** 2)
    assert fig2.total(data).mean("task").values == pytest.approx(whole.values, rel=0.03)


def test_no_shift_is_found_where_there_is_none():
    data = distances(shift_kohm=0.0)
    squares = fig2.shift_squared(data) / fig2.fluctuation(data) ** 2
    assert abs(squares.mean()) < 3 * squares.std() / np.sqrt(squares.size)
    assert all(np.isnan(fig2.mean_shift(data, family)[2]).all() for family in fig2.FAMILIES)


def test_another_power_is_not_taken_for_the_square_root():
    assert all(fig2.must_show(distances()).values())
    assert list(fig2.must_show(distances(spread_power=0.6)).values()) == [True, False]
    assert list(fig2.must_show(distances(tasks=39)).values()) == [False, True]
