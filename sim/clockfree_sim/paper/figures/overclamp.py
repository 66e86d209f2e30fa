"""Overclamp: a clamp of constant size, and edges of the first order, which leave out what it says up to.

Nudge and overclamp by edges of either order, calibrated and not, on three kinds of task; what matters to an edge that
is not calibrated; and what becomes of it near capacity.
"""

from collections.abc import Iterator
from concurrent.futures import Executor

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from rich.table import Table

from clockfree_sim.paper import overclamping
from clockfree_sim.paper.limits import TEACHER
from clockfree_sim.paper.overclamping import AT, CHOSEN, LOST_V2, PROMPT, TIGHT, TODAY, TRIM, UNCALIBRATED, Point, ended
from clockfree_sim.paper.tasks import task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.theory.statistics import interval, shown

COLOURS = {2: "#e08214", 1: "#17406d"}
HELD_COLOURS = ("#e08214", "#7fb0dc", "#17406d", "#2a8c4a", "#8c2a6d")
ORDERS = {2: "second order", 1: "first order"}


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Every task of every point, with each of its seeds."""
    points = overclamping.points(quick)
    most, clocks = max(point.count for point in points), max(point.clocks for point in points)
    seeds = task_seeds(seed, most)
    cases = [(point, each) for point in points for each in seeds[: point.count]]
    found = iter(gather(pool, ended, cases, "overclamp"))
    errors = np.full((len(points), most, clocks, len(AT)), np.nan)
    top = np.full((len(points), most, clocks), np.nan)
    for i, point in enumerate(points):
        for j in range(point.count):
            errors[i, j, : point.clocks], top[i, j, : point.clocks] = next(found)
    each = ("point", "task", "clocks")
    return xr.Dataset(
        {
            "error": ((*each, "at"), errors, _says("V2", "error")),
            "top": (each, top, _says("1", "share of edges that end at the top tap")),
        },
        coords={
            "part": ("point", [point.part for point in points], {"long_name": "part of the figure"}),
            "way": ("point", [point.name for point in points], {"long_name": "edge and clamp"}),
            "order": ("point", [point.edge.order for point in points], _says("1", "order of the edges' rule")),
            "size": ("point", [point.size for point in points], {"long_name": "of what is scanned, in its own unit"}),
            "kind": ("point", [_kind(point) for point in points], {"long_name": "task"}),
            "task": ("task", seeds, _says("1", "seed of task")),
            "clocks": ("clocks", np.arange(clocks), _says("1", "which seed of clocks and imperfections")),
            "at": ("at", list(AT), _says("1", "updates per edge")),
        },
    )


def _says(units: str, text: str) -> dict[str, str]:
    return {"units": units, "long_name": text}


def _kind(point: Point) -> str:
    what = str(point.kind) if point.targets == TEACHER else f"{point.kind}, {point.targets} voltages"
    return f"{'16 edges' if point.kind.network == 'lab16' else '143 edges'}, {what}"


def of_tasks(data: xr.Dataset, point: int, at: int) -> np.ndarray:
    """Error of each task of a point, V^2: the geometric mean over its seeds; empty where not run."""
    with np.errstate(divide="ignore"):
        logs = np.log(data["error"].values[point, :, :, at])
    run = np.isfinite(data["error"].values[point, :, :, at]).any(axis=1)
    return np.exp(np.nanmean(logs[run], axis=1)) if run.any() else np.array([])


def lost(data: xr.Dataset, point: int, at: int) -> float:
    """Share of a point's runs that end above LOST_V2."""
    errors_V2 = data["error"].values[point, :, :, at]
    return float(np.mean(errors_V2[np.isfinite(errors_V2)] > LOST_V2))


def worsening(data: xr.Dataset, point: int) -> np.ndarray:
    """Error of each task at the last of AT over that at the first; empty where not run."""
    early, late = (of_tasks(data, point, at) for at in (0, 1))
    return late / early if late.size else late


def which(data: xr.Dataset, part: str, **wanted) -> Iterator[int]:
    """Points of a part of the figure with these coordinates."""
    for i in np.flatnonzero(data["part"].values == part):
        if all(data[name].values[i] == value for name, value in wanted.items()):
            yield int(i)


