import json
import tomllib
from hashlib import sha256

import pytest
from pydantic import ValidationError

from clockfree.base.errors import InputError
from clockfree.bench.fitting import lacking, misserved
from clockfree.link.benchfile import (
    BenchFile,
    EdgeBoard,
    bench_text,
    board_config,
    config_hash,
    config_text,
    read_bench,
)

SUPERVISOR, EDGE, MANY = "e6614c311b7f5a2b", "e6614c311b7f5a2c", "e6614c311b7f5a2d"


def bench(*edges, **more):
    table = {
        "supervisor": {"id": SUPERVISOR},
        "boards": [{"id": EDGE, "edges": [{"edge": "A-B"}]}, {"id": MANY, "edges": list(edges)}][: 1 + bool(edges)],
    }
    return BenchFile.model_validate({**table, **more})


def test_the_configuration_of_an_edge_board():
    made = bench()
    assert board_config(made, made.boards[0]) == {
        "format": 2,
        "role": "edge",
        "led": 25,
        "fire": 15,
        "on_loss": "learn",
        "loss_ms": 15000,
        "spi": {"miso": 16, "sck": 18, "mosi": 19, "baud": 8000000},
        "edges": [
            {
                "edge": "A-B",
                "front_end": "comparator",
                "pot": "mcp42xx",
                "sense": {
                    "driver": "sense:ComparatorPins",
                    "pins": [["a", "input", 4], ["b", "input", 5]],
                    "given": {},
                },
                "pots": {
                    "driver": "pots:Mcp42xx",
                    "bus": "spi",
                    "pins": [["pot_cs", "select", 17]],
                    "given": {"lowest": 2, "highest": 127, "steps": 128, "reverse": False},
                },
            }
        ],
    }


def test_the_configuration_of_a_supervisor():
    made = bench(on_loss="hold", loss_s=2.5)
    config = board_config(made, made.supervisor)
    assert {key: config[key] for key in ("role", "on_loss", "loss_ms", "i2c", "ldac", "clamp")} == {
        "role": "supervisor",
        "on_loss": "hold",
        "loss_ms": 2500,
        "i2c": {"sda": 4, "scl": 5, "baud": 400000},
        "ldac": 6,
        "clamp": 21,
    }
    on_spi = {"bus": "spi", "given": {}}
    assert config["dacs"] == [
        {
            "chip": "mcp4728", "driver": "converters:Mcp4728", "bus": "i2c", "address": 0x60, "pins": [], "given": {},
        }
    ]  # fmt: skip
    assert config["mixers"] == [
        {"chip": "mcp4131", "driver": "converters:Mcp4131", "pins": [["cs", "select", pin]], **on_spi}
        for pin in (20, 22)
    ]
    adc = {"chip": "mcp3208", "driver": "converters:Mcp320x", "pins": [["cs", "select", 17]], **on_spi}
    assert config["adcs"] == [{**adc, "given": {"channels": 8}}]


@pytest.mark.parametrize(
    ("front_end", "pot", "pins"),
    [
        ("trimmed", "ad5222", {"a", "b", "trim", "clk", "ud", "pulse_cs", "mode", "dacsel"}),
        ("adc", "ad5220", {"adc_cs", "clk", "ud", "pulse_cs"}),
        ("pico_adc", "x9c", {"free_adc", "clamped_adc", "clk", "ud", "pulse_cs"}),
    ],
)
def test_a_board_is_told_of_the_pins_in_use_only(front_end, pot, pins):
    made = bench({"edge": "A-C", "front_end": front_end, "pot": pot, "wiper_ohm": 50.4, "duty_per_c16": 5})
    (edge,) = board_config(made, made.boards[1])["edges"]
    told = [edge["sense"], edge["sense"].get("on", {"pins": []}), edge["pots"]]
    assert {name for part in told for name, _, _ in part["pins"]} == pins
    assert edge["sense"]["given"] == ({"duty_per_c16": 5, "settle_us": 1000} if front_end == "trimmed" else {})


def test_the_most_current_reaches_the_lowest_tap():
    made = bench(max_mA=1.0, supply_V=5.0)
    config = board_config(made, made.boards[0])
    assert config["edges"][0]["pots"]["given"]["lowest"] == 7  # 5 V / 1 mA


def test_text_and_hash_are_of_the_contents_alone():
    made = bench()
    config = board_config(made, made.boards[0])
    text = config_text(config)
    assert text.endswith("}\n") and " " not in text and json.loads(text) == config
    assert config_text(dict(reversed(config.items()))) == text
    assert config_hash(config) == sha256(text.encode()).hexdigest()[:16]
    changed = bench(loss_s=16)
    assert config_hash(board_config(changed, changed.boards[0])) != config_hash(config)


def test_a_bench_file_is_written_through_the_model_and_says_only_what_is_not_by_default():
    made = bench({"edge": "A-C", "front_end": "adc", "pins": {"pot_cs": 13}}, by_id="/dev/mine", max_mA=1.5)
    text = bench_text(made)
    assert BenchFile.model_validate(tomllib.loads(text)) == made
    assert "adc_cs" not in text and "supply_V" not in text and text.startswith("max_mA = 1.5\nby_id = ")


