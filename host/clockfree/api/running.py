"""`clockfree.run`: a task on a bench, once or with many seeds."""

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from clockfree.api.observing import observer
from clockfree.api.result import Run
from clockfree.api.tasks import Task
from clockfree.base import checkout
from clockfree.base.errors import InputError, Interrupted
from clockfree.base.files import meant
from clockfree.bench.registry import open_bench
from clockfree.runs import experiment

if TYPE_CHECKING:
    import xarray as xr


@overload
def run(
    task: Task | str | Path, *, seeds: None = None, seed: int | None = None, task_seed: int | None = None,
    preset: str | None = None, rule: str | None = None, updates: int | None = None, bench: str | Path = "sim",
    out: str | Path | bool | None = None, trace: bool = False, progress: Any = None, anyway: bool = False, **sets: Any,
) -> Run: ...  # fmt: skip
@overload
def run(
    task: Task | str | Path, *, seeds: Iterable[int], seed: None = None, task_seed: int | None = None,
    preset: str | None = None, rule: str | None = None, updates: int | None = None, bench: str | Path = "sim",
    out: str | Path | bool | None = None, trace: bool = False, progress: Any = None, anyway: bool = False, **sets: Any,
) -> "xr.Dataset": ...  # fmt: skip
def run(
    task: Task | str | Path,
    *,
    seed: int | None = None,
    seeds: Iterable[int] | None = None,
    task_seed: int | None = None,
    preset: str | None = None,
    rule: str | None = None,
    updates: int | None = None,
    bench: str | Path = "sim",
    out: str | Path | bool | None = None,
    trace: bool = False,
    progress: Any = None,
    anyway: bool = False,
    **sets: Any,
) -> "Run | xr.Dataset":
    """Teach a network a task.

    Parameters
    ----------
    task : Task, str or path
        A task, or the name of a task file, of the `run.toml` of a run, or of an example.
    seed, task_seed : int
        Of clocks and noise; of teacher, placement and examples.
    seeds : sequence of int
        In place of `seed`: as many runs, on the simulated bench.
    preset, rule, updates, **sets
        What else of the task is to be changed, by the keywords of `Task`: `edge={"rate_hz": 20}`.
    bench : str or path
        `"sim"`, in virtual time, in this process; `"virtual"`, boards made up for it; or a bench file of boards.
    out : str, path or bool
        Folder to make for the record; one that exists is refused. True: a new one in runs/, as the command line makes.
        Left out, a simulated run leaves nothing behind, since its seeds give it again, by the same code, packages and
        kind of processor to the last bit; a run on boards is always kept, in runs/.
    trace : bool
        Record every firing: `Run.firings`.
    progress : bool or callable
        True: a few lines on stderr. A function, such as `print`, is given each of them. Left out, only what the
        network cannot reach is said, as a warning.
    anyway : bool
        Take boards that run other code than the firmware here.

    Returns
    -------
    Run, or with `seeds` an xarray.Dataset
        The data set has a dimension `seed`; along it is what each run alone comes to, to the last bit: `error`,
        `mean_error`, `measured_error` and `time` at each sample; `final_error`, `taps`, `outputs` and counters at the
        end. Beside them stand `geometric_mean` of the final errors and `interval`, its 95% by Student's t on the
        logarithms.

    Raises
    ------
    InputError
        What cannot be run as it stands.
    BoardError
        Boards that could not do what they were asked.
    Interrupted
        Ctrl-C; what had been learnt by then is its `run`. A KeyboardInterrupt, so that a loop over runs ends too.

    Examples
    --------
    >>> import clockfree as cf
    >>> task = cf.Task(sources=["A", "C"], targets=["E"], source_V=[[0, 5]], desired_V=[[3.6]], updates=100)
    >>> run = cf.run(task, seed=3)
    >>> run.outputs([[0, 5], [5, 0]]).sizes["example"]
    2
    >>> cf.run(task, seeds=range(3)).sizes["seed"]
    3
    """
    checkout.check()
    changes = {"task_seed": task_seed, "preset": preset, "rule": rule, "updates": updates, **sets}
    asked = (task if isinstance(task, Task) else Task(task)).replace(seed=seed, **changes)
    how = {"bench": bench, "out": out, "trace": trace, "progress": progress}
    if seeds is not None:
        data, unkept = run_seeds(asked, seed, seeds, **how)
        for line in unkept():
            warnings.warn(line, stacklevel=2)
        return data
    found, outcome = run_once(asked, anyway=anyway, **how)
    for line in [*([] if progress else outcome.beyond), *outcome.make_files()]:  # what nobody has heard
        warnings.warn(line, stacklevel=2)
    if outcome.interrupted:
        raise Interrupted(found)
    return found


def run_once(
    asked: Task, bench: str | Path, out: str | Path | bool | None, trace: bool, progress: Any, anyway: bool
) -> tuple[Run, experiment.Outcome]:
    """A run, and what it came to: the files that else belong into its folder are yet to be made."""
    plan, folder = asked.plan(trace), _folder(asked, out)
    boards = open_bench(str(bench), plan.job.schedule, anyway)
    kept = bool(out) or str(bench) != "sim"
    outcome = experiment.run(plan, asked.where, str(bench), boards, folder, observer(progress), kept)
    return Run.of(asked, outcome), outcome


def _folder(asked: Task, out: str | Path | bool | None) -> Path | None:
    if out is not None and not isinstance(out, str | Path | bool):
        raise InputError(f"{asked.where}: out: expected a folder, or True for a new one in runs/, got {out!r}")
    return meant(out) if isinstance(out, str | Path) else None


def run_seeds(
    task: Task,
    seed: int | None,
    seeds: Iterable[int],
    bench: str | Path,
    out: str | Path | bool | None,
    trace: bool,
    progress: Any,
) -> "tuple[xr.Dataset, Callable[[], list[str]]]":
    """Many runs, and what writes them to their folder: it returns a line if it could not."""
    from clockfree.api.datasets import dataset  # xarray: slow to load, and one run alone may do without
    from clockfree.runs import seeds as many  # the same

    if str(bench) != "sim":
        text = f"expected --bench sim, got {bench}: boards run one seed after another, each with a record of its own"
        raise InputError(f"{task.where}: seeds: {text}")
    if seed is not None:
        raise InputError(f"{task.where}: seeds: expected no seed beside them, got {seed}")
    if trace:
        raise InputError(f"{task.where}: seeds: expected no trace beside them, got one: run one seed with it")
    listed = many.checked(seeds, task.where)
    data, folder = many.run(task.plan(False), listed, task.where, _folder(task, out), observer(progress), bool(out))
    found = dataset(data, task.called, task.job.network)
    if folder is None:
        return found, list
    return found.assign_attrs(folder=str(folder)), lambda: many.make_file(data, folder)
