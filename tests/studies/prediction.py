"""Coverage of `clockfree predict`: benches drawn with imperfections of their own, and where the errors of runs lie.

`python tests/studies/prediction.py [COUNT]`: a line for each bench, then the share inside and the width of intervals.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from clockfree.api.observing import observer
from clockfree.runs.prediction import predict
from clockfree.task.plan import make_plan
from clockfree_sim.sweep.fitted import trims
from clockfree_sim.sweep.seeds import run_seeds

TASK = Path(__file__).parents[2] / "examples/allostery.toml"
DRAWN = {"offset_V": (0.002, 0.01), "noise_V": (0.0002, 0.001), "mismatch": (0.001, 0.005)}
"""Imperfections, from and to, evenly in their logarithm."""


def main(count: int) -> None:
    """Print what was found."""
    inside, widths = 0, []
    for number in range(count):
        random = np.random.default_rng([11, number])
        plan = make_plan(TASK, {"preset": "board", "task_seed": str(number)}, ["placement.targets=3"], False)
        drawn = {name: float(np.exp(random.uniform(*np.log(ends)))) for name, ends in DRAWN.items()}
        bench = replace(plan.job, physics=replace(plan.job.physics, **drawn), seed=10_000 + number)
        found = predict(plan.job, trims(bench), None, observer(None))
        (error_V2,) = run_seeds(bench, [bench.seed])[1].final_errors()
        low_V2, high_V2 = found.interval_V2
        inside += low_V2 <= error_V2 <= high_V2
        widths.append(high_V2 / low_V2)
        said = ", ".join(
            f"{name} {value:.2g} ({getattr(found.job.physics, name):.2g})" for name, value in drawn.items()
        )
        print(f"{number}: {error_V2:.2e} in {low_V2:.2e} .. {high_V2:.2e}: {said}; {found.limits()}", flush=True)
    apart = f"{min(widths):.3g} .. {max(widths):.3g} times apart, {np.median(widths):.3g} mostly"
    print(f"inside {inside} of {count}; ends {apart}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
