"""A task and the same task lifted: a resistor network knows no common voltage, and what is shown is the task's own."""

import dataclasses

import numpy as np
import pytest

from clockfree_model.ground import Ground
from clockfree_sim.compiled import batch
from clockfree_sim.compiled.kernel import Kernel
from clockfree_sim.world.world import World, recall
from tests.sim.jobs import a_job, on_grid, twins


def inside(job, low_V, high_V):
    """The same job, with all of its voltages between these."""
    (lesson,) = job.lessons
    squeezed = (on_grid(low_V + volts * ((high_V - low_V) / 5.0), 5.0) for volts in (lesson.source_V, lesson.desired_V))
    return dataclasses.replace(job, lessons=(dataclasses.replace(lesson, **dict(zip(NAMES, squeezed, strict=True))),))


NAMES = ("source_V", "desired_V")
JOB = inside(a_job(targets=2, examples=3, task_seed=4, updates=150), 1.0, 3.0)


def lifted(job, steps, scale=1.0):
    return dataclasses.replace(job, ground=Ground(steps, scale))


@pytest.mark.parametrize("schedule", ["clockfree", "sync"])
@pytest.mark.parametrize("steps", [-819, -1, 1, 77, 1637])
def test_any_lift_leaves_taps_and_records_as_they_are(steps, schedule):
    job = dataclasses.replace(JOB, schedule=schedule, start_taps=np.arange(4, 128, 8))
    for before, after in zip(Kernel(job).run(), Kernel(lifted(job, steps)).run(), strict=True):
        assert (before.taps == after.taps).all() and before.time_us == after.time_us
        assert before.outputs_V.tobytes() == after.outputs_V.tobytes()
        assert (before.error_V2, before.mean_error_V2) == (after.error_V2, after.mean_error_V2)
    assert after.measured_error_V2 == pytest.approx(before.measured_error_V2, rel=0.2, abs=2e-6)  # other codes
    assert len(np.unique(after.taps)) > 8


def test_what_is_on_the_circuit_is_lifted_and_what_is_shown_is_not():
    job = lifted(JOB, 500, 0.5)
    world = World(job)
    *_, last = world.run()
    free_V, clamped_V = world.voltages()
    lesson = job.lessons[0]
    # The DAC is half a step off at most, 1.22 mV of a task of half the scale.
    assert free_V[:, list(job.sources)] == pytest.approx(lesson.source_V, abs=1.3e-3)
    assert free_V[:, list(job.targets)] == pytest.approx(last.outputs_V, abs=1.3e-3)
    plant = world.plant
    shown_V = plant.circuit.v_free[list(job.sources)]
    assert min(np.abs(shown_V - (0.5 * row + 500 * 5 / 4096)).max() for row in lesson.source_V) < 1e-3
    again = recall(job, 0, last.updates, last.taps)
    assert again[0] == pytest.approx(free_V, abs=1e-9) and again[1] == pytest.approx(clamped_V, abs=1e-9)
    ohm = (last.taps + 1) * 100e3 / 128
    for example in range(3):
        free, clamped = twins(job, ohm, lesson.source_V[example], lesson.desired_V[example])
        assert free_V[example] == pytest.approx(free, abs=2e-3)
        assert clamped_V[example] == pytest.approx(clamped, abs=2e-3)
    assert last.measured_error_V2 < 1e-4  # readings of a while ago, of codes of 2.4 mV of the task


def test_a_batch_has_the_samples_of_a_kernel_for_each():
    job = lifted(JOB, 300, 0.7)
    found = batch.run(job, [0, 1])
    for i, seed in enumerate((0, 1)):
        samples = list(Kernel(dataclasses.replace(job, seed=seed)).run())
        for name in ("error_V2", "mean_error_V2", "measured_error_V2", "stood_us"):
            values = np.array([getattr(sample, name) for sample in samples])
            np.testing.assert_array_equal(getattr(found, name)[i], values)
