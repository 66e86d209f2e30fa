"""Points of the figure overclamp: an edge and a clamp, of the first or the second order, on one kind of task."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clockfree_model.final import error_at
from clockfree_model.physics import BOARD, Physics
from clockfree_model.settings import NUDGE, OVERCLAMP, ClampSettings, EdgeSettings
from clockfree_sim.compiled import batch
from clockfree_sim.paper import discrete, edges, tasks
from clockfree_sim.paper.edges import COMPARATORS
from clockfree_sim.paper.limits import TEACHER, UNIFORM, Run
from clockfree_sim.paper.tasks import Kind, make_task, task_seeds

AT = (1500, 20_000)
"""Updates per edge at which errors are taken."""
SAMPLES = (100, 400)
LOST_V2 = 1e-4
"""A run that ends above this has not learnt its task."""

NUDGED = ClampSettings(NUDGE, eta=1.0)
COARSE = ClampSettings(OVERCLAMP, amplitude_V=0.5)
"""For edges that are not calibrated."""
FINE = ClampSettings(OVERCLAMP, tolerance_V=0.001)
GAIN = replace(FINE, gain=10.0)
"""A clamp that grows with the error up to its amplitude, for tasks that cannot be met."""

TRIMMED = replace(COMPARATORS, front_end="trimmed", f_V=0.02)
CALIBRATED = replace(edges.NULLED, f_V=0.02)

Way = tuple[EdgeSettings, ClampSettings]
NUDGES: dict[str, Way] = {
    "ADC, nudge": (edges.PLAIN, NUDGED),
    "ADC calibrated, summed, nudge": (edges.REMEDY, NUDGED),
    "trimmed, calibrated, dithered, nudge": (edges.TRIMMED, NUDGED),
    "two bits, nudge": (COMPARATORS, NUDGED),
}
OVERCLAMPS: dict[str, Way] = {
    "ADC, overclamp": (replace(edges.PLAIN, f_V=0.03), COARSE),
    "ADC calibrated, overclamp": (CALIBRATED, FINE),
    "ADC calibrated, summed, overclamp": (edges.REMEDY, FINE),
    "ADC calibrated, overclamp, gain 10": (replace(CALIBRATED, f_V=0.006), GAIN),
    "ADC summed, overclamp, gain 10": (replace(CALIBRATED, f_V=0.006, theta_V=0.04, summed=True), GAIN),
    "trimmed, overclamp": (TRIMMED, replace(COARSE, amplitude_V=0.3)),
    "two bits, overclamp": (COMPARATORS, replace(COARSE, amplitude_V=0.3)),
}
WAYS = NUDGES | OVERCLAMPS
"""Each is run with edges of either order; nothing but the ADCs and trims said to be is calibrated."""
UNCALIBRATED, TIGHT, TRIM = "ADC, overclamp", "ADC calibrated, overclamp", "trimmed, overclamp"
TODAY, GAINED = "ADC calibrated, summed, nudge", "ADC calibrated, overclamp, gain 10"
CHOSEN = "ADC summed, overclamp, gain 10"
"""What the `board` preset has."""
HELD = (TODAY, UNCALIBRATED, TIGHT, GAINED, CHOSEN)
"""Those that are tried near capacity."""
LASTING = {TODAY: 2, UNCALIBRATED: 1, TIGHT: 1, CHOSEN: 1}
"""Those that go on for long on 16 edges, and the order of the edges."""

Scans = dict[str, tuple[str, tuple[Any, ...]]]
"""Of what is scanned the setting, and its values."""
PHYSICS_SCANS: Scans = {
    "offset": ("offset_V", (0.001, 0.005, 0.01, 0.02)),
    "noise": ("noise_V", (0.0005, 0.002, 0.005)),
    "mismatch": ("mismatch", (0.002, 0.01, 0.05)),
    "clamp error": ("clamp_error_V", (0.0005, 0.005, 0.02)),
    "latency": ("clamp_delay_us", (0, 3000, 9000)),
}
CLAMP_SCANS: Scans = {
    "amplitude": ("amplitude_V", (0.1, 0.3, 0.5, 1.0)),
    "tolerance": ("tolerance_V", (0.001, 0.002, 0.003, 0.005)),
    "refresh": ("refresh_s", (0.01, 0.025, 0.1, 0.4)),
}
PROMPT = replace(BOARD, clamp_delay_us=0)
"""Where one thing at a time is scanned; the clamp's latency is one of them."""
FLOORS_V = (0.005, 0.01, 0.02, 0.03, 0.05)


