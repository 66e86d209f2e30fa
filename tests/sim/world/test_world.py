"""A world against what its jobs, its trace and Kirchhoff's laws say it must be."""

import dataclasses

import numpy as np
import pytest

from clockfree_model.job import Job, Lesson
from clockfree_model.network import load
from clockfree_model.parts import FRONT_ENDS, POTS
from clockfree_model.physics import BOARD, IDEAL, PRESETS
from clockfree_model.settings import EdgeSettings
from clockfree_sim.world.world import COUNTERS, World
from tests.sim.jobs import MASK, a_job, resistance, run, same, trace, twins
from tests.sim.reference import Twins

RESOLVED_V = 1e-9  # SCIENCE: drops that differ by less are alike, and the comparator reads 0


def bit(difference_V):
    assert abs(abs(difference_V) - RESOLVED_V) > 1e-10, "too close to call: choose another task"
    return int(difference_V >= RESOLVED_V)


def decided(job, taps, edge, example):
    """Bits of an edge by eq. 10, from the taps alone."""
    lesson = job.lessons[0]
    free, clamped = twins(job, resistance(taps), lesson.source_V[example], lesson.desired_V[example])
    tail, head = job.network.ends[edge]
    drop_free, drop_clamped = free[tail] - free[head], clamped[tail] - clamped[head]
    return bit(drop_clamped - drop_free), bit(drop_clamped + drop_free)


def squared_error(job, taps):
    ohm = resistance(taps)
    if job.edge.pot == "x9c303":  # of 32 kohm, and 40 ohm at tap 0
        ohm = 100e3 * (40 / 32e3) ** (1 - taps / 99)
    lesson = job.lessons[0]
    errors = []
    for source_V, desired_V in zip(lesson.source_V, lesson.desired_V, strict=True):
        free, _ = twins(job, ohm, source_V, desired_V)
        errors.append((free[list(job.targets)] - desired_V) ** 2)
    return np.mean(errors)


# -- learning --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task_seed", range(6))
def test_one_output_is_learnt(task_seed):
    _, samples = run(a_job(task_seed=task_seed, seed=task_seed, updates=300, samples=60))
    late = np.mean([sample.error_V2 for sample in samples if sample.updates > 240])
    assert late < min(samples[0].error_V2 / 20, 3e-3)


@pytest.mark.parametrize("front_end", FRONT_ENDS)
@pytest.mark.parametrize("pot", POTS)
def test_every_front_end_with_every_pot(front_end, pot):
    world, samples = run(a_job(edge={"front_end": front_end, "pot": pot}, updates=250, samples=5))
    assert samples[-1].error_V2 < samples[0].error_V2 / 100
    for board, tap in zip(world.boards, samples[-1].taps, strict=True):
        assert board.chips.pot.wipers == [tap, tap]
    assert not any(samples[-1].counters["errors"])


def test_pots_of_one_kind_of_steps_give_one_trace():
    """Without imperfections nothing but the number of taps tells the chips apart."""
    traces = [trace(a_job(edge={"pot": pot})) for pot, part in POTS.items() if part.steps == 128]
    assert len(traces[0]) == 1600 and len(traces) == 3
    assert all((each == traces[0]).all() for each in traces)


# -- decisions, against an independent solve -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("targets", "examples", "eta", "spec"), [(1, 1, 0.5, "lab16"), (2, 3, 1.0, "lab16"), (3, 2, 0.25, "planar:12:22:3")]
)
def test_every_decision_is_that_of_eq_10(targets, examples, eta, spec):
    clamp = {"eta": eta, "order": "fixed", "dwell_s": 0.05}
    edge = {"late_us": 0}
    job = a_job(spec, 1, targets, examples, clamp=clamp, edge=edge, updates=150, samples=25, trace=True)
    world, samples = run(job)
    taps = np.full(len(job.network.ends), 64)
    assert samples[0].error_V2 == pytest.approx(squared_error(job, taps), rel=1e-9)
    counts = dict.fromkeys(("firings", "up", "down", "rail"), 0)
    for sample in samples:
        for edge, t_us, a, b, step, tap_after in sample.trace:
            example = (t_us - 1) // 50_000 % examples  # the supervisor counts its dwells from 0
            assert (a, b) == decided(job, taps, edge, example)
            assert step == (1 if a == b else -1)
            moved = min(max(taps[edge] + step, 0), 127)
            assert tap_after == moved
            counts["firings"] += 1
            counts["rail" if moved == taps[edge] else "up" if step > 0 else "down"] += 1
            taps[edge] = moved
        assert sample.taps.tolist() == taps.tolist()
        assert sample.error_V2 == pytest.approx(squared_error(job, taps), rel=1e-9, abs=1e-15)
        for name, total in counts.items():
            assert sum(sample.counters[name]) == total
    assert counts["firings"] == 150 * len(taps)
    shown = job.lessons[0]
    free, clamped = world.voltages()
    for i in range(examples):
        expected = twins(job, resistance(taps), shown.source_V[i], shown.desired_V[i])
        np.testing.assert_allclose((free[i], clamped[i]), expected, rtol=0, atol=1e-9)
    outputs = free[:, list(job.targets)]
    np.testing.assert_allclose(samples[-1].outputs_V, outputs, rtol=0, atol=1e-9)


