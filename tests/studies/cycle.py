"""Synchronous runs that end in a cycle of two rounds: the error printed, a sum over every round, a mean of samples.

Random regular graphs of networkx (200 nodes; graph, placement and teacher by the seed), two sources, one output that a
teacher can reach, `ideal` preset; 1,000, 1,001 and 1,500 updates per edge. The sum knows of clockfree which edge
stepped to where, and nothing else: the network is solved anew, dense, at every round.
"""

import argparse

import networkx as nx
import numpy as np

import clockfree as cf
from clockfree_model.final import error_at

NODES = 200
UPDATES = (1000, 1001, 1500)
START_TAP, STEP_OHM = 64, 100_000 / 128
"""Of the ideal potentiometers, 128 levels of 100 kohm in all: R = (tap + 1) steps."""


def task_of(degree: int, seed: int) -> cf.Task:
    """Sources at 0 V and 5 V and an output; which nodes is drawn."""
    graph = nx.random_regular_graph(degree, NODES, seed=seed)
    low, high, target = np.random.default_rng(seed).choice(NODES, 3, replace=False).tolist()
    return cf.Task(
        network=graph, sources=[low, high], targets=[target], source_V=[[0, 5]], teacher=True, task_seed=seed
    )


def error_V2(job, taps: np.ndarray) -> float:
    """Error of the network with these taps (E,), by a dense solve."""
    nodes, (tail, head), (lesson,) = len(job.network.nodes), job.network.ends.T, job.lessons
    laplacian = np.zeros((nodes, nodes))
    np.add.at(laplacian, (tail, head), -1 / ((taps + 1) * STEP_OHM))
    laplacian += laplacian.T
    np.fill_diagonal(laplacian, -laplacian.sum(axis=1))
    free = np.setdiff1d(np.arange(nodes), job.sources)
    currents = -laplacian[np.ix_(free, job.sources)] @ lesson.source_V[0]
    volts = np.linalg.solve(laplacian[np.ix_(free, free)], currents)
    return float((volts[np.searchsorted(free, job.targets[0])] - lesson.desired_V[0, 0]) ** 2)


def summed_V2(run: cf.Run, rounds: int) -> float:
    """Mean error of the states that the last rounds of a run found."""
    job, edge, tap = run.record.job, run.firings.edge.values, run.firings.tap_after.values
    edges = len(job.network.ends)
    taps, found = np.full(edges, START_TAP), []
    for i in range(job.updates):
        if i >= job.updates - rounds:
            found.append(error_V2(job, taps))
        now = slice(i * edges, (i + 1) * edges)
        taps[edge[now]] = tap[now]
    return float(np.mean(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--degree", type=int, nargs="+", default=[3, 4, 6])
    parser.add_argument("--seed", type=int, nargs="+", default=range(4))
    asked = parser.parse_args()
    for degree in asked.degree:
        for seed in asked.seed:
            for updates in UPDATES:
                run = cf.run(task_of(degree, seed), rule="sync", updates=updates, trace=True)
                data = run.data
                sampled_V2 = error_at(data.updates.values, data.error.values, updates)
                begin = data.updates.values[np.argmin(np.abs(data.updates.values - 0.8 * updates))]
                summed = summed_V2(run, round(updates - begin))
                off = run.final_error_V2 / summed - 1
                print(
                    f"degree {degree}, seed {seed}, {updates} updates: printed {run.final_error_V2:.3e} V^2, sum over "
                    f"every round {summed:.3e} V^2 ({off:+.0e}), mean of samples {sampled_V2:.3e} V^2",
                    flush=True,
                )


if __name__ == "__main__":
    main()
