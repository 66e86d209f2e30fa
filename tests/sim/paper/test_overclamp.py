"""The figure overclamp: what it makes of errors whose truth is known; and the gradient that its theory claims."""

import numpy as np
import pytest
import xarray as xr

from clockfree_model.network import load
from clockfree_sim.paper import overclamping
from clockfree_sim.paper.figures import overclamp
from tests.sim.jobs import solve


def test_the_first_order_is_a_gradient_and_the_square_is_not():
    """dV_F D = -c Z^-1 dV/dg of every edge, by dense solves and small changes, for a clamp that is not small."""
    network, sources, outs, source_V = load("lab16"), [0, 2], [4, 6, 8], [0.0, 3.0]
    ohm = np.random.default_rng(0).uniform(5e3, 1e5, len(network.ends))
    free = solve(network, ohm, sources, source_V)
    c = np.array([0.3, -0.2, 0.25])
    clamped = solve(network, ohm, [*sources, *outs], [*source_V, *(free[outs] + c)])
    # Currents that hold the outputs at one volt each, one after another, sources grounded: the inverse of Z.
    inverse = np.zeros((3, 3))
    for k, unit in enumerate(np.eye(3)):
        volts = solve(network, ohm, [*sources, *outs], [0.0, 0.0, *unit])
        for (tail, head), r in zip(network.ends.tolist(), ohm, strict=True):
            for node, other in ((tail, head), (head, tail)):
                if node in outs:
                    inverse[outs.index(node), k] += (volts[node] - volts[other]) / r
    tail, head = network.ends.T
    drop, change = free[tail] - free[head], (clamped - free)[tail] - (clamped - free)[head]
    wanted = []
    for i in range(len(ohm)):
        g = 1 / ohm
        more = 1e-5 * g[i]
        g[i] += more
        wanted.append(-c @ inverse @ (solve(network, 1 / g, sources, source_V) - free)[outs] / more)
    assert drop * change == pytest.approx(np.array(wanted), rel=1e-3)
    # The published rule goes against it on some edges, and always upwards.
    against = np.sign(2 * drop * change + change**2) != np.sign(wanted)
    assert against.any() and (np.array(wanted)[against] < 0).all()


def made_up(errors_V2, way=overclamping.UNCALIBRATED, part="ways", late=1.2, kind="16 edges, allostery, 3 outputs"):
    """Data of one point, tasks by clocks, that ends `late` times as high."""
    errors_V2 = np.array(errors_V2, dtype=float)
    each = ("point", "task", "clocks")
    return xr.Dataset(
        {
            "error": ((*each, "at"), np.stack([errors_V2, late * errors_V2], axis=-1)[np.newaxis]),
            "top": (each, np.full((1, *errors_V2.shape), 0.1)),
        },
        {
            name: ("point", [value])
            for name, value in {"part": part, "way": way, "order": 1, "size": 0.0, "kind": kind}.items()
        },
    )


def test_what_it_says_of_errors():
    data = made_up([[1e-7, 1e-5], [1e-6, 4e-6], [2e-4, np.nan]])
    assert overclamp.of_tasks(data, 0, 0) == pytest.approx([1e-6, 2e-6, 2e-4])
    assert overclamp.worsening(data, 0) == pytest.approx([1.2] * 3)
    assert overclamp.lost(data, 0, 0) == pytest.approx(0.2)  # of five runs one
    assert not any(overclamp.worsening(made_up([[1e-6], [2e-6]], late=np.nan), 0))


@pytest.mark.parametrize(
    ("errors_V2", "late", "seen"),
    [
        ([[1.4e-6], [1.5e-6]], 1.4, [True, True]),
        ([[1.6e-6], [1.6e-6]], 1.4, [False, True]),
        ([[1e-9], [2e-4]], 1.4, [False, True]),
        ([[1e-6], [1e-6]], 1.6, [True, False]),
    ],
)
def test_what_must_be_seen(errors_V2, late, seen):
    assert [*overclamp.must_show(made_up(errors_V2, late=late)).values()] == seen


def test_near_capacity_it_may_be_twice_as_high():
    parts = [
        made_up([[low], [low]], way, "capacity")
        for way, low in ((overclamping.TODAY, 1e-6), (overclamping.UNCALIBRATED, 9e-6), (overclamping.CHOSEN, 1.9e-6))
    ]
    data = xr.concat(parts, "point")
    assert [*overclamp.must_show(data).values()] == [True]
    data["error"][2] *= 1.1
    assert [*overclamp.must_show(data).values()] == [False]
