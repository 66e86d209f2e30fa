"""Points of a sweep file: every one resolved and checked before anything runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from clockfree_model.job import Job
from clockfree_model.network import Network
from clockfree_sim import sources_digest
from clockfree_sim.sweep.grid import Axis, SweepError, SweepFile, grid
from clockfree_sim.sweep.point import Exam, Point, digest


class Plan(Protocol):
    """A task file, resolved; the host's."""

    @property
    def job(self) -> Job:
        """What is run."""

    @property
    def task_seed(self) -> int:
        """What teacher, placement and examples were drawn from."""

    @property
    def held_out(self) -> tuple[Exam | None, ...]:
        """One for each lesson."""


class Host(Protocol):
    """The host, as far as it lends itself to a command of the simulation."""

    InputError: type[Exception]

    def read(self, file: Path, model: type[Any]) -> Any:
        """A TOML file, as its model has it."""

    def find(self, noun: str, name: Path) -> Path:
        """A `task` or `sweep` file by its name: that of a file, or of an example."""

    def plan(self, task: Path, sets: Sequence[str]) -> Plan:
        """What `clockfree run TASK --set KEY=VALUE ...` would run."""

    def text(self, file: Path) -> str:
        """What a sweep file, or a task file, says, for the record."""

    def versions(self) -> dict[str, str]:
        """Versions of whatever can change a result."""


@dataclass(frozen=True)
class Sweep:
    """All points, and where they come from.

    Attributes
    ----------
    file : Path
    texts : dict
        Contents of the sweep file, and of every task file, by their paths.
    axes : tuple of Axis
    points : list of Point
    task_seeds : list of int
        One for each point.
    digest : str
        Tells this sweep from any other, or from itself before a file was changed.
    """

    file: Path
    texts: dict[str, str]
    axes: tuple[Axis, ...]
    points: list[Point]
    task_seeds: list[int]
    digest: str


def load(file: Path, host: Host, told: Callable[[int, int], None]) -> Sweep:
    """Read a sweep file and resolve its points.

    Parameters
    ----------
    file : Path
    host : Host
    told : callable
        Is told how many of how many points are resolved.

    Raises
    ------
    Host.InputError
        A file that cannot be read or is not one; a point that cannot be run.
    """
    try:
        asked = grid(host.read(file, SweepFile), file)
        cells = list(asked.cells())
    except SweepError as error:
        raise host.InputError(f"{file}: {error}") from None
    points, task_seeds, digests = [], [], []
    tasks: dict[Path, Path] = {}
    networks: dict[str, Network] = {}
    for count, cell in enumerate(cells):
        told(count, len(cells))
        try:
            if cell.task not in tasks:
                tasks[cell.task] = host.find("task", cell.task)
            plan = host.plan(tasks[cell.task], cell.sets)
        except host.InputError as error:
            raise host.InputError(f"{file}: {cell.where}: {error}") from None
        # Thousands of points have a few networks between them.
        network = networks.setdefault(digest(plan.job.network), plan.job.network)
        job = replace(plan.job, network=network)
        points.append(Point(cell.at, cell.where, job, plan.held_out, sources_digest()))
        task_seeds.append(plan.task_seed)
        digests.append(digest([job, plan.held_out]))
    files = dict.fromkeys([file, *tasks.values()])
    texts = {str(each): host.text(each) for each in files}
    axes = [[axis.name, axis.values] for axis in asked.axes]
    return Sweep(file, texts, asked.axes, points, task_seeds, digest([axes, digests]))
