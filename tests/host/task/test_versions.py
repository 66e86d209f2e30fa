"""What a result was computed by, and that another processor or code is another."""

import subprocess
import sys

import numpy as np

from clockfree.base import firmware
from clockfree.task.versions import changed, versions
from clockfree_sim import sources_digest

KERNEL = "from clockfree.task.versions import versions\nprint(versions()['blas'])"


def test_what_can_change_the_last_digits_is_told(monkeypatch):
    now = versions()
    assert (now["numpy"], now["firmware"], now["simulation"]) == (np.__version__, firmware.code(), sources_digest())
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "-avx2")
    assert changed(now) == f"processor {now['processor']}, now {now['processor'].split()[0]} generic -avx2"
    assert changed({**versions(), "simulation": "0" * 16}) == f"simulation {'0' * 16}, now {now['simulation']}"
    assert changed({}) == changed(versions()) == ""  # a record of before says nothing of them


def test_the_kernel_of_blas_is_the_one_that_was_chosen(monkeypatch):
    """By its own environment, which it reads when it is loaded."""
    built, version, *kernel = versions()["blas"].split()
    told = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    assert (built, version) == (told["name"], told["version"])
    if kernel and kernel != ["Nehalem"]:
        monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
        done = subprocess.run([sys.executable, "-c", KERNEL], stdout=subprocess.PIPE, text=True, timeout=60)
        assert done.stdout.split() == [built, version, "Nehalem"]
