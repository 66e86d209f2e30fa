"""Two runs side by side: `clockfree compare RUN RUN`, held against runs made one by one."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import stats

import clockfree as cf
from clockfree.commands import app
from clockfree.runs import compare, figure, versus

TASK = {"sources": ["A", "C"], "targets": ["G"], "source_V": [[0, 5]], "desired_V": [[2]], "updates": 20}
COUNT = 4


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """This process does the work of a pool, which other tests start."""
    for module in (compare, versus):
        monkeypatch.setattr(module, "pool", lambda jobs: ThreadPoolExecutor(1))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A run, one of the same task that starts from other taps, and one of another task."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure, "draw", lambda data, path, highest: path.touch())
        for name, more in (("a", {}), ("b", {"start_taps": 20}), ("c", {"desired_V": [[1.5]]})):
            cf.run(cf.Task(**TASK | more), out=folder / name, seed=2)
    return folder


def final(seeds, **more):
    return [cf.run(cf.Task(**TASK | more), seed=seed).final_error_V2 for seed in seeds]


def said(capsys, *arguments):
    assert app.status_of(["compare", *map(str, arguments), "--runs", str(COUNT), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_jobs_of_one_task_are_compared_seed_by_seed(folders, capsys):
    found = said(capsys, folders / "a", folders / "b")
    seeds = range(3, 3 + COUNT)
    errors_V2 = [final(seeds), final(seeds, start_taps=20)]
    assert [run["sim_error_V2"] for run in found["runs"]] == errors_V2
    logs = np.log(errors_V2[0]) - np.log(errors_V2[1])
    low, high = stats.ttest_1samp(logs, 0).confidence_interval()
    assert found["same_task"] and found["ratio"] == pytest.approx(np.exp(logs.mean()))
    assert found["interval"] == pytest.approx([np.exp(low), np.exp(high)])
    better = 0 if high < 0 else 1 if low > 0 else None
    assert found["better"] == (None if better is None else str(folders / "ab"[better]))


def test_jobs_of_different_tasks_are_not_paired(folders, capsys):
    found = said(capsys, folders / "a", folders / "c")
    logs = [np.log(run["sim_error_V2"]) for run in found["runs"]]
    low, high = stats.ttest_ind(*logs, equal_var=False).confidence_interval()
    assert not found["same_task"] and found["interval"] == pytest.approx([np.exp(low), np.exp(high)])
    assert app.status_of(["compare", str(folders / "a"), str(folders / "c"), "--runs", "2"]) == 0
    assert "they were taught different tasks" in capsys.readouterr().out


def test_each_run_has_its_place_among_its_own(folders, capsys):
    both = said(capsys, folders / "a", folders / "c")
    alone = []
    for name in "ac":
        app.status_of(["compare", str(folders / name), "--runs", str(COUNT), "--json"])
        alone.append(json.loads(capsys.readouterr().out))
    for run, one in zip(both["runs"], alone, strict=True):
        assert [run[key] for key in ("error_V2", "rank", "within")] == [
            one[key] for key in ("error_V2", "rank", "within")
        ]


def test_the_better_one_is_named_only_where_the_interval_leaves_out_one():
    worse = np.array([2.0, 2.1, 1.9, 2.0])
    low, mean, high = sorted(versus.ratio(worse, worse / 4, True))
    assert mean == pytest.approx(4)
    found = versus.Versus((None, None), None, True, *versus.ratio(worse, worse / (4 + worse), True))
    assert found.better == 1
    assert versus.Versus((None, None), None, True, *versus.ratio(worse / 9, worse / (4 + worse), False)).better == 0
    assert versus.Versus((None, None), None, True, *versus.ratio(worse, worse[::-1], True)).better is None
    assert np.isnan(versus.ratio(worse, worse * 0, True)).all()


def test_a_run_that_never_came_to_its_end_is_refused(folders, tmp_path, capsys):
    log = (folders / "a/log.jsonl").read_text().splitlines()
    (tmp_path / "log.jsonl").write_text("\n".join(log[:-1]) + "\n")
    assert app.status_of(["compare", str(folders / "a"), str(tmp_path)]) == 2
    assert "expected a run that came to its end, got one that was cut off" in capsys.readouterr().err
