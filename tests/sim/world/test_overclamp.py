"""An overclamp on the simulated bench: what it holds, when, and what it takes for the free outputs."""

import dataclasses

import numpy as np
import pytest

from clockfree_model.job import JobError
from clockfree_model.physics import BOARD, IDEAL
from clockfree_sim.compiled.kernel import Kernel
from clockfree_sim.plant.setup import Setup
from clockfree_sim.world.world import World
from tests.sim.jobs import a_job, resistance, solve

DELAY_US, REFRESH_US, DWELL_US, SETTLE_US = 3000, 10_000, 50_000, 1000
LATE = {"clamp_delay_us": DELAY_US}


def overclamped(physics=IDEAL, clamp=(), **more):
    settings = {"kind": "overclamp", "dwell_s": DWELL_US / 1e6, **dict(clamp)}
    return a_job(targets=2, task_seed=3, physics=physics, clamp=settings, **{"examples": 3, **more})


def in_hold(job):
    """A set-up whose supervisor has begun its schedule, and nothing else goes on."""
    setup = Setup(job)
    setup.settle([64] * len(job.network.ends))
    setup.supervisor.teach(job.lessons[0])
    began_us = setup.time.now_us
    setup.supervisor.start(began_us)
    setup.time.later(began_us, setup._tick)
    return setup, began_us


def wanted(job, example, taps=64):
    """Voltages of all nodes, V, free and held as the formula has it, and how many times an error is held."""
    network, lesson, out = job.network, job.lessons[0], list(job.targets)
    ohm = np.broadcast_to(resistance(taps), len(network.ends))
    free = solve(network, ohm, job.sources, lesson.source_V[example])
    off_V = lesson.desired_V[example] - free[out]
    times = min(job.clamp.gain or np.inf, job.clamp.amplitude_V / np.abs(off_V).max())
    held_V = np.clip(free[out] + times * off_V, 0.0, 5.0)
    return free, solve(network, ohm, [*job.sources, *out], [*lesson.source_V[example], *held_V]), times


