"""The results of a sweep, made from its journal: a netCDF data set with one dimension for each axis, and a table."""

import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from rich.table import Table

from clockfree_model.counters import COUNTERS
from clockfree_model.files import replace_bytes
from clockfree_sim.sweep.grid import Axis
from clockfree_sim.sweep.journal import Journal
from clockfree_sim.sweep.load import Sweep
from clockfree_sim.sweep.point import COUNTED
from clockfree_sim.theory.statistics import interval

NUMBERS = {
    "final_error": (
        "final_error_V2",
        "V2",
        "error at the end: mean of every state from 0.8 n updates on, of the last lesson",
    ),
    "measured_error": ("measured_error_V2", "V2", "the same from the supervisor's readings"),
    "initial_error": ("initial_error_V2", "V2", "error before the first firing"),
    "best_error": ("best_error_V2", "V2", "best achievable error at the end, over continuous taps"),
    "training_accuracy": ("training_accuracy", "1", "share of the taught examples classified correctly at the end"),
    "test_accuracy": ("test_accuracy", "1", "share of the held-out examples classified correctly at the end"),
    **{name: (name, COUNTERS[name].unit, COUNTERS[name].of_all) for name in COUNTED},
    "virtual_time": ("time_s", "s", "virtual time at the end"),
    "wall_time": ("wall_s", "s", "time it took to run"),
}
"""Variable: key in the journal, unit, meaning."""
NAMES = {*NUMBERS, "mean_error", "at_updates", "sample", "taps", "edge", "engine", "failure"}
"""What no axis can be called."""
UNITS = {"hz": "Hz", "lsb": "LSB", "ohm": "ohm", "s": "s", "us": "us", "V": "V"}
SEEDS = {"seed", "task_seed"}
FILE = "results.nc"
ROWS = 40
"""At most so many lines of a table."""


def dataset(sweep: Sweep, journal: Journal, ended: str) -> xr.Dataset:
    """All that the journal holds, by axis; nan or -1 where a point failed, or has not been run.

    Dimensions: one for each axis, sample (records on the way, of the longest run), edge (of the largest network).
    """
    dims = [axis.name for axis in sweep.axes]
    shape = tuple(len(axis.values) for axis in sweep.axes)
    points = journal.points
    samples = max((len(found["updates"]) for found in points.values()), default=0)
    edges = max(len(point.job.network.ends) for point in sweep.points)
    numbers = {name: np.full(shape, np.nan) for name in NUMBERS}
    engine, failure = np.full(shape, "", dtype=object), np.full(shape, "", dtype=object)
    error, updates = np.full((*shape, samples), np.nan), np.full((*shape, samples), np.nan)
    taps = np.full((*shape, edges), -1, dtype=np.int16)
    for at, found in points.items():
        for name, (key, _, _) in NUMBERS.items():
            numbers[name][at] = _number(found[key])
        engine[at] = found["engine"]
        updates[at][: len(found["updates"])] = found["updates"]
        error[at][: len(found["mean_error_V2"])] = found["mean_error_V2"]
        taps[at][: len(found["taps"])] = found["taps"]
    for at, why in journal.failed.items():
        failure[at] = why

    data = xr.Dataset(attrs=_attributes(sweep, journal, ended))
    for axis in sweep.axes:
        data.coords[axis.name] = (axis.name, np.array(axis.values), _about(axis))
    for name, (_, unit, text) in NUMBERS.items():
        if name not in ("training_accuracy", "test_accuracy") or not np.isnan(numbers[name]).all():
            data[name] = (dims, numbers[name], {"units": unit, "long_name": text})
    text = "mean over examples and outputs of (V_F - V_D)^2 of every state since the sample before"
    data["mean_error"] = ([*dims, "sample"], error, {"units": "V2", "long_name": text})
    about = {"units": "1", "long_name": "updates (firings) per live edge at each sample"}
    first = next(iter(points.values()), {"updates": np.zeros(0)})["updates"]
    if all(np.array_equal(found["updates"], first) for found in points.values()):
        data.coords["at_updates"] = ("sample", first, about)
    else:
        data.coords["at_updates"] = ([*dims, "sample"], updates, about)
    data["taps"] = (
        [*dims, "edge"],
        taps,
        {"units": "1", "long_name": "wiper position at the end, both twins; -1: none"},
    )
    network = sweep.points[0].job.network
    if all(point.job.network is network for point in sweep.points):
        names = [network.edge_name(edge) for edge in range(edges)]
        data.coords["edge"] = ("edge", names, {"long_name": "tail-head"})
    data["engine"] = (dims, engine, {"long_name": "what ran it: the compiled kernel, or the simulated bench (world)"})
    data["failure"] = (dims, failure, {"long_name": "why it came to nothing"})
    return data


