"""Tasks from Python: what a task file says, as keywords; networks, nodes and arrays as Python has them."""

import html
from collections.abc import Hashable, Iterable, Mapping, Sequence
from copy import copy, deepcopy
from pathlib import Path
from typing import Any

from clockfree.api.graphs import Graph, graph_of, plain_node, text_of
from clockfree.api.values import plain
from clockfree.base.errors import InputError
from clockfree.base.toml import read_toml
from clockfree.task import plan, taskfile
from clockfree.task.plan import Draft, Plan
from clockfree_model.job import Job

WAYS = ("desired_V", "teacher", "regression", "classification")
"""What a lesson is taught by: one of them."""
FROM_PYTHON = Path("task")
"""What errors begin with where there is no file."""


class Task:
    """What a network is to learn, and how: checked when it is made.

    Parameters
    ----------
    file : str or path, optional
        A task file, or the `run.toml` of a run, or the name of an example (`"allostery"`); whatever else is given is
        laid over it. Left out, the keywords say it all.
    network : networkx.Graph, array, list of pairs, or str
        A graph with nodes of any kind; an adjacency matrix (N, N) of 0 and 1; edges (E, 2) by the numbers of their
        nodes, or as pairs of nodes; a specification (`"lab16"`, `"square:9x9"`, `"planar:64:143:0"`); a file. Left out,
        it is `"lab16"`, 9 nodes named A to I. Attributes of a graph's edges are not read; `pos`, or `x` and `y`, of
        its nodes say where they are drawn.
    sources, targets : list of nodes, or int
        As the network has them; a number is drawn from `task_seed`.
    source_V, desired_V : array (examples, sources), array (examples, targets)
        Voltages, V, within 0 .. the supply. Both are rounded to the supervisor's DAC, supply / 4096.
    teacher : bool
        In place of `desired_V`: what the same network gives at random taps, drawn from `task_seed`. Without
        `source_V` it is one example, with the sources spread evenly from 0 V to the supply.
    regression, classification : dict
        In place of `source_V` and `desired_V`: these tables of a task file.
    lesson : list of dict
        In place of these five: several lessons, one after the other; in each the same keys, `name` and `from_updates`.
    damage : list of dict
        Edges that fail on the way: `edges`, each `"A-B"`, an index, or a pair of nodes; `kind`; `at_updates`.
    name : str
    preset : str
        `ideal`, `paper` or `board`: imperfections of the circuit, and how edges sense.
    rule : str
        `clockfree`; for comparison `sync`, `p=P`, `oscillators=P`.
    updates : int
        Firings per edge, on average; 1500 if left out.
    seed, task_seed : int
        Of clocks and noise; of teacher, placement and examples. 0 if left out.
    start_taps : int or (E,) array of int
        Taps to begin with; left out, those that potentiometers have when they are switched on.
    edge, clamp, physics : dict
        Tables of a task file, or parts of them: `edge={"rate_hz": 20}`. The reference of settings lists their keys.
    **keys
        Any key of a task file, dotted: `**{"edge.rate_hz": 20}`.

    Raises
    ------
    InputError
        Anything that cannot be run as it stands: one line with the key, what was expected and what was given.

    Examples
    --------
    >>> import clockfree as cf, networkx as nx
    >>> cf.Task(network=nx.path_graph(4), sources=[0, 3], targets=[1], source_V=[[0, 5]], desired_V=[[2]])
    clockfree.Task task: graph, 4 nodes, 3 edges; sources 0, 3; targets 1; 1 example; ideal, 1500 updates per edge
    """

    def __init__(
        self,
        file: Any = None,
        /,
        *,
        network: Any = None,
        sources: Any = None,
        targets: Any = None,
        source_V: Any = None,
        desired_V: Any = None,
        teacher: bool | None = None,
        regression: Mapping[str, Any] | None = None,
        classification: Mapping[str, Any] | None = None,
        lesson: Sequence[Mapping[str, Any]] | None = None,
        damage: Sequence[Mapping[str, Any]] | None = None,
        name: str | None = None,
        preset: str | None = None,
        rule: str | None = None,
        updates: int | None = None,
        seed: int | None = None,
        task_seed: int | None = None,
        start_taps: Any = None,
        edge: Mapping[str, Any] | None = None,
        clamp: Mapping[str, Any] | None = None,
        physics: Mapping[str, Any] | None = None,
        **keys: Any,
    ) -> None:
        given = {
            "network": network, "sources": sources, "targets": targets, "source_V": source_V, "desired_V": desired_V,
            "teacher": teacher, "regression": regression, "classification": classification, "lesson": lesson,
            "damage": damage, "name": name, "preset": preset, "rule": rule, "updates": updates, "seed": seed,
            "task_seed": task_seed, "start_taps": start_taps, "edge": edge, "clamp": clamp, "physics": physics, **keys,
        }  # fmt: skip
        if not isinstance(file, str | Path | None):
            text = f"expected the name of a task file, got {type(file).__name__}"
            raise InputError(f"{FROM_PYTHON}: {text}: write Task(network=..., sources=..., targets=..., ...)")
        self._file = None if file is None else Path(file)
        self._data = {} if self._file is None else read_toml(self._file)
        self._graph: Graph | None = None
        self._overridden: dict[str, str] = {}
        self._unsaid: tuple[str, ...] = ()
        self._again: dict[str, Any] = {}
        self._sets: Sequence[str] = ()
        self._change({key: value for key, value in given.items() if value is not None})
        self._check()

    @classmethod
    def of_command_line(cls, file: Path, options: Mapping[str, Any], sets: Sequence[str]) -> "Task":
        """The task of `clockfree run FILE --seed 3 --set KEY=VALUE`; see `clockfree.task.plan.make_plan`."""
        task = cls.__new__(cls)
        task._file, task._data, task._graph, task._unsaid = file, read_toml(file), None, ()
        task._overridden, task._again, task._sets = {}, {}, ()
        if task._recorded:
            task._again, task._sets = dict(options), sets
        else:
            task._overridden = taskfile.lay_over(task._data, file, options, sets)
        task._check()
        return task

    def laid_over(self, sets: Sequence[str]) -> "Task":
        """The same task with `KEY=VALUE` of each `--set` laid over it."""
        changed = copy(self)
        changed._data = deepcopy(self._data)
        if self._recorded:
            changed._sets = [*self._sets, *sets]
        else:
            changed._overridden = self._overridden | taskfile.lay_over(changed._data, self.where, {}, sets)
        changed._check()
        return changed

    def replace(self, **changes: Any) -> "Task":
        """The same task with some of it changed, by the keywords that make one.

        Of a record (`run.toml`) `updates`, `seed` and `rule` can be.

        Examples
        --------
        >>> import clockfree as cf
        >>> task = cf.Task(sources=["A", "C"], targets=["E"], teacher=True)
        >>> task.replace(preset="board", edge={"rate_hz": 25})
        clockfree.Task task: lab16, 9 nodes, 16 edges; sources A, C; targets E; teacher; board, 1500 updates per edge
        """
        changes = {key: value for key, value in changes.items() if value is not None}
        if not changes:
            return self
        changed = copy(self)
        changed._data, changed._overridden = deepcopy(self._data), dict(self._overridden)
        changed._again = dict(self._again)
        changed._change(changes)
        changed._check()
        return changed

    def _change(self, changes: dict[str, Any]) -> None:
        """Lay changes over what was said."""
        where, data = self.where, self._data
        if self._recorded:
            self._again |= {key: plain(value, key, where) for key, value in changes.items()}
            return
        if "network" in changes:
            network = changes["network"]
            self._graph = None if isinstance(network, str | Path) else graph_of(network, f"{where}: network")
            self._set("network", self._graph.name if self._graph else str(network), "network")
        taught = {key: plain(changes[key], key, where) for key in ("source_V", *WAYS) if key in changes}
        if taught and "lesson" in changes:
            text = f"expected it without {next(iter(taught))}, which says one lesson, got both"
            raise InputError(f"{where}: lesson: {text}")
        if self._file is None and "lesson" in changes:
            self._unsaid = ("placement.",)
        elif self._file is None and "lesson" not in data:
            data["lesson"], self._unsaid = [{}], ("placement.", "lesson.0.", "lesson.0: ")
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
        option = f"{said}=" if self._file else ""
        taskfile.set_key(self._data, self.where, key, value, option)
        self._overridden[key] = option

    def _teach(self, taught: dict[str, Any]) -> None:
        """Change the one lesson there is; what it was taught by before is gone."""
        lessons = self._data.setdefault("lesson", [{}]) if taught else [{}]
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
        if self._graph is not None and isinstance(value, tuple) and plain_node(value) in self._graph.nodes:
            raise InputError(f"{self.where}: {key}: expected a list of nodes, got one node: write [{value}]")
        return [text_of(node) for node in value]

    @property
    def _recorded(self) -> bool:
        return self._file is not None and plan.is_record(self._data)

    def _check(self) -> None:
        if self._recorded:
            self._plan = self.plan(False)
            self._job = self._plan.job
            return
        self._draft = self._drafted(placed=False)
        self._job = self._draft.job

    def _drafted(self, placed: bool) -> Draft:
        self._task = task = taskfile.task_of(self._data, self.where, self._overridden, self._unsaid)
        return Draft(task, self._graph.network(placed) if self._graph else plan.network_of(task))

    def plan(self, trace: bool) -> Plan:
        """What a bench runs, with every firing recorded if `trace`; teachers are solved now."""
        if self._recorded:
            return plan.again(self.where, self._data, self._again, self._sets, trace)
        return (self._drafted(placed=True) if self._graph and self._graph.places is None else self._draft).plan(trace)

    @property
    def where(self) -> Path:
        """The file that it is from, for errors and records; `task` if there is none."""
        return self._file or FROM_PYTHON

    @property
    def job(self) -> Job:
        """What was resolved of it; without lessons, which are solved when it runs."""
        return self._job

    @property
    def name(self) -> str:
        """Its name: the file's if it has none of its own."""
        return self._plan.task if self._recorded else self._task.title

    @property
    def nodes(self) -> list[Hashable]:
        """Nodes of the network, as they were given: names, numbers, tuples."""
        return list(self._graph.nodes if self._graph else self._job.network.nodes)

    @property
    def edges(self) -> list[tuple[Hashable, Hashable]]:
        """Edges of the network, each a pair of nodes; a drop is the first one's voltage less the second one's."""
        nodes = self.nodes
        return [(nodes[a], nodes[b]) for a, b in self._job.network.ends.tolist()]

    @property
    def sources(self) -> list[Hashable]:
        """Nodes that voltages are put on, in the order of `source_V`; those drawn from `task_seed` too."""
        return [self.nodes[node] for node in self._job.sources]

    @property
    def targets(self) -> list[Hashable]:
        """Nodes that are to learn, in the order of `desired_V`."""
        return [self.nodes[node] for node in self._job.targets]

    @property
    def called(self) -> dict[str, Hashable] | None:
        """Nodes by their names in records, where they are no such names themselves; None where they are."""
        return dict(zip(self._graph.texts, self._graph.nodes)) if self._graph else None

    def save(self, path: str | Path) -> Path:
        """Write a task file, and beside it the network if that came from Python; returns the task file's path.

        `clockfree run`, `bench` and all other commands take it. What it is run with is the same to the last bit.

        Parameters
        ----------
        path : str or path
            Of the task file, `.toml`. The network goes to `PATH-network.json`. Neither may exist.

        Raises
        ------
        InputError
            One of them exists; or the task is the record of a run, which is a file already.
        """
        from clockfree.api.saving import save  # json and files: only here

        return save(Path(path), self._said(), self._drafted(placed=True).job.network if self._graph else None)

    def _said(self) -> dict[str, Any]:
        """What its file says; other files by paths that hold wherever it is written."""
        if self._recorded:
            raise InputError(f"{self._file}: expected a task, got the record of a run, which is a file already")
        said = deepcopy(self._data) | {"name": self.name}
        task = self._task
        if self._graph is None and Path(task.network_spec).is_file():
            said["network"] = str(Path(task.network_spec).resolve())
        for lesson in said["lesson"]:
            data = lesson.get("classification", {}).get("data", "")
            if Path(task.beside(data)).is_file():
                lesson["classification"]["data"] = str(Path(task.beside(data)).resolve())
        return said

    def __repr__(self) -> str:
        job = self._job
        names = {role: ", ".join(map(str, getattr(self, role))) for role in ("sources", "targets")}
        taught = "" if self._recorded else f" {_taught(self._data['lesson'])};"
        return (
            f"clockfree.Task {self.name}: {job.network.name}, {len(job.network.nodes)} nodes, {len(job.network.ends)} "
            f"edges; sources {names['sources']}; targets {names['targets']};{taught} {self._kind}, {job.updates} "
            "updates per edge"
        )

    @property
    def _kind(self) -> str:
        return self._plan.preset if self._recorded else self._task.preset

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


def _taught(lessons: list[dict[str, Any]]) -> str:
    if len(lessons) > 1:
        return f"{len(lessons)} lessons"
    count = len(lessons[0].get("desired_V", ()))
    if count:
        return f"{count} example{'s' * (count > 1)}"
    return next(way for way in WAYS if way in lessons[0])


def _by_nodes(damage: Any) -> Any:
    """Damage whose edges are named as a task file does where they are pairs of nodes."""
    if not isinstance(damage, list | tuple) or not all(isinstance(table, Mapping) for table in damage):
        return damage
    return [dict(table) | ({"edges": _named(table["edges"])} if "edges" in table else {}) for table in damage]


def _named(edges: Any) -> Any:
    if not isinstance(edges, list | tuple):
        return edges
    return ["-".join(map(text_of, edge)) if isinstance(edge, tuple) and len(edge) == 2 else edge for edge in edges]
