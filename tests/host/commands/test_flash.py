"""`clockfree flash` and `clockfree boards`, as a person types them."""

import json
import os
import signal

import pytest

from clockfree.commands import app, progress
from clockfree.link import ports
from clockfree.link.benchfile import bench_text
from tests.host.flashing import IDS, expected, files, flash, wait_for_port


@pytest.fixture
def bench_file(bench, tmp_path):
    path = tmp_path / "lab.toml"
    path.write_text(bench_text(bench))
    return path


def status(*arguments):
    return app.status_of([*map(str, arguments)])


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


def test_what_became_of_the_boards_is_said_even_where_it_cannot_be_kept(tmp_path, capsys):
    path = tmp_path / "lab.toml"
    path.write_text('[supervisor]\nport = "/dev/none"\n[[boards]]\nport = "/dev/nil"\nedges = [{ edge = "A-B" }]\n')
    path.with_name("lab.failed.json").mkdir()
    assert status("flash", "--bench", path) == 1
    printed = capsys.readouterr()
    assert "/dev/nil: no such port" in printed.out and "lab.failed.json: Is a directory" in printed.err
