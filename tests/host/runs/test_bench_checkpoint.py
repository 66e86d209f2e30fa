"""Taps and calibration of a bench in a file and back, by the boards' own code on the rig."""

import json

import pytest

from clockfree.base.errors import BoardError, InputError
from clockfree.runs import bench_checkpoint
from clockfree_board.sense import TrimmedPins
from tests.host.rigs import Run


@pytest.fixture
def bench(monkeypatch):
    """Five edges on two boards, as the commands meet them."""

    def made(trimmed=True):
        run = Run("trimmed" if trimmed else "comparator")
        for edge in edges(run) if trimmed else ():
            edge.sense = TrimmedPins(lambda: 0, lambda: 1, [].append, 8, 5000)
        fleet = run.fleet
        fleet.edge_boards, fleet.close = run.boards, lambda: None
        monkeypatch.setattr(bench_checkpoint, "Fleet", lambda bench: fleet)
        monkeypatch.setattr(bench_checkpoint, "call", lambda fleet, name, anyway: None)
        return run

    return made


def edges(run):
    return [edge for board in run.boards for edge in board.rig.role.edges]


def test_a_bench_is_as_it_was(bench, tmp_path):
    run = bench()
    for i, edge in enumerate(edges(run)):
        edge.pots.set(20 + i)
        edge.sense.put_trims([40 - i])
    assert bench_checkpoint.save(run.bench, "bench.toml", tmp_path / "kept.json") == 5
    for edge in edges(run):
        edge.pots.set(99)
        edge.sense.put_trims([0])
    assert bench_checkpoint.restore(run.bench, "bench.toml", tmp_path / "kept.json") == 5
    assert [edge.pots.tap for edge in edges(run)] == [20, 21, 22, 23, 24]
    assert [edge.sense.trims() for edge in edges(run)] == [[40 - i] for i in range(5)]
    with pytest.raises(InputError, match="FILE: expected a file that does not exist"):
        bench_checkpoint.save(run.bench, "bench.toml", tmp_path / "kept.json")


def test_comparators_have_no_calibration(bench, tmp_path):
    run = bench(trimmed=False)
    bench_checkpoint.save(run.bench, "bench.toml", tmp_path / "kept.json")
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert [edge["trims"] for board in kept["boards"] for edge in board["edges"]] == [[]] * 5
    assert bench_checkpoint.restore(run.bench, "bench.toml", tmp_path / "kept.json") == 5


def test_a_chip_that_says_no_tap_is_named(bench, tmp_path):
    run = bench()
    run.boards[1].rig.pots[0].present = False
    with pytest.raises(BoardError, match=r"bench\.toml: 0{15}2: .* no tap that it can have"):
        bench_checkpoint.save(run.bench, "bench.toml", tmp_path / "kept.json")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (lambda kept: kept.pop("checkpoint"), "expected what clockfree checkpoint writes"),
        (lambda kept: kept["boards"][0]["edges"][0].update(tap=1.5), "expected what clockfree checkpoint writes"),
        (lambda kept: kept["boards"].pop(), "board 0{15}2 at .*, got none"),
        (lambda kept: kept["boards"][0]["edges"].reverse(), "board 0{15}1 at top-left, .*, got top-right, top-left"),
        (lambda kept: kept["boards"][0].update(config="x"), "configured otherwise"),
    ],
)
def test_what_is_of_no_such_bench_is_refused(bench, tmp_path, how, said):
    run = bench()
    file = tmp_path / "kept.json"
    bench_checkpoint.save(run.bench, "bench.toml", file)
    kept = json.loads(file.read_text())
    how(kept)
    file.write_text(json.dumps(kept))
    before = [edge.pots.tap for edge in edges(run)]
    with pytest.raises(InputError, match=said):
        bench_checkpoint.restore(run.bench, "bench.toml", file)
    assert [edge.pots.tap for edge in edges(run)] == before


def test_boards_that_learn_are_left_alone(bench, tmp_path):
    run = bench()
    run.boards[0].hello["state"] = "run"
    with pytest.raises(InputError, match="expected HOLD, got a board that learns: clockfree hold --bench"):
        bench_checkpoint.save(run.bench, "bench.toml", tmp_path / "kept.json")
