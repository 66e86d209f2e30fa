"""What a bench shows in HOLD as its edges are moved one at a time, all others at their middle tap.

What is wrong with one edge shows in its own moves and hardly in those of others: several faults can be told apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from clockfree.bench.resistors import Resistors
from clockfree.learning.measuring import Measured, Probe
from clockfree_model.job import Job
from clockfree_model.parts import FRONT_ENDS, POTS

LOW, MIDDLE, HIGH = range(3)
STILL = -1
"""In place of the edge that is moved, where none is."""
FREE, CLAMPED = range(2)


@dataclass(frozen=True)
class Moves:
    """What was read at K settings, offsets taken off.

    Attributes
    ----------
    taps : (3,) int
        The lowest, middle and highest tap that edges were given.
    moved, level : (K,) int
        Which edge is not at its middle tap, and where it is.
    source_V : (K, S) array
    outputs_V : (K, O) array
        Free outputs, by the supervisor; nan where its ADC did not answer.
    drops_V : (K, E, 2) array
        Free and clamped drop of each edge, with the clamp floating; nan where nobody measures them.
    offset_V : (E, 2) array
        What the drops were with every node at half the supply.
    """

    taps: np.ndarray
    moved: np.ndarray
    level: np.ndarray
    source_V: np.ndarray
    outputs_V: np.ndarray
    drops_V: np.ndarray
    offset_V: np.ndarray


def measure(job: Job, probe: Probe) -> Moves:
    """Move every edge of a bench in HOLD; all end at their middle taps.

    Raises
    ------
    BoardError
        A board does not do what it is asked.
    """
    lowest, highest = probe.limits()
    taps = np.array([max(lowest, highest // 8), (highest + 1) // 2, highest])
    edges, supply_V = len(job.network.ends), job.physics.supply_V
    probe.set_taps([int(taps[MIDDLE])] * edges)
    half_V = np.full(len(job.sources), 0.5 * supply_V)
    rest = probe.around(half_V)
    found, rows = [], []
    for moved, level, shown in _settings(job, taps):
        if moved != STILL:
            probe.move(moved, int(taps[level]))
        for source_V in shown:
            found.append(probe.around(source_V))
            rows.append((moved, level, job.physics.dac_volts(source_V)))
        if level == HIGH:
            probe.move(moved, int(taps[MIDDLE]))
    offset_V = drops(edges, rest)
    moved, level, source_V = zip(*rows)
    outputs_V = np.array([each.outputs_V for each in found]) - (rest.outputs_V - half_V[0])
    drops_V = np.array([drops(edges, each) for each in found]) - offset_V
    return Moves(taps, np.array(moved), np.array(level), np.array(source_V), outputs_V, drops_V, offset_V)


def patterns(job: Job) -> np.ndarray:
    """Voltages on the sources (S, S), V: one after another is far above the others."""
    count = len(job.sources)
    found: np.ndarray = job.physics.supply_V * (0.1 + 0.8 * np.eye(count))
    return found


def _settings(job: Job, taps: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """Edge, where it is, and sources: those with which its moves show most, on the network as it should be.

    One pattern of sources is enough where drops are measured; where only outputs are, as many as say something new.
    """
    measures = FRONT_ENDS[job.edge.front_end].measures
    ohm = job.physics.resistance(taps, POTS[job.edge.pot])
    resistors, edges = Resistors(job, measures), len(job.network.ends)
    tried, each = patterns(job), np.arange(edges)
    low, high = np.full((2, edges, edges), ohm[MIDDLE])
    low[each, each], high[each, each] = ohm[LOW], ohm[HIGH]
    shown = []
    for source_V in tried:
        all_V = np.tile(source_V, (edges, 1))
        shown.append(np.linalg.norm(resistors.seen_V(low, all_V) - resistors.seen_V(high, all_V), axis=1))
    yield STILL, MIDDLE, tried
    count = 1 if measures else max(1, len(tried) - 1)
    for edge, best in enumerate(np.argsort(-np.array(shown), axis=0, kind="stable").T):
        for level in (LOW, HIGH):
            yield edge, level, tried[best[:count]]


def drops(edges: int, found: Measured) -> np.ndarray:
    """Free and clamped drops (E, 2), V; nan where nobody measured them."""
    drops_V = np.full((edges, 2), np.nan)
    for edge, (free_V, clamped_V, _) in found.drops_V.items():
        drops_V[edge] = free_V, clamped_V
    return drops_V