def mean_of(data: xr.Dataset, point: int, at: int = 0) -> float:
    """Geometric mean error of a point, V^2."""
    return interval(of_tasks(data, point, at))[0]


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """What first order and overclamp are to reach on the board preset, and near capacity."""
    seen = {}
    for way, most_V2, most_lost in ((UNCALIBRATED, 1.5e-6, 0.02), (TIGHT, 3e-7, 0.04), (CHOSEN, 3e-7, 0.04)):
        for i in which(data, "ways", way=way, order=1):
            text = f"{data['kind'].values[i]}: {way}, first order: at most {most_V2:g} V^2"
            seen[f"{text}, {most_lost:.0%} of runs above {LOST_V2:g}"] = (
                mean_of(data, i) <= most_V2 and lost(data, i, 0) <= most_lost
            )
            ratio = worsening(data, i)
            if ratio.size:
                seen[f"{data['kind'].values[i]}: {way}, first order: nothing forgotten"] = interval(ratio)[0] <= 1.5
    for i in which(data, "ways", way=TRIM, order=1):
        if "3 outputs" in data["kind"].values[i]:
            seen[f"{data['kind'].values[i]}: {TRIM}, B on the free drop: at most 2e-6 V^2"] = mean_of(data, i) <= 2e-6
    for kind in dict.fromkeys(data["kind"].values[list(which(data, "capacity"))].tolist()):
        ends = {str(data["way"].values[i]): mean_of(data, i) for i in which(data, "capacity", kind=kind)}
        best = min(ends[TODAY], ends[CHOSEN])
        seen[f"{kind}: {CHOSEN} at most twice the better of it and {TODAY}"] = ends[CHOSEN] <= 2 * best
    return seen


def table(data: xr.Dataset) -> Table:
    """A row for each point."""
    rows = Table(title="geometric means over tasks, V^2, with 95% intervals; share of runs above 1e-4", box=None)
    for name in ("part", "task", "way", "order", "size", *(f"at {at:,}" for at in AT), "ratio", "at the top"):
        rows.add_column(name)
    for i in range(data.sizes["point"]):
        ends = [of_tasks(data, i, at) for at in range(len(AT))]
        cells = [f"{shown(interval(e), '.1e')}, {lost(data, i, at):.0%}" if e.size else "" for at, e in enumerate(ends)]
        ratio = worsening(data, i)
        part, kind, way = (str(data[name].values[i]) for name in ("part", "kind", "way"))
        size = "" if part in ("ways", "capacity") else f"{data['size'].values[i]:g}"
        lasting = shown(interval(ratio), ".2g") if ratio.size else ""
        order, top = str(data["order"].values[i]), f"{float(data['top'][i].mean()):.0%}"
        rows.add_row(part, kind, way, order, size, *cells, lasting, top)
    return rows


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    count, clocks = data.sizes["task"], data.sizes["clocks"]
    found = []
    for kind in dict.fromkeys(data["kind"].values[list(which(data, "ways", way=UNCALIBRATED))].tolist()):
        each = {order: next(which(data, "ways", way=UNCALIBRATED, order=order, kind=kind)) for order in ORDERS}
        parts = [
            f"{ORDERS[order]} {shown(interval(of_tasks(data, i, 0)), '.1e')} V^2, {lost(data, i, 0):.0%} of runs above "
            f"{LOST_V2:g}, {float(data['top'][i].mean()):.0%} of edges at the top tap"
            for order, i in each.items()
        ]
        found.append(f"on {kind}: {'; '.join(parts)}")
    return f"""
        Clock-free runs on the board preset, {AT[0]:,} and, where filled, {AT[1]:,} updates per edge; up to {count}
        tasks with up to {clocks} seeds of clocks and imperfections each. Nudge: eta 1. Overclamp: V_C = V_F + A e /
        max |e| while max |e| is above a tolerance; not calibrated A 0.5 V, floor 30 mV, tolerance 2 mV; calibrated
        0.3 V, 20 mV, 1 mV; with a gain the floor is 6 mV, and the bar of sums 40 mV; trimmed 0.3 V, 20 mV, 2 mV.
        Sensitivity: no latency of the clamp. Not calibrated, overclamp, {". ".join(found)}.
    """


def draw(data: xr.Dataset) -> Figure:
    """Ways on each kind of task above; below what matters, and near capacity."""
    kinds = list(dict.fromkeys(data["kind"].values[data["part"].values == "ways"].tolist()))
    drawn, axes = plt.subplots(2, 3, figsize=(14, 8.4), layout="constrained")
    for ax, kind in zip(axes[0], kinds, strict=False):
        _ways(ax, data, kind)
        ax.set_title(kind)
    for ax in axes[0, 1:]:
        ax.set_yticklabels([])
    for ax in axes[0, len(kinds) :]:
        ax.axis("off")
    _top(axes[1, 0], data, kinds)
    _scans(axes[1, 1], data)
    _capacity(axes[1, 2], data)
    count, clocks = data.sizes["task"], data.sizes["clocks"]
    drawn.suptitle(f"Overclamping, board preset: up to {count} tasks x {clocks} seeds; bars: 95% intervals over tasks")
    return drawn