def write(data: xr.Dataset, file: Path) -> None:
    """Write the results of a sweep, in one go."""
    packed = {name: {"zlib": True} for name in ("mean_error", "taps")}
    # HDF5 makes it in memory: on a disk that is full it would crash.
    replace_bytes(file, data.to_netcdf(engine="h5netcdf", encoding=packed))


def summary(sweep: Sweep, journal: Journal) -> dict[str, Any]:
    """What a sweep came to: the object that `--json` prints."""
    return {
        "sweep": str(sweep.file),
        "results": str(journal.folder / FILE),
        "axes": {axis.name: len(axis.values) for axis in sweep.axes},
        "points": len(sweep.points),
        "done": len(journal.points),
        "failed": len(journal.failed),
    }


def table(sweep: Sweep, data: xr.Dataset) -> Table:
    """Final errors: geometric means over seeds with their 95% intervals (Student's t), a line for all else.

    Of a task that is run with several seeds the mean counts, once: only tasks are independent.
    """
    over = [axis.name for axis in sweep.axes if SEEDS & {*axis.keys}]
    independent = next((axis.name for axis in sweep.axes if "task_seed" in axis.keys), over[0] if over else None)
    lines = [axis for axis in sweep.axes if axis.name not in over]
    found = Table(title=f"{sweep.file}: final error, V^2" + (f", over {', '.join(over)}" if over else ""))
    for axis in lines:
        found.add_column(axis.name)
    for heading in ("points", "geometric mean" if over else "final error", *(["95% interval"] if over else [])):
        found.add_column(heading, justify="right")
    places = list(product(*(range(len(axis.values)) for axis in lines)))
    for place in places[:ROWS]:
        at = dict(zip((axis.name for axis in lines), place))
        errors_V2 = data["final_error"].isel(at)
        with np.errstate(divide="ignore"):  # an error of 0 makes the mean 0
            logs = xr.apply_ufunc(np.log, errors_V2).mean([name for name in over if name != independent]).values.ravel()
        logs = logs[~np.isnan(logs)]
        cells = [f"{np.exp(logs.mean()):.2e}" if len(logs) else "-"]
        if over and len(logs) > 1 and np.isfinite(logs).all():
            cells.append("{:.1e} .. {:.1e}".format(*interval(np.exp(logs))[1:]))
        count = int(errors_V2.notnull().sum())
        found.add_row(*(str(axis.values[i]) for axis, i in zip(lines, place)), str(count), *cells)
    if len(places) > ROWS:
        found.caption = f"{len(places) - ROWS} more lines are in results.nc"
    return found


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _about(axis: Axis) -> dict[str, str]:
    about = {"long_name": ", ".join(axis.keys)}
    if not isinstance(axis.values[0], str):
        about["units"] = UNITS.get(axis.name.rpartition("_")[2], "1") if "_" in axis.name else "1"
    return about


def _attributes(sweep: Sweep, journal: Journal, ended: str) -> dict[str, Any]:
    """What a data set says of itself: all that it takes to make it again."""
    versions: dict[str, list[str]] = {}
    for session in journal.sessions:
        for name, version in session.items():
            if version not in versions.setdefault(name, []):
                versions[name].append(version)
    return {
        "title": "clockfree sweep",
        "ended": ended,
        "sweep": sweep.texts[str(sweep.file)],
        "files": json.dumps(sweep.texts, ensure_ascii=False),
        "digest": sweep.digest,
        "seeds": sorted({point.job.seed for point in sweep.points}),
        "task_seeds": sorted({*sweep.task_seeds}),
        **{f"version_{name}": ", ".join(each) for name, each in versions.items()},
    }
