"""The command line: `clockfree run`, `show`, `read`, and the desk's own commands.

Exit status: 0 done; 1 ran, but something failed; 2 bad input, said in one line on stderr; 130 interrupted.
What is slow to import is imported where it is used, so that `clockfree --help` comes at once.
"""

import importlib.metadata
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from clockfree_host import board_commands
from clockfree_host.errors import InputError
from clockfree_host.output import BAD_INPUT, DONE, FAILED, INTERRUPTED, Json, print_json, print_table

COMMANDS = "clockfree.commands"

app = typer.Typer(
    name="clockfree",
    help="Clock-free physical learning networks: teach one, look at a run, read its voltages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

TaskFile = Annotated[Path, typer.Argument(help="Task file (TOML), or the run.toml of a run, to run it again.")]
RunFolder = Annotated[Path, typer.Argument(help="Folder of a run.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"clockfree {importlib.metadata.version('clockfree')}")
        raise typer.Exit(DONE)


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    task: TaskFile,
    bench: Annotated[str, typer.Option(help="sim (virtual time, in this process), virtual, or a bench file.")] = "sim",
    network: Annotated[
        str | None, typer.Option(help="lab16, square:ROWSxCOLS[:periodic], planar:NODES:EDGES:SEED, or a file.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Physics: ideal, paper or board.")] = None,
    rule: Annotated[str | None, typer.Option(help="clockfree; for comparison, sim only: sync or p=0.5.")] = None,
    seed: Annotated[str | None, typer.Option(help="Seeds clocks and noise.", metavar="INTEGER")] = None,
    task_seed: Annotated[str | None, typer.Option(help="Seeds teacher and placement.", metavar="INTEGER")] = None,
    updates: Annotated[str | None, typer.Option(help="Updates (firings) per edge.", metavar="INTEGER")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any key of the task file; may be repeated.")
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Record every firing.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to make; one that exists is refused. Default: in runs/.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Teach a network a task, and keep a record of it."""
    from clockfree_host import experiment, report
    from clockfree_host.bench import open_bench
    from clockfree_host.plan import make_plan
    from clockfree_host.progress import progress

    options = {
        "network": network,
        "preset": preset,
        "rule": rule,
        "seed": seed,
        "task_seed": task_seed,
        "updates": updates,
    }
    plan = make_plan(task, options, set_ or [], trace)
    boards = open_bench(bench, plan.job.rule)
    with progress() as shown:
        outcome = experiment.run(plan, task, bench, boards, out, shown)
    if as_json:
        print_json(outcome.summary)
    else:
        print_table(report.table(outcome.summary, outcome.data))
    if outcome.interrupted:
        raise typer.Exit(INTERRUPTED)


@app.command()
def show(folder: RunFolder, as_json: Json = False) -> None:
    """Print and plot a run again, from its log."""
    from clockfree_host import report, results, runlog

    record = runlog.read(folder)
    data = results.write(record)
    report.figure(data, folder / "figure.png")
    found = results.summary(record, data)
    if as_json:
        print_json(found)
    else:
        print_table(report.table(found, data))


@app.command()
def read(folder: RunFolder, as_json: Json = False) -> None:
    """Print the voltages of every node in both twins at the end of a run, for each example."""
    from clockfree_host import readout, runlog

    record = runlog.read(folder)
    rows = readout.readings(record)
    if as_json:
        print_json(readout.as_json(record, rows))
    else:
        print_table(readout.table(record, rows))


app.command()(board_commands.boards)
app.command()(board_commands.flash)


def _add_desk_commands() -> None:
    """Commands that others register in the entry-point group; one that cannot be loaded is named and left out."""
    for entry in sorted(importlib.metadata.entry_points(group=COMMANDS), key=lambda entry: entry.name):
        try:
            app.command(entry.name)(entry.load())
        except Exception as error:
            print(f"clockfree: command {entry.name} is left out: {_one_line(error)}", file=sys.stderr)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _fail(text: str, status: int) -> int:
    print(f"clockfree: {text}", file=sys.stderr)
    return status


def status_of(arguments: list[str]) -> int:
    """Run a command line; returns the exit status."""
    try:
        status = app(arguments, prog_name="clockfree", standalone_mode=False) or DONE
        return _fail("interrupted", INTERRUPTED) if status == INTERRUPTED else status
    except InputError as error:
        return _fail(_one_line(error), BAD_INPUT)
    except typer.TyperException as error:
        text = " ".join(error.format_message().split())
        return _fail(text, error.exit_code) if text else error.exit_code
    except typer.Abort:
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        where = error.filename or "the run folder, or standard output"
        return _fail(f"{where}: {error.strerror or _one_line(error)}", FAILED)


def main() -> NoReturn:
    """Entry point of the `clockfree` command."""
    try:
        _add_desk_commands()
    except KeyboardInterrupt:
        sys.exit(_fail("interrupted", INTERRUPTED))
    sys.exit(status_of(sys.argv[1:]))
