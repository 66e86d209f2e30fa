"""Bias: every way that the paper's sigma can enter, every imperfection of real parts, and what an edge can do about it.

The paper's discrete rule (eq. 10) has a bias sigma from U[0, 0.05 V], and does not say how it enters. Each reading is
scanned over the scale of the inputs and the nudge, for the benefit of p < 1 that the paper reports. Then the parts of a
real bench, one by one and together, with the plain rule, with the remedy (calibration in HOLD; in RUN drops summed over
firings up to a bar that follows the edge's own steps), with parts of it, with a dithered threshold in its place, and
with algorithms of a host that sees all outputs.
"""

from concurrent.futures import Executor
from typing import Any

import numpy as np
import xarray as xr
from rich.table import Table

from clockfree_sim.paper import remedies
from clockfree_sim.paper.bias_plots import draw
from clockfree_sim.paper.edges import GATED, REMEDY
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
from clockfree_sim.paper.tasks import POT, make_task, task_seeds
from clockfree_sim.paper.work import gather
from clockfree_sim.theory.statistics import interval, shown

__all__ = ["caption", "draw", "measure", "must_show", "table"]
WAYS = ("plain", "remedy")
LEAST, MOST = 20.0, 3.0
"""What the remedy must gain, and how much of it may be lost again."""


def measure(pool: Executor, quick: bool, seed: int) -> xr.Dataset:
    """Learn the tasks of all points; see the module."""
    points = remedies.points(quick)
    seeds = task_seeds(seed, max(point.count for point in points))
    cases = [(point, each) for point in points for each in seeds[: point.count]]
    rows = [(i, k) for i, point in enumerate(points) for k in range(point.count)]
    found = np.full((len(points), len(seeds), len(AT)), np.nan)
    for (i, k), both in zip(rows, gather(pool, remedies.errors, cases, "bias"), strict=True):
        found[i, k] = both
    edges = {kind: len(make_task(kind, 0).network.ends) for kind in {point.kind for point in points}}
    error = {"units": "V2", "long_name": "error, mean over the last fifth of the updates; nan: not run"}
    return xr.Dataset(
        {"error": (("point", "task", "at"), found, error)},
        coords={
            "part": ("point", [point.part for point in points], {"long_name": "what is scanned"}),
            "name": ("point", [point.name for point in points], {"long_name": "way to learn"}),
            "size": ("point", [point.size for point in points], {"long_name": "of what is scanned; see remedies"}),
            "other": ("point", [point.other for point in points], {"long_name": "of what is scanned beside it"}),
            "kind": ("point", [str(point.kind) for point in points], {"long_name": "kind of task"}),
            "edges": ("point", [edges[point.kind] for point in points], {"units": "1"}),
            "task": ("task", seeds, {"units": "1", "long_name": "seed of task, clocks and imperfections"}),
            "at": ("at", list(AT), {"units": "1", "long_name": "updates per edge"}),
        },
    )


def gained(data: xr.Dataset, at: int, where: Where) -> tuple[float, float, float]:
    """How many times the remedy ends below the plain rule without calibration, on the board preset."""
    return gain(data, at, "plain", "remedy", part="ways", **where)


def forgotten(data: xr.Dataset, where: Where) -> tuple[float, float, float]:
    """How many times larger the remedy's error is at the last of `AT` than at the first."""
    first, last = (errors(data, at, part="ways", name="remedy", **where) for at in AT)
    return interval(last / first)


def must_show(data: xr.Dataset) -> dict[str, bool]:
    """What the remedy gains on the board preset, and that it does not forget."""
    found = {}
    for where in places(data, "ways"):
        reached = ends(data, part="ways", name="remedy", **where)
        for at in reached:
            words = f"board, {label(where)}: remedy at least {LEAST:g} times below the plain rule at {at} updates"
            found[words] = gained(data, at, where)[0] >= LEAST
        if len(reached) > 1:
            words = f"board, {label(where)}: remedy no more than {MOST:g} times worse at {AT[1]} than at {AT[0]}"
            found[words] = forgotten(data, where)[0] <= MOST
    return found


