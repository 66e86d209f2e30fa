"""`clockfree test`: how right a run is on the rows of a data set."""

from typing import Any

from clockfree.commands.options import AskedBench, DataPath, Json, Missing, Move, RunFolder
from clockfree.commands.output import print_json, print_table


def test(
    folder: RunFolder,
    data: DataPath,
    bench: AskedBench = "sim",
    move: Move = False,
    missing: Missing = None,
    as_json: Json = False,
) -> None:
    from clockfree.api.asking import Asked  # --help does without
    from clockfree.api.opening import open_run
    from clockfree.commands.options import form_with

    found = Asked.of(open_run(folder), bench, move).test(data, form_with(data, missing))
    if as_json:
        print_json(found)
    else:
        print_table(_table(found))


def _table(found: dict[str, Any]) -> Any:
    from rich.table import Table  # slow to load, and it comes last

    drawn = Table(show_header=False, box=None, pad_edge=False)
    drawn.add_row("rows", str(found["rows"]))
    drawn.add_row("error", f"{found['error_V2']:.3g} V²")
    for name, rms in found.get("rms", {}).items():
        drawn.add_row(f"rms of {name}", f"{rms:.4g}")
    if "accuracy" in found:
        drawn.add_row("accuracy", f"{found['accuracy']:.3f}")
        for truth, taken in found["confusions"].items():
            drawn.add_row(truth, "taken for " + ", ".join(f"{name} {count}" for name, count in taken.items() if count))
    return drawn
