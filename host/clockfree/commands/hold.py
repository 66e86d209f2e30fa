"""`clockfree hold`: every board of a bench stopped, with the taps as they are."""

import typer

from clockfree.commands.lines import warn
from clockfree.commands.options import BenchPath, Json
from clockfree.commands.output import FAILED, print_json, print_table
from clockfree_model.quiet import quiet


def hold(bench: BenchPath, as_json: Json = False) -> None:
    from clockfree.link.benchfile import read_bench  # --help does without
    from clockfree.runs import live, stopping

    host, found = stopping.hold(read_bench(bench), str(bench))
    if host:
        warn(stopping.said(host, False))
    if as_json:
        print_json({"boards": found})
    elif not quiet() or any(row["error"] for row in found):
        print_table(live.held(found))
    if any(row["error"] for row in found):
        raise typer.Exit(FAILED)
