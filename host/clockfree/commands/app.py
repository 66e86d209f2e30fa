"""The command line: `clockfree COMMAND`, each imported when it is called.

The module of a command holds its options, and imports what it works with when it runs: `--help` comes at once.

Exit status: 0 done; 1 ran, but something failed; 2 bad input, said in one line on stderr; 130 interrupted.
"""

import contextlib
import errno
import functools
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from clockfree.base import checkout, environment
from clockfree.base.errors import BoardError, InputError
from clockfree.base.files import meant
from clockfree.commands.context import Context
from clockfree.commands.output import BAD_INPUT, DONE, FAILED, INTERRUPTED
from clockfree_model import streams
from clockfree_model.docs import doc
from clockfree_model.nearest import nearest
from clockfree_model.quiet import VARIABLE, quiet, set_quiet
from clockfree_model.saying import put, say

COMMANDS = {
    "examples": "List the examples, or copy them out.",
    "new": "Write a task file, asking for what is not given.",
    "predict": "Say beforehand what a run on a bench will come to, how long it takes, and what limits it.",
    "run": "Teach a network a task, and keep a record of it.",
    "resume": "Go on with a run that was killed, interrupted or out of disk, from its last checkpoint.",
    "infer": "Ask a run the rows of a data set: outputs, and of a classification the classes.",
    "test": "See how right a run is on the rows of a data set: error, accuracy, confusions.",
    "place": "Draw placements of a task, rank them by best achievable error, and write the best one.",
    "show": "Print and plot a run again, from its log.",
    "note": "Add a line of text to the record of a run that is over; show prints it.",
    "check": "See whether the record of a run is what was written, and all of it.",
    "compare": "See whether a run ends as simulated runs of the same job do, or which of two runs is better.",
    "independence": "Test whether the edges of a run with --trace fired independently of one another.",
    "read": "Print voltages, drops and taps at the end of a run, or of a bench now, and where each comes from.",
    "export": "Write the network of a run, with its taps and resistances, to a file that other programs read.",
    "bench": "Write a bench file for a task from the boards that are plugged in: one an edge, and a supervisor.",
    "virtual": "Keep virtual boards up until Ctrl-C, as if they were plugged in, for the network of a task.",
    "boards": "Show every board at a port, and what it says of itself.",
    "flash": "Bring firmware and configuration onto the boards of a bench, all at once.",
    "hold": "Stop every board of a bench: HOLD, with the taps as they are; a run on them is asked to end.",
    "stop": "The same, but a run that does not end is killed.",
    "doctor": "Examine the boards of a bench in HOLD: what is wrong with each, and what to do.",
    "checkpoint": "Write taps and calibration of a bench, in HOLD, to a file.",
    "restore": "Give the boards of a bench the taps and the calibration that a checkpoint has.",
    "version": "Print the version; with --verbose, all that a report of a bug needs, in one paste.",
    "help": "Say what a command, a key of the task file, a chip, a counter or an event is.",
}
"""The host's own commands and their help; each is the function of its name in the module of its name."""

QUIETED = ("new", "run", "resume", "compare", "bench", "flash", "hold", "stop", "sweep")
"""Commands that tell of more than what was asked for: `--quiet` silences it."""

OTHERS = "clockfree.commands"
"""Entry-point group in which other packages register commands."""


class _Later(TyperCommand):
    """A command that is imported when it is called; its help in a list of commands is known before."""

    def __init__(self, name: str):
        super().__init__(name=name, help=COMMANDS[name])

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        module = importlib.import_module(f"clockfree.commands.{self.name}")
        command = _command(str(self.name), getattr(module, str(self.name)), self.help)
        return command.make_context(info_name, args, parent, **extra)


def _hush(value: bool) -> None:
    set_quiet(value)


def _quieted(
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            callback=_hush,
            envvar=VARIABLE,
            show_envvar=False,
            expose_value=False,
            help="Errors and warnings on stderr, nothing else; on stdout what was made, a folder or a file.",
        ),
    ] = False,
) -> None:
    """The option that makes a command quiet, which the command itself is not told of."""


def _command(name: str, function: Callable[..., None], help_: str | None = None) -> Any:
    command = _made(name, function, help_)
    if name in QUIETED:
        command.params += _made(name, _quieted).params
    return command


def _made(name: str, function: Callable[..., None], help_: str | None = None) -> Any:
    made = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    made.command(name, help=help_)(_with_paths(function))
    return typer.main.get_command(made)


