"""Files of a figure, and its style: NAME.nc (the data), NAME.png, NAME.txt (caption and table)."""

import importlib.metadata
import io
import textwrap
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import xarray as xr
from matplotlib.figure import Figure
from rich.console import Console, RenderableType

from clockfree_model.files import replaced

FILLED, WIDE = 120, 240
"""Columns of a paragraph, and of a table at most: nothing in it is folded."""
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.titlesize": 9,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "savefig.dpi": 200,
}
"""For `matplotlib.rc_context`, while a figure is drawn and saved."""


def plain(*parts: RenderableType) -> str:
    """Tables and paragraphs as plain text."""
    text = io.StringIO()
    console = Console(file=text, width=WIDE, highlight=False, markup=False)
    for part in parts:
        if isinstance(part, str):
            part = textwrap.fill(" ".join(part.split()), FILLED, break_on_hyphens=False)
        console.print(part)
    return text.getvalue()


def save(folder: Path, name: str, data: xr.Dataset, drawn: Figure, text: str) -> None:
    """Write the three files into a folder that exists, all of them or none; older ones are replaced."""
    data = data.assign_attrs(title=f"clockfree paper {name}", version=importlib.metadata.version("clockfree"))
    packed = {name: {"zlib": True} for name, variable in data.data_vars.items() if variable.dtype.kind in "biuf"}
    with (
        replaced(folder / f"{name}.nc") as data_file,
        replaced(folder / f"{name}.png") as drawing,
        replaced(folder / f"{name}.txt") as text_file,
    ):
        # HDF5 makes it in memory: on a disk that is full it would crash.
        data_file.write_bytes(data.to_netcdf(engine="h5netcdf", encoding=packed))
        drawn.savefig(drawing, format="png")
        text_file.write_text(text, encoding="utf-8")
