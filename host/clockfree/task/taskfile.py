"""A task file: what a network is to learn, and how, as TOML.

The same few tables serve every kind of task. `[placement]` says which nodes are sources and targets; each `[[lesson]]`
says, in one of four ways, what is taught, and from when (several lessons: retraining); `[[damage]]` breaks edges on the
way; more `updates` is drift. Everything else has a default: the command line overrides the file, and the file overrides
the preset.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    create_model,
    model_validator,
)

from clockfree.base import shipped
from clockfree.base.errors import InputError
from clockfree.base.overrides import one_line, origin, override, value_of
from clockfree.base.toml import read_toml
from clockfree.task.filetables import Classification, NetworkFile, Regression, Rows, Table
from clockfree_model.importers.reading import Reading
from clockfree_model.network import is_made
from clockfree_model.physics import Physics
from clockfree_model.places import beside, named
from clockfree_model.settings import ClampSettings, EdgeSettings, settings_of

LEAST_P = {"p": 0.001, "oscillators": 0.02}  # below that of oscillators, some edges may never take part
MOST_UPDATES = 10**8  # per edge: four months at 10 Hz
FROM_FILE = "file"
"""Of start_taps: from the resistances that the network's file says."""
SEEDS = 2**60  # a board takes two words of 30 bits