def table(data: xr.Dataset) -> Table:
    """All ways to learn on the board preset, a row a way."""
    rows = Table(title="board preset, eta 1: geometric means and 95% intervals, V^2", box=None)
    columns = [text.format(at) for text in ("{} updates", "plain over it, {}") for at in AT]
    for name in ("network and task", "way", *columns):
        rows.add_column(name)
    for where in places(data, "ways"):
        for name in ways(data):
            if scanned(data, "size", part="ways", name=name, **where):
                chosen = {"part": "ways", "name": name, **where}
                known = [at if at in ends(data, **chosen) else None for at in AT]
                found = [shown(interval(errors(data, at, **chosen)), ".1e") if at else "-" for at in known]
                plain = ends(data, part="ways", name="plain", **where)
                gains = [
                    shown(gain(data, at, "plain", name, part="ways", **where), ".3g") if at in plain else "-"
                    for at in known
                ]
                rows.add_row(label(where), name, *found, *gains)
    return rows


def _benefit(data: xr.Dataset, **chosen: Any) -> tuple[float, float, float]:
    """How many times p = 0.1 ends below p = 1."""
    return gain(data, AT[0], "p = 1", "p = 0.1", **chosen)


def beneficial(data: xr.Dataset, reading: str, where: Where, eta: float) -> list[float]:
    """Supplies at which p = 0.1 ends below p = 1 by a reading, the interval of their ratio above 1, V."""
    chosen = {"part": f"sigma {reading}", "other": eta, **where}
    supplies = scanned(data, "size", **chosen)
    return [each for each in supplies if _benefit(data, size=each, **chosen)[1] > 1]


def verdict(data: xr.Dataset, reading: str) -> str:
    """Where p = 0.1 helps by a reading, in words."""
    main, eta = main_task(data), middle_eta(data)
    at_5 = _benefit(data, part=f"sigma {reading}", other=eta, size=5.0, **main)
    lists = [
        (f"eta {each:g}", beneficial(data, reading, main, each))
        for each in scanned(data, "other", part=f"sigma {reading}", **main)
    ]
    lists += [
        (label(where), beneficial(data, reading, where, eta))
        for where in places(data, "sigma none", other=eta)
        if where != main
    ]
    said = "; ".join(f"{name}: {', '.join(f'{each:g} V' for each in found) or 'none'}" for name, found in lists)
    return f"{reading}: {shown(at_5)} at 5 V; above 1 at {said}."


def as_the_paper(data: xr.Dataset, reading: str) -> list[float]:
    """Supplies at which a reading gives what the paper's Fig. 4d, e show of the larger network, V.

    p = 0.1 helps with few outputs, more than with the most, and on regression.
    """
    main, eta = main_task(data), middle_eta(data)
    others = [each for each in places(data, "sigma none", other=eta) if each["edges"] == main["edges"] and each != main]
    regression = [each for each in others if "regression" in each["kind"]]
    found = set(beneficial(data, reading, main, eta))
    for each in regression:
        found &= set(beneficial(data, reading, each, eta))
    for each in (each for each in others if each not in regression):
        few, many = (
            {size: _benefit(data, part=f"sigma {reading}", other=eta, size=size, **where)[0] for size in found}
            for where in (main, each)
        )
        found &= {size for size in found if few[size] > many[size]}
    return sorted(found)


