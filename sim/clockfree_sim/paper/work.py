"""Work of a figure: many jobs over an executor, with a bar."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, as_completed
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Case = TypeVar("Case")
Found = TypeVar("Found")


def gather(pool: Executor, run: Callable[[Case], Found], cases: Iterable[Case], doing: str) -> list[Found]:
    """What `run` finds for each of the cases, in their order; the bar is on stderr.

    Both must be picklable: `run` is a function of a module. When one fails, or on Ctrl-C, those that have not begun are
    cancelled.
    """
    futures = [pool.submit(run, case) for case in cases]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
            task = bar.add_task(doing, total=len(futures))
            for done in as_completed(futures):
                done.result()
                bar.advance(task)
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    return [future.result() for future in futures]
