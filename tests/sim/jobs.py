"""Jobs made by hand, and the twin circuit solved again from recorded taps: numpy and nothing of the simulation."""

import dataclasses

import numpy as np

from clockfree_model.job import Job, Lesson
from clockfree_model.network import load
from clockfree_model.physics import IDEAL
from clockfree_model.settings import ClampSettings, EdgeSettings
from clockfree_sim.world.world import World

MASK = (1 << 30) - 1
NO_TRACE = np.empty((0, 6), dtype=np.int64)


def resistance(taps, rab_ohm=100e3):
    """The ideal preset's, ohm."""
    return (np.asarray(taps) + 1) * rab_ohm / 128


def solve(network, ohm, held, held_V):
    """Node voltages (nodes,), V, by one dense solve."""
    nodes = len(network.nodes)
    matrix = np.zeros((nodes, nodes))
    for (tail, head), r in zip(network.ends.tolist(), ohm, strict=True):
        matrix[tail, tail] += 1 / r
        matrix[head, head] += 1 / r
        matrix[tail, head] -= 1 / r
        matrix[head, tail] -= 1 / r
    right = np.zeros(nodes)
    for node, volts in zip(held, held_V, strict=True):
        matrix[node] = 0.0
        matrix[node, node] = matrix.diagonal().max()
        right[node] = matrix[node, node] * volts
    return np.linalg.solve(matrix, right)


def twins(job, ohm, source_V, desired_V, ohm_clamped=None, clamp_error_V=0.0):
    """Node voltages of both twins, V, with the clamp of eq. 1."""
    free = solve(job.network, ohm, job.sources, source_V)
    out = list(job.targets)
    clamped_V = free[out] + job.clamp.eta * (np.asarray(desired_V) - free[out]) + clamp_error_V
    held, held_V = [*job.sources, *out], [*source_V, *clamped_V]
    return free, solve(job.network, ohm if ohm_clamped is None else ohm_clamped, held, held_V)


def on_grid(volts, supply_V):
    """The nearest voltages that a 12-bit DAC has."""
    return np.clip(np.rint(np.asarray(volts) / supply_V * 4096), 0, 4095) * supply_V / 4096


def a_job(spec="lab16", task_seed=0, targets=1, examples=1, physics=IDEAL, edge=None, clamp=None, lessons=1, **more):
    """A teacher's job: two sources at the ends of what may be (drawn in between, if there are several examples).

    Every voltage is one that the DACs have, so that the lesson is what the network gets. An example is shown for 0.1 s,
    a round of the clocked rules at the default rate, where `clamp` says nothing else.
    """
    network = load(spec) if isinstance(spec, str) else spec
    rng = np.random.default_rng(task_seed)
    nodes = rng.permutation(len(network.nodes)).tolist()
    sources, outs = tuple(nodes[:2]), tuple(nodes[2 : 2 + targets])
    taught = []
    for i in range(lessons):
        ohm = resistance(rng.integers(0, 128, len(network.ends)))
        low, high = physics.margin_V, physics.supply_V - physics.margin_V
        drawn = rng.uniform(low, high, (examples, 2))
        source_V = on_grid([[low, high]] if examples == 1 else drawn, physics.supply_V)
        desired_V = np.array([solve(network, ohm, sources, row)[list(outs)] for row in source_V])
        taught.append(Lesson(f"lesson {i + 1}", 0.0, source_V, on_grid(desired_V, physics.supply_V)))
    more.setdefault("updates", 100)
    more.setdefault("samples", 10)
    return Job(
        network,
        sources,
        outs,
        tuple(taught),
        physics=physics,
        edge=EdgeSettings(**(edge or {})),
        clamp=ClampSettings(**{"dwell_s": 0.1, **(clamp or {})}),
        **more,
    )


def retimed(job, *from_updates):
    """The same job with its lessons beginning at these updates per edge."""
    lessons = zip(job.lessons, from_updates, strict=True)
    return dataclasses.replace(job, lessons=tuple(dataclasses.replace(part, from_updates=at) for part, at in lessons))


def run(job):
    """The world after a run, and its samples."""
    world = World(job)
    return world, list(world.run())


def trace(job):
    """All firings of a job: (n, 6) integers."""
    _, samples = run(dataclasses.replace(job, trace=True))
    return np.array([row for sample in samples for row in sample.trace]).reshape(-1, 6)


def same(one, other):
    """Whether two samples agree in every bit."""
    for name, value in vars(one).items():
        theirs = getattr(other, name)
        if isinstance(value, np.ndarray):
            if value.tobytes() != theirs.tobytes():
                return False
        elif value != theirs and not (value != value and theirs != theirs):
            return False
    return True
