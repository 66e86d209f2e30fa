"""Staleness up to 10,000 edges: whether p N and N r tau are what counts on networks of every size.

Not one of `all`, as it takes long: `make figures-large`. Few updates per edge, so that it takes no longer.
"""

from concurrent.futures import Executor

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from rich.table import Table

from clockfree_sim.paper import clockfree_plots, staleness, tasks
from clockfree_sim.paper.compare import CLOCKFREE, Case, compare, known
from clockfree_sim.paper.tasks import Kind
from clockfree_sim.theory.statistics import interval, shown

UPDATES, QUICK_UPDATES = 150, 3
KINDS = (staleness.ROUNDS, staleness.AGE)
DECISIONS = (10.0, 100.0, 1000.0, np.inf)
OUTPUTS = 3
ETA = 1.0


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Learn a task or more on each network, clock-free and with every staleness."""
    sizes = {tasks.LARGE: 24, "square:23x23": 24, "square:71x71": 8}
    if quick:
        sizes = {"square:9x9": 2, "square:15x15": 2}
    updates = QUICK_UPDATES if quick else UPDATES
    cases = [Case(Kind(network, OUTPUTS), ETA, count, updates) for network, count in sizes.items()]
    return compare(pool, cases, lambda edges: staleness.ways(edges, DECISIONS, KINDS), seed, "large")


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """Nothing by a number."""
    return {}


def table(data: xr.Dataset) -> Table:
    """What each kind costs, a row a network and kind."""
    rows = Table(title=f"final error over {CLOCKFREE}'s at decisions on one state: mean (95% interval)", box=None)
    for name in ("edges", "tasks", CLOCKFREE, "kind", *(f"{each:g}" for each in DECISIONS[:-1]), "all"):
        rows.add_column(name)
    for case, final in enumerate(data["final"]):
        alone = known(final.sel(way=CLOCKFREE))
        for kind in KINDS:
            found = dict(zip(*staleness.cost(data, case, kind), strict=True))
            at = [min(each, float(final["edges"])) for each in DECISIONS]
            cells = [shown(found[x], ".1f") if x in found and at.count(x) == 1 else "" for x in at[:-1]]
            last = shown(found[at[-1]], ".1f")
            rows.add_row(str(int(final["edges"])), str(len(alone)), f"{interval(alone)[0]:.1e}", kind, *cells, last)
    return rows


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    return f"""
        Staleness on networks of {", ".join(str(each) for each in data["edges"].values)} edges: allostery, {OUTPUTS}
        outputs, eta {ETA:g}, ideal parts, plain rule, {int(data["updates"].max())} updates per edge.
        {staleness.said(data)}
    """


def draw(data: xr.Dataset) -> Figure:
    """One panel."""
    drawn, ax = plt.subplots(figsize=(7.5, 5.5), layout="constrained")
    clockfree_plots.stale(ax, data)
    counts = ", ".join(f"{len(known(final.sel(way=CLOCKFREE)))} at {int(final['edges'])}" for final in data["final"])
    ax.set_title(
        f"allostery, {OUTPUTS} outputs, η {ETA:g}, {int(data['updates'].max())} updates per edge.\n"
        f"Tasks: {counts} edges. Geometric means over tasks, 95% intervals"
    )
    return drawn
