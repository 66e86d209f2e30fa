"""Fig. 2: distance of solutions from the deterministic one when edges or examples are left out at random (eq. 7, 8, 9).

The deterministic run (p = b = 1) takes T steps to the last level; a run at p and b takes T / (p b), so that all have
made the same way on average. Its resistances differ from run to run (fluctuation between masks), and their mean differs
from the deterministic solution (mean shift): the two grow differently with what is left out, and are fitted apart.
"""

from concurrent.futures import Executor
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from clockfree_sim.paper import distances as runs
from clockfree_sim.paper.distances import FAMILIES, POINTS, Run, solutions
from clockfree_sim.paper.tasks import START_OHM, task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.theory.statistics import interval, mean_interval, shown

SLOPE = (0.43, 0.57)


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Learn all tasks at all points; see the module."""
    count, masks, most = runs.QUICK if quick else runs.FULL
    seeds = task_seeds(seed, count)
    every = zip(seeds, gather(pool, solutions, [Run(each, masks, most) for each in seeds], "fig2"), strict=True)
    learnt = [(each, found) for each, found in every if found is not None]

    def stacked(name: str, axis: int = 0) -> np.ndarray:
        return np.stack([found[name] for _, found in learnt], axis=axis)

    gamma = {"units": "ohm3 V-2", "long_name": "learning rate"}
    steps = {"units": "1", "long_name": "steps of the deterministic run"}
    one = {"units": "ohm", "long_name": "resistances of the deterministic solution"}
    found = {"units": "ohm", "long_name": "resistances at the end, after as many steps x p x b"}
    last_one, last = ({"units": "V2", "long_name": f"error at the end{what}"} for what in (", deterministic run", ""))
    return xr.Dataset(
        {
            "gamma": ("task", stacked("gamma") * START_OHM**3, gamma),
            "steps": ("task", stacked("steps"), steps),
            "deterministic": (("task", "edge"), stacked("one"), one),
            "resistance": (("point", "task", "mask", "edge"), stacked("found", 1).astype(np.float32), found),
            "deterministic_error": ("task", stacked("error_one"), last_one),
            "error": (("point", "task", "mask"), stacked("error", 1), last),
        },
        coords={
            "family": ("point", [name for name, _ in POINTS], {"long_name": "what is left out"}),
            "left_out": ("point", [x for _, x in POINTS], {"units": "1", "long_name": "1 - p, or 1 - b"}),
            "task": ("task", [each for each, _ in learnt], {"units": "1", "long_name": "seed of the task"}),
            "mask": ("mask", np.arange(masks), {"units": "1", "long_name": "number of the draw"}),
            "edge": ("edge", np.arange(len(learnt[0][1]["one"])), {"units": "1"}),
        },
        attrs={"candidates": count, "most_steps": most},
    )


def fluctuation(data: xr.Dataset) -> xr.DataArray:
    """Root mean square distance of a solution from the mean over masks (point, task), kohm."""
    return data["resistance"].astype(float).var("mask", ddof=1).sum("edge") ** 0.5 / 1e3


def total(data: xr.Dataset) -> xr.DataArray:
    """Root mean square distance from the deterministic solution (point, task), kohm: what the paper plots."""
    away = data["resistance"].astype(float) - data["deterministic"]
    return (away**2).sum("edge").mean("mask") ** 0.5 / 1e3


def shift_squared(data: xr.Dataset) -> xr.DataArray:
    """Squared distance of the mean over masks from the deterministic solution (point, task), kohm^2.

    Without bias, so that it may be negative: what the fluctuation leaves in a mean over so many masks is taken off.
    """
    away = data["resistance"].astype(float).mean("mask") - data["deterministic"]
    return (away**2).sum("edge") / 1e6 - fluctuation(data) ** 2 / data.sizes["mask"]


def slopes(distance: xr.DataArray, family: str) -> np.ndarray:
    """Slope of log distance against log of what is left out, for each task."""
    chosen = distance.sel(point=distance["family"] == family)
    return np.polyfit(np.log(chosen["left_out"].values), np.log(chosen.values), 1)[0]


def mean_shift(data: xr.Dataset, family: str, draws: int = 1000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Root mean square shift over the tasks at each point of a family, kohm, its 95% interval, and slopes.

    By bootstrap over the tasks. Returns (points,), (2, points) and the slopes (draws,) over the points whose interval
    does not begin at 0; nan with fewer than three of these.
    """
    squares = shift_squared(data).sel(point=data["family"] == family)
    left_out = squares["left_out"].values
    chosen = np.random.default_rng(0).integers(data.sizes["task"], size=(draws, data.sizes["task"]))
    drawn = np.sqrt(np.maximum(squares.values[:, chosen].mean(axis=-1), 0.0))
    bounds = np.quantile(drawn, [0.025, 0.975], axis=1)
    resolved = bounds[0] > 0
    slope = np.full(draws, np.nan)
    if resolved.sum() >= 3:
        slope = np.polyfit(np.log(left_out[resolved]), np.log(np.maximum(drawn[resolved], 1e-12)), 1)[0]
    return np.sqrt(np.maximum(squares.mean("task").values, 0.0)), bounds, slope


