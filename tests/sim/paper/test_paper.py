"""`clockfree paper`: the command, what every figure must have, and what figures share."""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import typer
import xarray as xr

from clockfree.commands import app
from clockfree_sim.paper import bias_plots, command, making, picking, remedies, save
from clockfree_sim.paper.figures import bias
from clockfree_sim.paper.small_steps import passages, small_step
from clockfree_sim.paper.tasks import LARGE, START_OHM, Kind, make_task, task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.sweep import processes
from clockfree_sim.theory.continuous import Rule, learn
from clockfree_sim.theory.statistics import interval, mean_interval, median_interval
from tests.sim.jobs import solve
from tests.sim.paper.figures import whole
from tests.sim.sweep.test_sweep import children, gone

SOON = (100, 1000)
"""Updates at which the figure of biases asks for errors, in place of thousands."""


@pytest.mark.parametrize("name", [name for name in command.NAMES if name != "clockfree"])
def test_every_figure_is_whole(name, tmp_path, monkeypatch):
    """That of clockfree is in test_clockfree, which has use for its data."""
    for module in (remedies, picking, bias, bias_plots):
        monkeypatch.setattr(module, "AT", SOON)
    whole(name, tmp_path / "figures")


def test_all_of_them_are_made_by_one_word(tmp_path, monkeypatch):
    made = []

    def make(name, *given):
        made.append((name, given[1:]))
        return making.Made([], {}, "", 0.0)

    monkeypatch.setattr(making, "make", make)
    assert app.status_of(["paper", "all", "--quick", "--jobs", "1", "--seed", "3", "--out", str(tmp_path)]) == 0
    assert made == [(name, (True, 3, tmp_path)) for name in command.NAMES]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument"),
        (["fig7"], "NAME: expected one of all, "),
        (["fig1", "--jobs", "0"], "--jobs"),
        (["fig1", "--seed", "-1"], "--seed"),
        (["fig1", "--seed", "one"], "--seed"),
        (["fig1", "--out", "file/below"], "--out: expected a folder that can be made, got file/below"),
        (["fig1", "--out", "file"], "--out: expected a folder that can be made, got file"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    assert app.status_of(["paper", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and said in captured.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_command_comes_without_what_is_slow_to_import():
    code = (
        "import sys; from clockfree_sim.paper.command import NAMES, paper;"
        "slow = {'numpy', 'scipy', 'numba', 'xarray', 'matplotlib', 'networkx'} & set(sys.modules);"
        "sys.exit(f'{slow}' if slow or 'fig1' not in NAMES else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_entry_point_is_the_command(tmp_path):
    code = (
        "import importlib.metadata; entries = importlib.metadata.entry_points(group='clockfree.commands');"
        "print({entry.name: entry.value for entry in entries}['paper'])"
    )  # elsewhere, so that what is installed is asked, and nothing that lies in this folder
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "clockfree_sim.paper.command:paper\n"


def test_gather_keeps_the_order():
    with processes.pool(2) as pool:
        assert gather(pool, math.factorial, range(7), "factorials") == [1, 1, 2, 6, 24, 120, 720]


def test_ctrl_c_in_a_figure_leaves_no_process_and_no_file(tmp_path):
    code = "from clockfree.commands.app import main; main()"
    arguments = [sys.executable, "-c", code, "paper", "drift", "--jobs", "2", "--out", str(tmp_path / "out")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(arguments, cwd=tmp_path, **pipes)
    while len(below := children(process)) < 3:  # two at work, and what keeps count of their semaphores
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err.endswith("clockfree: interrupted\n") and "Traceback" not in err
    assert out == "" and gone(below) and not any((tmp_path / "out").iterdir())


def test_a_process_that_dies_is_said_in_a_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(making, "make", lambda name, pool, *_: gather(pool, os._exit, [1], name))
    assert app.status_of(["paper", "fig4", "--jobs", "1", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err.endswith("\nclockfree: fig4: one of its processes died: killed, or out of memory\n")


def test_gather_gives_up_when_one_fails():
    began, over = [], threading.Event()

    def run(x):
        began.append(x)
        if x == 13:
            raise ValueError("thirteen")
        assert over.wait(60)

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(ValueError, match="thirteen"):
            gather(pool, run, [13, *range(10)], "numbers")
        over.set()
    assert len(began) <= 2  # one may have begun before the failure was seen


def test_what_was_there_is_replaced_whole_or_not_at_all(tmp_path):
    (tmp_path / "x.nc").write_text("old")
    data = xr.Dataset({"a": ("n", [1.0], {"units": "V", "long_name": "a"})})

    class Broken:
        def savefig(self, path, format):
            raise typer.Abort

    with pytest.raises(typer.Abort):
        save.save(tmp_path, "x", data, Broken(), "text")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("x.nc", "old")]


# -- statistics -----------------------------------------------------------------------------------------------------


def test_an_interval_by_hand():
    """2, 4, 8: logarithms 1, 2, 3 to base 2; t of 0.975 with 2 degrees of freedom is 4.3027."""
    half = 4.3027 / np.sqrt(3)
    assert interval([2, 4, 8]) == pytest.approx((4, 4 / 2**half, 4 * 2**half), rel=1e-4)
    assert mean_interval([1, 2, 3]) == pytest.approx((2, 2 - half, 2 + half), rel=1e-4)


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((1000, 15))
    for found, least in ((mean_interval, 0.935), (median_interval, 0.94)):
        held = np.mean([low <= 0 <= high for _, low, high in map(found, samples)])
        assert least < held < 0.99, found


def test_a_median_with_what_was_never_reached():
    middle, low, high = median_interval([1, 2, 3, 4, 5, 6, 7, np.inf, np.inf])
    assert (middle, low, high) == (5, 2, np.inf)
    assert median_interval([3.0, 1.0]) == (2, 1, 3)


# -- tasks and steps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind("lab16", 3), Kind("lab16", 2, 4), Kind(LARGE, 10)])
def test_a_task_is_what_its_teacher_does(kind):
    """Drawn again here from the same seed, and solved by the tests' own solver."""
    task = make_task(kind, 7)
    rng = np.random.default_rng(7)
    count = 2 if kind.examples == 1 else 3
    nodes = rng.permutation(len(task.network.nodes))
    assert (*task.sources, *task.targets) == tuple(nodes[: count + kind.targets])
    source_V = [[0.0, 5.0]]
    if kind.examples > 1:
        source_V = np.column_stack([rng.uniform(0, 5, (kind.examples, 2)), np.zeros(kind.examples)])
    ohm = (rng.integers(0, 128, len(task.network.ends)) + 1) * 100e3 / 128
    wanted = [solve(task.network, ohm, task.sources, row)[list(task.targets)] for row in source_V]
    assert task.lesson.source_V == pytest.approx(np.array(source_V))
    assert task.lesson.desired_V == pytest.approx(np.array(wanted), rel=1e-9)


def test_seeds_of_tasks_differ_and_stay():
    assert len(set(task_seeds(0, 200)) | set(task_seeds(1, 200))) == 400
    assert task_seeds(0, 200)[:3] == task_seeds(0, 3)


def test_passages_of_a_straight_line():
    """An error that falls by a decade in 4 steps is at 10^-k after 4 (k - 0.5) steps, having begun at 10^-0.5."""
    error_V2 = 10.0 ** (-0.5 - np.arange(13) / 4)
    assert passages(error_V2, 10.0 ** -np.arange(6)) == pytest.approx([np.nan, 2, 6, 10, np.nan, np.nan], nan_ok=True)
    assert passages(np.array([1.0, 0.01, 0.5, 0.0]), np.array([0.1]))[0] == pytest.approx(0.5)  # the first time counts


def test_small_steps_are_the_largest_that_scale():
    """A made-up error falls as exp(-gamma n) with small gamma, and too fast above 1/4: between a half and a quarter
    the steps do not double, below they do."""

    def errors(gamma):
        return np.exp(-gamma * (1 + max(gamma - 0.25, 0)) * np.arange(2000))

    gamma, steps = small_step(errors, np.array([0.1, 0.01]))
    assert gamma == 0.25
    assert steps == pytest.approx(np.log([10, 100]) / 0.25)
    assert np.isnan(small_step(lambda gamma: np.ones(10), np.array([0.1]))[0])


def test_the_small_step_of_a_task_is_small():
    task, levels_V2 = make_task(Kind("lab16", 1), 3), 10.0 ** -np.arange(1, 7)

    def errors(gamma):
        ohm, rule = np.full(16, START_OHM), Rule(gamma * START_OHM**3, 0.5)
        rng = np.random.default_rng(0)
        return learn(task.network, task.sources, task.targets, task.lesson, rule, ohm, 20_000, rng, 1e-6)[1]

    gamma, steps = small_step(errors, levels_V2)
    tiny = passages(errors(gamma / 16), levels_V2) / 16
    assert steps[-1] == pytest.approx(tiny[-1], rel=0.12)
