import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import xarray as xr

from clockfree.commands import app
from clockfree.runs import netcdf
from clockfree_sim.theory import best
from tests.loaded import Command

TASK = """
updates = 5
[placement]
sources = ["A", "C"]
targets = ["G"]
[[lesson]]
teacher = true
"""
COMMAND = [sys.executable, "-c", "from clockfree.commands.app import main; main()"]


@pytest.fixture
def task(tmp_path):
    path = tmp_path / "task.toml"
    path.write_text(TASK)
    return str(path)


def one_object(text):
    """The text is one JSON object on one line and nothing else."""
    assert text.endswith("\n") and text.count("\n") == 1
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def test_run_show_and_read_print_one_object_alone_on_stdout(task, tmp_path, capsys, monkeypatch):
    out = str(tmp_path / "out")
    assert app.status_of(["run", task, "--seed", "3", "--out", out, "--json"]) == 0
    captured = capsys.readouterr()
    found = one_object(captured.out)
    assert found["run"] == out and found["seed"] == 3 and found["firings"] == 80
    assert (
        "5 updates per edge, error" in captured.err and "\x1b" not in captured.err
    )  # plain lines where there is no terminal
    assert len(captured.err.splitlines()) < 12

    assert app.status_of(["show", out, "--json"]) == 0
    captured = capsys.readouterr()
    assert one_object(captured.out) == found
    assert captured.err == ""

    assert app.status_of(["read", out, "--json"]) == 0
    readings = one_object(capsys.readouterr().out)["readings"]
    assert len(readings) == 9
    assert {"node": "A", "role": "source", "source": "sim", "desired_V": None}.items() <= readings[0].items()

    monkeypatch.setenv("COLUMNS", "40")
    assert app.status_of(["show", out]) == 0
    assert "task on lab16: 9 nodes, 16 edges" in capsys.readouterr().out  # a pipe folds nothing
    assert app.status_of(["read", out]) == 0
    table = capsys.readouterr().out
    assert "clamped V" in table and "recorded taps" in table


def test_a_bar_on_a_terminal(capsys, monkeypatch, made_up):
    from clockfree.commands.progress import progress

    make_job, make_samples = made_up
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress() as shown:
        shown.say("running in [runs]/x")
        for sample in make_samples(make_job(), count=5):
            shown.sample(make_job(), sample, wall_s=2.0)
    err = capsys.readouterr().err
    assert "running in [runs]/x" in err
    assert "learning" in err and "100%" in err and "800 firings/s" in err and "error 3.00e-02" in err


def test_what_an_error_is_about(tmp_path):
    """Where Python's own error names nothing."""
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); {COMMAND[-1]}"
    for command, said in (
        ([*COMMAND, "--version"], "standard output: No space left on device"),
        ([sys.executable, "-c", script, "run", "iris"], "the current folder: No such file or directory"),
    ):
        with open("/dev/full", "w") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (1, f"clockfree: {said}\n")


def test_version(capsys):
    assert app.status_of(["--version"]) == 0
    assert capsys.readouterr().out == f"clockfree {importlib.metadata.version('clockfree')}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "Missing argument"),
        (["run", "TASK", "--sed", "1"], "--sed"),
        (["run", "TASK", "--seed"], "--seed"),
        (["rum"], "rum"),
        (["show"], "Missing argument"),
        (["run", "TASK", "--seed", "1.5"], "TASK: seed (from --seed): expected an integer, got 1.5"),
        (["run", "TASK", "--seed", "one"], "TASK: seed (from --seed): expected an integer, got 'one'"),
        (["run", "TASK", "--task-seed", "-3"], "TASK: task_seed (from --task-seed): expected a number >= 0"),
        (["run", "TASK", "--updates=-1"], "TASK: updates (from --updates): expected a number >= 0"),
        (["run", "TASK", "--rule", "clocked"], "TASK: rule (from --rule): expected clockfree, sync, p=P"),
        (["run", "TASK", "--preset", "magic"], "TASK: preset (from --preset): expected ideal, paper, board"),
        (["run", "TASK", "--network", "lab17"], "network (from --network): "),
        (["run", "TASK", "--network", "square:2x2"], "TASK: placement.sources"),
        (["run", "TASK", "--set", "clamp.eta=2"], "TASK: clamp.eta (from --set): expected a number > 0 and <= 1"),
        (["run", "TASK", "--set", "clamp"], "TASK: --set: expected KEY=VALUE"),
        (["run", "TASK", "--set", "nonsense=1"], "TASK: nonsense (from --set): expected one of "),
        (["run", "TASK", "--bench", "virtual", "--set", "physics.supply_V=6"], "virtual: supply_V: expected a number "),
        (
            ["run", "TASK", "--bench", "virtual", "--set", "clamp.dwell_s=0.019"],
            "virtual: clamp.dwell_s: expected at least 0.02 on boards, got 0.019 in the task",
        ),
        (["read"], "read: expected the folder of a run or --bench FILE, got neither"),
        (["read", ".", "--watch"], "--watch: expected --bench beside it"),
        (["read", "--bench", "nowhere.toml"], "nowhere.toml: file: expected a readable TOML file"),
        (["hold", "--bench", "nowhere.toml"], "nowhere.toml: file: expected a readable TOML file"),
        (["run", "TASK", "--bench", "nowhere.toml"], "nowhere.toml: file: expected a readable TOML file"),
        (["run", "TASK", "--bench", "virtual", "--rule", "sync"], "virtual: --rule: expected clockfree"),
        (["run", "nothing.toml"], "nothing.toml: file: expected a readable TOML file"),
        (["run", "."], ".: file: expected a readable TOML file"),
        (["run", "TASK", "--out", "TASK"], "TASK: --out: expected a folder that does not exist"),
        (["run", "TASK", "--out", "TASK/below"], "TASK/below: --out: expected a folder that can be made"),
        (["show", "nothing"], "nothing/log.jsonl: file: expected the log of a run"),
        (["read", "nothing"], "nothing/log.jsonl: file: expected the log of a run"),
        (["show", "TASK"], "TASK/log.jsonl: file: expected the log of a run"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, said, task, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, said = [text.replace("TASK", "task.toml") for text in arguments], said.replace("TASK", "task.toml")
    before = sorted(tmp_path.iterdir())
    assert app.status_of(arguments) == 2
    captured = capsys.readouterr()
    *progress, line = captured.err.splitlines()
    assert captured.out == ""
    assert line.startswith("clockfree: ") and said in line
    assert progress == [] or arguments[-1] == "task.toml/below"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"\x00\xff" * 50 + b"\n", b"nonsense"])
