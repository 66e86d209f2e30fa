"""Virtual boards in wall time: how many are held at 10 firings/s/edge, and how often sixteen are read while they learn.

Held means: for a minute every edge's board fires by its own clock, at most 1% of the firings are overdue and dropped,
and what the host was told is whole, firing by firing, but for the gaps that it reports. Read-out means all taps, and
the drops of edges with an ADC; the same run without any read-out is the baseline of its firing rate.
"""

import argparse
import os
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from _record import WANTED, record, row

from clockfree.bench.boards import BoardBench
from clockfree.bench.virtual import VirtualBench, VirtualRack, made_up
from clockfree.runs.live import Look, Watcher
from clockfree.task.plan import make_plan
from clockfree_model.job import Job

NETWORKS = ("planar:64:143:0", "planar:48:107:0", "planar:36:80:0", "square:6x6")
MOST_DROPPED = 0.01
ADC = ("preset=board", "edge.calibrate=false")
LOOK_S = 0.08
EXAMPLE = Path(__file__).parents[2] / "examples/allostery.toml"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Quiet:
    """Nobody is told anything."""

    def say(self, text: str) -> None:
        print(f"  {text}", file=sys.stderr)

    def share(self, doing: str, done: float) -> None:
        pass


def cpu_s(process: int) -> float:
    """Seconds of a core that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def job_of(network: str, sets: list[str], seconds: float, trace: bool) -> Job:
    plan = make_plan(EXAMPLE, {"network": network}, sets, trace)
    return replace(plan.job, updates=round(seconds * plan.job.edge.rate_hz))


def learn(job: Job) -> dict:
    """One run on virtual boards: what the boards did, what the host was told, and what it cost."""
    bench = VirtualBench()
    begun_s = time.monotonic()
    try:
        bench.start(job, Quiet())
        ready_s = time.monotonic() - begun_s
        rack = bench._rack.boards
        vms = [rack.told(board.name)["process"] for board in bench.bench.every_board]
        parts = {"host": [os.getpid()], "circuit": [rack._child.pid], "boards": vms}
        run = bench.run()
        samples = [next(run)]
        before = {name: sum(map(cpu_s, processes)) for name, processes in parts.items()}
        begun_s = time.monotonic()
        for sample in run:
            samples.append(sample)
            if sample.updates < job.updates:
                used = {name: sum(map(cpu_s, processes)) - before[name] for name, processes in parts.items()}
                lasted_s = time.monotonic() - begun_s
    finally:
        bench.close()
    rows = Counter(row[0] for sample in samples for row in sample.trace)
    events = [event for sample in samples for event in sample.events]
    gaps = sum(event["lost"] for event in events if event["event"] == "gap")
    counted = {name: np.array(values) for name, values in samples[-1].counters.items()}
    return {
        "ready_s": ready_s, "s": samples[-1].time_us / 1e6, "cores": {n: u / lasted_s for n, u in used.items()},
        "firings": int(counted["firings"].sum()), "dropped": int(counted["dropped"].sum()),
        "missing": [int(count) - rows[edge] for edge, count in enumerate(counted["firings"])],
        "gaps": gaps, "failures": bench.failures, "events": Counter(event["event"] for event in events),
    }  # fmt: skip


def hold_up(seconds: float) -> list[dict]:
    """A minute of the largest bench that holds, from 143 boards down."""
    rows = []
    for network in NETWORKS:
        found = learn(job_of(network, [], seconds, trace=True))
        boards = len(found["missing"])
        dropped = found["dropped"] / (found["firings"] + found["dropped"])
        unreported = sum(found["missing"]) if not found["gaps"] else 0
        holds = dropped <= MOST_DROPPED and not unreported and not found["failures"]
        cores = ", ".join(f"{name} {used:.2f}" for name, used in found["cores"].items())
        print(
            f"{boards} boards and a supervisor, 10 firings/s/edge, {found['s']:.0f} s: {found['firings']} firings, "
            f"{dropped:.2%} dropped; {found['gaps']} lines of telemetry lost as reported, {unreported} firings lost "
            f"unreported; ready in {found['ready_s']:.1f} s; cores used: {cores}: {'held' if holds else 'not held'}",
            flush=True,
        )
        for failure in found["failures"]:
            print(f"  {failure}")
        if holds:
            name = "virtual boards held at 10 firings/s/edge for a minute"
            rows.append(row(name, boards, "boards", 143, WANTED))
            rows.append(row("share of their firings that is dropped", dropped, "1", MOST_DROPPED, WANTED))
            break
    return rows


def firings_of(look: Look) -> int:
    return sum(edge["firings"] for edge in look.edges)


def read_out(seconds: float, every_s: float | None) -> dict:
    """Sixteen edges with ADCs learn on their own; looked at every so often, or at the start and the end alone."""
    job = job_of("lab16", [*ADC, "edge.rate_hz=25"], seconds, trace=False)
    bench = made_up(job)
    with VirtualRack(job, bench) as rack:
        rack.flash(lambda doing, done: None)
        host = BoardBench(rack.bench, "virtual")
        host.start(job, Quiet())
        fleet = host._fleet
        assert fleet is not None
        fleet.each(lambda session: session.ask("run", host._run_id), fleet.sessions)
        fleet.close()  # the boards go on by themselves
        with Watcher(rack.bench) as watcher:
            time.sleep(1.0)  # until then an edge may not have fired yet, and has read no drops
            first = watcher.look()
            begun_s = time.monotonic()
            looks, longest_s, at_s = 0, 0.0, begun_s
            while time.monotonic() < begun_s + seconds:
                if every_s is None:
                    time.sleep(seconds)
                    continue
                look = watcher.look()
                known = [edge["tap"] is not None and edge["free_drop_V"] is not None for edge in look.edges]
                if not (look.whole and all(known)):
                    sys.exit(f"a look that misses something: {look}")
                looks += 1
                now_s = time.monotonic()
                longest_s, at_s = max(longest_s, now_s - at_s), now_s
                time.sleep(max(0.0, begun_s + looks * every_s - now_s))
            last = watcher.look()
            lasted_s = time.monotonic() - begun_s
    dropped = sum(edge["dropped"] for edge in last.edges)
    return {"rate": (firings_of(last) - firings_of(first)) / lasted_s, "looks": looks / lasted_s,
            "longest_s": longest_s, "dropped": dropped}  # fmt: skip


def look_at(seconds: float) -> list[dict]:
    """The rate of looks, and of firings with and without them."""
    off, on = read_out(seconds, None), read_out(seconds, LOOK_S)
    print(
        f"16 boards with ADCs at 25 firings/s/edge: all taps and drops read {on['looks']:.1f} times a second (longest "
        f"wait {1e3 * on['longest_s']:.0f} ms); {on['rate']:.1f} firings/s and {on['dropped']} dropped meanwhile, "
        f"{off['rate']:.1f} and {off['dropped']} without: {on['rate'] / off['rate']:.4f} of it",
        flush=True,
    )
    return [
        row("read-out of 16 boards while they learn", on["looks"], "1/s", 10.0, WANTED),
        row("firings of 16 boards while they are read", on["rate"], "1/s", off["rate"], "no read-out"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    record([*look_at(seconds / 2), *hold_up(seconds)])


if __name__ == "__main__":
    main()
