"""Firings per second of compiled clock-free runs, nearly all of them stepping, and other solvers beside them.

Two examples ask the output to move either way from where it stands, and change places about as often as an edge fires:
taps wander over their whole range, and only the steps beyond its ends are lost. Clock, rule, order and change of the
examples, the supervisor's readings and the samples are included; setting up is not. Times are of this process alone.

Beside it: both twins solved anew, dense, at every firing; ngspice's operating point of both twins, a process for each;
and the paper's synchronous rule on a dense solver compiled by JAX, where one pair of solves serves all edges. After the
run, a million firings and more later, all drops are held against a direct solve.
"""

import statistics
import sys
import time

import numpy as np
from _baseline import dense_rate, jax_rate, ngspice_rate, one_thread
from _record import record, row

from clockfree_model.job import Job, Lesson
from clockfree_model.network import load
from clockfree_model.parts import POTS
from clockfree_model.settings import ClampSettings, EdgeSettings
from clockfree_sim.circuit.direct import solve
from clockfree_sim.compiled.kernel import Kernel

REPEATS = 5
SOURCE_V, OFF_V = [0.0, 4.9], 0.2
CASES = {  # firings of each repeat, and of the dense solver
    "lab16": (2_000_000, 400),
    "planar:64:143:0": (1_000_000, 400),
    "square:23x23": (500_000, 40),
    "square:71x71": (200_000, 1),
}
MOST_OFF_V = 1e-9


def job_of(spec: str, firings: int) -> Job:
    """Sources at two corners, the output half way; a sample after each repeat."""
    network = load(spec)
    across = np.argsort(network.positions.sum(axis=1), kind="stable").tolist()
    sources, target = (across[0], across[-1]), across[len(across) // 2]
    now = Lesson("", 0.0, np.array([SOURCE_V]), np.zeros((1, 1)))
    stands_V = next(Kernel(Job(network, sources, (target,), (now,))).run()).outputs_V
    either_way = Lesson("", 0.0, np.array([SOURCE_V, SOURCE_V]), np.vstack([stands_V - OFF_V, stands_V + OFF_V]))
    updates = -(-REPEATS * firings // len(network.ends))
    clamp = ClampSettings(eta=0.25, dwell_s=1 / EdgeSettings().rate_hz)
    return Job(network, sources, (target,), (either_way,), clamp=clamp, updates=updates, samples=REPEATS)


def off_V(kernel: Kernel, job: Job, taps: np.ndarray) -> float:
    """Largest difference between a drop of either twin, as the kernel has it, and a direct solve, V."""
    circuit, network, lesson = kernel.plant.circuit, job.network, job.lessons[0]
    source_V, desired_V = lesson.source_V[0], lesson.desired_V[0]
    circuit.example(source_V, desired_V, job.clamp.eta)
    found_V = np.array([circuit.drops(edge) for edge in range(len(network.ends))])
    g_free_S, nodes, outputs = (
        1.0 / job.physics.resistance(taps, POTS[job.edge.pot]),
        len(network.nodes),
        list(job.targets),
    )
    free_V = solve(nodes, network.ends, g_free_S, job.sources, source_V)[0]
    eta = job.physics.mixer_eta(job.clamp.eta)
    clamp_V = free_V[outputs] + eta * (desired_V - free_V[outputs])
    held, held_V = (*job.sources, *job.targets), np.concatenate([source_V, clamp_V])
    clamped_V = solve(nodes, network.ends, g_free_S, held, held_V)[0]
    tail, head = network.ends.T
    true_V = np.column_stack([volts[tail] - volts[head] for volts in (free_V, clamped_V)])
    return float(np.abs(found_V - true_V).max())


def rates(job: Job) -> tuple[list[float], float, float]:
    """Firings per second of each repeat, the share of firings that stepped, and `off_V` at the end."""
    kernel = Kernel(job)
    run = kernel.run()
    last = next(run)
    found = []
    begun = time.process_time()
    for sample in run:
        seconds = time.process_time() - begun
        found.append((sum(sample.counters["firings"]) - sum(last.counters["firings"])) / seconds)
        last = sample
        begun = time.process_time()
    stepped = sum(last.counters["up"]) + sum(last.counters["down"])
    return found, stepped / sum(last.counters["firings"]), off_V(kernel, job, last.taps)


def main() -> None:
    one_thread()
    rows = []
    for spec, (firings, solves) in CASES.items():
        job = job_of(spec, firings)
        found, share, off = rates(job)
        if off > MOST_OFF_V:
            sys.exit(f"{spec}: drops are {off:.1e} V off a direct solve, more than {MOST_OFF_V:.0e} V")
        rate, edges = statistics.median(found), len(job.network.ends)
        beside = {
            "a dense solve of both twins per firing": dense_rate(job, solves),
            "synchronous edge updates on a dense solver (JAX)": jax_rate(job),
            "ngspice's operating point of both twins per firing": ngspice_rate(job),
        }
        print(
            f"kernel, {edges} edges: {rate:,.0f} firings/s ({min(found):,.0f} .. {max(found):,.0f}; {share:.1%} of "
            f"them step; drops {off:.0e} V off a direct solve at the end)",
            flush=True,
        )
        for against, each in beside.items():
            if each is None:
                print(f"  {against}: not here")
                continue
            print(f"  {rate / each:,.1f} times {against} ({each:,.4g}/s)", flush=True)
            rows.append(row(f"{edges} edges, nearly all firings step", rate, "firings/s", each, against))
    record(rows)


if __name__ == "__main__":
    main()