def slope_cells(data: xr.Dataset, family: str) -> tuple[str, str, str]:
    """Slopes of fluctuation, mean shift and whole distance, each with its 95% interval, as text."""
    spread, whole = (shown(mean_interval(slopes(each(data), family))) for each in (fluctuation, total))
    _, bounds, drawn = mean_shift(data, family)
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    shift = f"not resolved, at most {bounds[1].max():.2g} kohm" if np.isnan(middle) else shown((middle, low, high))
    return spread, shift, whole


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """The paper's square root, for edges."""
    found = float(slopes(fluctuation(data), "p").mean())
    enough = data.sizes["task"] >= 40 and data.sizes["mask"] >= 8
    return {
        "at least 40 tasks x 8 masks": enough,
        "fluctuation between masks against 1 - p: slope 0.5 +- 0.07": SLOPE[0] <= found <= SLOPE[1],
    }


def table(data: xr.Dataset) -> Table:
    """Fitted slopes, a row a family."""
    rows = Table(title="slope against what is left out, with 95% interval over tasks", box=None)
    for name in ("left out", "fluctuation", "mean shift", "whole distance", "fluctuation at most left out, kohm"):
        rows.add_column(name)
    spread = fluctuation(data)
    for family in FAMILIES:
        most = spread.sel(point=data["family"] == family)[-1]
        size = f"{shown(interval(most.values), '.3g')} at {float(most['left_out']):.2g}"
        rows.add_row(family, *slope_cells(data, family), size)
    return rows


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    spread, whole = fluctuation(data), total(data)
    (p_slope, p_shift, _), (b_slope, b_shift, b_whole) = (slope_cells(data, name) for name in ("p", "b"))
    at = [spread.sel(point=(data["family"] == name) & (data["left_out"] == 0.1))[0].values for name in ("p", "b")]
    far = [whole.sel(point=(data["family"] == name) & (data["left_out"] == 0.1))[0].values for name in ("p", "b")]
    return f"""
        Continuous coupled learning with a full batch of 16 examples (eq. 7), 2x2 regression on lab16, teacher tasks,
        eta {runs.ETA:g}, gamma a quarter of the largest with small steps: the {data.sizes["task"]} of
        {data.attrs["candidates"]} tasks that come to {runs.LEVELS_V2[-1]:.0e} V^2 in {data.attrs["most_steps"]} steps
        of that largest one; {data.sizes["mask"]} masks each, all from one start. Learning rates are matched: steps x p
        x b are those of the deterministic run. Fluctuation between masks grows with slope {p_slope} against 1 - p, the
        paper's exponent being 0.5, and {b_slope} against 1 - b. Mean shift: {p_shift} against 1 - p, {b_shift} against
        1 - b.
        The paper says that with matched rates edges and examples collapse on each other. Here they do not: at 0.1 left
        out, edges spread the solutions {shown(interval(at[0] / at[1]), ".3g")} times as far as examples do, and the
        whole distance from the deterministic solution is {shown(interval(far[0] / far[1]), ".3g")} times as large.
        To first order in the errors any sum over examples is made of the same 2 x 2 patterns over the edges, in which
        the task corrects what was left out; leaving out edges moves all 16 resistances on their own. For examples the
        mean shift outgrows the fluctuation, so that the whole distance, which the paper plots, has slope {b_whole}. It
        is a shift of finite steps: to first order it goes as gamma, the fluctuation as its square root.
        With p = b the examples add nothing that shows beside the edges; steps are b times as large on average, which
        takes a factor of the square root of b off the fluctuation.
    """


