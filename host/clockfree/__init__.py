"""clockfree: physical learning networks without a clock; the person's side.

`import clockfree as cf` is the Python face. What it names is imported when it is asked for, so that the import itself,
and the command line, load nothing.

run        teach a network a task
sweep      run a task on a grid of settings and seeds
open       a recorded run, or the results of a sweep
resume     go on with a run that was cut off
Task       what a network is to learn, and how
Run        what a run came to
Error      whatever clockfree says itself, as an exception: InputError, BoardError
Interrupted  Ctrl-C ended a run; what was learnt by then is in it
"""

from sys import version_info as _python

if _python < (3, 11):  # noqa: UP036  # pip refuses too; a folder on the path does not
    raise ImportError("clockfree needs Python 3.11 or newer, and this is {}.{}".format(*_python))

TYPE_CHECKING = False  # as typing has it, which takes longer to load than all of this
if TYPE_CHECKING:
    from clockfree.api.opening import open
    from clockfree.api.result import Run
    from clockfree.api.resuming import resume
    from clockfree.api.running import run
    from clockfree.api.sweeping import sweep
    from clockfree.api.tasks import Task
    from clockfree.base.errors import BoardError, Error, InputError, Interrupted

    __version__: str

__all__ = [
    "BoardError",
    "Error",
    "InputError",
    "Interrupted",
    "Run",
    "Task",
    "__version__",
    "open",
    "resume",
    "run",
    "sweep",
]

_FROM = {
    "BoardError": "clockfree.base.errors",
    "Error": "clockfree.base.errors",
    "InputError": "clockfree.base.errors",
    "Interrupted": "clockfree.base.errors",
    "Run": "clockfree.api.result",
    "Task": "clockfree.api.tasks",
    "open": "clockfree.api.opening",
    "resume": "clockfree.api.resuming",
    "run": "clockfree.api.running",
    "sweep": "clockfree.api.sweeping",
}


def __getattr__(name: str) -> object:
    """What the module names, when it is first asked for (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        found: object = version("clockfree")
    elif name in _FROM:
        from importlib import import_module

        found = getattr(import_module(_FROM[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
