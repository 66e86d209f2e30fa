"""What is done with boards: who is there, firmware for all of them, what they say now, HOLD; and virtual ones."""

import contextlib
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clockfree_host.errors import InputError
from clockfree_host.output import FAILED, INTERRUPTED, Json, console, print_json, print_table

if TYPE_CHECKING:
    from rich.table import Table

    from clockfree_host.bench import Job
    from clockfree_host.benchfile import BenchFile, Board
    from clockfree_host.deploy import Report

WATCH_S = 0.1


def boards(
    bench: Annotated[
        Path | None, typer.Option(help="Bench file (TOML): its boards, and whether they are as it says.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show every board at a port, and what it says of itself."""
    from clockfree_host import roll
    from clockfree_host.bench import read_bench

    found = roll.of_bench(read_bench(bench)) if bench else roll.of_ports()
    if as_json:
        print_json({"boards": [asdict(row) for row in found]})
    elif found:
        print_table(roll.table(found))
    else:
        print("no boards: no port of this machine has the serial number of a MicroPython board")
    if bench and any(row.problem for row in found):
        raise typer.Exit(FAILED)


def flash(
    bench: Annotated[Path, typer.Option(help="Bench file (TOML).")],
    source: Annotated[bool, typer.Option("--source", help="Files as they were written, not compiled.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Only the boards that failed in the last flash of this bench.")
    ] = False,
    uf2: Annotated[
        Path | None, typer.Option(help="First MicroPython (a UF2 file) onto blank boards in their boot loader.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring firmware and configuration onto the boards of a bench, all at once."""
    from clockfree_host.bench import read_bench
    from clockfree_host.deploy import deploy
    from clockfree_host.progress import board_progress, say

    said = read_bench(bench)
    if uf2 is not None:
        _micropython(uf2, said)
    wanted: Sequence[Board] = said.every_board
    if retry_failed:
        failed = _failed(bench)
        wanted = [board for board in wanted if board.name in failed]
        if not wanted:
            say("no board failed in the last flash of this bench")
    stop = threading.Event()
    with board_progress(len(wanted)) as shown:
        reports = deploy(said, wanted, shown.tell, stop, source=source)
    if as_json:
        print_json({"boards": [asdict(report) for report in reports]})
    else:
        print_table(_table(reports))
    _remember(bench, [report.board for report in reports if report.error])
    if stop.is_set():
        raise typer.Exit(INTERRUPTED)
    if any(report.error for report in reports):
        raise typer.Exit(FAILED)


def hold(bench: Annotated[Path, typer.Option(help="Bench file (TOML).")], as_json: Json = False) -> None:
    """Stop every board of a bench: HOLD, with the taps as they are."""
    from rich.table import Table

    from clockfree_host import live
    from clockfree_host.bench import read_bench

    found = live.hold(read_bench(bench))
    if as_json:
        print_json({"boards": found})
    else:
        drawn = Table(box=None, pad_edge=False)
        for column in ("board", "result"):
            drawn.add_column(column, overflow="fold")
        for row in found:
            was = f"HOLD; it was in {str(row['was']).upper()}" + (f", run {row['run']}" if row["run"] else "")
            drawn.add_row(row["board"], row["error"] or was)
        print_table(drawn)
    if any(row["error"] for row in found):
        raise typer.Exit(FAILED)


def read_bench_now(bench: Path, watch: bool, as_json: bool) -> None:
    """`clockfree read --bench`: once, or again and again until Ctrl-C; JSON is an object a line."""
    from rich.live import Live

    from clockfree_host import live
    from clockfree_host.bench import read_bench

    with live.Watcher(read_bench(bench)) as watcher:
        look = watcher.look()
        if as_json:
            print_json(asdict(look))
        elif not watch:
            print_table(live.table(look))
        if watch:
            with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
                drawn = Live(live.table(look), console=console(), auto_refresh=False)
                screen = None if as_json else stack.enter_context(drawn)
                while True:
                    time.sleep(WATCH_S)
                    look = watcher.look()
                    if screen is None:
                        print_json(asdict(look))
                    else:
                        screen.update(live.table(look), refresh=True)
    if not look.whole:
        raise typer.Exit(FAILED)


def write_bench(job: "Job", out: Path, by_id: Path | None) -> None:
    """`clockfree bench`: a bench file for a job, of the boards that are plugged in."""
    from clockfree_host import files, ports
    from clockfree_host.benchfile import bench_text
    from clockfree_host.layout import boards_needed, lay_out
    from clockfree_host.progress import say

    files.check(out, "file")
    needed, ids = boards_needed(job), sorted({board.id for board in ports.scan(by_id)})
    if len(ids) < needed:
        text = f"expected {needed} boards plugged in, one for each edge and a supervisor, got {len(ids)}"
        raise InputError(f"{by_id or 'the ports of this machine'}: {text}: clockfree boards lists them")
    bench = lay_out(job, ids[:needed], job.physics.wiper_ohm, str(out))
    bench = bench.model_copy(update={"by_id": str(by_id.absolute()) if by_id else None})
    files.replace_text(out, bench_text(bench))
    say(f"{out}: {ids[0]} is the supervisor, {needed - 1} more have an edge each: label the boards as it says")
    if len(ids) > needed:
        say(f"left over: {', '.join(ids[needed:])}")


def keep_up(job: "Job", task: Path, out: Path) -> None:
    """`clockfree virtual`: boards for a job, up until Ctrl-C."""
    from clockfree_host import files
    from clockfree_host.benchfile import bench_text
    from clockfree_host.progress import say
    from clockfree_host.virtualbench import VirtualRack, made_up

    files.check(out)
    with VirtualRack(job, made_up(job)) as rack:
        files.create(out)
        file = out / "bench.toml"
        files.replace_text(file, bench_text(rack.bench))
        first = rack.boards.port(rack.bench.every_board[1].name)
        say(f"{len(rack.bench.every_board)} virtual boards are up, and blank. In another terminal:")
        for command in (
            f"clockfree flash --bench {file}", f"clockfree boards --bench {file}",
            f"clockfree run {task} --bench {file}", f"clockfree read --bench {file} --watch",
            f"clockfree hold --bench {file}", f"mpremote connect {first} ls",
        ):  # fmt: skip
            say(f"    {command}")
        say("with the options that were given here for the task. Ctrl-C ends it.")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def _micropython(file: Path, bench: "BenchFile") -> None:
    from clockfree_host import ports, uf2
    from clockfree_host.progress import say

    blank = uf2.blank_boards(file)
    say(f"copying {file.name} to {', '.join(str(drive.path) for drive in blank)}")
    uf2.install(file, blank, lambda: len(ports.scan(bench.links)))


def _record(bench: Path) -> Path:
    """Where the boards that failed are kept: beside the bench file."""
    return bench.with_name(f"{bench.stem}.failed.json")


def _failed(bench: Path) -> list[str]:
    """The boards that failed in the last flash of a bench; none where all went well."""
    path = _record(bench)
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except ValueError:
        names = None
    if not isinstance(names, list):
        raise InputError(f"{path}: expected a list of boards, got something else: remove it and flash all")
    return names


def _remember(bench: Path, names: list[str]) -> None:
    from clockfree_host.files import replace_text

    if names:
        replace_text(_record(bench), json.dumps(names) + "\n")
    else:
        _record(bench).unlink(missing_ok=True)


def _table(reports: "list[Report]") -> "Table":
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False)
    for column in ("board", "result", "copied", "unchanged", "removed", "kB sent", "s"):
        right = column not in ("board", "result")
        drawn.add_column(column, justify="right" if right else "left", overflow="fold")
    for report in reports:
        counts = (len(report.copied), report.unchanged, len(report.removed))
        result = report.error or f"{report.hello['role']}, version {report.hello['version']}"
        sent = f"{report.sent / 1000:.1f}"
        drawn.add_row(report.board, result, *map(str, counts), sent, f"{report.seconds:.1f}")
    return drawn
