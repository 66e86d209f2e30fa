"""The law of the floor: what edges come to rest at, predicted from the network alone, against what they do.

(1) The cases named before they were run: 16 edges with one output, the larger network with one and three, from two
starts. (2) Cases beyond: many outputs, many edges, regressions, rounds of some of the edges. (3) What the start does to
the ratio of p = 1 and clock-free, on a linear track and on a logarithmic one. (4) Where the law of ideal parts breaks:
offsets, noise, what lags, small nudges. `docs/theory/law.md` derives it.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from clockfree_model.physics import BOARD, IDEAL
from clockfree_model.settings import ClampSettings, EdgeSettings
from clockfree_sim.paper import tasks
from clockfree_sim.paper.compare import (
    CLOCKFREE,
    ONE,
    Case,
    clocked,
    compare,
    gain,
    join,
    known,
    network_of,
    over_floor,
    rule_of,
    section,
)
from clockfree_sim.paper.discrete import UPDATES
from clockfree_sim.paper.edges import PLAIN, REMEDY
from clockfree_sim.paper.tasks import Kind
from clockfree_sim.theory.statistics import interval, shown

OWN = {"dwell_s": ClampSettings().dwell_s}
BOTH = {CLOCKFREE: OWN, ONE: rule_of(1)}
BETWEEN = {clocked(p): rule_of(p) for p in (0.5, 0.1)}
NAMED_STARTS = (15, 63)
STARTS = {"mcp42xx": (1, 3, 7, 15, 31, 63, 100), "x9c303": (15, 31, 50, 64, 80)}
"""Of a logarithmic track, those that leave room for learning on both sides."""
THOUSAND = "square:23x23"
"""1,012 edges."""
RATE_HZ = EdgeSettings().rate_hz
NAMED, OUTSIDE, SOME, FEW, QUICK = 24, 24, 16, 6, 2
CLOCKFREE_WITHIN, ONE_WITHIN = (0.8, 1.3), (0.7, 1.8)
LEAST = 0.75
"""Of the mean floor at p = 1: that of the run which falls into its cycle in the middle, (sum |g| / 2)^2."""


def beyond(edges: int) -> dict[str, dict]:
    """What the law of ideal parts knows nothing of."""
    parts = {
        "noise 0.5 mV": replace(IDEAL, noise_V=0.0005),
        "offset 0.3 mV": replace(IDEAL, offset_V=0.0003),
        "offset 5 mV": replace(IDEAL, offset_V=0.005),
        "mismatch 0.2%": replace(IDEAL, mismatch=0.002),
    }
    ages = {f"age, N r tau = {n}": replace(IDEAL, age_us=round(n / edges / RATE_HZ * 1e6)) for n in (1, 10)}
    found = {name: {"physics": physics, **OWN} for name, physics in (parts | ages).items()}
    board = {"plain": PLAIN, "remedy": REMEDY}
    found |= {f"board, {name}": {"physics": BOARD, "edge": edge, **OWN} for name, edge in board.items()}
    return {CLOCKFREE: OWN} | found | {f"eta {eta:g}": {"eta": eta, **OWN} for eta in (0.05, 0.2)}


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Learn everything; see the module."""
    updates = UPDATES // 30 if quick else UPDATES

    def case(kind, count, start=None, pot="mcp42xx", most=updates):
        return Case(kind, 1.0, QUICK if quick else count, min(updates, most), start, pot)

    kinds = (Kind("lab16", 1), Kind(tasks.LARGE, 1), Kind(tasks.LARGE, 3))
    named = [case(kind, NAMED, start) for kind in kinds for start in NAMED_STARTS]
    outside = [case(kind, OUTSIDE) for kind in (*kinds, Kind("lab16", 2, 4))]
    if not quick:
        more = (Kind(tasks.LARGE, 10), Kind(tasks.LARGE, 20), Kind(tasks.LARGE, 2, 16))
        outside += [*(case(kind, OUTSIDE) for kind in more), case(Kind(THOUSAND, 3), FEW, most=300)]
    starts = [
        case(kinds[2], SOME, start, pot) for pot, taps in STARTS.items() for start in (taps[::3] if quick else taps)
    ]
    broken = [case(kind, SOME) for kind in (kinds[:1] if quick else (kinds[0], kinds[2]))]

    def compared(name, cases, ways):
        names = ways(16)
        return compare(pool, cases, ways, seed, f"law, {name}", floors=names)

    return join(
        {
            "named": compared("named", named, lambda edges: BOTH),
            "outside": compared("outside", outside, lambda edges: BOTH | BETWEEN),
            "start": compared("start", starts, lambda edges: BOTH),
            "beyond": compared("beyond", broken, beyond),
        }
    )


