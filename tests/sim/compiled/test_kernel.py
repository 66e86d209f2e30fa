"""The kernel against the simulated bench: the same job gives the same trace and the same samples, bit for bit."""

import dataclasses
from bisect import bisect_right

import numpy as np
import pytest

from clockfree_board import clock, rule
from clockfree_board.edge import Edge
from clockfree_board.sense import AdcDrops, ComparatorPins, PicoAdcDrops, TrimmedPins
from clockfree_board.supervisor import Supervisor
from clockfree_model.job import Job, Lesson
from clockfree_model.network import load
from clockfree_model.parts import FRONT_ENDS, POTS
from clockfree_model.physics import IDEAL
from clockfree_sim.compiled import firmware
from clockfree_sim.compiled.kernel import Kernel
from clockfree_sim.parts import converters
from clockfree_sim.parts.comparators import RESOLVED_V
from clockfree_sim.world.world import World
from tests.sim.cases import CASES, PLANAR
from tests.sim.jobs import a_job, resistance, retimed, same, twins


def nearest(world, monkeypatch):
    """Watch a world's comparators and ADCs.

    Returns a list whose one entry is how close two drops, or their sum, came to RESOLVED_V, V, or the input of an ADC
    to where a code begins, codes.
    """
    closest_V = [np.inf]

    def converted(levels, codes):
        code = bisect_right(levels, codes)
        for level in levels[max(code - 1, 0) : code + 1]:
            closest_V[0] = min(closest_V[0], abs(level - codes))
        return code

    monkeypatch.setattr(converters, "bisect_right", converted)

    def watched(drops):
        def look():
            free, clamped = drops()
            # the difference of the magnitudes is one of the first two, or minus one of them
            for over in (clamped - free, clamped + free, free)[: 3 if world.job.edge.order == rule.FIRST else 2]:
                closest_V[0] = min(closest_V[0], abs(abs(over) - RESOLVED_V))
            return free, clamped

        return look

    for board in world.boards:
        for comparator in board.chips.front_end.comparators or ():
            comparator._drops = watched(comparator._drops)
    return closest_V


def rows_of(samples):
    return [row for sample in samples for row in sample.trace]


@pytest.mark.parametrize("name", CASES)
def test_same_trace_and_samples_as_the_world(name, monkeypatch):
    job = CASES[name]
    world = World(job)
    closest_V = nearest(world, monkeypatch)
    theirs, ours = list(world.run()), list(Kernel(job).run())
    # What settles comes past every voltage; rounding is of the order of 1e-15 V there.
    near = 1e-12 if job.physics.settle_us or job.physics.clamp_us else 1e-10
    assert closest_V[0] > near, "rounding may decide: choose another task"
    rows = rows_of(theirs)
    assert rows_of(ours) == rows
    assert len(ours) == len(theirs) and all(same(one, other) for one, other in zip(ours, theirs, strict=True))
    assert len(rows) == sum(theirs[-1].counters["firings"])
    for step in (rule.UP, rule.DOWN):
        assert sum(row[4] == step for row in rows) > (0.005 if job.edge.f_V else 0.05) * len(rows)


def test_the_cases_are_worth_comparing():
    firings = {name: job.updates * len(job.network.ends) for name, job in CASES.items()}
    assert sum(firings.values()) > 100_000
    late = list(Kernel(CASES["lateness"]).run())[-1]
    assert min(late.counters["dropped"]) > 10 and min(late.counters["firings"]) > 100
    times = np.array(rows_of(Kernel(CASES["wrap"]).run()))[:, 1]
    assert np.count_nonzero(np.diff(times) < 0) == 1
    # Edges that are due at one microsecond, and at that of a change of example.
    times = np.array(rows_of(Kernel(CASES["starts at once"]).run()))[:, 1]
    assert np.count_nonzero(np.diff(times) == 0) > 100 and np.count_nonzero(times % 20 == 0) > 100
    assert {sample.lesson for sample in Kernel(CASES["retraining"]).run()} == {0, 1, 2}
    rails = list(Kernel(CASES["mismatch"]).run())[-1]
    assert sum(rails.counters["rail"]) > 100 and rails.taps.min() == 2 and rails.taps.max() == 127