def _bar(ax, found, place: float, **style) -> None:
    mean, low, high = found
    ax.errorbar(mean, place, xerr=[[mean - low], [high - mean]], ms=4.5, elinewidth=0.9, lw=0, **style)


def _ways(ax, data: xr.Dataset, kind: str) -> None:
    names = list(overclamping.WAYS)
    for i in which(data, "ways", kind=kind):
        order = int(data["order"].values[i])
        place = -names.index(str(data["way"].values[i])) + (0.15 if order == 2 else -0.15)
        for at, fill in ((0, "none"), (1, COLOURS[order])):
            ends = of_tasks(data, i, at)
            if ends.size:
                _bar(ax, interval(ends), place, color=COLOURS[order], marker="o", mfc=fill)
        ax.annotate(f"{lost(data, i, 0):.0%}", (1.01, place), xycoords=("axes fraction", "data"),
                    va="center", fontsize=6.5, color=COLOURS[order])  # fmt: skip
    ax.axvline(LOST_V2, color="0.8", lw=0.8, zorder=0)
    ax.set(xscale="log", xlabel="error (V²); beside it: share of runs above 1e-4")
    ax.set_yticks([-place for place in range(len(names))], names)
    for order, colour in COLOURS.items():
        ax.plot([], [], "o", color=colour, ms=4.5, label=ORDERS[order])
    ax.legend(loc="lower left")


def _top(ax, data: xr.Dataset, kinds: list[str]) -> None:
    """Edges at the top tap at the end, by kind of task, order and clamp."""
    shades = {TODAY: 0.4, UNCALIBRATED: 1.0}
    for k, kind in enumerate(kinds):
        for w, (way, alpha) in enumerate(shades.items()):
            for o, order in enumerate(ORDERS):
                for i in which(data, "ways", kind=kind, way=way, order=order):
                    label = f"{way}, {ORDERS[order]}" if not k else None
                    height = 100 * float(data["top"][i].mean())
                    ax.bar(k + 0.2 * (2 * w + o) - 0.3, height, 0.18, color=COLOURS[order], alpha=alpha, label=label)
    ax.set_xticks(range(len(kinds)), [kind.replace(", allostery, ", "\n") for kind in kinds])
    ax.set(ylabel="edges at the top tap (%)", title="what D² does: edges climb to the rail")
    ax.margins(y=0.5)
    ax.legend(loc="upper left")


def _scans(ax, data: xr.Dataset) -> None:
    """Error over each thing that is scanned, in units of what the point has."""
    edge, clamp = overclamping.WAYS[UNCALIBRATED]
    scans = overclamping.PHYSICS_SCANS | overclamping.CLAMP_SCANS
    own = {name: getattr(PROMPT, field) for name, (field, _) in overclamping.PHYSICS_SCANS.items()}
    own |= {name: getattr(clamp, field) for name, (field, _) in overclamping.CLAMP_SCANS.items()} | {"floor": edge.f_V}
    for k, name in enumerate((*scans, "floor")):
        at = list(which(data, name))
        if own[name] and at:
            sizes = data["size"].values[at] / own[name]
            ax.plot(sizes, [mean_of(data, i) for i in at], "o-", ms=3.5, lw=1, color=f"C{k}", label=name)
    ax.set(xscale="log", yscale="log", xlabel="times what is so by default", ylabel="error (V²)")
    ax.set_title("not calibrated, first order, no latency; 16 edges, 3 outputs")
    ax.margins(y=0.35)  # room for the legend below
    ax.legend(ncols=2, loc="lower right")


def _capacity(ax, data: xr.Dataset) -> None:
    found = list(which(data, "capacity"))
    kinds = list(dict.fromkeys(data["kind"].values[found].tolist()))
    for way, colour in zip(overclamping.HELD, HELD_COLOURS, strict=True):
        for i in which(data, "capacity", way=way):
            place = -kinds.index(str(data["kind"].values[i])) - 0.13 * overclamping.HELD.index(way)
            label = way if data["kind"].values[i] == kinds[0] else None
            _bar(ax, interval(of_tasks(data, i, 0)), place, color=colour, marker="o", label=label)
    ax.set_yticks([-k - 0.26 for k in range(len(kinds))], [kind.replace(", ", "\n") for kind in kinds])
    ax.set(xlabel="error (V²)", title="near capacity, and beyond")
    if kinds:
        ax.set_xscale("log")
        ax.set_ylim(-len(kinds) - 0.9, 0.3)  # room for the legend below
        ax.legend(loc="lower right")
