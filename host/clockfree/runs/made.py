"""What is made from a record once it is closed: `results.nc` and `figure.png`.

Each fails alone, and neither undoes a run: its log is whole without them, and `clockfree show` makes them from it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from clockfree.base.environment import spare_docstrings
from clockfree.runs.runlog import Record
from clockfree_model.files import attempt
from clockfree_model.parts import POTS

if TYPE_CHECKING:
    from clockfree.runs.netcdf import DataSet

RESULTS, FIGURE = "results.nc", "figure.png"


def make(record: Record, data: "DataSet") -> list[str]:
    """Make both in the folder of a record, from its results; returns a line for each that could not be made."""

    def results(file: Path) -> None:
        from clockfree.runs.results import write  # netCDF: slow to load, and what fails is to fail alone

        write(data, file)

    def figure(file: Path) -> None:
        spare_docstrings()
        from clockfree.runs.figure import draw  # the same, of matplotlib

        draw(data, file, POTS[record.job.edge.pot].highest)

    return [*attempt(record.folder / RESULTS, results), *attempt(record.folder / FIGURE, figure)]
