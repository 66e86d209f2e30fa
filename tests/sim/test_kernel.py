"""The kernel against the simulated bench: the same job gives the same trace and the same samples, bit for bit."""

import dataclasses
from bisect import bisect_right

import numpy as np
import pytest
from clockfree import clock, rule
from clockfree.edge import Edge
from clockfree.sense import AdcDrops, ComparatorPins, PicoAdcDrops
from clockfree.supervisor import Supervisor
from clockfree_sim import compiled
from clockfree_sim.job import Damage, Job, Lesson
from clockfree_sim.kernel import Kernel
from clockfree_sim.network import load
from clockfree_sim.parts import converters
from clockfree_sim.parts.comparators import RESOLVED_V
from clockfree_sim.physics import BOARD, IDEAL
from clockfree_sim.world import World

from tests.sim.jobs import a_job, resistance, retimed, same, twins

PLANAR = "planar:64:143:0"


def cases():
    """Jobs by name: all clocks, orders and sizes; every kind of physics and damage that the kernel has."""
    jobs = {}
    orders = {"exponential": "shuffled", "jittered": "random", "periodic": "fixed"}
    for seed, (kind, order) in enumerate(orders.items()):
        more = {"edge": {"clock": kind}, "clamp": {"order": order, "dwell_s": 0.07}, "seed": (seed << 32) + seed}
        jobs[f"lab16 {kind}"] = a_job(targets=2, examples=3, updates=600, task_seed=seed, **more)
        jobs[f"planar {kind}"] = a_job(PLANAR, targets=3, examples=4, updates=220, task_seed=12, **more)
    retrained = a_job(targets=2, examples=3, lessons=3, updates=300, seed=5)
    jobs["retraining"] = retimed(retrained, 0, 100.3, 200)
    slow = {"edge": {"rate_hz": 0.1, "late_us": 0}, "clamp": {"dwell_s": 10.0}}
    jobs["wrap"] = a_job(examples=2, updates=130, **slow)
    jobs["starts at once"] = a_job(edge={"rate_hz": 1e5}, clamp={"dwell_s": 2e-5}, examples=3, updates=300)
    spread = {"edge": {"decades": 2.0}, "physics": dataclasses.replace(IDEAL, lateness_us=8000.0)}
    jobs["rates apart"] = a_job(targets=2, examples=3, updates=200, **spread)
    jobs["start taps"] = a_job(start_taps=np.arange(0, 128, 8), updates=100)
    physics = {
        "mismatch": {"mismatch": 0.05, "wiper_ohm": 75.0, "spare_taps": 0, "limit_lowest": True, "supply_V": 3.3},
        "clamp error": {"clamp_error_V": 0.01},
        "offset": {"offset_V": 0.005},
        "noise": {"noise_V": 0.01},
        "offset and noise": {"offset_V": 0.005, "noise_V": 0.01, "mismatch": 0.01},
        "sigma redrawn": {"sigma_V": 0.05},
        "sigma fixed": {"sigma_V": 0.05, "sigma_kind": "fixed"},
        "sigma signed": {"sigma_V": 0.05, "sigma_kind": "signed", "noise_V": 0.01},
        "lateness": {"lateness_us": 8000.0},
    }
    for name, values in physics.items():
        jobs[name] = a_job(targets=2, examples=3, physics=dataclasses.replace(IDEAL, **values), seed=1, updates=200)
    for i, kind in enumerate(("dead", "cut", "stuck_a0", "stuck_a1", "stuck_b0", "stuck_b1")):
        both = (Damage(3 + i, kind, 30.5), Damage(1, kind, 70))
        for noise_V in (0.0, 0.01):
            noisy = dataclasses.replace(IDEAL, noise_V=noise_V)
            jobs[f"{kind}, noise {noise_V} V"] = a_job(targets=2, examples=3, damage=both, physics=noisy, updates=100)
    jobs |= in_rounds() | with_adcs() | with_delays()
    biased = dataclasses.replace(IDEAL, sigma_V=0.05)
    jobs["stuck, sigma"] = a_job(damage=(Damage(2, "stuck_a1", 20), Damage(7, "stuck_b0", 50)), physics=biased)
    return {name: dataclasses.replace(job, trace=True) for name, job in jobs.items()}