@pytest.mark.parametrize(
    ("edge", "board", "said"),
    [
        ({"front_end": "adc", "pins": {"adc_cs": 3}}, {}, "expected GP3 unused"),
        ({}, {"led": 17}, "expected each pin for one purpose, got GP17 twice"),
        ({}, {"fire": 4}, "got GP4 twice"),
        ({}, {"led": 15, "fire": 15}, "got GP15 twice"),
        ({"front_end": "pico_adc", "pins": {"pot_cs": 27}}, {}, "got GP27 twice"),
        ({"pot": "ad5222", "pins": {"dacsel": 10}}, {}, "got GP10 twice"),
        ({"edge": "Ä-B"}, {}, "should match pattern"),
        ({"edge": ""}, {}, "should match pattern"),
        ({"duty_per_c16": 0}, {}, "greater than or equal to 1"),
        ({"rab_ohm": float("inf")}, {}, "a finite number"),
        ({"wiper_ohm": float("nan")}, {}, "a finite number"),
        ({"rab_ohm": "100e3"}, {}, "a valid number"),
        ({"reverse": "yes"}, {}, "a valid boolean"),
        ({}, {"led": "GP25"}, "led"),
    ],
)
def test_what_cannot_be_wired_is_refused(edge, board, said):
    table = {"supervisor": {"id": SUPERVISOR}, "boards": [{"id": EDGE, "edges": [{"edge": "A-B", **edge}], **board}]}
    with pytest.raises(ValidationError, match=said):
        BenchFile.model_validate(table)


@pytest.mark.parametrize(
    ("board", "edge", "fire"),
    [
        ({}, {}, 15),
        ({"fire": 7}, {}, 7),
        ({"led": 15}, {}, None),
        ({}, {"front_end": "adc", "pins": {"adc_cs": 15}}, None),
    ],
)
def test_the_fire_pin_gives_way_unless_it_was_asked_for(board, edge, fire):
    table = {"supervisor": {"id": SUPERVISOR}, "boards": [{"id": EDGE, "edges": [{"edge": "A-B", **edge}], **board}]}
    made = BenchFile.model_validate(table)
    assert board_config(made, made.boards[0]).get("fire") == fire


def test_a_task_that_needs_more_than_the_chips_of_the_supervisor():
    made = bench()
    assert lacking(made, 2, 2) is None
    assert lacking(made, 6, 2) == "supervisor: the task needs 8 DAC channels, bench has 4"
    assert lacking(made, 1, 3) == "supervisor: the task needs 3 mixers, bench has 2"
    two = bench(supervisor={"id": SUPERVISOR, "dacs": [{}, {"address": 0x61}], "adcs": [{"chip": "mcp3204"}]})
    assert lacking(two, 6, 2) is None
    assert lacking(two, 2, 5) == "supervisor: the task needs 5 mixers, bench has 2"


def test_every_edge_of_the_network_is_served_once():
    made = bench({"edge": "A-C"})
    assert misserved(made, ["A-C", "A-B"]) is None
    assert misserved(made, ["A-B", "A-C", *"XYZUV"]) == (
        "boards: expected every edge of the network served, got no board for X, Y, Z, U and 1 more"
    )
    assert misserved(made, ["A-B"]) == "boards: expected edges of the network only, got A-C (boards.1)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # Of the file as a whole: there is no key to name.
        ('{same}\nedges = [{{ edge = "A-B" }}]\n', "expected each board once, got "),
        ('[[boards]]\nport = "/dev/ttyACM1"\nedges = [{{ edge = "A-B" }}]\n', "expected each edge once, got "),
        ("[[boards]]\nedges = [{{ edge = \"B-C\" }}]\n", "boards.1: expected either id (12, 16 or 24 hex digits) or "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_key_or_of_the_file_as_a_whole(tmp_path, text, said):
    file = tmp_path / "lab.toml"
    first = f'[[boards]]\nid = "{EDGE}"'
    more = text.format(same=first)
    file.write_text(f'[supervisor]\nid = "{SUPERVISOR}"\n{first}\nedges = [{{ edge = "A-B" }}]\n{more}')
    with pytest.raises(InputError) as caught:
        read_bench(file)
    assert str(caught.value).startswith(f"{file}: {said}")


@pytest.mark.parametrize("port", ["rfc2217://lab:4001", "socket://lab:4001", "rfc2217://lab:4001?ign_set_control"])
def test_an_id_goes_beside_a_port_over_a_network_and_no_other(port):
    found = EdgeBoard.model_validate({"id": "E" * 16, "port": port, "edges": [{"edge": "A-B"}]})
    assert (found.name, found.port) == ("e" * 16, port)
    for local in ("/dev/ttyACM0", "COM3"):
        with pytest.raises(ValueError, match=r"expected either id or port, got both: .*over a network"):
            EdgeBoard.model_validate({"id": "e" * 16, "port": local, "edges": [{"edge": "A-B"}]})
    with pytest.raises(ValueError, match=r"expected either id .* or port, got neither"):
        EdgeBoard.model_validate({"edges": [{"edge": "A-B"}]})
