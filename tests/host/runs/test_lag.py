import json
from dataclasses import replace

import numpy as np
import pytest

import clockfree as cf
from clockfree.runs import report, results, runlog
from clockfree.runs.lag import lag_in, too_fast
from clockfree_model.lag import MOST_UNDER_WAY
from clockfree_model.physics import BOARD, IDEAL
from clockfree_model.settings import OVERCLAMP, ClampSettings, EdgeSettings

N, RATE_HZ = 16, 10.0


def test_n_r_tau_is_what_firings_see_under_way():
    age_us = 5000
    with pytest.warns(UserWarning, match=r"N r tau 0\.8.* edge.rate_hz = 2.5 stays below"):
        run = cf.run("allostery", updates=300, physics={"age_us": age_us}, trace=True)
    t_us = np.sort(run.firings["t_us"].values)
    before = np.arange(len(t_us)) - np.searchsorted(t_us, t_us - age_us)
    found = run.summary["n_r_tau"]
    assert found == pytest.approx(N * RATE_HZ * age_us * 1e-6)
    assert before.mean() == pytest.approx(found, rel=0.05)  # some 4,800 firings


def test_what_lags_adds_up(made_up):
    job = replace(made_up[0](), physics=replace(BOARD, age_us=200, skew_us=30))
    lag = lag_in(job, {})
    assert lag.tau_us == 200 + 30 + 20 + 10
    assert lag.under_way == pytest.approx(N * RATE_HZ * 260e-6)
    assert "p = 0.0026 " in str(lag)
    digital = lag_in(replace(job, physics=replace(IDEAL, clamp_period_us=5000, clamp_delay_us=3000)), {})
    assert digital.tau_us == 5500
    assert lag_in(replace(job, schedule="sync"), {}) is None


def test_a_board_counts_with_what_it_rehearsed_and_one_that_did_not_is_no_number(made_up):
    job = made_up[0]()
    told = [{"edges": [*range(8)], "firing_us": [100] * 8}, {"edges": [*range(8, 16)], "firing_us": [300] * 8}]
    assert lag_in(job, {"boards": told}).age_us == 200
    assert lag_in(job, {"boards": [told[0], {"edges": [*range(8, 16)]}]}).age_us == 100
    assert lag_in(job, {"boards": [{"edges": [*range(16)]}]}) is None


def test_a_rate_that_costs_is_warned_of_with_one_that_does_not(made_up):
    slow, fast = (lag_in(replace(made_up[0](), physics=replace(IDEAL, age_us=us)), {}) for us in (1200, 5000))
    assert slow.under_way < MOST_UNDER_WAY < fast.under_way
    assert not slow.costs()
    assert "edge.rate_hz = 2.5 stays below" in fast.costs()  # 10 Hz at four times the most


def test_of_virtual_boards_the_machine_is_named(made_up):
    told = {"boards": [{"edges": [*range(16)], "firing_us": [5000] * 16}]}
    (real,), (virtual,) = (too_fast(made_up[0](), {"bench": name, **told}) for name in ("bench.toml", "virtual"))
    assert "machine" not in real and virtual.startswith(real) and "this machine takes" in virtual


def test_a_clamp_that_is_aimed_too_rarely_is_warned_of(made_up):
    """By 10 ms and 3 ms: at 38 firings a second it is half a mean wait old, at 19 a quarter, at 57 three."""
    coarse = ClampSettings(OVERCLAMP)
    fine = replace(coarse, tolerance_V=0.001)
    summed = EdgeSettings(front_end="adc", theta_V=0.04, summed=True)

    def said(edge, clamp, rate_hz, **more):
        job = replace(made_up[0](), edge=replace(edge, rate_hz=rate_hz), clamp=clamp, physics=BOARD, **more)
        return too_fast(job, {"boards": []})

    plain = EdgeSettings(front_end="adc")
    for edge, clamp, fits_hz, fast_hz in (
        (plain, coarse, 38, 39),
        (plain, fine, 19, 20),
        (summed, fine, 57, 58),
        (plain, replace(coarse, refresh_s=0.02), 21, 22),
    ):
        assert said(edge, clamp, fits_hz) == []
        (line,) = said(edge, clamp, fast_hz)
        assert line.startswith("the clamp is aimed too rarely: every ") and ", 3 ms after a look, " in line
    assert "edge.rate_hz = 38 stays below" in said(plain, coarse, 100)[0]
    assert said(plain, ClampSettings(), 100) == said(plain, coarse, 100, updates=0) == []


def test_the_record_says_it_where_something_lags(recorded, made_up):
    folder = recorded(replace(made_up[0](), physics=replace(BOARD, age_us=970)))
    record = runlog.read(folder)
    data = results.dataset(record)
    found = results.summary(record, data)
    assert json.loads(json.dumps(found))["n_r_tau"] == pytest.approx(0.16)
    rows = dict(
        zip(report.table(found, data).columns[0].cells, report.table(found, data).columns[1].cells, strict=True)
    )
    assert rows["lag"].startswith("N r tau 0.16, as many decisions at once as at p = 0.01 ")
