"""Workers that run points: any `concurrent.futures` executor; processes, or a Dask cluster."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from clockfree_sim.sweep.point import Point, measure
from clockfree_sim.sweep.processes import pool

CONNECT_S = 10
Finished = Callable[[Point, "dict[str, Any] | str"], None]
"""finished(point, what it came to, or why it failed)"""


class WorkersError(Exception):
    """Workers that cannot be had, or are gone."""


@dataclass(frozen=True)
class Workers:
    """Where points are run.

    Attributes
    ----------
    open : callable
        A new executor, as a context.
    ahead : int
        Points that it is handed at a time.
    what : str
        In words.
    """

    open: Callable[[], AbstractContextManager[Executor]]
    ahead: int
    what: str


def run(points: list[Point], workers: Workers, finished: Finished) -> None:
    """Run points in whatever order they finish.

    A process that dies takes the whole executor with it. Then each point that was under way is run alone, and of these
    only one that does it again has failed.

    Raises
    ------
    WorkersError
        The workers are gone.
    """
    waiting = deque(points)
    while waiting:
        with workers.open() as executor:
            suspects = deque(_spread(waiting, executor, workers.ahead, finished))
        while suspects:
            with workers.open() as executor:
                for died in _spread(suspects, executor, 1, finished):
                    finished(died, "its process died: killed, or out of memory")


def _spread(waiting: deque[Point], executor: Executor, ahead: int, finished: Finished) -> list[Point]:
    """Take points from those waiting until none is left, or the executor breaks: then returns those under way."""
    flying: dict[Future[dict[str, Any]], Point] = {}
    while waiting or flying:
        try:
            while waiting and len(flying) < ahead:
                flying[executor.submit(measure, waiting[0])] = waiting[0]
                waiting.popleft()
        except BrokenExecutor:
            return list(flying.values())
        for future in wait(flying, return_when=FIRST_COMPLETED).done:
            try:
                found: dict[str, Any] | str = future.result()
            except BrokenExecutor:
                return list(flying.values())
            except CancelledError:
                raise WorkersError("the scheduler is gone") from None
            except Exception as error:
                found = " ".join(f"{type(error).__name__}: {error}".split())
            finished(flying.pop(future), found)
    return []


def processes(jobs: int) -> Workers:
    """So many processes of this machine, each with one thread."""
    return Workers(lambda: pool(jobs), 2 * jobs, f"{jobs} process{'es' if jobs > 1 else ''}")


@contextmanager
def cluster(address: str) -> Iterator[Workers]:
    """The workers of a Dask scheduler.

    Raises
    ------
    WorkersError
        `distributed` is not installed, or no scheduler answers.
    """
    try:
        import distributed
        from distributed.comm.addressing import get_address_host_port
    except ImportError:
        text = "needs dask.distributed, which is not installed: make extras, or pip install clockfree[cluster]"
        raise WorkersError(f"--scheduler: {text}") from None
    for name in ("distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is said here, in a line
    try:
        get_address_host_port(address, strict=True)
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        why = " ".join(str(error).split())
        raise WorkersError(f"--scheduler: expected the address of a Dask scheduler, got {address}: {why}") from None

    @contextmanager
    def executor() -> Iterator[Executor]:
        executor = client.get_executor(pure=False)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)

    try:
        count = len(client.nthreads())
        yield Workers(executor, 1000, f"the {count} worker{'s' if count != 1 else ''} of {address}")
    finally:
        client.close()
