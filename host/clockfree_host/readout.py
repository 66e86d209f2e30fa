"""Voltages of every node in both twins, and where each value comes from."""

from dataclasses import dataclass
from typing import Any

from rich.table import Table

from clockfree_host.bench import recall
from clockfree_host.errors import InputError
from clockfree_host.runlog import Record

MEANING = {"sim": "simulated, from the recorded taps and the physics of the run"}


@dataclass(frozen=True)
class NodeReading:
    """One node while one example is shown.

    Attributes
    ----------
    example : int
    node, role : str
        Name; `source`, `target` or `hidden`.
    free_V, clamped_V : float
    desired_V : float or None
        Targets only.
    source : str
        Where the voltages come from.
    """

    example: int
    node: str
    role: str
    free_V: float
    clamped_V: float
    desired_V: float | None
    source: str


def readings(record: Record) -> list[NodeReading]:
    """Every node for every example of the last lesson, at the taps that were recorded last.

    Raises
    ------
    InputError
        A tap was not known, so the voltages are not either.
    """
    job, last = record.job, record.samples[-1]
    lesson, names = job.lessons[last["lesson"]], job.network.nodes
    unknown = [job.network.edge_name(edge) for edge in (last["taps"] < 0).nonzero()[0]]
    if unknown:
        raise InputError(f"{record.folder}: taps: expected known taps, got an unknown one at {', '.join(unknown)}")
    found = recall(job, last["lesson"], last["updates"], last["taps"])
    rows = []
    for example, desired_V in enumerate(lesson.desired_V.tolist()):
        wanted = dict(zip(job.targets, desired_V, strict=True))
        for node, name in enumerate(names):
            role = "source" if node in job.sources else "target" if node in wanted else "hidden"
            free_V, clamped_V = float(found.free_V[example, node]), float(found.clamped_V[example, node])
            rows.append(NodeReading(example, name, role, free_V, clamped_V, wanted.get(node), found.source))
    return rows


def as_json(record: Record, rows: list[NodeReading]) -> dict[str, Any]:
    """The readings as the object that `--json` prints."""
    last = record.samples[-1]
    return {
        "run": str(record.folder),
        "lesson": record.job.lessons[last["lesson"]].name,
        "updates_per_edge": last["updates"],
        "readings": [vars(row) for row in rows],
    }


def table(record: Record, rows: list[NodeReading]) -> Table:
    """The readings for a terminal; a rule between examples."""
    last = record.samples[-1]
    title = f"{record.job.lessons[last['lesson']].name} after {last['updates']:.6g} updates per edge"
    caption = f"source {rows[0].source}: {MEANING[rows[0].source]}"
    drawn = Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=None, pad_edge=False)
    for name in ("example", "node", "role", "free V", "clamped V", "desired V", "source"):
        drawn.add_column(name, justify="right" if name.endswith(" V") or name == "example" else "left")
    for row in rows:
        desired = "-" if row.desired_V is None else f"{row.desired_V:.4f}"
        volts = (f"{row.free_V:.4f}", f"{row.clamped_V:.4f}", desired)
        drawn.add_row(str(row.example), row.node, row.role, *volts, row.source, end_section=row.node == rows[-1].node)
    return drawn
