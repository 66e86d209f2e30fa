"""One measurement on an emulated Pico: what a board does of a rate that it is asked for."""

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from clockfree_board import clock
from clockfree_board.rule import MEMORY, SECOND, from_bits, from_q, from_total, q_of
from tests.emulator.lab import RUN_ID, SEED, Firing, Lab

REPORT_MS = 100
LOWEST, HIGHEST, START = 2, 127, 64


@dataclass(frozen=True)
class Found:
    """What a board did; times in us.

    Attributes
    ----------
    fired, dropped : int
    age_us, late_us : (M,) array
        Decision ages; lateness of every firing, empty where some were dropped.
    lines, due : int
        Lines of telemetry, and how many were due.
    wrong : int
        Firings that did not go as the rule has it.
    waits : (M,) array
        Time from one firing of an edge to its next, over the mean that was asked for; empty where some were dropped.
    crossed : bool
        The board's ticks began anew meanwhile.
    """

    fired: int
    dropped: int
    age_us: np.ndarray
    late_us: np.ndarray
    lines: int
    due: int
    wrong: int
    waits: np.ndarray
    crossed: bool

    @property
    def share(self) -> float:
        """Share of the firings that were dropped."""
        return self.dropped / max(1, self.fired + self.dropped)


def measure(lab: Lab, rate_hz: float, late_us: int, seconds: float, bar_c16: int = 0) -> Found:
    """Let a board that is in HOLD run for so long, with the host's telemetry and its status each second.

    Its timer is set so that the board's ticks, its lower 30 bits, begin anew on the way.
    """
    lab.arm(rate_hz, late_us, bar_c16)
    lab.ask("report", REPORT_MS, 0)
    lab.begin()
    lab.approach(2 * clock.HALF - 0.5e6 * seconds)
    lab.ask("run", RUN_ID)
    told, bad = len(lab.telemetry), len(lab.texts)
    lab.beat(True)
    lab.run_us(1e6 * seconds)
    lab.beat(False)
    lines = len(lab.telemetry) - told
    told_us = [message[2] for message in lab.telemetry[told:] if message[0] == "edges"]
    assert len(lab.texts) == bad, lab.texts[bad:]
    lab.ask("hold")
    lab.ask("report", 0, 0)
    rows = lab.status()
    dropped = sum(row["dropped"] for row in rows)
    firings = [firing for edge in lab.edges for firing in edge.firings]
    late: list[float] = []
    waits: list[float] = []
    for i, edge in enumerate(lab.edges):
        if not rows[i]["dropped"]:
            late += lateness(edge.firings, rate_hz, i)
            waits += [1e-6 * rate_hz * (b.look_us - a.look_us) for a, b in pairwise(edge.firings)]
    return Found(
        sum(row["firings"] for row in rows),
        dropped,
        np.array([firing.age_us for firing in firings if firing.age_us is not None]),
        np.array(late),
        lines,
        int(1000 * seconds / REPORT_MS),
        sum(not_by_the_rule(edge.firings, bar_c16, lab.measures) for edge in lab.edges),
        np.array(waits),
        bool(told_us) and max(told_us) > clock.HALF > min(told_us),
    )


def lateness(firings: list[Firing], rate_hz: float, edge: int) -> list[float]:
    """How late the board began to look at each firing, us, where it has dropped none.

    An edge may not fire before it is due by the board's clock, and hardly later where nothing else is to do: the least
    that it was late by what it read of the clock is zero, but for the grain of that.
    """
    state = [0] * clock.SIZE
    clock.seed(state, *SEED, edge)
    clock.configure(state, clock.EXPONENTIAL, round(1e6 / rate_hz))
    due_us = list(accumulate(clock.wait_us(state) for _ in firings))
    if not firings:
        return []
    began_us = min(firing.clocked_us - at_us for firing, at_us in zip(firings, due_us))
    return [firing.look_us - began_us - at_us for firing, at_us in zip(firings, due_us)]


def not_by_the_rule(firings: list[Firing], bar_c16: int, measures: bool) -> int:
    """How many firings left another tap than the rule says."""
    tap, wrong, memory = START, 0, [0] * MEMORY
    for firing in firings:
        if not measures:
            step = from_bits(*firing.seen)
        elif bar_c16:
            step = from_total(memory, q_of(*firing.seen, SECOND), 0, bar_c16)
        else:
            step = from_q(q_of(*firing.seen, SECOND), 0)
        tap = max(LOWEST, min(HIGHEST, tap + step))
        wrong += not (firing.free_tap == firing.clamped_tap == tap)
        tap = firing.free_tap
    return wrong
