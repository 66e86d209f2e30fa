"""Time per firing and memory of compiled runs, from 16 to 20,000 edges: build/scaling.png and the record of benchmarks.

Each size runs in a process of its own; its memory is what that process has at most, less what it has with everything
loaded and nothing built.
"""

import json
import multiprocessing
import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _baseline import one_thread
from _record import record, row
from kernel import job_of, rates

PICTURE = Path("build/scaling.png")
SIZES = {  # firings of each repeat
    "lab16": 1_000_000,
    "square:6x6": 1_000_000,
    "planar:64:143:0": 500_000,
    "square:16x16": 300_000,
    "square:23x23": 200_000,
    "square:39x39": 100_000,
    "square:71x71": 50_000,
    "square:100x100": 30_000,
}


def most_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def cost(spec: str, firings: int) -> dict:
    """Edges, nodes, us per firing, MB and seconds of setting up."""
    rates(job_of("lab16", 1000))  # everything compiled or loaded
    before_mb = most_mb()
    begun_s = time.monotonic()
    job = job_of(spec, firings)
    ready_s = time.monotonic() - begun_s
    found, share, _ = rates(job)
    network = job.network
    return {"edges": len(network.ends), "nodes": len(network.nodes), "us": 1e6 / statistics.median(found),
            "mb": most_mb() - before_mb, "ready_s": ready_s, "share": share}  # fmt: skip


def draw(found: list[dict]) -> None:
    edges, us, mb = ([each[key] for each in found] for key in ("edges", "us", "mb"))
    slope = np.polyfit(np.log(edges[-4:]), np.log(us[-4:]), 1)[0]
    drawn, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    left.loglog(edges, us, "o-", color="#17406d")
    left.set(xlabel="edges", ylabel="time per firing, µs", title=f"grows as edges$^{{{slope:.2f}}}$ at the end")
    right.loglog(edges, mb, "o-", color="#17406d")
    right.set(xlabel="edges", ylabel="memory, MB", title="of one run")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    drawn.suptitle("Compiled clock-free runs: one core, float64, nearly all firings step")
    PICTURE.parent.mkdir(exist_ok=True)
    drawn.savefig(PICTURE, dpi=160)


def main() -> None:
    one_thread()
    found = []
    for spec, firings in SIZES.items():
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            each = pool.submit(cost, spec, firings).result()
        found.append(each)
        print(
            f"{each['edges']} edges, {each['nodes']} nodes: {each['us']:.3f} us per firing ({each['share']:.1%} step), "
            f"{each['mb']:.0f} MB, ready in {each['ready_s']:.1f} s",
            flush=True,
        )
    draw(found)
    first = found[0]
    record(
        [
            row(f"time per firing, {each['edges']} edges", each["us"], "us", first["us"], f"{first['edges']} edges")
            for each in found[1:]
        ]
    )
    print(f"{PICTURE}: {json.dumps([each['edges'] for each in found])} edges", file=sys.stderr)


if __name__ == "__main__":
    main()
