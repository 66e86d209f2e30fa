"""What a bench cannot do is refused by name, never left out in silence; what a preset says of the edges is taken."""

from dataclasses import replace

import pytest

from clockfree.base.errors import InputError
from clockfree.task.plan import make_plan
from clockfree_model.settings import ClampSettings, EdgeSettings

TASK = """
[placement]
sources = ["A", "C"]
targets = ["E"]
[[lesson]]
source_V = [[0, 3]]
desired_V = [[2]]
"""
REFUSED = [
    ("[clamp]\neta = 1e-9", "clamp.eta: expected at least 0.0039, half a step of the mixers, got 1e-09"),
    ("[physics]\nsupply_V = 1e9", "physics.supply_V: expected a number > 0 and <= 100, got 1000000000.0"),
    ("[physics]\nage_us = 1000000000", "physics.age_us: expected a number >= 0 and <= 1000000, got 1000000000"),
    ("[physics]\nmismatch = 5.0", "physics.mismatch: expected a number >= 0 and <= 0.3, got 5.0"),
    ("[edge]\nf_V = 0.003", "edge.f_V: expected 0 with front_end comparator, which measures nothing, got 0.003"),
    (
        "[edge]\norder = 1\n[physics]\nsigma_V = 0.05",
        "edge.order: expected 2 beside a bias on the magnitudes (physics.sigma_kind redrawn), got 1",
    ),
    ("[edge]\norder = 3", "edge.order: expected a number >= 1 and <= 2, got 3"),
    (
        '[edge]\nfront_end = "trimmed"\nsummed = true',
        "edge.summed: expected false with front_end trimmed, which measures no drops, got true",
    ),
    (
        '[edge]\nfront_end = "adc"\nsummed = true\ntheta_V = 0.0005',
        "edge.theta_V: expected 0 or at least 0.00061 V for sums, got 0.0005",
    ),
    ("[edge]\nfront_end = 'adc'\nf_V = 5.0", "edge.f_V: expected less than 5 V on this supply, got 5"),
    ("[edge]\nfront_end = 'adc'\ntheta_V = 2.6", "edge.theta_V: expected less than 2.5 V on this supply, got 2.6"),
    (
        "[edge]\nfront_end = 'adc'\nsummed = true\ntheta_V = 5.1",
        "edge.theta_V: expected less than 5 V on this supply, got 5.1",
    ),
    (
        "[edge]\ndecades = 4.5",
        "edge.decades: expected a number <= 4.44, which keeps every edge within 0.06 .. 10000 Hz, got 4.5",
    ),
    (
        "[edge]\nrate_hz = 5e3\ndecades = 1",
        "edge.decades: expected a number <= 0.602, which keeps every edge within 0.06 .. 10000 Hz, got 1.0",
    ),
    (
        "[edge]\ncalibrate = true",
        "edge.calibrate: expected false with front_end comparator, which measures nothing, got true",
    ),
    (
        "[edge]\nfront_end = 'adc'\n[physics]\nsigma_V = 0.05",
        "physics.sigma_V: expected 0 with front_end adc (the paper's bias is one of comparators), got 0.05",
    ),
    (
        "[physics]\nsigma_V = 0.05\nnoise_V = 0.001",
        "physics.sigma_V: expected 0 beside offset_V or noise_V, which no bias on the magnitudes has, got 0.05",
    ),
    (
        "[edge]\nfront_end = 'adc'\n[[damage]]\nedges = ['A-B']\nkind = 'stuck_a0'\nat_updates = 5",
        "damage: expected dead or cut with front_end adc, which has no comparators, got stuck_a0",
    ),
]


@pytest.mark.parametrize(("more", "line"), REFUSED)
def test_what_a_front_end_lacks(tmp_path, more, line):
    file = tmp_path / "task.toml"
    file.write_text(TASK + more)
    with pytest.raises(InputError) as raised:
        make_plan(file, {}, [], False)
    assert str(raised.value) == f"{file}: {line}"


def test_edges_on_one_trigger_have_no_rates_of_their_own(tmp_path):
    file = tmp_path / "task.toml"
    file.write_text(TASK)
    with pytest.raises(InputError) as raised:
        make_plan(file, {"rule": "p=0.5"}, ["edge.decades=1"], False)
    line = f"{file}: edge.decades (from --set): expected 0 with rule p=0.5, which has one trigger for all edges, got 1"
    assert str(raised.value) == line


