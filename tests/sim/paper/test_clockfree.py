"""What is compared for edges on their own clocks, and what is made of known errors."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

from clockfree_model.settings import ClampSettings, EdgeSettings
from clockfree_sim.paper import command, making, staleness, tasks
from clockfree_sim.paper.compare import CLOCKFREE, ONE, Case, clocked, compare, gain, join, rule_of, section
from clockfree_sim.paper.discrete import job
from clockfree_sim.paper.figures import clockfree
from clockfree_sim.paper.tasks import Kind
from clockfree_sim.plant.rounds import period_us
from tests.sim.paper.figures import whole


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """All sections, quick, of a figure that is whole."""
    return whole("clockfree", tmp_path_factory.mktemp("paper") / "figures")


# -- staleness -------------------------------------------------------------------------------------------------------


def test_every_kind_of_staleness_is_as_many_decisions():
    """p N and N r tau, with N = 16 and r = 10 firings/s; more than N are not to be had, but N itself by infinity."""
    ways = staleness.ways(16, (0.4, 4.0, 40.0, np.inf), clockfree.KINDS)
    assert ways.pop(CLOCKFREE) == {}
    for decisions, many in (("0.4", 0.4), ("4", 4), ("inf", 16)):
        assert float(ways.pop(f"p, {decisions}")["schedule"].removeprefix("p=")) == pytest.approx(many / 16)
        for kind, name in (("age", "age_us"), ("settling", "settle_us"), ("latency", "clamp_us")):
            physics = ways.pop(f"{kind}, {decisions}")["physics"]
            assert 16 * 10.0 * getattr(physics, name) / 1e6 == pytest.approx(many)
            others = {"age_us", "settle_us", "clamp_us", "clamp_period_us", "skew_us", "lateness_us"} - {name}
            assert not any(getattr(physics, other) for other in others)
    assert set(ways) == {f"{kind}, 40" for kind in clockfree.KINDS} and not any(ways.values())
    run = {
        way.split(", ")[0] for way, settings in staleness.ways(1012, (1.0, np.inf), clockfree.KINDS).items() if settings
    }
    assert run == {"p", "age"}  # what takes long is left out


def law(edges, kinds):
    """Made-up errors: rounds cost 1 + x^2; a lag as much as a round with so many times more decisions."""
    stale = (0.5, 1.0, 2.0, 4.0, np.inf)
    ways = staleness.ways(edges, stale, ("p", *kinds))
    final = [1e-5 if way == CLOCKFREE else np.nan for way in ways]
    for i, (way, settings) in enumerate(ways.items()):
        if settings:
            kind, x = way.split(", ")
            final[i] = 1e-5 * (1 + (min(float(x), edges) * {"p": 1.0, **kinds}[kind]) ** 2)
    spread = np.array([0.5, 1.0, 2.0])  # of the tasks; paired, it does not count
    return xr.Dataset(
        {"final": (("case", "way", "task"), (np.array(final)[:, None] * spread)[None])},
        coords={"case": ["made up"], "way": list(ways), "edges": ("case", [edges])},
    )


def test_the_cost_and_the_shift_of_a_known_law(monkeypatch):
    found = law(16, {"age": 2.0, "settling": 0.5})
    at, cost = staleness.cost(found, 0, "p")
    assert at == pytest.approx([0.5, 1, 2, 4, 16])
    assert cost == pytest.approx(1 + at[:, None] ** 2 * np.ones(3))
    assert staleness.shift(found, 0, "p") == pytest.approx(1)
    assert staleness.shift(found, 0, "age") == pytest.approx(2, rel=0.05)
    assert staleness.shift(found, 0, "settling") == pytest.approx(0.5, rel=0.05)
    assert np.isnan(staleness.shift(law(16, {"age": 1e-9}), 0, "age"))  # costs nothing: no round is so cheap
    assert np.isnan(staleness.shift(found, 0, "latency"))  # not there
    monkeypatch.setattr(staleness, "SAID", (4.0,))
    text = " ".join(staleness.said(found).split())
    assert "p N = 4: 16 edges 17.0 (17.0 .. 17.0); N r tau by age = 4: 16 edges 65.0 (65.0 .. 65.0)" in text
    assert text.endswith("16 edges age 2.0, settling 0.5.")


def test_lags_cost_what_they_should():
    """A lag over which nobody else decides costs nothing; one in which all do, as rounds of all: much."""
    kind = Kind(tasks.LARGE, 1)

    def ways(edges):
        return staleness.ways(edges, (0.01, np.inf), ("age", "settling", "latency"))

    with ThreadPoolExecutor(1) as pool:
        found = compare(pool, [Case(kind, 1.0, 3, 300)], ways, 0, "lags")
    for name, least in (("age", 10), ("settling", 3), ("latency", 1.5)):
        _, cost = staleness.cost(found, 0, name)
        assert cost[0, 0] < 1.5 <= least < cost[1, 0], name


# -- what is compared ------------------------------------------------------------------------------------------------


def test_what_is_not_to_be_run_is_not_run():
    def ways(edges):
        return {ONE: rule_of(1), "none": None, CLOCKFREE: {"edge": EdgeSettings(clock="periodic")}}

    with ThreadPoolExecutor(1) as pool:
        cases = [Case(Kind("lab16", 1), 1.0, 2, 20), Case(Kind("lab16", 2, 3), 0.5, 3, 20)]
        found = compare(pool, cases, ways, 0, "few")
    done = found["final"].notnull().values
    assert done[0].tolist() == [[True, True, False], [False] * 3, [True, True, False]]
    assert done[1].tolist() == [[True] * 3, [False] * 3, [True] * 3]
    assert found["case"].values.tolist() == ["allostery, 1 output, eta 1", "2x2 regression, 3 examples, eta 0.5"]
    assert (found["initial"].sel(way=ONE) == found["initial"].sel(way=CLOCKFREE)).values[done[:, 0]].all()


def test_sections_come_apart_as_they_were_joined():
    one = xr.Dataset({"a": ("x", [1.0], {"units": "V"})}, coords={"x": [3], "b": ("x", [4])})
    two = xr.Dataset({"a": (("x", "y"), [[2.0], [5.0]])}, coords={"x": [7, 8], "y": ["z"]})
    both = join({"one": one, "two": two})
    assert set(both.dims) == {"one_x", "two_x", "two_y"}
    xr.testing.assert_identical(section(both, "one"), one)
    xr.testing.assert_identical(section(both, "two"), two)


def test_own_clocks_are_compared_at_the_default_dwell_and_rounds_see_one_example_each():
    """And nothing else but the dwell tells clock-free apart from a run as it is."""
    assert clockfree.WAYS[CLOCKFREE] == {"dwell_s": ClampSettings().dwell_s}
    assert all(settings["dwell_s"] == ClampSettings().dwell_s for settings in clockfree.CLOCKS.values())
    task = tasks.make_task(Kind("lab16", 2, 4), 1)
    for p in (ONE, clockfree.TENTH):
        made = job(task, 1, **clockfree.WAYS[p])
        assert round(1e6 * made.clamp.dwell_s) == period_us(made)


def test_clocks_and_dwells_reach_the_runs(data):
    """Every way of a section ends elsewhere, from the same start."""
    for name in ("clocks", "dwell"):
        found = section(data, name)
        assert (np.ptp(found["initial"].values, axis=1) == 0).all()
        for final in found["final"].values:
            assert len(np.unique(final)) == final.size
    assert section(data, "stale")["edges"].values.tolist() == [16, 143]


# -- what is made of known errors ------------------------------------------------------------------------------------


def with_gains(data, wanted):
    """The data as if it were of enough tasks, with p = 1 over clock-free as wanted: (large, outputs, examples) -> x."""
    changed = {}
    for name in ("tasks", "dwell"):
        final = np.repeat(np.full_like(data[f"{name}_final"].values[..., :1], 1e-4), 64, axis=-1)
        final *= np.exp(0.1 * np.random.default_rng(0).standard_normal(final.shape))
        ways = data[f"{name}_way"].values.tolist()
        for i in range(len(final)):
            which = tuple(data[f"{name}_{what}"].values[i].item() for what in ("edges", "outputs", "examples"))
            for j, way in enumerate(ways):
                factor = wanted.get((name, *which), 1.0) if way.startswith(CLOCKFREE) else 1.0
                final[i, j] /= factor
        changed[name] = section(data, name).drop_dims("task").assign(final=(("case", "way", "task"), final))
    return join({**{name: section(data, name) for name in ("clocks", "stale")}, **changed})


GOOD = {
    ("tasks", 143, 1, 1): 30.0,
    ("tasks", 143, 3, 1): 15.0,
    ("tasks", 143, 10, 1): 5.0,
    ("tasks", 143, 2, 16): 6.0,
    ("dwell", 143, 2, 16): 2.0,
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({("tasks", 143, 3, 1): 5.5}, "p = 1 over clock-free at least 6"),
        ({("tasks", 143, 10, 1): 16.0}, "falls"),
        ({("tasks", 16, 2, 4): 2.2}, "16 edges"),
        ({("tasks", 16, 2, 4): 0.45}, "16 edges"),
        ({("tasks", 143, 2, 16): 2.5}, "default dwell"),
    ],
)
def test_what_is_expected_is_judged_by_the_data(change, expected, data):
    seen = clockfree.must_show(with_gains(data, GOOD | change))
    assert len(seen) == 6
    for each, was in seen.items():
        assert was != (expected is not None and expected in each), each


def test_few_tasks_are_not_enough(data):
    assert not next(was for each, was in clockfree.must_show(data).items() if "48 tasks" in each)


def test_the_caption_says_the_numbers(data):
    known = with_gains(data, GOOD)
    text = " ".join(clockfree.caption(known).split())
    three = gain(clockfree.pick(section(known, "tasks"), True, 3))
    assert three[0] == pytest.approx(15, rel=0.1) and f"3: {three[0]:.1f} ({three[1]:.1f} .. {three[2]:.1f})" in text
    assert len(list(clockfree.table(known).columns[0].cells)) == 16
    assert clocked(0.1) == clockfree.TENTH
    wait = gain(clockfree.pick(section(known, "dwell"), True, 2, True), f"{ONE}, 1", f"{CLOCKFREE}, 1")
    assert wait[0] == pytest.approx(2, rel=0.1) and f"{wait[0]:.1f} ({wait[1]:.1f} .. {wait[2]:.1f}) (64 tasks)" in text


# -- the long one ----------------------------------------------------------------------------------------------------


def test_the_long_figure_is_whole_and_made_by_name_only(tmp_path):
    assert "large" not in command.NAMES and "large" in command.CHOICE
    with ThreadPoolExecutor(1) as pool:
        making.make("large", pool, True, 0, tmp_path)
    data = xr.load_dataset(tmp_path / "large.nc")
    assert data["edges"].values.tolist() == [144, 420]
    assert "144, 420 edges" in (tmp_path / "large.txt").read_text()
    assert (tmp_path / "large.png").read_bytes().startswith(b"\x89PNG")
    missing = data["final"].isnull().all("task")
    assert set(data["way"].values[missing[0].values]) == {f"{kind}, 1000" for kind in ("p", "age")}
