"""The panels of the figure bias."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clockfree_sim.paper import remedies
from clockfree_sim.paper.picking import (
    Where,
    curve,
    ends,
    errors,
    gain,
    label,
    main_task,
    middle_eta,
    places,
    scanned,
    ways,
)
from clockfree_sim.paper.remedies import AT, SIGMA_V
from clockfree_sim.theory.statistics import interval

COLOURS = {"none": "0.5", "redrawn": "#b2182b", "fixed": "#e08214", "signed": "#17406d", "centred": "#2a8c4a"}
WAYS = {"comparators": "#e08214", "plain": "#b2182b", "remedy": "#17406d"}


def draw(data: xr.Dataset) -> Figure:
    """Readings of sigma above, imperfections and remedies below."""
    drawn, axes = plt.subplots(2, 6, figsize=(24, 8.6), layout="constrained", width_ratios=(1, 1, 1, 1, 1, 1.3))
    _benefits(axes[0, 0], data)
    _levels(axes[0, 1], data)
    _tasks(axes[0, 2], data)
    _starts(axes[0, 3], data)
    _nudge(axes[0, 4], data)
    _imperfections(axes[0, 5], data)
    scans = [(part, where) for where in places(data, "gate") for part in ("gate", "sum")]
    for ax, (part, where) in zip(axes[1], scans, strict=False):
        _gate(ax, data, part, where)
    for ax in axes[1, len(scans) : 5]:
        ax.set_axis_off()
    _ways(axes[1, 5], data)
    drawn.suptitle(
        "Final error, geometric means over tasks with 95% intervals. Above: readings of the paper's sigma; nudge; one "
        "imperfection alone. Below: what an edge can do about all imperfections together"
    )
    return drawn


def _line(ax: Axes, values, found: np.ndarray, **style: Any) -> None:
    drawn: dict[str, Any] = {"marker": "o", "ms": 3, "lw": 1.2, "elinewidth": 0.8} | style
    ax.errorbar(values, found[0], np.abs(found[1:] - found[0]), **drawn)


def _of_sigma(data: xr.Dataset, reading: str, where: Where, eta: float, rule: str) -> tuple[list, np.ndarray]:
    """Benefit of a rule along sigma over supply, by one reading."""
    chosen = {"part": f"sigma {reading}", "other": eta, **where}
    supplies = scanned(data, "size", **chosen)
    found = [gain(data, AT[0], "p = 1", rule, size=each, **chosen) for each in supplies]
    return [SIGMA_V / each for each in supplies], np.array(found).reshape(-1, 3).T


def _benefits(ax: Axes, data: xr.Dataset) -> None:
    where = main_task(data)
    etas = scanned(data, "other", part="sigma none", **where)
    for reading, colour in COLOURS.items():
        ax.plot([], [], color=colour, label=reading if reading != "none" else "no sigma")
        for eta, dashes in zip(etas, (":", "-", "--"), strict=False):
            found = _of_sigma(data, reading, where, eta, "p = 0.1")
            if reading == "none":
                ax.axhline(found[1][0, 0], color=colour, ls=dashes, lw=1)
            else:
                _line(ax, *found, color=colour, ls=dashes)
    for eta, dashes in zip(etas, (":", "-", "--"), strict=False):
        ax.plot([], [], color="k", ls=dashes, label=f"eta {eta:g}")
    ax.axhline(1, color="0.8", lw=0.8, zorder=0)
    ax.set(xscale="log", yscale="log", xlabel="largest sigma over supply", ylabel="error at p = 1 over that at p = 0.1")
    ax.set_title(f"sigma: {label(where)}")
    ax.legend(ncols=2)


def _levels(ax: Axes, data: xr.Dataset) -> None:
    where = main_task(data)
    eta = middle_eta(data)
    for reading, colour in COLOURS.items():
        for rule, dashes in (("p = 1", "--"), ("clock-free", "-")):
            chosen = {"part": f"sigma {reading}", "other": eta, "name": rule, **where}
            supplies, found = curve(data, "size", AT[0], **chosen)
            found = found * (5.0 / np.array(supplies)) ** 2
            if reading == "none":
                ax.axhline(found[0, 0], color=colour, ls=dashes, lw=1, label=f"no sigma, {rule}")
            else:
                _line(ax, SIGMA_V / np.array(supplies), found, color=colour, ls=dashes, label=f"{reading}, {rule}")
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="largest sigma over supply",
        ylabel="final error, as if the supply were 5 V  (V²)",
    )
    ax.set_title(f"sigma: {label(where)}, eta {eta:g}")
    ax.legend(fontsize=6)


def _tasks(ax: Axes, data: xr.Dataset) -> None:
    eta = middle_eta(data)
    for where, marker in zip(places(data, "sigma none", other=eta), "so^d", strict=False):
        for reading, colour in COLOURS.items():
            sizes, found = _of_sigma(data, reading, where, eta, "p = 0.1")
            name = label(where) if reading == "none" else None
            at = sizes if reading != "none" else [SIGMA_V / 1500]
            _line(ax, at, found, color=colour, marker=marker, ms=4, lw=0.9, label=name)
    ax.axhline(1, color="0.8", lw=0.8, zorder=0)
    ax.set(xscale="log", yscale="log", xlabel="largest sigma over supply; left: no sigma")
    ax.set(ylabel="error at p = 1 over that at p = 0.1")
    ax.set_title(f"sigma: all tasks, eta {eta:g}")
    ax.legend(fontsize=6)


def _starts(ax: Axes, data: xr.Dataset) -> None:
    for reading, dashes in (("redrawn", "-"), ("none", "--")):
        for where, colour in zip(places(data, f"start {reading}"), ("#17406d", "#e08214"), strict=False):
            for eta, marker in zip(scanned(data, "other", part=f"start {reading}", **where)[::-1], "os", strict=False):
                chosen = {"part": f"start {reading}", "other": eta, **where}
                taps = scanned(data, "size", **chosen)
                found = np.array([gain(data, AT[0], "p = 1", "p = 0.1", size=tap, **chosen) for tap in taps]).T
                name = "no sigma" if reading == "none" else "eq. 10 as printed"
                text = f"{where['kind']}, eta {eta:g}, {name}"
                _line(ax, taps, found, color=colour, ls=dashes, marker=marker, label=text)
    ax.axhline(1, color="0.8", lw=0.8, zorder=0)
    ax.set(xscale="log", yscale="log", xlabel="tap at which all wipers begin")
    ax.set(ylabel="error at p = 1 over that at p = 0.1")
    ax.set_title(f"sigma at 5 V, by the start: {main_task(data)['edges']} edges")
    ax.set_ylim(top=300 * ax.get_ylim()[1])
    ax.legend(loc="upper left", fontsize=6)


def _imperfections(ax: Axes, data: xr.Dataset) -> None:
    names = (*remedies.IMPERFECTIONS, "ADC step")
    for name, marker in zip(names, "osD^vPX", strict=True):
        for way, colour in WAYS.items():
            if way in scanned(data, "name", part=name) and way != "comparators":
                text = f"{name}" if way == "remedy" else None
                found = curve(data, "size", AT[0], part=name, name=way)
                _line(ax, *found, color=colour, marker=marker, ms=4, lw=0.9, label=text)
    ax.set(xscale="log", yscale="log", xlabel="size, over that of the board preset", ylabel="final error  (V²)")
    ax.set_title("one imperfection, 16 edges, 1 output; red: plain, blue: remedy")
    ax.legend(fontsize=6.5, ncols=2)


def _gate(ax: Axes, data: xr.Dataset, part: str, where: Where) -> None:
    chosen = {"part": part, **where}
    floors = scanned(data, "size", **chosen)
    for f_V, colour in zip(floors, plt.get_cmap("viridis")(np.linspace(0, 0.9, len(floors))), strict=True):
        first = scanned(data, "other", size=f_V, **chosen)[0]
        for at in ends(data, size=f_V, other=first, **chosen):
            thetas, found = curve(data, "other", at, size=f_V, **chosen)
            text = f"f {f_V * 1e3:g} mV" if at == AT[0] else None
            _line(ax, np.array(thetas) * 1e3, found, color=colour, ls="--" if at == AT[0] else "-", label=text)
    width = "dither" if part == "gate" else "largest bar of the sum"
    ax.set(yscale="log", xlabel=f"{width}  (mV)", ylabel="final error  (V²)")
    first = {"size": floors[0], "other": scanned(data, "other", **chosen)[0]}
    solid = f", solid: {AT[1]}" if AT[1] in ends(data, **first, **chosen) else ""
    ax.set_title(f"board, calibrated: {label(where)}.\nDashed: {AT[0]} updates per edge{solid}")
    ax.legend(fontsize=6.5, ncols=2)


def _nudge(ax: Axes, data: xr.Dataset) -> None:
    for way in ("plain", "remedy"):
        _line(ax, *curve(data, "size", AT[0], part="nudge", name=way), color=WAYS[way], label=f"{way}: eta")
        steps, found = curve(data, "size", AT[0], part="ADC step, board", name=way)
        share = 1.0 / np.array(steps)
        _line(ax, share, found, color=WAYS[way], ls="--", marker="s", label=f"{way}: range of the inputs")
    ax.set(xscale="log", yscale="log", xlabel="eta, or share of the ADC's range that the inputs use")
    ax.set_ylabel("final error  (V²)")
    ax.set_title("board, 16 edges, 1 output")
    ax.set_ylim(top=10 * ax.get_ylim()[1])
    ax.legend(loc="upper right")


def _ways(ax: Axes, data: xr.Dataset) -> None:
    names = ways(data)
    for i, (where, colour) in enumerate(zip(places(data, "ways"), ("#4292c6", "#08306b", "#e08214"), strict=False)):
        for at in AT:
            known = [
                (k, interval(errors(data, at, part="ways", name=name, **where)))
                for k, name in enumerate(names)
                if scanned(data, "size", part="ways", name=name, **where)
                and at in ends(data, part="ways", name=name, **where)
            ]
            if known:
                rows, found = np.array([k for k, _ in known]), np.array([each for _, each in known]).T
                full = at == AT[1]
                y = rows + 0.24 * (i - 1) + 0.09 * full
                text = f"{label(where)}, {at}"
                bars = np.abs(found[1:] - found[0])
                style: dict[str, Any] = {"ms": 4, "lw": 0.9, "color": colour, "label": text}
                style["mfc"] = colour if full else "white"
                ax.errorbar(found[0], y, xerr=bars, fmt="o", **style)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set(xscale="log", xlabel="final error  (V²)")
    ax.set_title("board preset, eta 1; legend: updates per edge")
    ax.legend(fontsize=6, loc="upper center", bbox_to_anchor=(0.4, -0.12), ncols=2)