def in_rounds():
    """Jobs by the paper's clocked rules."""
    jobs = {}
    noisy = dataclasses.replace(IDEAL, offset_V=0.005, noise_V=0.01, mismatch=0.01, clamp_error_V=0.01)
    late = dataclasses.replace(IDEAL, lateness_us=8000.0)
    biased = dataclasses.replace(IDEAL, sigma_V=0.05)
    apart = {"start_taps": np.arange(0, 128, 8)}  # equal taps put outputs between two codes of an ADC
    for p in ("sync", "p=1", "p=0.3", "p=0.05"):
        jobs[f"lab16 {p}"] = a_job(targets=2, examples=3, task_seed=3, rule=p, updates=200)
        jobs[f"planar {p}"] = a_job(PLANAR, targets=3, examples=2, task_seed=12, rule=p, updates=60, seed=2**40)
        jobs[f"noisy {p}"] = a_job(targets=2, examples=3, rule=p, physics=noisy, **apart, updates=100)
        damage = (Damage(3, "dead", 20.5), Damage(1, "cut", 40), Damage(7, "stuck_a1", 50), Damage(0, "dead", 70))
        jobs[f"damage {p}"] = a_job(targets=2, examples=3, rule=p, damage=damage, **apart, updates=100)
        jobs[f"late {p}"] = a_job(examples=3, rule=p, physics=late, updates=50, clamp={"dwell_s": 0.23})
    jobs["sigma p=0.5"] = a_job(rule="p=0.5", physics=biased)
    jobs["retraining p=0.5"] = retimed(a_job(lessons=2, examples=2, rule="p=0.5", updates=100), 0, 50.2)
    # Rounds at the very microsecond of a change of example.
    jobs["together p=0.5"] = a_job(examples=3, rule="p=0.5", clamp={"dwell_s": 0.1})
    return jobs


def with_adcs():
    """Jobs that measure drops."""
    jobs = {}
    at_once = {"settle_us": 0.0, "clamp_us": 0.0}
    physics = {
        "perfect": IDEAL,
        "offset": dataclasses.replace(IDEAL, offset_V=0.005),
        "noise": dataclasses.replace(IDEAL, noise_V=0.005),
        "inl": dataclasses.replace(IDEAL, adc_inl_lsb=1.0),
        "board": dataclasses.replace(BOARD, **at_once),
    }
    plain, gated = {"f_V": 0.0, "theta_V": 0.0}, {"f_V": 0.003, "theta_V": 0.02}
    summed = {"f_V": 0.001, "theta_V": 0.04, "summed": True}
    for front_end in ("adc", "pico_adc"):
        for name, values in physics.items():
            for gate in (plain, gated, summed):
                if front_end == "pico_adc" and values is IDEAL:
                    continue  # half a drop between two sources is between two codes
                edge = {"front_end": front_end, **gate}
                job = a_job(targets=2, examples=3, physics=values, edge=edge, updates=80)
                jobs[f"{front_end} {name}, {'summed' if 'summed' in gate else 'gated' if gate['f_V'] else 'plain'}"] = (
                    job
                )
        calibrated = {"front_end": front_end, "calibrate": True, **gated}
        for p in ("clockfree", "sync", "p=0.3"):
            more = {"physics": physics["board"], "edge": calibrated, "rule": p}
            jobs[f"{front_end} calibrated {p}"] = a_job(targets=2, examples=3, updates=80, **more)
            more["edge"] = {**calibrated, **summed}
            jobs[f"{front_end} calibrated, summed {p}"] = a_job(targets=2, examples=3, updates=80, **more)
        damage = (Damage(3, "dead", 20), Damage(1, "cut", 40))
        jobs[f"{front_end} damage"] = a_job(examples=3, damage=damage, **more)
    jobs["planar calibrated"] = a_job(PLANAR, physics=physics["board"], edge=calibrated, updates=30, samples=3)
    floor = {"front_end": "adc", "calibrate": True, "f_V": 0.003}
    jobs["floor alone"] = a_job(physics=physics["board"], edge=floor, clamp={"eta": 1.0})
    return jobs


