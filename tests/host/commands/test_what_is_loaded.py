"""What a command loads, and when: a task is checked, and a run has begun, before what only its end needs is there."""

import subprocess
import sys

import pytest

TASK = """
updates = 5
[placement]
sources = ["A", "C"]
targets = ["G"]
[[lesson]]
{lesson}
{more}
"""
TEACHER = "teacher = true"
IRIS = "[lesson.classification]\ndata = 'iris'\ninput_V = [1.0, 4.0]\nreference_V = []"
FOUR = TASK.replace('"A", "C"', '"A", "B", "C", "D"').replace('"G"', '"G", "H", "I"')
CUT = "[[damage]]\nedges = ['A-Z']\nkind = 'cut'\nat_updates = 1"
SLOW = "numba llvmlite scipy networkx xarray pandas h5py h5netcdf matplotlib rich"
LAST = "xarray pandas h5py h5netcdf matplotlib rich"
"""What is slow to load; and of that what a run needs at its end alone, or not at all."""

REFUSED = """
import sys
from clockfree.commands import app
print(app.status_of(sys.argv[1:]), *sorted({name.partition(".")[0] for name in sys.modules}))
"""
PLAN = """
import sys
from pathlib import Path
from clockfree.task.plan import make_plan
plan = make_plan(Path("task.toml"), {}, [], False)
slow = {"numba", "llvmlite", "scipy.optimize", "networkx", "xarray", "matplotlib"}
print(len(plan.job.lessons), *slow & {*sys.modules})
"""
RUN = """
import sys
from clockfree.bench import simulated
from clockfree.commands import app

loaded, run = [], simulated.SimBench.run

def noting(bench, pause):
    for sample in run(bench):
        loaded.append({name.partition(".")[0] for name in sys.modules})
        yield sample

simulated.SimBench.run = noting
status = app.status_of(["run", *sys.argv[1:]])
print(status, len(loaded), *sorted(set.union(*loaded)))
"""


def loaded(code, *arguments, folder):
    """The last line that a process prints which runs this code, in words."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split(), done.stderr


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("x = 1", "x: expected one of"),
        (TASK.format(lesson=TEACHER, more="[physics]\nsupply_V = -1"), "physics.supply_V: expected"),
        (TASK.format(lesson=TEACHER, more=CUT), "damage.0.edges.0: expected"),
        (TASK.format(lesson=TEACHER, more="[edge]\ntheta_V = 0.1"), "edge.theta_V: expected 0"),
        (FOUR.format(lesson=IRIS, more=CUT), "damage.0.edges.0: expected"),
        (TASK.format(lesson=IRIS, more=""), "lesson.0.classification"),
    ],
)
def test_a_task_is_refused_before_anything_slow_is_loaded(task, said, tmp_path):
    (tmp_path / "task.toml").write_text(task)
    (status, *found), stderr = loaded(REFUSED, "run", "task.toml", folder=tmp_path)
    assert status == "2" and f"task.toml: {said}" in stderr
    assert not {*SLOW.split(), "clockfree_sim"} & {*found}


def test_a_task_is_resolved_with_its_teacher_without_compiled_code(tmp_path):
    (tmp_path / "task.toml").write_text(TASK.format(lesson=TEACHER, more=""))
    found, _ = loaded(PLAN, folder=tmp_path)
    assert found == ["1"]


def test_what_is_no_run_is_refused_before_anything_slow_is_loaded(tmp_path):
    (status, *found), _ = loaded(REFUSED, "show", "nothing", folder=tmp_path)
    assert status == "2"
    assert not {"numba", "scipy", "networkx", "xarray", "pandas", "matplotlib"} & {*found}


def test_plots_and_netcdf_come_after_the_learning(tmp_path):
    (tmp_path / "task.toml").write_text(TASK.format(lesson=TEACHER, more=""))
    (status, samples, *found), _ = loaded(RUN, "task.toml", "--out", "run", folder=tmp_path)
    assert (status, samples) == ("0", "81")
    assert not {*LAST.split()} & {*found}
    assert (tmp_path / "run/figure.png").stat().st_size and (tmp_path / "run/results.nc").stat().st_size
