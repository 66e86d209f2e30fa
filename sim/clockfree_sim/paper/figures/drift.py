"""Drift: what becomes of a learnt task when learning goes on for 20,000 updates per edge.

Which rules forget, and how fast: error, share of edges at a rail, and dissipated power of both twins. Then the law:
with the floor at f, offsets of so many f that nothing nulls, and nothing else.
"""

from concurrent.futures import Executor
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from rich.table import Table

from clockfree_model.counters import RAIL
from clockfree_model.final import error_at
from clockfree_model.network import load
from clockfree_sim.paper import forgetting, tasks
from clockfree_sim.paper.forgetting import CASES, OFFSETS, Run, forgotten
from clockfree_sim.paper.tasks import Kind, task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.theory.statistics import interval, mean_interval, shown

SEEDS, QUICK_SEEDS = (24, 6), 2
"""Tasks on the small and on the large network."""
EARLY = 1500
BLOCK = 10
"""Samples of which the figure shows the mean."""
COLOURS = ("#17406d", "#7fb0dc", "#9467bd", "#8c564b", "#e08214", "#b03a2e", "#2a8c4a", "k")
REMEDIES = ("floor and dither", "remedy")
"""Of the cases, those that must not forget."""


def kinds() -> tuple[Kind, Kind]:
    """One output on the lab's network, three on the large one."""
    return Kind("lab16", 1), Kind(tasks.LARGE, 3)


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Learn every task by every case, and with every offset."""
    most = QUICK_SEEDS if quick else max(SEEDS)
    seeds = task_seeds(seed, most)
    runs = [
        Run(kind, each, case, offset, quick)
        for kind, count in zip(kinds(), SEEDS, strict=True)
        for case, offset in [*((name, 0.0) for name in CASES), *(("", size) for size in OFFSETS)]
        for each in seeds[:count]
    ]
    found = dict(zip(runs, gather(pool, forgotten, runs, "drift"), strict=True))
    updates, places = (next(iter(found.values()))[name] for name in ("updates", "power_updates"))

    def filled(name: str, of: list[tuple[str, float]], shape: tuple[int, ...] = ()) -> np.ndarray:
        values = np.full((2, len(of), most, *shape), np.nan)
        for i, kind in enumerate(kinds()):
            for j, (case, offset) in enumerate(of):
                for k, each in enumerate(seeds[: SEEDS[i]]):
                    values[i, j, k] = found[Run(kind, each, case, offset, quick)][name]
        return values

    cases, offsets = [(name, 0.0) for name in CASES], [("", size) for size in OFFSETS]
    each = ("network", "case", "task")
    return xr.Dataset(
        {
            "error": ((*each, "sample"), filled("error", cases, updates.shape), _says("V2", "error")),
            RAIL: ((*each, "sample"), filled(RAIL, cases, updates.shape), _says("1", "share of edges at a rail")),
            "power": (
                (*each, "place", "twin"),
                filled("power", cases, (len(places), 2)),
                _says("W", "power dissipated in the resistors of a twin"),
            ),
            "stepping": (each, filled("stepping", cases), _says("1", "share of firings that step, in the last half")),
            "offset_error": (
                ("network", "offset", "task", "sample"),
                filled("error", offsets, updates.shape),
                _says("V2", "error with offsets and nothing else"),
            ),
            "offset_stepping": (
                ("network", "offset", "task"),
                filled("stepping", offsets),
                _says("1", "share of firings that step, in the last half, with offsets and nothing else"),
            ),
        },
        coords={
            "network": (
                "network",
                [load(kind.network).name.rpartition("/")[2] for kind in kinds()],
                {"long_name": "network"},
            ),
            "kind": ("network", [str(kind) for kind in kinds()], {"long_name": "task"}),
            "case": ("case", list(CASES), {"long_name": "physics and rule"}),
            "offset": ("offset", list(OFFSETS), _says("1", "sd of the offset of an ADC channel, in floors f")),
            "task": ("task", seeds, _says("1", "seed of task, clocks and imperfections")),
            "sample": ("sample", updates, _says("1", "updates per edge")),
            "place": ("place", places, _says("1", "updates per edge")),
            "twin": ("twin", ["free", "clamped"], {"long_name": "twin"}),
        },
    )


def _says(units: str, text: str) -> dict[str, str]:
    return {"units": units, "long_name": text}


def at(data: xr.Dataset, name: str, network: int, which: int, updates: float) -> np.ndarray:
    """Error of each task at so many updates per edge, V^2: mean over the last fifth of them."""
    errors_V2 = data[name].values[network, which]
    return np.array([error_at(data["sample"].values, e, updates) for e in errors_V2 if np.isfinite(e).any()])


def ends(data: xr.Dataset) -> tuple[float, float]:
    """Updates per edge of what is called early, and of the end."""
    last = float(data["sample"][-1])
    return min(EARLY, last / 4), last


def ratio(data: xr.Dataset, network: int, case: str) -> np.ndarray:
    """Error at the end over the early one, of each task."""
    which = list(CASES).index(case)
    early, last = (at(data, "error", network, which, n) for n in ends(data))
    return last / early


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """The remedies do not forget."""
    early, last = ends(data)
    return {
        f"{case}, {network}: error at {last:,.0f} updates at most 3 times that at {early:,.0f}": (
            interval(ratio(data, i, case))[0] <= 3
        )
        for i, network in enumerate(data["network"].values)
        for case in REMEDIES
    }


def table(data: xr.Dataset) -> Table:
    """A row for each case, on both networks."""
    early, last = ends(data)
    rows = Table(title="geometric means over tasks, with 95% intervals", box=None)
    for name in ("network", "case", f"error at {early:,.0f}, V^2", f"at {last:,.0f}", "ratio", "at a rail", "step",
                 "power / start"):  # fmt: skip
        rows.add_column(name)
    for i, network in enumerate(data["network"].values):
        for j, case in enumerate(CASES):
            part = data.isel(network=i, case=j)
            power = part["power"].sel(twin="free").values
            power = power[np.isfinite(power[:, 0])]
            rows.add_row(
                network, case, *(shown(interval(at(data, "error", i, j, n)), ".1e") for n in (early, last)),
                shown(interval(ratio(data, i, case)), ".2g"), f"{float(part[RAIL][:, -1].mean()):.0%}",
                f"{float(part['stepping'].mean()):.2%}", shown(interval(power[:, -1] / power[:, 0]), ".2g"),
            )  # fmt: skip
    for i, network in enumerate(data["network"].values):
        for j, offset in enumerate(OFFSETS):
            early_late = [shown(interval(at(data, "offset_error", i, j, n)), ".1e") for n in (early, last)]
            step = float(data["offset_stepping"][i, j].mean())
            rows.add_row(network, f"offset {offset:g} f", *early_late, "", "", f"{step:.2%}", "")
    return rows


def law(data: xr.Dataset, network: int) -> str:
    """Error at the end with each offset over that without, on the same tasks, as text."""
    errors = [at(data, "offset_error", network, j, ends(data)[1]) for j in range(data.sizes["offset"])]
    ratios = [
        f"{size:g} f {shown(interval(each / errors[0]), '.2g')}" for size, each in zip(data["offset"].values, errors)
    ]
    return ", ".join(ratios[1:])


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    early, last = ends(data)
    forget = []
    for i, name in enumerate(data["network"].values):
        ratios = {case: interval(ratio(data, i, case)) for case in CASES}
        rows = [f"{case} {shown(found, '.2g')}" for case, found in ratios.items() if found[1] > 1]
        forget.append(f"on {name} for {', '.join(rows) or 'none'}")
    names, kinds = data["network"].values, data["kind"].values
    laws = "; ".join(f"on {name} {law(data, i)}" for i, name in enumerate(names))
    seeds = [int(np.isfinite(data["stepping"].values[i, 0]).sum()) for i in (0, 1)]
    steps = " and ".join(
        shown(mean_interval(1e6 * _known(data["stepping"].sel(case=case).isel(network=0).values)), ".3g")
        for case in REMEDIES
    )
    return f"""
        Clock-free runs of {last:,.0f} updates per edge on teacher tasks, eta {forgetting.ETA:g}: {kinds[0]} on
        {names[0]} ({seeds[0]} tasks), {kinds[1]} on {names[1]} ({seeds[1]} tasks). "Board" and all below it: the board
        preset, clamp and settling times included; "nulled" and all below it are calibrated in HOLD; f
        {1e3 * forgetting.FLOOR_V:g} mV, theta {1e3 * forgetting.DITHER_V:g} mV; the remedy sums drops instead of
        dithering (see bias). Error at {last:,.0f} over that at {early:,.0f} updates is above 1 beyond its interval
        {"; ".join(forget)}. With {" and with ".join(REMEDIES)} {steps} of a million firings still step in the last half
        on {names[0]}. With offsets that nothing nulls, and nothing else, floor and dither: error at {last:,.0f} over
        that without offsets, {laws}.
    """


def _known(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def draw(data: xr.Dataset) -> Figure:
    """A row a network: error, rails, power, and the error against offset / f."""
    drawn, axes = plt.subplots(2, 4, figsize=(14, 6.6), layout="constrained")
    for i, row in enumerate(axes):
        for j, (case, colour) in enumerate(zip(CASES, COLOURS, strict=True)):
            part = data.isel(network=i, case=j)
            style: dict[str, Any] = {"color": colour, "lw": 1.2, "label": case}
            error_V2 = part["error"].values
            row[0].plot(
                blocks(data["sample"].values),
                np.exp(np.log(blocks(error_V2[np.isfinite(error_V2[:, 0])])).mean(axis=0)),
                **style,
            )
            row[1].plot(data["sample"], 100 * part[RAIL].mean("task"), **style)
            for twin, dash in (("free", "-"), ("clamped", ":")):
                power = 1e3 * part["power"].sel(twin=twin).mean("task")
                row[2].plot(data["place"], power, color=colour, lw=1.2, ls=dash)
        _offsets(row[3], data, i)
        row[0].set(
            xscale="log", yscale="log", ylabel=f"{data['network'].values[i]}, {data['kind'].values[i]}\nerror (V²)"
        )
        row[1].set(ylabel="edges at a rail (%)")
        row[2].set(ylabel="power of a twin (mW)", yscale="log")
        for axis in (row[2].yaxis.set_major_formatter, row[2].yaxis.set_minor_formatter):
            axis(ScalarFormatter())
        for ax in row[:3]:
            ax.set_xlabel("updates per edge")
    axes[0, 0].set_title(f"error (mean over {BLOCK} samples, geometric over tasks)")
    axes[0, 1].set_title(f"{RAIL}s")
    axes[0, 2].set_title("dissipated power: free (line), clamped (dots)")
    axes[0, 3].set_title("floor and dither, offsets alone")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=len(CASES))
    seeds = [int(np.isfinite(data["stepping"].values[i, 0]).sum()) for i in (0, 1)]
    drawn.suptitle(f"Learning on, clock-free: {seeds[0]} and {seeds[1]} tasks; bars: 95% intervals over tasks")
    return drawn


def blocks(values: np.ndarray) -> np.ndarray:
    """Means over `BLOCK` samples each, after the first: (..., S + 1) becomes (..., S / BLOCK)."""
    return values[..., 1:].reshape(*values.shape[:-1], -1, BLOCK).mean(axis=-1)


def _offsets(ax, data: xr.Dataset, network: int) -> None:
    for updates, colour in zip(ends(data), ("0.6", "#2a8c4a"), strict=True):
        found = np.array([interval(at(data, "offset_error", network, j, updates)) for j in range(len(OFFSETS))]).T
        ax.errorbar(OFFSETS, found[0], np.abs(found[1:] - found[0]), color=colour, marker="o", ms=3.5, lw=1.1,
                    elinewidth=0.9, label=f"{updates:,.0f} updates")  # fmt: skip
    ax.set(yscale="log", xlabel="sd of offset / f", ylabel="error (V²)")
    ax.legend(loc="lower right")
