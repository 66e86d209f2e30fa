"""The four comparisons of `clockfree`, drawn."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clockfree_model.settings import ClampSettings
from clockfree_sim.paper import staleness
from clockfree_sim.paper.compare import CLOCKFREE, known, network_of
from clockfree_sim.paper.discrete import ONE_WAIT_S
from clockfree_sim.theory.statistics import interval

COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:red", "tab:purple")
MARKS = {staleness.ROUNDS: "o", staleness.AGE: "s", staleness.SETTLING: "^", staleness.LATENCY: "v"}


def draw(sections: Mapping[str, xr.Dataset]) -> Figure:
    """From the sections of the figure's data, by name."""
    drawn, axes = plt.subplots(2, 2, figsize=(12.5, 9), layout="constrained")
    data = sections["tasks"]
    at_one = data.isel(case=np.flatnonzero(data["eta"] == 1.0))
    _bars(axes[0, 0], at_one, None, "final error  (V²)")
    axes[0, 0].set(title="rounds and own clocks, η 1")
    _bars(axes[0, 1], sections["clocks"], CLOCKFREE, "final error, over that with exponential clocks")
    axes[0, 1].set(title="kinds of clocks, and rates that differ, η 1")
    axes[0, 1].axhline(1, color="0.6", lw=0.8, zorder=0)
    stale(axes[1, 0], sections["stale"])
    dwell = sections["dwell"]
    _dwell(axes[1, 1], dwell.isel(case=np.flatnonzero(dwell["eta"] == 1.0)))
    counts = ", ".join(f"{name} {_counts(each)}" for name, each in sections.items())
    drawn.suptitle(
        f"Edges on their own clocks: ideal parts, plain rule, larger network {network_of(data)}.\nGeometric means over "
        f"tasks and 95% intervals, paired where relative; tasks: {counts}"
    )
    return drawn


def _counts(data: xr.Dataset) -> str:
    found = sorted({int(each) for each in data["final"].notnull().any("way").sum("task").values})
    return str(found[0]) if len(found) == 1 else f"{found[0]} .. {found[-1]}"


def _points(ax: Axes, x, values, **style) -> None:
    middle, low, high = np.array(values).T
    ax.errorbar(x, middle, [middle - low, high - middle], ms=4, lw=1, **style)


def short(final: xr.DataArray) -> str:
    """A case on an axis."""
    what = f"2x2\n{int(final['examples'])} ex." if int(final["examples"]) > 1 else f"{int(final['outputs'])} out"
    return f"{int(final['edges'])} e\n{what}"


def _bars(ax: Axes, data: xr.Dataset, over: str | None, label: str) -> None:
    """Every way of every case, relative to one of them on the same tasks or as it is."""
    ways = [way for way in data["way"].values if way != over]
    for j, way in enumerate(ways):
        found = []
        for final in data["final"]:
            values = final.sel(way=way)
            found.append(interval(known(values if over is None else values / final.sel(way=over))))
        x = np.arange(data.sizes["case"]) + 0.16 * (j - (len(ways) - 1) / 2)
        _points(ax, x, found, fmt="o", label=way, color=COLOURS[j])
    ax.set_xticks(range(data.sizes["case"]), [short(final) for final in data["final"]])
    ax.set(yscale="log", ylabel=label)
    ax.set_ylim(bottom=ax.get_ylim()[0] / 2)
    ax.legend(loc="lower center", ncols=len(ways))


def stale(ax: Axes, data: xr.Dataset) -> None:
    """What each kind of staleness costs on each network."""
    for i in range(data.sizes["case"]):
        for kind, mark in MARKS.items():
            at, found = staleness.cost(data, i, kind)
            if len(at):
                open_or_not = COLOURS[i] if kind == staleness.ROUNDS else "none"
                _points(ax, at, found, fmt=f"{mark}-", color=COLOURS[i], mfc=open_or_not)
    there = {str(way).partition(", ")[0] for way in data["way"].values}
    for kind, mark in ((kind, mark) for kind, mark in MARKS.items() if kind in there):
        ax.plot([], [], f"{mark}", color="0.3", mfc="0.3" if kind == staleness.ROUNDS else "none", label=kind)
    for i, edges in enumerate(data["edges"].values):
        ax.plot([], [], "-", color=COLOURS[i], label=f"{edges} edges")
    ax.set(
        xscale="log", yscale="log", xlabel="decisions on one state: p N, N r τ", ylabel=f"final error, over {CLOCKFREE}"
    )
    ax.axhline(1, color="0.6", lw=0.8, zorder=0)
    ax.set_title("staleness: allostery, 3 outputs, η 1")
    ax.legend(ncols=2)


def _dwell(ax: Axes, data: xr.Dataset) -> None:
    for i, final in enumerate(data["final"]):
        ways = list(dict.fromkeys(str(way).rpartition(", ")[0] for way in final["way"].values))
        for j, way in enumerate(ways):
            dwells = [
                float(str(each).rpartition(", ")[2]) for each in final["way"].values if str(each).startswith(f"{way}, ")
            ]
            found = [interval(known(final.sel(way=f"{way}, {dwell:g}"))) for dwell in dwells]
            label = f"{int(final['edges'])} edges, {way}"
            _points(ax, dwells, found, fmt=f"{'o' if i else 's'}{'-' if i else '--'}", color=COLOURS[j], label=label)
    ax.axvline(ClampSettings().dwell_s / ONE_WAIT_S, color="0.6", lw=0.8, zorder=0, label="default")
    ax.set(xscale="log", yscale="log", xlabel="dwell, mean waits of an edge", ylabel="final error  (V²)")
    ax.set_title("dwell: 2x2 regression, η 1; with 4 and 16 examples")
    ax.set_ylim(top=4 * ax.get_ylim()[1])
    ax.legend(loc="upper left", ncols=2)
