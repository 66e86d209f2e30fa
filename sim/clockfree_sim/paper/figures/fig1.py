"""Fig. 1: error against steps x p collapses for all p with continuous resistors (eq. 2 and 3), and where it breaks.

The step size of every task is found first: the largest gamma, of powers of 2, at which p = 1 needs half the steps that
it needs at gamma / 2, within 5% at each decade of error. There steps are so small that they follow the flow which eq. 2
makes steps of. Then the same task is learnt at this gamma and at multiples of it, at every p.
"""

from concurrent.futures import Executor
from itertools import product
from pathlib import PurePath
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from clockfree_sim.paper import tasks
from clockfree_sim.paper.collapse import LEVELS_V2, MASKS, PATIENCE, Run, learnt
from clockfree_sim.paper.small_steps import AGREE
from clockfree_sim.paper.tasks import START_OHM, Kind, make_task, task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.theory.statistics import median_interval, shown

ETAS = (0.1, 0.5, 1.0)
TASKS, QUICK_TASKS = 36, 3
EXAMPLE = (Kind("lab16", 3), 0.5)
BROKEN = 16
"""Multiple that the example is also shown at."""


def cases(quick: bool) -> list[tuple[Kind, float]]:
    """Kinds of tasks, each with its nudges."""
    one, three, several = (Kind("lab16", *sizes) for sizes in ((1,), (3,), (2, 4)))
    large, *others = (Kind(tasks.LARGE, *sizes) for sizes in ((3,), (10,), (2, 4)))
    if quick:
        return [(one, 0.5), (three, 1.0), (large, 0.5)]
    return [*product((one, three, several, large), ETAS), *((kind, 0.5) for kind in others)]


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Learn all tasks of all cases; see the module."""
    every, count = cases(quick), QUICK_TASKS if quick else TASKS
    seeds = task_seeds(seed, count)
    runs = [Run(kind, eta, each, quick) for kind, eta in every for each in seeds]
    # The example is the first task of its case that has small steps at all.
    example = every[0] if quick else EXAMPLE
    shown_first = [Run(*example, each, quick, curves=True) for each in seeds[:3]]
    found = gather(pool, learnt, [*runs, *shown_first], "fig1")
    curves = next(each for each in found[len(runs) :] if not np.isnan(each["gamma"]))
    shape = (len(every), count)
    small, work = (np.array([each[name] for each in found[: len(runs)]]) for name in ("small", "work"))
    return xr.Dataset(
        {
            "gamma": (
                ("case", "task"),
                np.array([each["gamma"] for each in found[: len(runs)]]).reshape(shape) * START_OHM**3,
                {"units": "ohm3 V-2", "long_name": "largest learning rate of small steps; nan: not learnt"},
            ),
            "small_work": (
                ("case", "task", "p", "mask", "level"),
                small.reshape(*shape, *small.shape[1:]),
                {"units": "1", "long_name": "steps x p until the error first is at the level, small steps; nan: never"},
            ),
            "work": (
                ("case", "task", "multiple", "p", "level"),
                work.reshape(*shape, *work.shape[1:]),
                {"units": "1", "long_name": "steps x p x multiple until the error first is at the level; nan: never"},
            ),
            "example_error": (
                ("multiple", "p", "sample"),
                curves["curves"],
                {"units": "V2", "long_name": "error of the example; nan: after the last level"},
            ),
            "example_work": (
                "sample",
                curves["places"],
                {"units": "1", "long_name": "steps x p x multiple of the example"},
            ),
        },
        coords={
            "case": ("case", [f"{kind}, eta {eta:g}" for kind, eta in every]),
            "network": ("case", [kind.network for kind, _ in every]),
            "edges": ("case", [len(make_task(kind, 0).network.ends) for kind, _ in every], {"units": "1"}),
            "eta": ("case", [eta for _, eta in every], {"units": "1", "long_name": "nudge"}),
            "task": ("task", seeds, {"units": "1", "long_name": "seed of placement, inputs and teacher"}),
            "multiple": (
                "multiple",
                list(runs[0].multiples),
                {"units": "1", "long_name": "gamma over that of small steps"},
            ),
            "p": ("p", list(runs[0].p), {"units": "1", "long_name": "chance that an edge is kept at a step"}),
            "mask": ("mask", np.arange(MASKS), {"units": "1", "long_name": "draw of the kept edges"}),
            "level": ("level", LEVELS_V2, {"units": "V2", "long_name": "error"}),
        },
        attrs={"example": str(example[0]), "most_steps": runs[0].most_steps},
    )


def ratios(data: xr.Dataset) -> xr.DataArray:
    """Steps x p with small steps, mean over the masks, over those of p = 1 (case, task, p, level).

    Infinite where a mask does not get there; nan where p = 1 does not.
    """
    work = data["small_work"].mean("mask", skipna=False)
    one = work.sel(p=1.0)
    return (work.fillna(np.inf) / one).where(one.notnull())


MANY = 1 / 6
"""Share of the tasks that must come to a level for its median to be shown."""
NEAR = (0.8, 1.25)


def _medians(data: xr.Dataset) -> xr.DataArray:
    """Median over tasks of `ratios` at every p below 1; nan where fewer than `MANY` of them are known."""
    found = ratios(data).isel(p=slice(1, None))
    return found.median("task").where(found.notnull().mean("task") >= MANY)


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """The collapse, in every case, at every p and level."""
    medians = _medians(data).values
    medians = medians[np.isfinite(medians) | np.isposinf(medians)]
    seen = bool(len(medians) and medians.min() >= NEAR[0] and medians.max() <= NEAR[1])
    return {"small steps: median of steps x p over p = 1 within 0.8..1.25, each p, decade to 1e-8, case": seen}


def table(data: xr.Dataset) -> Table:
    """Steps x p to the last level, a row a case."""
    rows = Table(title=f"steps x p to {LEVELS_V2[-1]:.0e} V^2 over those of p = 1: median (95% interval)", box=None)
    for name in ("edges", "case", "learnt", *(f"p {p:g}" for p in data["p"].values[1:]), "all decades"):
        rows.add_column(name)
    found, medians = ratios(data), _medians(data)
    for i, name in enumerate(data["case"].values):
        last = found[i].isel(level=-1)
        known = last.sel(p=1.0).notnull().values
        cells = [
            shown(median_interval(last.sel(p=p).values[known])) if known.any() else "-" for p in data["p"].values[1:]
        ]
        low, high = float(medians[i].min()), float(medians[i].max())
        rows.add_row(
            str(data["edges"].values[i]),
            str(name),
            f"{known.sum()} of {len(known)}",
            *cells,
            f"{low:.2f} .. {high:.2f}",
        )
    return rows


def breaks(data: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """How larger steps do at the last level, over the tasks that small steps at p = 1 learn (multiple, p).

    Median of steps x p x gamma over that of small steps at p = 1, infinite if unreached; share that reach it.
    """
    last = data["work"].isel(level=-1).stack(run=("case", "task"))
    small = last.sel(multiple=1, p=1.0)
    last = last.isel(run=np.flatnonzero(small.notnull()))
    cost = last.fillna(np.inf) / small.dropna("run")
    return cost.median("run"), last.notnull().mean("run")


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    medians = _medians(data)
    known = data["work"].sel(multiple=1, p=1.0).isel(level=-1).notnull()
    one, least = 1.0, float(data["p"].values[-1])
    last = breaks(data)[1].isel(multiple=-1)
    last_V2, most = f"{LEVELS_V2[-1]:.0e} V^2", int(data["multiple"].values[-1])
    edges = dict(zip(data["network"].values.tolist(), data["edges"].values.tolist(), strict=True))
    networks = " and ".join(f"{PurePath(network).name} ({count} edges)" for network, count in edges.items())
    verdict = "the paper's collapse" if all(must_show(data).values()) else "not the paper's collapse everywhere"
    count, most_steps = data.sizes["task"], data.attrs["most_steps"]
    off, off_least = _first_off(data, one), _first_off(data, least)
    late, late_least = (f"{float(last.sel(p=p)):.0%}" for p in (one, least))
    return f"""
        Continuous coupled learning (eq. 2, 3): teacher tasks on {networks}; {count}
        tasks a case; at each p {data.sizes["mask"]} draws of the kept edges, 1 with larger steps. {int(known.sum())} of
        {known.size} tasks come to {last_V2} within {most_steps} steps at p = 1 with small steps; the others are left
        out. Steps are small where p = 1 at gamma and gamma / 2 agree within {AGREE:.0%} at each decade of error. There
        the median over tasks of steps x p to a decade, over those of p = 1, is {float(medians.min()):.2f} ..
        {float(medians.max()):.2f} over all cases, p and decades: {verdict}. With larger steps it breaks: the
        median of steps x p x gamma to {last_V2} is off that of small steps by more than 25% from {off} times their
        gamma on at p = 1, {off_least} times at p = {least:g}. At {most} times, {late} and {late_least} of the tasks get
        there in at most {PATIENCE} times the steps x p x gamma of small steps. The paper states the collapse for any
        gamma: it holds for small ones, and beyond them small p goes on learning where p = 1 no longer does.
    """


def _first_off(data: xr.Dataset, p: float) -> str:
    cost = breaks(data)[0].sel(p=p)
    off = data["multiple"].values[~((cost >= NEAR[0]) & (cost <= NEAR[1])).values]
    return str(off[0]) if len(off) else f"beyond {data['multiple'].values[-1]}"


def draw(data: xr.Dataset) -> Figure:
    """Curves of an example, the collapse with small steps, and what larger steps do."""
    drawn, axes = plt.subplots(2, 3, figsize=(12, 7.4), layout="constrained")
    colours = dict(zip(data["p"].values, plt.get_cmap("viridis")(np.linspace(0, 0.9, data.sizes["p"])), strict=True))
    _example(axes[0, 0], data.sel(multiple=1), "steps × p", "small steps", colours)
    _example(axes[0, 1], data.sel(multiple=BROKEN), f"steps × p × {BROKEN}", f"γ {BROKEN} times larger", colours)
    axes[0, 0].legend()
    for ax, edges in zip(axes[1, :2], np.unique(data["edges"]), strict=True):
        _collapse(ax, data.isel(case=np.flatnonzero(data["edges"] == edges)), colours)
    cost, reached = breaks(data)
    for p, colour in colours.items():
        style: dict[str, Any] = {"color": colour, "marker": "o", "ms": 3, "lw": 1.2}
        axes[0, 2].plot(data["multiple"], reached.sel(p=p), **style)
        axes[1, 2].plot(data["multiple"], cost.sel(p=p).where(np.isfinite(cost.sel(p=p))), **style)
    count = int(data["work"].sel(multiple=1, p=1.0).isel(level=-1).notnull().sum())
    axes[0, 2].set(ylabel=f"share of tasks that come to {LEVELS_V2[-1]:.0e} V²", ylim=(0, 1.03))
    axes[0, 2].set_title(f"larger steps, all cases: {count} tasks")
    axes[1, 2].set(ylabel="steps × p × γ, over p = 1 with small steps", ylim=(0.7, 3.3))
    axes[1, 2].set_title(f"median to {LEVELS_V2[-1]:.0e} V², drawn where half get there")
    _band(axes[1, 2])
    for ax in axes[:, 2]:
        ax.set_xscale("log", base=2)
        ax.set_xticks(data["multiple"].values, [str(each) for each in data["multiple"].values])
        ax.set_xlabel("γ over that of small steps")
    drawn.suptitle(
        f"Continuous rule, {data.sizes['case']} cases of {data.sizes['task']} tasks. Lower left: medians over the "
        "tasks of a case (lines), of all (points, 95% intervals). Grey: 0.8 .. 1.25"
    )
    return drawn


def _example(ax: Axes, data: xr.Dataset, label: str, title: str, colours: dict) -> None:
    for p, colour in colours.items():
        ax.semilogy(data["example_work"], data["example_error"].sel(p=p), color=colour, lw=1.3, label=f"p = {p:g}")
    ax.set(xlabel=label, ylabel="error  (V²)", ylim=(LEVELS_V2[-1] / 3, None))
    ax.set_title(f"16 edges, one task, {data.attrs['example']}: {title}")


def _band(ax: Axes) -> None:
    ax.axhspan(*NEAR, color="0.92", zorder=0)
    ax.axhline(1, color="0.6", lw=0.8, zorder=0)


def _collapse(ax: Axes, data: xr.Dataset, colours: dict) -> None:
    """Medians of each case (lines) and of all its tasks together (points with intervals), against the level."""
    found, medians = ratios(data), _medians(data)
    for i, (p, colour) in enumerate(list(colours.items())[1:]):
        for case in range(data.sizes["case"]):
            ax.semilogx(data["level"], medians[case].sel(p=p), color=colour, lw=0.6, alpha=0.7)
        for level in data["level"].values:
            ratio = found.sel(p=p, level=level).values.ravel()
            ratio = ratio[~np.isnan(ratio)]
            if len(ratio) >= MANY * data.sizes["case"] * data.sizes["task"]:
                middle, low, high = median_interval(ratio)
                at = level * 10 ** (0.12 * (i - 1.5))
                ax.errorbar(at, middle, [[middle - low], [high - middle]], fmt="o", ms=3, color=colour, lw=1)
    _band(ax)
    learnt_to_the_end = int(found.sel(p=1.0).isel(level=-1).notnull().sum())
    ax.set(xlabel="error to reach  (V²)", ylabel="steps × p, over p = 1", ylim=(0.7, 1.4))
    ax.invert_xaxis()
    edges = int(data["edges"].values[0])
    ax.set_title(f"small steps, {edges} edges, {data.sizes['case']} cases; last decade: {learnt_to_the_end} tasks")
