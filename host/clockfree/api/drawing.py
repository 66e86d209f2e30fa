"""The figure of a run, as a notebook or matplotlib's own windows show it, or in a file."""

import io
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from clockfree.base.errors import InputError
from clockfree.runs.figure import SIZE, STYLE, draw_on
from clockfree.runs.netcdf import DataSet


class _Shown(Figure):
    """A figure that a notebook shows once, though it shows what a cell returns, and then whatever pyplot still has."""

    def _ipython_display_(self) -> None:
        from IPython.display import Image, display  # whoever asks is IPython

        file = io.BytesIO()
        self.savefig(file, format="png")
        display(Image(file.getvalue()))
        plt.close(self)


def drawn(data: DataSet, highest: int, path: Path | None) -> Figure:
    """The figure of a run, written to a file, or one of pyplot's; `highest` is the highest tap."""
    if path is None:
        return draw_on(plt.figure(FigureClass=_Shown, figsize=SIZE), data, highest)
    found = draw_on(Figure(figsize=SIZE), data, highest)
    kinds = found.canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in kinds:
        raise InputError(f"{path}: expected a name that ends in .{', .'.join(sorted(kinds))}, got {path.suffix!r}")
    with matplotlib.rc_context(STYLE):
        found.savefig(path)
    return found
