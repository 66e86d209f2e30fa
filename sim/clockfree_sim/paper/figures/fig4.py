"""Fig. 4: edges that step end lower when fewer of them act together, as far as the task leaves room for it.

Error curves and wiper traces of one task (the paper's a, b); final error against p on the 16-edge network (c), on the
larger one against the number of outputs (d), and of regressions (e). The paper's O of its Fig. 4d is the number of
inputs and of outputs: beside outputs alone, both. Ideal parts and the plain rule; clock-free beside, p = 1 followed by
one clock-free update per edge, and the floors that the law predicts.
"""

from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from clockfree_sim.paper import tasks
from clockfree_sim.paper.compare import (
    CLOCKFREE,
    ONE,
    THEN,
    Case,
    clocked,
    compare,
    gain,
    known,
    network_of,
    over_floor,
    rule_of,
    then,
)
from clockfree_sim.paper.discrete import UPDATES, job, learnt
from clockfree_sim.paper.tasks import Kind, make_task, task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.theory.statistics import interval, shown

ETA = 0.5
P = (1.0, 0.5, 0.2, 0.1, 0.05)
WAYS = {**{clocked(p): rule_of(p) for p in P}, CLOCKFREE: {}, THEN: then(rule_of(1))}
SHOWN = (ONE, clocked(0.2), CLOCKFREE)
"""Ways of which the example shows the wipers."""
EXAMPLE = Kind("lab16", 1)
OUTPUTS = (1, 3, 10, 20)
TASKS, QUICK_TASKS = 40, 2


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Learn the example and all tasks of all cases; see the module."""
    small = (Kind("lab16", 1), Kind("lab16", 3), Kind("lab16", 2, 4))
    large = (*(Kind(tasks.LARGE, outputs) for outputs in OUTPUTS), Kind(tasks.LARGE, 2, 16))
    both = [Kind(tasks.LARGE, outputs, sources=outputs) for outputs in OUTPUTS if outputs > 2]
    updates = UPDATES // 30 if quick else UPDATES
    cases = [Case(kind, ETA, QUICK_TASKS if quick else TASKS, updates) for kind in (*small, *large, *both)]
    first = task_seeds(seed, 1)[0]
    task = make_task(EXAMPLE, first)
    alone = {way: settings for way, settings in WAYS.items() if way != THEN}
    jobs = [job(task, first, eta=ETA, updates=updates, samples=300, **settings) for settings in alone.values()]
    curves = gather(pool, learnt, jobs, "fig4, example")
    data = compare(pool, cases, lambda edges: WAYS, seed, "fig4", floors=(ONE, CLOCKFREE))
    return data.assign(
        {
            "example_error": (
                ("shown", "sample"),
                np.array([each.error_V2 for each in curves]),
                {"units": "V2", "long_name": "error of the example, the first task"},
            ),
            "example_taps": (
                ("shown", "sample", "edge"),
                np.array([each.taps for each in curves]),
                {"units": "1", "long_name": "wipers of the example"},
            ),
            "example_updates": (
                ("shown", "sample"),
                np.array([each.updates for each in curves]),
                {"units": "1", "long_name": "updates per edge of the example"},
            ),
        }
    ).assign_coords(
        p=("way", [*P, np.nan, np.nan], {"units": "1", "long_name": "chance of an edge in a round"}),
        shown=("shown", list(alone), {"long_name": "ways of the example"}),
    )


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """Nothing is expected of this one; what is of clock-free edges, `clockfree` shows."""
    return {}


def table(data: xr.Dataset) -> Table:
    """Final errors, a row a case."""
    rows = Table(title="final error, V^2: geometric mean; how many times lower than p = 1 (95% interval)", box=None)
    heads = ("edges", "task", *data["way"].values, f"{ONE} / p = 0.05", f"{ONE} / {CLOCKFREE}")
    for name in (*heads, "then / clock-free", f"{ONE} / floor", f"{CLOCKFREE} / floor"):
        rows.add_column(str(name))
    for i, final in enumerate(data["final"]):
        rows.add_row(
            str(int(final["edges"])),
            str(final["case"].values).partition(", eta")[0],
            *(f"{interval(known(final.sel(way=way)))[0]:.1e}" for way in data["way"].values),
            *(shown(gain(final, way=way), ".1f") for way in (clocked(0.05), CLOCKFREE)),
            shown(gain(final, THEN)),
            *(f"{interval(over_floor(data, i, way))[0]:.2f}" for way in (ONE, CLOCKFREE)),
        )
    return rows


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    least = clocked(min(P))
    large = data["edges"] > data["edges"].min()
    by_outputs, by_both = (
        {
            int(final["outputs"]): final
            for final in data["final"][(large & (data["examples"] == 1) & ((data["inputs"] > 2) == both)).values]
        }
        for both in (False, True)
    )
    first = {key: final for key, final in by_outputs.items() if key <= 2}  # with two inputs in either reading
    readings = "; ".join(
        f"{name}: "
        + ", ".join(
            f"{outputs}: {shown(gain(final), '.1f')} and {shown(gain(final, way=clocked(0.5)), '.1f')}"
            for outputs, final in finals.items()
        )
        for name, finals in (("two inputs", by_outputs), ("as many inputs as outputs", first | by_both))
    )
    by_outputs = {outputs: gain(final, way=least) for outputs, final in by_outputs.items()}
    lets = "; ".join(
        f"{int(final['edges'])} edges, {str(final['case'].values).partition(', eta')[0]} {shown(gain(final, THEN))}"
        for final in data["final"][(data["inputs"] == 2).values]
    )
    gains = [each[0] for each in by_outputs.values()]
    shrinks = "shrinks" if gains == sorted(gains, reverse=True) else "does not shrink"
    by_size = [gain(data["final"][(where & (data["examples"] > 1)).values][0], way=least) for where in (~large, large)]
    (_, low, high), (_, low_large, _) = by_size
    as_there = "as" if low < 1 < high and low_large > 1 else "other than"
    roam = data["range"][0].mean("task")
    return f"""
        Edges that step (128 taps, ideal parts, plain rule, eta {ETA:g}), teacher tasks on lab16 (16 edges) and
        {network_of(data)} ({int(data["edges"].max())} edges), {data.sizes["task"]} tasks a case,
        {int(data["updates"].max())} updates per edge, one example a round; regressions have 4 and 16 examples. Final
        error is the mean over the last fifth. How many times lower {least} ends than p = 1, on the larger network by
        outputs: {", ".join(f"{outputs}: {shown(each, '.1f')}" for outputs, each in by_outputs.items())}: the benefit
        {shrinks} from the fewest to the most. Regressions: {shown(by_size[0], ".1f")} at 16 edges,
        {shown(by_size[1], ".1f")} on the larger network, {as_there} in the paper, where the small one gains nothing and
        the large one does. Wipers at 16 edges, {data["case"].values[0]}: in the last third of the updates they range
        over {float(roam.sel(way=ONE)):.1f} taps at p = 1 (mean; the paper's flat traces), clock-free over
        {float(roam.sel(way=CLOCKFREE)):.1f}. The paper's O counts inputs and outputs; p = 1 over clock-free, and over
        p = 0.5, by O, {readings}. p = 1 is not trapped: all edges go to and fro together. After it, one clock-free
        update per edge ends at so many times what clock-free learning all along does: {lets}. All wipers begin at tap
        {int(data["start"][0])}; what the start does, figure law.
        Clock-free edges see each example for one mean wait, as
        at p = 1; shorter is better (figure clockfree). The paper's sigma, up to 0.05 V, is not in these runs (figure
        bias).
    """


def draw(data: xr.Dataset) -> Figure:
    """Example above; final errors below."""
    drawn, axes = plt.subplots(2, 4, figsize=(16.5, 7.2), layout="constrained")
    colours = dict(
        zip(
            data["way"].values,
            [*plt.get_cmap("viridis")(np.linspace(0, 0.9, len(P))), "crimson", "tab:orange"],
            strict=True,
        )
    )
    for way in SHOWN:
        axes[0, 0].semilogy(
            data["example_updates"].sel(shown=way),
            data["example_error"].sel(shown=way),
            color=colours[way],
            lw=0.9,
            label=way,
        )
    axes[0, 0].set(xlabel="updates per edge", ylabel="error  (V²)", title=f"a. 16 edges, {EXAMPLE}: the first task")
    axes[0, 0].legend()
    for ax, way in zip(axes[0, 1:3], (ONE, CLOCKFREE), strict=True):
        _wipers(ax, data.sel(shown=way), colours[way])
    small = data.isel(case=np.flatnonzero(data["edges"] == data["edges"].min()))
    large = data.isel(case=np.flatnonzero(data["edges"] > data["edges"].min()))
    allostery = large.isel(case=np.flatnonzero(large["examples"] == 1))
    _against_p(axes[1, 0], small)
    axes[1, 0].set_title("c. 16 edges")
    two = allostery["inputs"] == 2
    readings = (two, ~two | (allostery["outputs"] <= 2))
    names = ("two inputs", "as many inputs as outputs (at least two)")
    for ax, reading, name in zip((axes[0, 3], axes[1, 1]), readings, names, strict=True):
        _against_outputs(ax, allostery.isel(case=np.flatnonzero(reading)), colours)
        ax.set_title(f"d. {int(data['edges'].max())} edges, {name}")
    _against_p(axes[1, 2], data.isel(case=np.flatnonzero(data["examples"] > 1)))
    axes[1, 2].set_title("e. regressions, 16 edges and more")
    _floors(axes[1, 3], data, colours)
    for ax in (axes[0, 3], *axes[1]):
        ax.set_xticks([], minor=True)
        by_outputs = ax in (axes[0, 3], axes[1, 1])
        ax.set_ylim(top=(10 if by_outputs else 4) * ax.get_ylim()[1])
        ax.legend(loc="upper left", ncols=1 + by_outputs)
    drawn.suptitle(
        f"Edges that step: ideal parts, plain rule, η {ETA:g}, {data.sizes['task']} tasks a case, larger network "
        f"{network_of(data)}, all wipers from tap {int(data['start'][0])}. Points: geometric means, 95% intervals; "
        "clock-free at the left"
    )
    return drawn


def _wipers(ax: Axes, data: xr.Dataset, colour: str) -> None:
    ax.plot(data["example_updates"], data["example_taps"], color=colour, lw=0.5, alpha=0.8)
    ax.set(xlabel="updates per edge", ylabel="tap", ylim=(-2, 129), title=f"b. its wipers, {data['shown'].values}")


def _against_outputs(ax: Axes, data: xr.Dataset, colours: Mapping[str, Any]) -> None:
    """Final errors against the number of outputs, a line a way."""
    for i, (way, colour) in enumerate(colours.items()):
        middle, low, high = np.array([interval(known(each.sel(way=way))) for each in data["final"]]).T
        at = data["outputs"].values * 1.03 ** (i - 2.5)
        ax.errorbar(at, middle, [middle - low, high - middle], fmt="o-", ms=3, lw=1, color=colour, label=way)
    ax.set(xscale="log", yscale="log", xlabel="outputs", ylabel="final error  (V²)")
    ax.set_xticks(data["outputs"].values, [str(each) for each in data["outputs"].values])


def _floors(ax: Axes, data: xr.Dataset, colours: Mapping[str, Any]) -> None:
    """Measured against predicted, a point a task."""
    for way in (ONE, CLOCKFREE):
        here = data.sel(way=way)
        ax.plot(here["floor"].values.ravel(), here["final"].values.ravel(), ".", ms=2, color=colours[way], label=way)
    ends = [float(data["floor"].min()), float(data["floor"].max())]
    ax.plot(ends, ends, color="0.6", lw=0.8, zorder=0)
    ax.set(xscale="log", yscale="log", xlabel="floor predicted by the law  (V²)", ylabel="final error  (V²)")
    ax.set_title("all of these, without a fit")


def _against_p(ax: Axes, data: xr.Dataset) -> None:
    """Final errors against p; apart at the left clock-free, and what one update of it makes of p = 1 (open)."""
    apart = min(P) / 2.5
    p = np.array([*P, apart, apart / 1.3])
    for i, final in enumerate(data["final"]):
        middle, low, high = np.array([interval(known(final.sel(way=way))) for way in WAYS]).T
        at = p * 1.04 ** (i - 1)
        label = f"{str(final['case'].values).partition(', eta')[0]}, {int(final['edges'])} edges"
        line = ax.errorbar(
            at[:-2], middle[:-2], [(middle - low)[:-2], (high - middle)[:-2]], fmt="o-", ms=3, lw=1, label=label
        )
        bars = np.array([middle - low, high - middle])
        for j, fill in ((-2, None), (-1, "white")):
            style: dict[str, Any] = {"fmt": "D", "ms": 4, "color": line[0].get_color(), "mfc": fill}
            ax.errorbar(at[j], middle[j], bars[:, [j]], **style)
    ax.set(xscale="log", yscale="log", xlabel="p", ylabel="final error  (V²)")
    ax.set_xticks([apart, *sorted(P)], [CLOCKFREE, *(f"{each:g}" for each in sorted(P))])
