"""Points in executors of every kind: processes that die, and a real Dask cluster."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from clockfree.commands import app
from clockfree_sim import sources_digest
from clockfree_sim.compiled.kernel import Kernel
from clockfree_sim.sweep import workers as module
from clockfree_sim.sweep.point import Point, measure
from clockfree_sim.sweep.workers import DIED, Workers, WorkersError, cluster, processes, run
from tests.loaded import Command
from tests.sim.jobs import a_job
from tests.sim.sweep.exams import Deadly, Noting

SWEEP = """
task = "task.toml"
set = { updates = 2000, edge.pot = "x9c" }
[axes]
"seed task_seed" = "0..9"
"""
TASK = """
[placement]
sources = ["A", "C"]
targets = ["G"]
[[lesson]]
teacher = true
"""


def a_point(index, exam=None, **more):
    return Point((index,), f"seed = {index}", a_job(seed=index, **more), (exam,), sources_digest())


def found(points, workers):
    """What each point came to, by its place; one that comes twice fails."""
    by_place = {}

    def finished(point, result):
        assert point.at not in by_place
        by_place[point.at] = result

    run(points, workers, finished)
    return by_place


def expected(point):
    """The error curve by hand."""
    return [sample.mean_error_V2 for sample in Kernel(point.job).run()]


def test_the_final_error_is_that_of_the_last_lesson_alone():
    job = a_job(lessons=2, samples=20)
    job = replace(job, lessons=(job.lessons[0], replace(job.lessons[1], from_updates=90.0)))
    late = [sample for sample in Kernel(job).run() if sample.updates > 80]
    last = [sample for sample in late if sample.lesson]
    assert len(late) > len(last) > 1
    came = measure(replace(a_point(0), job=job, exams=(None, None)))
    measured_V2 = np.nanmean([sample.measured_error_V2 for sample in last])
    assert came["measured_error_V2"] == pytest.approx(measured_V2, rel=1e-12)
    stood_us, means_V2 = np.array([(sample.stood_us, sample.mean_error_V2) for sample in last]).T
    assert came["final_error_V2"] == pytest.approx((stood_us * means_V2).sum() / stood_us.sum(), rel=1e-12)


def test_a_process_that_dies_fails_its_own_point_and_no_other():
    points = [a_point(i, Deadly() if i == 1 else None) for i in range(5)]
    results = found(points, processes(1))
    assert sorted(results) == [point.at for point in points]
    for point in points:
        if point.at == (1,):
            assert results[point.at] == DIED
        else:
            assert results[point.at]["mean_error_V2"] == expected(point)


def test_processes_that_die_whatever_they_are_given_end_the_sweep_and_fail_no_point(
    as_installed, tmp_path, monkeypatch, capfd
):
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif '--multiprocessing-fork' in sys.orig_argv:\n    os._exit(1)\n"
    )
    (tmp_path / "task.toml").write_text(TASK)
    (tmp_path / "s.toml").write_text(SWEEP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    assert app.status_of(["sweep", "s.toml", "--jobs", "2"]) == 1
    err = capfd.readouterr().err
    assert "the processes die as they start: killed, or out of memory: 0 of 10 points are done" in err
    assert "Traceback" not in err and "seed = " not in err
    records = [json.loads(line)["record"] for line in (tmp_path / "runs/s/points.jsonl").read_text().splitlines()]
    assert records == ["sweep", "session"]


def test_points_that_die_one_and_all_end_the_sweep_unless_one_has_come_to_something(monkeypatch):
    monkeypatch.setattr(module, "MOST_DEATHS", 2)
    came = []
    with pytest.raises(WorkersError, match="2 points died, each alone, and none came to anything"):
        run([a_point(i, Deadly()) for i in range(4)], processes(1), lambda point, found: came.append(found))
    assert came == [DIED, DIED]
    results = found([a_point(0), *(a_point(i, Deadly()) for i in (1, 2))], processes(1))
    assert [results[i,] == DIED for i in range(3)] == [False, True, True]


def test_any_executor_will_do_and_a_point_that_raises_is_said_in_a_line():
    wrong = replace(a_point(1), job=replace(a_point(1).job, targets=(99,)))
    points = [a_point(0), wrong, a_point(2), replace(a_point(3), code="another")]
    results = found(points, Workers(lambda: ThreadPoolExecutor(1), 1, "a thread"))
    assert results[0,]["mean_error_V2"] == expected(points[0]) and results[2,]["mean_error_V2"] == expected(points[2])
    assert results[1,].startswith("ValueError: ") and "\n" not in results[1,]
    assert results[3,] == "RuntimeError: this worker has another version of clockfree"


def test_what_a_point_comes_to_is_json_and_the_best_error_is_looked_for_once(monkeypatch):
    from clockfree_sim.sweep import point as module

    asked = []
    monkeypatch.setattr(module, "_known", {})
    monkeypatch.setattr(module, "best_errors", lambda job: asked.append(job) or [type("Best", (), {"error_V2": 1e-9})])
    first, second, other = (measure(a_point(seed, task_seed=task)) for seed, task in ((0, 0), (1, 0), (0, 1)))
    assert json.loads(json.dumps(first, allow_nan=False)) == first
    assert first["best_error_V2"] == second["best_error_V2"] == other["best_error_V2"] == 1e-9
    assert len(asked) == 2
    assert first["test_accuracy"] is None and first["engine"] == "kernel"


def test_a_cluster_needs_distributed(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(WorkersError, match=r"--scheduler: needs dask.distributed, which is not installed"):
        with cluster("tcp://127.0.0.1:1"):
            pass


@pytest.fixture
def distributed():
    """Dask is an extra: without it the test is skipped, or fails where CLOCKFREE_REQUIRE_DISTRIBUTED is set (CI)."""
    if importlib.util.find_spec("distributed") is None:
        missing = "dask.distributed is not installed, so no sweep is run on a cluster: make extras"
        pytest.fail(missing) if os.environ.get("CLOCKFREE_REQUIRE_DISTRIBUTED") else pytest.skip(missing)


def a_cluster(folder, started):
    """A scheduler and two workers, as `dask scheduler` and `dask worker` start them: its address, and the processes."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}  # workers are to know this module

    def start(*arguments):
        code = "import sys; from dask.__main__ import main; sys.argv[0] = 'dask'; main()"
        log = (folder / f"dask{len(started)}.log").open("w")
        with log:
            command = [sys.executable, "-c", code, *arguments]
            started.append(subprocess.Popen(command, stdout=log, stderr=log, env=env))
        return started[-1]

    file = folder / "scheduler.json"
    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", f"--scheduler-file={file}")
    until(lambda: file.exists() and file.read_text().endswith("}"), scheduler)
    address = json.loads(file.read_text())["address"]
    for name in ("one", "two"):
        start("worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--name", name)
    return address


