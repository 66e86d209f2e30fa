"""What benchmarks are held against, and where their numbers go."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from clockfree_sim.direct import laplacian
from clockfree_sim.job import Job

RECORD = Path("build/bench.json")


def one_thread() -> None:
    """Begin again with linear algebra held to one thread, which it takes note of when it is imported."""
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.argv])


def record(rows: list[dict]) -> None:
    """Put rows of name, value, unit, baseline and ratio into the record, in place of those of the same names."""
    RECORD.parent.mkdir(exist_ok=True)
    kept = json.loads(RECORD.read_text()) if RECORD.exists() else []
    names = {row["name"] for row in rows}
    RECORD.write_text(json.dumps([row for row in kept if row["name"] not in names] + rows, indent=1))


def dense_rate(job: Job, firings: int = 400) -> float:
    """Firings per second when both twins are solved anew, dense, at every firing: the solves alone, no edge code."""
    rng = np.random.default_rng(0)
    nodes, ends = len(job.network.nodes), job.network.ends
    sources, targets = list(job.sources), list(job.targets)
    free = [n for n in range(nodes) if n not in sources]
    clamped = [n for n in free if n not in targets]
    held = sources + targets
    g = 1.0 / job.physics.resistance(rng.integers(job.physics.lowest_tap(), 128, len(ends)))
    matrix = laplacian(nodes, ends, g).toarray()
    source_V, held_V = np.ones(len(sources)), np.ones(len(held))
    begun = time.process_time()
    for _ in range(firings):
        tail, head = ends[rng.integers(len(ends))]
        matrix[[tail, head], [tail, head]] += 1e-9
        matrix[[tail, head], [head, tail]] -= 1e-9
        np.linalg.solve(matrix[np.ix_(free, free)], -matrix[np.ix_(free, sources)] @ source_V)
        np.linalg.solve(matrix[np.ix_(clamped, clamped)], -matrix[np.ix_(clamped, held)] @ held_V)
    return firings / (time.process_time() - begun)
