"""What the environment says, and what of it goes no further."""

import os
import subprocess
import sys

import pytest

from clockfree.base import environment
from clockfree.base.environment import unreadable

MAIN = "from clockfree.commands.app import main; main()"
IN_A_THREAD = """
import threading
from clockfree.commands.app import main

def called():
    try:
        main()
    except SystemExit as ended:
        print(f"status {ended.code}")

thread = threading.Thread(target=called)
thread.start()
thread.join()
"""


def ran(code, *arguments, **variables):
    """Output of a process that is given these variables; it has no home."""
    others = {name: value for name, value in os.environ.items() if name != "HOME"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, env=others | variables, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    return done


def test_what_others_are_told_is_none_of_ours_in_a_thread_too(recorded, tmp_path):
    """Notebooks set the one, debuggers the other; without a home matplotlib keeps its fonts somewhere else."""
    folder = recorded()
    others = {"MPLBACKEND": "module://not.here", "NUMBA_DISABLE_JIT": "1", "MPLCONFIGDIR": "", "TMPDIR": str(tmp_path)}
    done = ran(IN_A_THREAD, "show", folder, **others)
    assert done.stdout.endswith("status 0\n") and done.stderr == ""
    assert (folder / "figure.png").is_file()


def test_compiled_code_that_must_not_be_compiled_says_so():
    done = subprocess.run(
        [sys.executable, "-c", "import clockfree_sim.circuit.caching"],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1].startswith("ImportError: NUMBA_DISABLE_JIT: expected it unset: ")


def test_what_numba_is_told_for_us_stays(monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/there")
    monkeypatch.setenv("NUMBA_OPT", "0")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    for name in ("signal", "gc", "logging"):
        monkeypatch.setattr(environment, name, getattr(environment, name))
    monkeypatch.setattr(environment.gc, "set_threshold", lambda count: None)
    monkeypatch.setattr(environment.signal, "getsignal", lambda number: None)
    environment.settle()
    assert os.environ["NUMBA_CACHE_DIR"] == "/there" and "NUMBA_OPT" not in os.environ


def test_python_ends_without_looking_through_all_that_was_loaded():
    last = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 10_000))"
    assert ran(f"{last}; {MAIN}", "--version").stdout.endswith("True\n")


@pytest.mark.parametrize("arguments", [["help", "lesson"], ["sweep", "--help"]])
def test_help_says_as_much_where_python_leaves_docstrings_out(arguments):
    assert ran(MAIN, *arguments, PYTHONOPTIMIZE="2").stdout == ran(MAIN, *arguments).stdout


def test_a_text_that_cannot_be_read_says_whose_fault_it_is():
    assert unreadable("café") == ""
    assert (
        unreadable("caf\udce9")
        == r"'caf\udce9': expected UTF-8, got other bytes: the record of a run could not name it"
    )
    assert unreadable("caf\udcc3\udca9").startswith("café: expected a locale with these letters, got ")


def test_docstrings_of_matplotlib_are_spared_in_commands_alone():
    show = "from clockfree.base import environment; {}environment.spare_docstrings()"
    show += "; from matplotlib.lines import Line2D; print('dash_joinstyle' in Line2D.set.__doc__)"
    assert ran(show.format("")).stdout == "True\n"
    assert ran(show.format("environment.settle(); ")).stdout == "False\n"
