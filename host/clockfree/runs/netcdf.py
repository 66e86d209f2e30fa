"""A data set, and how it becomes a netCDF file: what xarray would write, without xarray, which is slow to load."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5netcdf
import h5py
import numpy as np

from clockfree_model.files import replace_bytes


@dataclass(frozen=True)
class Variable:
    """An array with the names of its dimensions, its unit and its meaning."""

    dims: tuple[str, ...]
    values: np.ndarray
    attrs: dict[str, str]


@dataclass(frozen=True)
class DataSet:
    """Variables by name, in order, and what is said of all of them.

    Attributes
    ----------
    variables : dict of str to Variable
        One named like its only dimension says what is along it.
    coordinates : tuple of str
        Variables that say of the values along the dimensions they have where they belong.
    attrs : dict
    """

    variables: dict[str, Variable]
    coordinates: tuple[str, ...]
    attrs: dict[str, Any]

    def __getitem__(self, name: str) -> Variable:
        return self.variables[name]

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each dimension."""
        return {dim: size for each in self.variables.values() for dim, size in zip(each.dims, each.values.shape)}


def write(data: DataSet, path: Path, packed: tuple[str, ...]) -> None:
    """Write a netCDF-4 file in one go, with the variables that `packed` names compressed.

    By the conventions that xarray reads: nan is what a float has where there is no value, a variable names the
    coordinates that belong to it. HDF5 makes it in memory: on a disk that is full it would crash.
    """
    made_in = io.BytesIO()
    with h5netcdf.File(made_in, "w") as file:
        file.attrs.update(data.attrs)
        file.dimensions = data.sizes
        for name, variable in data.variables.items():
            values = variable.values
            if values.dtype.kind in "OU":
                dtype: Any = h5py.string_dtype() if values.size else float  # of nothing nobody knows the kind
            else:
                dtype = values.dtype
            more = {"compression": "gzip"} if name in packed else {}
            fill = np.nan if values.dtype.kind == "f" else None
            made = file.create_variable(name, variable.dims, dtype, fillvalue=fill, **more)
            made.attrs.update(variable.attrs)
            belong = [each for each in data.coordinates if {*data[each].dims} <= {*variable.dims}]
            if belong and name not in data.coordinates:
                made.attrs["coordinates"] = " ".join(belong)
            made[...] = values
    replace_bytes(path, made_in.getbuffer())