@dataclass(frozen=True)
class Point:
    """One way to learn one kind of task, with several seeds of clocks and imperfections each.

    Attributes
    ----------
    part, name : str
        Which part of the figure it belongs to, and what is done there.
    size : float
        Of what is scanned there.
    kind : Kind
    count, clocks : int
        Number of tasks, and of seeds of each.
    long : bool
        Whether to go on to the last of `AT`, or to stop at the first.
    targets : str
        Where desired voltages come from; see `limits`.
    """

    part: str
    name: str
    kind: Kind
    count: int
    edge: EdgeSettings
    clamp: ClampSettings
    clocks: int = 1
    size: float = 0.0
    long: bool = False
    physics: Physics = BOARD
    targets: str = TEACHER


def ended(case: tuple[Point, int]) -> tuple[np.ndarray, np.ndarray]:
    """Errors of a point's task at each of `AT` (clocks, 2), V^2, nan where not run; edges at the top tap (clocks,).

    The second is a share.
    """
    point, seed = case
    updates, samples = AT[point.long], SAMPLES[point.long]
    if point.targets == TEACHER:
        task = make_task(point.kind, seed, point.physics)
    else:
        task = Run(point.kind, point.targets, seed, updates, False).task
    job = discrete.job(task, seed, physics=point.physics, edge=point.edge, updates=updates, samples=samples)
    found = batch.run(replace(job, clamp=point.clamp), task_seeds(seed, point.clocks))
    errors_V2 = np.array(
        [
            [error_at(found.updates, mean_V2, at, stood_us=us) if at <= updates else np.nan for at in AT]
            for mean_V2, us in zip(found.mean_error_V2, found.stood_us, strict=True)
        ]
    )
    return errors_V2, np.mean(found.taps == tasks.POT.highest, axis=1)


def kinds(quick: bool) -> tuple[Kind, ...]:
    """One and three outputs on 16 edges, three on the larger network."""
    small = (Kind("lab16", 1), Kind("lab16", 3))
    return small[1:] if quick else (*small, Kind(tasks.LARGE, 3))


def ways(quick: bool) -> Iterator[Point]:
    """Every way with edges of either order, on each kind of task."""
    names = (TODAY, UNCALIBRATED) if quick else tuple(WAYS)
    for kind in kinds(quick):
        clocks = 4 if kind.network == "lab16" and not quick else 1
        for name in names:
            edge, clamp = WAYS[name]
            for order in (2, 1):
                long = not quick and kind.network == "lab16" and LASTING.get(name) == order
                told = replace(edge, order=order)
                yield Point("ways", name, kind, 2 if quick else 24, told, clamp, clocks, order, long)


def sensitivity(quick: bool) -> Iterator[Point]:
    """What matters to an uncalibrated edge of the first order under an overclamp, one thing at a time."""
    edge, clamp = WAYS[UNCALIBRATED]
    edge = replace(edge, order=1)
    kind, count, clocks = Kind("lab16", 3), 2 if quick else 24, 1 if quick else 2
    for f_V in FLOORS_V[2:4] if quick else FLOORS_V:
        told = replace(edge, f_V=f_V)
        yield Point("floor", UNCALIBRATED, kind, count, told, clamp, clocks, f_V, physics=PROMPT)
    if quick:
        return
    for name, (field, values) in PHYSICS_SCANS.items():
        for value in values:
            physics = replace(PROMPT, **{field: value})
            yield Point(name, UNCALIBRATED, kind, count, edge, clamp, clocks, value, physics=physics)
    for name, (field, values) in CLAMP_SCANS.items():
        for value in values:
            aimed = replace(clamp, **{field: value})
            yield Point(name, UNCALIBRATED, kind, count, edge, aimed, clocks, value, physics=PROMPT)


def capacity(quick: bool) -> Iterator[Point]:
    """Near capacity and beyond: many outputs, many examples, and voltages that nobody showed to be within reach."""
    if quick:
        return
    for kind, targets in (
        (Kind(tasks.LARGE, 10), TEACHER),
        (Kind(tasks.LARGE, 2, 16), TEACHER),
        (Kind(tasks.LARGE, 3), UNIFORM),
    ):
        for name in HELD:
            edge, clamp = WAYS[name]
            told = replace(edge, order=2 if name == TODAY else 1)
            yield Point("capacity", name, kind, 24, told, clamp, 4, told.order, targets=targets)


def points(quick: bool) -> list[Point]:
    """All of them."""
    return [*ways(quick), *sensitivity(quick), *capacity(quick)]