def draw(data: xr.Dataset) -> Figure:
    """Fluctuation, mean shift and whole distance against what is left out."""
    drawn, axes = plt.subplots(1, 3, figsize=(12, 4.9), layout="constrained", sharex=True)
    for what, (family, (letters, fixed)) in enumerate(FAMILIES.items()):
        chosen = data["family"] == family
        x = data["left_out"].values[chosen.values] * 1.02 ** (what - 2.5)
        style: dict[str, Any] = {
            "color": {"p": "#17406d", "b": "#e08214", "p = b": "#2a8c4a"}[letters],
            "marker": "s" if fixed else "o", "ms": 4, "mfc": "white" if fixed else None,
            "ls": ":" if fixed else "-", "lw": 1.1, "elinewidth": 0.9,
        }  # fmt: skip
        most = {"color": style["color"], "marker": "v", "ms": 4, "mfc": style["mfc"], "ls": ""}
        cells = [cell.split(",")[0] for cell in slope_cells(data, family)]
        for ax, distance, cell in ((axes[0], fluctuation(data), cells[0]), (axes[2], total(data), cells[2])):
            found = np.array([interval(each) for each in distance.sel(point=chosen).values]).T
            bars = np.abs(found[1:] - found[0])
            ax.errorbar(x, found[0], bars, label=f"{family}: {cell}", **style)
        middle, bounds, slope = mean_shift(data, family)
        if np.isnan(slope).all():  # what it can be at most
            axes[1].plot(x, np.where(bounds[1] > 0, bounds[1], np.nan), label=f"{family}: {cells[1]}", **most)
        else:
            seen = bounds[0] > 0
            bars = np.abs(bounds - middle)[:, seen]
            axes[1].errorbar(x[seen], middle[seen], bars, label=f"{family}: {cells[1]}", **style)
    titles = ("fluctuation between masks", "mean shift (triangles: not resolved, at most)", "whole distance (rms)")
    for ax, title, power in zip(axes, titles, (0.5, 1.0, 0.5), strict=True):
        _finish(ax, title, power)
    axes[0].set_ylabel("distance in resistance space  (kΩ)")
    drawn.suptitle(
        f"Solutions of {data.sizes['task']} tasks × {data.sizes['mask']} masks against the deterministic one, at equal "
        "steps × p × b. Bars and legends (slopes): 95% intervals over tasks"
    )
    return drawn


def _finish(ax: Axes, title: str, power: float) -> None:
    """Logarithmic axes, room for the legend, and a line with the slope that is expected."""
    ax.set(xscale="log", yscale="log", xlabel="left out: 1 − p, 1 − b")
    ax.set_xticks([0.02, 0.05, 0.1, 0.2, 0.3], ["0.02", "0.05", "0.1", "0.2", "0.3"])
    ax.minorticks_off()
    low, high = ax.get_ylim()
    x = np.array([0.02, 0.3])
    ax.plot(x, 0.4 * high * (x / x[1]) ** power, color="0.6", lw=1, ls="--", label=f"slope {power:g}")
    ax.set_ylim(low, high * (high / low) ** 0.45)
    ax.legend(loc="upper left")
    ax.set_title(title)
