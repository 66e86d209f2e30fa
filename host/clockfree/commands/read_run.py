"""`clockfree read RUN`: what a recorded run measured, or the simulation works out again."""

from pathlib import Path

from clockfree.commands.output import print_json, print_table
from clockfree.runs import readout, runlog


def read_run(folder: Path, as_json: bool) -> None:
    """Print every node at the end of a run, and on boards every edge."""
    record = runlog.read(folder)
    rows = readout.readings(record)
    if as_json:
        print_json(readout.as_json(record, rows))
    else:
        print_table(readout.table(record, rows))
        if record.on_boards:
            print_table(readout.edge_table(readout.edges(record)))
