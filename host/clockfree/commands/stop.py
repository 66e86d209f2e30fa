"""`clockfree stop`: the boards of a bench taken from whoever runs them, and stopped."""

import typer

from clockfree.commands.lines import warn
from clockfree.commands.options import BenchPath, Json
from clockfree.commands.output import FAILED, print_json, print_table
from clockfree_model.quiet import quiet


def stop(bench: BenchPath, as_json: Json = False) -> None:
    from clockfree.link.benchfile import read_bench  # --help does without
    from clockfree.runs import live, stopping

    host, killed, found = stopping.stop(read_bench(bench))
    if host:
        warn(stopping.said(host, killed))
    if as_json:
        print_json({"host": host and {"pid": host.pid, "killed": killed}, "boards": found})
    elif not quiet() or any(row["error"] for row in found):
        print_table(live.held(found))
    if any(row["error"] for row in found):
        raise typer.Exit(FAILED)
