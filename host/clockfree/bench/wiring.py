"""Wiring of a bench, checked in HOLD before anything is learnt: each board has to be at the edge that its file says.

Two looks, at a few settings of taps and sources. *Drops* have to fit some voltages of the nodes (Kirchhoff's voltage
law), whatever the resistances are: boards at each other's edges, or one the wrong way round, do not. *Outputs* have to
be those of the network at the taps that were set: this finds potentiometers at each other's edges, and is all that
there is where edges know two bits alone. What is read with every node at half the supply is taken off as offset.

Two edges in series, or two that no output depends on, look alike from everywhere: nothing that is measured or learnt
tells them apart, but for the names.
"""

from dataclasses import dataclass

import numpy as np

from clockfree.learning.measuring import Measured, Probe
from clockfree_model.job import Job
from clockfree_model.parts import FRONT_ENDS, POTS
from clockfree_sim.circuit.direct import laplacian

SETTINGS = 16
"""Settings of all taps and sources; half of them are enough where drops are measured."""
DROP_CODES, OUTPUT_CODES = 6, 2
"""What drops, and outputs, may be off, in steps of an ADC: INL and noise of one reading of an edge's own converter, a
Pico's own being worse; the supervisor's is better."""
CLEARER = 3.0
"""An exchange explains outputs that leaves so many times less of what is off: chips differ by a fifth of their R_AB."""


@dataclass(frozen=True)
class Readings:
    """What was measured at K settings, offsets taken off.

    Attributes
    ----------
    taps : (K, E) int
    source_V : (K, S) array
    outputs_V : (K, O) array
        Of the free twin; nan where the supervisor's ADC did not answer.
    rows_V : (K, E, 3) array
        Drop, tail and head of each edge in the free twin; nan where nobody measures it.
    """

    taps: np.ndarray
    source_V: np.ndarray
    outputs_V: np.ndarray
    rows_V: np.ndarray


@dataclass(frozen=True)
class Wiring:
    """What the readings say.

    Attributes
    ----------
    problem : str
        What does not fit, and what would; "" where all fits.
    drops_V, outputs_V : float
        What drops, and outputs, are off, rms over settings: the worst edge, and all outputs; nan where unknown.
    """

    problem: str
    drops_V: float
    outputs_V: float


