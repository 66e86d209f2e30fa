"""Capacity: outputs per edge up to what a network can reach and beyond, all edges at once (p = 1) against clock-free.

Final errors of the plain rule and of the remedy beside the best achievable error, for desired voltages that a teacher
vouches for, and for random ones. Then a chase: on random tasks near capacity p = 1 with dither ends far worse now and
then. Has it come to another place, or does it not come to rest? From each end both rules go on; and the gain of a round
of all edges says whether it overshoots.
"""

from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from clockfree_sim.paper import limits, tasks
from clockfree_sim.paper.compare import CLOCKFREE, ONE, known, network_of
from clockfree_sim.paper.discrete import UPDATES
from clockfree_sim.paper.limits import APART, TARGETS, TEACHER, WAYS, Run, ended
from clockfree_sim.paper.overshoot import OVERSHOOTS
from clockfree_sim.paper.tasks import Kind, task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.theory.statistics import interval, shown

REACHED_V2 = 1e-6
"""1 mV rms: what the supervisor's readings can certify."""
FAR = 10
"""An end so many times worse is called far worse."""
STEPS = 0.05
"""A run of which a larger share of the late firings steps has not come to rest."""
CHASED = "dither alone"
"""The way in which p = 1 ends far worse now and then."""
QUICK_COUNT = 2
COLOURS = {"plain": "#17406d", "dither alone": "#e08214", "floor and dither": "#7a5195", "remedy": "#2a8c4a"}


@dataclass(frozen=True)
class Sizes:
    """Outputs on a network, up to every node that is no source; tasks; outputs that are chased, with so many tasks."""

    outputs: tuple[int, ...]
    quick: tuple[int, ...]
    count: int
    chased: int
    chases: int


SMALL = Sizes((1, 2, 3, 5, 7), (1, 3), 40, 3, 120)
LARGE = Sizes((3, 5, 10, 20, 62), (3, 10), 20, 10, 48)


