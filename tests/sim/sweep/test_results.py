"""The journal of a sweep and the table made from it, without a run."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from clockfree_sim.sweep.grid import Axis
from clockfree_sim.sweep.journal import Journal
from clockfree_sim.sweep.results import table


def axis(name, values, *keys):
    return Axis(name, keys or (name,), tuple(values), tuple({} for _ in values))


def rows(errors_V2, *axes):
    """Cells of the table, a line each, of final errors with these axes."""
    data = xr.Dataset({"final_error": ([each.name for each in axes], np.array(errors_V2, dtype=float))})
    found = table(SimpleNamespace(file="s.toml", axes=axes), data)
    return [list(line) for line in zip(*(column.cells for column in found.columns), strict=True)]


def by_hand(errors_V2):
    logs = np.log(errors_V2)
    low, high = stats.t.interval(0.95, len(logs) - 1, logs.mean(), stats.sem(logs))
    return [f"{np.exp(logs.mean()):.2e}", f"{np.exp(low):.1e} .. {np.exp(high):.1e}"]


def test_means_and_intervals_over_seeds():
    errors_V2 = [[1e-6, 1e-4, 1e-5], [2e-3, 1e-3, 4e-3]]
    found = rows(errors_V2, axis("rule", ["sync", "clockfree"]), axis("seed", range(3), "seed", "task_seed"))
    assert found == [["sync", "3", *by_hand(errors_V2[0])], ["clockfree", "3", *by_hand(errors_V2[1])]]


def test_seeds_of_one_task_are_not_independent():
    """Four runs of each of three tasks, all four alike: the interval is that of three values, not of twelve."""
    errors_V2 = [1e-6, 1e-4, 1e-5]
    tasks, clocks = axis("task_seed", range(3)), axis("seed", range(4))
    assert rows(np.repeat([errors_V2], 4, axis=0), clocks, tasks) == [["12", *by_hand(errors_V2)]]
    assert rows(np.repeat([errors_V2], 4, axis=0).T, tasks, clocks) == [["12", *by_hand(errors_V2)]]


def test_what_failed_does_not_count_and_an_error_of_0_does():
    seeds = axis("seed", range(3))
    assert rows([1e-6, np.nan, 1e-4], seeds) == [["2", *by_hand([1e-6, 1e-4])]]
    assert rows([1e-6, 0.0, 1e-4], seeds) == [["3", "0.00e+00", ""]]
    assert rows([np.nan] * 3, seeds) == [["0", "-", ""]]
    assert rows([1e-6, np.nan], axis("rule", ["sync", "clockfree"])) == [
        ["sync", "1", "1.00e-06"],
        ["clockfree", "0", "-"],
    ]


def test_a_disk_that_fills_up_is_said_at_once_and_what_was_done_before_is_kept(tmp_path):
    sweep = SimpleNamespace(digest="x", texts={})
    journal = Journal(tmp_path / "run", sweep, {})
    journal.done((0,), {"final_error_V2": 1e-6})
    real, room = journal._file, [7]

    def write(data):
        if not room[0]:
            raise OSError(28, "No space left on device")
        taken = real.write(data[: room[0]])
        room[0] -= taken
        return taken

    journal._file = SimpleNamespace(write=write, close=real.close)
    with pytest.raises(OSError, match=r"No space left.*points\.jsonl"):
        journal.done((1,), {"final_error_V2": 1e-6})
    assert [*journal.points] == [(0,)]
    journal.close()
    again = Journal(tmp_path / "run", sweep, {})
    assert [*again.points] == [(0,)] and len(again.sessions) == 2
    again.done((1,), {"final_error_V2": 2e-6})
    again.close()
    third = Journal(tmp_path / "run", sweep, {})
    assert [*third.points] == [(0,), (1,)]
    third.close()
