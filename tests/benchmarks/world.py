"""Firings per second of the real Edge objects in virtual time, where the time goes, and a dense solver beside it.

Every run writes its log as `clockfree run` does. Times are of this process alone (one thread), so that others on the
machine disturb less. The shares come from one more run with a stop watch around every firing and, within it, around
every change of the circuit; the watch's own time is taken off. Edge code is the firing without the circuit: firmware,
drivers, and the simulated chips that decode what they send. The rest is bookkeeping: virtual time, sampling, log.
"""

import statistics
import tempfile
import time
from pathlib import Path

from _baseline import dense_rate, one_thread
from _record import record, row

from clockfree.bench.simulated import SimBench
from clockfree.runs.runlog import RunLog
from clockfree.task.plan import make_plan
from clockfree_board.edge import Edge
from clockfree_sim.circuit.twins import Circuit

REPEATS = 5
TASK = """
network = "{network}"
preset = "{preset}"
updates = {updates}
[placement]
sources = 2
targets = 3
[[lesson]]
teacher = true
[edge]
{edge}
[clamp]
eta = 1.0
"""
CASES = {
    "ideal, comparators, MCP42xx, 16 edges": ("lab16", "ideal", 3000, ""),
    "ideal, comparators, MCP42xx, 143 edges": ("planar:64:143:0", "ideal", 700, ""),
    "board, MCP3204, plain rule, 143 edges": (
        "planar:64:143:0", "board", 300, "calibrate = false\nf_V = 0.0\ntheta_V = 0.0",
    ),
    "board, MCP3204, calibrated, summed, 143 edges": ("planar:64:143:0", "board", 300, ""),
}  # fmt: skip


def plan_of(case: str, folder: Path):
    network, preset, updates, edge = CASES[case]
    file = folder / "task.toml"
    file.write_text(TASK.format(network=network, preset=preset, updates=updates, edge=edge))
    return make_plan(file, {}, [], False)


def whole(plan, folder: Path, clock=time.process_time) -> tuple[float, int, int]:
    """Seconds of a run with its log, its firings and its steps."""
    bench = SimBench()
    bench.start(plan.job)
    about = {
        "task": "speed",
        "bench": "sim",
        "preset": plan.preset,
        "task_seed": 0,
        "best_error_V2": [],
        "baselines": [],
    }
    out = folder / f"run-{time.monotonic_ns()}"
    out.mkdir()
    log = RunLog(out, plan.job, about)
    begun = clock()
    for sample in bench.run():
        log.sample(sample, None)
    seconds = clock() - begun
    log.end("done")
    firings = sum(sample.counters["firings"])
    return seconds, firings, sum(sample.counters["up"]) + sum(sample.counters["down"])


class Watch:
    """Adds up the time spent in what it wraps."""

    def __init__(self):
        self.seconds, self.calls = 0.0, 0

    def around(self, function):
        def timed(*args):
            begun = time.perf_counter()
            result = function(*args)
            self.seconds += time.perf_counter() - begun
            self.calls += 1
            return result

        return timed

    @classmethod
    def own_seconds(cls) -> float:
        """What one wrapped call costs by itself, call and all."""
        watch, empty = cls(), lambda now_us: None
        timed = watch.around(empty)
        begun = time.perf_counter()
        for _ in range(200_000):
            timed(0)
        return (time.perf_counter() - begun) / watch.calls


def shares(plan, folder: Path) -> tuple[float, float, float]:
    """Shares of edge code, circuit and bookkeeping in one run."""
    fire, change = Watch(), Watch()
    plain_step, plain_fire = Circuit.step, Edge.fire
    Circuit.step, Edge.fire = change.around(plain_step), fire.around(plain_fire)
    try:
        seconds, _, _ = whole(plan, folder, time.perf_counter)
    finally:
        Circuit.step, Edge.fire = plain_step, plain_fire
    own = Watch.own_seconds()
    circuit = change.seconds
    edge = fire.seconds - circuit - own * change.calls
    total = seconds - own * (change.calls + fire.calls)
    return edge / total, circuit / total, 1.0 - (edge + circuit) / total


def main() -> None:
    one_thread()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for case in CASES:
            plan = plan_of(case, Path(name))
            whole(plan, Path(name))  # warm: compiled code loaded
            runs = [whole(plan, Path(name)) for _ in range(REPEATS)]
            rate = statistics.median(firings / seconds for seconds, firings, _ in runs)
            dense = dense_rate(plan.job)
            edge, circuit, books = shares(plan, Path(name))
            print(
                f"{case}: {rate:,.0f} firings/s ({runs[0][2] / runs[0][1]:.0%} of them step); time in edge code "
                f"{edge:.0%}, circuit {circuit:.0%}, bookkeeping {books:.0%}; "
                f"{rate / dense:.1f} times a dense solve of both twins per firing ({dense:,.0f}/s)",
                flush=True,
            )
            rows.append(row(case, rate, "firings/s", dense, "a dense solve of both twins per firing"))
    record(rows)


if __name__ == "__main__":
    main()
