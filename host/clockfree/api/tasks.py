"""Tasks from Python: what a task file says, as keywords; networks, nodes and arrays as Python has them."""

import html
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clockfree.api.said import FROM_PYTHON, WAYS, Said
from clockfree.base import shipped
from clockfree.base.errors import InputError
from clockfree.base.files import meant
from clockfree.base.toml import read_toml
from clockfree.task import plan
from clockfree.task.plan import Plan
from clockfree_model.job import Job


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
        Voltages, V; below 0 V, too. Both are rounded to the supervisor's DAC, supply / 4096.
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
        path = None if file is None else shipped.find(shipped.TASK, file)
        said = Said(None, {}) if path is None else Said(path, read_toml(path))
        said.change({key: value for key, value in given.items() if value is not None})
        self._resolve(said)

    @classmethod
    def of_command_line(cls, file: Path, options: Mapping[str, Any], sets: Sequence[str]) -> "Task":
        """The task of `clockfree run FILE --seed 3 --set KEY=VALUE`; see `clockfree.task.plan.make_plan`."""
        said = Said(file, read_toml(file))
        said.lay_over(options, sets)
        return cls._of(said)

    @classmethod
    def _of(cls, said: Said) -> "Task":
        made = cls.__new__(cls)
        made._resolve(said)
        return made

    def laid_over(self, sets: Sequence[str]) -> "Task":
        """The same task with `KEY=VALUE` of each `--set` laid over it."""
        said = self._said.copied()
        said.lay_over({}, sets)
        return self._of(said)

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
        said = self._said.copied()
        said.change(changes)
        return self._of(said)

    def _resolve(self, said: Said) -> None:
        """Check what was said; teachers and best errors wait for a run."""
        self._said = said
        if said.recorded:
            recorded = self.plan(False)
            self._job, self._name, self._preset = recorded.job, recorded.task, recorded.preset
            return
        self._task = said.task()
        self._draft = said.draft(self._task, placed=False)
        if all(lesson.desired_V for lesson in self._task.lesson):
            self._draft.plan(False)  # nothing is to be solved or fitted: voltages are checked now
        self._job, self._name, self._preset = self._draft.job, self._task.title, self._task.preset

    def plan(self, trace: bool) -> Plan:
        """What a bench runs, with every firing recorded if `trace`; teachers are solved now."""
        said = self._said
        if said.recorded:
            return plan.again(said.where, said.data, said.again, said.sets, trace)
        to_place = said.graph is not None and said.graph.places is None
        return (said.draft(self._task, placed=True) if to_place else self._draft).plan(trace)

    @property
    def where(self) -> Path:
        """The file that it is from, for errors and records; `task` if there is none."""
        return self._said.where

    @property
    def job(self) -> Job:
        """What was resolved of it; without lessons, which are solved when it runs."""
        return self._job

    @property
    def name(self) -> str:
        """Its name: the file's if it has none of its own."""
        return self._name

    @property
    def nodes(self) -> list[Hashable]:
        """Nodes of the network, as they were given: names, numbers, tuples."""
        return list(self._said.graph.nodes if self._said.graph else self._job.network.nodes)

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
        graph = self._said.graph
        return dict(zip(graph.texts, graph.nodes)) if graph else None

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

        graph, contents = self._said.graph, self._said.contents()
        return save(meant(path), contents, graph.network(placed=True) if graph else None)

    def __repr__(self) -> str:
        job = self._job
        names = {role: ", ".join(map(str, getattr(self, role))) for role in ("sources", "targets")}
        taught = "" if self._said.recorded else f" {_taught(self._said.data['lesson'])};"
        return (
            f"clockfree.Task {self.name}: {job.network.name}, {len(job.network.nodes)} nodes, {len(job.network.ends)} "
            f"edges; sources {names['sources']}; targets {names['targets']};{taught} {self._preset}, {job.updates} "
            "updates per edge"
        )

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


def _taught(lessons: list[dict[str, Any]]) -> str:
    if len(lessons) > 1:
        return f"{len(lessons)} lessons"
    count = len(lessons[0].get("desired_V", ()))
    if count:
        return f"{count} example{'s' * (count > 1)}"
    return next(way for way in WAYS if way in lessons[0])
