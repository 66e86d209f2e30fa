"""Processes of this machine for many runs: each with one thread, none left behind whatever ends their parent."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from typing import Any

from clockfree_model import streams
from clockfree_model.files import naming

ONE_THREAD = tuple(f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"))

_STARTING = threading.Lock()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Process(SpawnProcess):
    """A process that does not run its parent's script again: it needs nothing of it, and a script may lack a guard."""

    @staticmethod
    def _Popen(process: BaseProcess) -> Any:
        main = vars(sys.modules["__main__"])
        with _STARTING:
            before: dict[str, Any] = {name: main[name] for name in ("__file__", "__spec__") if name in main}
            main.pop("__file__", None)
            main["__spec__"] = None
            try:
                return SpawnProcess._Popen(process)
            finally:
                main.update(before)


class _Context(SpawnContext):
    Process = _Process


@contextmanager
def pool(jobs: int) -> Iterator[Executor]:
    """An executor of so many processes. Where its block is left by an exception, what is under way is ended with it."""
    others = {*multiprocessing.active_children()}
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))  # processes that are started from now on inherit it
    with naming("/dev/shm"):  # where its locks are: of one that cannot be made nobody says more than why
        made = ProcessPoolExecutor(jobs, _Context(), _begin)
    try:
        yield made
    except BaseException:  # Ctrl-C: what is under way is lost
        for child in {*multiprocessing.active_children()} - others:
            child.terminate()
        raise
    finally:
        made.shutdown(cancel_futures=True)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _begin() -> None:
    """A process of the pool: Ctrl-C is for its parent, and without one it ends."""
    streams.settle()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
