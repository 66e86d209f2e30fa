"""Clock-free: edges that fire by their own clocks, which the paper conjectures, against rounds with p = 1 and less.

All of it with ideal parts and the plain rule, at equal updates per edge: (1) every kind of task in three ways;
(2) other clocks, and rates that are decades apart; (3) staleness: how many decisions are made on one, outdated state;
(4) dwell: how the examples mix. The last two are kept apart: staleness has one example, dwell nothing that lags.
Rounds see one example each; on their own clocks edges see each for the default dwell, where (4) says nothing else.
"""

from concurrent.futures import Executor
from dataclasses import replace

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from rich.table import Table

from clockfree_model.settings import ClampSettings
from clockfree_sim.paper import clockfree_plots, staleness, tasks
from clockfree_sim.paper.compare import (
    CLOCKFREE,
    ONE,
    THEN,
    Case,
    clocked,
    compare,
    gain,
    join,
    known,
    network_of,
    rule_of,
    section,
    then,
)
from clockfree_sim.paper.discrete import ONE_WAIT_S, UPDATES
from clockfree_sim.paper.edges import COMPARATORS
from clockfree_sim.paper.tasks import Kind
from clockfree_sim.theory.statistics import interval, shown

TENTH = clocked(0.1)
DWELL_S = ClampSettings().dwell_s
OWN = {"dwell_s": DWELL_S}
WAYS = {ONE: rule_of(1), TENTH: rule_of(0.1), CLOCKFREE: OWN}
WITH_THEN = {**WAYS, THEN: then(rule_of(1), **OWN)}
CLOCKS = {
    CLOCKFREE: OWN,
    "jittered": {"edge": replace(COMPARATORS, clock="jittered"), **OWN},
    "periodic": {"edge": replace(COMPARATORS, clock="periodic"), **OWN},
    "rates over 2 decades": {"edge": replace(COMPARATORS, decades=2.0), **OWN},
}
ETAS = (0.5, 1.0)
DECISIONS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, np.inf)
KINDS = (staleness.ROUNDS, *staleness.LAGS)
THOUSAND = "square:23x23"
"""1,012 edges."""
DWELLS = (0.01, 0.1, 1.0, 10.0)
"""Mean waits that an example is shown for."""
ONE_WAIT = (f"{ONE}, 1", f"{CLOCKFREE}, 1")
TASKS, REGRESSIONS, SOME, FEW, QUICK = 48, 64, 24, 6, 2


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Learn everything; see the module."""

    def cases(kinds, etas, count):
        updates = UPDATES // 30 if quick else UPDATES
        return [Case(kind, eta, QUICK if quick else count(kind), updates) for kind in kinds for eta in etas]

    allostery = [Kind("lab16", outputs) for outputs in (1, 3, 6)] + [Kind(tasks.LARGE, n) for n in (1, 3, 10)]
    regressions = [Kind("lab16", 2, 4), Kind(tasks.LARGE, 2, 16)]
    networks = ("lab16", tasks.LARGE, *(() if quick else (THOUSAND,)))
    dwells = {
        f"{way}, {dwell:g}": {**settings, "dwell_s": dwell * ONE_WAIT_S}
        for way, settings in WAYS.items()
        for dwell in DWELLS
    }

    def compared(name, kinds, etas, count, ways):
        return compare(pool, cases(kinds, etas, count), ways, seed, f"clockfree, {name}")

    def most(kind):
        return TASKS if kind.examples == 1 else REGRESSIONS

    def some(kind):
        return FEW if kind.network == THOUSAND else SOME

    def stale(edges):
        return staleness.ways(edges, DECISIONS[1::3] if quick else DECISIONS, KINDS)

    return join(
        {
            "tasks": compared("tasks", (*allostery, *regressions), ETAS, most, lambda edges: WITH_THEN),
            "clocks": compared("clocks", (*allostery, *regressions), (1.0,), some, lambda edges: CLOCKS),
            "stale": compared(
                "staleness",
                [Kind(network, 3) for network in networks],
                (1.0,),
                some,
                stale,
            ),
            "dwell": compared("dwell", regressions, ETAS, some, lambda edges: dwells),
        }
    )


def pick(
    data: xr.Dataset,
    large: bool,
    outputs: int,
    examples: bool = False,
    eta: float = 1.0,
) -> xr.DataArray:
    """Final errors of one case (way, task)."""
    found = (data["edges"] > data["edges"].min()) == large
    found &= (data["outputs"] == outputs) & ((data["examples"] > 1) == examples) & (data["eta"] == eta)
    return data["final"][int(np.flatnonzero(found)[0])]


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """Gains that are expected of clock-free edges; of regressions at both nudges."""
    by_task = section(data, "tasks")
    three = pick(by_task, True, 3)
    ratio, low, _ = gain(three)
    falling = [[gain(pick(by_task, True, outputs, eta=eta))[0] for outputs in (1, 3, 10)] for eta in ETAS]
    seen = {
        "larger network, 3 outputs, eta 1, 48 tasks: p = 1 over clock-free at least 6, its 95% interval above 4": (
            len(known(three.sel(way=ONE))) >= TASKS and ratio >= 6 and low > 4
        ),
        "larger network: this falls from 1 to 3 to 10 outputs, at both nudges": all(
            one > few > many for one, few, many in falling
        ),
    }
    for eta in ETAS:
        _, low, high = gain(pick(by_task, False, 2, True, eta))
        seen[f"16 edges, 2x2 regression, eta {eta:g}: its interval lies within 0.5..2"] = 0.5 < low < high < 2
        ratio, _, _ = gain(pick(by_task, True, 2, True, eta))
        seen[f"larger network, 2x2 regression, eta {eta:g}, default dwell: above 3"] = ratio > 3
    return seen


def table(data: xr.Dataset) -> Table:
    """Every task in three ways."""
    by_task = section(data, "tasks")
    rows = Table(
        title="final error, V^2: geometric mean; how many times lower than p = 1 (95% interval)",
        box=None,
    )
    for name in (
        "edges",
        "task",
        "tasks",
        *WAYS,
        f"{ONE} / {TENTH}",
        f"{ONE} / {CLOCKFREE}",
        f"{THEN} / {CLOCKFREE}",
    ):
        rows.add_column(name)
    for final in by_task["final"]:
        rows.add_row(
            str(int(final["edges"])),
            str(final["case"].values),
            str(len(known(final.sel(way=ONE)))),
            *(f"{interval(known(final.sel(way=way)))[0]:.1e}" for way in WAYS),
            *(shown(gain(final, way=way), ".1f") for way in (TENTH, CLOCKFREE)),
            shown(gain(final, THEN)),
        )
    return rows


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    by_task, clocks, stale, dwell = (section(data, name) for name in ("tasks", "clocks", "stale", "dwell"))
    large = int(by_task["edges"].max())
    by_outputs = ", ".join(f"{n}: {shown(gain(pick(by_task, True, n)), '.1f')}" for n in (1, 3, 10))
    lets = ", ".join(f"{n}: {shown(gain(pick(by_task, True, n), THEN))}" for n in (1, 3, 10))
    lab = shown(gain(pick(by_task, False, 2, True)))
    regression, wait = gain(pick(by_task, True, 2, True)), gain(pick(dwell, True, 2, True), *ONE_WAIT)
    others = {way: [gain(final, way, CLOCKFREE) for final in clocks["final"]] for way in list(CLOCKS)[1:]}
    kinds = "; ".join(
        f"{way} {min(found)[0]:.2f} .. {max(found)[0]:.2f}, {sum(not low <= 1 <= high for _, low, high in found)} of "
        f"{len(found)} intervals without 1"
        for way, found in others.items()
    )
    return f"""
        Edges on their own clocks against rounds in which each takes part with chance p, at
        {int(by_task["updates"].max())} updates per edge; ideal parts, plain rule; the larger network is
        {network_of(by_task)} ({large} edges). Rounds see one example each; on their own clocks edges see each for
        {DWELL_S:g} s, {DWELL_S / ONE_WAIT_S:g} of their mean wait, where nothing else is said. p = 1 over clock-free,
        eta 1, {large} edges by outputs: {by_outputs}, all wipers beginning at tap {int(by_task["start"][0])}; p = 1 and
        then one clock-free update per edge over clock-free: {lets}.
        2x2 regression: {lab} at 16 edges, {shown(regression, ".1f")} at
        {large}; {shown(wait, ".1f")} ({len(known(dwell["final"][0, 0]))} tasks) with a dwell of one mean wait, as long
        as a round: dwell is an axis of its own. Final error with other clocks over that with exponential ones, lowest
        and highest mean of all tasks: {kinds}. Staleness: {staleness.said(stale)} The paper only conjectures that such
        edges learn.
    """


def draw(data: xr.Dataset) -> Figure:
    """The four comparisons."""
    return clockfree_plots.draw({name: section(data, name) for name in ("tasks", "clocks", "stale", "dwell")})