@pytest.mark.parametrize("spec", ["square:1x2", "square:1x3"])
def test_networks_of_one_and_two_edges(spec):
    lesson = Lesson("only", 0.0, np.array([[2.5]]), np.array([[1.25]]))
    job = Job(load(spec), (0,), (1,), (lesson,), updates=70, samples=7, trace=True)
    ours, theirs = list(Kernel(job).run()), list(World(job).run())
    assert all(same(one, other) for one, other in zip(ours, theirs, strict=True))
    assert len(rows_of(ours)) == 70 * len(job.network.ends)


def test_other_seed_other_trace():
    job = CASES["lab16 exponential"]
    one, other = (list(Kernel(dataclasses.replace(job, seed=seed)).run())[1] for seed in (1, 2))
    assert len({row[1:2] + row[:1] for row in one.trace} & {row[1:2] + row[:1] for row in other.trace}) < 3


def test_nothing_but_the_firmwares_own_code_is_compiled():
    for name in ("draw", "below", "wait_us", "ticks_add", "ticks_diff"):
        assert getattr(firmware, name).py_func.__code__ is getattr(clock, name).__code__
    for name in ("from_bits", "q_of", "from_q", "agreed"):
        assert getattr(firmware, name).py_func.__code__ is getattr(rule, name).__code__
    methods = {
        "tick": Supervisor.tick,
        "fire": Edge.fire,
        "look_at_pins": ComparatorPins.look,
        "look_at_trimmed_pins": TrimmedPins.look,
        "set_trim": TrimmedPins._set,
        "nulling": TrimmedPins.nulling,
        "look_at_drops": AdcDrops.look,
        "mean_of_drops": AdcDrops._mean,
        "read_adc": AdcDrops._read,
        "read_pico_adc": PicoAdcDrops._read,
    }
    for name, method in methods.items():
        assert getattr(firmware, name).py_func.__code__.co_code == method.__code__.co_code


def test_looking_disturbs_nothing():
    job = CASES["planar exponential"]
    kernel, watched = Kernel(job), []
    for sample in kernel.run():
        watched.append(sample)
        kernel.setup.voltages()
    plain = Kernel(job).run()
    assert all(same(one, other) for one, other in zip(plain, watched, strict=True))
    blind = Kernel(dataclasses.replace(job, trace=False)).run()
    assert all(same(one, dataclasses.replace(other, trace=[])) for one, other in zip(blind, watched, strict=True))


def test_a_million_firings_end_where_a_direct_solve_does():
    job = a_job(PLANAR, targets=3, examples=2, updates=7000, samples=1)
    kernel = Kernel(job)
    *_, last = kernel.run()
    assert sum(last.counters["firings"]) > 1_000_000
    lesson = job.lessons[0]
    for i, (free, clamped) in enumerate(zip(*kernel.setup.voltages(), strict=True)):
        expected = twins(job, resistance(last.taps), lesson.source_V[i], lesson.desired_V[i])
        np.testing.assert_allclose((free, clamped), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("switch", "name"),
    [
        *(("pot", name) for name, part in POTS.items() if not part.in_step),
        *(("front_end", name) for name, part in FRONT_ENDS.items() if not part.compiled),
    ],
)
def test_what_it_does_not_have_is_refused(switch, name):
    with pytest.raises(ValueError, match=f"^{switch} {name}"):
        Kernel(a_job(edge={switch: name}))


def test_a_run_that_begins_without_a_lesson_is_refused():
    for job in (retimed(a_job(), 5), dataclasses.replace(a_job(), lessons=())):
        with pytest.raises(ValueError, match=r"^lessons"):
            Kernel(job)


def test_every_switch_of_the_physics_is_shown_equal():
    """A switch that is added to the physics must be taken up here."""
    shown = {name for job in CASES.values() for name, value in vars(job.physics).items() if value != vars(IDEAL)[name]}
    assert shown | {"rab_ohm"} == set(vars(IDEAL))  # the scale of all resistances has no effect
