"""Plan of a run, wholly resolved and checked: from a task file, or from the record of a run."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError, create_model

from clockfree.base import shipped
from clockfree.base.errors import InputError
from clockfree.base.overrides import one_line, shown, value_of
from clockfree.base.toml import read_toml
from clockfree.task.classification import HeldOut
from clockfree.task.encoding import Encoding, encoding_from
from clockfree.task.filetables import Table
from clockfree.task.resolve import resolve, resolve_physics
from clockfree.task.taskfile import Task, lay_over, task_of
from clockfree.task.versions import changed, versions
from clockfree_model.importers import Graph
from clockfree_model.importers.resistance import described
from clockfree_model.job import Job, JobError, check
from clockfree_model.nearest import nearest
from clockfree_model.network import Network, NetworkError, noted
from clockfree_model.physics import PRESETS
from clockfree_model.record import job_from, plain

FORMAT = 2
FORMATS = (1, FORMAT)
"""Those that can be run again: 1 has no virtual ground."""
AGAIN = ("updates", "seed", "rule")
"""Options that may differ when a record is run again; whatever else would need the task file."""
_Changes = create_model(
    "_Changes", __base__=Table, **{key: (Task.__annotations__[key], Task.model_fields[key]) for key in AGAIN}
)  # type: ignore[call-overload]


@dataclass(frozen=True)
class Plan:
    """One run, resolved.

    Attributes
    ----------
    job : Job
    task, preset : str
        Names of the task and of the preset its physics began from.
    task_seed : int
    held_out : tuple of HeldOut or None
        One for each lesson: the held-out examples of a classification.
    notes : tuple of str
        What a person should know before it starts.
    encodings : tuple of Encoding or None
        One for each lesson: of a lesson from data, how its rows become volts; () where nobody knows.
    """

    job: Job
    task: str
    preset: str
    task_seed: int
    held_out: tuple[HeldOut | None, ...]
    notes: tuple[str, ...] = ()
    encodings: tuple[Encoding | None, ...] = ()


def make_plan(file: Path, options: Mapping[str, Any], sets: Sequence[str], trace: bool) -> Plan:
    """The plan of a task file, or of the `run.toml` of a run, with the options of the command line laid over it.

    Parameters
    ----------
    file : Path
    options : dict
        `network`, `preset`, `rule`, `seed`, `task_seed`, `updates`; None is one that was not given.
    sets : list of str
        `KEY=VALUE` of each --set.
    trace : bool
        Record every firing.

    Raises
    ------
    InputError
        Anything that cannot be run as it stands.
    """
    data = read_toml(file)
    if is_record(data):
        return again(file, data, options, sets, trace)
    task = task_of(data, file, lay_over(data, file, options, sets))
    return Draft(task, *network_of(task)).plan(trace)


def network_of(task: Task) -> tuple[Network, Graph | None]:
    """The network that a task names, and of a file what it says besides; InputError if there is none of that name."""
    try:
        return noted(task.network_spec, task.reading)
    except NetworkError as error:
        if Path(task.network_spec).is_file():
            raise InputError(str(error)) from None
        meant = nearest(Path(task.network).stem, shipped.NETWORK.examples())
        raise task.problem("network", error.problem + meant) from None


class Draft:
    """A task on its network, checked; its lessons are yet to be solved or fitted.

    Parameters
    ----------
    task : Task
    network : Network
    graph : Graph, optional
        What the network's file says besides.

    Attributes
    ----------
    job : Job
        Without lessons.

    Raises
    ------
    InputError
        Anything that cannot be run as it stands.
    """

    def __init__(self, task: Task, network: Network, graph: Graph | None = None):
        physics = resolve_physics(task, PRESETS)
        self._task, self._found = task, resolve(task, network, physics, _free_outputs, graph)
        self._said = (*(() if graph is None else (f"{network.name}: {described(graph)}",)), *self._found.said)
        self.job = Job(
            network=network,
            sources=self._found.sources,
            targets=self._found.targets,
            lessons=(),
            damage=self._found.damage,
            edge=self._found.edge,
            clamp=self._found.clamp,
            physics=physics,
            schedule=task.rule,
            updates=task.updates,
            seed=task.seed,
            start_taps=self._found.start_taps,
            samples=_samples(task.updates, len(network.ends)),
        )
        try:
            check(self.job)
        except JobError as error:
            raise task.problem(error.key, error.text) from None

    def plan(self, trace: bool) -> Plan:
        """The plan, with every firing recorded if `trace`."""
        job = dataclasses.replace(self.job, lessons=self._found.lessons, ground=self._found.ground, trace=trace)
        task, found = self._task, self._found
        notes = (*self._said, *_lifted(job))
        return Plan(job, task.title, task.preset, task.task_seed, found.held_out, notes, encodings=found.encodings)


def _lifted(job: Job) -> tuple[str, ...]:
    """What is said of a virtual ground that is not the circuit's own."""
    ground, said = job.ground, []
    if ground.scale != 1.0:
        said.append(f"{ground.scale:g} times what the task says")
    if ground.lift_steps:
        way = "higher" if ground.lift_steps > 0 else "lower"
        said.append(
            f"{abs(ground.lift_V(job.physics)):.4g} V {way}, to keep {job.physics.margin_V:g} V from both rails"
        )
    return (f"on the circuit every voltage is {' and '.join(said)}; what is shown undoes it",) if said else ()


