"""Read-out of a recorded run: voltages of nodes, drops and taps of edges, and where each value comes from.

A run in virtual time is worked out again, so every voltage is known. Of a run on boards only what was measured is:
in HOLD at its end, example by example, and nothing is made up for the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from clockfree.base.errors import InputError
from clockfree.runs.runlog import Record
from clockfree.runs.shown import NOBODY, shown
from clockfree_model.events import MEASURED
from clockfree_sim.world.world import recall

SIMULATED = "sim"


@dataclass(frozen=True)
class NodeReading:
    """One node while one example is shown.

    Attributes
    ----------
    example : int
    node, role : str
        Name; `source`, `target` or `hidden`.
    free_V, clamped_V : float or None
        None where nothing measures it.
    desired_V : float or None
        Targets only.
    source : str
        Where the voltages come from.
    """

    example: int
    node: str
    role: str
    free_V: float | None
    clamped_V: float | None
    desired_V: float | None
    source: str


@dataclass(frozen=True)
class EdgeReading:
    """One edge of a run on boards.

    Attributes
    ----------
    example : int or None
        While which example its drops were measured; None where they were not.
    edge : str
    tap : int or None
        None where nobody knows.
    free_drop_V, clamped_drop_V : float or None
        Calibrated; None where nothing measures them.
    source : str
        Its board.
    """

    example: int | None
    edge: str
    tap: int | None
    free_drop_V: float | None
    clamped_drop_V: float | None
    source: str


def readings(record: Record) -> list[NodeReading]:
    """Every node for every example of the last lesson, at the end of the run.

    Raises
    ------
    InputError
        In virtual time: a tap was not known, so the voltages are not either.
    """
    return _measured(record) if record.on_boards else _simulated(record)


def _simulated(record: Record) -> list[NodeReading]:
    job, last = record.job, record.samples[-1]
    names = job.network.nodes
    unknown = [job.network.edge_name(edge) for edge in (last["taps"] < 0).nonzero()[0]]
    if unknown:
        raise InputError(f"{record.folder}: taps: expected known taps, got an unknown one at {', '.join(unknown)}")
    free_twin_V, clamped_twin_V = recall(job, last["lesson"], last["updates"], last["taps"])
    rows = []
    for example, wanted in enumerate(_wanted(record)):
        for node, name in enumerate(names):
            free_V, clamped_V = float(free_twin_V[example, node]), float(clamped_twin_V[example, node])
            role = _role(record, node)
            rows.append(NodeReading(example, name, role, free_V, clamped_V, wanted.get(node), SIMULATED))
    return rows


def _measured(record: Record) -> list[NodeReading]:
    job, last = record.job, record.samples[-1]
    supervisor = record.about["supervisor"]["id"]
    events = _in_hold(record)
    rows = []
    for example, wanted in enumerate(_wanted(record)):
        event = events.get(example, {})
        by_edges = {node: (free_V, clamped_V, boards) for node, free_V, clamped_V, boards in event.get("nodes", ())}
        outputs_V = event.get("outputs_V", [_known(volts) for volts in last["outputs_V"][example]])
        set_V = dict(zip(job.sources, job.lessons[last["lesson"]].source_V[example].tolist()))
        read_V = dict(zip(job.targets, outputs_V))
        for node, name in enumerate(job.network.nodes):
            free_V, clamped_V, boards = by_edges.get(node, (None, None, []))
            source = ", ".join(boards) or NOBODY
            if node in set_V:
                free_V = clamped_V = set_V[node]
                source = f"set by supervisor {supervisor}"
            elif read_V.get(node) is not None:
                free_V = read_V[node]
                source = f"supervisor {supervisor}" + (f"; clamped: {source}" if boards else "")
            rows.append(NodeReading(example, name, _role(record, node), free_V, clamped_V, wanted.get(node), source))
    return rows


def edges(record: Record) -> list[EdgeReading]:
    """Tap, and drops where they were measured, of every edge; none in virtual time."""
    if not record.on_boards:
        return []
    taps = record.samples[-1]["taps"].tolist()
    board_of = {edge: board["id"] for board in record.about["boards"] for edge in board["edges"]}
    measured: dict[tuple[int | None, int], tuple[float | None, float | None]] = {
        (example, edge): (free_V, clamped_V)
        for example, event in _in_hold(record).items()
        for edge, free_V, clamped_V, _ in event["drops"]
    }
    examples: Sequence[int | None] = sorted(_in_hold(record)) if measured else [None]
    rows = []
    for example in examples:
        for edge, tap in enumerate(taps):
            name, known = record.job.network.edge_name(edge), None if tap < 0 else tap
            free_V, clamped_V = measured.get((example, edge), (None, None))
            rows.append(EdgeReading(example, name, known, free_V, clamped_V, board_of[edge]))
    return rows


def _in_hold(record: Record) -> dict[int, dict[str, Any]]:
    """What was measured in HOLD after the last lesson, by example."""
    return {event["example"]: event for event in record.events if event.get("event") == MEASURED}


def _wanted(record: Record) -> list[dict[int, float]]:
    """The desired voltage of each target's node, example by example of the last lesson."""
    lesson = record.job.lessons[record.samples[-1]["lesson"]]
    return [dict(zip(record.job.targets, desired_V)) for desired_V in lesson.desired_V.tolist()]


def _role(record: Record, node: int) -> str:
    return "source" if node in record.job.sources else "target" if node in record.job.targets else "hidden"


def _known(volts: float) -> float | None:
    return float(volts) if volts == volts else None


def as_json(record: Record, rows: list[NodeReading]) -> dict[str, Any]:
    """The readings as the object that `--json` prints."""
    last = record.samples[-1]
    found = {
        "run": str(record.folder),
        "lesson": record.job.lessons[last["lesson"]].name,
        "updates_per_edge": last["updates"],
        "readings": [vars(row) for row in rows],
    }
    return found | ({"edges": [vars(row) for row in edges(record)]} if record.on_boards else {})


def table(record: Record, rows: list[NodeReading]) -> Table:
    """The nodes for a terminal; a rule between examples."""
    last = record.samples[-1]
    title = f"{record.job.lessons[last['lesson']].name} after {last['updates']:.6g} updates per edge"
    if record.on_boards:
        caption = "source: the boards that measured it, in HOLD at the end; - where nothing measures it"
    else:
        caption = f"source {SIMULATED}: simulated, from the recorded taps and the physics of the run"
    drawn = Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=None, pad_edge=False)
    for name in ("example", "node", "role", "free V", "clamped V", "desired V", "source"):
        drawn.add_column(name, justify="right" if name.endswith(" V") or name == "example" else "left")
    for row in rows:
        volts = [shown(value) for value in (row.free_V, row.clamped_V, row.desired_V)]
        drawn.add_row(str(row.example), row.node, row.role, *volts, row.source, end_section=row.node == rows[-1].node)
    return drawn


def edge_table(rows: list[EdgeReading]) -> Table:
    """The edges of a run on boards for a terminal."""
    drawn = Table(box=None, pad_edge=False)
    for name in ("example", "edge", "tap", "free drop V", "clamped drop V", "source"):
        drawn.add_column(name, justify="left" if name in ("edge", "source") else "right")
    for row in rows:
        example, tap = (NOBODY if value is None else str(value) for value in (row.example, row.tap))
        drops = (shown(row.free_drop_V), shown(row.clamped_drop_V))
        drawn.add_row(example, row.edge, tap, *drops, row.source, end_section=row.edge == rows[-1].edge)
    return drawn
