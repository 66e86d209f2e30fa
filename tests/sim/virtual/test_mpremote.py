"""An unmodified mpremote does on a virtual board what it does on a real one."""

import subprocess
import sys

import pytest

from clockfree_sim.virtual import VirtualBoards

ONE = "e6614103e7452d2f"


@pytest.fixture(scope="module")
def board(micropython, tmp_path_factory):
    with VirtualBoards(None, {ONE: {}}, tmp_path_factory.mktemp("flash")) as boards:
        yield boards


@pytest.fixture
def mpremote(board, tmp_path):
    """Run mpremote on the board: returns what it printed, and fails the test where it fails."""

    def run(*arguments, fails=False):
        command = [sys.executable, "-m", "mpremote", "connect", board.port(ONE), *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=20)
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr * fails

    run("exec", "import os\nfor file in os.listdir():\n  if file != 'lib': os.remove(file)")
    return run


def test_exec(mpremote):
    assert mpremote("exec", "print(6 * 7)") == "42\n"
    assert "ZeroDivisionError" in mpremote("exec", "1 // 0", fails=True)
    assert mpremote("eval", "__import__('machine').unique_id().hex()") == f"{ONE}\n"


def test_cp_ls_cat_rm(mpremote, tmp_path):
    data = bytes(range(256)) * 50  # every byte, Ctrl-C too
    (tmp_path / "data.bin").write_bytes(data)
    mpremote("cp", "data.bin", ":copy.bin")
    assert "12800 copy.bin" in mpremote("ls")
    mpremote("cp", ":copy.bin", "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == data
    (tmp_path / "text.py").write_text("print('here')\n")
    mpremote("cp", "text.py", ":", "+", "rm", ":copy.bin")
    assert mpremote("cat", ":text.py") == "print('here')\n"
    assert "copy.bin" not in mpremote("ls")


def test_run_and_mount(mpremote, tmp_path):
    (tmp_path / "module.py").write_text("VALUE = 5\n")
    (tmp_path / "program.py").write_text("import module\nprint(module.VALUE, open('data.bin', 'rb').read())\n")
    (tmp_path / "data.bin").write_bytes(b"a\x03b\x04c")  # crosses the port as bytes
    assert mpremote("mount", ".", "run", "program.py").endswith("5 b'a\\x03b\\x04c'\n")


def test_mip_install(mpremote, tmp_path):
    (tmp_path / "thing.py").write_text("def f():\n    return 'installed'\n")
    (tmp_path / "package.json").write_text('{"urls": [["thing/__init__.py", "thing.py"]], "version": "1"}')
    mpremote("mip", "install", "package.json")
    assert "__init__.py" in mpremote("ls", ":lib/thing")
    assert mpremote("exec", "import thing; print(thing.f())") == "installed\n"


def test_soft_reset(mpremote):
    mpremote("exec", "x = 5", "resume", "exec", "print(x)")
    mpremote("soft-reset")
    assert "NameError" in mpremote("resume", "exec", "print(x)", fails=True)


def test_what_is_on_flash_stays(mpremote):
    mpremote("exec", "with open('kept.txt', 'w') as file: file.write('kept')", "soft-reset")
    assert mpremote("cat", ":kept.txt") == "kept"
