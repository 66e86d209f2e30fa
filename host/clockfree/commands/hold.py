"""`clockfree hold`: every board of a bench stopped, with the taps as they are."""

import typer
from rich.table import Table

from clockfree.commands.options import BenchPath, Json
from clockfree.commands.output import FAILED, print_json, print_table
from clockfree.link.benchfile import read_bench
from clockfree.run import live


def hold(bench: BenchPath, as_json: Json = False) -> None:
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
