"""Points of the figure bias: one way to learn one kind of task, with one thing changed from the next."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clockfree_model.final import error_at
from clockfree_model.job import Job
from clockfree_model.physics import BOARD, IDEAL, Physics
from clockfree_model.settings import EdgeSettings
from clockfree_sim.paper import by_host, discrete, tasks
from clockfree_sim.paper.edges import COMPARATORS, GATED, NULLED, PLAIN, REMEDY, TRIMMED
from clockfree_sim.paper.tasks import Kind, make_task

AT = (1500, 20_000)
"""Updates per edge at which errors are taken."""
SAMPLES = (100, 400)
IMPERFECTIONS = {
    "offset": "offset_V",
    "mismatch": "mismatch",
    "noise": "noise_V",
    "nonlinearity": "adc_inl_lsb",
    "clamp error": "clamp_error_V",
    "settling": "settle_us",
}
"""Switches of the physics, by what they are."""
NONE: dict[str, Any] = dict.fromkeys([*IMPERFECTIONS.values(), "clamp_us"], 0.0)
QUIET = replace(BOARD, **NONE)
"""The board preset's supply, margin and resistors, and nothing wrong with them."""

Record = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""Updates per edge at each sample; mean error since the one before, V^2, and its time, us. Without that: errors."""


def by_kernel(job: Job) -> Record:
    """Edges, by the compiled kernel."""
    found = discrete.learnt(job)
    return found.updates, found.mean_error_V2, found.stood_us


@dataclass(frozen=True)
class Point:
    """One way to learn one kind of task.

    Attributes
    ----------
    part, name : str
        Which part of the figure it belongs to, and what is done there.
    size, other : float
        Of what is scanned there.
    kind : Kind
    count : int
        Number of tasks.
    long : bool
        Whether to go on to the last of `AT`, or to stop at the first.
    start_tap : int or None
        Where all wipers begin, if not at the start tap of the potentiometers.
    run : callable
        From a job to its record.
    """

    part: str
    name: str
    kind: Kind
    count: int
    size: float = 1.0
    other: float = 1.0
    physics: Physics = BOARD
    edge: EdgeSettings = PLAIN
    schedule: str = "clockfree"
    eta: float = 1.0
    long: bool = False
    start_tap: int | None = None
    run: Callable[[Job], Record] = by_kernel


def errors(case: tuple[Point, int]) -> list[float]:
    """Errors of a point's task with a seed at each of `AT`, V^2; nan where it was not run."""
    point, seed = case
    task = make_task(point.kind, seed, point.physics)
    updates, samples = AT[point.long], SAMPLES[point.long]
    made = discrete.job(
        task, seed, point.schedule, point.eta, point.physics, point.edge, updates=updates, samples=samples,
        start_tap=point.start_tap,
    )  # fmt: skip
    each, error_V2, stood_us = point.run(made)
    return [error_at(each, error_V2, at, stood_us=stood_us) if at <= updates else np.nan for at in AT]


SIGMA_V = 0.05
"""The paper's: sigma is drawn from U[0, 0.05 V]."""
READINGS: dict[str, dict[str, Any]] = {
    "none": {},
    **{kind: {"sigma_V": SIGMA_V, "sigma_kind": kind} for kind in ("redrawn", "fixed", "signed")},
    "centred": {"noise_V": SIGMA_V / 12**0.5},
}
"""What sigma is to the physics: `Physics.sigma_kind` and, for what is left without its mean, noise of its spread."""
SUPPLIES_V = (1.5, 5.0, 15.0, 50.0, 150.0, 500.0)
NUDGES = (0.2, 0.5, 1.0)
RULES = {"p = 1": "p=1", "p = 0.1": "p=0.1", "clock-free": "clockfree"}
START_TAPS = (1, 3, 7, 15, 31, 63, 100)
"""Where all wipers begin; on a linear track a step is 1/(tap + 1) of the resistance there."""
SIZES = (0.25, 1.0, 4.0, 16.0)
"""Of an imperfection, over that of the board preset."""
FLOORS_V, DITHERS_V = (0.0, 0.001, 0.003, 0.005, 0.008), (0.0, 0.01, 0.02, 0.04)
SUM_FLOORS_V, BARS_V = (0.0, 0.001, 0.0015, 0.002, 0.003), (0.01, 0.02, 0.04, 0.08)
LONG_EVERYWHERE = ("plain", "calibrated", "floor alone", "dither alone", "floor and dither", "remedy")
SHARES = (1.0, 0.5, 0.25, 0.125)
"""Of the inputs' range: with an eighth of it, a step of the ADC is eight times as large a part of what is measured."""


def kinds(quick: bool) -> tuple[Kind, ...]:
    """One and three outputs on 16 edges; three outputs, ten, and 2x2 regression on the larger network."""
    large = tasks.LARGE
    small = (Kind("lab16", 1), Kind("lab16", 3))
    return (*small, *((Kind(large, 3),) if quick else (Kind(large, 3), Kind(large, 10), Kind(large, 2, 16))))


def readings(quick: bool) -> Iterator[Point]:
    """Each reading of sigma, over input scale, nudge and kind of task, by each rule."""
    chosen = [(kinds(quick)[2], eta) for eta in NUDGES]
    chosen += [(kind, 0.5) for kind in (kinds(quick)[0], *kinds(quick)[3:])]
    count = 2 if quick else 8
    for kind, eta in chosen[1:2] if quick else chosen:
        for reading in READINGS:
            for supply_V in SUPPLIES_V[1:2] if quick or reading == "none" else SUPPLIES_V:
                physics = replace(IDEAL, supply_V=supply_V, **READINGS[reading])
                for name, rule in RULES.items():
                    part = f"sigma {reading}"
                    yield Point(part, name, kind, count, supply_V, eta, physics, COMPARATORS, rule, eta)