def test_a_corrupted_log_is_one_line_and_status_2(damage, tmp_path, capsys):
    (tmp_path / "log.jsonl").write_bytes(damage)
    for command in ("show", "read"):
        assert app.status_of([command, str(tmp_path)]) == 2
        captured = capsys.readouterr()
        assert captured.err.count("\n") == 1 and "log.jsonl: line 1: expected " in captured.err
        assert captured.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_others_commands_come_from_the_entry_points(capsys, monkeypatch):
    def hello(name: str) -> None:
        """Greet."""
        print(f"hello {name}")

    class Entry:
        def __init__(self, name, command):
            self.name, self.command = name, command

        def load(self):
            if self.command is None:
                raise ImportError("no module named\nswep")
            return self.command

    entries = [Entry("sweep", None), Entry("hello", hello)]
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda group: entries if group == "clockfree.commands" else []
    )
    monkeypatch.setattr(sys, "argv", ["clockfree", "hello", "edge"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 0
    captured = capsys.readouterr()
    assert captured.out == "hello edge\n"
    assert captured.err == ""
    assert app.status_of(["--help"]) == 0
    captured = capsys.readouterr()
    assert "Greet." in captured.out
    assert captured.err == "clockfree: command sweep is left out: no module named swep\n"


@pytest.mark.parametrize(
    ("lines", "slow"),
    [
        ([["--help"]], "numpy scipy numba xarray matplotlib networkx pydantic"),
        # Of a command typer itself asks pydantic.
        ([[name, "--help"] for name in app.COMMANDS], "numpy scipy numba xarray matplotlib networkx serial mpremote"),
    ],
)
def test_help_comes_without_what_is_slow_to_import(lines, slow):
    code = (
        f"import sys; from clockfree.commands import app; status = sum(map(app.status_of, {lines}));"
        f"slow = {set(slow.split())} & set(sys.modules);"
        "sys.exit(f'{status} {slow}' if status or slow else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Teach a network a task" in done.stdout


@pytest.mark.parametrize(("given", "threads"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_blas_has_one_thread_unless_it_is_told_otherwise(given, threads):
    code = (
        "import os, sys; from clockfree.base import environment; import clockfree.commands.app; environment.settle();"
        "print(os.environ['OPENBLAS_NUM_THREADS'], 'numpy' in sys.modules)"
    )
    environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_NUM_THREADS"} | given
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.split() == [threads, "False"], done.stderr


def started(task, out):
    """A run that would take half a minute, as soon as it has logged ten samples."""
    arguments = ["run", task, "--updates", "200000", "--out", str(out), "--json"]
    process = Command(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    late = time.monotonic() + 60
    while not (out / "log.jsonl").exists() or (out / "log.jsonl").read_bytes().count(b"\n") < 10:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < late
        time.sleep(0.02)
    return process


def test_a_killed_run_can_be_shown_and_read(task, tmp_path, capsys):
    out = tmp_path / "out"
    process = started(task, out)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    with (out / "log.jsonl").open("ab") as file:
        file.write(b'{"record":"sample","time_us":12')  # as a kill in the middle of a write leaves it
    assert app.status_of(["show", str(out), "--json"]) == 0
    found = one_object(capsys.readouterr().out)
    assert found["updates_per_edge"] > 0
    assert found["wall_s"] is None  # the last checkpoint was before the last sample
    assert app.status_of(["show", str(out)]) == 0
    assert "cut off" in capsys.readouterr().out
    assert app.status_of(["read", str(out)]) == 0
    with xr.open_dataset(out / "results.nc") as data:
        assert data.attrs["ended"] == "cut off"
        assert data.sizes["sample"] >= 9


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_and_its_like_end_a_run_with_130_and_results(task, tmp_path, number):
    out = tmp_path / "out"
    process = started(task, out)
    os.kill(process.pid, number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert one_object(stdout)["updates_per_edge"] > 0
    assert "Traceback" not in stderr
    assert (out / "figure.png").stat().st_size > 10_000
    with xr.open_dataset(out / "results.nc") as data:
        assert data.attrs["ended"] == "interrupted"


def test_whatever_a_run_is_called_can_be_shown(tmp_path, capsys):
    """Names are no markup for a terminal, and no formulas for the figure."""
    path = tmp_path / "task.toml"
    path.write_text('name = "$x^{$ :smile: [b]a[/c]"\n' + TASK)
    out = tmp_path / "[/b] $a^{$"
    assert app.status_of(["run", str(path), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert f"{out}  (done)" in printed and "$x^{$ :smile: [b]a[/c] on lab16" in printed


def test_a_run_stays_within_its_folder_whatever_its_task_is_called(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, folder in (("../a/../\\\\b: c", "a-..-b-c-"), ("..", "run-"), ("Netz ä" * 50, "Netz-äNetz-ä")):
        (tmp_path / "task.toml").write_text(f'name = "{name}"\n{TASK}')
        assert app.status_of(["run", "task.toml", "--json"]) == 0
        run = one_object(capsys.readouterr().out)["run"]
        assert run.startswith(f"runs/{folder}") and os.listdir(run)
    assert sorted(os.listdir(tmp_path)) == ["runs", "task.toml"] and len(os.listdir("runs")) == 3


def test_a_name_that_is_no_text_is_refused(task, capsys):
    assert app.status_of(["run", task, "--out", "caf\udce9"]) == 2
    assert capsys.readouterr().err.startswith(r"clockfree: 'caf\udce9': expected UTF-8")


def full(*arguments, **more):
    """As HDF5 says it."""
    raise OSError(28, "Unable to create file (file write failed: time = Tue\n, filename = 'x'")


def nonsense(*arguments, **more):
    raise ValueError("Key backend: 'nonsense' is not a valid value")


def test_what_is_made_last_undoes_no_run(task, tmp_path, capsys, monkeypatch):
    """The result comes first, each file fails alone, and the run has done what it was asked for."""
    folder = tmp_path / "a run"
    monkeypatch.setattr("clockfree.runs.figure.draw_on", nonsense)
    monkeypatch.setattr(netcdf, "replace_bytes", full)
    assert app.status_of(["run", task, "--out", str(folder), "--json"]) == 0
    captured = capsys.readouterr()
    assert one_object(captured.out)["run"] == str(folder)
    again = f"; clockfree show '{folder}' makes it from the log"
    assert captured.err.splitlines()[-2:] == [
        f"warning: {folder}/results.nc was not made: "
        f"Unable to create file (file write failed: time = Tue , filename = 'x'{again}",
        f"warning: {folder}/figure.png was not made: Key backend: 'nonsense' is not a valid value{again}",
    ]
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint.json", "log.jsonl", "run.toml"]

    monkeypatch.undo()
    monkeypatch.setattr(netcdf, "replace_bytes", full)
    assert app.status_of(["show", str(folder)]) == 1  # asked for it alone
    captured = capsys.readouterr()
    assert "clockfree" in captured.out and captured.err.count("\n") == 1 and (folder / "figure.png").exists()


def test_seeds_that_cannot_be_kept_are_shown(task, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(netcdf, "replace_bytes", full)
    assert app.status_of(["run", task, "--seeds", "2", "--out", str(tmp_path / "out"), "--json"]) == 1
    captured = capsys.readouterr()
    assert one_object(captured.out)["seeds"] == [0, 1]
    assert captured.err.splitlines()[-1].startswith(f"{tmp_path}/out/results.nc was not made: Unable")


def test_runs_that_cannot_be_kept_are_not_begun(task, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").write_text("mine")
    assert app.status_of(["run", task]) == 2
    assert capsys.readouterr().err.startswith("clockfree: runs/new: --out: expected a folder that can be made, got ")


def test_a_stream_without_the_letter_shows_its_number(recorded):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [*COMMAND, "show", str(recorded(count=3))]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"V\xb2" in done.stdout


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_output_that_nobody_reads_on_is_no_failure_and_a_full_disk_is_one(monkeypatch, option):
    command = [*COMMAND, option]
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert (process.communicate(timeout=60)[1], process.returncode) == ("", 0)
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1) and "No space left on device" in done.stderr


def test_ctrl_c_before_anything_was_measured_leaves_nothing(task, tmp_path, capsys, monkeypatch):
    def interrupted(job):
        raise KeyboardInterrupt

    monkeypatch.setattr(best, "best_errors", interrupted)
    assert app.status_of(["run", task, "--out", str(tmp_path / "out")]) == 130
    assert capsys.readouterr().err.endswith("clockfree: interrupted\n")
    assert not (tmp_path / "out").exists()
