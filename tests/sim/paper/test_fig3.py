"""The paper's oscillators against a small-step integration of their circuit, correlations against scipy's."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.stats import pearsonr

from clockfree_model.final import error_at
from clockfree_sim.paper import discrete, turns
from clockfree_sim.paper.figures import fig3
from clockfree_sim.paper.tasks import Kind, make_task
from clockfree_sim.plant import oscillator
from clockfree_sim.theory.statistics import correlations, own_correlations
from clockfree_sim.world.world import World


def integrated(oscillators, edge, seconds, step_s=1e-7):
    """Voltage of one capacitor from the moment at which it begins to charge, by Euler's steps: R C dV/dt = out - V."""
    low_V, high_V, rc_s = (each[edge] for each in (oscillators.low_V, oscillators.high_V, oscillators.rc_s))
    volts, out_V, found = low_V, oscillator.SUPPLY_V, []
    for _ in range(round(seconds / step_s)):
        found.append(volts)
        volts += (out_V - volts) * step_s / rc_s
        if volts >= high_V:
            out_V = 0.0
        elif volts <= low_V:
            out_V = oscillator.SUPPLY_V
    return np.array(found)


@pytest.fixture(scope="module")
def built():
    return oscillator.build(6, np.random.default_rng(3), tolerance=2.0)


@pytest.mark.parametrize("edge", [0, 5])
def test_an_oscillator_is_what_its_circuit_does(built, edge):
    wanted_V = integrated(built, edge, 5e-3)
    time_s = built.began_s[edge] + 1e-7 * np.arange(len(wanted_V))
    assert built.volts(time_s)[edge] == pytest.approx(wanted_V, abs=0.02)
    a_period = wanted_V[: round(4 * built.period_s[edge] / 1e-7)]
    for bias_V in (1.0, 1.9, 2.5, 3.1, 4.0):
        assert built.chance(bias_V)[edge] == pytest.approx((a_period > bias_V).mean(), abs=2e-3)


def test_thresholds_follow_from_three_resistors():
    """Nominal: thirds of the supply, and half of the time above half of it; each part is within its tolerance."""
    nominal = oscillator.build(1, np.random.default_rng(0), 0.0)
    assert nominal.low_V == pytest.approx(5 / 3) and nominal.high_V == pytest.approx(10 / 3)
    assert nominal.period_s == pytest.approx(oscillator.PERIOD_S) and nominal.chance(2.5) == pytest.approx(0.5)
    for p in (0.02, 0.3, 0.5, 1.0):
        assert nominal.chance(oscillator.bias_of(p)) == pytest.approx(p)
    many = oscillator.build(4000, np.random.default_rng(1))
    relative = many.rc_s * 2 * np.log(2) / oscillator.PERIOD_S
    assert 0.885 < relative.min() < 0.9 and 1.1 < relative.max() < 1.115


def test_who_takes_part_is_above_the_bias(built):
    taking = oscillator.taking_part(built, 2.2, 3000)
    assert taking.mean(axis=1) == pytest.approx(built.chance(2.2), abs=0.03)
    assert (oscillator.taking_part(built, 2.2, 200, 600) == taking[:, 600:800]).all()
    assert (taking[:, 7] == (built.volts([7 * oscillator.TRIGGER_S])[:, 0] > 2.2)).all()


def test_every_edge_takes_part_now_and_then():
    """At the least p, with whatever parts; not at half of it."""
    many = oscillator.build(20_000, np.random.default_rng(2))
    least = oscillator.LEAST_P
    assert many.chance(oscillator.bias_of(least)).min() > 0.2 * least
    assert many.chance(oscillator.bias_of(least / 2)).min() == 0.0


def test_correlations_are_pearsons():
    taking = np.random.default_rng(0).random((4, 50)) < [[0.5], [0.2], [0.7], [2.0]]
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    found = correlations(taking)
    for (i, j), r in zip(pairs, found, strict=True):
        assert np.isnan(r) if j == 3 else r == pytest.approx(pearsonr(taking[i], taking[j]).statistic)
    own = own_correlations(taking)
    assert own[1] == pytest.approx(pearsonr(taking[1, :-1], taking[1, 1:]).statistic)


def test_the_clock_free_record_is_that_of_the_firings():
    """Against the counters of the slow reference at the end of each time."""
    count, seed = 40, 5
    fired = fig3.clockfree_record(seed, count)
    job = discrete.job(make_task(Kind("lab16", 1), seed), seed, updates=int(np.log(2) * count) + 50, samples=5000)
    samples = list(World(job).run())
    bin_us = np.log(2) / job.edge.rate_hz * 1e6
    firings = np.array([sample.counters["firings"] for sample in samples])
    # Its time begins with the first firing of all.
    time_us = np.array([sample.time_us for sample in samples])
    first_us = time_us[firings.sum(axis=1) > 0][0]
    before = firings[0]
    for i in range(count):
        after = firings[np.searchsorted(time_us, first_us + (i + 1) * bin_us, side="left") - 1]
        assert (fired[:, i] == (after > before)).mean() > 0.9  # samples are some 3 firings apart
        before = after
    assert 0.45 < fired.mean() < 0.55


def test_oscillators_are_compared_with_draws_on_the_same_tasks(monkeypatch):
    """Final errors against runs of the slow reference; ratios against these, by hand."""
    monkeypatch.setattr(turns, "CHANCES", (0.2, 0.5))
    monkeypatch.setattr(turns, "QUICK_UPDATES", 12)
    monkeypatch.setattr(turns.tasks, "LARGE", "square:3x3")
    data = turns.measure(ThreadPoolExecutor(1), True, 4)
    case = data["final"].sel(case="allostery, 3 outputs, eta 1").isel(case=0)
    by_rule = {rule: [] for rule in ("oscillators=0.2", "p=0.2", "oscillators=0.5", "p=0.5")}
    for rule, errors in by_rule.items():
        for seed in case["task"].values.tolist():
            job = discrete.job(make_task(Kind("lab16", 3), seed), seed, rule, eta=1.0, updates=12)
            samples = list(World(job).run())
            updates, stood_us, means_V2 = np.array([(e.updates, e.stood_us, e.mean_error_V2) for e in samples]).T
            errors.append(error_at(updates, means_V2, updates[-1], stood_us=stood_us))
    ratios = {p: np.divide(by_rule[f"oscillators={p}"], by_rule[f"p={p}"]) for p in (0.2, 0.5)}
    for p, found in ratios.items():
        assert turns.over_draws(case, p)[0] == pytest.approx(np.exp(np.log(found).mean()), rel=1e-6)
    assert turns.over_all(case)[0] == pytest.approx(np.exp(np.log(list(ratios.values())).mean()), rel=1e-6)
    assert len(set(np.round(list(ratios.values()), 6).ravel())) == 4
