"""Processes for many runs, and files that are whole: what sweeps and figures share."""

import multiprocessing
import os
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor

import pytest

from clockfree_model.files import replaced
from clockfree_sim.sweep import processes


def test_each_has_one_thread_and_this_process_keeps_its_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    with processes.pool(1) as pool:
        found = [pool.submit(os.getenv, name).result() for name in processes.ONE_THREAD]
    assert found == ["1"] * len(processes.ONE_THREAD)
    assert os.environ["OMP_NUM_THREADS"] == "3" and "NUMBA_NUM_THREADS" not in os.environ
    assert not multiprocessing.active_children()


def test_a_script_without_a_guard_is_not_run_again(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from clockfree_sim.sweep.processes import pool\n"
        "print('once')\n"
        "with pool(1) as processes:\n"
        "    print(processes.submit(abs, -3).result(), __spec__, __file__)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=100)
    assert done.stdout.split() == ["once", "3", "None", str(script)], done.stderr


def test_ctrl_c_does_not_wait_for_what_is_under_way():
    with pytest.raises(KeyboardInterrupt), processes.pool(1) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        asleep = pool.submit(time.sleep, 60)
        while not asleep.running():
            time.sleep(0.01)
        raise KeyboardInterrupt
    assert isinstance(asleep.exception(), BrokenExecutor)
    assert not multiprocessing.active_children()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    with replaced(path) as new:
        new.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    with pytest.raises(KeyboardInterrupt), replaced(path) as new:
        new.write_text("ne")
        raise KeyboardInterrupt
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("x", "new")]
