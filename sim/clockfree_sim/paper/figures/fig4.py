"""Fig. 4: edges that step end lower when fewer of them act together, as far as the task leaves room for it.

Error curves and wiper traces of one task (the paper's a, b); final error against p on the 16-edge network (c), on the
larger one against the number of outputs (d), and of regressions (e). Ideal parts and the plain rule; clock-free beside.
"""

from concurrent.futures import Executor

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.table import Table

from clockfree_sim.paper import tasks
from clockfree_sim.paper.compare import CLOCKFREE, ONE, Case, clocked, compare, gain, known, network_of, rule_of
from clockfree_sim.paper.discrete import UPDATES, job, learnt
from clockfree_sim.paper.tasks import Kind, make_task, task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.theory.statistics import interval, shown

ETA = 0.5
P = (1.0, 0.5, 0.2, 0.1, 0.05)
WAYS = {**{clocked(p): rule_of(p) for p in P}, CLOCKFREE: {}}
SHOWN = (ONE, clocked(0.2), CLOCKFREE)
"""Ways of which the example shows the wipers."""
EXAMPLE = Kind("lab16", 1)
OUTPUTS = (1, 3, 10, 20)
TASKS, QUICK_TASKS = 40, 3


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Learn the example and all tasks of all cases; see the module."""
    small = (Kind("lab16", 1), Kind("lab16", 3), Kind("lab16", 2, 4))
    large = (*(Kind(tasks.LARGE, outputs) for outputs in OUTPUTS), Kind(tasks.LARGE, 2, 16))
    updates = UPDATES // 10 if quick else UPDATES
    cases = [Case(kind, ETA, QUICK_TASKS if quick else TASKS, updates) for kind in (*small, *large)]
    first = task_seeds(seed, 1)[0]
    task = make_task(EXAMPLE, first)
    jobs = [job(task, first, eta=ETA, updates=updates, samples=300, **settings) for settings in WAYS.values()]
    curves = gather(pool, learnt, jobs, "fig4, example")
    data = compare(pool, cases, lambda edges: WAYS, seed, "fig4")
    return data.assign(
        {
            "example_error": (
                ("way", "sample"),
                np.array([each.error_V2 for each in curves]),
                {"units": "V2", "long_name": "error of the example, the first task"},
            ),
            "example_taps": (
                ("way", "sample", "edge"),
                np.array([each.taps for each in curves]),
                {"units": "1", "long_name": "wipers of the example"},
            ),
            "example_updates": (
                ("way", "sample"),
                np.array([each.updates for each in curves]),
                {"units": "1", "long_name": "updates per edge of the example"},
            ),
        }
    ).assign_coords(p=("way", [*P, np.nan], {"units": "1", "long_name": "chance of an edge in a round"}))


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """Nothing is expected of this one; what is of clock-free edges, `clockfree` shows."""
    return {}


def table(data: xr.Dataset) -> Table:
    """Final errors, a row a case."""
    rows = Table(title="final error, V^2: geometric mean; how many times lower than p = 1 (95% interval)", box=None)
    for name in ("edges", "task", *data["way"].values, f"{ONE} / p = 0.05", f"{ONE} / {CLOCKFREE}"):
        rows.add_column(str(name))
    for final in data["final"]:
        rows.add_row(
            str(int(final["edges"])),
            str(final["case"].values).partition(", eta")[0],
            *(f"{interval(known(final.sel(way=way)))[0]:.1e}" for way in data["way"].values),
            *(shown(gain(final, way=way), ".1f") for way in (clocked(0.05), CLOCKFREE)),
        )
    return rows


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    least = clocked(min(P))
    large = data["edges"] > data["edges"].min()
    by_outputs = {
        int(final["outputs"]): gain(final, way=least)
        for final in data["final"][(large & (data["examples"] == 1)).values]
    }
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
        {float(roam.sel(way=CLOCKFREE)):.1f}. Clock-free edges see each example for one mean wait, as
        at p = 1; shorter is better (figure clockfree). The paper's sigma, up to 0.05 V, is not in these runs (figure
        bias).
    """