def against(data: xr.Dataset, case: int, way: str) -> tuple[float, float, float]:
    """Measured over predicted of a case and a way: geometric mean and 95% interval; at p = 1 the least floor."""
    return interval(over_floor(data, case, way) / (LEAST if way == ONE else 1.0))


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """What was named before it was run."""
    named, found = section(data, "named"), {}
    for i, case in enumerate(named["case"].values):
        for way, (low, high) in ((CLOCKFREE, CLOCKFREE_WITHIN), (ONE, ONE_WITHIN)):
            words = f"{int(named['edges'][i])} edges, {case}: {way}, measured over predicted within {low:g} .. {high:g}"
            found[words] = len(over_floor(named, i, way)) >= NAMED and low <= against(named, i, way)[0] <= high
    return found


def _rows(data: xr.Dataset, name: str) -> Iterator[tuple[str, ...]]:
    part = section(data, name)
    for i, case in enumerate(part["case"].values):
        for way in part["way"].values:
            here = part.isel(case=i).sel(way=way)
            if len(known(here["final"])):
                yield (
                    name,
                    str(int(part["edges"][i])),
                    str(case),
                    str(way),
                    str(len(known(here["final"]))),
                    f"{interval(known(here['floor']))[0]:.1e}",
                    f"{interval(known(here['final']))[0]:.1e}",
                    shown(against(part, i, str(way))),
                )


def table(data: xr.Dataset) -> Table:
    """Measured beside predicted, a row a case and way."""
    rows = Table(title="floor and final error, V^2: geometric means; at p = 1 over the least floor", box=None)
    for name in ("part", "edges", "task", "way", "tasks", "predicted", "measured", "measured over predicted"):
        rows.add_column(name)
    for name in ("named", "outside", "start", "beyond"):
        for row in _rows(data, name):
            rows.add_row(*row)
    return rows


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    named, outside, start, beyond_ = (section(data, name) for name in ("named", "outside", "start", "beyond"))

    def spread(part: xr.Dataset, way: str) -> str:
        means = [against(part, i, way)[0] for i in range(part.sizes["case"])]
        return f"{min(means):.2f} .. {max(means):.2f}"

    def short(part: xr.Dataset, i: int) -> str:
        return f"{int(part['edges'][i])} edges, {str(part['case'].values[i]).partition(', eta')[0]}"

    further = "; ".join(
        f"{short(outside, i)}: "
        + ", ".join(f"{way} {shown(against(outside, i, way))}" for way in outside["way"].values)
        for i in range(outside.sizes["case"])
    )
    by_start = "; ".join(
        f"{name}: "
        + ", ".join(f"{int(final['start'])}: {shown(gain(final), '.3g')}" for final in start["final"][here.values])
        for name, here in (("linear", start["pot"] == "mcp42xx"), ("logarithmic", start["pot"] != "mcp42xx"))
    )
    breaks = "; ".join(
        f"{short(beyond_, i)}: "
        + ", ".join(f"{way} {shown(against(beyond_, i, way))}" for way in beyond_["way"].values)
        for i in range(beyond_.sizes["case"])
    )
    return f"""
        The floor that edges come to, predicted from g, what a step moves the outputs by, at twenty moments of the
        last fifth of each run, and measured there; nothing is fitted. Ideal parts, plain rule, eta 1,
        {int(named["updates"].max())} updates per edge (300 on 1,012 edges), the larger network is {network_of(named)}.
        One output: clock-free (1/3) sum |g|^3 / sum |g|; p = 1 (sum |g|)^2 times 1/4 .. 1/2, 1/3 in the mean, by where
        a run falls into its 2-cycle, and its numbers here are over the least, (sum |g| / 2)^2; several outputs or
        examples: the linear network, followed. Measured over predicted, named before it was run: clock-free
        {spread(named, CLOCKFREE)}, p = 1 {spread(named, ONE)}. Outside: {further}. p = 1 over clock-free by the tap at
        which all wipers begin, {by_start}. Where the law of ideal parts breaks, measured over it: {breaks}.
    """


COLOURS = {CLOCKFREE: "crimson", ONE: "#440154", "p = 0.5": "#31688e", "p = 0.1": "#35b779"}


