"""What drift makes of errors whose truth is known."""

import numpy as np
import pytest
import xarray as xr

from clockfree_sim.paper.figures import drift

UPDATES = np.linspace(0, 20_000, 401)


def made_up(ratios, tasks=8):
    """Errors of made-up tasks that differ by decades, each offset so many times that without; 1e3 up to 16,000."""
    rng = np.random.default_rng(0)
    own = 10.0 ** rng.uniform(-7, -3, (2, 1, tasks, 1))
    errors_V2 = own * np.reshape(ratios, (-1, 1, 1)) * 1.1 ** rng.standard_normal((2, len(ratios), tasks, 1))
    errors_V2 = np.where(UPDATES > 16_000, errors_V2, 1e3)
    errors_V2[1, :, 3:] = np.nan  # fewer tasks on the large network
    dims = ("network", "offset", "task", "sample")
    return xr.Dataset({"offset_error": (dims, errors_V2)}, coords={"sample": UPDATES, "offset": [0.0, 0.5, 2.0]})


def test_offsets_are_compared_on_the_same_tasks_at_the_end():
    data = made_up([1.0, 4.0, 300.0])
    for network, count in ((0, 8), (1, 3)):
        assert len(drift.at(data, "offset_error", network, 0, 20_000)) == count
        found = drift.law(data, network).split(", ")
        assert [each.split(" (")[0].split(" f ")[0] for each in found] == ["0.5", "2"]
        half, two = (
            [float(x) for x in each.split(" f ")[1].strip(")").replace(" (", " .. ").split(" .. ")] for each in found
        )
        assert half[0] == pytest.approx(4, rel=0.2) and two[0] == pytest.approx(300, rel=0.2)
        assert half[1] < half[0] < half[2] < 1.5 * half[1] or count == 3  # paired: what tasks differ by does not count


def test_blocks_are_means_of_samples_after_the_first():
    values = np.arange(2 * 41.0).reshape(2, 41)
    assert drift.blocks(values).tolist() == [[5.5, 15.5, 25.5, 35.5], [46.5, 56.5, 66.5, 76.5]]
