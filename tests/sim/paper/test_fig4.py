"""Fig. 4: the larger network, what its runs are, and what is made of known errors."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from clockfree.commands import app
from clockfree_model.final import error_at
from clockfree_model.parts import POTS
from clockfree_model.physics import IDEAL
from clockfree_sim.paper import making, tasks
from clockfree_sim.paper.compare import CLOCKFREE, ONE, THEN, Case, compare, gain, rule_of, then
from clockfree_sim.paper.discrete import job, learnt
from clockfree_sim.paper.figures import fig4
from clockfree_sim.paper.tasks import Kind, make_task
from clockfree_sim.world.world import World
from tests.sim.jobs import resistance, solve


@pytest.fixture(scope="module")
def data():
    """Two tasks of 40 updates per edge, and 4 outputs at most, on a network of its own."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(tasks, "LARGE", "planar:64:140:3")
        patch.setattr(fig4, "QUICK_TASKS", 2)
        patch.setattr(fig4, "UPDATES", 1200)
        patch.setattr(fig4, "OUTPUTS", (1, 4))
        yield fig4.measure(pool, True, 7)


# -- the larger network ----------------------------------------------------------------------------------------------


@pytest.fixture
def paper(monkeypatch, tmp_path):
    """The command, with making the figures put aside: what was asked for, and the network it would have been on."""
    monkeypatch.setattr(tasks, "LARGE", tasks.LARGE)
    made = []

    def make(name, *_):
        made.append((name, tasks.LARGE))
        return making.Made([], {}, "", 0.0)

    monkeypatch.setattr(making, "make", make)
    monkeypatch.chdir(tmp_path)
    return lambda *options: (app.status_of(["paper", "fig4", "--jobs", "1", *options]), made)


def test_figures_are_made_on_the_network_that_is_named(paper, tmp_path):
    ours = tasks.LARGE
    assert paper() == (0, [("fig4", ours)])
    network = tasks.load(ours)
    rows = [(64, 143, 1), *network.positions.tolist(), *network.ends.tolist()]
    (tmp_path / "mine.txt").write_text("\n".join(" ".join(map(str, row)) for row in rows))
    for spec in ("square:9x9", "mine.txt"):
        status, made = paper("--large", spec)
        assert (status, made[-1]) == (0, ("fig4", spec))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("square:7x9", "--large: expected at least 64 nodes, got 63"),
        ("planar:64:900:0", "--large: planar:64:900:0: edges: expected"),
        ("nosuch.txt", "--large: nosuch.txt: file: expected a readable network file"),
        ("large", "--large: large: network: expected"),
    ],
)
def test_a_network_that_cannot_be_used_is_one_line_and_status_2(spec, said, paper, capsys, tmp_path):
    status, made = paper("--large", spec)
    err = capsys.readouterr().err
    assert (status, made) == (2, []) and err.count("\n") == 1 and said in err
    assert not list(tmp_path.iterdir())


def test_the_larger_cases_are_on_it(data):
    edges = data["edges"].values
    assert edges.tolist() == [16, 16, 16, 140, 140, 140, 140]
    assert data["inputs"].values.tolist() == [2, 2, 2, 2, 2, 2, 4]
    assert set(data["network"].values[edges == 140]) == {"planar:64:140:3"}
    assert "planar:64:140:3 (140 edges)" in " ".join(fig4.caption(data).split())


# -- the runs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [0, 2, 4])
@pytest.mark.parametrize("way", [ONE, "p = 0.2", CLOCKFREE])
def test_final_errors_are_those_of_the_simulated_bench(case, way, data):
    final, seed = data["final"][case].sel(way=way).values[1], int(data["task"][1])
    kind = Kind(*(data[name].values[case].item() for name in ("network", "outputs", "examples")))
    rule = "clockfree" if way == CLOCKFREE else way.replace(" ", "")
    made = job(make_task(kind, seed), seed, rule, eta=0.5, updates=40)
    samples = list(World(made).run())
    error_V2 = [sample.error_V2 for sample in samples]
    updates = [sample.updates for sample in samples]
    means_V2, stood_us = (np.array([getattr(each, name) for each in samples]) for name in ("mean_error_V2", "stood_us"))
    assert final == pytest.approx(error_at(updates, means_V2, updates[-1], stood_us=stood_us), rel=1e-9)
    assert data["initial"][case].sel(way=way).values[1] == pytest.approx(error_V2[0], rel=1e-9)
    counters = samples[-1].counters
    steps = (sum(counters["up"]) + sum(counters["down"])) / sum(counters["firings"])
    assert data["stepping"][case].sel(way=way).values[1] == pytest.approx(steps)


