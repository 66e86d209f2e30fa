"""Imperfections of a bench, fitted to what its calibration found: the physics that would have found as much."""

from dataclasses import replace
from typing import Any

import numpy as np

from clockfree_model.calibration import calibrate
from clockfree_model.job import Job
from clockfree_model.parts import FRONT_ENDS
from clockfree_model.physics import BOARD, Physics
from clockfree_sim.compiled.kernel import Kernel
from clockfree_sim.plant.setup import HoldOfBoards, Setup

OF_DROPS = ("offset_free_c16", "offset_clamped_c16", "mismatch", "noise_c16")
OF_PINS = ("offset_c16",)
"""Trims by the names that they have in an edge, in the order in which a board tells them."""

Places = dict[str, tuple[int, ...]]
FITTED: Places = {"offset_V": (0, 1), "mismatch": (2,), "noise_V": (3,)}
"""What calibration tells of, and the places that it has among the trims of an edge with an ADC."""
FITTED_OF_COMPARATORS: Places = {"offset_V": (0,)}
DRAWN = 128
"""Edges that are drawn to know what calibration finds of a known imperfection."""


def trims(job: Job) -> np.ndarray:
    """Trims (E, n) that the edges of a job's simulated bench find; n is 0 where the front end has none."""
    part = FRONT_ENDS[job.edge.front_end]
    if not part.trims:
        return np.zeros((len(job.network.ends), 0))
    calibrated = replace(job, schedule="clockfree", edge=replace(job.edge, calibrate=True))
    try:
        edges = Kernel(calibrated).edges.edges
    except ValueError:  # what the kernel does not have
        setup = Setup(job)
        calibrate(job, HoldOfBoards(setup))
        return np.array([board.sense.trims() for board in setup.boards], dtype=float)
    return np.stack([edges[name] for name in (OF_DROPS if part.measures else OF_PINS)], axis=1).astype(float)


def fitted(job: Job, found: np.ndarray) -> tuple[Physics, tuple[str, ...]]:
    """A job's physics with the imperfections that explain these trims (E, n), and the names of those.

    Offsets and mismatches show in how much trims differ from edge to edge, noise in its own trim. The square of each
    grows in proportion to that of the imperfection, nearly, on top of what the others leave there; both are found by
    calibrating simulated edges with and without it, so nothing here knows how a chip is read.
    """
    physics = job.physics
    if not found.shape[1]:
        return physics, ()
    places = FITTED if FRONT_ENDS[job.edge.front_end].measures else FITTED_OF_COMPARATORS
    given: dict[str, Any] = {name: getattr(physics, name) or getattr(BOARD, name) for name in places}
    usual = replace(physics, **given)
    drawn = range(-(-DRAWN // len(found)))

    def squares(physics: Physics) -> dict[str, float]:
        each = [_squares(trims(replace(job, physics=physics, seed=seed)), places) for seed in drawn]
        return {name: float(np.mean([one[name] for one in each])) for name in places}

    observed, among = _squares(found, places), squares(usual)
    values: dict[str, Any] = {}
    for name in places:
        none: dict[str, Any] = {name: 0.0}
        without = squares(replace(usual, **none))[name]
        share = (observed[name] - without) / (among[name] - without)
        values[name] = getattr(usual, name) * max(0.0, share) ** 0.5
    return replace(physics, **values), tuple(places)


def _squares(found: np.ndarray, places: Places) -> dict[str, float]:
    """Of trims, averaged over places: variance of offsets, squares of mean noise and of the median mismatch off.

    Where the drops of an edge are small its mismatch is hardly known, and would drown the others in a variance.
    """
    of = {
        "offset_V": lambda trims: np.var(trims, axis=0),
        "noise_V": lambda trims: np.mean(trims, axis=0) ** 2,
        "mismatch": lambda trims: np.median(np.abs(trims - np.median(trims, axis=0)), axis=0) ** 2,
    }
    return {name: float(np.mean(of[name](found[:, at]))) for name, at in places.items()}