def _number_or_names(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    names = value if isinstance(value, list) else []
    if names and all(isinstance(name, str | int) and not isinstance(name, bool) for name in names):
        return [str(name) for name in names]  # a node that a number names
    raise ValueError("expected node names, or a number of nodes to draw")


def _tap_or_taps(value: object) -> object:
    taps = value if isinstance(value, list) else [value]
    if isinstance(value, str) or (taps and all(isinstance(tap, int) and not isinstance(tap, bool) for tap in taps)):
        return value
    raise ValueError(f'expected a tap, a list with a tap for each edge, "{FROM_FILE}", or the folder of a run')


def _edge_names(value: object) -> object:
    names = value if isinstance(value, list) else []
    if names and all(isinstance(name, str | int) and not isinstance(name, bool) for name in names):
        return value
    raise ValueError("expected a list of edges, each by its nodes (A-B) or its index")


def _known_rule(value: str) -> str:
    name, _, p = value.partition("=")
    if value in ("clockfree", "sync") or (name in LEAST_P and LEAST_P[name] <= _number(p) <= 1):
        return value
    clocked = ", or ".join(f"{name}=P with {least} <= P <= 1" for name, least in LEAST_P.items())
    raise ValueError(f"expected clockfree, sync, {clocked}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _one_after_another(lessons: "list[LessonTable]") -> "list[LessonTable]":
    begins = [lesson.from_updates for lesson in lessons]
    if begins[0] != 0 or sorted(set(begins)) != begins:
        raise ValueError(f"expected from_updates to start at 0 and rise from lesson to lesson, got {begins}")
    return lessons


Nodes = Annotated[int | list[str], BeforeValidator(_number_or_names)]
Taps = Annotated[int | list[int] | str, BeforeValidator(_tap_or_taps)]
Edges = Annotated[list[str | int], BeforeValidator(_edge_names)]
Seed = Annotated[int, Field(ge=0, lt=SEEDS)]


class Placement(Table):
    """Which nodes are sources and which are targets: names, or how many to draw from the task seed."""

    sources: Nodes
    """Nodes whose voltage is given: names, or a number of nodes to draw from the task seed."""
    targets: Nodes
    """Nodes whose voltage is taught; the same, among the others."""


class LessonTable(Table):
    """What is taught from `from_updates` updates per edge on, in exactly one of four ways.

    `desired_V` (examples, targets) goes with `source_V` (examples, sources). `teacher = true`: the desired voltages are
    the free outputs of the network with independent uniform taps from the task seed; without `source_V` there is one
    example, with the sources spread evenly from 0 V to the supply (less the preset's margin at both ends). All voltages
    are rounded to the supervisor's DAC, supply / 4096. `regression` and `classification` are tables. Voltages may
    lie anywhere, also below 0 V: on the circuit all of a task are lifted together, as far as rails and margin ask for.
    """

    name: str | None = None
    """What it is called in results and figures."""
    from_updates: float = Field(default=0.0, ge=0, le=MOST_UPDATES)
    """Updates per edge from which on it is taught."""
    source_V: Rows | None = None
    """Voltages of the sources, a row an example, V."""
    desired_V: Rows | None = None
    """Desired voltages of the targets, a row an example, V."""
    teacher: bool = False
    """What is desired is what the network gives at random taps, so it can be reached."""
    regression: Regression | None = None
    """A table `[lesson.regression]`: outputs linear in the inputs."""
    classification: Classification | None = None
    """A table `[lesson.classification]`: classes of a data set."""

    @model_validator(mode="after")
    def _one_way(self) -> "LessonTable":
        ways = [way for way in ("desired_V", "teacher", "regression", "classification") if getattr(self, way)]
        if len(ways) != 1:
            got = " and ".join(ways) or "none"
            raise ValueError(f"expected one of desired_V, teacher = true, regression, classification, got {got}")
        if (ways[0] in ("regression", "classification")) and self.source_V is not None:
            raise ValueError(f"expected no source_V beside {ways[0]}, which brings its own, got one")
        if ways[0] == "desired_V" and self.source_V is None:
            raise ValueError("expected source_V beside desired_V, got none")
        return self


class DamageTable(Table):
    """Edges that fail at `at_updates` updates per edge; see the job's Damage for the kinds."""

    edges: Edges
    """Edges by their nodes (`A-B`) or their index."""
    kind: Literal["dead", "stuck_a0", "stuck_a1", "stuck_b0", "stuck_b1", "cut"]
    """Fires no more; comparator A or B always says 0 or 1; conducts no more."""
    at_updates: float = Field(ge=0, le=MOST_UPDATES)
    """When it fails, in updates per edge."""


def _table_of(kind: type) -> type[Table]:
    """Overrides of settings: every one of them may be given, within its limits."""
    keys: dict[str, Any] = {}
    for name, type_, setting in settings_of(kind):
        values = Literal[setting.choices] if setting.choices else type_
        keys[name] = (values | None, Field(default=None, **setting.limits))  # type: ignore[call-overload]
    made: type[Table] = create_model(kind.__name__, __base__=Table, __doc__=kind.__doc__, **keys)
    return made


if TYPE_CHECKING:
    EdgeTable: TypeAlias = Table
    ClampTable: TypeAlias = Table
    PhysicsTable: TypeAlias = Table
else:
    EdgeTable, ClampTable, PhysicsTable = map(_table_of, (EdgeSettings, ClampSettings, Physics))


class Task(Table):
    """A task file. `seed` seeds clocks and noise, `task_seed` placement, teacher, examples and split.

    On the circuit every voltage of the task is `scale` times what is written; record and read-out undo it.
    """

    name: str | None = None
    """What the run is called; left out, the file's name."""
    network: str = "lab16"
    """`lab16`, `square:ROWSxCOLS[:periodic]`, `planar:NODES:EDGES:SEED`, or a file."""
    preset: str = "ideal"
    """The physics, and what its edges have by default: `ideal`, `paper` or `board`."""
    rule: Annotated[str, AfterValidator(_known_rule)] = "clockfree"
    """`clockfree`; for comparison, in simulation: `sync`, `p=P`, `oscillators=P`."""
    updates: int = Field(default=1500, ge=0, le=MOST_UPDATES)
    """Firings per edge, whether they step or not; 0 measures the network as it is."""
    seed: Seed = 0
    """Seeds clocks and noise."""
    task_seed: Seed = 0
    """Seeds placement, teacher, examples and split."""
    start_taps: Taps | None = None
    """A tap for all edges, or one for each; "file", from its resistances; or a run's folder; left out, at power-on."""
    network_file: NetworkFile = NetworkFile()
    """How a network's file is read, where it leaves that open."""
    scale: float = Field(default=1.0, ge=0.001, le=1000)
    """How many times larger every voltage is on the circuit than in the task; record and read-out undo it."""
    placement: Placement
    """Which nodes are sources and targets."""
    lesson: Annotated[list[LessonTable], Field(min_length=1), AfterValidator(_one_after_another)]
    """What is taught: one table `[[lesson]]` or more."""
    damage: list[DamageTable] = Field(default=[])
    """Edges that fail on the way: tables `[[damage]]`."""
    edge: EdgeTable = EdgeTable()
    """How every edge senses, steps and keeps time."""
    clamp: ClampTable = ClampTable()
    """How the supervisor teaches."""
    physics: PhysicsTable = PhysicsTable()
    """Single imperfections of the parts."""

    _file: Path = PrivateAttr(default=Path("task"))
    _overridden: dict[str, str] = PrivateAttr(default_factory=dict)
    _unsaid: tuple[str, ...] = PrivateAttr(default=())

    @property
    def title(self) -> str:
        """The task's name; the file's if it has none."""
        return self.name or self._file.stem

    @property
    def network_spec(self) -> str:
        """What to load: a file that the task file names is looked for beside the task file, then among the examples."""
        if "network" in self._overridden:
            typed = self._typed("network", self.network)
            return str(typed if typed.is_file() else shipped.example(shipped.NETWORK, self.network) or typed)
        found = self.file_beside("network", self.network) or shipped.example(shipped.NETWORK, self.network)
        return str(found) if found else self.network if is_made(self.network) else self.path("network", self.network)

    @property
    def reading(self) -> Reading:
        """How the network's file is read."""
        return Reading(**self.network_file.model_dump())

    def path(self, key: str, name: str, there: Callable[[Path], bool] = Path.is_file) -> str:
        """Path of a file, or of what else is `there`, that the task names at a key; of none the name as it is.

        It lies beside the task file. What an option gave may lie in the current folder, where it was typed.

        Raises
        ------
        InputError
            There is one in the current folder, and nobody typed it; or two.
        """
        found, here = self.file_beside(key, name, there), self._typed(key, name)
        if not there(here) or (found is not None and os.path.samefile(found, here)):
            return str(found or name)
        if not origin(key, self._overridden):
            if found is None:
                text = f"expected a file beside {self._file}, got one of this name in the current folder"
                raise self.problem(key, f"{text}: write its path from there, or --set {key}={name}")
            return str(found)
        if found is not None:
            raise self.problem(key, f"expected one file, got {found} and {here.absolute()}: write the whole path")
        return str(here)

    def file_beside(self, key: str, name: str, there: Callable[[Path], bool] = Path.is_file) -> Path | None:
        """A file of this name beside the task file, None if there is none; InputError where there are two."""
        try:
            return beside(self._file, name, there)
        except ValueError as error:
            raise self.problem(key, str(error)) from None

    def _typed(self, key: str, name: str) -> Path:
        try:
            return named(name)
        except ValueError as error:
            raise self.problem(key, str(error)) from None

    def problem(self, key: str, text: str) -> InputError:
        """The error to raise for a key: `FILE: key: text`, and which option gave the value if it was not the file."""
        said = f"{key}{origin(key, self._overridden)}: {text}"
        return InputError(f"{self._file}: {without(self._unsaid, said)}")


def without(prefixes: Sequence[str], said: str) -> str:
    """What is said of a key, without the table that whoever wrote it left out, if it is in one of these."""
    return next((said.removeprefix(prefix) for prefix in prefixes if said.startswith(prefix)), said)


def task_of(data: dict[str, Any], file: Path, overridden: Mapping[str, str], unsaid: tuple[str, ...] = ()) -> Task:
    """The task that a file's contents are.

    Parameters
    ----------
    data : dict
        As TOML has it.
    file : Path
        Where it is from: errors begin with it, and files that it names are looked for beside it.
    overridden : dict
        By key, the option that gave its value.
    unsaid : tuple of str
        What an error leaves out where its key begins with it.

    Raises
    ------
    InputError
        A value is not what its key asks for.
    """
    try:
        task = Task.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{file}: {without(unsaid, one_line(Task, error, overridden))}") from None
    task._file, task._overridden, task._unsaid = file, dict(overridden), unsaid
    return task


def load_task(file: Path | str, options: Mapping[str, object] | None = None, sets: Sequence[str] = ()) -> Task:
    """Read a task file, and lay over it what the command line says; see `lay_over`.

    Raises
    ------
    InputError
        The file cannot be read or parsed, or a value is not what its key asks for.
    """
    file = Path(file)
    data = read_toml(file)
    return task_of(data, file, lay_over(data, file, options or {}, sets))


def lay_over(data: dict[str, Any], file: Path, options: Mapping[str, object], sets: Sequence[str]) -> dict[str, str]:
    """Lay over a file's contents what the command line says; returns by key the option that gave its value.

    Parameters
    ----------
    data : dict
        Changed.
    file : Path
    options : dict
        Values of command-line options by their key in the file (`updates`, `task_seed`, `network`, ...); None is an
        option that was not given. A string is read as in `sets`, so a seed can be passed on as it was typed.
    sets : list of str
        `KEY=VALUE` of each `--set`. KEY is dotted (`edge.f_V`, `lesson.0.from_updates`), VALUE a TOML value; what is
        not TOML is taken as a string.

    Raises
    ------
    InputError
        What is no `KEY=VALUE`, or a key that leads nowhere.
    """
    given = [("--" + key.replace("_", "-"), key, value) for key, value in options.items() if value is not None]
    for text in sets:
        key, equals, after = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"{file}: --set: expected KEY=VALUE, got {text!r}")
        given.append(("--set", key.strip(), after.strip()))
    overridden: dict[str, str] = {}
    for option, key, value in given:
        set_key(data, file, key, value_of(value) if isinstance(value, str) else value, option)
        overridden[key] = option
    return overridden


def set_key(data: dict[str, Any], file: Path, key: str, value: object, option: str) -> None:
    """Set a dotted key of a file's contents; InputError if it leads nowhere."""
    try:
        override(data, key, value)
    except ValueError as error:
        raise InputError(f"{file}: {key}{origin(key, {key: option})}: {error}") from None