def with_delays():
    """Jobs in which the circuit settles, or wipers move, some time after a decision."""
    jobs = {}
    # An edge fires every 1 ms: many decide on what is out of date, and one fires again before its wipers have moved.
    often = {"rate_hz": 1000.0, "late_us": 1000}
    clamp = {"dwell_s": 0.0007}
    delays = {
        "settling": {"settle_us": 20.0},
        "clamp": {"clamp_us": 200.0},
        "settling and clamp": {"settle_us": 30.0, "clamp_us": 50.0, "mismatch": 0.01, "noise_V": 0.005},
        "age": {"age_us": 300},
        "skew": {"skew_us": 40},
        "age and skew": {"age_us": 600, "skew_us": 200, "mismatch": 0.01},
        "all": {"settle_us": 20.0, "clamp_us": 10.0, "age_us": 90, "skew_us": 30, "lateness_us": 80.0},
    }
    for name, values in delays.items():
        physics = dataclasses.replace(IDEAL, **values)
        for by in ("clockfree", "sync", "p=0.3"):
            more = {"physics": physics, "edge": often, "clamp": clamp, "rule": by, "seed": 3}
            jobs[f"{name}, {by}"] = a_job(targets=2, examples=3, task_seed=1, updates=100, **more)
    damage = (Damage(3, "dead", 20.5), Damage(1, "cut", 40), Damage(7, "stuck_a1", 50))
    jobs["damage, all"] = a_job(examples=3, damage=damage, physics=physics, edge=often, clamp=clamp)
    for front_end in ("adc", "pico_adc"):
        edge = {"front_end": front_end, "calibrate": True, "f_V": 0.003, "theta_V": 0.02}
        for by in ("clockfree", "sync"):
            jobs[f"board, {front_end}, {by}"] = a_job(targets=2, examples=3, physics=BOARD, edge=edge, rule=by)
        aged = dataclasses.replace(BOARD, age_us=300, skew_us=40)
        jobs[f"aged board, {front_end}"] = a_job(examples=3, physics=aged, edge=edge, clamp={"eta": 1.0})
    return jobs


CASES = cases()


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
            # the difference of the magnitudes is one of these two, or minus one of them
            for over in (clamped - free, clamped + free):
                closest_V[0] = min(closest_V[0], abs(abs(over) - RESOLVED_V))
            return free, clamped

        return look

    for board in world.boards:
        for comparator in board.chips.comparators or ():
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
        assert getattr(compiled, name).py_func.__code__ is getattr(clock, name).__code__
    for name in ("from_bits", "from_drops", "moved"):
        assert getattr(compiled, name).py_func.__code__ is getattr(rule, name).__code__
    methods = {
        "tick": Supervisor.tick,
        "fire": Edge.fire,
        "look_at_pins": ComparatorPins.look,
        "look_at_drops": AdcDrops.look,
        "read_adc": AdcDrops._read,
        "read_pico_adc": PicoAdcDrops._read,
    }
    for name, method in methods.items():
        assert getattr(compiled, name).py_func.__code__.co_code == method.__code__.co_code


def test_looking_disturbs_nothing():
    job = CASES["planar exponential"]
    kernel, watched = Kernel(job), []
    for sample in kernel.run():
        watched.append(sample)
        kernel.voltages()
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
    for i, (free, clamped) in enumerate(zip(*kernel.voltages(), strict=True)):
        expected = twins(job, resistance(last.taps), lesson.source_V[i], lesson.desired_V[i])
        np.testing.assert_allclose((free, clamped), expected, rtol=0, atol=1e-9)


def changed(job, part, name, value):
    where = job if part is None else getattr(job, part)
    return dataclasses.replace(
        job, **({name: value} if part is None else {part: dataclasses.replace(where, **{name: value})})
    )


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("edge", "front_end", "trimmed"), ("edge", "pot", "ad5220"), ("edge", "pot", "x9c"),
        ("physics", "clamp_period_us", 1000),
    ],
)  # fmt: skip
def test_what_it_does_not_have_is_refused(part, name, value):
    with pytest.raises(ValueError, match=rf"^(edge\.)?{name}"):
        Kernel(changed(a_job(), part, name, value))


def test_a_run_that_begins_without_a_lesson_is_refused():
    for job in (retimed(a_job(), 5), dataclasses.replace(a_job(), lessons=())):
        with pytest.raises(ValueError, match=r"^lessons"):
            Kernel(job)


def test_every_switch_of_the_physics_is_either_shown_equal_or_refused():
    """A switch that is added to the physics must be taken up here."""
    shown = {name for job in CASES.values() for name, value in vars(job.physics).items() if value != vars(IDEAL)[name]}
    refused = {"clamp_period_us"}
    # The delay of a digital clamp; the scale of all resistances.
    without_effect = {"clamp_delay_us", "rab_ohm"}
    assert shown | refused | without_effect == set(vars(IDEAL))
