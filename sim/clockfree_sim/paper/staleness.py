"""Staleness of what an edge decides on: ways to learn with as many decisions on one outdated state, however made.

In a round with chance p, p N edges decide on the same state. Where each fires by itself, r times a second, N r tau
others do while something lags by tau: the wipers behind the decision (age), the nodes behind the wipers (settling), or
the clamp behind the free outputs (latency).

The two are not the same number: of the others in its round an edge misses those that step before it, half of them on
average, but of the others within its age all. As much staleness takes twice as many decisions in a round.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from clockfree_model.physics import IDEAL
from clockfree_model.settings import EdgeSettings
from clockfree_sim.paper.compare import CLOCKFREE, known, rule_of
from clockfree_sim.theory.statistics import interval, shown

RATE_HZ = EdgeSettings().rate_hz
ROUNDS, AGE, SETTLING, LATENCY = "p", "age", "settling", "latency"
LAGS = {
    AGE: lambda us: replace(IDEAL, age_us=us),
    SETTLING: lambda us: replace(IDEAL, settle_us=float(us)),
    LATENCY: lambda us: replace(IDEAL, clamp_us=float(us)),
}
FEWEST = {ROUNDS: 1 / 400}
"""Least share of the edges in a round: below it rounds are so many that drawing who takes part is all the work."""
MOST = {SETTLING: 500, LATENCY: 500}
"""Most edges of what takes long: with voltages that lag, every step and reading is one of all nodes."""


def ways(edges: int, stale: tuple[float, ...], kinds: tuple[str, ...]) -> dict[str, Mapping[str, Any] | None]:
    """Clock-free as it is, and each kind of staleness at each of these numbers of decisions; all edges are the most.

    The last of `stale` may be infinite: there, all of them do.
    """
    found: dict[str, Mapping[str, Any] | None] = {CLOCKFREE: {}}
    for kind in kinds:
        for decisions in stale:
            share = min(decisions, edges) / edges
            settings: Mapping[str, Any] | None
            too_many = decisions >= edges and decisions != stale[-1]
            if too_many or share < FEWEST.get(kind, 0.0) or edges > MOST.get(kind, edges):
                settings = None
            elif kind == ROUNDS:
                settings = rule_of(share)
            else:
                lag_us = round(share / RATE_HZ * 1e6)
                settings = {"physics": LAGS[kind](lag_us)}
            found[name(kind, decisions)] = settings
    return found


def name(kind: str, decisions: float) -> str:
    """Of a way."""
    return f"{kind}, {decisions:g}"


def cost(data: xr.Dataset, case: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """What staleness of a kind costs on a case: decisions on one state (n,), and the error over clock-free's (n, 3)."""
    final = data["final"][case]
    at, found = [], []
    for way in final["way"].values:
        if str(way).startswith(f"{kind}, ") and len(known(final.sel(way=way))):
            at.append(min(float(str(way).rpartition(" ")[2]), float(final["edges"])))
            found.append(interval(known(final.sel(way=way) / final.sel(way=CLOCKFREE))))
    return np.array(at), np.array(found)


def shift(data: xr.Dataset, case: int, kind: str) -> float:
    """How many times more decisions a round may have at the same cost as a lag: geometric mean over the lag's points.

    Read off the straight lines, in logarithms, between the points of rounds; nan where none of the costs is met there.
    """
    rounds, per_round = cost(data, case, ROUNDS)
    lags, per_lag = cost(data, case, kind)
    if not len(rounds) or not len(lags):
        return np.nan
    costs = np.maximum.accumulate(per_round[:, 0])
    inside = (per_lag[:, 0] > costs[0]) & (per_lag[:, 0] <= costs[-1])
    if not inside.any():
        return np.nan
    same = np.interp(np.log(per_lag[inside, 0]), np.log(costs), np.log(rounds))
    return float(np.exp(np.mean(same - np.log(lags[inside]))))


SAID = (1.0, 10.0, 100.0)
"""Decisions at which the cost is put into words."""


def said(data: xr.Dataset) -> str:
    """What staleness costs on each network, in a sentence or two."""
    sentences = []
    for decisions in SAID:
        for what, kind in (("p N", ROUNDS), ("N r tau by age", AGE)):
            each = []
            for case, edges in enumerate(data["edges"].values.tolist()):
                at, found = cost(data, case, kind)
                each += [f"{edges} edges {shown(found[i], '.1f')}" for i in np.flatnonzero(np.isclose(at, decisions))]
            sentences.append(f"{what} = {decisions:g}: {', '.join(each)}")
    shifts = []
    for case, edges in enumerate(data["edges"].values.tolist()):
        by_kind = {kind: shift(data, case, kind) for kind in LAGS if len(cost(data, case, kind)[0])}
        shifts.append(f"{edges} edges " + ", ".join(f"{kind} {each:.1f}" for kind, each in by_kind.items()))
    return f"""
        final error over clock-free's at {"; ".join(sentences)}. How many times more decisions of a round cost as much
        as one made while something lags (p N over N r tau; nan: at no cost that rounds have): {"; ".join(shifts)}.
    """
