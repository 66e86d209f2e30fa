"""Independence of the edges of a run, tested on the firing times that its record holds.

What the record says is missing is left out of the test, for all edges alike. What is missing without a word, which
shows in the counters of the edges, leaves nothing to be said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from clockfree.base.errors import InputError
from clockfree.runs import runlog
from clockfree.runs.runlog import Record
from clockfree_board.link import NUMBERS
from clockfree_model import events
from clockfree_model.counters import FIRINGS
from clockfree_sim.theory.independence import Verdict, examine, pieces

FEWEST = 500
"""Mean waits; with fewer the test says more often than once in five hundred runs what is not so."""
UNTOLD = 0.02
"""Share of the counted firings that may be missing without a word: those of the last moment."""
HOLES = (events.GAP, events.HELD, events.AWAY, events.BACK, events.RESTART, events.RESET, events.RESUMED)
"""Events after which something of their board may be missing."""


@dataclass(frozen=True)
class Observed:
    """What the firings of a run say about independence.

    Attributes
    ----------
    verdict : Verdict or None
        None where nothing can be said.
    why : str
        Why not; "" where it can.
    share : float
        Share of the time that was tested: all edges were observed.
    recorded, counted : int
        Firings in the record, and counted by the edges.
    """

    verdict: Verdict | None
    why: str
    share: float
    recorded: int
    counted: int

    @property
    def independent(self) -> bool | None:
        """None is: cannot say."""
        return None if self.verdict is None else self.verdict.independent


def verdict(record: Record) -> Observed:
    """The independence test on the firings of a run, as far as all of its edges were observed.

    Raises
    ------
    InputError
        A run without a trace, or one that is too short.
    """
    edges = len(record.job.network.ends)
    rows, holes_us = _told(record)
    if not len(rows):
        raise InputError(
            f"{record.folder}: expected a run with every firing recorded, got one without: run it with --trace"
        )
    records = [np.sort(rows[rows[:, 0] == edge, 1]) for edge in range(edges)]
    counted = record.samples[-1]["counters"].get(FIRINGS, np.zeros(edges, dtype=np.int64))
    recorded = np.array([len(each) for each in records])
    seen_us, share = pieces(records, holes_us)
    total = int(counted.sum())
    told = ((1.0 - share if holes_us else 0.0) + UNTOLD) * counted + 5 * np.sqrt(counted)
    untold = counted - recorded - told
    if (untold > 0).any():
        edge = int(untold.argmax())
        why = (
            f"{counted[edge]:,} firings of {record.job.network.edge_name(edge)} were counted and {recorded[edge]:,} "
            "are recorded: more are missing than the record tells of"
        )
        return Observed(None, why, share, int(recorded.sum()), total)
    fired = [each for each in records if len(each)]
    if len(fired) < 2 <= edges:
        text = f"expected at least 2 edges that fired, got {len(fired)} of {edges}: run it for more updates"
        raise InputError(f"{record.folder}: {text}")
    try:
        return Observed(examine(fired, pieces_us=seen_us), "", share, int(recorded.sum()), total)
    except ValueError as error:
        if holes_us and share < 1.0:
            why = f"{share:.0%} of the time is left, in which all edges were observed: {error}"
            return Observed(None, why, share, int(recorded.sum()), total)
        raise InputError(f"{record.folder}: {error}") from None


def _told(record: Record) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Firings (F, 2), edge and time of the run, us, as told, and from when to when something of a board may be missing.

    A log holds what came between two samples together, and says then what is missing of it: so what is lost lies after
    the last firing of that board before these, and before its first one after them.
    """
    parts: list[np.ndarray] = []
    asked: list[tuple[list[int], int]] = []  # edges of a board, and the batch in which something of them is missing
    ends_us: list[int] = []
    for found, rows, time_us in runlog.read_batches(record.folder):
        asked.extend((list(event.get("edges", ())), len(parts)) for event in found if event["event"] in HOLES)
        after_us = (rows[:, 1] - time_us) % NUMBERS  # modulo 2**30: the firing nearest to the sample
        parts.append(np.stack([rows[:, 0], time_us + after_us - NUMBERS * (after_us > NUMBERS // 2)], axis=1))
        ends_us.append(time_us)
    rows = np.concatenate(parts) if parts else np.empty((0, 2), np.int64)
    batch = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return rows, [*_holes(rows, batch, asked, ends_us)]


def _holes(
    rows: np.ndarray, batch: np.ndarray, asked: list[tuple[list[int], int]], ends_us: list[int]
) -> Iterator[tuple[int, int]]:
    for edges, at in asked:
        mine = np.isin(rows[:, 0], edges)
        before, after = rows[mine & (batch < at), 1], rows[mine & (batch > at), 1]
        begin_us = min(before.max(), ends_us[at - 1]) if len(before) else 0
        end_us = max(after.min(), ends_us[at]) if len(after) else ends_us[-1]
        if edges:  # a supervisor fires nothing
            yield int(begin_us), int(end_us)


def as_json(seen: Observed) -> dict[str, Any]:
    """The object that `--json` prints."""
    firings = {"recorded": seen.recorded, "counted": seen.counted, "observed": seen.share}
    found = seen.verdict
    if found is None:
        return {"independent": None, "why": seen.why, **firings}
    return {
        **firings,
        "edges": found.edges,
        FIRINGS: found.firings,
        "independent": found.independent,
        "correlation": found.correlation,
        "correlation_limit": found.correlation_limit,
        "pair": list(map(int, found.pair)),
        "coincidences": int(found.coincidences),
        "coincidences_limit": int(found.coincidences_limit),
        "fano": _known(found.fano),
        "lag1": _known(found.lag1),
    }


def table(record: Record, seen: Observed) -> Table:
    """What a person sees."""
    found = seen.verdict
    if found is None:
        drawn = Table(box=None, show_header=False, pad_edge=False)
        drawn.add_row("run", str(record.folder))
        drawn.add_row("verdict", f"cannot say: {seen.why}")
        return drawn
    pair = " and ".join(record.job.network.edge_name(edge) for edge in found.pair)
    drawn = Table(box=None, show_header=False, pad_edge=False)
    for key, value in (
        ("run", f"{record.folder}: {found.edges} edges, {found.firings} firings, of the time in which all fired"),
        ("observed", f"{seen.share:.1%} of that time: the rest, in which something of an edge is missing, is left out"),
        ("correlation", f"{found.correlation:.3f} is the largest of any two edges ({pair})"),
        ("", f"{found.correlation_limit:.3f} is the 99.9th percentile of the same records, shifted at random"),
        ("coincidences", f"{found.coincidences} pairs of firings within 1 ms"),
        ("", f"{found.coincidences_limit} is the 99.9th percentile of the shifted records"),
        ("Fano factor", f"{_range(found.fano)} (1 with exponential clocks, 0 with periodic ones)"),
        ("next waits", f"{_range(found.lag1)} is their correlation (0 where they are drawn one by one)"),
        ("verdict", "independent" if found.independent else "NOT independent"),
    ):
        drawn.add_row(key, value)
    if found.firings < FEWEST * found.edges:
        drawn.add_row("", f"of fewer than {FEWEST} firings an edge: false alarms are more frequent than 1 in 500")
    return drawn


def _known(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _range(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    return f"{known.min():.2f} .. {known.max():.2f}" if len(known) else "-"
