"""Jobs by name that a kernel and a world must agree on: every switch of the physics that the kernel has."""

import dataclasses

import numpy as np

from clockfree_model.job import Damage
from clockfree_model.parts import POTS
from clockfree_model.physics import BOARD, IDEAL
from tests.sim.jobs import a_job, retimed

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
    jobs["start taps"] = a_job(start_taps=np.arange(4, 128, 8), updates=100)
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
    for pot in (name for name, part in POTS.items() if part.in_step):
        apart = dataclasses.replace(IDEAL, mismatch=0.01, wiper_ohm=75.0, limit_lowest=True)
        jobs[f"pot {pot}"] = a_job(targets=2, examples=3, edge={"pot": pot}, physics=apart, seed=2, updates=300)
    jobs |= of_first_order() | in_rounds() | with_adcs() | with_trims() | with_delays() | with_digital_clamps()
    jobs |= with_overclamps()
    biased = dataclasses.replace(IDEAL, sigma_V=0.05)
    jobs["stuck, sigma"] = a_job(damage=(Damage(2, "stuck_a1", 20), Damage(7, "stuck_b0", 50)), physics=biased)
    return {name: dataclasses.replace(job, trace=True) for name, job in jobs.items()}


def of_first_order():
    """Jobs of edges that leave out the second order: each front end, plain and with all that is wrong with it."""
    jobs = {}
    summed = {"f_V": 0.001, "theta_V": 0.04, "summed": True}
    ways = {"comparator": {}, "trimmed": {"calibrate": True, "f_V": 0.003}, "adc": {"f_V": 0.02}, "pico_adc": summed}
    for front_end, gate in ways.items():
        edge = {"front_end": front_end, "order": 1, **gate}
        for name, physics in {"ideal": IDEAL, "board": BOARD}.items():
            if name == "ideal" and front_end == "pico_adc":
                continue  # drops of nothing lie between two of its codes
            more = {"physics": physics, "edge": edge, "clamp": {"eta": 1.0}, "start_taps": np.arange(4, 128, 8)}
            jobs[f"first order, {front_end}, {name}"] = a_job(targets=2, examples=3, updates=40, **more)
    stuck = (Damage(7, "stuck_a1", 20), Damage(4, "stuck_b0", 10))
    signed = dataclasses.replace(IDEAL, sigma_V=0.05, sigma_kind="signed")
    jobs["first order, stuck"] = a_job(physics=signed, edge={"order": 1}, damage=stuck, schedule="p=0.3")
    return jobs


