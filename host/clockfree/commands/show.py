"""`clockfree show`: a run printed and plotted again, from its log."""

from clockfree.commands.options import Json, RunFolder
from clockfree.commands.output import print_json, print_table
from clockfree.run import report, results, runlog
from clockfree_model.parts import POTS


def show(folder: RunFolder, as_json: Json = False) -> None:
    record = runlog.read(folder)
    data = results.write(record)
    report.figure(data, folder / "figure.png", POTS[record.job.edge.pot].highest)
    found = results.summary(record, data)
    if as_json:
        print_json(found)
    else:
        print_table(report.table(found, data))
