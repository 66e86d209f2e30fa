"""Virtual boards for runs by the commands that a person types: Wheatstone's bridge, five edges and a supervisor."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clockfree.bench.virtual import VirtualRack, made_up
from clockfree.commands.lines import Lines
from clockfree.link.benchfile import bench_text
from clockfree.runs import runlog
from clockfree.task.plan import make_plan

BRIDGE = Path(__file__).resolve().parents[2] / "examples/networks/bridge.csv"
TASK = f"""
network = "{BRIDGE}"
updates = 60
[placement]
sources = ["top", "bottom"]
targets = ["left"]
[[lesson]]
source_V = [[1.5, -1.3], [0.5, -0.5]]
teacher = true
[clamp]
dwell_s = 0.1
[edge]
rate_hz = 50.0
late_us = 10000
"""


@contextmanager
def racked(task: Path, file: Path, *options: str) -> Iterator[tuple[VirtualRack, Path]]:
    """Boards for a task that are flashed and stay up, and their bench file."""
    job = make_plan(task, {}, [*options], False).job
    with VirtualRack(job, made_up(job)) as rack:
        rack.flash(lambda doing, share: None)
        file.write_text(bench_text(rack.bench))
        yield rack, file


def during(monkeypatch: Any, share: float, act: Any) -> None:
    """Do something once, when a run in this process has come so far."""
    acts = iter([act])
    before = Lines.sample

    def sample(self: Lines, job: Any, found: Any, wall_s: float) -> None:
        before(self, job, found, wall_s)
        if found.updates >= share * job.updates:
            for once in acts:
                once()

    monkeypatch.setattr(Lines, "sample", sample)


def events(record: runlog.Record, kind: str) -> list[dict[str, Any]]:
    """Events of a kind in a record."""
    return [event for event in record.events if event["event"] == kind]