def test_the_board_decides_on_what_a_dense_solve_gives():
    """With mismatch and clamp error, and both twins' resistances worked out from the tap."""
    chips = {"mismatch": 0.05, "wiper_ohm": 75.0, "spare_taps": 0, "limit_lowest": True}
    physics = dataclasses.replace(IDEAL, clamp_error_V=0.01, **chips)
    job = a_job(targets=2, physics=physics, updates=100, trace=True)
    world, samples = run(job)
    ratio, clamp_error_V = np.array(world.plant.ratio), world.plant.clamp_error_V
    assert ratio.std() > 0.02 and np.abs(clamp_error_V).min() > 1e-4
    lesson, taps = job.lessons[0], np.full(16, 64)

    def solved():
        track = taps * 100e3 / 128
        shown = lesson.source_V[0], lesson.desired_V[0]
        return twins(job, 75 + track, *shown, 75 + ratio * track, clamp_error_V)

    for edge, _, a, b, step, tap_after in [row for sample in samples for row in sample.trace]:
        free, clamped = solved()
        tail, head = job.network.ends[edge]
        drop_free, drop_clamped = free[tail] - free[head], clamped[tail] - clamped[head]
        assert (a, b) == (bit(drop_clamped - drop_free), bit(drop_clamped + drop_free))
        taps[edge] = min(max(taps[edge] + step, 3), 127)
        assert tap_after == taps[edge]
    np.testing.assert_allclose([each[0] for each in world.voltages()], solved(), rtol=0, atol=1e-9)


# -- repeatable ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["ideal", "board"])
@pytest.mark.parametrize("front_end", ["comparator", "trimmed", "adc"])
@pytest.mark.parametrize("rule", ["clockfree", "p=0.5"])
def test_same_job_same_samples_other_seed_other_trace(preset, front_end, rule):
    edge = {"front_end": front_end, "theta_V": 0.0 if front_end == "comparator" else 0.02}
    job = a_job(targets=2, examples=3, physics=PRESETS[preset], edge=edge, schedule=rule, updates=20, trace=True)
    one, other = run(job)[1], run(job)[1]
    assert len(one) == 11
    assert all(same(a, b) for a, b in zip(one, other, strict=True))
    assert any(sample.trace for sample in one)
    elsewhere = run(dataclasses.replace(job, seed=1))[1]
    assert not same(one[-1], elsewhere[-1])
    if rule == "clockfree":
        times = [{row[1] for sample in samples for row in sample.trace} for samples in (one, elsewhere)]
        assert len(times[0] & times[1]) < 5


def test_looking_disturbs_nothing():
    """Reading voltages or outputs between samples, or tracing, leaves the run as it was."""
    clamp = {"dwell_s": 0.03}
    physics = dataclasses.replace(BOARD, clamp_period_us=1000, clamp_delay_us=300)
    job = a_job(targets=2, examples=3, physics=physics, clamp=clamp, edge={"front_end": "adc"}, updates=20, trace=True)
    plain = run(job)[1]
    world = World(job)
    watched = []
    for sample in world.run():
        watched.append(sample)
        world.voltages()
        world.plant.circuit.outputs(job.lessons[0].source_V)
    assert all(same(a, b) for a, b in zip(plain, watched, strict=True))
    blind = run(dataclasses.replace(job, trace=False))[1]
    assert all(same(dataclasses.replace(a, trace=[]), b) for a, b in zip(plain, blind, strict=True))
    some = run(dataclasses.replace(job, samples=1))[1]
    assert some[-1].taps.tolist() == plain[-1].taps.tolist()


def test_measured_error_is_that_of_the_supervisors_readings():
    job = a_job(targets=2, examples=3, updates=60, clamp={"dwell_s": 0.02})
    world, samples = run(job)
    assert np.isnan(samples[0].measured_error_V2)
    codes = np.array(world.supervisor.supervisor.readings)
    assert samples[-1].measured_error_V2 == np.mean((codes * 5 / 4096 - job.lessons[0].desired_V) ** 2)
    # Every example was read within the last dwells, in which the taps have hardly moved.
    assert samples[-1].measured_error_V2 == pytest.approx(samples[-1].error_V2, rel=0.2)


# -- counts, and starting points ---------------------------------------------------------------------------------