def in_rounds():
    """Jobs by the paper's clocked rules."""
    jobs = {}
    noisy = dataclasses.replace(IDEAL, offset_V=0.005, noise_V=0.01, mismatch=0.01, clamp_error_V=0.01)
    late = dataclasses.replace(IDEAL, lateness_us=8000.0)
    biased = dataclasses.replace(IDEAL, sigma_V=0.05)
    apart = {"start_taps": np.arange(0, 128, 8)}  # equal taps put outputs between two codes of an ADC
    for p in ("sync", "p=1", "p=0.3", "p=0.05", "oscillators=0.3"):
        jobs[f"lab16 {p}"] = a_job(targets=2, examples=3, task_seed=3, schedule=p, updates=200)
        jobs[f"planar {p}"] = a_job(PLANAR, targets=3, examples=2, task_seed=12, schedule=p, updates=60, seed=2**40)
        jobs[f"noisy {p}"] = a_job(targets=2, examples=3, schedule=p, physics=noisy, **apart, updates=100)
        damage = (Damage(3, "dead", 20.5), Damage(1, "cut", 40), Damage(7, "stuck_a1", 50), Damage(0, "dead", 70))
        more = {"schedule": p, "damage": damage, **apart}
        jobs[f"damage {p}"] = a_job(targets=2, examples=3, task_seed=2, updates=100, **more)
        jobs[f"late {p}"] = a_job(examples=3, schedule=p, physics=late, updates=50, clamp={"dwell_s": 0.23})
    jobs["sigma p=0.5"] = a_job(schedule="p=0.5", physics=biased)
    jobs["retraining p=0.5"] = retimed(a_job(lessons=2, examples=2, schedule="p=0.5", updates=100), 0, 50.2)
    # Rounds at the very microsecond of a change of example.
    jobs["together p=0.5"] = a_job(examples=3, schedule="p=0.5", clamp={"dwell_s": 0.1})
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
    gates = {
        "plain": {"f_V": 0.0, "theta_V": 0.0},
        "gated": {"f_V": 0.003, "theta_V": 0.02},
        "summed": {"f_V": 0.001, "theta_V": 0.04, "summed": True},
    }
    for front_end in ("adc", "pico_adc"):
        for name, values in physics.items():
            for threshold, gate in gates.items():
                if front_end == "pico_adc" and values is IDEAL:
                    continue  # half a drop between two sources is between two codes
                edge = {"front_end": front_end, **gate}
                job = a_job(targets=2, examples=3, physics=values, edge=edge, updates=80)
                jobs[f"{front_end} {name}, {threshold}"] = job
        calibrated = {"front_end": front_end, "calibrate": True, **gates["gated"]}
        for p in ("clockfree", "sync", "p=0.3"):
            more = {"physics": physics["board"], "edge": calibrated, "schedule": p}
            jobs[f"{front_end} calibrated {p}"] = a_job(targets=2, examples=3, updates=80, **more)
            jobs[f"{front_end} summed {p}"] = a_job(
                targets=2, examples=3, updates=80, **more | {"edge": calibrated | gates["summed"]}
            )  # fmt: skip
        damage = (Damage(3, "dead", 20), Damage(1, "cut", 40))
        jobs[f"{front_end} damage"] = a_job(examples=3, damage=damage, **more)
    jobs["planar calibrated"] = a_job(PLANAR, physics=physics["board"], edge=calibrated, updates=30, samples=3)
    floor = {"front_end": "adc", "calibrate": True, "f_V": 0.003}
    jobs["floor alone"] = a_job(physics=physics["board"], edge=floor, clamp={"eta": 1.0})
    return jobs


def with_trims():
    """Jobs in which a comparator's reference is trimmed, and looked at up to three times in a firing."""
    jobs = {}
    dithered, some = {"f_V": 0.003, "theta_V": 0.02}, {"theta_V": 0.0003}  # with the second many a gate is 0
    quiet = dataclasses.replace(IDEAL, offset_V=0.005)
    noisy = dataclasses.replace(BOARD, settle_us=0.0, clamp_us=0.0)
    for name, physics in {"perfect": IDEAL, "offset": quiet, "noise": noisy, "board": BOARD}.items():
        for gated, gate in {"plain": {}, "floor": {"f_V": 0.003}, "dithered": dithered, "some": some}.items():
            edge = {"front_end": "trimmed", **gate}
            jobs[f"trimmed {name}, {gated}"] = a_job(targets=2, examples=3, physics=physics, edge=edge, updates=80)
    # Firings begin while others wait for their trim to settle, examples change meanwhile, wipers move, all are late.
    often = {"front_end": "trimmed", "calibrate": True, "rate_hz": 200.0, "late_us": 3000, **some}
    late = {"age_us": 700, "skew_us": 400, "lateness_us": 300.0}
    for by in ("clockfree", "sync", "p=0.3", "p=0.05"):
        apart = {"start_taps": np.arange(4, 128, 8)}
        more = {"targets": 2, "examples": 3, "task_seed": 1, "schedule": by, "clamp": {"dwell_s": 0.0013}, **apart}
        nulled = {"front_end": "trimmed", "calibrate": True, **dithered}
        few = 30 if by == "p=0.05" else 80  # of twenty rounds each
        jobs[f"trimmed, nulled, {by}"] = a_job(physics=BOARD, edge=nulled, updates=few, **more)
        for name, physics in {"quiet": quiet, "board": BOARD, "late": dataclasses.replace(BOARD, **late)}.items():
            jobs[f"trimmed, often, {name}, {by}"] = a_job(physics=physics, edge=often, **more)
        damage = (Damage(3, "dead", 20.5), Damage(1, "cut", 40), Damage(7, "stuck_a1", 30), Damage(4, "stuck_b0", 10))
        jobs[f"trimmed, damage, {by}"] = a_job(physics=BOARD, edge=often, damage=damage, **more)
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
            more = {"physics": physics, "edge": often, "clamp": clamp, "schedule": by, "seed": 3}
            jobs[f"{name}, {by}"] = a_job(targets=2, examples=3, task_seed=1, updates=100, **more)
    damage = (Damage(3, "dead", 20.5), Damage(1, "cut", 40), Damage(7, "stuck_a1", 50))
    jobs["damage, all"] = a_job(examples=3, damage=damage, physics=physics, edge=often, clamp=clamp)
    for front_end in ("adc", "pico_adc"):
        edge = {"front_end": front_end, "calibrate": True, "f_V": 0.003, "theta_V": 0.02}
        for by in ("clockfree", "sync"):
            jobs[f"board, {front_end}, {by}"] = a_job(targets=2, examples=3, physics=BOARD, edge=edge, schedule=by)
        aged = dataclasses.replace(BOARD, age_us=300, skew_us=40)
        jobs[f"aged board, {front_end}"] = a_job(examples=3, physics=aged, edge=edge, clamp={"eta": 1.0})
    return jobs


