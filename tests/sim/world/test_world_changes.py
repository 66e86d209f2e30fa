"""What happens to a world on the way: damage, lessons that change, chips that fall silent, jobs that are refused."""

import dataclasses

import numpy as np
import pytest

from clockfree_model.job import Damage, check
from clockfree_model.physics import BOARD, IDEAL, PRESETS
from clockfree_sim.world.world import World
from tests.sim.jobs import a_job, resistance, retimed, run, same, twins


@pytest.mark.parametrize("rule", ["clockfree", "sync", "p=0.3"])
@pytest.mark.parametrize("at", [0.0, 30.0])
def test_a_dead_edge_falls_silent_at_its_update(rule, at):
    job = a_job(updates=60, samples=12, schedule=rule, damage=(Damage(5, "dead", at), Damage(5, "dead", at + 2)))
    world, samples = run(job)
    died = next(sample for sample in samples if sample.updates >= at)
    firings, end = np.array(died.counters["firings"]), np.array(samples[-1].counters["firings"])
    assert sum(firings) == pytest.approx(16 * at, abs=16)
    assert end[5] == firings[5] and (end[5] > 0) == (at > 0)
    assert (np.delete(end, 5) > np.delete(firings, 5)).all()
    assert samples[-1].updates == pytest.approx(60, abs=1)  # per live edge
    assert sum(end - firings) == pytest.approx(15 * (60 - at), abs=16)
    # A dead controller leaves its resistors where they are.
    assert samples[-1].taps[5] == died.taps[5] == world.boards[5].chips.pot.wipers[0]


def test_a_run_ends_when_every_edge_is_dead():
    damage = tuple(Damage(edge, "dead", 10.0) for edge in range(16))
    _, samples = run(a_job(updates=60, samples=6, damage=damage))
    assert [sample.updates for sample in samples] == [0, 10, 10, 10, 10, 10, 10]
    assert samples[-1].counters == samples[1].counters


@pytest.mark.parametrize("front_end", ["comparator", "trimmed"])
@pytest.mark.parametrize("kind", ["stuck_a0", "stuck_a1", "stuck_b0", "stuck_b1"])
def test_a_stuck_comparator_reads_one_bit_from_its_update_on(front_end, kind):
    edge, damage = {"front_end": front_end}, (Damage(8, kind, 40.0),)
    job = a_job(examples=6, edge=edge, clamp={"dwell_s": 0.03}, updates=80, samples=8, trace=True, damage=damage)
    _, samples = run(job)
    column, stuck = {"a": 2, "b": 3}[kind[6]], int(kind[7])
    for who, bits in ((8, {stuck}), (7, {0, 1})):
        read = [{row[column] for sample in part for row in sample.trace if row[0] == who} for part in halves(samples)]
        assert read == [{0, 1}, bits]


def test_changes_come_in_order_of_their_updates_and_not_as_they_are_listed():
    damage = (Damage(4, "dead", 50.0), Damage(5, "dead", 10.0))
    job = retimed(a_job(lessons=3, updates=60, samples=60, damage=damage), 0.0, 40.0, 20.0)
    _, samples = run(job)
    assert [sample.lesson for sample in samples] == [0] * 20 + [2] * 20 + [1] * 21
    firings = np.array([sample.counters["firings"] for sample in samples])
    assert [int(np.argmax(firings[:, edge] == firings[-1, edge])) for edge in (4, 5)] == pytest.approx([50, 10], abs=4)


def halves(samples):
    middle = samples[-1].updates / 2
    return [s for s in samples if s.updates <= middle], [s for s in samples if s.updates > middle]


@pytest.mark.parametrize("pot", ["mcp42xx", "ad5222"])
@pytest.mark.parametrize("mismatch", [0.0, 0.01])
def test_a_cut_edge_carries_nothing_and_goes_on_firing(pot, mismatch):
    physics = dataclasses.replace(IDEAL, mismatch=mismatch)
    plain = a_job(edge={"pot": pot}, physics=physics, updates=40, samples=4)
    job = dataclasses.replace(plain, damage=(Damage(7, "cut", 20.0),))
    (world, samples), (_, whole) = run(job), run(plain)
    for sample, other in zip(samples[:2], whole[:2], strict=True):
        assert same(sample, other)
    assert not same(samples[2], whole[2])
    ohm = np.where(np.arange(16) == 7, np.inf, resistance(samples[-1].taps))
    ohm_clamped = ohm * np.array(world.plant.ratio)
    lesson = job.lessons[0]
    expected = twins(job, ohm, lesson.source_V[0], lesson.desired_V[0], ohm_clamped)
    np.testing.assert_allclose([each[0] for each in world.voltages()], expected, rtol=0, atol=1e-9)
    assert samples[-1].counters["firings"][7] > samples[2].counters["firings"][7]