@pytest.mark.parametrize("clamp", [{}, {"gain": 1.5}, {"amplitude_V": 1.5}])
def test_it_floats_until_it_has_looked_and_then_holds_each_output_as_asked(clamp):
    job = overclamped(dataclasses.replace(IDEAL, **LATE), clamp)
    setup, began_us = in_hold(job)
    circuit = setup.plant.circuit
    for dwell in range(3):
        for after_us, held in ((1, False), (SETTLE_US + DELAY_US, False), (SETTLE_US + DELAY_US + 1, True)):
            setup.time.advance(began_us + dwell * DWELL_US + after_us)
            free, clamped, times = wanted(job, setup.supervisor.supervisor.present)
            np.testing.assert_allclose(circuit.v_free, free, atol=1e-9)
            # Read and held in whole codes, and what is read of an error is held as many times as large.
            np.testing.assert_allclose(circuit.v_clamped, clamped if held else free, atol=(1.5 + times / 2) * 5 / 4096)
            assert np.abs(clamped - free).max() > 0.01
    looks = setup.supervisor.supervisor
    setup.time.advance(began_us + 3 * DWELL_US)
    assert looks.looks == looks.holds == 3 * (DWELL_US // REFRESH_US)


def test_it_is_aimed_anew_at_what_floats_then_and_lets_go_within_the_tolerance():
    job = overclamped(dataclasses.replace(IDEAL, **LATE), {"dwell_s": 1.0}, examples=1)
    setup, began_us = in_hold(job)
    circuit, desired_V = setup.plant.circuit, job.lessons[0].desired_V[0]
    last_us = began_us + SETTLE_US + DELAY_US
    setup.time.advance(last_us + 1)
    setup.plant.place([20 * (i % 5) + 10 for i in range(16)])
    before = circuit.v_clamped[list(job.targets)].copy()
    setup.time.advance(last_us + REFRESH_US)
    np.testing.assert_array_equal(circuit.v_clamped[list(job.targets)], before)
    setup.time.advance(last_us + REFRESH_US + 1)
    _, clamped, _ = wanted(job, 0, [20 * (i % 5) + 10 for i in range(16)])
    np.testing.assert_allclose(circuit.v_clamped, clamped, atol=2e-3)
    setup.supervisor.supervisor._asked[2:4] = [1 << 16, 1 << 16]  # everything is good enough
    setup.time.advance(last_us + 2 * REFRESH_US + 1)
    np.testing.assert_array_equal(circuit.v_clamped, circuit.v_free)
    assert np.abs(circuit.v_free[list(job.targets)] - desired_V).max() > 0.1


def test_what_it_reads_is_nulled_against_the_dac():
    """Offsets of 20 mV and a converter bowed by two codes leave a tenth of a millivolt, beside the noise of a mean."""
    physics = dataclasses.replace(BOARD, offset_V=0.02, adc_inl_lsb=2.0, settle_us=0.0, clamp_us=0.0)
    off_V = []
    for seed in range(12):
        job = overclamped(physics, seed=seed)
        setup, began_us = in_hold(job)
        setup.time.advance(began_us + SETTLE_US + 1)
        free_V = setup.plant.circuit.v_free[list(job.targets)]
        off_V.append(np.array(setup.supervisor.supervisor._free) * (3.3 / 65536) - free_V)
    rms_V = np.sqrt(np.mean(np.square(off_V)))
    # Of one reading 0.5 mV / sqrt(2); of a mean a quarter; twice, since nulling has noise, too.
    assert 0.08e-3 < rms_V < 0.2e-3
    assert np.abs(np.mean(off_V)) < 3 * rms_V / 24**0.5


def test_learning_ends_within_the_tolerance():
    """Three outputs, edges that measure, a floor and nothing calibrated: the error is about the tolerance squared."""
    edge = {"front_end": "adc", "f_V": 0.02, "rate_hz": 40.0}
    job = overclamped(dataclasses.replace(IDEAL, supply_V=3.3), edge=edge, examples=1, updates=1500, samples=2)
    kernel = Kernel(job)
    *_, last = kernel.run()
    assert last.error_V2 < 4e-6
    (shows,) = kernel.edges.shows
    assert 0 < shows["holds"] < 0.9 * shows["looks"]
    free_V, clamped_V = kernel.setup.voltages()
    (row,), (held,) = free_V, clamped_V
    within = np.abs(row[list(job.targets)] - job.lessons[0].desired_V[0]).max() <= job.clamp.tolerance_V
    assert (np.abs(held - row).max() < 1e-9) == within


def test_a_nudge_is_where_it_was():
    """What a supervisor reads of a nudge decides nothing: its converter stays perfect, and nothing is nulled."""
    job = a_job(physics=dataclasses.replace(BOARD, clamp_delay_us=DELAY_US))
    world = World(job)
    assert world.time.now_us == 0 and not any(world.supervisor.supervisor.nulls)


@pytest.mark.parametrize(
    ("clamp", "physics", "key"),
    [
        ({"amplitude_V": 2.6}, {}, "clamp.amplitude_V"),
        ({"amplitude_V": 0.001}, {}, "clamp.amplitude_V"),
        ({"release_V": 0.003}, {}, "clamp.release_V"),
        ({"refresh_s": 0.003}, LATE, "clamp.refresh_s"),
        ({"dwell_s": 0.004}, LATE, "clamp.dwell_s"),
        ({}, {"clamp_period_us": 100}, "physics.clamp_period_us"),
        ({"hinge": 0.0, "examples": 1}, {}, "clamp.hinge"),
    ],
)
def test_what_it_cannot_do_is_refused(clamp, physics, key):
    examples = clamp.pop("examples", 3)
    job = overclamped(dataclasses.replace(IDEAL, **physics), clamp, examples=examples)
    with pytest.raises(JobError) as refused:
        Setup(job)
    assert refused.value.key == key
