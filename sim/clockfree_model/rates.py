"""Rates of the edges' own clocks: on simulated boards, on virtual ones and on those of a lab."""

import numpy as np

from clockfree_model.draws import RATE, key_of, uniform
from clockfree_model.job import Job


def waits_us(job: Job, edge: int) -> tuple[int, int]:
    """Mean wait of an edge, and how late it may fire at most, us."""
    settings = job.edge
    place = uniform(key_of(job.seed, edge, RATE), 0) - 0.5 if settings.decades else 0.0
    mean_us = round(1e6 / settings.rate_hz * 10.0 ** (place * settings.decades))
    return mean_us, mean_us // 10 if settings.late_us is None else settings.late_us


def rates_hz(job: Job) -> np.ndarray:
    """Mean firings per second of each edge, (E,)."""
    return np.array([1e6 / waits_us(job, edge)[0] for edge in range(len(job.network.ends))])
