"""`clockfree doctor` on virtual boards that are well, and on some with something broken."""

import itertools
import json

import pytest

from clockfree.bench import checkup
from clockfree.bench.stated import stated
from clockfree.bench.verdicts import Verdict
from clockfree.commands import app
from clockfree.learning.arming import Member
from clockfree.link import session
from clockfree.link.benchfile import BenchFile, bench_text
from tests.host import broken
from tests.host.racks import BRIDGE

TASK = f"""
preset = "board"
network = "{BRIDGE}"
[placement]
sources = ["top", "bottom"]
targets = ["left"]
[[lesson]]
source_V = [[1.5, -1.3]]
teacher = true
"""


def examined(file, capfd):
    """Status, the verdict on each edge (and the supervisor), and all of it."""
    capfd.readouterr()
    with pytest.MonkeyPatch.context() as patch:  # how fast boards are depends on what else this machine does
        for limit in ("SLOWER", "MOST_SHOW_US", "MOST_TRIP_S"):
            patch.setattr(checkup, limit, 1e9)
        status = app.status_of(["doctor", str(file), "--json"])
    found = json.loads(capfd.readouterr().out)
    return status, {",".join(each["edges"]): each["verdict"] for each in found["boards"]}, found


@pytest.fixture(scope="module")
def well(micropython, tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    (folder / "task.toml").write_text(TASK)
    with broken.broken(folder / "task.toml", folder / "bench.toml") as bench:
        yield bench


def test_boards_that_are_well(well, capfd):
    rack = well.rack
    for i, board in enumerate(rack.bench.boards):
        with session.Session(board, rack.bench.links) as asked:
            asked.open()
            asked.ask("tap", 0, 30 + i)
            asked.ask("trim", 0, [i, -i, 3, 5])
    before = well.taps()
    status, verdicts, found = examined(well.file, capfd)
    assert (status, set(verdicts.values()), found["circuit_unknown"]) == (0, {"ok"}, None)
    assert all(0.9 < each["facts"]["rab_ratio"] < 1.1 for each in found["boards"] if each["edges"])
    assert found["well"] and len(found["boards"]) == 6
    assert well.taps() == before
    for i, board in enumerate(rack.bench.boards):
        with session.Session(board, rack.bench.links) as asked:
            asked.open()
            assert asked.ask("trim", 0) == [[i, -i, 3, 5]]
    assert all(each["facts"]["trip_s"] > 0 for each in found["boards"])
    assert all(each["facts"]["holds_hz"] > 10 for each in found["boards"] if each["edges"])


def test_seeds_and_cables(well, capfd, tmp_path):
    """With a bench file that does not say what the supervisor is wired to: boards are examined one by one alone."""
    bench = well.rack.bench
    nowhere = bench.supervisor.model_copy(update={"sources": [], "targets": []})
    alone = tmp_path / "bench.toml"
    alone.write_text(bench_text(bench.model_copy(update={"supervisor": nowhere})))
    for edge, code in (("top-left", broken.NO_ENTROPY), ("left-bottom", broken.NO_ENTROPY)):
        well.before(edge, code)
    try:
        with well.lossy("top-right"):
            status, verdicts, found = examined(alone, capfd)
    finally:
        for edge in ("top-left", "left-bottom"):
            well.before(edge, "")
    assert status == 1
    assert "supervisor.targets are left out" in found["circuit_unknown"]
    for edge, other in (("top-left", "left-bottom"), ("left-bottom", "top-left")):
        assert f"is that of {well.board(other)} too" in verdicts[edge]
    assert "of its lines come broken: another cable" in verdicts["top-right"]
    assert verdicts["right-bottom"] == verdicts["left-right"] == verdicts[""] == "ok"


def rehearsing(rows):
    """Which of these boards are slow; of each turn a row of firings, us, the last of them for ever."""
    members = [Member(object(), [i]) for i in range(len(rows[0]))]
    turns = {
        member: itertools.chain(us, itertools.repeat(us[-1])) for member, us in zip(members, map(list, zip(*rows)))
    }
    slow = checkup.rehearsed(dict.fromkeys(members, ("adc",)), lambda member: next(turns[member]))
    return {members.index(member): times for member, times in slow.items()}


def test_a_slow_board_is_so_in_every_turn_and_beside_its_fellows(monkeypatch):
    monkeypatch.setattr(checkup, "APART_S", 0.0)
    assert rehearsing([[200, 210, 190, 900, 205]]) == {3: 900 / 202.5}
    assert rehearsing([[200, 210, 190, 900, 205], [200, 210, 190, 220, 205]]) == {}  # it was held up once
    assert rehearsing([[200, 210, 190, 900, 205], [1900, 1800, 1700, 1600, 205]]) == {}  # the host was busy
    assert rehearsing([[200, 1900]]) == {}  # nobody knows which of two is the slow one
    assert rehearsing([[200, 0, 190, 900, 205]]) == {3: 900 / 200}  # one of them could not


def test_a_board_that_holds_no_rate_worth_the_name_is_told_so():
    job = stated(BenchFile.model_validate({
        "supervisor": {"id": "0" * 16}, "boards": [{"id": "1" * 16, "edges": [{"edge": "A-B"}]}]
    }), 5)[0]  # fmt: skip
    verdict = Verdict("x", ["A-B"])
    member = Member(object(), [0], firing_us=[120_000], late_us=[2000])
    checkup.judge_rates({member: ("adc",)}, {}, job, {member.session: verdict})
    assert "firings/s of each edge, not even 10" in str(verdict)