def measure(job: Job, probe: Probe, taps: np.ndarray) -> Readings:
    """Readings of a bench in HOLD; its taps are put back.

    Raises
    ------
    BoardError
        A board does not do what it is asked.
    """
    edges, supply_V = len(job.network.ends), job.physics.supply_V
    random = np.random.default_rng([job.seed, edges, SETTINGS])
    settings = SETTINGS // 2 if FRONT_ENDS[job.edge.front_end].measures else SETTINGS
    lowest, highest = probe.limits()
    # Resistances apart by factors, and sources far apart: what is exchanged shows.
    low = np.log(max(lowest, highest // 32) + 1.0)
    moved = np.rint(np.exp(random.uniform(low, np.log(highest + 1.0), (settings, edges))) - 1.0).astype(int)
    order = np.argsort(random.random((settings, len(job.sources))), axis=1)
    source_V = np.array(supply_V * (0.1 + 0.8 * order / max(1, len(job.sources) - 1)))
    half_V = np.full(len(job.sources), 0.5 * supply_V)
    rest = probe.around(half_V)
    found = []
    try:
        for tried, volts in zip(moved, source_V):
            probe.set_taps(tried.tolist())
            found.append(probe.around(volts))
    finally:
        probe.set_taps(taps.tolist())
        probe.release()
    zero = _rows(edges, rest) - np.array([0.0, half_V[0], half_V[0]])
    given_V: np.ndarray = job.physics.dac_volts(source_V)
    return Readings(
        moved,
        given_V,
        np.array([each.outputs_V for each in found]) - (rest.outputs_V - half_V[0]),
        np.array([_rows(edges, each) for each in found]) - zero,
    )


def _rows(edges: int, found: Measured) -> np.ndarray:
    rows_V = np.full((edges, 3), np.nan)
    for edge, (free_V, _, _) in found.drops_V.items():
        rows_V[edge] = [free_V, *found.ends_V.get(edge, (np.nan, np.nan))]
    return rows_V


def judge(job: Job, readings: Readings) -> Wiring:
    """What readings say of the wiring."""
    name = job.network.edge_name
    code_V = job.physics.supply_V / 4096
    drops_V, drops_text = _drops(job, readings, DROP_CODES * code_V)
    outputs_V, pair, left_V = _outputs(job, readings)
    problem = drops_text
    if not problem and outputs_V > OUTPUT_CODES * code_V and left_V < outputs_V / CLEARER:
        problem = (
            f"{name(pair[0])} and {name(pair[1])} are exchanged, by what happens when taps move: the outputs are "
            f"{1e3 * outputs_V:.3g} mV off, and {1e3 * left_V:.3g} mV with the two exchanged"
        )
    return Wiring(problem, drops_V, outputs_V)


def _drops(job: Job, readings: Readings, most_V: float) -> tuple[float, str]:
    """How far drops are from any voltages of the nodes (rms over settings, the worst edge), and what is wrong."""
    known = ~np.isnan(readings.rows_V).any(axis=0)  # (E, 3)
    if not known.any():
        return float("nan"), ""
    network, nodes = job.network, len(job.network.nodes)
    name = network.edge_name
    matrix = np.zeros((len(network.ends), 3, nodes))
    index = np.arange(len(network.ends))
    tail, head = network.ends.T
    matrix[index, 0, tail] = matrix[index, 1, tail] = matrix[index, 2, head] = 1.0
    matrix[index, 0, head] = -1.0
    held, held_V = list(job.sources), readings.source_V
    if np.isfinite(readings.outputs_V).all():
        held, held_V = held + list(job.targets), np.hstack([held_V, readings.outputs_V])
    free = [node for node in range(nodes) if node not in held]
    rows = known.ravel()
    flat = matrix.reshape(-1, nodes)[rows]
    basis, singular, _ = np.linalg.svd(flat[:, free], full_matrices=False)
    basis = basis[:, singular > 1e-9]

    def off_V(rows_V: np.ndarray) -> np.ndarray:
        """What is left of readings (K, E, 3), over settings (rows,), rms."""
        left = rows_V.reshape(len(rows_V), -1)[:, rows] - held_V @ flat[:, held].T
        left = left - (left @ basis) @ basis.T
        return np.sqrt((left**2).mean(axis=0))

    readings_V = np.nan_to_num(readings.rows_V)
    off = off_V(readings_V)
    worst_V = float(off.max())
    if worst_V <= most_V:
        return worst_V, ""
    tried = []
    measured = [int(edge) for edge in np.flatnonzero(known.any(axis=1))]
    for i, edge in enumerate(measured):
        other = readings_V.copy()
        other[:, edge] = other[:, edge] * [-1, 1, 1]
        other[:, edge, 1:] = other[:, edge, :0:-1]
        tried.append((float(off_V(other).max()), f"{name(edge)} is the wrong way round"))
        for also in measured[i + 1 :]:
            other = readings_V.copy()
            other[:, [edge, also]] = other[:, [also, edge]]
            tried.append((float(off_V(other).max()), f"{name(edge)} and {name(also)} are exchanged"))
    left_V, text = min(tried)
    if left_V > most_V:
        edges = np.repeat(np.arange(len(network.ends)), 3)[rows]
        text = (
            f"more than one thing is wrong, or a cable of sources or targets; {name(int(edges[off.argmax()]))} is worst"
        )
        return worst_V, f"{text}: its drop is {1e3 * worst_V:.3g} mV off what Kirchhoff's law allows"
    return worst_V, (
        f"{text}: drops are {1e3 * worst_V:.3g} mV off what Kirchhoff's law allows, and {1e3 * left_V:.2g} mV then"
    )


def _outputs(job: Job, readings: Readings) -> tuple[float, tuple[int, int], float]:
    """How far outputs are from those at the taps (rms), which exchange explains them best, and what it leaves, V."""
    edges = len(job.network.ends)
    here = np.isfinite(readings.outputs_V).all(axis=1)
    if not here.any():
        return float("nan"), (0, 0), float("nan")
    off, left = 0.0, np.zeros((edges, edges))
    for taps, source_V, outputs_V in zip(readings.taps[here], readings.source_V[here], readings.outputs_V[here]):
        predicted_V, change_V = exchanged(job, taps, source_V)
        off += float(((outputs_V - predicted_V) ** 2).sum())
        left += (((outputs_V - predicted_V)[:, None, None] - change_V) ** 2).sum(axis=0)
    count = here.sum() * len(job.targets)
    np.fill_diagonal(left, np.inf)
    first, second = map(int, np.unravel_index(left.argmin(), left.shape))
    return (off / count) ** 0.5, (min(first, second), max(first, second)), float(left.min() / count) ** 0.5


def exchanged(job: Job, taps: np.ndarray, source_V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Free outputs (O,) at these taps, and how they change where two edges are exchanged (O, E, E), V.

    A change of two conductances is one of rank two (Woodbury), exact.
    """
    nodes, ends = len(job.network.nodes), job.network.ends
    conductance = 1.0 / job.physics.resistance(taps, POTS[job.edge.pot])
    matrix = laplacian(nodes, ends, conductance).toarray()
    sources = list(job.sources)
    free = [node for node in range(nodes) if node not in sources]
    inverse = np.zeros((nodes, nodes))
    inverse[np.ix_(free, free)] = np.linalg.inv(matrix[np.ix_(free, free)])
    volts = inverse @ -(matrix[:, sources] @ source_V)
    volts[sources] = source_V
    tail, head = ends.T
    drop = volts[tail] - volts[head]
    across = inverse[:, tail] - inverse[:, head]  # (nodes, E): by a current of 1 A through each edge
    mutual = across[tail] - across[head]
    change = conductance[None, :] - conductance[:, None]  # of the first of two edges; of the second, less
    self_ohm = np.diag(mutual)
    # (1 + G M) x = G d, with G = diag(change, -change)
    a, b = 1 + change * self_ohm[:, None], change * mutual
    c, d = -change * mutual, 1 - change * self_ohm[None, :]
    first, second = change * drop[:, None], -change * drop[None, :]
    det = a * d - b * c
    x, y = (d * first - b * second) / det, (a * second - c * first) / det
    at = across[list(job.targets)]
    return volts[list(job.targets)], -(at[:, :, None] * x + at[:, None, :] * y)