def cells(quick: bool) -> list[tuple[Kind, str, bool, int]]:
    """Kind of task, source of its desired voltages, whether it is chased, and number of tasks."""
    found = []
    for network, sizes in (("lab16", SMALL), (tasks.LARGE, LARGE)):
        for targets, outputs in product(TARGETS, sizes.quick if quick else sizes.outputs):
            chased = targets == APART and outputs == sizes.chased
            count = sizes.chases if chased else sizes.count
            found.append((Kind(network, outputs), targets, chased, QUICK_COUNT if quick else count))
    return found


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Learn every task of every cell; see the module."""
    every = cells(quick)
    seeds = task_seeds(seed, max(count for *_, count in every))
    updates = UPDATES // 30 if quick else UPDATES
    runs = {
        (i, k): Run(kind, targets, each, updates, chased)
        for i, (kind, targets, chased, count) in enumerate(every)
        for k, each in enumerate(seeds[:count])
    }
    found = dict(zip(runs, gather(pool, ended, runs.values(), "capacity"), strict=True))

    def filled(name: str) -> np.ndarray:
        values = np.full((len(every), len(seeds), *np.shape(found[0, 0][name])), np.nan)
        for at, each in found.items():
            values[at] = each[name]
        return values

    dims = ("cell", "task", "way", "rule")
    end = "error, mean over the last fifth of the updates"
    onward = f"{end}, when as many again are made by the next rule"
    return xr.Dataset(
        {
            "final": (dims, filled("final"), {"units": "V2", "long_name": end}),
            "onward": ((*dims, "next"), filled("onward"), {"units": "V2", "long_name": onward}),
            "stepping": (dims, filled("stepping"), {"units": "1", "long_name": "share that steps, last fifth"}),
            "gain": (dims[:3], filled("gain"), {"units": "1", "long_name": "gain of a round, clock-free end"}),
            "best": (dims[:2], filled("best"), {"units": "V2", "long_name": "best achievable error"}),
        },
        coords={
            "network": ("cell", [kind.network for kind, *_ in every]),
            "edges": ("cell", [len(runs[i, 0].task.network.ends) for i in range(len(every))], {"units": "1"}),
            "outputs": ("cell", [kind.targets for kind, *_ in every], {"units": "1"}),
            "targets": ("cell", [targets for _, targets, *_ in every], {"long_name": "source of the desired voltages"}),
            "chased": ("cell", [chased for *_, chased, _ in every], {"long_name": "with more tasks and more runs"}),
            "task": ("task", seeds, {"units": "1", "long_name": "seed of task and clocks"}),
            "way": ("way", list(WAYS)),
            "rule": ("rule", [ONE, CLOCKFREE]),
            "next": ("next", [ONE, CLOCKFREE]),
        },
        attrs={"updates": updates},
    )


def of(data: xr.Dataset, condition: xr.DataArray) -> xr.Dataset:
    """The cells for which a condition holds."""
    return data.isel(cell=np.flatnonzero(condition))


def ratio(data: xr.Dataset, way: str) -> xr.DataArray:
    """How many times worse p = 1 ends than clock-free edges do, of each task in each cell."""
    final = data["final"].sel(way=way)
    return final.sel(rule=ONE) / final.sel(rule=CLOCKFREE)


def over_tasks(values: xr.DataArray) -> np.ndarray:
    """Geometric mean over cells, for each task that is in any: cells share seeds, only tasks are independent."""
    return np.exp(known(xr.apply_ufunc(np.log, values).mean("cell")))


def tasks_of(data: xr.Dataset) -> np.ndarray:
    """How many there are in each cell."""
    return np.isfinite(data["best"].values).sum(axis=1)


def far(values: np.ndarray) -> str:
    """How often the one ends far worse, and how often the other, as text."""
    return f"{(values > FAR).sum()} : {(values < 1 / FAR).sum()} of {len(values)}"


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """Nothing is asked of this one."""
    return {}


def table(data: xr.Dataset) -> Table:
    """A row for each way in each cell."""
    title = f"error, V^2, geometric mean over tasks; far: over {FAR} times worse, p = 1 : clock-free; steps: last fifth"
    rows = Table(title=title, box=None)
    for name in (
        *("edges", "desired", "outputs", "best (median)", "reached", "way", ONE, CLOCKFREE),
        *(f"{ONE} / {CLOCKFREE}, 95% interval", "far", f"{ONE} steps", f"{CLOCKFREE} steps"),
    ):
        rows.add_column(name, no_wrap=True)
    for i, way in product(range(data.sizes["cell"]), data["way"].values):
        part = data.isel(cell=i).sel(way=way)
        best, ratios = known(part["best"]), known(ratio(data.isel(cell=i), way))
        if len(ratios):
            rows.add_row(
                *(str(part[name].values) for name in ("edges", "targets", "outputs")),
                *(f"{np.median(best):.0e}", f"{np.mean(best < REACHED_V2):.0%}", way),
                *(f"{interval(known(part['final'].sel(rule=rule)))[0]:.1e}" for rule in (ONE, CLOCKFREE)),
                *(shown(interval(ratios), ".2g"), far(ratios)),
                *(f"{float(part['stepping'].sel(rule=rule).mean()):.2%}" for rule in (ONE, CLOCKFREE)),
            )
    return rows


def chase(data: xr.Dataset, way: str) -> str:
    """What it found in one cell, as text."""
    ratios, steps, gain = ratio(data, way), data["stepping"].sel(way=way), data["gain"].sel(way=way)

    def times(values: xr.DataArray) -> str:
        return f"{shown(interval(known(values)), '.2g')} times"

    onward = data["onward"].sel(way=way)
    below, above = (
        onward.sel(rule=rule, next=ONE) / onward.sel(rule=rule, next=CLOCKFREE) for rule in (ONE, CLOCKFREE)
    )
    found = f"""{times(ratios)}, {far(known(ratios))} far worse; when both go on from the end of p = 1 {times(below)},
        from the clock-free end {times(above)}"""
    for name, those in (("above", gain > OVERSHOOTS), ("below", gain <= OVERSHOOTS)):
        if those.sum() >= 2:
            mine, stepping = ratios.where(those), steps.where(those).median("task")
            found += f"""; gain {name} {OVERSHOOTS:g}: {times(mine)}, {far(known(mine))} far worse,
                {float(stepping.sel(rule=ONE)):.1%} and {float(stepping.sel(rule=CLOCKFREE)):.1%} of the firings still
                step (medians)"""
    return found


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    reached = data["best"] < REACHED_V2
    vouched = data["targets"] == TEACHER
    groups = {"one teacher": vouched, "random, reached": ~vouched & reached, "random, not reached": ~vouched & ~reached}
    found, runs, chased = [], [], []
    for edges, part in data.groupby("edges"):
        count = tasks_of(part)
        runs.append(f"{int(edges)} edges ({count.min()} tasks a cell, {count.max()} where chased)")
        every = part.isel(task=slice(count.min()))
        for name, which in groups.items():
            mine = every.where(which.sel(cell=which["edges"] == edges))
            ratios = {way: over_tasks(ratio(mine, way)) for way in ("plain", "remedy")}
            if min(map(len, ratios.values())) >= 2:
                text = ", ".join(f"{way} {shown(interval(each), '.2g')}" for way, each in ratios.items())
                found.append(f"{int(edges)} edges, {name}: {text}")
        cell = of(part, part["chased"]).isel(cell=0)
        chased.append(f"{int(edges)} edges, {int(cell['outputs'])} outputs: {chase(cell, CHASED)}")
    beyond = data["final"].sel(way="remedy", rule=CLOCKFREE) / data["best"]
    above = np.nanmedian(beyond.where(~vouched & ~reached).values)
    return f"""
        Ideal parts, eta {limits.ETA:g}, {data.attrs["updates"]} updates per edge, one example; lab16 and
        {network_of(data)}, up to one output for every node that is no source: {", ".join(runs)}. Plain: comparators.
        Remedy: ADC drops summed, less f {1e3 * limits.REMEDY.f_V:g} mV a firing, up to a bar of at most
        {1e3 * limits.REMEDY.theta_V:g} mV (see bias). Desired voltages from one teacher, which can be reached; from a
        teacher of its own for each output; uniform over the supply. Best achievable: a local search over continuous
        taps, so that the truth may be lower; reached: below {REACHED_V2:.0e} V^2. Error at p = 1 over clock-free
        (geometric mean over cells and tasks, 95% interval over
        tasks): {"; ".join(found)}. Beyond reach the clock-free remedy ends {above:.2g} times above the best (median).
        The chase: a teacher for each output, dither of {1e3 * limits.GATED.theta_V:g} mV alone (the others are in the
        table); far worse: more than {FAR} times, p = 1 : clock-free; gain of a round of all edges, linearised at the
        clock-free end: above {OVERSHOOTS:g} it overshoots. p = 1 over clock-free, {". ".join(chased)}.
    """


def draw(data: xr.Dataset) -> Figure:
    """A row a network: error against outputs per edge for each source of desired voltages, and the chase."""
    drawn, axes = plt.subplots(2, 4, figsize=(15, 7.4), layout="constrained")
    for row, (edges, part) in zip(axes, data.groupby("edges"), strict=True):
        for ax, targets in zip(row, TARGETS, strict=False):
            _against_outputs(ax, of(part, part["targets"] == targets))
            ax.set_title(f"{int(edges)} edges, desired voltages: {targets}")
        row[0].set_ylabel("final error  (V²)")
        _chase(row[3], of(part, part["chased"]).isel(cell=0))
    drawn.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    counts = [tasks_of(part).min() for _, part in data.groupby("edges")]
    drawn.suptitle(
        f"Up to the limit of the network, ideal parts, η {limits.ETA:g}: geometric means with 95% intervals over "
        f"{counts[0]} and {counts[1]} tasks a point (chases: their titles). Larger network: {network_of(data)}"
    )
    return drawn


def _against_outputs(ax: Axes, data: xr.Dataset) -> None:
    x = (data["outputs"] / data["edges"]).values
    best = data["best"].clip(min=1e-9)
    ax.plot(x, best.values, ".", color="0.75", ms=3)
    ax.plot(x, best.median("task"), color="0.4", lw=1, ls=":", label="best achievable, median (or 1e-9; dots: tasks)")
    for i, (way, rule) in enumerate(product(("plain", "remedy"), (ONE, CLOCKFREE))):
        final = data["final"].sel(way=way, rule=rule)
        middle, low, high = np.array([interval(known(each)) for each in final]).T
        ax.errorbar(
            x * 1.02 ** (i - 1.5), middle, [middle - low, high - middle], label=f"{way}, {rule}", color=COLOURS[way],
            ls="--" if rule == ONE else "-", marker="s" if rule == ONE else "o", ms=4, lw=1.1, elinewidth=0.9,
            mfc="white" if rule == ONE else COLOURS[way],
        )  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel="outputs per edge (outputs)")
    ax.set_xticks(x, [f"{each:.2g}\n({n})" for each, n in zip(x, data["outputs"].values, strict=True)])
    ax.minorticks_off()


def _chase(ax: Axes, data: xr.Dataset) -> None:
    """How much worse p = 1 ends in each task, against the gain; filled where over STEPS of its firings still step."""
    for way in limits.DITHERING:
        colour = COLOURS[way]
        steps = data["stepping"].sel(way=way, rule=ONE) > STEPS
        for which, fill in ((steps, colour), (~steps, "none")):
            x, y = data["gain"].sel(way=way).where(which), ratio(data, way).where(which)
            label = f"{way}, {'steps on' if fill == colour else 'rests'} at p = 1"
            ax.plot(x, y, "o", color=colour, mfc=fill, ms=4, mew=0.8, alpha=0.7, label=label)
    ax.axvline(OVERSHOOTS, color="0.5", lw=1, ls=":")
    ax.set(yscale="log", xlabel="gain of a round (dotted: overshoots)", ylabel=f"error, {ONE} over {CLOCKFREE}")
    ax.legend()
    ax.set_title(
        f"chase: {data['targets'].values}, {int(data['outputs'])} outputs, {int(np.isfinite(data['best']).sum())} tasks"
    )
