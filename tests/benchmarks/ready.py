"""Seconds of a core that setting up a compiled run of 9,940 edges takes, beside one direct solve of both twins.

Compiled code is loaded before, by a smaller network that is solved the same way. The best of three counts.
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from _baseline import one_thread
from _record import record, row

from clockfree.task.plan import make_plan
from clockfree_model.job import Job
from clockfree_model.parts import POTS
from clockfree_sim.circuit.direct import solve
from clockfree_sim.compiled.kernel import Kernel

REPEATS = 3
NETWORK, SMALLER = "square:71x71", "square:16x16"
EXAMPLE = Path(__file__).parents[2] / "examples/allostery.toml"


def best_s(do: Callable[[], object]) -> float:
    """Least of some repeats, seconds of this process."""
    found = []
    for _ in range(REPEATS):
        begun = time.process_time()
        do()
        found.append(time.process_time() - begun)
    return min(found)


def job_of(network: str, preset: str) -> Job:
    return make_plan(EXAMPLE, {"network": network, "preset": preset}, [], False).job


def both_twins(job: Job) -> None:
    """Node voltages of both twins at the taps they start from, by two direct solves."""
    network, lesson, pot = job.network, job.lessons[0], POTS[job.edge.pot]
    nodes, targets = len(network.nodes), list(job.targets)
    g = 1.0 / job.physics.resistance(np.full(len(network.ends), pot.start_tap), pot)
    free_V = solve(nodes, network.ends, g, job.sources, lesson.source_V[:1])[0]
    clamp_V = free_V[targets] + job.clamp.eta * (lesson.desired_V[0] - free_V[targets])
    solve(nodes, network.ends, g, (*job.sources, *targets), np.concatenate([lesson.source_V[0], clamp_V]))


def main() -> None:
    one_thread()
    rows = []
    for preset, what in (("ideal", "ideal"), ("board", "board, with calibration")):
        Kernel(job_of(SMALLER, preset))
        job = job_of(NETWORK, preset)
        value, baseline = best_s(partial(Kernel, job)), best_s(partial(both_twins, job))
        name = f"set-up of a kernel, {len(job.network.ends)} edges, {what}"
        print(f"{name}: {value:.2f} s; one direct solve of both twins: {baseline:.3f} s", flush=True)
        rows.append(row(name, value, "s", baseline, "one direct solve of both twins"))
    record(rows)


if __name__ == "__main__":
    main()
