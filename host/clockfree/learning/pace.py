"""Pace of the edges: what a board holds by its rehearsal, and whether edges fire as often as they were asked to."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from clockfree.learning.arming import Member
from clockfree_board.link import NUMBERS
from clockfree_model.job import Job
from clockfree_model.rates import rates_hz

MOST_DROPPED = 0.01
"""Share of its firings that an edge may drop."""
MOST_BUSY = 0.95
"""Share of its time that a board can spend on firings whatever they take."""
FLOOR_US = 2000
"""A board's link takes up to half of that at a time; a firing that is later than it was not held up by that alone."""
SIGMAS = 3.0


def floor_us(firing_us: Sequence[int]) -> int:
    """Least `late_us` of an edge on a board whose firings take so long: one that is behind others is not dropped."""
    return max(FLOOR_US, 3 * max(firing_us))


def most_load(firing_us: float, late_us: float) -> float:
    """Share of its time that a board can spend on firings, if it may drop `MOST_DROPPED` of them, late by `late_us`.

    Firings come at random, and each takes so long: a queue M/D/1, but that who is late leaves. In M/D/1 the share that
    waits longer than t is c exp(-theta t / firing_us), with load = theta / (exp(theta) - 1) and c = (1 - load) /
    (load exp(theta) - 1) [Tijms, A First Course in Stochastic Models, chapter 9]. Of these about 1 - load are dropped:
    who leaves makes room for others. Where firings take so little that a board could be busy all the time, its link has
    the rest.
    """
    if firing_us <= 2 * MOST_DROPPED / (1 - MOST_DROPPED) * late_us:  # who leaves, in the limit of load 1
        return MOST_BUSY
    least, most = 0.0, math.log(1 / MOST_DROPPED) * firing_us / late_us  # theta without either of these corrections
    for _ in range(30):
        theta = (least + most) / 2
        load = theta / math.expm1(theta)
        waits = (1 - load) / (theta / -math.expm1(-theta) - 1) * math.exp(-theta * late_us / firing_us)
        if (1 - load) * waits / (1 - load * waits) > MOST_DROPPED:
            least = theta
        else:
            most = theta
    return min(MOST_BUSY, most / math.expm1(most))


def not_held(job: Job, board: Member) -> tuple[str, float, float] | None:
    """The fastest edge of a board that cannot hold its rates: its name, firings/s asked, and firings/s it would hold.

    None where the board holds what is asked of its edges together.
    """
    asked_hz = rates_hz(job)[board.edges]
    load = float(asked_hz @ board.firing_us) / 1e6
    share = most_load(max(board.firing_us), min(board.late_us)) / load
    if share >= 1:
        return None
    fastest = int(asked_hz.argmax())
    return job.network.edge_name(board.edges[fastest]), float(asked_hz[fastest]), share * float(asked_hz[fastest])


def held_hz(board: Member) -> float:
    """Firings per second that a board holds, of all its edges together."""
    return 1e6 * most_load(max(board.firing_us), min(board.late_us)) * len(board.firing_us) / sum(board.firing_us)


class Pace:
    """How often edges fire, by their boards' own clocks.

    A board that does not fire may be in HOLD, and over a bad cable nobody knows that for seconds. So time counts as
    such in which an edge ran when its board fires again, or says that it is in RUN.

    Parameters
    ----------
    job : Job
    """

    def __init__(self, job: Job) -> None:
        self._job, self._rates_hz = job, rates_hz(job)
        self._t_us: dict[Member, int] = {}
        self._ran_us = np.zeros(len(self._rates_hz))
        self._idle_us = np.zeros(len(self._rates_hz))  # since its board last told of a firing, or of RUN
        self._fired = np.zeros(len(self._rates_hz), dtype=np.int64)
        self._last = np.zeros(len(self._rates_hz), dtype=np.int64)

    def told(self, board: Member, t_us: int, rows: list[list[int]]) -> None:
        """A board tells its ticks and what its edges have counted; the first that it tells is where it begins."""
        fired = np.array([row[1] for row in rows])
        before_us = self._t_us.get(board)
        if before_us is not None and (fired >= self._last[board.edges]).all():
            self._idle_us[board.edges] += (t_us - before_us) % NUMBERS
            self._fired[board.edges] += fired - self._last[board.edges]
            if (fired > self._last[board.edges]).any():
                self.runs(board)
        self._t_us[board] = t_us
        self._last[board.edges] = fired

    def runs(self, board: Member) -> None:
        """A board says that it is in RUN: it was, until now."""
        self._ran_us[board.edges] += self._idle_us[board.edges]
        self._idle_us[board.edges] = 0.0

    def restart(self, board: Member) -> None:
        """A board begins anew, or goes on: the time since it last fired, or said RUN, was none in which it ran."""
        self._t_us.pop(board, None)
        self._idle_us[board.edges] = 0.0

    def of(self, edge: int) -> tuple[int, float]:
        """Firings of an edge that were told of, and in how many seconds of its board's clock."""
        return int(self._fired[edge]), 1e-6 * float(self._ran_us[edge])

    def hz(self) -> np.ndarray:
        """Firings per second of each edge (E,); nan where too little was told."""
        with np.errstate(invalid="ignore"):
            return np.where(self._ran_us > 0, 1e6 * self._fired / self._ran_us, np.nan)

    def short(self) -> list[tuple[str, int, float]]:
        """Edges that have fired less than they were asked to: name, firings, and how many were due.

        Three standard deviations of a Poisson count for a run as a whole: of many edges each is given more.
        """
        normal = NormalDist()
        sigmas = -normal.inv_cdf(normal.cdf(-SIGMAS) / len(self._rates_hz))
        found = []
        for edge, rate_hz in enumerate(self._rates_hz):
            fired, ran_s = self.of(edge)
            due = rate_hz * ran_s
            if fired < (1 - MOST_DROPPED) * due - sigmas * due**0.5:
                found.append((self._job.network.edge_name(edge), fired, due))
        return found
