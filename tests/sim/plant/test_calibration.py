"""Calibration in HOLD: what is left of offsets and mismatch, and that nothing else is left of it."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from clockfree_model.parts import FRONT_ENDS, POTS
from clockfree_model.physics import BOARD, IDEAL, Physics
from clockfree_sim.parts.converters import Mcp3204Chip
from clockfree_sim.plant import front_ends
from clockfree_sim.world.world import World
from tests.sim.bed import Bed
from tests.sim.jobs import a_job, run, same, trace, twins

NEEDED_V = 0.0003  # SCIENCE's remedy was simulated with this much left


def calibrated(physics=BOARD, front_end="adc", spec="lab16", calibrate=True, **more):
    edge = {"front_end": front_end, "calibrate": calibrate, **more.pop("edge", {})}
    return a_job(spec, physics=physics, edge=edge, **more)


def errors(job, points=8, reads=40):
    """What each edge takes for |dV_C| - |dV_F| with the clamp floated, on average over its noise, V (points, edges)."""
    world = World(job)
    rng = np.random.default_rng(5)
    supply_V, found = job.physics.supply_V, []
    for _ in range(points):
        for board in world.boards:
            board.pots.set(int(rng.integers(16, board.pots.highest + 1)))
        world.supervisor.calm(rng.uniform(0.1, supply_V - 0.1, len(job.sources)))
        world.time.advance(world.time.now_us + 5000)
        seen = np.zeros(len(world.boards))
        for _ in range(reads):
            for i, board in enumerate(world.boards):
                board.sense.look(0)
                seen[i] += abs(board.sense.b) - abs(board.sense.a)
        found.append(seen / reads * supply_V / 65536)
    return np.array(found)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


# -- what is left ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("front_end", ["adc", "pico_adc", "mcp3304"])
def test_offsets_of_converters_are_nulled(front_end):
    physics = Physics(supply_V=3.3, margin_V=0.1, offset_V=0.005, noise_V=0.0005)
    left = [errors(calibrated(physics, front_end, seed=seed, task_seed=seed)) for seed in range(3)]
    before = errors(calibrated(physics, front_end, calibrate=False))
    assert rms(left) < NEEDED_V
    assert rms(before) > 20 * rms(left)


@pytest.mark.parametrize(
    ("front_end", "lsb_V"), [("adc", 3.3 / 4096), ("pico_adc", 2 * 3.3 / 4096), ("mcp3304", 3.3 / 4096)]
)
def test_each_drop_is_read_as_it_is(front_end, lsb_V):
    """Not just their difference: the magnitudes are taken of each."""
    physics = Physics(supply_V=3.3, margin_V=0.1, offset_V=0.005)
    world = World(calibrated(physics, front_end, seed=1))
    world.supervisor.calm(np.array([0.2, 3.1]))
    for i, board in enumerate(world.boards):
        board.sense.look(0)
        tail, head = world.job.network.ends[i]
        true_V = world.plant.circuit.v_free[tail] - world.plant.circuit.v_free[head]
        read_V = np.array([board.sense.a, board.sense.b]) * 3.3 / 65536
        np.testing.assert_allclose(read_V, true_V, atol=2.1 * lsb_V)


@pytest.mark.parametrize("seed", range(3))
def test_the_offset_of_a_trimmed_comparator_is_nulled(seed):
    """31 readings a bit and noise of 0.5 mV; the offset itself comes from a bed of the same parts without noise."""
    quiet = Physics(supply_V=3.3, offset_V=0.005)
    offset_V = -Bed("trimmed", side=4, seed=seed, physics=quiet).thresholds("a", 1.0)
    world = World(calibrated(dataclasses.replace(quiet, noise_V=0.0005), "trimmed", seed=seed, task_seed=seed))
    trim_V = np.array([board.sense.offset_c16 for board in world.boards]) * 3.3 / 65536
    assert rms(trim_V - offset_V) < 0.0002 and np.abs(trim_V - offset_V).max() < 0.0005
    assert rms(offset_V) > 0.003


@pytest.mark.parametrize(
    ("front_end", "spec", "limit_V"), [("adc", "lab16", 0.0005), ("adc", "planar:64:143:0", 0.0003)]
)
def test_what_is_left_on_the_board_preset(front_end, spec, limit_V):
    """Offsets, noise, mismatch, INL and settling together; what mismatch does to the twins themselves is in it."""
    left = errors(calibrated(BOARD, front_end, spec, seed=2, task_seed=2), points=4)
    assert rms(left) < limit_V
    assert np.median(np.abs(left)) < NEEDED_V
    assert rms(errors(calibrated(BOARD, front_end, spec, calibrate=False), points=1)) > 0.007


def test_the_spikes_of_a_pico_are_what_is_left_of_it():
    left = errors(calibrated(BOARD, "pico_adc"))
    assert np.median(np.abs(left)) < NEEDED_V


def test_mismatch_is_fitted():
    """On a divider V R1 / (R1 + R2) the free and the clamped drop differ by (m1 - m2) R2 / (R1 + R2) of themselves.

    Least squares over uniform resistances weighs R2 / (R1 + R2), mean 1/2, with the square of the drop: 0.39.
    """
    rng = np.random.default_rng(0)
    one, two = rng.uniform(16, 128, (2, 100_000))
    weight = np.mean(one**2 * two / (one + two) ** 3) / np.mean(one**2 / (one + two) ** 2)
    differences, fits = [], []
    for seed in range(40):
        physics = dataclasses.replace(IDEAL, mismatch=0.02)
        job = dataclasses.replace(calibrated(physics, spec="square:1x3", seed=seed), sources=(0, 2), targets=(1,))
        world = World(job)
        differences.append(world.plant.ratio[0] - world.plant.ratio[1])
        fits.append([board.sense.mismatch / 2**15 for board in world.boards])
    differences, fits = np.array(differences), np.array(fits).T
    for sign, fit in zip((1, -1), fits, strict=True):
        line = stats.linregress(sign * differences, fit)
        assert line.rvalue > 0.97
        assert line.slope == pytest.approx(weight, rel=0.15)  # twelve points are few


def test_matching_takes_more_than_nulling(monkeypatch):
    """Mismatch alone, of 1%: it grows with the drop, so nulling at one input leaves it."""
    physics = dataclasses.replace(IDEAL, mismatch=0.01)
    fitted = rms([errors(calibrated(physics, seed=seed, task_seed=seed), reads=1) for seed in range(3)])
    monkeypatch.setattr("clockfree_model.calibration.MATCHING_POINTS", 0)
    nulled = rms([errors(calibrated(physics, seed=seed, task_seed=seed), reads=1) for seed in range(3)])
    assert fitted < 0.75 * nulled


@pytest.mark.parametrize("delays", [{"settle_us": 150.0}, {"age_us": 3000}, {"skew_us": 2000}, {"clamp_us": 150.0}])
def test_calibration_waits_until_everything_has_settled(delays):
    physics = dataclasses.replace(IDEAL, mismatch=0.01, offset_V=0.005)
    at_once, late = (World(calibrated(dataclasses.replace(physics, **each))) for each in ({}, delays))
    for one, other in zip(at_once.boards, late.boards, strict=True):
        assert other.sense.offset_free_c16 == pytest.approx(one.sense.offset_free_c16, abs=2)
        assert other.sense.offset_clamped_c16 == pytest.approx(one.sense.offset_clamped_c16, abs=2)
        assert other.sense.mismatch == pytest.approx(one.sense.mismatch, abs=16)


def test_the_remedy_learns_on_the_board_preset():
    """Calibration, and a dithered threshold with a floor, against the plain rule un-nulled (SCIENCE: 190 times)."""
    ends = []
    for calibrate, gate in ((True, {"f_V": 0.003, "theta_V": 0.02}), (False, {})):
        late = []
        for seed in range(3):
            job = calibrated(seed=seed, task_seed=seed, calibrate=calibrate, edge=gate, updates=1000, samples=40)
            job = dataclasses.replace(job, clamp=dataclasses.replace(job.clamp, eta=1.0))
            _, samples = run(job)
            late.append(np.mean([sample.error_V2 for sample in samples if sample.updates > 800]))
        ends.append(np.exp(np.mean(np.log(late))))
    assert ends[0] < 1e-5 and ends[1] > 20 * ends[0]


# -- what is not left ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("front_end", [name for name, part in FRONT_ENDS.items() if part.trims])
@pytest.mark.parametrize("pot", POTS)
def test_taps_are_put_back(front_end, pot):
    taps = np.random.default_rng(0).integers(max(5, BOARD.lowest_tap(POTS[pot])), 100, 16)
    world = World(calibrated(front_end=front_end, edge={"pot": pot}, start_taps=taps, updates=1))
    assert [board.pots.tap for board in world.boards] == taps.tolist()
    assert [board.chips.pot.wipers for board in world.boards] == [[tap, tap] for tap in taps]


@pytest.mark.parametrize("front_end", [name for name, part in FRONT_ENDS.items() if part.trims])
def test_the_clocks_of_the_edges_know_nothing_of_it(front_end):
    """The same waits with and without it, from when the run begins."""
    job = calibrated(IDEAL, front_end, edge={"late_us": 10**9 // 2}, updates=40)
    plain = dataclasses.replace(job, edge=dataclasses.replace(job.edge, calibrate=False))
    world, other = World(job), World(plain)
    assert world.time.now_us > 1000 and other.time.now_us == 0
    for one, two in zip(world.boards, other.boards, strict=True):
        assert list(one.edge.clock) == list(two.edge.clock)
        counts = (one.edge.firings, one.edge.up, one.edge.down, one.edge.rail, one.edge.dropped, one.edge.errors)
        assert counts == (0,) * 6
    if front_end == "trimmed":
        return  # its first look waits for the trim, or not
    rows, others = trace(job), trace(plain)
    np.testing.assert_array_equal(rows[:, 1] - world.time.now_us, others[:, 1])
    np.testing.assert_array_equal(rows[:, 0], others[:, 0])


def test_the_clamp_is_connected_again():
    job = calibrated(dataclasses.replace(IDEAL, offset_V=0.005), targets=2, updates=1)
    world = World(job)
    next(world.run())
    world.time.advance(world.time.now_us + 1)
    lesson = job.lessons[0]
    ohm = 65 * 100e3 / 128 * np.ones(16)
    expected = twins(job, ohm, lesson.source_V[0], lesson.desired_V[0])
    np.testing.assert_allclose((world.plant.circuit.v_free, world.plant.circuit.v_clamped), expected, rtol=0, atol=1e-9)


def test_same_seed_same_calibration():
    job = calibrated(updates=10, samples=2)
    (one_world, one), (other_world, other) = run(job), run(job)
    assert all(same(a, b) for a, b in zip(one, other, strict=True))
    found = [
        [(board.sense.offset_free_c16, board.sense.mismatch) for board in world.boards]
        for world in (one_world, other_world, World(dataclasses.replace(job, seed=1)))
    ]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("rule", ["sync", "p=0.5"])
def test_comparisons_are_calibrated_alike(rule):
    one, other = World(calibrated()), World(calibrated(schedule=rule))
    for a, b in zip(one.boards, other.boards, strict=True):
        assert (a.sense.offset_free_c16, a.sense.mismatch) == (b.sense.offset_free_c16, b.sense.mismatch)


def test_an_adc_that_does_not_answer_cannot_be_calibrated(monkeypatch):
    class Unplugged(Mcp3204Chip):
        def __init__(self, *wires):
            super().__init__(*wires)
            self.present = False

    monkeypatch.setattr(front_ends, "Mcp3204Chip", Unplugged)
    with pytest.raises(OSError, match="answer"):
        World(calibrated())
