"""What `import clockfree` loads, and where it works: in a process that is spawned, in a thread with an event loop."""

import asyncio
import code
import subprocess
import sys
import threading

import clockfree as cf

BARE = """
import sys
before = {*sys.modules}
import clockfree as cf
print(*sorted({*sys.modules} - before))
cf.Task, cf.InputError, cf.__version__
try:
    cf.nothing
except AttributeError as error:
    print(error)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
TASK = """
import sys
import numpy as np
import clockfree as cf
A = np.zeros((5, 5), int)
A[range(4), range(1, 5)] = 1
cf.Task(network=A + A.T, sources=[0, 4], targets=[2], source_V=[[0, 5]], desired_V=[[2]])
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
SPAWNED = """
import multiprocessing
import sys
import clockfree as cf

def learn(seed):
    return cf.run(task(), seed=seed).final_error_V2

def task():
    return cf.Task(sources=["A", "C"], targets=["E"], source_V=[[0, 5]], desired_V=[[3.6]], updates=20)

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(*pool.map(learn, [0, 1]))
"""


def printed(code, folder):
    done = subprocess.run(
        [sys.executable, "script.py"] if (folder / "script.py").write_text(code) else [],
        cwd=folder, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.splitlines()


def test_the_import_loads_nothing_until_something_is_asked_for(tmp_path):
    first, error, then = printed(BARE, tmp_path)
    assert first.split() == ["clockfree"]
    assert error == "module 'clockfree' has no attribute 'nothing'"
    assert not {"numba", "scipy", "networkx", "xarray", "matplotlib"} & {*then.split()}
    assert {*cf.__all__} <= {*dir(cf)}


def test_a_task_is_checked_before_anything_slow_is_loaded(tmp_path):
    (loaded,) = printed(TASK, tmp_path)
    slow = {"numba", "llvmlite", "scipy", "networkx", "xarray", "pandas", "h5py", "matplotlib", "rich", "clockfree_sim"}
    assert not slow & {*loaded.split()}


def a_task():
    return cf.Task(sources=["A", "C"], targets=["E"], source_V=[[0, 5]], desired_V=[[3.6]], updates=20)


def errors():
    return [str(cf.run(a_task(), seed=seed).final_error_V2) for seed in (0, 1)]


def test_it_runs_in_processes_that_are_spawned(tmp_path):
    assert printed(SPAWNED, tmp_path)[0].split() == errors()


def test_it_runs_in_a_thread_with_an_event_loop_as_a_kernel_has_it():
    found = []

    async def cell():
        shell = code.InteractiveInterpreter({"cf": cf, "task": a_task(), "found": found})
        shell.runsource("found += [str(cf.run(task, seed=seed).final_error_V2) for seed in (0, 1)]")

    kernel = threading.Thread(target=lambda: asyncio.run(cell()))
    kernel.start()
    kernel.join()
    assert found == errors()