def test_updates_samples_and_counters():
    world, samples = run(a_job(updates=90, samples=30))
    assert [sample.updates for sample in samples] == pytest.approx(np.linspace(0, 90, 31), abs=1 / 16)
    assert list(samples[0].counters) == list(COUNTERS)
    for sample in samples:
        assert sum(sample.counters["firings"]) == round(16 * sample.updates)
        for up, down, rail, firings in zip(*(sample.counters[name] for name in ("up", "down", "rail", "firings"))):
            assert up + down + rail == firings  # the plain rule always steps
    assert samples[-1].time_us == world.time.now_us == pytest.approx(90 * 100_000, rel=0.1)
    assert (np.diff([sample.time_us for sample in samples]) > 0).all()


@pytest.mark.parametrize("delays", [{}, {"age_us": 5000}, {"skew_us": 40}, {"settle_us": 30.0}])
@pytest.mark.parametrize("pot", POTS)
def test_taps_to_start_from(pot, delays):
    taps = np.random.default_rng(0).integers(0, 100, 16)
    job = a_job(edge={"pot": pot}, physics=dataclasses.replace(IDEAL, **delays), start_taps=taps, updates=1, samples=1)
    world = World(job)
    start = next(world.run())
    assert start.taps.tolist() == taps.tolist()
    assert start.error_V2 == pytest.approx(squared_error(job, taps), rel=1e-9)
    assert [board.chips.pot.wipers for board in world.boards] == [[tap, tap] for tap in taps]
    assert not any(any(counts) for counts in start.counters.values())


def test_rates_that_are_decades_apart():
    """Logarithms of the firings per second lie evenly over the decades, and each edge keeps to its own rate."""
    settings = {"clock": "periodic", "decades": 2.0}  # a period of the edge's own, within 10%
    job = a_job("planar:64:143:0", edge=settings, updates=300, samples=2)
    _, (_, half, end) = run(job)
    first = np.array(half.counters["firings"])
    second = np.array(end.counters["firings"]) - first
    assert np.abs(first - second * half.time_us / (end.time_us - half.time_us)).max() < 3
    decades = np.sort(np.log10(1e6 * np.array(end.counters["firings"]) / end.time_us / job.edge.rate_hz))
    assert decades == pytest.approx(np.linspace(-1, 1, 143), abs=0.3) and decades.min() < -0.8 < 0.8 < decades.max()


# -- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("front_end", FRONT_ENDS)
@pytest.mark.parametrize("preset", ["ideal", "board"])
def test_a_network_of_one_edge(front_end, preset):
    """From a source to a target: no current in the free twin, so the only drop is the clamped one and R goes up."""
    lesson = Lesson("only", 0.0, np.array([[2.5]]), np.array([[1.25]]))
    network = load("square:1x2")
    physics = PRESETS[preset]
    for rule in ("clockfree", "sync"):
        edge = EdgeSettings(front_end=front_end)
        job = Job(network, (0,), (1,), (lesson,), edge=edge, physics=physics, schedule=rule, updates=70, samples=7)
        world, samples = run(job)
        shown_V = physics.dac_volts(2.5)
        np.testing.assert_allclose(world.voltages()[0], [[shown_V, shown_V]], atol=1e-12)
        assert samples[-1].taps.tolist() == [127]
        assert samples[-1].error_V2 == pytest.approx((2.5 - 1.25) ** 2)


def test_a_network_of_5000_edges():
    network = load("square:50x50:periodic")
    lesson = Lesson("any", 0.0, np.array([[0.0, 4.0], [1.25, 2.5]]), np.array([[1.25], [2.5]]))
    _, samples = run(Job(network, (0, 1275), (1200,), (lesson,), updates=2, samples=2))
    assert sum(samples[-1].counters["firings"]) == 10_000
    reference = Twins(2500, network.ends, (0, 1275), (1200,))
    reference.load(1 / resistance(samples[-1].taps))
    np.testing.assert_allclose(samples[-1].outputs_V, reference.outputs(lesson.source_V), rtol=0, atol=1e-9)


def test_time_wraps():
    """A run through 2**30 us: the trace wraps, the samples' time does not, and every edge goes on."""
    job = a_job(edge={"rate_hz": 0.1, "late_us": 0}, clamp={"dwell_s": 10.0}, updates=130, samples=130, trace=True)
    _, samples = run(job)
    rows = [row for sample in samples for row in sample.trace]
    times = np.array([row[1] for row in rows])
    assert samples[-1].time_us > 1 << 30 and times.max() <= MASK
    back = np.flatnonzero(np.diff(times) < 0)
    assert len(back) == 1 and times[back[0]] > MASK - 50_000_000 and times[back[0] + 1] < 50_000_000
    assert {row[0] for row in rows[back[0] + 1 :]} == set(range(16))
    assert samples[-1].counters["dropped"] == [0] * 16
    unwrapped = times + (np.arange(len(times)) > back[0]) * (1 << 30)
    for sample in samples[1:]:
        assert sample.time_us == unwrapped[sum(sample.counters["firings"]) - 1]
