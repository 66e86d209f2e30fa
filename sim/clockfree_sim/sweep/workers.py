"""Workers that run points: any `concurrent.futures` executor; processes, or a Dask cluster."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from clockfree_sim.sweep.point import Point, measure
from clockfree_sim.sweep.processes import pool

CONNECT_S = 10
DIED = "its process died: killed, or out of memory"
MOST_DEATHS = 5
"""So many points may die, each alone, before any has come to something: then it is not the points."""
GONE_S = 60.0
"""A cluster that had workers may be without any for so long."""
_LOOK_S = 1.0
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
    gone_s : callable
        For how long there has been none of those that were there, s.
    """

    open: Callable[[], AbstractContextManager[Executor]]
    ahead: int
    what: str
    gone_s: Callable[[], float] = lambda: 0.0


def run(points: list[Point], workers: Workers, finished: Finished) -> None:
    """Run points in whatever order they finish.

    A process that dies takes the whole executor with it. Then each point that was under way is run alone, by a process
    that has shown that it lives, and of these only one that does it again has failed.

    Raises
    ------
    WorkersError
        The workers are gone, or die whatever they are given.
    """
    waiting = deque(points)
    deaths, lived = 0, False

    def tell(point: Point, found: dict[str, Any] | str) -> None:
        nonlocal deaths, lived
        finished(point, found)
        lived = lived or found != DIED
        deaths += found == DIED
        if deaths >= MOST_DEATHS and not lived:
            raise WorkersError(f"{deaths} points died, each alone, and none came to anything: too little memory here?")

    while waiting:
        with workers.open() as executor:
            suspects = deque(_spread(waiting, executor, workers, workers.ahead, tell))
        while suspects:
            with workers.open() as executor:
                try:
                    executor.submit(_lives).result()
                except BrokenExecutor:
                    raise WorkersError("the processes die as they start: killed, or out of memory") from None
                for died in _spread(suspects, executor, workers, 1, tell):
                    tell(died, DIED)


def _lives() -> None:
    """Nothing; a process that is asked for it has loaded what a point takes."""


def _spread(waiting: deque[Point], executor: Executor, workers: Workers, ahead: int, finished: Finished) -> list[Point]:
    """Take points from those waiting until none is left, or the executor breaks: then returns those under way."""
    flying: dict[Future[dict[str, Any]], Point] = {}
    while waiting or flying:
        try:
            while waiting and len(flying) < ahead:
                flying[executor.submit(measure, waiting[0])] = waiting[0]
                waiting.popleft()
        except BrokenExecutor:
            return list(flying.values())
        for future in _done(flying, workers):
            try:
                found: dict[str, Any] | str = future.result()
            except BrokenExecutor:
                return list(flying.values())
            except CancelledError:
                raise WorkersError("the scheduler is gone") from None
            except Exception as error:
                name = type(error).__name__
                found = DIED if name == "KilledWorker" else " ".join(f"{name}: {error}".split())
            finished(flying.pop(future), found)
    return []


def _done(flying: Iterable[Future[Any]], workers: Workers) -> set[Future[Any]]:
    """Wait for at least one; WorkersError where all workers have gone."""
    while not (done := wait(flying, _LOOK_S, FIRST_COMPLETED).done):
        if workers.gone_s() > GONE_S:
            raise WorkersError(f"the workers are gone, and none has come for {GONE_S:g} s")
    return done


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
        seen_s = time.monotonic() if count else None

        def gone_s() -> float:
            nonlocal seen_s
            with suppress(OSError):  # the scheduler is gone as well; its futures say so
                if client.nthreads():
                    seen_s = time.monotonic()
            return time.monotonic() - seen_s if seen_s else 0.0  # a cluster may have its first workers later

        what = f"the {count} worker{'s' if count != 1 else ''} of {address}"
        yield Workers(executor, 1000, what, gone_s)
    finally:
        client.close()
