"""Virtual ground: the least lift between the rails, there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_model.ground import Ground, ground, rounded
from clockfree_model.physics import PRESETS

VOLTS = st.lists(st.floats(-6.0, 6.0), min_size=1, max_size=12)


@given(VOLTS, st.sampled_from(sorted(PRESETS)), st.sampled_from([1.0, 0.7, 0.1]))
def test_the_least_lift_that_keeps_the_margin_or_the_scale_that_would_do(volts, preset, scale):
    physics = PRESETS[preset]
    step_V = physics.supply_V / 4096
    own_V = rounded(volts, scale, physics)
    assert np.abs(own_V - volts).max() <= step_V * (0.5 + 0.5 * (np.max(volts) > 0)) / scale + 1e-12
    least = round(physics.margin_V / step_V)
    most = min(4096 - least, 4095)
    try:
        found = ground(own_V, scale, physics)
    except ValueError as error:
        steps = np.rint(own_V * scale / step_V)
        assert np.ptp(steps) > most - least
        other = float(str(error).rpartition("scale = ")[2])
        assert 0 < other < scale
        ground(rounded(volts, other, physics), other, physics)  # what it says to write does
        return
    codes = found.codes(own_V, physics)
    assert least <= codes.min() and codes.max() <= most
    assert found.own(codes * step_V, physics) == pytest.approx(own_V, abs=1e-12)
    if found.lift_steps:  # a step less would not do
        nearer = codes - np.sign(found.lift_steps)
        assert nearer.min() < least or nearer.max() > most


def test_by_hand():
    ideal, board = PRESETS["ideal"], PRESETS["board"]
    assert ground(rounded([0.0, 5.0], 1.0, ideal), 1.0, ideal) == Ground(0)
    assert ground(rounded([-1.25, 1.25], 1.0, ideal), 1.0, ideal) == Ground(1024)
    assert ground(rounded([3.75, 6.25], 1.0, ideal), 1.0, ideal) == Ground(4095 - 5120)
    assert ground(rounded([0.0, 1.0], 1.0, board), 1.0, board) == Ground(124)
    assert ground(rounded([0.1, 3.2], 1.0, board), 1.0, board) == Ground(0)
    assert Ground(1024, 0.5).on_circuit([-2.5, 2.5], ideal).tolist() == [0.0, 2.5]


@pytest.mark.parametrize(
    ("own_V", "held_V", "steps"),
    [
        ([0.5, 2.5], [0.4, 2.4], 0),  # inside already
        ([0.2, 1.0], [-0.2, 0.9], round(0.3 / 3.3 * 4096)),  # the margin below
        ([2.0, 3.1], [2.5, 3.4], -round(0.2 / 3.3 * 4096)),  # and above
        ([0.1, 3.0], [-0.2, 2.0], round(0.2 / 3.3 * 4096)),  # what is taught itself comes first
        ([1.0, 2.0], [-0.5, 3.5], round(0.15 / 3.3 * 4096)),  # as far beyond one margin as beyond the other
    ],
)
def test_a_lift_leaves_room_for_where_outputs_are_held(own_V, held_V, steps):
    board = PRESETS["board"]
    found = ground(rounded(own_V, 1.0, board), 1.0, board, np.array(held_V))
    assert found.lift_steps == pytest.approx(steps, abs=1)
