"""What the exact error costs: firings per second of compiled clock-free runs with it and without.

The error of every state between two steps is worked out at every step. Without it the same compiled loop runs with a
meter that has no rows. Runs with and without it take turns, and times are of this process alone.
"""

import time

import numpy as np
from _baseline import one_thread
from _record import record, row

from clockfree_model.job import Job
from clockfree_sim.circuit import elimination, meter
from clockfree_sim.compiled.kernel import Kernel
from clockfree_sim.paper.discrete import job
from clockfree_sim.paper.tasks import LARGE, Kind, make_task

TURNS, SAMPLES = 5, 5
CASES = {  # firings of each sample
    Kind(LARGE, 1): 200_000,
    Kind(LARGE, 3): 200_000,
    Kind(LARGE, 2, 16): 200_000,
    Kind("lab16", 1): 400_000,
    Kind("lab16", 2, 16): 400_000,
}


def firings_per_s(job: Job, metered: bool) -> list[float]:
    """Of each sample of a run."""
    kernel, found = Kernel(job), []
    run = kernel.run()
    next(run)
    if not metered:
        circuit = kernel.plant.circuit
        circuit.state[circuit.plan[elimination.S_METER] + meter.ROWS] = 0.0
    begun = time.process_time()
    for _ in run:
        found.append(job.updates * len(job.network.ends) / job.samples / (time.process_time() - begun))
        begun = time.process_time()
    return found


def main() -> None:
    one_thread()
    rows = []
    for kind, firings in CASES.items():
        task = make_task(kind, 0)
        edges = len(task.network.ends)
        made = job(task, 0, updates=SAMPLES * firings // edges, samples=SAMPLES)
        firings_per_s(made, True)  # compiles
        rates: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(TURNS):
            for metered in rates:
                rates[metered] += firings_per_s(made, metered)
        # Whatever else the machine does only takes time away: the best of each are what the loop does.
        with_it, without = (float(np.quantile(each, 0.9)) for each in rates.values())
        name = f"{edges} edges, {kind}"
        print(f"{name}: {with_it:,.0f} firings/s, {with_it / without:.3f} of those without the exact error", flush=True)
        rows.append(row(name, with_it, "firings/s", without, "the same without the exact error"))
    record(rows)


if __name__ == "__main__":
    main()
