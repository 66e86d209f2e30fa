"""Room for many boards: numbers above what `select` takes, and what is said, before anything starts, of what lacks."""

import os
import resource
import signal
import subprocess
import sys

import pytest

from clockfree.commands import app
from clockfree_sim.virtual import VirtualBoards, VirtualBoardsError, room
from clockfree_sim.virtual import boards as module
from tests.sim.virtual.conftest import ONE, OTHER
from tests.sim.virtual.repl import Repl, wait

pytestmark = pytest.mark.usefixtures("as_installed")
TASK = """
preset = "board"
[placement]
sources = ["A", "C"]
targets = ["G"]
[[lesson]]
teacher = true
"""
LIMITED = """
import resource, sys
from clockfree.commands.app import main
name, most = sys.argv.pop(1), int(sys.argv.pop(1))
resource.setrlimit(getattr(resource, name), (most, most))
main()
"""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with room for all: its files, by their paths, to write others over."""
    files = {
        "proc/sys/kernel/pty/max": "4096", "proc/sys/kernel/pty/reserve": "1024", "proc/sys/kernel/pty/nr": "2",
        "proc/meminfo": "MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n",
        "proc/self/cgroup": "3:memory:/box\n2:pids:/box\n0::/box\n",
    }  # fmt: skip

    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    for path, text in files.items():
        write(path, text)
    monkeypatch.setattr(room, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(room, "_CGROUPS", tmp_path / "cgroup")
    unlimited = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda which: (unlimited, unlimited))
    return write


def test_a_machine_with_room_for_all_lacks_nothing(machine):
    assert room.lacking(1000, 192) == ""


@pytest.mark.parametrize(
    ("files", "boards", "said"),
    [
        ({"proc/sys/kernel/pty/nr": "3000"}, 73, "expected 73 free pseudo-terminals (kernel.pty.max), got 72"),
        (
            {"cgroup/pids/box/pids.max": "300", "cgroup/pids/box/pids.current": "100"},
            60,
            "expected 230 further processes and threads (ulimit -u, pids.max), got 200",
        ),
        (
            {"cgroup/pids.max": "300", "cgroup/pids.current": "100", "cgroup/box/pids.max": "max"},
            60,
            "expected 230 further processes and threads (ulimit -u, pids.max), got 200",
        ),
        (
            {"proc/meminfo": "MemAvailable: 1024000 kB\n"},
            300,
            "expected 1,156 MiB of free memory (memory.max), got 1,000",
        ),
        (
            {
                "cgroup/box/memory.max": f"{1000 << 20}",
                "cgroup/box/memory.current": f"{700 << 20}",
                "cgroup/box/memory.stat": f"anon 1\ninactive_file {500 << 20}\n",
            },
            300,
            "expected 1,156 MiB of free memory (memory.max), got 800",
        ),
        (
            {
                "cgroup/memory/box/memory.limit_in_bytes": f"{900 << 20}",
                "cgroup/memory/box/memory.usage_in_bytes": f"{100 << 20}",
            },
            300,
            "expected 1,156 MiB of free memory (memory.max), got 800",
        ),
    ],
)
def test_what_is_too_little_is_said_with_what_is_there(machine, files, boards, said):
    for path, text in files.items():
        machine(path, text)
    assert room.lacking(boards, 192) == f"{boards} virtual boards: {said}"


@pytest.mark.parametrize(
    ("limit", "most", "said"),
    [
        ("RLIMIT_NOFILE", 200, "expected 253 open files (ulimit -Hn), got 200"),
        ("RLIMIT_NPROC", 60, "further processes and threads (ulimit -u, pids.max), got "),
    ],
)
def test_a_real_limit_is_said_in_a_line_and_nothing_is_started(limit, most, said, tmp_path):
    (tmp_path / "task.toml").write_text(TASK)
    command = [sys.executable, "-c", LIMITED, limit, str(most), "virtual", "task.toml", "--out", "out"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("clockfree: virtual: --bench: 17 virtual boards: ") and said in line
    assert not (tmp_path / "out").exists()


def test_terminals_that_lack_are_said_by_the_command(machine, tmp_path, monkeypatch, capsys):
    machine("proc/sys/kernel/pty/max", "1030")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "task.toml").write_text(TASK)
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **more: pytest.fail("something was started"))
    assert app.status_of(["virtual", "task.toml", "--out", "out"]) == 2
    assert "expected 17 free pseudo-terminals (kernel.pty.max), got 4" in capsys.readouterr().err


def test_a_bench_without_room_starts_nothing(machine, tmp_path):
    machine("proc/meminfo", "MemAvailable: 100 kB\n")
    with pytest.raises(VirtualBoardsError, match="MiB of free memory"):
        VirtualBoards(None, {ONE: {}}, tmp_path / "flash")
    assert not (tmp_path / "flash").exists()


def test_boards_whose_descriptors_are_above_those_of_select_are_stopped_and_reset(tmp_path, monkeypatch):
    high = (
        "import os, resource; most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)); [os.dup(0) for _ in range(1024)]; "
    )
    monkeypatch.setattr(module, "_CHILD", high + module._CHILD)
    with VirtualBoards(None, {ONE: {}, OTHER: {}}, tmp_path) as boards:
        for each in (ONE, OTHER):
            with Repl(boards.port(each)) as repl:
                repl.enter()
                repl.start("while True: pass")
                repl.enter()  # Ctrl-C
                assert repl.run("print(6 * 7)") == "42\n"
        open_files = os.listdir(f"/proc/{boards._child.pid}/fd")
        assert max(map(int, open_files)) > 1023
        os.kill(boards.told(ONE)["process"], signal.SIGKILL)
        wait(lambda: boards.told(ONE)["crashes"] == 1 and boards.is_up(ONE))


def test_where_no_inotify_instance_is_left_it_is_said_and_the_simulation_can_do_it(monkeypatch, tmp_path, capsys):
    def none_left():
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(room, "inotify", none_left)
    said = "expected 1 inotify instance (fs.inotify.max_user_instances), got 0"
    assert said in room.lacking(1, 64)
    (tmp_path / "task.toml").write_text(TASK)
    options = ["--updates", "2", "--bench", "virtual", "--out", str(tmp_path / "out")]
    assert app.status_of(["run", str(tmp_path / "task.toml"), *options]) == 2
    assert said in capsys.readouterr().err
    assert app.status_of(["run", str(tmp_path / "task.toml"), *options, "--or-sim", "--json"]) == 0
    captured = capsys.readouterr()
    assert '"bench": "sim"' in captured.out and f"{said}; so this runs on --bench sim" in captured.err