def draw(data: xr.Dataset) -> Figure:
    """Example above; final errors below."""
    drawn, axes = plt.subplots(2, 3, figsize=(12.5, 7.2), layout="constrained")
    colours = dict(
        zip(data["way"].values, [*plt.get_cmap("viridis")(np.linspace(0, 0.9, len(P))), "crimson"], strict=True)
    )
    for way in SHOWN:
        axes[0, 0].semilogy(
            data["example_updates"].sel(way=way),
            data["example_error"].sel(way=way),
            color=colours[way],
            lw=0.9,
            label=way,
        )
    axes[0, 0].set(xlabel="updates per edge", ylabel="error  (V²)", title=f"a. 16 edges, {EXAMPLE}: the first task")
    axes[0, 0].legend()
    for ax, way in zip(axes[0, 1:], (ONE, CLOCKFREE), strict=True):
        _wipers(ax, data.sel(way=way), colours[way])
    small = data.isel(case=np.flatnonzero(data["edges"] == data["edges"].min()))
    large = data.isel(case=np.flatnonzero(data["edges"] > data["edges"].min()))
    allostery = large.isel(case=np.flatnonzero(large["examples"] == 1))
    _against_p(axes[1, 0], small)
    axes[1, 0].set_title("c. 16 edges")
    for i, (way, colour) in enumerate(colours.items()):
        middle, low, high = np.array([interval(known(each.sel(way=way))) for each in allostery["final"]]).T
        at = allostery["outputs"].values * 1.03 ** (i - 2.5)
        axes[1, 1].errorbar(at, middle, [middle - low, high - middle], fmt="o-", ms=3, lw=1, color=colour, label=way)
    axes[1, 1].set(xscale="log", yscale="log", xlabel="outputs", ylabel="final error  (V²)")
    axes[1, 1].set_xticks(allostery["outputs"].values, [str(each) for each in allostery["outputs"].values])
    axes[1, 1].set_title(f"d. {int(data['edges'].max())} edges, allostery")
    _against_p(axes[1, 2], data.isel(case=np.flatnonzero(data["examples"] > 1)))
    axes[1, 2].set_title("e. regressions, 16 edges and more")
    for ax in axes[1]:
        ax.set_xticks([], minor=True)
        ax.set_ylim(top=4 * ax.get_ylim()[1])
        ax.legend(loc="upper left", ncols=1 + (ax is axes[1, 1]))
    drawn.suptitle(
        f"Edges that step: ideal parts, plain rule, η {ETA:g}, {data.sizes['task']} tasks a case, larger network "
        f"{network_of(data)}. Points: geometric means, 95% intervals; clock-free at the left"
    )
    return drawn


def _wipers(ax: Axes, data: xr.Dataset, colour: str) -> None:
    ax.plot(data["example_updates"], data["example_taps"], color=colour, lw=0.5, alpha=0.8)
    ax.set(xlabel="updates per edge", ylabel="tap", ylim=(-2, 129), title=f"b. its wipers, {data['way'].values}")


def _against_p(ax: Axes, data: xr.Dataset) -> None:
    """Final errors against p, clock-free as a point apart."""
    apart = min(P) / 2.5
    p = data["p"].fillna(apart).values
    for i, final in enumerate(data["final"]):
        middle, low, high = np.array([interval(known(final.sel(way=way))) for way in final["way"].values]).T
        at = p * 1.04 ** (i - 1)
        label = f"{str(final['case'].values).partition(', eta')[0]}, {int(final['edges'])} edges"
        line = ax.errorbar(
            at[:-1], middle[:-1], [(middle - low)[:-1], (high - middle)[:-1]], fmt="o-", ms=3, lw=1, label=label
        )
        ax.errorbar(
            at[-1:], middle[-1:], [(middle - low)[-1:], (high - middle)[-1:]], fmt="D", ms=4, color=line[0].get_color()
        )
    ax.set(xscale="log", yscale="log", xlabel="p", ylabel="final error  (V²)")
    ax.set_xticks([apart, *sorted(P)], [CLOCKFREE, *(f"{each:g}" for each in sorted(P))])
