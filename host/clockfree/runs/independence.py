"""Independence of the edges of a run, tested on the firing times that its record holds."""

from typing import Any

import numpy as np
from rich.table import Table

from clockfree.base.errors import InputError
from clockfree.runs import runlog
from clockfree.runs.runlog import Record
from clockfree_model.counters import FIRINGS
from clockfree_sim.theory.independence import Verdict, examine_firings

FEWEST = 500
"""Mean waits; with fewer the test says more often than once in five hundred runs what is not so."""


def verdict(record: Record) -> Verdict:
    """The independence test on the firings of a run, as far as all of its edges were observed.

    Raises
    ------
    InputError
        A run without a trace, or one that is too short.
    """
    rows = runlog.read_firings(record.folder)
    if not len(rows):
        raise InputError(
            f"{record.folder}: expected a run with every firing recorded, got one without: run it with --trace"
        )
    try:
        return examine_firings([rows[rows[:, 0] == edge, 1] for edge in range(len(record.job.network.ends))])
    except ValueError as error:
        raise InputError(f"{record.folder}: {error}") from None


def as_json(found: Verdict) -> dict[str, Any]:
    """The object that `--json` prints."""
    return {
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


def table(record: Record, found: Verdict) -> Table:
    """What a person sees."""
    pair = " and ".join(record.job.network.edge_name(edge) for edge in found.pair)
    drawn = Table(box=None, show_header=False, pad_edge=False)
    for key, value in (
        ("run", f"{record.folder}: {found.edges} edges, {found.firings} firings, of the time in which all fired"),
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
