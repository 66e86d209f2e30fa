"""The task files and networks that are shipped: each can be run as it is."""

import json
from pathlib import Path

import pytest

from clockfree.task.plan import make_plan
from clockfree_model.network import NetworkError, load

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("preset", ["ideal", "board"])
def test_examples_resolve(path, preset):
    stuck = ["edge.front_end=comparator"] if path.stem == "damage" else []  # only comparators can be stuck
    plan = make_plan(path, {"preset": preset}, stuck, False)
    assert len(plan.job.lessons[0].source_V) >= 1
    assert path.read_text().startswith("# ")


def test_the_examples_are_those_that_are_promised():
    names = {path.stem for path in EXAMPLES}
    assert names >= {"allostery", "regression", "iris", "retraining", "damage", "drift"}


@pytest.mark.parametrize("path", sorted((EXAMPLES[0].parent / "networks").iterdir()), ids=lambda path: path.name)
def test_example_networks_are_in_one_piece(path):
    network = load(str(path))
    network.check([0], [1])
    assert json.dumps(network.nodes)
    with pytest.raises(NetworkError):
        network.index("no such node")