def test_wipers_of_the_example_make_its_error(data):
    made = job(make_task(fig4.EXAMPLE, int(data["task"][0])), 0)
    (lesson,) = made.lessons
    for way in (0, -1):
        for i in (0, 150, 300):
            ohm = resistance(data["example_taps"].values[way, i].astype(int))
            outputs_V = solve(made.network, ohm, made.sources, lesson.source_V[0])[list(made.targets)]
            assert data["example_error"].values[way, i] == pytest.approx(((outputs_V - lesson.desired_V) ** 2).mean())
    assert data["example_updates"].values[0, 0] == 0 and data["example_updates"].values[:, -1] == pytest.approx(
        40, abs=0.5
    )


def test_fewer_together_end_lower():
    """The paper's claim, small: on the larger network with one output, every one of four tasks."""
    with ThreadPoolExecutor(1) as pool:
        found = compare(
            pool,
            [Case(Kind(tasks.LARGE, 1), 0.5, 4)],
            lambda edges: {ONE: rule_of(1), "p = 0.1": rule_of(0.1)},
            0,
            "few",
        )
    one, tenth = found["final"][0].values
    assert (tenth < one / 2).all()
    assert (found["final"] < found["initial"] / 10).all()


# -- what is made of known errors ------------------------------------------------------------------------------------


def made_up(data, factors):
    """The same data with errors of our own: 1e-4 V^2 and 4e-4 V^2 at p = 1, and so many times less in other ways."""
    one = np.array([1e-4, 4e-4])
    final = np.ones(data["final"].shape) * one
    for case, factor in enumerate(factors):
        final[case, 1:] /= factor  # one of all tasks, or one each
    return data.assign(final=(("case", "way", "task"), final, data["final"].attrs))


def test_gains_by_hand(data):
    known = made_up(data, [2, 3, 1, 50, 20, 7])
    for case, factor in enumerate([2, 3, 1, 50, 20, 7]):
        assert gain(known["final"][case]) == pytest.approx((factor,) * 3)
    rows = [list(column.cells) for column in fig4.table(known).columns]
    assert rows[2] == ["2.0e-04"] * 7  # the geometric mean at p = 1
    assert rows[10][3] == "50.0 (50.0 .. 50.0)" and rows[11][3] == "1.00 (1.00 .. 1.00)"


def test_the_caption_says_what_came_out(data):
    def said(*factors):
        return " ".join(fig4.caption(made_up(data, factors)).split())

    falls = said(2, 3, 1, 50, 20, 7)
    assert "1: 50.0 (50.0 .. 50.0), 4: 20.0 (20.0 .. 20.0): the benefit shrinks" in falls
    assert "1.0 (1.0 .. 1.0) at 16 edges, 7.0 (7.0 .. 7.0) on the larger network, other than" in falls
    assert "network, as in the paper" in said((1, 0.25), 1, (0.5, 2), 50, 20, 7)
    grows = said(2, 3, 9, 20, 50, 1)
    assert "the benefit does not shrink from" in grows and "network, other than in the paper" in grows
    assert (
        "two inputs: 1: 50.0 (50.0 .. 50.0) and 50.0" in falls and "outputs: 1: 50.0 (50.0 .. 50.0) and 50.0" in falls
    )
    assert fig4.must_show(data) == {}


def test_one_update_after_rounds_goes_on_from_their_end():
    kind, seed = Kind("lab16", 1), 5
    with ThreadPoolExecutor(1) as pool:
        found = compare(
            pool, [Case(kind, 0.5, 1, 20)], lambda edges: {ONE: rule_of(1), THEN: then(rule_of(1))}, seed, ""
        )
    each = int(found["task"][0])
    *_, last = World(job(make_task(kind, each), each, "p=1", updates=20)).run()
    onward = replace(job(make_task(kind, each), each, updates=1, samples=5), start_taps=np.array(last.taps))
    assert float(found["final"].sel(way=THEN)[0, 0]) == pytest.approx(learnt(onward).final_V2, rel=1e-9)
    assert float(found["final"].sel(way=ONE)[0, 0]) != float(found["final"].sel(way=THEN)[0, 0])


def test_cases_begin_where_they_say_on_their_own_track():
    cases = [Case(Kind("lab16", 1), 0.5, 1, 5, start_tap=30, pot=pot) for pot in ("mcp42xx", "x9c303")]
    with ThreadPoolExecutor(1) as pool:
        found = compare(pool, cases, lambda edges: {CLOCKFREE: {}}, 3, "", floors=(CLOCKFREE,))
    for case, initial in zip(cases, found["initial"].values[:, 0, 0], strict=True):
        task = make_task(case.kind, int(found["task"][0]), pot=POTS[case.pot])
        ohm = IDEAL.resistance(np.full(16, 30.0), POTS[case.pot])
        out = solve(task.network, ohm, task.sources, task.lesson.source_V[0])[list(task.targets)]
        assert initial == pytest.approx(np.mean((out - task.lesson.desired_V[0]) ** 2), rel=1e-2)
    assert found["start"].values.tolist() == [30, 30] and "(logarithmic)" in str(found["case"].values[1])
    assert np.isfinite(found["floor"].values).all()
