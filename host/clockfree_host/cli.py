"""The command line: `clockfree run`, `show`, `read`, what is done with boards, and the desk's own commands.

Exit status: 0 done; 1 ran, but something failed; 2 bad input, said in one line on stderr; 130 interrupted.
What is slow to import is imported where it is used, so that `clockfree --help` comes at once.
"""

import contextlib
import importlib.metadata
import io
import os
import signal
import sys
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from clockfree_host import board_commands
from clockfree_host.desk import Desk
from clockfree_host.errors import BoardError, InputError
from clockfree_host.output import BAD_INPUT, DONE, FAILED, INTERRUPTED, Json, print_json, print_table

if TYPE_CHECKING:
    from clockfree_host.plan import Plan

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
NetworkSpec = Annotated[
    str | None, typer.Option(help="lab16, square:ROWSxCOLS[:periodic], planar:NODES:EDGES:SEED, or a file.")
]
Preset = Annotated[str | None, typer.Option(help="Physics: ideal, paper or board.")]
Seed = Annotated[str | None, typer.Option(help="Seeds clocks and noise.", metavar="INTEGER")]
TaskSeed = Annotated[str | None, typer.Option(help="Seeds teacher and placement.", metavar="INTEGER")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any key of the task file; may be repeated.")
]


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
    bench: Annotated[
        str, typer.Option(help="sim (virtual time, in this process), virtual (boards made up for it), or a bench file.")
    ] = "sim",
    network: NetworkSpec = None,
    preset: Preset = None,
    rule: Annotated[
        str | None, typer.Option(help="clockfree; for comparison, sim only: sync, p=P or oscillators=P.")
    ] = None,
    seed: Seed = None,
    task_seed: TaskSeed = None,
    updates: Annotated[str | None, typer.Option(help="Updates (firings) per edge.", metavar="INTEGER")] = None,
    set_: Sets = None,
    trace: Annotated[bool, typer.Option("--trace", help="Record every firing.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to make; one that exists is refused. Default: in runs/.")
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Take boards with another version of the firmware.")] = False,
    or_sim: Annotated[
        bool, typer.Option("--or-sim", help="With --bench virtual: sim, where there are no virtual boards.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Teach a network a task, and keep a record of it."""
    from clockfree_host import experiment, report
    from clockfree_host.bench import no_virtual_boards, open_bench
    from clockfree_host.progress import progress, say

    options = {
        "network": network,
        "preset": preset,
        "rule": rule,
        "seed": seed,
        "task_seed": task_seed,
        "updates": updates,
    }
    plan = _plan(task, options, set_, trace)
    if or_sim and bench == "virtual" and (why := no_virtual_boards()):
        say(f"{why}; so this runs on --bench sim")
        bench = "sim"
    boards = open_bench(bench, plan.job.rule, anyway)
    with progress() as shown:
        outcome = experiment.run(plan, task, bench, boards, out, shown)
    if as_json:
        print_json(outcome.summary)
    else:
        print_table(report.table(outcome.summary, outcome.data))
    if outcome.interrupted:
        raise typer.Exit(INTERRUPTED)
    if outcome.failures:
        raise typer.Exit(FAILED)


def _plan(task: Path, options: dict[str, str | None], sets: list[str] | None, trace: bool = False) -> "Plan":
    from clockfree_host.plan import make_plan

    return make_plan(task, options, sets or [], trace)


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
def compare(
    folder: RunFolder,
    runs: Annotated[int, typer.Option(min=1, help="Simulated runs, each with another clock seed.")] = 100,
    as_json: Json = False,
) -> None:
    """See whether the final error of a run lies within those of simulated runs of the same job."""
    from clockfree_host import compare, runlog
    from clockfree_host.progress import progress

    record = runlog.read(folder)
    with progress() as shown:
        found = compare.compare(record, runs, lambda done: shown.share(f"simulating {runs} runs", done / runs))
    if as_json:
        print_json(compare.as_json(found))
    else:
        print_table(compare.table(found))
    if not found.within:
        raise typer.Exit(FAILED)


@app.command()
def independence(folder: RunFolder, as_json: Json = False) -> None:
    """Test whether the edges of a run with --trace fired independently of one another."""
    from clockfree_host import independence, runlog

    record = runlog.read(folder)
    found = independence.verdict(record)
    if as_json:
        print_json(independence.as_json(found))
    else:
        print_table(independence.table(record, found))
    if not found.independent:
        raise typer.Exit(FAILED)


@app.command()
def read(
    folder: Annotated[Path | None, typer.Argument(help="Folder of a run.", show_default=False)] = None,
    bench: Annotated[Path | None, typer.Option(help="Bench file (TOML): what its boards say and measure now.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="With --bench: again and again, until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Print voltages, drops and taps at the end of a run, or of a bench now, and where each comes from."""
    if (folder is None) == (bench is None):
        raise InputError("read: expected the folder of a run or --bench FILE, got " + ("both" if folder else "neither"))
    if bench is not None:
        board_commands.read_bench_now(bench, watch, as_json)
    elif watch:
        raise InputError("--watch: expected --bench beside it, got the folder of a run, which stays as it is")
    else:
        from clockfree_host import readout, runlog

        assert folder is not None
        record = runlog.read(folder)
        rows = readout.readings(record)
        if as_json:
            print_json(readout.as_json(record, rows))
        else:
            print_table(readout.table(record, rows))
            if record.on_boards:
                print_table(readout.edge_table(readout.edges(record)))


@app.command()
def bench(
    task: TaskFile,
    out: Annotated[Path, typer.Option(help="Bench file to write.")],
    by_id: Annotated[
        Path | None, typer.Option(help="Folder of links to ports, and nowhere else. Default: every port there is.")
    ] = None,
    network: NetworkSpec = None,
    preset: Preset = "board",
    task_seed: TaskSeed = None,
    set_: Sets = None,
) -> None:
    """Write a bench file for a task from the boards that are plugged in: one an edge, and a supervisor."""
    options = {"network": network, "preset": preset, "task_seed": task_seed}
    job = _plan(task, options, set_).job
    if not job.physics.limit_lowest:
        raise InputError(f"--preset: expected board, whose chips are real ones, got {preset}")
    board_commands.write_bench(job, out, by_id)


@app.command()
def virtual(
    task: TaskFile,
    out: Annotated[Path, typer.Option(help="Folder to make, for bench.toml.")],
    network: NetworkSpec = None,
    preset: Preset = None,
    seed: Seed = None,
    task_seed: TaskSeed = None,
    set_: Sets = None,
) -> None:
    """Keep virtual boards up until Ctrl-C, as if they were plugged in, for the network of a task."""
    options = {"network": network, "preset": preset, "seed": seed, "task_seed": task_seed}
    board_commands.keep_up(_plan(task, options, set_).job, task, out)


app.command()(board_commands.boards)
app.command()(board_commands.flash)
app.command()(board_commands.hold)


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
    for text in arguments:
        if any("\ud800" <= letter <= "\udfff" for letter in text):  # what Python makes of bytes that are none
            return _fail(f"{text!a}: expected UTF-8, got other bytes: the record of a run could not name it", BAD_INPUT)
    try:
        status = app(arguments, prog_name="clockfree", standalone_mode=False, obj=Desk()) or DONE
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
    except (BrokenPipeError, SystemExit) as error:  # typer makes the one into the other
        if not isinstance(error, BrokenPipeError) and not isinstance(error.__context__, BrokenPipeError):
            raise
        _give_up_stdout()  # whoever read our output has had enough
        return DONE
    except BrokenExecutor:
        return _fail("a process that worked for this has died: killed, or out of memory", FAILED)
    except OSError as error:
        _give_up_stdout()
        where = error.filename2 or error.filename or "the run folder, or standard output"
        # What HDF5 says of a full disk has several lines, and another file name in each of them.
        return _fail(f"{where}: {os.strerror(error.errno) if error.errno else _one_line(error)}", FAILED)


def _give_up_stdout() -> None:
    """Python would try once more, at its end, to write what could not be written."""
    with contextlib.suppress(OSError):  # a test's stdout is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _prepare() -> None:
    """Have every end be told in time, and every text be printed.

    A terminal that is closed, or a machine that goes down, ends a run as Ctrl-C does: with its record closed and its
    boards in HOLD. `nohup` keeps what it is for. A stream that lacks a letter shows its number.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main() -> NoReturn:
    """Entry point of the `clockfree` command."""
    try:
        _prepare()
        _add_desk_commands()
    except KeyboardInterrupt:
        sys.exit(_fail("interrupted", INTERRUPTED))
    sys.exit(status_of(sys.argv[1:]))
