"""A configuration is checked on the board: one that cannot be used leaves it in HOLD, and HELLO says why."""

import copy
import json

import pytest

from clockfree_board.config import ConfigError, parse_config, why
from clockfree_sim.virtual import VirtualBoards
from tests.sim.virtual.benches import edge_config, edge_job, supervisor_config
from tests.sim.virtual.conftest import ONE, OTHER
from tests.sim.virtual.repl import FIRMWARE, Repl

GOOD = {"format": 2, "role": "edge"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "format: expected JSON of format 2"),
        ("[]", "format: expected JSON of format 2"),
        ('{"format":1,"role":"edge"}', "format: expected JSON of format 2"),
        (json.dumps({**GOOD, "role": "boss"}), "role: expected edge or supervisor, got boss"),
        (json.dumps({**GOOD, "on_loss": "Hold"}), "on_loss: expected learn or hold, got Hold"),
        (json.dumps({**GOOD, "loss_ms": "15"}), "loss_ms: expected 1..500000, got 15"),
        (json.dumps({**GOOD, "loss_ms": 1.5}), "loss_ms: expected 1..500000, got 1.5"),
        (json.dumps({**GOOD, "loss_ms": 500_001}), "loss_ms: expected 1..500000, got 500001"),
    ],
)
def test_what_says_of_the_whole_board_what_cannot_be(text, said):
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert str(caught.value) == said


def test_what_is_left_out_is_as_by_default():
    assert parse_config(json.dumps(GOOD)) == GOOD


def test_an_error_says_something_that_the_link_can_carry():
    assert why(ConfigError("edge: got Zürich\n")) == "edge: got Z?rich?"
    assert why(KeyError("pins")) == "nothing named 'pins'"
    assert why(ZeroDivisionError()) == "ZeroDivisionError"


@pytest.fixture(scope="module")
def boards(micropython, tmp_path_factory):
    """An edge's board and a supervisor's, with the firmware on them, at their prompts."""
    job = edge_job()
    configs = {ONE: edge_config(job, 0, 1), OTHER: supervisor_config()}
    # Compiled on the board, at its prompt, which a flash does not ask of it: that takes more than the boards run in.
    with VirtualBoards(job, configs, tmp_path_factory.mktemp("flash"), heap_kib=256) as boards:
        repls = {}
        for name in configs:
            repls[name] = repl = Repl(boards.port(name))
            repl.enter()
            repl.install(*(path.stem for path in (FIRMWARE / "clockfree_board").glob("[a-z]*.py")))
            repl.run("from clockfree_board import hw")
        yield repls, configs
        for repl in repls.values():
            repl.serial.close()


def made(repl, text):
    """HELLO of the board that a configuration makes, and whether it has an LED."""
    repl.run(f"with open('/clockfree.json', 'w') as file: file.write({text!r})")
    repl.run("from clockfree_board.link import seal\nboard = hw.make_board()\nhello = board.hello()\nseal([hello])")
    return json.loads(repl.run("import json\nprint(json.dumps([hello, bool(board.chip._led)]))"))


@pytest.mark.parametrize("name", [ONE, OTHER], ids=["edges", "supervisor"])
def test_a_good_one(boards, name):
    repls, configs = boards
    hello, lit = made(repls[name], json.dumps(configs[name]))
    assert (hello["role"], hello["reason"], lit) == (configs[name]["role"], "", True)


@pytest.mark.parametrize(
    ("name", "path", "value", "said"),
    [
        (ONE, ["led"], 99, "led: expected an output pin, got 99 (invalid pin)"),
        (ONE, ["edges"], [], "edges: expected at least one"),
        (ONE, ["edges", 1, "edge"], "Zürich-A", "edges.1.edge: expected a name in printable ASCII, got Z?rich-A"),
        (ONE, ["edges", 1, "sense", "driver"], "sense:I", "edges.1: driver: nothing named sense:I in this firmware"),
        (ONE, ["edges", 0, "pots", "driver"], "eye:Eye", "edges.0: driver: nothing named eye:Eye in this firmware"),
        (ONE, ["edges", 1, "pots"], None, "edges.1: nothing named pots"),
        (ONE, ["edges", 1, "pots", "pins", 0, 2], 77, "edges.1: invalid pin"),
        (ONE, ["edges", 1, "pots", "given", "lowest"], 1594, "edges.1: tap 1594 outside 0..127"),
        (ONE, ["spi"], None, "edges.0: nothing named spi"),
        (OTHER, ["mixers"], None, "nothing named mixers"),
        (OTHER, ["on_loss"], "Zürich", "on_loss: expected learn or hold, got Z?rich"),
    ],
)  # fmt: skip
def test_one_that_cannot_be_used(boards, name, path, value, said):
    repls, configs = boards
    config = copy.deepcopy(configs[name])
    inner = config
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    hello, lit = made(repls[name], json.dumps(config, ensure_ascii=False))
    assert hello["reason"] == f"/clockfree.json: {said}"
    assert (hello["role"], hello["state"], hello["can"]) == (None, "hold", {})
    # The LED, which blinks fast then, is there unless it is itself at fault.
    assert lit == (path[0] not in ("led", "on_loss"))


def test_none_at_all(boards):
    repls, _ = boards
    repls[ONE].run("import os\nif 'clockfree.json' in os.listdir('/'): os.remove('/clockfree.json')")
    assert repls[ONE].run("print(hw.make_board().reason)") == (
        "/clockfree.json: expected the board's configuration, got none\n"
    )


def test_the_architecture_that_hello_reports_is_the_boards(boards):
    repls, configs = boards
    hello, _ = made(repls[ONE], json.dumps(configs[ONE]))
    version, architecture, compiled = hello["mpy"]
    asked = "import sys\nprint(sys.implementation._mpy & 255, sys.implementation._mpy >> 10 & 15)"
    assert repls[ONE].run(asked) == f"{version} {architecture}\n"
    assert compiled is False
