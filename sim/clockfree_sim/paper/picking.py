"""Picking from the table of runs that `bias` has: a row a point, its coordinates say what was run."""

from typing import Any

import numpy as np
import xarray as xr

from clockfree_sim.paper.remedies import AT
from clockfree_sim.theory.statistics import interval

Where = dict[str, Any]
"""Network and kind of task: ``edges`` and ``kind``."""


def _here(data: xr.Dataset, chosen: dict[str, Any]) -> np.ndarray:
    here = np.ones(data.sizes["point"], dtype=bool)
    for name, value in chosen.items():
        here &= data[name].values == value
    return here


def _by_task(data: xr.Dataset, at: int, chosen: dict[str, Any]) -> np.ndarray:
    (point,) = np.flatnonzero(_here(data, chosen))
    return data["error"].sel(at=at).values[point]


def errors(data: xr.Dataset, at: int, **chosen: Any) -> np.ndarray:
    """Errors of the one point that has these coordinates, at so many updates per edge, over its tasks, V^2."""
    values = _by_task(data, at, chosen)
    return values[~np.isnan(values)]


def scanned(data: xr.Dataset, coordinate: str, **chosen: Any) -> list:
    """Values of a coordinate over all points that have these others, ascending."""
    return sorted(set(data[coordinate].values[_here(data, chosen)].tolist()))


def curve(data: xr.Dataset, coordinate: str, at: int, **chosen: Any) -> tuple[list, np.ndarray]:
    """Geometric mean of the error and its 95% interval along a coordinate: its values, (3, values)."""
    values = scanned(data, coordinate, **chosen)
    found = [interval(errors(data, at, **{coordinate: value}, **chosen)) for value in values]
    return values, np.array(found).reshape(-1, 3).T


def gain(data: xr.Dataset, at: int, over: str, way: str, **chosen: Any) -> tuple[float, float, float]:
    """How many times lower one way ends than another on the same tasks: geometric mean and 95% interval."""
    ratios = _by_task(data, at, {"name": over, **chosen}) / _by_task(data, at, {"name": way, **chosen})
    return interval(ratios[~np.isnan(ratios)])


def places(data: xr.Dataset, part: str, **chosen: Any) -> list[Where]:
    """Networks and kinds of tasks of a part, smallest first."""
    chosen["part"] = part
    return [
        {"edges": edges, "kind": kind}
        for edges in scanned(data, "edges", **chosen)
        for kind in scanned(data, "kind", edges=edges, **chosen)
    ]


def label(where: Where) -> str:
    """For people."""
    return f"{where['edges']} edges, {where['kind']}"


def ends(data: xr.Dataset, **chosen: Any) -> list[int]:
    """Updates per edge at which there are errors of a point."""
    return [at for at in AT if len(errors(data, at, **chosen))]


def ways(data: xr.Dataset) -> list[str]:
    """All that are compared on the board preset, in their order."""
    return list(dict.fromkeys(data["name"].values[data["part"].values == "ways"].tolist()))


def main_task(data: xr.Dataset) -> Where:
    """Where sigma is scanned over eta: that of the paper's Fig. 4d with few outputs."""
    return max(places(data, "sigma none"), key=lambda each: len(scanned(data, "other", part="sigma none", **each)))


def middle_eta(data: xr.Dataset) -> float:
    """At which sigma is scanned on all tasks."""
    etas = scanned(data, "other", part="sigma none", **main_task(data))
    return etas[len(etas) // 2]