def caption(data: xr.Dataset) -> str:
    """What was run, what was found."""
    main, eta = main_task(data), middle_eta(data)
    without = _benefit(data, part="sigma none", other=eta, **main)
    readings = [each for each in remedies.READINGS if each != "none"]
    like = [(each, as_the_paper(data, each)) for each in readings]
    found = "; ".join(f"{each} at {', '.join(f'{size:g}' for size in sizes)} V" for each, sizes in like if sizes)
    count = len(errors(data, AT[0], part="sigma none", name="p = 1", other=eta, **main))
    tasks = ", ".join(
        f"{len(errors(data, AT[0], **_remedy(where)))} on {label(where)}" for where in places(data, "ways")
    )  # fmt: skip
    gains = "; ".join(
        f"{label(where)}: "
        + ", ".join(f"{shown(gained(data, at, where), '.3g')} at {at}" for at in ends(data, **_remedy(where)))
        for where in places(data, "ways")
    )
    forgets = ", ".join(
        shown(forgotten(data, where)) for where in places(data, "ways") if len(ends(data, **_remedy(where))) > 1
    )
    return f"""
        Upper row: eq. 10 with sigma from U[0, {SIGMA_V:g} V], comparators that are otherwise ideal, {AT[0]} updates per
        edge, {count} teacher tasks a point. Sigma is read as redrawn at each decision on the magnitudes (as
        printed), fixed per edge on the magnitudes, a signed fixed offset per comparator, or centred: noise of the same
        spread. The supply is the scale of the inputs. Error at p = 1 over that at p = 0.1, eta {eta:g}, {label(main)}:
        {shown(without)} without sigma. {" ".join(verdict(data, each) for each in readings)} ("Above 1" is an interval
        above 1.) A benefit with 3 outputs that is smaller with 10 and is there on regression, as in the paper's Fig.
        4d, e: {found or "with none of these"}. {_scale(like)} {_starts(data)}
        Lower row and right: board preset with MCP3204 (3.3 V), eta 1, all of it, time constants included; tasks:
        {tasks}. The remedy is calibration in HOLD, and q summed over firings, less f {1e3 * REMEDY.f_V:g} mV
        (or the edge's own noise, if that is more) at each, up to a bar: {1e3 * REMEDY.theta_V:g} mV at most,
        halved by each step the same way as the last, doubled by each the other way. Floor and dither: a step where |q|
        exceeds f {1e3 * GATED.f_V:g} mV and U[0, {1e3 * GATED.theta_V:g} mV]. Plain: the rule with
        nothing. Times that the remedy ends below plain: {gains}; below floor and dither: {_sums(data)}.
        Error of the remedy at {AT[1]} over that at {AT[0]} updates: {forgets or "not run"}.
        {_fair(data)} {_better(data)}
        The host's algorithms are for comparison: it sees all outputs at once, with an ADC that has 12 bits and no
        noise, and no two wipers move between two readings; a trial counts as a firing. {_alone(data)}
        {_gates(data)} {_nudges(data)}
    """


def _starts(data: xr.Dataset) -> str:
    """What the start does to the benefit, with sigma as printed and without."""
    said = []
    for reading in ("redrawn", "none"):
        for where in places(data, f"start {reading}"):
            for eta in scanned(data, "other", part=f"start {reading}", **where):
                chosen = {"part": f"start {reading}", "other": eta, **where}
                gains = ", ".join(
                    f"{tap:g}: {shown(_benefit(data, size=tap, **chosen), '.3g')}"
                    for tap in scanned(data, "size", **chosen)
                )
                name = "eq. 10 as printed" if reading == "redrawn" else "no sigma"
                said.append(f"{label(where)}, eta {eta:g}, {name}: {gains}")
    return f"""Start and nudge decide as much as the reading: at 5 V, p = 1 over p = 0.1 with all taps beginning at
        {"; ".join(said)}. All else begins at tap {POT.start_tap}."""


FAIR = ("calibrated", "floor alone", "remedy")


def _fair(data: xr.Dataset) -> str:
    """What each part of the remedy gains by itself."""
    said = []
    for where in places(data, "ways"):
        for at in ends(data, part="ways", name="plain", **where):
            gains = ", ".join(
                f"{name} {shown(gain(data, at, 'plain', name, part='ways', **where), '.3g')}"
                for name in FAIR
                if scanned(data, "size", part="ways", name=name, **where)
                and at in ends(data, part="ways", name=name, **where)
            )
            said.append(f"{label(where)}, {at} updates: {gains}")
    return f"""Fairly, times below plain by calibration alone, by calibration and a constant floor of
        {1e3 * GATED.f_V:g} mV (floor alone), and by the remedy: {"; ".join(said)}."""


