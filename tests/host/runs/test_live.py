"""`clockfree read --bench` and `clockfree hold`, as a person types them, on boards that are real MicroPythons."""

import json

from clockfree.commands import app
from clockfree.link.benchfile import bench_text
from clockfree.link.fleet import Fleet
from clockfree.runs import live
from clockfree_board.link import PROTOCOL, VERSION
from tests.host.flashing import flash, wait_for_port


def status(*arguments):
    return app.status_of([*map(str, arguments)])


def test_what_boards_say_now_and_hold(bench, boards, tmp_path, capsys):
    path = tmp_path / "lab.toml"
    path.write_text(bench_text(bench))
    lost = bench.boards[0]
    assert status("read", "--bench", path, "--json") == 1
    assert {row["problem"] for row in json.loads(capsys.readouterr().out)["boards"]} == {
        "MicroPython's prompt, no clockfree"
    }

    assert all(not report.error for report in flash(bench).values())
    assert status("read", "--bench", path, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [(row["state"], row["problem"]) for row in found["boards"]] == [("hold", "")] * len(bench.every_board)
    assert [row["edge"] for row in found["edges"]] == [edge.edge for board in bench.boards for edge in board.edges]
    outputs = [row for row in found["nodes"] if row["source"] == f"supervisor {bench.supervisor.name}"]
    assert outputs and all(0 <= row["free_V"] <= bench.supply_V for row in outputs)

    fleet = Fleet(bench)
    try:
        assert not fleet.open()
        fleet.edge_boards[0].ask("prepare", 7)
        fleet.edge_boards[0].ask("tap", 0, 63)
    finally:
        fleet.close()
    assert status("hold", "--bench", path) == 0
    assert capsys.readouterr().out.count("HOLD; it was in HOLD") == len(bench.every_board)
    assert status("read", "--bench", path) == 0
    table = capsys.readouterr().out
    assert lost.edges[0].edge in table and " 63 " in table

    boards.unplug(lost.name)
    assert status("hold", "--bench", path) == 1
    assert f"{lost.name}: expected a port with this id" in " ".join(capsys.readouterr().out.split())
    with live.Watcher(bench) as watcher:
        looks = [watcher.look()]
        boards.plug(lost.name)
        wait_for_port(boards, lost.name)
        looks.append(watcher.look())
    assert [look.whole for look in looks] == [False, True]


def test_a_supervisor_that_comes_later_is_asked_for_its_readings(bench, boards):
    assert all(not report.error for report in flash(bench).values())
    boards.unplug(bench.supervisor.name)
    asked = []
    with live.Watcher(bench) as watcher:
        assert watcher.look().boards[0]["state"] is None
        boards.plug(bench.supervisor.name)
        wait_for_port(boards, bench.supervisor.name)
        session = watcher._fleet.supervisor
        ask = session.ask
        session.ask = lambda kind, *arguments, **more: asked.append((kind, *arguments)) or ask(kind, *arguments, **more)
        assert watcher.look().whole
    assert asked == [("report", live.READINGS_MS, 0), ("status",), ("measure",), ("report", 0, 0)]


def test_a_board_of_another_link_is_only_asked_who_it_is(bench, boards):
    assert all(not report.error for report in flash(bench).values())
    with live.Watcher(bench) as watcher:
        supervisor = watcher._fleet.supervisor
        supervisor.hello = {**supervisor.hello, "protocol": PROTOCOL - 1}
        supervisor.ask = None  # neither for a status nor for its readings, now and as we leave
        problem = watcher.look().boards[0]["problem"]
    assert problem == f"protocol: expected {PROTOCOL}, got {PROTOCOL - 1}: its firmware is another, flash it"


def test_a_board_with_another_version_is_not_asked_what_this_host_could_not_read(bench, boards):
    assert all(not report.error for report in flash(bench).values())
    with live.Watcher(bench) as watcher:
        session = watcher._fleet.edge_boards[0]
        session.hello = {**session.hello, "version": "9.9"}
        session.ask = None
        look = watcher.look()
    assert (
        look.boards[1]["problem"] == f"version: expected {VERSION}, got 9.9: its firmware is another, flash it"
        and not look.whole
    )