@pytest.mark.parametrize("rule", ["clockfree", "sync"])
def test_the_lesson_changes_at_its_update(rule):
    job = retimed(a_job(examples=2, lessons=3, updates=90, samples=90, schedule=rule), 0.0, 30.0, 60.5)
    _, samples = run(job)
    for sample in samples:
        assert sample.lesson == sum(sample.updates >= at for at in (30.0, 60.5))
        lesson = job.lessons[sample.lesson]
        assert sample.error_V2 == np.mean((sample.outputs_V - lesson.desired_V) ** 2)
    alone = dataclasses.replace(job, lessons=job.lessons[:1])
    assert all(same(a, b) for a, b in zip(samples[:30], run(alone)[1][:30], strict=True))
    before, after = samples[29].error_V2, samples[59].error_V2
    assert before < samples[0].error_V2 / 2 and after < samples[31].error_V2 / 2


def test_a_lesson_is_shown_from_the_next_dwell_on():
    """Its supervisor knows no updates: what is shown stays until the dwell is over, and each lesson begins anew."""
    clamp = {"dwell_s": 0.2, "order": "fixed"}
    job = retimed(a_job(examples=3, lessons=2, updates=20, samples=160, clamp=clamp), 0.0, 10.0)
    world, changed_us, seen = World(job), None, set()
    for sample in world.run():
        if sample.lesson and changed_us is None:
            changed_us = sample.time_us
            first = changed_us // 200_000 + 1  # dwell in which the new lesson is first shown
        dwell = (sample.time_us - 1) // 200_000
        new = sample.lesson == 1 and dwell >= first
        if sample.time_us:
            shown = job.lessons[int(new)].source_V[(dwell - first if new else dwell) % 3]
            assert world.plant.circuit.v_free[list(job.sources)].tolist() == shown.tolist()
            seen.add((sample.lesson, new, dwell))
    assert {(0, False), (1, False), (1, True)} == {row[:2] for row in seen}


def test_an_adc_that_does_not_answer_is_counted_and_steps_nothing():
    world = World(a_job(edge={"front_end": "adc"}, updates=40, samples=2))
    samples = world.run()
    next(samples)
    middle = next(samples)
    world.boards[9].chips.front_end.adc.present = False
    end = next(samples)
    assert end.taps[9] == middle.taps[9] and end.counters["errors"][9] > 10
    fired = end.counters["firings"][9] - middle.counters["firings"][9]
    assert end.counters["errors"][9] == fired and middle.counters["errors"] == [0] * 16
    assert sum(end.counters["errors"]) == fired


def test_a_pot_that_does_not_answer_is_skipped():
    world = World(a_job(updates=40, samples=2))
    samples = world.run()
    next(samples)
    middle = next(samples)
    world.boards[2].pots._transfer.__self__.miso_open = 0x00  # MISO broken, at ground
    end = next(samples)
    fired = end.counters["firings"][2] - middle.counters["firings"][2]
    assert (end.counters["errors"][2], end.counters["skipped"][2], end.taps[2]) == (1, fired - 1, -1)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"edge": {"calibrate": True}}, "calibrate"),
        ({"edge": {"front_end": "adc"}, "physics": PRESETS["paper"]}, "sigma_V"),
        ({"edge": {"front_end": "trimmed"}, "physics": PRESETS["paper"]}, "sigma_V"),
        ({"physics": dataclasses.replace(BOARD, sigma_V=0.05)}, "sigma_V"),
        ({"edge": {"front_end": "adc"}, "damage": (Damage(0, "stuck_a0", 5.0),)}, "stuck_a0"),
        ({"edge": {"front_end": "pico_adc"}, "damage": (Damage(0, "stuck_b1", 5.0),)}, "stuck_b1"),
    ],
)
def test_a_job_that_a_front_end_cannot_do_is_refused(changes, word):
    with pytest.raises(ValueError, match=word):
        World(a_job(**changes))


def test_jobs_that_look_alike_but_can_be_done():
    for changes in (
        {"physics": PRESETS["paper"]},
        {"physics": dataclasses.replace(BOARD, sigma_V=0.05, sigma_kind="signed")},
        {"edge": {"front_end": "adc"}, "damage": (Damage(0, "dead", 5.0),)},
    ):
        check(a_job(**changes))
