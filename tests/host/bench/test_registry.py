import tomllib

import numpy as np
import pytest

from clockfree.base import toml
from clockfree.base.errors import InputError
from clockfree.bench.registry import open_bench
from clockfree.link.benchfile import BenchFile, read_bench
from clockfree_model.job import Damage, Job, Lesson
from clockfree_model.network import Network
from clockfree_model.record import plain
from clockfree_sim.theory.best import best_errors

BENCH = """
supply_V = 3.3

[supervisor]
id = "E6614C311B7F5A2B"

[[boards]]
port = "/dev/ttyACM0"
edges = [{ edge = "A-B" }]

[[boards]]
port = "rfc2217://lab:4001"
edges = [
    { edge = "A-E", pins = { a = 0, b = 1, pot_cs = 13 } },
    { edge = "A-G", front_end = "adc", pins = { pot_cs = 14, adc_cs = 15 } },
]
"""


@pytest.fixture
def bench_file(tmp_path):
    def write(text=BENCH):
        path = tmp_path / "lab.toml"
        path.write_text(text)
        return path

    return write


def test_a_bench_file_with_the_pin_map_of_the_hardware_as_default(bench_file):
    bench = read_bench(bench_file())
    assert bench.supervisor.id == "e6614c311b7f5a2b"
    assert [dac.address for dac in bench.supervisor.dacs] == [0x60]
    first = bench.boards[0].edges[0]
    assert (first.front_end, first.pot, first.pins.a, first.pins.b, first.pins.pot_cs) == (
        "comparator",
        "mcp42xx",
        4,
        5,
        17,
    )
    assert [edge.edge for edge in bench.boards[1].edges] == ["A-E", "A-G"]


def test_what_writes_a_bench_file_writes_it_through_the_model(bench_file):
    bench = read_bench(bench_file())
    text = toml.dumps(plain(bench.model_dump()))
    assert BenchFile.model_validate(tomllib.loads(text)) == bench


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("supply_V", "suply_V", r"suply_V: expected one of .*supply_V"),
        ("3.3", '"much"', r"supply_V: expected "),
        ("3.3", "12.0", r"supply_V: expected .*5\.5"),
        ("E6614C311B7F5A2B", "E661", r"supervisor\.id: expected "),
        ("E6614C311B7F5A2B", "E6614C311B7F5A2X", r"supervisor\.id: expected "),
        ("/dev/ttyACM0", "ttyACM0 ", r"boards\.0\.port: expected "),
        ('id = "E6614C311B7F5A2B"', "", r"supervisor: expected either id .* or port, got neither"),
        (
            'port = "/dev/ttyACM0"',
            'port = "/dev/ttyACM0"\nid = "0000000000000000"',
            "boards.0: expected either .* both",
        ),
        ('port = "/dev/ttyACM0"', 'id = "e6614c311b7f5a2b"', "expected each board once, got e6614c311b7f5a2b 2 times"),
        ('"A-B"', '"A-E"', "expected each edge once, got A-E 2 times"),
        ('[{ edge = "A-B" }]', "[]", r"boards\.0\.edges: expected at least one entry"),
        ("pot_cs = 14", "pot_cs = 13", r"boards\.1: expected each pin for one purpose, got GP13 twice"),
        ("pot_cs = 14", "pot_cs = 99", r"boards\.1\.edges\.1\.pins\.pot_cs: expected "),
        ("pot_cs = 14", "pot_cs = 16", r"boards\.1: expected each pin for one purpose, got GP16 twice"),
        ('"adc"', '"magic"', r"boards\.1\.edges\.1\.front_end: expected 'comparator'"),
        ("[[boards]]", "[[boards", "file: expected TOML"),
    ],
)
def test_a_bench_file_that_is_wrong_is_refused_in_one_line(bench_file, old, new, said):
    path = bench_file(BENCH.replace(old, new))
    with pytest.raises(InputError, match=said) as raised:
        open_bench(str(path), "clockfree")
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("rule", ["sync", "p=0.5", "oscillators=0.5"])
def test_a_global_trigger_is_refused_on_any_bench_but_the_simulated(bench_file, rule):
    for name in (str(bench_file()), "virtual"):
        with pytest.raises(InputError, match="--rule: expected clockfree on this bench"):
            open_bench(name, rule)
    open_bench("sim", rule)


def test_a_name_that_is_no_bench(tmp_path):
    with pytest.raises(InputError, match=r"file: expected a readable TOML file"):
        open_bench(str(tmp_path / "simm"), "clockfree")


def test_the_best_achievable_error_changes_with_the_lesson_and_with_every_cut():
    # Two resistors of 100 kohm / 128 * (1 .. 128) in a row: a divider that reaches 5 V * 1/129 .. 5 V * 128/129.
    network = Network("divider", ("a", "b", "c"), [[0, 1], [1, 2], [0, 2]], [[0, 0], [1, 0], [2, 0]])
    sources, targets = (0, 2), (1,)

    def lesson(start, desired_V):
        return Lesson("x", start, np.array([[5.0, 0.0]]), np.array([[desired_V]]))

    damage = (Damage(1, "cut", 30.0), Damage(0, "dead", 10.0))
    job = Job(network, sources, targets, (lesson(0.0, 2.0), lesson(20.0, 5.0)), damage)
    first, second, third = best_errors(job)
    assert (first.lesson, first.from_updates) == (0, 0.0) and first.error_V2 < 1e-10
    assert (second.lesson, second.from_updates) == (1, 20.0)
    assert second.error_V2 == pytest.approx((5.0 / 129) ** 2, rel=1e-6)
    assert (third.lesson, third.from_updates) == (1, 30.0) and third.error_V2 < 1e-10  # nothing pulls b down any more
