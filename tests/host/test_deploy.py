"""Flashing virtual boards: real MicroPythons, each with a flash of its own, spoken to by mpremote."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from clockfree.link import VERSION
from clockfree_host import cli, deploy, firmware, hail, ports, progress
from clockfree_host.benchfile import BenchFile, bench_text, board_config, config_hash, config_text
from clockfree_host.firmware import FOLDER, BoardFile, source_files
from clockfree_sim.virtual import VirtualBoards

from tests.sim.jobs import a_job

IDS = [f"e6614103e745{number:04x}" for number in range(3)]


def bench_of(job, by_id="/dev"):
    edges = [job.network.edge_name(edge) for edge in range(2)]
    boards = [{"id": id_, "edges": [{"edge": edge}]} for id_, edge in zip(IDS[1:], edges, strict=True)]
    return BenchFile.model_validate({"supervisor": {"id": IDS[0]}, "boards": boards, "by_id": str(by_id)})


@pytest.fixture(scope="module")
def boards(micropython, tmp_path_factory):
    job = a_job()
    bench = bench_of(job)
    configs = {board.name: board_config(bench, board) for board in bench.every_board}
    with VirtualBoards(job, configs, tmp_path_factory.mktemp("flash")) as boards:
        yield boards


@pytest.fixture
def bench(boards):
    """The bench, all of its boards there and blank."""
    made = bench_of(a_job(), boards.by_id)
    for board in made.every_board:
        boards.plug(board.name)
        on(
            boards,
            board.name,
            "import os\n"
            "for d in '/clockfree/', '/':\n"
            "  try:\n"
            "    for e in os.ilistdir(d):\n"
            "      if e[1] == 0x8000: os.remove(d + e[0])\n"
            "  except OSError: pass",
        )
        boards.reset(board.name)
        wait_for_port(boards, board.name)
    return made


def wait_for_port(boards, id_):
    late_s = time.monotonic() + 10
    while not [found for found in ports.scan(boards.by_id) if found.id == id_]:
        assert time.monotonic() < late_s
        time.sleep(0.005)


@contextlib.contextmanager
def prompt(boards, id_):
    """The prompt of a board, whatever ran there; it may just be in a reset."""
    late_s = time.monotonic() + 10
    while True:
        try:
            port = ports.open_port(ports.locate(id_, None, boards.by_id), 5)
            repl = deploy._Repl(port)
            repl.enter_raw_repl(soft_reset=True)
            break
        except (ports.PortError, OSError):
            assert time.monotonic() < late_s
            time.sleep(0.01)
    try:
        yield repl
    finally:
        repl.exit_raw_repl()
        port.close()


def on(boards, id_, code):
    """What a program prints on a board that is stopped for it, and left at its prompt."""
    with prompt(boards, id_) as repl:
        return repl.exec(code).decode()


def files(boards, id_):
    """Every file of a board, by path."""
    text = on(
        boards,
        id_,
        "import os\n"
        "r = {}\n"
        "for d in '/', '/clockfree/':\n"
        "  for e in os.ilistdir(d):\n"
        "    if e[1] == 0x8000 and e[3] < 100000:\n"
        "      with open(d + e[0], 'rb') as f: r[d + e[0]] = f.read()\n"
        "print(r)",
    )
    return eval(text)


def flash(bench, boards=None, tell=lambda board, share, doing: None, stop=None, **more):
    reports = deploy.deploy(bench, boards or bench.every_board, tell, stop or threading.Event(), **more)
    return {report.board: report for report in reports}


def expected(bench, board, source=False):
    made = source_files() if source else firmware.compiled_files(6 | 3 << 8 | 2 << 10, "")
    made = [*made, BoardFile("/clockfree.json", config_text(board_config(bench, board)).encode())]
    return {file.path: file.data for file in made}


def test_blank_boards_then_nothing_then_one_file(bench, boards, monkeypatch):
    told = []
    reports = flash(bench, tell=lambda *what: told.append(what))
    for board in bench.every_board:
        report = reports[board.name]
        assert report.error == ""
        assert set(report.copied) == set(expected(bench, board)) and report.unchanged == 0 and not report.removed
        assert report.hello["id"] == board.name and report.hello["version"] == VERSION
        assert report.hello["config"] == config_hash(board_config(bench, board))
        shares = [share for name, share, _ in told if name == board.name]
        assert shares == sorted(shares) and shares[-1] == 1

    again = flash(bench)
    for name, report in again.items():
        assert (report.error, report.copied, report.removed, report.sent) == ("", [], [], 0)
        assert report.hello["boot"] != reports[name].hello["boot"]

    changed = bench.model_copy(update={"loss_s": 20.0})
    for board in bench.every_board:
        (report,) = flash(changed, [board]).values()
        assert (report.error, report.copied) == ("", ["/clockfree.json"])
        assert files(boards, board.name) == expected(changed, board)


def test_source_is_that_of_the_firmware_and_takes_the_place_of_what_was_compiled(bench, boards):
    board = bench.boards[0]
    for source in (True, False, True):
        (report,) = flash(bench, [board], source=source).values()
        assert report.error == "" and report.hello["mpy"][2] is not source
        assert files(boards, board.name) == expected(bench, board, source)
        removed = ".mpy" if source else ".py"
        assert all(path.endswith(removed) for path in report.removed)
    assert {
        path: (FOLDER / path[1:]).read_bytes() for path in expected(bench, board, True) if path.endswith(".py")
    } == {path: data for path, data in files(boards, board.name).items() if path.endswith(".py")}
    assert "/clockfree/board.mpy" in report.removed


def test_what_would_be_in_the_way_goes_and_what_is_somebody_elses_stays(bench, boards):
    board = bench.boards[0]
    on(
        boards,
        board.name,
        "import os\n"
        "for p in '/clockfree/link.py', '/clockfree/gone.mpy', '/clockfree/edge.mpy.new', '/main.py.new', "
        "'/clockfree/notes.txt', '/boot.py', '/mine.py':\n"
        "  try: os.mkdir('/clockfree')\n"
        "  except OSError: pass\n"
        "  with open(p, 'w') as f: f.write('# ' + p)",
    )
    (report,) = flash(bench, [board]).values()
    assert report.error == ""
    assert report.removed == ["/clockfree/gone.mpy", "/clockfree/link.py"]
    own = {path: f"# {path}".encode() for path in ("/clockfree/notes.txt", "/boot.py", "/mine.py")}
    assert files(boards, board.name) == {**expected(bench, board), **own}


def test_a_board_in_run_is_held_and_reset_first(bench, boards):
    """Its watchdog is armed, and would reset it in the middle of the next file."""
    board = bench.boards[0]
    flash(bench, [board])
    with ports.open_port(ports.locate(board.id, None, bench.links), hail.READ_S) as port:
        hail.ask(port, "prepare", 5)
        hail.ask(port, "edge", 0, 5, 0, 5000, 500, 0, 0, 1, 2, 0)
        hail.ask(port, "tap", 0, 64)
        hail.ask(port, "run", 5)
        before = hail.hello(port)
    assert before["state"] == "run"
    changed = bench.model_copy(update={"loss_s": 21.0})
    (report,) = flash(changed, [changed.boards[0]]).values()
    assert (report.error, report.copied) == ("", ["/clockfree.json"])
    assert report.hello["state"] == "hold" and report.hello["boot"] != before["boot"]


def test_a_board_that_was_stopped_by_ctrl_c_is_reset_first(bench, boards, monkeypatch):
    board = bench.boards[0]
    flash(bench, [board])
    with ports.open_port(ports.locate(board.id, None, bench.links), 5) as port:
        port.write(b"\x03")
        assert b"stopped by Ctrl-C" in port.read_until(b">>> ")
    entered = []
    monkeypatch.setattr(deploy._Worker, "_hard_reset", counted(deploy._Worker._hard_reset, entered))
    (report,) = flash(bench, [board]).values()
    assert report.error == "" and len(entered) == 2


def counted(function, calls):
    def call(*args):
        calls.append(args)
        return function(*args)

    return call


def test_another_program_that_never_answers_is_stopped(bench, boards):
    board = bench.boards[0]
    on(boards, board.name, "with open('/main.py', 'w') as f: f.write('while True: pass')")
    boards.reset(board.name)
    wait_for_port(boards, board.name)
    (report,) = flash(bench, [board]).values()
    assert report.error == "" and "/main.py" in report.copied


def test_one_that_vanishes_does_not_stop_the_others_and_is_flashed_again_where_it_was_left(bench, boards):
    victim = bench.boards[0]

    def unplug(board, share, doing):
        if board == victim.name and share > 0.4 and doing.startswith("writing"):
            boards.unplug(board)

    reports = flash(bench, tell=unplug)
    assert [name for name, report in reports.items() if report.error] == [victim.name]
    said = reports[victim.name].error
    assert said.startswith("lost while writing ") and "flash again (--retry-failed)" in said and "\n" not in said
    boards.plug(victim.name)
    there = files(boards, victim.name)
    wanted = expected(bench, victim)
    assert not there.keys() & wanted.keys()  # nothing under its own name yet
    sent = {path for path, data in there.items() if wanted[path.removesuffix(".new")] == data}
    assert sent
    (report,) = flash(bench, [victim]).values()
    assert report.error == "" and set(report.copied) == set(wanted)
    assert 0 < report.sent < 0.9 * reports[bench.boards[1].name].sent
    assert files(boards, victim.name) == wanted


def test_a_full_flash_leaves_the_old_files(bench, boards):
    board = bench.boards[0]
    assert flash(bench, [board], source=True)[board.name].error == ""
    on(
        boards,
        board.name,
        "import os\nwith open('/filler', 'wb') as f:\n  for _ in range(os.statvfs('/')[3] - 3): f.write(bytes(4096))",
    )
    (report,) = flash(bench, [board]).values()
    assert report.error.startswith("its flash is full: ") and "mpremote fs rm" in report.error
    assert files(boards, board.name) == expected(bench, board, source=True)
    on(boards, board.name, "import os\nos.remove('/filler')")
    assert flash(bench, [board])[board.name].error == ""


def test_bytes_that_do_not_read_back_are_put_nowhere(bench, boards, monkeypatch):
    board = bench.boards[0]
    write = deploy.prompt.write

    def spoilt(files, packs):
        for program, whole in write(files, packs):
            more = b"_w('/clockfree/rule.mpy.new','ab',%b)\n" % deploy.prompt.literal(deploy.prompt.pack(b"x"))
            yield program.replace(b"print(_h('/clockfree/rule.mpy", more + b"print(_h('/clockfree/rule.mpy"), whole

    monkeypatch.setattr(deploy.prompt, "write", spoilt)
    (report,) = flash(bench, [board]).values()
    assert report.error.startswith("wrote files and read back other bytes: flash again")
    assert not [path for path in files(boards, board.name) if not path.endswith(".new")]


@pytest.mark.parametrize(
    ("survey", "said"),
    [
        (
            (6 | 2 << 8 | 2 << 10, "MicroPython v1.22.0"),
            "takes version 6.2 of .mpy files, and mpy-cross here makes 6.3",
        ),
        ((0, "MicroPython v1.9"), "its MicroPython v1.9 takes no .mpy files: flash with --source"),
    ],
)
def test_a_micropython_that_is_too_old_is_left_alone(bench, boards, monkeypatch, survey, said):
    board = bench.boards[0]
    asked = "getattr(sys.implementation,'_mpy',0),sys.version.split('; ')[-1]"
    told = deploy.prompt.SURVEY.replace(asked, f"{survey[0]},{survey[1]!r}")
    assert told != deploy.prompt.SURVEY
    monkeypatch.setattr(deploy.prompt, "SURVEY", told)
    (report,) = flash(bench, [board]).values()
    assert said in report.error
    assert files(boards, board.name) == {}
    (report,) = flash(bench, [board], source=True).values()
    assert report.error == ""


def test_a_board_that_cannot_inflate_gets_plain_bytes(bench, boards, monkeypatch):
    board = bench.boards[0]
    monkeypatch.setattr(deploy.prompt, "SURVEY", deploy.prompt.SURVEY.replace("import deflate", "import no_deflate"))
    (report,) = flash(bench, [board], source=True).values()
    assert report.error == "" and report.sent > 60_000
    assert files(boards, board.name) == expected(bench, board, source=True)


def test_two_at_one_port(bench, boards):
    board = bench.boards[0]
    with ports.open_port(ports.locate(board.id, None, bench.links), 1):
        (report,) = flash(bench, [board]).values()
    assert "in use by another program" in report.error


@pytest.fixture
def bench_file(bench, tmp_path):
    path = tmp_path / "lab.toml"
    path.write_text(bench_text(bench))
    return path


def status(*arguments):
    return cli.status_of([*map(str, arguments)])


def test_the_commands(bench, bench_file, boards, capsys):
    lost = bench.boards[0]
    boards.unplug(lost.name)
    record = bench_file.with_name("lab.failed.json")

    assert status("flash", "--bench", bench_file, "--json") == 1
    printed = capsys.readouterr()
    rows = {row["board"]: row for row in json.loads(printed.out)["boards"]}
    assert [name for name, row in rows.items() if row["error"]] == [lost.name]
    assert f"{lost.name}: expected a port with this id in {boards.by_id}" in rows[lost.name]["error"]
    assert len(printed.err.splitlines()) == 3 and f"{IDS[0]}: done" in printed.err
    assert json.loads(record.read_text()) == [lost.name]

    assert status("boards", "--bench", bench_file, "--json") == 1
    rows = {row["board"]: row for row in json.loads(capsys.readouterr().out)["boards"]}
    assert [name for name, row in rows.items() if row["problem"]] == [lost.name]
    assert rows[IDS[0]]["hello"]["role"] == "supervisor" and rows[IDS[0]]["port"] == boards.port(IDS[0])

    boards.plug(lost.name)
    wait_for_port(boards, lost.name)
    assert status("flash", "--bench", bench_file, "--retry-failed") == 0
    printed = capsys.readouterr()
    assert lost.name in printed.out and IDS[0] not in printed.out and "edge, version" in printed.out
    assert not record.exists()
    assert status("flash", "--bench", bench_file, "--retry-failed") == 0
    assert "no board failed" in capsys.readouterr().err

    assert status("boards", "--bench", bench_file) == 0
    table = capsys.readouterr().out
    assert all(id_ in table for id_ in IDS) and lost.edges[0].edge in table and "hold" in table

    bench_file.write_text(bench_text(bench.model_copy(update={"loss_s": 99.0})))
    assert status("boards", "--bench", bench_file) == 1
    assert "config: expected " in capsys.readouterr().out


def test_ctrl_c_leaves_every_board_with_its_old_files(bench, bench_file, boards, capsys, monkeypatch):
    assert all(not report.error for report in flash(bench, source=True).values())
    interrupts = iter([signal.SIGINT])

    def tell(self, board, share, doing):
        if share > 0.3:
            for number in interrupts:
                os.kill(os.getpid(), number)

    monkeypatch.setattr(progress.BoardLines, "tell", tell)
    assert status("flash", "--bench", bench_file, "--json") == 130
    printed = capsys.readouterr()
    assert printed.err == "clockfree: interrupted\n"
    broken_off = {row["board"] for row in json.loads(printed.out)["boards"] if row["error"].startswith("interrupted: ")}
    assert broken_off and json.loads(bench_file.with_name("lab.failed.json").read_text()) == sorted(broken_off)
    for board in bench.every_board:
        there, before = files(boards, board.name), expected(bench, board, source=True)
        if board.name in broken_off:
            assert before.items() <= there.items()
            assert all(path.endswith(".new") for path in there.keys() - before.keys())
        else:
            assert there == expected(bench, board)


def test_boards_that_are_blank_or_busy_are_said_so(bench, bench_file, boards, capsys):
    with ports.open_port(boards.port(IDS[1]), 1):
        assert status("boards", "--bench", bench_file) == 1
    table = capsys.readouterr().out
    assert "MicroPython's prompt, no clockfree" in table and "in use by another program" in table


def test_a_bench_that_cannot_be_read_or_retried(bench_file, capsys):
    assert status("flash", "--bench", bench_file.with_name("no.toml")) == 2
    assert "no.toml: file: expected a readable TOML file" in capsys.readouterr().err
    bench_file.with_name("lab.failed.json").write_text("{")
    assert status("flash", "--bench", bench_file, "--retry-failed") == 2
    assert "lab.failed.json: expected a list of boards" in capsys.readouterr().err


def test_mip_installs_the_same_files_as_a_flash_of_the_source(bench, boards):
    board = bench.boards[0]
    package = FOLDER / "package.json"
    command = [sys.executable, "-m", "mpremote", "connect", boards.port(board.name), "mip", "install", str(package)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    wanted = expected(bench, board, source=True)
    wanted.pop("/clockfree.json")
    assert files(boards, board.name) == wanted


class Server:
    """A port of a board, served over TCP, one connection after another, as ser2net does."""

    def __init__(self, name):
        self._name = name
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                with client, contextlib.suppress(OSError, FileNotFoundError):
                    board = os.open(self._name(), os.O_RDWR | os.O_NOCTTY)
                    try:
                        self._join(client.fileno(), board)
                    finally:
                        os.close(board)

    def _join(self, client, board):
        while True:
            for ready in select.select([client, board], [], [])[0]:
                data = os.read(ready, 4096)
                if not data:
                    return
                os.write(board if ready == client else client, data)

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def test_a_board_behind_a_server(bench, boards):
    board = bench.boards[0]
    server = Server(lambda: boards.port(board.name))
    remote = board.model_copy(update={"id": None, "port": server.url})
    bench = bench.model_copy(update={"boards": [remote]})
    try:
        (report,) = flash(bench, [remote]).values()
    finally:
        server.close()
    assert report.error == "" and report.hello["id"] == board.name
    assert files(boards, board.name) == expected(bench, board)
