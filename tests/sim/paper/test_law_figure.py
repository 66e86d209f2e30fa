"""The figure law: what it judges, of made-up errors."""

import numpy as np
import pytest
import xarray as xr

from clockfree_sim.paper.compare import CLOCKFREE, ONE, join, section
from clockfree_sim.paper.figures import law


def made_up(clockfree, one, tasks=law.NAMED):
    """One case whose tasks all end at so many times their floors, which differ."""
    floor = np.geomspace(1e-6, 1e-3, tasks) * np.ones((1, 2, 1))
    final = floor * np.array([clockfree, one])[None, :, None]
    dims = ("case", "way", "task")
    coords = {"case": ["made up"], "way": [CLOCKFREE, ONE], "edges": ("case", [16])}
    return join({"named": xr.Dataset({"final": (dims, final), "floor": (dims, floor)}, coords=coords)})


def test_cases_are_judged_by_the_limits_that_were_named():
    """At p = 1 over the least floor, three quarters of the mean one."""
    assert list(law.must_show(made_up(1.0, 1.0)).values()) == [True, True]
    assert list(law.must_show(made_up(0.79, 1.36)).values()) == [False, False]
    assert list(law.must_show(made_up(1.31, 0.52)).values()) == [False, False]
    assert list(law.must_show(made_up(1.29, 0.53)).values()) == [True, True]
    assert not any(law.must_show(made_up(1.0, 1.0, tasks=5)).values())  # too few
    assert law.against(section(made_up(2.0, 1.5), "named"), 0, ONE) == pytest.approx((2.0, 2.0, 2.0))