BOARD_EDGES = EdgeSettings("adc", order=1, f_V=0.006, theta_V=0.04, summed=True, calibrate=True)
GAINED = ClampSettings("overclamp", gain=10.0, tolerance_V=0.001)
COMPARED = replace(BOARD_EDGES, front_end="comparator", f_V=0.0, theta_V=0.0, summed=False, calibrate=False)
TRIMMED = replace(BOARD_EDGES, front_end="trimmed", theta_V=0.02, summed=False)
COARSE = replace(BOARD_EDGES, f_V=0.03, theta_V=0.0, summed=False, calibrate=False)


@pytest.mark.parametrize(
    ("options", "edge", "clamp"),
    [
        ((), BOARD_EDGES, GAINED),
        (("edge.f_V=0.002", "clamp.gain=5"), replace(BOARD_EDGES, f_V=0.002), replace(GAINED, gain=5.0)),
        (("edge.front_end=comparator",), replace(COMPARED, order=2), ClampSettings()),
        (("edge.front_end=comparator", "edge.order=1"), COMPARED, GAINED),
        (("edge.front_end=trimmed",), replace(TRIMMED, order=2, f_V=0.003), ClampSettings()),
        (("edge.front_end=trimmed", "edge.order=1"), TRIMMED, GAINED),
        (("edge.front_end=trimmed", "clamp.kind=overclamp"), replace(TRIMMED, order=2), GAINED),
        (("edge.front_end=pico_adc",), replace(BOARD_EDGES, front_end="pico_adc"), GAINED),
        (("edge.calibrate=false",), COARSE, ClampSettings("overclamp", amplitude_V=0.5)),
        (
            ("edge.calibrate=false", "edge.f_V=0.02"),
            replace(COARSE, f_V=0.02),
            ClampSettings("overclamp", amplitude_V=0.5),
        ),
        (("clamp.eta=1",), replace(BOARD_EDGES, order=2, f_V=0.001), ClampSettings(eta=1.0)),
        (("clamp.kind=nudge",), replace(BOARD_EDGES, order=2, f_V=0.001), ClampSettings()),
        (("clamp.kind=nudge", "edge.front_end=trimmed"), replace(TRIMMED, order=2, f_V=0.003), ClampSettings()),
        (("clamp.kind=nudge", "edge.order=1"), replace(BOARD_EDGES, f_V=0.001), ClampSettings()),
        # From one aim of the clamp to the next the fastest edge fires 0.5, 0.51, 0.63 and 1 times.
        (("edge.rate_hz=50",), replace(BOARD_EDGES, rate_hz=50.0), GAINED),
        (("edge.rate_hz=51",), replace(BOARD_EDGES, order=2, f_V=0.001, rate_hz=51.0), ClampSettings()),
        (
            ("edge.rate_hz=20", "edge.decades=1"),
            replace(BOARD_EDGES, order=2, f_V=0.001, rate_hz=20.0, decades=1.0),
            ClampSettings(),
        ),
        (("edge.rate_hz=100", "clamp.gain=10"), replace(BOARD_EDGES, rate_hz=100.0), GAINED),
    ],
)
def test_the_board_preset_has_edges_for_its_clamp_and_others_for_a_nudge(tmp_path, options, edge, clamp):
    file = tmp_path / "task.toml"
    file.write_text(TASK)
    job = make_plan(file, {"preset": "board"}, [*options], False).job
    assert (job.edge, job.clamp) == (edge, clamp)


def test_the_nudge_is_the_mixers(tmp_path):
    file = tmp_path / "task.toml"
    file.write_text(TASK)
    assert make_plan(file, {}, ["clamp.eta=0.3"], False).job.clamp.eta == 38 / 128


def test_a_network_that_is_not_one_is_named_with_its_key(tmp_path):
    file = tmp_path / "task.toml"
    file.write_text(TASK)
    with pytest.raises(InputError) as raised:
        make_plan(file, {"network": "lab17"}, [], False)
    assert str(raised.value).startswith(f"{file}: network (from --network): expected lab16, square:ROWSxCOLS")
