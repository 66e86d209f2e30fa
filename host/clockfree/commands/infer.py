"""`clockfree infer`: rows of a data set asked of a run."""

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from clockfree.commands.options import AskedBench, DataPath, Json, Missing, Move, RunFolder
from clockfree.commands.output import print_json, print_table

SHOWN = 20


def infer(
    folder: RunFolder,
    data: DataPath,
    out: Annotated[Path | None, typer.Option(help="CSV file to make, with a line for each row.")] = None,
    bench: AskedBench = "sim",
    move: Move = False,
    missing: Missing = None,
    as_json: Json = False,
) -> None:
    from clockfree.api.asking import Asked  # --help does without
    from clockfree.api.opening import open_run
    from clockfree.base import files
    from clockfree.commands.lines import say
    from clockfree.commands.options import form_with
    from clockfree_model.files import replaced

    if out is not None:
        files.check(out, "file")
    answers = Asked.of(open_run(folder), bench, move).infer(data, form_with(data, missing))
    for text in answers.table.said:
        say(f"{data}: {text}")
    columns: dict[str, list[Any]] = {"row": answers.table.rows}
    columns |= {name: values.tolist() for name, values in answers.values.items()}
    if answers.classes is not None:
        columns["class"] = answers.classes
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if out is not None:
        with replaced(out) as beside, open(beside, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(columns), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    if as_json:
        print_json({"run": str(folder), "data": str(data), "answers": rows})
    else:
        print_table(_table(columns, rows[:SHOWN]))
        more = len(rows) - SHOWN
        if more > 0:
            say(f"and {more} more rows" + ("" if out is None else f" in {out}"))


def _table(columns: dict[str, list[Any]], rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table  # slow to load, and it comes last

    drawn = Table(box=None, pad_edge=False)
    for name in columns:
        drawn.add_column(name, justify="left" if name == "class" else "right")
    for row in rows:
        drawn.add_row(*(f"{value:.4f}" if isinstance(value, float) else str(value) for value in row.values()))
    return drawn
