"""`clockfree flash`: firmware and configuration onto the boards of a bench, all at once."""

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clockfree.base.errors import InputError
from clockfree.base.files import replace_text
from clockfree.commands.options import BenchPath, Json
from clockfree.commands.output import FAILED, INTERRUPTED, print_json, print_table
from clockfree_model.contents import contents
from clockfree_model.quiet import quiet

if TYPE_CHECKING:
    from clockfree.link.benchfile import BenchFile, Board


def flash(
    bench: BenchPath,
    source: Annotated[bool, typer.Option("--source", help="Files as they were written, not compiled.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Only the boards that failed in the last flash of this bench.")
    ] = False,
    uf2: Annotated[
        Path | None, typer.Option(help="First MicroPython (a UF2 file) onto blank boards in their boot loader.")
    ] = None,
    as_json: Json = False,
) -> None:
    from clockfree.commands.lines import say  # --help does without
    from clockfree.commands.progress import board_progress
    from clockfree.flash.deploy import deploy, table
    from clockfree.link.benchfile import read_bench

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
    elif not quiet() or any(report.error for report in reports):
        print_table(table(reports))
    _remember(bench, [report.board for report in reports if report.error])
    if stop.is_set():
        raise typer.Exit(INTERRUPTED)
    if any(report.error for report in reports):
        raise typer.Exit(FAILED)


def _micropython(file: Path, bench: "BenchFile") -> None:
    from clockfree.commands.lines import say  # the same
    from clockfree.flash import uf2
    from clockfree.link import ports

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
        names = json.loads(contents(path))
    except FileNotFoundError:
        return []
    except ValueError:
        names = None
    if not isinstance(names, list):
        raise InputError(f"{path}: expected a list of boards, got something else: remove it and flash all")
    return names


def _remember(bench: Path, names: list[str]) -> None:
    if names:
        replace_text(_record(bench), json.dumps(names) + "\n")
    else:
        _record(bench).unlink(missing_ok=True)
