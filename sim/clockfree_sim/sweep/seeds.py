"""Runs of one job with many seeds, by whichever engine is the fastest that can run it."""

from collections.abc import Sequence
from dataclasses import replace

from clockfree_model.job import Job
from clockfree_sim.plant.outcomes import Outcomes, joined, outcome


def run_seeds(job: Job, seeds: Sequence[int], threads: int = 1) -> tuple[str, Outcomes]:
    """The engine, and what the runs came to: the same numbers by each of them.

    A batch of compiled kernels where edges have clocks of their own; a kernel for each seed by a rule of rounds; the
    simulated bench where the kernel lacks something (`kernel.check`). Threads share a batch alone.
    """
    # Compiled, slow to load: whoever sends points to workers does without.
    from clockfree_sim.compiled import batch, kernel
    from clockfree_sim.world.world import World

    job = replace(job, trace=False)
    try:
        kernel.check(job)
    except ValueError:
        return "world", joined([outcome(seed, list(World(replace(job, seed=seed)).run())) for seed in seeds])
    if job.schedule == "clockfree":
        return "kernel", batch.run(job, seeds, threads)
    return "kernel", joined([outcome(seed, list(kernel.Kernel(replace(job, seed=seed)).run())) for seed in seeds])
