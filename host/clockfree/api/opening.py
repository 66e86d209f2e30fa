"""`clockfree.open`: what was recorded, as arrays."""

from pathlib import Path
from typing import TYPE_CHECKING

from clockfree.api.result import Run
from clockfree.base.errors import InputError
from clockfree.base.files import meant
from clockfree.runs import results, runlog
from clockfree.runs.experiment import RUNS

if TYPE_CHECKING:
    import xarray as xr


def open_run(folder: Path) -> Run:
    """The run that was recorded in a folder; InputError if there is none."""
    record = runlog.read(folder)
    data = results.dataset(record)
    return Run(record, data, results.summary(record, data))


def folder_of(folder: str | Path, caller: str, expected: str) -> Path:
    """The folder of this name, or of this name in runs/; InputError if there is none."""
    if not isinstance(folder, str | Path):
        raise InputError(f"{caller}: expected the name of a folder, got {folder!r}")
    found = meant(folder)
    if not found.exists() and (RUNS / found).is_dir():
        found = RUNS / found
    if not found.is_dir():
        raise InputError(f"{folder}: expected {expected}, got none of that name")
    return found


def open(folder: str | Path) -> "Run | xr.Dataset":
    """What was recorded in a folder.

    Parameters
    ----------
    folder : str or path
        Of a run, of a run with many seeds, or of a sweep; a name without a place is looked for in runs/ too. Runs of
        every version from 0.1 on are read.

    Returns
    -------
    Run, or xarray.Dataset
        A run; the results of many seeds, or of a sweep. Nodes and edges are named as the record names them: by text.

    Raises
    ------
    InputError
        No such folder, or nothing of the kind in it.

    Examples
    --------
    >>> import clockfree as cf
    >>> task = cf.Task(sources=["A", "C"], targets=["E"], source_V=[[0, 5]], desired_V=[[3.6]], updates=50)
    >>> run = cf.run(task, out="runs/opened")
    >>> cf.open("runs/opened").final_error_V2 == run.final_error_V2
    True
    """
    found = folder_of(folder, "open", "the folder of a run or of a sweep")
    if (found / "log.jsonl").is_file():
        return open_run(found)
    if not (found / "results.nc").is_file():
        raise InputError(
            f"{found}: expected the folder of a run or of a sweep, got one without log.jsonl or results.nc"
        )
    import xarray as xr  # slow to load, and a run does without

    try:
        return xr.load_dataset(found / "results.nc", engine="h5netcdf")
    except OSError as error:
        text = " ".join(str(error).split())
        raise InputError(f"{found / 'results.nc'}: expected netCDF, got what is none: {text}") from None
