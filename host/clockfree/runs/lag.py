"""N r tau of a run: how old its decisions are, and how many are under way at once; how old its clamp is."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from clockfree_model.job import Job
from clockfree_model.lag import Lag, aimed_rarely, lag_of

OF_THIS_MACHINE = "; boards are virtual, so that age is what this machine takes, the longer the busier it is"


def lag_in(job: Job, about: Mapping[str, Any]) -> Lag | None:
    """Lag by what stands in the first line of a run's log; None where rounds say what acts together, or nobody knows.

    A decision on a board is at most as old as a firing takes there, which it measured as it rehearsed; of virtual
    boards one has, for all. Settling and clamp are those of the preset.
    """
    if "boards" not in about:
        return lag_of(job)
    told = {edge: us for board in about["boards"] for edge, us in zip(board["edges"], board.get("firing_us", ()))}
    if not told:
        return None
    usual_us = np.mean([*told.values()])
    return lag_of(job, np.array([told.get(edge, usual_us) for edge in range(len(job.network.ends))]))


def too_fast(job: Job, about: Mapping[str, Any]) -> list[str]:
    """What is said of edges that fire too often for what they decide on, or for the clamp."""
    lag = lag_in(job, about)
    costs = lag.costs() if lag else ""
    if costs and about.get("bench") == "virtual":
        costs += OF_THIS_MACHINE
    return [line for line in (costs, aimed_rarely(job)) if line]