def starts(quick: bool) -> Iterator[Point]:
    """Sigma as printed, at the paper's 5 V, over where all wipers begin, at two nudges; without sigma beside it."""
    large = (kinds(quick)[2], Kind(tasks.LARGE, 2, 16))
    for reading, etas in (("none", NUDGES[-1:]), ("redrawn", NUDGES[1:])):
        physics = replace(IDEAL, **READINGS[reading])
        for kind in large[:1] if quick else large:
            for eta in etas:
                for tap in START_TAPS[::3] if quick else START_TAPS:
                    for name, rule in RULES.items():
                        part, count = f"start {reading}", 2 if quick else 24
                        yield Point(
                            part, name, kind, count, tap, eta, physics, COMPARATORS, rule, eta, start_tap=tap
                        )  # fmt: skip


def imperfections(quick: bool) -> Iterator[Point]:
    """Each imperfection alone, by the plain rule of both front ends and with what an edge can do about it."""
    kind, count = kinds(quick)[0], 2 if quick else 24
    for name, field in IMPERFECTIONS.items():
        for size in SIZES[1:2] if quick else SIZES:
            physics = replace(QUIET, **{field: size * getattr(BOARD, field)})
            for way, edge in (("comparators", COMPARATORS), ("plain", PLAIN), ("remedy", REMEDY)):
                if way != "comparators" or field != "adc_inl_lsb":
                    yield Point(name, way, kind, count, size, physics=physics, edge=edge)
    for share in SHARES[:1] if quick else SHARES:
        margin_V = 0.5 * BOARD.supply_V - share * (0.5 * BOARD.supply_V - BOARD.margin_V)
        for name, physics in (("ADC step", QUIET), ("ADC step, board", BOARD)):
            for way, edge in (("plain", PLAIN), ("remedy", REMEDY)):
                yield Point(
                    name, way, kind, count, 1 / share, physics=replace(physics, margin_V=margin_V), edge=edge
                )  # fmt: skip


def gates(quick: bool) -> Iterator[Point]:
    """Floor and dither, floor and bar of a sum, and the nudge, on the board preset."""
    kind, _, large = kinds(quick)[:3]
    scans = (("gate", FLOORS_V, DITHERS_V, GATED), ("sum", SUM_FLOORS_V, BARS_V, REMEDY))
    for each in (kind,) if quick else (kind, large):
        long = not quick and each == kind
        for part, floors_V, widths_V, edge in scans:
            for f_V in floors_V[2:3] if quick else floors_V:
                for theta_V in widths_V[2:3] if quick else widths_V:
                    scanned = replace(edge, f_V=f_V, theta_V=theta_V)
                    yield Point(part, "remedy", each, 2 if quick else 10, f_V, theta_V, edge=scanned, long=long)
    for eta in NUDGES[-1:] if quick else (0.1, *NUDGES):
        for way, edge in (("plain", PLAIN), ("remedy", REMEDY)):
            yield Point("nudge", way, kind, 2 if quick else 24, eta, edge=edge, eta=eta)


def ways(quick: bool) -> Iterator[Point]:
    """All ways to learn on the board preset, on 16 edges and on the larger network."""
    small, more, large = kinds(quick)[:3]
    shown = [(small, 24), (more, 24), (large, 12)]
    edges = {
        "comparators, plain": COMPARATORS,
        "plain": PLAIN,
        "calibrated": NULLED,
        "floor alone": replace(GATED, theta_V=0.0),
        "dither alone": replace(GATED, f_V=0.0),
        "floor and dither": GATED,
        "remedy, not calibrated": replace(REMEDY, calibrate=False),
        "remedy": REMEDY,
    }
    hosts = {"host: random perturbation": by_host.perturbation, "host: edge by edge": by_host.descent}
    for kind, count in shown:
        count = 2 if quick else count
        brief = quick and kind != small
        for name, edge in edges.items():
            long = not quick and (kind == small or name in LONG_EVERYWHERE)
            if not brief or name in ("plain", "remedy"):
                yield Point("ways", name, kind, count, edge=edge, long=long)
        if brief:
            continue
        clocked = (("plain, p = 1", PLAIN), ("floor and dither, p = 1", GATED), ("remedy, p = 1", REMEDY))
        for name, edge in clocked:
            yield Point("ways", name, kind, count, edge=edge, schedule="p=1", long=not quick and kind == small)
        for name, run in hosts.items():
            yield Point("ways", name, kind, count, run=run)
        if kind == small:
            yield Point("ways", "comparators with trim", kind, count, edge=TRIMMED, long=not quick)


def regressions(quick: bool) -> Iterator[Point]:
    """The thresholds on tasks with several examples, on the board preset."""
    edges = {"plain": PLAIN, "floor alone": replace(GATED, theta_V=0.0), "floor and dither": GATED, "remedy": REMEDY}
    for kind, count in ((Kind("lab16", 2, 4), 24), (Kind(tasks.LARGE, 2, 16), 12)):
        for name, edge in edges.items():
            if not quick:
                yield Point("regression", name, kind, count, edge=edge, long=kind.network == "lab16")


def points(quick: bool) -> list[Point]:
    """All of them."""
    return [*readings(quick), *starts(quick), *imperfections(quick), *gates(quick), *ways(quick), *regressions(quick)]
