"""Turns of fig3: learning where oscillators decide whose turn it is at a trigger, where draws do, and without one."""

from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from rich.table import Table

from clockfree_sim.paper import tasks
from clockfree_sim.paper.compare import CLOCKFREE, ONE, Case, compare, gain, known, rule_of
from clockfree_sim.paper.tasks import Kind
from clockfree_sim.theory.statistics import interval, shown

OSCILLATORS, DRAWS = "oscillators", "draws"
CHANCES = (0.05, 0.1, 0.2, 0.5, 0.8)
TASKS, QUICK_TASKS = 48, 2
UPDATES, QUICK_UPDATES = 1500, 30
ETA = 1.0
COLOURS = ("tab:blue", "tab:orange", "tab:green")


def name(who: str, p: float) -> str:
    """Of a way."""
    return f"{who}, {p:g}"


def ways(edges: int) -> dict[str, Mapping[str, Any]]:
    """Clock-free, all at every trigger, and each share p of the triggers by draws and by oscillators."""
    found: dict[str, Mapping[str, Any]] = {CLOCKFREE: {}, ONE: rule_of(1.0)}
    for p in CHANCES:
        found |= {name(DRAWS, p): rule_of(p), name(OSCILLATORS, p): {"schedule": f"oscillators={p!r}"}}
    return found


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Learn the same tasks in all ways; see `compare`."""
    count, updates = (QUICK_TASKS, QUICK_UPDATES) if quick else (TASKS, UPDATES)
    kinds = [Kind("lab16", 1), Kind("lab16", 3), Kind(tasks.LARGE, 3)]
    return compare(pool, [Case(kind, ETA, count, updates) for kind in kinds], ways, seed, "fig3: learning")


def over_draws(final: xr.DataArray, p: float) -> tuple[float, float, float]:
    """Error by oscillators over that by draws on the same tasks of a case: mean and 95% interval."""
    return gain(final, name(OSCILLATORS, p), name(DRAWS, p))


def over_all(final: xr.DataArray) -> tuple[float, float, float]:
    """The same over all p: of the geometric means over p of each task."""
    both = (np.log([known(final.sel(way=name(who, p))) for p in CHANCES]) for who in (OSCILLATORS, DRAWS))
    return interval(np.exp(np.mean(np.subtract(*both), axis=0)))


def label(final: xr.DataArray) -> str:
    """A case."""
    outputs = int(final["outputs"])
    return f"{int(final['edges'])} edges, {outputs} output{'s' * (outputs > 1)}"


def table(data: xr.Dataset) -> Table:
    """Errors over clock-free's, and by oscillators over by draws, some rows a case."""
    title = f"final error over {CLOCKFREE}'s, and by {OSCILLATORS} over by {DRAWS}: {data.sizes['task']} tasks"
    rows = Table(title=title, box=None)
    for column in ("case", "p", *(f"{p:g}" for p in CHANCES), "1", "all below 1"):
        rows.add_column(column)
    for final in data["final"]:
        for who in (DRAWS, OSCILLATORS):
            cells = [shown(gain(final, name(who, p), CLOCKFREE), ".1f") for p in CHANCES]
            last = shown(gain(final, ONE, CLOCKFREE), ".1f") if who == DRAWS else ""
            rows.add_row(label(final) if who == DRAWS else "", who, *cells, last)
        rows.add_row("", "ratio", *(shown(over_draws(final, p)) for p in CHANCES), "", shown(over_all(final)))
    return rows


def said(data: xr.Dataset) -> str:
    """What came out, in a sentence or two."""
    apart, within, all_p = [], [], []
    for final in data["final"]:
        all_p.append(f"{shown(over_all(final))} with {label(final)}")
        for p in CHANCES:
            found = over_draws(final, p)
            within.append(found[0])
            if not found[1] <= 1.0 <= found[2]:
                apart.append(f"{shown(found)} at p = {p:g} with {label(final)}")
    return f"""
        Learning, {data.sizes["task"]} tasks, allostery, eta {ETA:g}, ideal parts, {int(data["updates"][0])} updates per
        edge: at the same p the final error where oscillators decide is that where draws do times {min(within):.2f} ..
        {max(within):.2f}; over all p {", ".join(all_p)}. Of {len(within)} intervals those that leave out 1:
        {"; ".join(apart) or "none"}.
    """


def draw(ax: Axes, data: xr.Dataset) -> None:
    """Error over clock-free's against p."""
    for final, colour in zip(data["final"], COLOURS, strict=True):
        for who, fill, beside in ((DRAWS, "white", 0.97), (OSCILLATORS, colour, 1.03)):
            middle, low, high = np.array([gain(final, name(who, p), CLOCKFREE) for p in CHANCES]).T
            at, bars = beside * np.array(CHANCES), [middle - low, high - middle]
            ax.errorbar(at, middle, bars, fmt="o-", ms=4, lw=1, color=colour, mfc=fill)
        ax.plot([], [], "-", color=colour, label=label(final))
    for who, fill in ((DRAWS, "white"), (OSCILLATORS, "0.3")):
        ax.plot([], [], "o", color="0.3", ms=4, mfc=fill, label=who)
    ax.axhline(1, color="0.6", lw=0.8, zorder=0)
    ax.set(xscale="log", yscale="log", xlabel="p", ylabel=f"final error, over {CLOCKFREE}")
    ax.set_xticks(CHANCES, [f"{p:g}" for p in CHANCES], minor=False)
    ax.set_xticks([], minor=True)
    ax.set_title(f"learning, {data.sizes['task']} tasks, η {ETA:g}")
    ax.legend(loc="upper left")
