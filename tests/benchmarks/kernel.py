"""Firings per second of compiled clock-free runs, nearly all of them stepping, and a dense solver beside them.

Two examples ask the output to move either way from where it stands, and change places about as often as an edge fires:
taps wander over their whole range, and only the steps beyond its ends are lost. Clock, rule, order and change of the
examples, the supervisor's readings and the samples are included; setting up is not. Times are of this process alone.
"""

import statistics
import time

import numpy as np
from _baseline import dense_rate, one_thread, record
from clockfree_sim.job import ClampSettings, Job, Lesson
from clockfree_sim.kernel import Kernel
from clockfree_sim.network import load

REPEATS = 5
SOURCE_V, OFF_V = [0.0, 4.9], 0.2
CASES = {  # firings of each repeat, and of the dense solver
    "lab16": (2_000_000, 400),
    "planar:64:143:0": (1_000_000, 400),
    "square:23x23": (500_000, 40),
    "square:71x71": (100_000, 1),
}


def job_of(spec: str, firings: int) -> Job:
    """Sources at two corners, the output half way; a sample after each repeat."""
    network = load(spec)
    across = np.argsort(network.positions.sum(axis=1), kind="stable").tolist()
    sources, target = (across[0], across[-1]), across[len(across) // 2]
    now = Lesson("", 0.0, np.array([SOURCE_V]), np.zeros((1, 1)))
    stands_V = next(Kernel(Job(network, sources, (target,), (now,))).run()).outputs_V
    either_way = Lesson("", 0.0, np.array([SOURCE_V, SOURCE_V]), np.vstack([stands_V - OFF_V, stands_V + OFF_V]))
    updates = -(-REPEATS * firings // len(network.ends))
    clamp = ClampSettings(eta=0.25)
    return Job(network, sources, (target,), (either_way,), clamp=clamp, updates=updates, samples=REPEATS)


def rates(job: Job) -> tuple[list[float], float]:
    """Firings per second of each repeat, and the share of firings that stepped."""
    run = Kernel(job).run()
    last = next(run)
    found = []
    begun = time.process_time()
    for sample in run:
        seconds = time.process_time() - begun
        found.append((sum(sample.counters["firings"]) - sum(last.counters["firings"])) / seconds)
        last = sample
        begun = time.process_time()
    stepped = sum(last.counters["up"]) + sum(last.counters["down"])
    return found, stepped / sum(last.counters["firings"])


def main() -> None:
    one_thread()
    rows = []
    for spec, (firings, solves) in CASES.items():
        job = job_of(spec, firings)
        found, share = rates(job)
        rate, dense = statistics.median(found), dense_rate(job, solves)
        edges = len(job.network.ends)
        print(
            f"kernel, {edges} edges: {rate:,.0f} firings/s ({min(found):,.0f} .. {max(found):,.0f}; {share:.1%} of "
            f"them step); {rate / dense:,.0f} times a dense solve of both twins per firing ({dense:,.1f}/s)",
            flush=True,
        )
        name = f"kernel, {edges} edges, nearly all firings step"
        rows.append({"name": name, "value": rate, "unit": "firings/s", "baseline": dense, "ratio": rate / dense})
    record(rows)


if __name__ == "__main__":
    main()
