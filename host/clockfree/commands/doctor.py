"""`clockfree doctor`: what is wrong with the boards of a bench, and what to do about it."""

from typing import TYPE_CHECKING, Any

import typer

from clockfree.commands.options import Bench, Json
from clockfree.commands.output import FAILED, print_json, print_table

if TYPE_CHECKING:
    from clockfree.bench.verdicts import Verdict


def doctor(bench: Bench, as_json: Json = False) -> None:
    from dataclasses import asdict

    from clockfree.api.observing import observer  # --help does without
    from clockfree.bench.examination import Examination
    from clockfree.commands.lines import warn
    from clockfree.commands.progress import progress
    from clockfree.link.benchfile import read_bench

    with progress() as shown, Examination(read_bench(bench), str(bench), observer(shown)) as examination:
        examination.examine()
    verdicts, unknown = [*examination.verdicts.values()], examination.unknown
    well = not any(verdict.findings for verdict in verdicts)
    if as_json:
        boards = [{**asdict(verdict), "verdict": str(verdict)} for verdict in verdicts]
        print_json({"bench": str(bench), "well": well, "circuit_unknown": unknown or None, "boards": boards})
    else:
        print_table(_table(verdicts))
        if unknown:
            warn(f"the circuit was not examined: {unknown}")
    if not well:
        raise typer.Exit(FAILED)


def _table(verdicts: "list[Verdict]") -> Any:
    from rich.table import Table  # slow to load, and it comes last

    drawn = Table(box=None, pad_edge=False)
    for name in ("board", "edges", "trip ms", "lost", "firing us", "holds /s"):
        drawn.add_column(name, justify="left" if name in ("board", "edges") else "right")
    drawn.add_column("verdict", overflow="fold")
    for verdict in verdicts:
        facts = verdict.facts
        trip_ms = f"{1e3 * facts['trip_s']:.1f}" if "trip_s" in facts else "-"
        lost = f"{facts['lost']:.0%}" if "lost" in facts else "-"
        firing_us = facts.get("firing_us", facts.get("example_us", "-"))
        numbers = (trip_ms, lost, str(firing_us), str(facts.get("holds_hz", "-")))
        drawn.add_row(verdict.board, ", ".join(verdict.edges) or "supervisor", *numbers, str(verdict))
    return drawn
