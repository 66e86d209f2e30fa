"""`clockfree boards`: who is at the ports, or whether a bench is as its file says."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from clockfree.commands.options import Json
from clockfree.commands.output import FAILED, print_json, print_table
from clockfree_model.saying import put


def boards(
    bench: Annotated[
        Path | None, typer.Option(help="Bench file (TOML): its boards, and whether they are as it says.")
    ] = None,
    as_json: Json = False,
) -> None:
    from clockfree.link import discovery  # --help does without
    from clockfree.link.benchfile import read_bench

    found = discovery.of_bench(read_bench(bench)) if bench else discovery.of_ports()
    if as_json:
        print_json({"boards": [asdict(row) for row in found]})
    elif found:
        print_table(discovery.table(found))
    else:
        put("no boards: no port of this machine has the serial number of a MicroPython board")
    if bench and any(row.problem for row in found):
        raise typer.Exit(FAILED)
