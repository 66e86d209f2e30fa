"""Where a run starts: taps given, of another run, or nearest to the resistances of the network's file."""

import json
from pathlib import Path

import numpy as np
import pytest

from clockfree.base.errors import InputError
from clockfree.task.plan import make_plan
from clockfree_model.parts import POTS
from tests.model import writers

TASK = """
network = "net.csv"
start_taps = {start}
[placement]
sources = ["A", "F"]
targets = ["C"]
[[lesson]]
source_V = [[0.0, 5.0]]
desired_V = [[2.0]]
"""


@pytest.fixture
def planned(tmp_path):
    def planned(start, rows=None, header="source,target,resistance", network="net.csv"):
        rows = [f"{a},{b},{ohm}" for (a, b), ohm in zip(writers.EDGES, writers.OHM)] if rows is None else rows
        (tmp_path / "net.csv").write_text("\n".join([header, *rows]))
        (tmp_path / "task.toml").write_text(TASK.format(start=start).replace("net.csv", network))
        return make_plan(tmp_path / "task.toml", {}, [], False)

    return planned


def line_of(planned, *arguments, **more):
    with pytest.raises(InputError) as raised:
        planned(*arguments, **more)
    return str(raised.value).partition("task.toml: ")[2]


def test_the_nearest_tap_to_a_resistance(planned):
    job = planned('"file"').job
    pot, physics = POTS[job.edge.pot], job.physics
    every = physics.resistance(np.arange(pot.highest + 1), pot)
    assert job.start_taps.tolist() == [int(np.abs(every - ohm).argmin()) for ohm in writers.OHM]
    siemens = [f"{a},{b},{1e6 / ohm!r}" for (a, b), ohm in zip(writers.EDGES, writers.OHM)]
    again = planned('"file"', siemens, "source,target,G_uS").job
    assert again.start_taps.tolist() == job.start_taps.tolist()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"header": "source,target,length_mm"}, "start_taps: expected one column of resistances or conductances "
         "in the network's file, such as resistance_ohm, got length_mm"),
        ({"rows": ["A,B,1", "B,C,", "C,F,3"]}, "start_taps: expected a resistance above 0 for every edge, "
         "got none for B-C"),
        ({"rows": ["A,B,1", "B,C,-4", "C,F,3"]}, "start_taps: expected a resistance above 0 for every edge, "
         "got none for B-C"),
        ({"rows": ["A,B,1000", "B,C,1e6", "C,F,3000"]}, "start_taps: expected "),
        ({"network": "lab16"}, "start_taps: expected a network from a file with 'file', got lab16"),
    ],
)  # fmt: skip
def test_a_file_that_says_no_taps(planned, change, line):
    found = line_of(planned, '"file"', **change)
    assert found == line or (line.endswith("expected ") and found.endswith(" ohm, which the potentiometers have, got "
                                                                           "1e+06 ohm at B-C"))  # fmt: skip


def recorded(folder: Path, network, taps):
    folder.mkdir()
    plain = {"name": "n", "nodes": list(network.nodes), "ends": network.ends.tolist(),
             "positions": network.positions.tolist()}  # fmt: skip
    samples = [{"record": "sample", "updates": i, "taps": [tap - 9 * (1 - i) for tap in taps]} for i in (0, 1)]
    lines = [{"record": "run", "job": {"network": plain}}, *samples, {"record": "end", "reason": "done"}]
    cut = '{"record":"sample","updates":2,"taps":[1'
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines) + cut
    (folder / "log.jsonl").write_text(text)


def test_the_last_taps_of_a_run_edge_by_edge(planned, tmp_path):
    network = planned("3").job.network
    taps = list(range(20, 29))
    recorded(tmp_path / "before", network, taps)
    assert planned('"before"').job.start_taps.tolist() == taps
    # The same edges in another order, and in the other direction.
    rows = [f"{b},{a},1" for a, b in reversed(writers.EDGES)]
    assert planned('"before"', rows).job.start_taps.tolist() == taps[::-1]
    rows = [*rows[:-1], "A,E,1"]
    assert line_of(planned, '"before"', rows) == (
        "start_taps: expected a run with a tap for every edge of "
        f"{tmp_path / 'net.csv'}, got no such edge at A-E in before"
    )
    recorded(tmp_path / "lost", network, [-1, *taps[1:]])
    assert "got a tap that nobody knows at A-B in lost" in line_of(planned, '"lost"')
    recorded(tmp_path / "far", network, [500, *taps[1:]])
    assert line_of(planned, '"far"').endswith("got 500 at A-B in far")


def test_what_is_no_run(planned, tmp_path):
    assert line_of(planned, '"nowhere"').startswith(
        "start_taps: expected a tap, a list of taps, 'file', or the folder of a run, got 'nowhere' (nowhere/log.jsonl: "
    )
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/log.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match=r"empty/log.jsonl: file: expected the log of a run with at least one sample"):
        planned('"empty"')