def _free_outputs(
    network: Network, ohm: np.ndarray, sources: tuple[int, ...], targets: tuple[int, ...], source_V: np.ndarray
) -> np.ndarray:
    from clockfree_sim.circuit.direct import solve  # sparse matrices: slow to load, and only a teacher asks

    return solve(len(network.nodes), network.ends, 1.0 / ohm, sources, source_V)[:, targets]


def run_toml(plan: Plan, file: Path, bench: str, started_utc: str) -> dict[str, Any]:
    """The resolved configuration: what `run.toml` holds, and what `make_plan` reads again."""
    contents = _contents(plan)
    edge, physics = plan.job.edge, plan.job.physics
    record = {
        "format": FORMAT,
        "again": "clockfree run run.toml runs this very job: it needs no other file",
        "task": plan.task,
        "task_file": str(file),
        "started_utc": started_utc,
        "bench": bench,
        "preset": plan.preset,
        "task_seed": plan.task_seed,
        # What the boards are given, in their unit: 16 are one ADC code.
        "f_c16": physics.c16(edge.f_V),
        "theta_c16": physics.c16(edge.theta_V),
        "sha256": _digest(contents),
    }
    return {"record": record, "versions": versions(), **contents}


def _contents(plan: Plan) -> dict[str, Any]:
    held_out = [{"lesson": i, **plain(exam)} for i, exam in enumerate(plan.held_out) if exam is not None]
    encoding = [{"lesson": i, **plain(each)} for i, each in enumerate(plan.encodings) if each is not None]
    return {"job": plain(plan.job), "held_out": held_out, **({"encoding": encoding} if encoding else {})}


def _digest(contents: dict[str, Any]) -> str:
    """What tells a record from one that was edited: a change belongs into a task file, where it is checked."""
    said = {key: contents.get(key) for key in ("job", "held_out")}
    said |= {"encoding": contents["encoding"]} if "encoding" in contents else {}  # earlier records have none
    text = json.dumps(said, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _samples(updates: int, edges: int) -> int:
    """How many samples a log takes: 500, fewer on large networks (a log of some ten MB), at most one a firing.

    A multiple of five: the window of the final error, its last fifth, begins at one of them.
    """
    most = max(100, min(500, 500_000 // edges))
    return min(most - most % 5, updates * edges)


def is_record(data: dict[str, Any]) -> bool:
    """Whether a file's contents are the record of a run, and no task's."""
    return "record" in data


def again(file: Path, data: dict[str, Any], options: Mapping[str, Any], sets: Sequence[str], trace: bool) -> Plan:
    """The plan of the contents of a `run.toml`; see `make_plan`."""
    given = {key: value for key, value in options.items() if value is not None}
    refused = [f"--{key.replace('_', '-')}" for key in given if key not in AGAIN] + ["--set"] * bool(sets)
    if refused:
        may = ", ".join(f"--{key}" for key in AGAIN)
        raise InputError(f"{file}: {refused[0]}: expected only {may}, --trace, --bench, --out with the record of a run")
    record = data["record"]
    if not isinstance(record, dict) or record.get("format") not in FORMATS:
        formats = " or ".join(map(str, FORMATS))
        raise InputError(f"{file}: record.format: expected {formats}, got the record of another version")
    if record.get("sha256") != _digest(data):
        raise InputError(f"{file}: record.sha256: expected a record as it was written, got one that was changed")
    for key, kind, expected in (("task", str, "text"), ("preset", str, "text"), ("task_seed", int, "an integer")):
        if type(record.get(key)) is not kind:
            raise InputError(f"{file}: record.{key}: expected {expected}, got {shown(record.get(key))}")
    if not isinstance(data.get("versions"), dict):
        raise InputError(f"{file}: versions: expected a table, got {shown(data.get('versions'))}")
    job = job_from(data["job"])
    held_out: list[HeldOut | None] = [None] * len(job.lessons)
    for table in data["held_out"]:
        held_out[table["lesson"]] = _held_out(table)
    encodings: list[Encoding | None] = [None] * len(job.lessons)
    for table in data.get("encoding", []):
        encodings[table["lesson"]] = encoding_from(table)
    others = changed(data["versions"])
    if given:
        changes = {key: value_of(value) if isinstance(value, str) else value for key, value in given.items()}
        try:
            _Changes.model_validate(changes)
        except ValidationError as error:
            options = {key: f"--{key}" for key in given}
            raise InputError(f"{file}: {one_line(_Changes, error, options)}") from None
        job = dataclasses.replace(
            job, **{"schedule" if key == "rule" else key: value for key, value in changes.items()}
        )
        try:
            check(job)
        except JobError as error:
            raise InputError(f"{file}: {error}") from None
    job = dataclasses.replace(job, trace=trace or job.trace, samples=_samples(job.updates, len(job.network.ends)))
    return Plan(
        job,
        record["task"],
        record["preset"],
        record["task_seed"],
        tuple(held_out),
        notes=(f"recorded with {others}",) if others else (),
        encodings=tuple(encodings),
    )


def _held_out(table: dict[str, Any]) -> HeldOut:
    fields = {key: value for key, value in table.items() if key != "lesson"}
    fields["source_V"] = np.array(fields["source_V"], dtype=float)
    fields["class_V"] = np.array(fields["class_V"], dtype=float)
    fields["labels"] = np.array(fields["labels"], dtype=np.int64)
    fields["classes"] = tuple(fields["classes"])
    return HeldOut(**fields)
