"""What a person said of a task in Python: the contents of a task file, and a network that is none of a file's."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from clockfree.api.graphs import Graph, graph_of, plain_node, text_of
from clockfree.api.values import plain
from clockfree.base.errors import InputError
from clockfree.task import plan, taskfile
from clockfree.task.plan import Draft

WAYS = ("desired_V", "teacher", "regression", "classification")
"""What a lesson is taught by: one of them."""
FROM_PYTHON = Path("task")
"""What errors begin with where there is no file."""


@dataclass
class Said:
    """What was said of a task, one thing over the other.

    Attributes
    ----------
    file : Path or None
        Where it begins, if that is a file.
    data : dict
        As TOML has it.
    graph : Graph or None
        The network, if it came from Python.
    overridden : dict
        By key, what gave its value.
    unsaid : tuple of str
        Beginnings of keys that whoever wrote keywords did not write.
    again : dict
        Of the record of a run, what is to be other than recorded.
    sets : tuple of str
        Of the record of a run, `KEY=VALUE` of each `--set`, which are refused there.
    """

    file: Path | None
    data: dict[str, Any]
    graph: Graph | None = None
    overridden: dict[str, str] = field(default_factory=dict)
    unsaid: tuple[str, ...] = ()
    again: dict[str, Any] = field(default_factory=dict)
    sets: tuple[str, ...] = ()

    @property
    def where(self) -> Path:
        """The file; `task` if there is none."""
        return self.file or FROM_PYTHON

    @property
    def recorded(self) -> bool:
        """Whether the file is the record of a run."""
        return self.file is not None and plan.is_record(self.data)

    def copied(self) -> "Said":
        """One that can be changed, while this stays."""
        made = copy(self)
        made.data, made.overridden, made.again = deepcopy(self.data), dict(self.overridden), dict(self.again)
        return made

    def lay_over(self, options: Mapping[str, Any], sets: Sequence[str]) -> None:
        """Lay over it what a command line says."""
        if self.recorded:
            self.again |= options
            self.sets = (*self.sets, *sets)
            return
        over = taskfile.lay_over(self.data, self.where, options, sets)
        if "network" in over:
            self.graph = None
        self.overridden |= over

    def change(self, changes: Mapping[str, Any]) -> None:
        """Lay keywords over it; InputError where a value is none that could be written down."""
        where, data = self.where, self.data
        if self.recorded:
            self.again |= {key: plain(value, key, where) for key, value in changes.items()}
            return
        if "network" in changes:
            network = changes["network"]
            self.graph = None if isinstance(network, str | Path) else graph_of(network, f"{where}: network")
            self._set("network", self.graph.name if self.graph else str(network), "network")
        taught = {key: plain(changes[key], key, where) for key in ("source_V", *WAYS) if key in changes}
        if taught and "lesson" in changes:
            text = f"expected it without {next(iter(taught))}, which says one lesson, got both"
            raise InputError(f"{where}: lesson: {text}")
        if self.file is None and "lesson" in changes:
            self.unsaid = ("placement.",)
        elif self.file is None and "lesson" not in data:
            data["lesson"], self.unsaid = [{}], ("placement.", "lesson.0.", "lesson.0: ")
        if self.file is None:
            data.setdefault("placement", {})
        self._teach(taught)
        for key, value in changes.items():
            if key in ("sources", "targets"):
                self._set(f"placement.{key}", self._nodes(value, key), key)
            elif key in ("edge", "clamp", "physics") and isinstance(value, Mapping):
                for name, part in value.items():
                    self._set(f"{key}.{name}", plain(part, f"{key}.{name}", where), key)
            elif key == "damage":
                self._set(key, plain(_by_nodes(value), key, where), key)
            elif key != "network" and key not in taught:
                self._set(key, plain(value, key, where), key)

    def _set(self, key: str, value: Any, said: str) -> None:
        option = f"{said}=" if self.file else ""
        taskfile.set_key(self.data, self.where, key, value, option)
        self.overridden[key] = option

    def _teach(self, taught: dict[str, Any]) -> None:
        """Change the one lesson there is; what it was taught by before is gone."""
        lessons = self.data.setdefault("lesson", [{}]) if taught else [{}]
        if len(lessons) != 1:
            key = next(iter(taught))
            text = f"expected lesson=[...] for a task of {len(lessons)} lessons, got {key}, which says one"
            raise InputError(f"{self.where}: {key}: {text}")
        gone = {*WAYS} if {*WAYS} & {*taught} else set()
        gone |= {"source_V"} if {"regression", "classification"} & {*taught} else set()
        for key in gone:
            lessons[0].pop(key, None)
        for key, value in taught.items():
            self._set(f"lesson.0.{key}", value, key)

    def _nodes(self, value: Any, key: str) -> Any:
        """Names of nodes, or how many of them."""
        if isinstance(value, str | bytes) or not isinstance(value, Iterable):
            return plain(value, key, self.where)
        if self.graph is not None and isinstance(value, tuple) and plain_node(value) in self.graph.nodes:
            raise InputError(f"{self.where}: {key}: expected a list of nodes, got one node: write [{value}]")
        return [text_of(node) for node in value]

    def task(self) -> taskfile.Task:
        """The same as a task file's model has it; InputError if that is none."""
        return taskfile.task_of(self.data, self.where, self.overridden, self.unsaid)

    def draft(self, task: taskfile.Task, placed: bool) -> Draft:
        """The task on its network; its nodes have places to be drawn at if `placed`."""
        return Draft(task, *((self.graph.network(placed),) if self.graph else plan.network_of(task)))

    def contents(self) -> dict[str, Any]:
        """What a task file says that says the same, with other files by paths that hold wherever it is."""
        if self.recorded:
            raise InputError(f"{self.file}: expected a task, got the record of a run, which is a file already")
        task = self.task()
        said = deepcopy(self.data) | {"name": task.title}
        if self.graph is None and Path(task.network_spec).is_file():
            said["network"] = str(Path(task.network_spec).resolve())
        taps = said.get("start_taps")
        if isinstance(taps, str) and (folder := Path(task.path("start_taps", taps, Path.is_dir))).is_dir():
            said["start_taps"] = str(folder.resolve())
        for number, lesson in enumerate(said["lesson"]):
            for way, key in product(("classification", "regression"), ("data", "test_data")):
                table = lesson.get(way, {})
                if key in table and (file := task.file_beside(f"lesson.{number}.{way}.{key}", table[key])):
                    table[key] = str(file.resolve())
        return said


def _by_nodes(damage: Any) -> Any:
    """Damage whose edges are named as a task file does where they are pairs of nodes."""
    if not isinstance(damage, list | tuple) or not all(isinstance(table, Mapping) for table in damage):
        return damage
    return [dict(table) | ({"edges": _named(table["edges"])} if "edges" in table else {}) for table in damage]


def _named(edges: Any) -> Any:
    if not isinstance(edges, list | tuple):
        return edges
    return ["-".join(map(text_of, edge)) if isinstance(edge, tuple) and len(edge) == 2 else edge for edge in edges]