@pytest.fixture(scope="module")
def clusters():
    """Those that were started, by their addresses: the last of them is perhaps whole."""
    made = {}
    yield made
    for started in made.values():
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture
def dask(distributed, clusters, tmp_path):
    """A cluster: its address and processes. It is that of the test before, unless some of them have ended."""
    address, started = next(reversed(clusters.items()), ("", []))
    if not started or any(process.poll() is not None for process in started):
        started = clusters.setdefault("", [])
        address = a_cluster(tmp_path, started)
        clusters[address] = clusters.pop("")
    return address, started


def until(condition, process):
    late = time.monotonic() + 120
    while not condition():
        assert process.poll() is None and time.monotonic() < late
        time.sleep(0.05)


def test_two_workers_share_the_points(dask, tmp_path):
    from distributed import Client

    address, _ = dask
    with Client(address) as client:
        client.wait_for_workers(2, timeout=60)
    noting = Noting(str(tmp_path / "pids"))
    points = [a_point(i, noting, updates=2000, edge={"pot": "x9c"}) for i in range(6)]
    with cluster(address) as workers:
        assert workers.what == f"the 2 workers of {address}"
        results = found(points, workers)
    assert len({*(tmp_path / "pids").read_text().split()} - {str(os.getpid())}) == 2
    here = measure(points[3])
    assert here["engine"] == "world" and here["test_accuracy"] == 0.25
    assert {**results[3,], "wall_s": 0} == {**here, "wall_s": 0}


def test_a_sweep_on_a_real_scheduler_with_two_workers(dask, tmp_path, monkeypatch, capsys):
    address, (scheduler, *_) = dask
    monkeypatch.chdir(tmp_path)
    (tmp_path / "task.toml").write_text(TASK)
    (tmp_path / "s.toml").write_text(SWEEP)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}

    def sweep():
        return Command(["sweep", "s.toml", "--json", "--scheduler", address], **pipes)

    def points():
        path = tmp_path / "runs/s/points.jsonl"
        return path.read_text().count('"record":"point"') if path.exists() else 0

    process = sweep()
    until(lambda: points() >= 2, process)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err
    first = json.loads(out)["done"]
    assert 2 <= first < 10

    process = sweep()
    until(lambda: points() > first, process)
    scheduler.kill()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "the scheduler is gone" in err and "Traceback" not in err
    second = json.loads(out)["done"]
    assert first < second < 10

    # The rest is run by processes of this machine, and it is one sweep.
    assert app.status_of(["sweep", "s.toml", "--jobs", "2"]) == 0
    assert f"{10 - second} of 10 points to run on 2 processes" in capsys.readouterr().err
    with xr.open_dataset(tmp_path / "runs/s/results.nc") as data:
        final_error = data["final_error"].values
    for seed in (0, 9):
        given = ["--seed", str(seed), "--task-seed", str(seed), "--updates", "2000", "--set", "edge.pot=x9c"]
        assert app.status_of(["run", "task.toml", *given, "--out", f"run{seed}", "--json"]) == 0
        assert final_error[seed] == json.loads(capsys.readouterr().out)["final_error_V2"]


class KilledWorker(Exception):
    """Of the name that Dask gives it: a point took several workers with it, one after the other."""


def test_a_point_that_kills_workers_of_a_cluster_has_died(monkeypatch):
    def dies(point):
        raise KilledWorker("Attempted to run task on 4 different workers")

    monkeypatch.setattr(module, "measure", dies)
    assert found([a_point(0)], Workers(lambda: ThreadPoolExecutor(1), 1, "a thread")) == {(0,): DIED}


def test_a_cluster_whose_workers_have_all_gone_is_not_waited_for(dask, monkeypatch):
    from distributed import Client

    monkeypatch.setattr(module, "GONE_S", 1.0)
    address, (_, *crew) = dask
    with Client(address) as client:
        client.wait_for_workers(2, timeout=60)
    points = [a_point(i, updates=200_000, edge={"pot": "x9c"}) for i in range(6)]
    with cluster(address) as workers:
        for process in crew:
            process.kill()
        with pytest.raises(WorkersError, match="the workers are gone, and none has come for 1 s"):
            run(points, workers, lambda point, found: pytest.fail(f"{point.where}: {found}"))


@pytest.mark.parametrize("address", ["nonsense", "foo://x:1", "tcp://127.0.0.1"])
def test_an_address_that_is_none_is_said(distributed, address):
    with pytest.raises(WorkersError, match=f"--scheduler: expected the address of a Dask scheduler, got {address}: "):
        with cluster(address):
            pass
