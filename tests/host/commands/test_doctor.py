"""`clockfree doctor` on virtual boards that are well, and on some with something broken."""

import json

import pytest

from clockfree.commands import app
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


def examined(bench, capfd):
    """Status, the verdict on each edge (and the supervisor), and all of it."""
    capfd.readouterr()
    status = app.status_of(["doctor", str(bench.file), "--json"])
    found = json.loads(capfd.readouterr().out)
    return status, {",".join(each["edges"]): each["verdict"] for each in found["boards"]}, found


@pytest.fixture(scope="module")
def well(micropython, tmp_path_factory):
    folder = tmp_path_factory.mktemp("doctor")
    (folder / "task.toml").write_text(TASK)
    with broken.broken(folder / "task.toml", folder / "bench.toml") as bench:
        yield bench


def test_boards_that_are_well(well, capfd):
    before = well.taps()
    status, verdicts, found = examined(well, capfd)
    assert (status, set(verdicts.values())) == (0, {"ok"})
    assert found["well"] and len(found["boards"]) == 6
    assert well.taps() == before
    assert all(each["facts"]["trip_s"] > 0 for each in found["boards"])
    assert all(each["facts"]["holds_hz"] > 10 for each in found["boards"] if each["edges"])


def test_seeds_cables_and_slow_boards(well, capfd):
    for edge, code in (("top-left", broken.NO_ENTROPY), ("left-bottom", broken.NO_ENTROPY)):
        well.before(edge, code)
    well.before("left-right", broken.SLOW_BUS)
    try:
        with well.lossy("top-right"):
            status, verdicts, _ = examined(well, capfd)
    finally:
        for edge in ("top-left", "left-bottom", "left-right"):
            well.before(edge, "")
    assert status == 1
    for edge, other in (("top-left", "left-bottom"), ("left-bottom", "top-left")):
        assert f"is that of {well.board(other)} too" in verdicts[edge]
    assert "of its lines come broken: another cable" in verdicts["top-right"]
    assert "times as long as its fellows: look at its clock" in verdicts["left-right"]
    assert verdicts["right-bottom"] == verdicts[""] == "ok"