def with_digital_clamps():
    """Jobs in which the clamp samples, and holds some time later: at once, before it samples again, or well after."""
    jobs = {}
    times = {"at once": (1000, 0), "soon": (900, 300), "late": (500, 1700), "hardly": (100_000, 40)}
    often = {"rate_hz": 300.0, "late_us": 3000}
    fronts = {"comparator": {}, "adc": {"f_V": 0.003}, "trimmed": {"calibrate": True, "theta_V": 0.0003}}
    late = {"age_us": 700, "skew_us": 400, "lateness_us": 100.0}
    for name, (period_us, delay_us) in times.items():
        digital = {"clamp_period_us": period_us, "clamp_delay_us": delay_us}
        quiet, board = (dataclasses.replace(each, **digital, clamp_us=0.0) for each in (IDEAL, BOARD))
        for front_end, settings in fronts.items():
            edge = {"front_end": front_end, **often, **settings}
            for by in ("clockfree", "p=0.3"):
                for physics in (quiet, board, dataclasses.replace(board, **late)):
                    more = {
                        "edge": edge,
                        "clamp": {"dwell_s": 0.0037},
                        "schedule": by,
                        "start_taps": np.arange(4, 128, 8),
                    }
                    kind = "quiet" if physics is quiet else "board" if physics is board else "late"
                    case = f"digital clamp, {name}, {front_end}, {kind}, {by}"
                    jobs[case] = a_job(targets=2, examples=3, task_seed=1, physics=physics, updates=30, **more)
    retrained = a_job(
        targets=2, examples=3, lessons=3, physics=board, clamp={"dwell_s": 0.0037}, updates=60, edge=often
    )
    jobs["digital clamp, retraining"] = retimed(retrained, 0, 20.3, 40)
    return jobs


def with_overclamps():
    """Jobs in which the supervisor looks at the outputs, and holds them some time later, or lets them go."""
    jobs = {}
    gated = {"front_end": "adc", "f_V": 0.02}
    often = {"rate_hz": 200.0, "late_us": 3000}
    fronts = {"comparator": (IDEAL, often), "adc": (BOARD, gated | often)}
    clamps = {
        "plain": {},
        "gain": {"gain": 1.5, "tolerance_V": 0.01, "release_V": 0.004},
        "hinge": {"hinge": 0.2, "dwell_s": 0.02},
    }
    for name, clamp in clamps.items():
        for front_end, (physics, edge) in fronts.items():
            for by in ("clockfree", "p=0.3"):
                more = {"clamp": {"kind": "overclamp", "dwell_s": 0.032, **clamp}, "schedule": by, "edge": edge}
                case = f"overclamp, {name}, {front_end}, {by}"
                jobs[case] = a_job(targets=2, examples=3, task_seed=1, physics=physics, updates=60, **more)
    retrained = a_job(targets=2, examples=2, lessons=2, physics=BOARD, **more | {"schedule": "clockfree"}, updates=60)
    jobs["overclamp, retraining"] = retimed(retrained, 0, 20.3)
    return jobs


CASES = cases()
