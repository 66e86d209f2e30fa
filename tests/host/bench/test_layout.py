"""`clockfree bench`: a bench file for a task, of the boards that are plugged in."""

from pathlib import Path

import pytest

from clockfree.bench.fitting import lacking, misserved, miswired
from clockfree.commands import app
from clockfree.link.benchfile import board_config, read_bench
from clockfree.task.plan import make_plan

TASK = Path(__file__).parents[3] / "examples/allostery.toml"
IDS = [f"e66058388353{number:04x}" for number in range(20)]


@pytest.fixture
def plugged(tmp_path):
    """A folder of links to ports, as a system with these boards has it."""

    def plug(ids):
        folder = tmp_path / "by-id"
        folder.mkdir()
        for number, id_ in enumerate(ids):
            (folder / f"usb-MicroPython_Board_in_FS_mode_{id_}-if00").symlink_to(f"/dev/ttyACM{number}")
        return folder

    return plug


def write(*arguments):
    return app.status_of(["bench", str(TASK), *map(str, arguments)])


def test_every_edge_has_a_board_and_the_supervisor_what_the_task_needs(plugged, tmp_path, capsys):
    out = tmp_path / "bench.toml"
    assert write("--out", out, "--by-id", plugged(IDS)) == 0
    said = capsys.readouterr().err
    assert IDS[0] in said and f"left over: {', '.join(IDS[17:])}" in said
    bench, job = read_bench(out), make_plan(TASK, {"preset": "board"}, [], False).job
    assert [board.id for board in bench.every_board] == IDS[:17]
    network = job.network
    names = [[network.nodes[i] for i in chosen] for chosen in (job.sources, job.targets)]
    assert not misserved(bench, [network.edge_name(edge) for edge in range(16)])
    assert not lacking(bench, *map(len, names)) and not miswired(bench, *names)
    # HARDWARE's pins: ADC GP17, first mixer GP20; 2.5 mA at 3.3 V through 75 ohm of wiper.
    assert (bench.supervisor.adcs[0].cs, bench.supervisor.mixers[0].cs) == (17, 20)
    config = board_config(bench, bench.boards[0])
    assert config["edges"][0]["pots"]["given"]["lowest"] == 2


def test_what_cannot_be_laid_out_is_refused_and_nothing_is_written(plugged, tmp_path, capsys):
    few, out = plugged(IDS[:3]), tmp_path / "bench.toml"
    for more, said in (
        (["--by-id", few], "expected 17 boards plugged in, one for each edge and a supervisor, got 3"),
        (["--by-id", few, "--preset", "ideal"], "--preset: expected board, whose chips are real ones, got ideal"),
    ):
        assert write("--out", out, *more) == 2
        assert said in capsys.readouterr().err
        assert not out.exists()
    out.write_text("mine")
    assert write("--out", out, "--by-id", few) == 2
    assert "expected a file that does not exist" in capsys.readouterr().err and out.read_text() == "mine"