def draw(data: xr.Dataset) -> Figure:
    """Measured against predicted; their ratio by case; the start; where it breaks."""
    drawn, axes = plt.subplots(2, 2, figsize=(12.5, 9.5), layout="constrained")
    named, outside, start, beyond_ = (section(data, name) for name in ("named", "outside", "start", "beyond"))
    _points(axes[0, 0], named, outside)
    _ratios(axes[0, 1], named, outside)
    _starts(axes[1, 0], start)
    _breaks(axes[1, 1], beyond_)
    drawn.suptitle(
        f"The law of the floor: ideal parts, plain rule, η 1, larger network {network_of(named)}. Predicted from the "
        "network alone;\npoints are runs at the top left, else geometric means over tasks with 95% intervals"
    )
    return drawn


def _points(ax: Axes, named: xr.Dataset, outside: xr.Dataset) -> None:
    for part, size in ((outside, 2), (named, 3)):
        for way, colour in COLOURS.items():
            if way in part["way"].values:
                here = part.sel(way=way)
                name = way if part is outside else None
                ax.plot(
                    here["floor"].values.ravel(), here["final"].values.ravel(), ".", ms=size, color=colour, label=name
                )
    ends = np.array([1e-7, 1e-1])
    ax.plot(ends, ends, color="0.5", lw=0.8, zorder=0)
    ax.set(xscale="log", yscale="log", xlabel="predicted floor  (V²)", ylabel="final error  (V²)")
    ax.set_title("every run")
    ax.legend()


def _bars(ax: Axes, x, found, **style) -> None:
    middle, low, high = np.array(found).T
    ax.errorbar(x, middle, [middle - low, high - middle], fmt="o", ms=4, lw=1, **style)


def _ratios(ax: Axes, named: xr.Dataset, outside: xr.Dataset) -> None:
    at, labels = 0, []
    for part in (named, outside):
        for i in range(part.sizes["case"]):
            for j, way in enumerate(part["way"].values):
                _bars(ax, [at + 0.14 * (j - 1.5)], [interval(over_floor(part, i, way))], color=COLOURS[way])
            examples = int(part["examples"][i])
            what = f"2x2\n{examples} ex." if examples > 1 else f"{int(part['outputs'][i])} out"
            labels.append(f"{int(part['edges'][i])} e\n{what}\ntap {int(part['start'][i])}")
            at += 1
    ax.axhline(1, color="0.5", lw=0.8, zorder=0)
    ax.axvline(named.sizes["case"] - 0.5, color="0.8", lw=0.8, zorder=0)
    ax.set_xticks(range(at), labels, fontsize=6)
    ax.set(yscale="log", ylabel="final error, over the predicted floor (at p = 1 the mean one)")
    ax.set_title("left: named before they were run")


def _starts(ax: Axes, start: xr.Dataset) -> None:
    for pot, colour, name in (("mcp42xx", "#17406d", "linear"), ("x9c303", "#e08214", "logarithmic")):
        here = start.isel(case=np.flatnonzero(start["pot"] == pot))
        of_range = here["start"].values / (127 if pot == "mcp42xx" else 99)
        _bars(ax, of_range, [gain(final) for final in here["final"]], color=colour, label=f"{name} track")
        law = np.array([interval(known(floor.sel(way=ONE) / floor.sel(way=CLOCKFREE))) for floor in here["floor"]])
        ax.plot(of_range, law[:, 0], color=colour, lw=0.8, label=f"{name}, by the law")
    ax.set(xscale="log", yscale="log", xlabel="tap at which all wipers begin, over the highest")
    ax.set(ylabel="error at p = 1 over clock-free's")
    ax.set_title(f"the start: {int(start['edges'].max())} edges, 3 outputs")
    ax.legend()


def _breaks(ax: Axes, data: xr.Dataset) -> None:
    for i, colour in zip(range(data.sizes["case"]), ("#e08214", "#17406d"), strict=False):
        found = [interval(over_floor(data, i, way)) for way in data["way"].values]
        label = f"{int(data['edges'][i])} edges, {str(data['case'].values[i]).partition(', eta')[0]}"
        _bars(ax, np.arange(len(found)) + 0.1 * (i - 0.5), found, color=colour, label=label)
    ax.axhline(1, color="0.5", lw=0.8, zorder=0)
    ax.set_xticks(range(data.sizes["way"]), data["way"].values, rotation=30, ha="right", fontsize=7)
    ax.set(yscale="log", ylabel="final error, over the floor of ideal parts")
    ax.set_title("where the law of ideal parts breaks: clock-free")
    ax.legend()
