"""Many seeds in one call against a kernel for each: the same samples, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest

from clockfree_model.job import Damage
from clockfree_model.physics import BOARD, IDEAL
from clockfree_sim.compiled import batch
from clockfree_sim.compiled.kernel import Kernel
from tests.sim.jobs import a_job, retimed

JOBS = {
    "ideal": a_job(task_seed=3, targets=2, examples=3),
    "lessons and damage": retimed(
        a_job(
            lessons=2,
            examples=2,
            damage=(
                Damage(3, "dead", 20.0),
                Damage(5, "cut", 35.5),
                Damage(7, "stuck_a1", 60.0),
                Damage(1, "cut", 200.0),
            ),
        ),
        0.0,
        50.0,
    ),
    "board, trimmed": a_job(physics=BOARD, edge={"front_end": "trimmed", "f_V": 0.01, "calibrate": True}),
    "ADC, digital clamp, wipers that move late": a_job(
        physics=replace(BOARD, clamp_period_us=500, clamp_delay_us=700, age_us=40),
        edge={"front_end": "adc", "calibrate": True},
        examples=2,
    ),
    "overclamp": a_job(
        physics=replace(BOARD, age_us=40),
        edge={"front_end": "adc", "calibrate": True, "f_V": 0.02},
        clamp={"kind": "overclamp"},
        targets=2,
        examples=2,
    ),
}
SEEDS = [4, 0, 2**60 + 5]


def of_kernels(job, seeds):
    """The samples of a kernel for each seed, by what `Outcomes` has of them."""
    runs = [list(Kernel(replace(job, seed=seed)).run()) for seed in seeds]
    found = {
        name: np.array([[getattr(sample, name) for sample in samples] for samples in runs])
        for name in ("time_us", "error_V2", "measured_error_V2", "gain", "updates", "lesson")
    }
    last = [samples[-1] for samples in runs]
    counters = {name: np.array([each.counters[name] for each in last]) for name in last[0].counters}
    return found | {"taps": np.array([each.taps for each in last])}, counters


@pytest.mark.parametrize("name", JOBS)
def test_same_as_a_kernel_for_each(name, monkeypatch):
    monkeypatch.setattr(batch, "SIDE_BY_SIDE", 2)
    job = JOBS[name]
    found = batch.run(replace(job, trace=True), SEEDS, threads=2)
    kernels, counters = of_kernels(job, SEEDS)
    assert found.seeds.tolist() == SEEDS
    for key in ("time_us", "error_V2", "measured_error_V2", "gain", "taps"):
        np.testing.assert_array_equal(getattr(found, key), kernels[key], err_msg=key)
    for key in ("updates", "lesson"):
        assert (getattr(found, key) == kernels[key]).all()
    for key, counts in counters.items():
        np.testing.assert_array_equal(found.counters[key], counts, err_msg=key)
    assert len({row.tobytes() for row in found.time_us}) == len(SEEDS)  # seeds differ


def test_a_seed_comes_out_the_same_in_any_company():
    job = JOBS["ideal"]
    alone, among = batch.run(job, [7]), batch.run(job, range(20))
    np.testing.assert_array_equal(alone.error_V2[0], among.error_V2[7])


@pytest.mark.parametrize(("job", "seeds", "said"), [
    (a_job(schedule="sync"), [0], "expected seeds of a clock-free job, got 1 of rule sync"),
    (a_job(), [], "expected seeds of a clock-free job, got 0"),
    (a_job(edge={"pot": "x9c"}), [0], "pot x9c"),
    (replace(a_job(physics=IDEAL), lessons=()), [0], "lessons"),
])  # fmt: skip
def test_what_it_has_not_is_refused(job, seeds, said):
    with pytest.raises(ValueError, match=said):
        batch.run(job, seeds)