def _with_paths(function: Callable[..., None]) -> Callable[..., None]:
    """The function, given the paths that a person means: `--out=~/x` reaches us as it was typed."""

    @functools.wraps(function)
    def called(*values: Any, **named: Any) -> None:
        function(*values, **{key: meant(each) if isinstance(each, Path) else each for key, each in named.items()})

    return called


class _Commands(TyperGroup):
    """The host's own commands, and those in the entry-point group: one that cannot be loaded is named and left out."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS, *sorted(entry.name for entry in importlib.metadata.entry_points(group=OTHERS))]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            listed = self.list_commands(ctx)
            meant = nearest(name, listed)
            raise InputError(f"{name}: expected a command, one of {', '.join(listed)}, got none{meant}")
        if name != "help" and not ctx.resilient_parsing:
            checkout.check()
        return name, command, args[1:]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in COMMANDS:
            return _Later(cmd_name)
        for entry in importlib.metadata.entry_points(group=OTHERS):
            if entry.name == cmd_name:
                try:
                    function = entry.load()
                    return _command(cmd_name, function, doc(function))
                except Exception as error:
                    say(f"clockfree: command {cmd_name} is left out: {_one_line(error)}")
        return None


app = typer.Typer(
    name="clockfree",
    cls=_Commands,
    help="Clock-free physical learning networks: teach one, look at a run, read its voltages.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        put(f"clockfree {importlib.metadata.version('clockfree')}")
        raise typer.Exit(DONE)


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _fail(text: str, status: int) -> int:
    if len(text) > LONGEST:  # what a person got wrong may be of any length
        text = f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"
    say(f"clockfree: {text}")
    return status


def status_of(arguments: list[str]) -> int:
    """Run a command line; returns the exit status."""
    before = quiet()
    try:
        return _status_of(arguments)
    finally:
        set_quiet(before)


def _status_of(arguments: list[str]) -> int:
    if wrong := next(filter(None, map(environment.unreadable, arguments)), ""):
        return _fail(wrong, BAD_INPUT)
    try:
        status = app(arguments, prog_name="clockfree", standalone_mode=False, obj=Context()) or DONE
        sys.stdout.flush()  # what cannot be written is said here, not when Python ends
        return _fail("interrupted", INTERRUPTED) if status == INTERRUPTED else status
    except InputError as error:
        return _fail(_one_line(error), BAD_INPUT)
    except BoardError as error:
        return _fail(_one_line(error), FAILED)
    except typer.TyperException as error:
        text = " ".join(error.format_message().split())
        return _fail(text, error.exit_code) if text else error.exit_code
    except typer.Abort:
        return _fail("interrupted", INTERRUPTED)
    except SystemExit as error:  # what typer makes of a broken pipe, which is none of the standard streams'
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        return _fail("a process that this one talked to has ended", FAILED)
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("clockfree"):
            raise
        text = f"{error.name} is not installed here, and this command needs it: pip install clockfree brings it"
        return _fail(text, FAILED)
    except BrokenExecutor:
        return _fail("a process that worked for this has died: killed, or out of memory", FAILED)
    except UnicodeEncodeError as error:
        return _fail(f"{error.object!a}: {environment.of_locale()}", BAD_INPUT)
    except OSError as error:
        where = error.filename2 or error.filename or _unnamed()
        _give_up_stdout()
        if error.errno == errno.ENAMETOOLONG:  # nobody but a person makes such a name
            return _fail(f"{where}: {os.strerror(error.errno)}", BAD_INPUT)
        # What HDF5 says of a full disk has several lines, and another file name in each of them.
        return _fail(f"{where}: {os.strerror(error.errno)}" if error.errno else _one_line(error), FAILED)


def _unnamed() -> str:
    """What an error is about that does not say so: whatever else is written says it."""
    with contextlib.suppress(OSError):
        Path.cwd()
        return "standard output"
    return "the current folder"


def _give_up_stdout() -> None:
    """Python would try once more, at its end, to write what could not be written."""
    with contextlib.suppress(OSError):  # a test's stdout is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


LONGEST = 800
"""Letters of a line that says what is wrong."""


def main() -> NoReturn:
    """Entry point of the `clockfree` command."""
    try:
        environment.settle()
        streams.settle()
    except KeyboardInterrupt:
        sys.exit(_fail("interrupted", INTERRUPTED))
    sys.exit(status_of(sys.argv[1:]))