def _scale(like: list[tuple[str, list[float]]]) -> str:
    """What it means for the paper's bench."""
    least_V = min((sizes[0] for _, sizes in like if sizes), default=np.inf)
    if least_V <= 5.0:
        return ""
    share = f"sigma is at most {SIGMA_V / least_V:.0e} of the inputs there" if np.isfinite(least_V) else "none does"
    return f"At 5 V, with sigma up to {SIGMA_V / 5.0:.0%} of the inputs, no reading gives it; {share}."


def _remedy(where: Where) -> Where:
    return {"part": "ways", "name": "remedy", **where}


def _alone(data: xr.Dataset) -> str:
    """What each imperfection does alone, at the size of the board preset."""
    said, costs = [], []
    for name in remedies.IMPERFECTIONS:
        plain, remedy = (interval(errors(data, AT[0], part=name, name=way, size=1.0))[0] for way in WAYS)
        said.append(f"{name} {plain:.1e} and {remedy:.1e}")
        if plain < remedy:
            costs.append(name)
    more = (
        f" The floor costs something where little is wrong: plain ends lower with {', '.join(costs)}." if costs else ""
    )
    return f"Each imperfection alone, 16 edges, plain and remedy, V^2: {', '.join(said)}.{more}"


def _gates(data: xr.Dataset) -> str:
    """The best floor and dither, and floor and bar of sums, of the scans."""
    said = []
    for part, where in [(scan, each) for scan in ("gate", "sum") for each in places(data, scan)]:
        chosen = {"part": part, **where}
        floors, dithers = (scanned(data, each, **chosen) for each in ("size", "other"))
        for at in ends(data, size=floors[0], other=dithers[0], **chosen):
            mean_V2, f_V, theta_V = min(
                (interval(errors(data, at, size=f_V, other=theta_V, **chosen))[0], f_V, theta_V)
                for f_V in floors
                for theta_V in dithers
            )
            width = "theta" if part == "gate" else "bar"
            best = f"{mean_V2:.1e} with f {f_V * 1e3:g} mV, {width} {theta_V * 1e3:g} mV"
            said.append(f"{label(where)}, {at} updates: {best}")
    return f"Lowest of the scans, V^2: {'; '.join(said)}."


def _sums(data: xr.Dataset) -> str:
    """How many times the remedy ends below floor and dither, on all kinds of tasks."""
    said = []
    for part in ("ways", "regression"):
        for where in places(data, part):
            chosen = {"part": part, **where}
            if scanned(data, "size", name="floor and dither", **chosen):
                both = ends(data, name="floor and dither", **chosen)
                gains = (f"{shown(gain(data, at, 'floor and dither', 'remedy', **chosen))} at {at}" for at in both)
                said.append(f"{label(where)}: {', '.join(gains)}")
    return "; ".join(said)


def _nudges(data: xr.Dataset) -> str:
    """What the nudge and the range of the inputs do to the remedy."""
    (etas, by_eta), (times, by_range) = (
        curve(data, "size", AT[0], part=part, name="remedy") for part in ("nudge", "ADC step, board")
    )
    said = ", ".join(f"{error:.1e} at eta {eta:g}" for eta, error in zip(etas, by_eta[0], strict=True))
    more = ", ".join(f"{error:.1e} at 1/{n:g}" for n, error in zip(times, by_range[0], strict=True))
    return f"The remedy, 16 edges, 1 output, V^2: {said}; with inputs that use a part of the ADC's range: {more}."


def _better(data: xr.Dataset) -> str:
    """Ways that end below the remedy, with intervals that exclude 1."""
    said = []
    for where in places(data, "ways"):
        for at in ends(data, **_remedy(where)):
            names = [
                name
                for name in ways(data)
                if name != "remedy"
                and scanned(data, "size", part="ways", name=name, **where)
                and at in ends(data, part="ways", name=name, **where)
                and gain(data, at, "remedy", name, part="ways", **where)[1] > 1
            ]
            if names:
                said.append(f"{label(where)}, {at} updates: {', '.join(names)}")
    return f"Lower than the remedy end, with intervals that exclude 1: {'; '.join(said) or 'none'}."
