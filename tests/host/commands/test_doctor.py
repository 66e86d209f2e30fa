"""`clockfree doctor` on virtual boards that are well, and on some with something broken."""

import json

import pytest

from clockfree.commands import app
from clockfree.link import session
from clockfree.link.benchfile import bench_text
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


def test_seeds_cables_and_slow_boards(well, capfd, tmp_path):
    """With a bench file that does not say what the supervisor is wired to: boards are examined one by one alone."""
    bench = well.rack.bench
    nowhere = bench.supervisor.model_copy(update={"sources": [], "targets": []})
    alone = tmp_path / "bench.toml"
    alone.write_text(bench_text(bench.model_copy(update={"supervisor": nowhere})))
    for edge, code in (("top-left", broken.NO_ENTROPY), ("left-bottom", broken.NO_ENTROPY)):
        well.before(edge, code)
    well.before("left-right", broken.SLOW_BUS.replace("1000", "300"))
    try:
        with well.lossy("top-right"):
            status, verdicts, found = examined(alone, capfd)
    finally:
        for edge in ("top-left", "left-bottom", "left-right"):
            well.before(edge, "")
    assert status == 1
    assert "supervisor.targets are left out" in found["circuit_unknown"]
    for edge, other in (("top-left", "left-bottom"), ("left-bottom", "top-left")):
        assert f"is that of {well.board(other)} too" in verdicts[edge]
    assert "of its lines come broken: another cable" in verdicts["top-right"]
    assert "times as long as its fellows: look at its clock" in verdicts["left-right"]
    assert verdicts["right-bottom"] == verdicts[""] == "ok"
