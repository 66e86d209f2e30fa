"""Edge updates per second of a batch: 1,000 seeds of one task on 16 edges, 1,500 updates per edge each, on one core.

Ours are whole runs: set-up, clocks, supervisor and the last sample are included. The two baselines have the rule and
the circuit alone: one random edge a step, whose drops decide by the sign rule, and a change of the dense inverse by
Sherman and Morrison; no clock, no supervisor, no imperfection, and nothing is made anew when roundings add up. Waits
that are drawn from an exponential make the next edge to fire a random one, so all three learn the same, and that is
checked: the outputs against direct solves, and the errors that the batches end with against each other.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from _baseline import one_thread
from _batch_baselines import Reduced, jax_batch, numba_batch
from _record import record, row

from clockfree.task.plan import make_plan
from clockfree_model.job import Job
from clockfree_model.parts import POTS
from clockfree_sim.circuit.direct import solve
from clockfree_sim.compiled import batch

EXAMPLE = Path(__file__).parents[2] / "examples/allostery.toml"
SEEDS = range(1000)
REPEATS = 3
MOST_OFF_V = 1e-6
"""Of the baselines' outputs, which drift with roundings, from a direct solve."""
MOST_APART = 1.5
"""Ratio of two geometric means of a thousand final errors, whose standard deviation is a tenth."""


def ours(job: Job, seeds: Sequence[int]) -> np.ndarray:
    """Taps (N, E) at the end of the runs of a job with these seeds."""
    return batch.run(job, seeds).taps


def outputs_V(job: Job, taps: np.ndarray) -> np.ndarray:
    """The output of every run at its taps, V (N,), by direct solves."""
    network, source_V = job.network, job.lessons[0].source_V
    resistances = (job.physics.resistance(each, POTS[job.edge.pot]) for each in taps)
    solved = (solve(len(network.nodes), network.ends, 1.0 / ohm, job.sources, source_V)[0] for ohm in resistances)
    return np.array([voltage[job.targets[0]] for voltage in solved])


def timed(run: Callable[[], object]) -> tuple[object, float]:
    begun = time.process_time()
    found = run()
    return found, time.process_time() - begun


def main() -> None:
    one_thread()
    job = replace(make_plan(EXAMPLE, {}, [], False).job, samples=1)
    edges, desired_V = len(job.network.ends), job.lessons[0].desired_V[0, 0]
    steps = job.updates * edges
    ours(job, SEEDS[:1])  # compiled, or loaded
    taps, ours_s = timed(lambda: ours(job, SEEDS))
    error_V2 = np.exp(np.log((outputs_V(job, taps) - desired_V) ** 2).mean())
    rate, what = len(SEEDS) * steps / ours_s, f"{len(SEEDS):,} seeds x {job.updates:,} updates x {edges} edges"
    print(f"{what}: {rate / 1e6:.1f} M/s; error at the end {error_V2:.2e} V^2 (geometric mean)", flush=True)
    rows = []
    for against, make in (("a batch mapped and compiled by JAX", jax_batch), ("a bare loop of numba", numba_batch)):
        compiled, compiling_s = timed(partial(make, Reduced(job), len(SEEDS), steps))
        if compiled is None:
            print(f"  {against}: not here")
            continue
        runs = [timed(compiled) for _ in range(REPEATS)]
        (their_taps, their_V), seconds = runs[0][0], min(each for _, each in runs)
        true_V = outputs_V(job, their_taps)
        off, their_error_V2 = np.abs(their_V - true_V).max(), np.exp(np.log((true_V - desired_V) ** 2).mean())
        if off > MOST_OFF_V or not 1 / MOST_APART < their_error_V2 / error_V2 < MOST_APART:
            sys.exit(f"{against}: {off:.1e} V off a direct solve, and ends at {their_error_V2:.2e} V^2")
        each, all_ = (len(SEEDS) * steps / s for s in (seconds, seconds + compiling_s))
        print(
            f"  {rate / each:.2f} times {against} ({each / 1e6:.1f} M/s; with its compilation of {compiling_s:.1f} s "
            f"{all_ / 1e6:.1f} M/s; {off:.0e} V off a direct solve; error at the end {their_error_V2:.2e} V^2)",
            flush=True,
        )
        rows.append(row(what, rate, "steps/s", each, against))
        rows.append(row(what, rate, "steps/s", all_, f"{against}, with its compilation"))
    record(rows)


if __name__ == "__main__":
    main()
