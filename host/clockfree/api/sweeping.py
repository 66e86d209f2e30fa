"""`clockfree.sweep`: a task on a grid of settings and seeds."""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clockfree.api.hosting import Host, Model
from clockfree.api.observing import observer
from clockfree.api.said import FROM_PYTHON
from clockfree.api.tasks import Task
from clockfree.api.values import plain
from clockfree.base import checkout, shipped
from clockfree.base.errors import InputError, Interrupted
from clockfree.base.files import meant
from clockfree.base.overrides import checked
from clockfree.base.toml import dumps
from clockfree.runs.experiment import RUNS
from clockfree.task.plan import Plan
from clockfree_model.scratch import Scratch

if TYPE_CHECKING:
    import xarray as xr

SWEEP = Path("sweep")
"""What errors begin with where there is no file."""


def sweep(
    file: str | Path | Mapping[str, Any],
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    out: str | Path | bool | None = None,
    progress: Any = None,
) -> "xr.Dataset":
    """Run a task at every point of a grid, in processes of this machine or on a Dask cluster.

    Parameters
    ----------
    file : str, path or dict
        A sweep file, or the name of an example; or what a file says: `task`, a `Task` or the name of a task file;
        `axes`, a key of the task and its values each; `variants`, `set`.
    jobs : int
        Processes; all cores if left out.
    scheduler : str
        A Dask scheduler to use (tcp://HOST:PORT), not processes.
    out : str, path or bool
        Folder to make, or to go on in: what was interrupted goes on by the same call, and what is done is not run
        again. True: that of the command line, runs/ and the name of the sweep file. Left out, none is kept.
    progress : bool or callable
        True: lines on stderr. A function, such as `print`, is given each of them.

    Returns
    -------
    xarray.Dataset
        A dimension for each axis; `final_error`, `taps`, `error` on the way and more, with units. `failure` says of a
        point that came to nothing why.

    Raises
    ------
    InputError
        What cannot be run as it stands: all points are checked before any runs.
    Interrupted
        Ctrl-C; what was done by then is its `run`.

    Examples
    --------
    >>> import clockfree as cf
    >>> task = cf.Task(sources=["A", "C"], targets=["E"], source_V=[[0, 5]], desired_V=[[3.6]], updates=20)
    >>> data = cf.sweep({"task": task, "axes": {"clamp.eta": [0.5, 1.0], "seed": range(2)}}, jobs=1)
    >>> dict(data.final_error.sizes)
    {'clamp.eta': 2, 'seed': 2}
    """
    from clockfree_sim.sweep.running import run_sweep  # xarray, scipy: slow to load

    checkout.check()
    if not isinstance(file, str | Path | Mapping):
        raise InputError(f"{SWEEP}: expected a sweep file, or a dict with task and axes, got {type(file).__name__}")
    if jobs is not None and (type(jobs) is not int or jobs < 1):
        raise InputError(f"{SWEEP}: jobs: expected a number of processes >= 1, got {jobs!r}")
    said = None if isinstance(file, str | Path) else dict(file)
    path = SWEEP if said is not None else shipped.find(shipped.SWEEP, str(file))
    place = RUNS / path.stem if out is True else meant(str(out)) if out else None
    host = _PythonHost(said)
    with nullcontext(place) if place else Scratch() as folder:
        swept = run_sweep(host, path, jobs, scheduler, Path(folder), observer(progress))
        for line in swept.make_file() if place else ():
            warnings.warn(line, stacklevel=2)
    found = swept.data
    if host.task is not None and host.task.called is not None and "edge" in found.coords:
        from clockfree.api.datasets import objects  # xarray: slow to load

        found = found.assign_coords(edge=("edge", objects(host.task.edges), found["edge"].attrs))
    if swept.ended == "interrupted":
        raise Interrupted(found)
    if swept.ended != "done":
        text = f"{path}: {len(swept.journal.failed)} of {len(swept.sweep.points)} points failed: see `failure`"
        warnings.warn(text, stacklevel=2)
    return found


class _PythonHost(Host):
    """The host, with a sweep or a task that are no files."""

    def __init__(self, said: dict[str, Any] | None):
        self.task: Task | None = None
        if said is not None:
            if isinstance(said.get("task"), Task):
                self.task = said["task"]
                said["task"] = str(FROM_PYTHON)
            elif "task" in said:
                said["task"] = str(said["task"])
            said = {key: plain(value, key, SWEEP) for key, value in said.items()}
        self._said = said

    def read(self, file: Path, model: "type[Model]") -> "Model":
        """The sweep, as its model has it."""
        return super().read(file, model) if self._said is None else checked(model, self._said, SWEEP)

    def find(self, noun: str, name: Path | str) -> Path:
        """The task, which is no file, or that of this name."""
        return Path(name) if self._is_task(Path(name)) else super().find(noun, name)

    def text(self, file: Path) -> str:
        """What the sweep, or the task, says."""
        if self._said is not None and file == SWEEP:
            return dumps(self._said)
        return str(self.task) if self._is_task(file) else super().text(file)

    def plan(self, task: Path, sets: Sequence[str]) -> Plan:
        """What would be run."""
        if self.task is not None and self._is_task(task):
            return self.task.laid_over(sets).plan(False)
        return super().plan(task, sets)

    def _is_task(self, file: Path) -> bool:
        return self.task is not None and file == FROM_PYTHON
