"""`clockfree show`: a run printed and plotted again, from its log."""

from clockfree.commands.options import Json, RunFolder
from clockfree.commands.output import print_json, print_table


def show(folder: RunFolder, as_json: Json = False) -> None:
    from clockfree.runs import report, results, runlog  # --help does without
    from clockfree_model.parts import POTS

    record = runlog.read(folder)
    data = results.write(record)
    from clockfree.runs import figure  # matplotlib: slow to load, and what is no record needs none

    figure.draw(data, folder / "figure.png", POTS[record.job.edge.pot].highest)
    found = results.summary(record, data)
    if as_json:
        print_json(found)
    else:
        print_table(report.table(found, data))
