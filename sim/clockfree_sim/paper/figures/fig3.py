"""Fig. 3: which edges take part at a trigger, by an oscillator at each against one global bias voltage.

Oscillators of parts within their tolerances, read at a global trigger of a fixed period: the share of triggers at which
an edge takes part (p) against the bias, and Pearson's r between edges where that is a half. Beside it, at the same p,
the independent draws of eq. 11, and clock-free edges: whether each fired in a time in which it does so half the time.
Last, what edges learn by each of the three.
"""

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Group
from rich.table import Table

from clockfree_board.clock import MASK
from clockfree_sim.compiled.kernel import Kernel
from clockfree_sim.paper import discrete, turns
from clockfree_sim.paper.compare import join, section
from clockfree_sim.paper.tasks import Kind, make_task, task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.plant import oscillator
from clockfree_sim.theory.statistics import correlations, mean_interval, own_correlations, shown

EDGES = 16
HALF_V = oscillator.bias_of(0.5)
"""Bias at which oscillators of nominal parts are above it half the time."""
BIAS_V = np.linspace(1.4, 3.6, 23)
TOLERANCES = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Times the tolerances of the parts."""
TRIGGERS, QUICK_TRIGGERS = (100, 1000, 10_000), (100, 1000)
BENCHES, QUICK_BENCHES = 60, 3
WAYS = ("oscillators", "draws", "clock-free")
LEARNING = "learning"
TRACE_S = np.linspace(0.0, 8.5e-3, 851)


@dataclass(frozen=True)
class Run:
    """One bench of edges, to be triggered so many times."""

    seed: int
    triggers: tuple[int, ...]


def records(run: Run) -> dict[str, Any]:
    """What one bench does.

    Share of triggers taken part in (biases, E); Pearson's r of pairs (ways, pairs) and of edges with themselves at the
    next trigger (ways, E) after the most triggers; of pairs, by tolerance and number of triggers
    (tolerances, triggers, pairs).
    """
    rng = np.random.default_rng(run.seed)
    most = run.triggers[-1]
    built = oscillator.build(EDGES, rng)
    taking = (
        oscillator.taking_part(built, HALF_V, most),
        rng.random((EDGES, most)) < 0.5,
        clockfree_record(run.seed, most),
    )
    pairs = np.empty((len(TOLERANCES), len(run.triggers), EDGES * (EDGES - 1) // 2))
    for i, tolerance in enumerate(TOLERANCES):
        more = oscillator.taking_part(oscillator.build(EDGES, rng, tolerance), HALF_V, most)
        for j, triggers in enumerate(run.triggers):
            pairs[i, j] = correlations(more[:, :triggers])
    return {
        "share": np.array([oscillator.taking_part(built, bias_V, most).mean(axis=1) for bias_V in BIAS_V]),
        "r": np.array([correlations(each) for each in taking]),
        "own_r": np.array([own_correlations(each) for each in taking]),
        "tolerance_r": pairs,
    }


def clockfree_record(seed: int, count: int) -> np.ndarray:
    """Whether each clock-free edge fired in each of so many times of ln 2 mean waits, in a run: bool (E, count)."""
    job = discrete.job(make_task(Kind("lab16", 1), seed), seed, updates=int(np.log(2) * count) + 50, samples=1)
    *_, last = Kernel(replace(job, trace=True)).run()
    edge, time_us = np.array(last.trace)[:, :2].T
    # The trace's clock wraps; its rows are in order, none half a turn after the one before.
    passed_us = np.cumsum(np.diff(time_us, prepend=time_us[0]) & MASK)
    at = (passed_us / (np.log(2) / job.edge.rate_hz * 1e6)).astype(int)
    fired = np.zeros((EDGES, count), dtype=bool)
    fired[edge[at < count], at[at < count]] = True
    return fired


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Build all benches and trigger them, then learn; see the module."""
    count, triggers = (QUICK_BENCHES, QUICK_TRIGGERS) if quick else (BENCHES, TRIGGERS)
    seeds = task_seeds(seed, count)
    found = gather(pool, records, [Run(each, triggers) for each in seeds], "fig3")
    few = oscillator.build(EDGES, np.random.default_rng(seeds[0]))
    r = {"units": "1", "long_name": f"Pearson's r of pairs of edges over {triggers[-1]} triggers"}
    own = {"units": "1", "long_name": "Pearson's r of an edge with itself at the next trigger"}
    tolerance_r = {"units": "1", "long_name": "Pearson's r of pairs of oscillators"}
    share = {"units": "1", "long_name": f"share of {triggers[-1]} triggers at which an edge takes part"}
    volts = {"units": "V", "long_name": "voltages of the oscillators of one bench"}

    def stacked(name: str) -> np.ndarray:
        return np.array([each[name] for each in found])

    triggered = xr.Dataset(
        {
            "share": (("bench", "bias", "edge"), stacked("share"), share),
            "r": (("bench", "way", "pair"), stacked("r"), r),
            "own_r": (("bench", "way", "edge"), stacked("own_r"), own),
            "tolerance_r": (("bench", "tolerance", "triggers", "pair"), stacked("tolerance_r"), tolerance_r),
            "volts": (("edge", "time"), few.volts(TRACE_S), volts),
        },
        coords={
            "bench": ("bench", seeds, {"units": "1", "long_name": "seed of parts, phases, draws and clocks"}),
            "bias": ("bias", BIAS_V, {"units": "V", "long_name": "global bias voltage"}),
            "edge": ("edge", np.arange(EDGES), {"units": "1"}),
            "way": ("way", list(WAYS), {"long_name": "who decides that an edge takes part"}),
            "pair": ("pair", np.arange(EDGES * (EDGES - 1) // 2), {"units": "1"}),
            "tolerance": ("tolerance", list(TOLERANCES), {"units": "1", "long_name": "times the parts' tolerances"}),
            "triggers": ("triggers", list(triggers), {"units": "1", "long_name": "number of triggers"}),
            "time": ("time", TRACE_S, {"units": "s"}),
        },
    )
    return xr.merge([triggered, join({LEARNING: turns.measure(pool, quick, seed)})])


def typical(data: xr.Dataset, way: str) -> tuple[float, float, float]:
    """Mean of |r| over the pairs of a bench, over benches, with its 95% interval."""
    return mean_interval(abs(data["r"].sel(way=way)).mean("pair").values)


def half(data: xr.Dataset) -> tuple[float, float, float]:
    """p at half the supply, mean over benches, with its 95% interval."""
    return mean_interval(data["share"].sel(bias=HALF_V, method="nearest").mean("edge").values)


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """Nothing is asked."""
    return {}


def table(data: xr.Dataset) -> Group:
    """Correlations at p = 0.5, a row a way; final errors."""
    most = data["triggers"].values[-1]
    rows = Table(title=f"Pearson's r at p = 0.5, {most} triggers, {data.sizes['bench']} benches of {EDGES}", box=None)
    for name in ("who decides", "pairs: mean |r|", "95% of |r| below", "largest |r|", "with its own next: mean |r|"):
        rows.add_column(name)
    for way in data["way"].values:
        sizes = abs(data["r"].sel(way=way)).values
        own = mean_interval(abs(data["own_r"].sel(way=way)).mean("edge").values)
        rows.add_row(
            str(way),
            shown(typical(data, way), ".4f"),
            f"{np.quantile(sizes, 0.95):.3f}",
            f"{sizes.max():.3f}",
            shown(own, ".3f"),
        )
    return Group(rows, "", turns.table(section(data, LEARNING)))


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    most = int(data["triggers"].values[-1])
    sizes = abs(data["r"].sel(way="oscillators")).values
    own = abs(data["own_r"].sel(way="oscillators")).values
    least = abs(data["tolerance_r"].isel(tolerance=0, triggers=-1)).values
    return f"""
        {data.sizes["bench"]} benches of {EDGES} relaxation oscillators (thresholds near a third and two thirds of
        {oscillator.SUPPLY_V:g} V, {oscillator.PERIOD_S * 1e3:g} ms), parts within {oscillator.RESISTOR:.0%} (resistors)
        and {oscillator.CAPACITOR:.0%} (capacitor), read by a global trigger every {oscillator.TRIGGER_S * 1e3:g} ms; an
        edge takes part where its oscillator is above the bias. The paper gives neither parts nor times: these are ours.
        The bias sets p: {shown(half(data), ".3f")} at {HALF_V:g} V. There the mean |r| of two edges over {most}
        triggers is {shown(typical(data, "oscillators"), ".4f")}; {shown(typical(data, "draws"), ".4f")} with
        independent draws, {shown(typical(data, "clock-free"), ".4f")} with clock-free edges (fired or not within ln 2
        mean waits). The paper measured "of order 0.01" and does not say over how many triggers. Oscillators are no
        draws, though: most pairs agree more evenly than chance would have it, but {np.mean(sizes > 0.03):.1%} of them
        are above 0.03 (largest {sizes.max():.2f}), where both periods and the trigger's are close to a small ratio; and
        what an edge does at a trigger says what it does at the next one: mean |r| {own.mean():.2f}. With parts that
        are {1 / data["tolerance"].values[0]:.0f} times closer to each other the mean |r| of pairs is
        {np.nanmean(least):.2f}: independence comes from unequal parts and from many triggers. Every trigger here comes
        exactly in time; unsteady ones would only make pairs more independent. {turns.said(section(data, LEARNING))}
    """


def draw(data: xr.Dataset) -> Figure:
    """Oscillators, p against bias, correlations, what they depend on, and learning."""
    drawn, axes = plt.subplot_mosaic("AAB;CDE", figsize=(13, 7.5), layout="constrained")
    _traces(axes["A"], data)
    _chances(axes["B"], data)
    _correlations(axes["C"], data)
    _tolerances(axes["D"], data)
    turns.draw(axes["E"], section(data, LEARNING))
    drawn.suptitle(
        f"Who takes part at a trigger: {data.sizes['bench']} benches of {EDGES} edges. Bands: 5 .. 95% of the edges; "
        "bars: 95% intervals over benches or tasks"
    )
    return drawn


def _traces(ax: Axes, data: xr.Dataset) -> None:
    time_ms = data["time"].values * 1e3
    at_ms = np.arange(0.0, time_ms[-1], oscillator.TRIGGER_S * 1e3)
    for edge, colour in enumerate(("#17406d", "#e08214", "#2a8c4a")):
        volts = data["volts"].sel(edge=edge).values
        ax.plot(time_ms, volts, color=colour, lw=1, label=f"edge {edge + 1}")
        seen = np.interp(at_ms, time_ms, volts)
        for above in (True, False):
            yes = (seen > HALF_V) == above
            ax.plot(at_ms[yes], seen[yes], "o", ms=6, color=colour, mfc=colour if above else "white", zorder=3)
    ax.axhline(HALF_V, color="0.3", lw=1, ls="--", label="bias")
    for at in at_ms:
        ax.axvline(at, color="0.8", lw=0.8, zorder=0)
    ax.set(xlabel="time  (ms)", ylabel="oscillator  (V)", ylim=(1.5, 4.1))
    ax.set_title("three oscillators; at a trigger (grey) a full dot takes part")
    ax.legend(ncols=4, loc="upper center")


def _chances(ax: Axes, data: xr.Dataset) -> None:
    share = data["share"]
    low, high = np.quantile(share.values, [0.05, 0.95], axis=(0, 2))
    nominal = oscillator.build(1, np.random.default_rng(0), 0.0)
    fine_V = np.linspace(BIAS_V[0], BIAS_V[-1], 400)
    ax.plot(fine_V, [nominal.chance(bias_V)[0] for bias_V in fine_V], color="0.5", lw=1, label="nominal parts, exact")
    ax.fill_between(data["bias"], low, high, color="#17406d", alpha=0.2, lw=0)
    ax.plot(
        data["bias"], share.mean(("bench", "edge")), "o", ms=3, color="#17406d", label="measured, mean of all edges"
    )
    ax.set(xlabel="bias  (V)", ylabel="share of triggers taken part in: p")
    ax.set_title("the bias sets p")
    ax.legend()


def _correlations(ax: Axes, data: xr.Dataset) -> None:
    for way, colour in zip(data["way"].values, ("#17406d", "0.5", "#b2182b"), strict=True):
        sizes = np.sort(abs(data["r"].sel(way=way)).values.ravel())
        ax.plot(sizes, 1.0 - np.arange(len(sizes)) / len(sizes), color=colour, lw=1.3, label=str(way))
    ax.axvline(0.01, color="0.6", lw=0.8, ls="--", zorder=0)
    ax.set(xscale="log", yscale="log", xlim=(3e-4, 1), ylim=(5e-4, 1.3))
    ax.set(xlabel="|r| of a pair of edges", ylabel="share of pairs above")
    ax.set_title(f"p = 0.5, {data['triggers'].values[-1]} triggers. Dashed: the paper's order of magnitude")
    ax.legend()


def _tolerances(ax: Axes, data: xr.Dataset) -> None:
    sizes = abs(data["tolerance_r"]).mean("pair")
    for triggers, colour in zip(data["triggers"].values, ("#9ecae1", "#4292c6", "#08306b"), strict=False):
        found = np.array(
            [mean_interval(each) for each in sizes.sel(triggers=triggers).transpose("tolerance", "bench")]
        ).T
        bars = np.abs(found[1:] - found[0])
        ax.errorbar(
            data["tolerance"], found[0], bars, marker="o", ms=3, color=colour, lw=1.2, label=f"{triggers} triggers"
        )
        ax.axhline(np.sqrt(2 / np.pi / triggers), color=colour, lw=0.8, ls=":")
    ax.set(xscale="log", yscale="log", ylim=(1e-3, 1.5))
    ax.set(xlabel="tolerance of parts, over that of those above", ylabel="mean |r| of a pair")
    ax.set_title("unequal parts, and many triggers. Dotted: independent draws")
    ax.legend()
