"""Contradiction: what the supervisor read while the network learnt, against what it measured in HOLD.

Between two readings the edges go on, so the two may differ by what the outputs have moved. Each is held against the
outputs that the taps of its moment give: chips that are off by some percent are off in both alike.
"""

from collections.abc import Sequence

import numpy as np

from clockfree.link.units import ADC_STEPS
from clockfree_model.job import Job
from clockfree_model.parts import POTS
from clockfree_sim.circuit.direct import solve

FEWEST = 4
"""Readings, each of all examples; of fewer nobody knows how far outputs move from one to the next."""
CODES = 5
"""What a mean of readings and what was measured may be off beside that, in steps of the supervisor's ADC."""


def contradiction(
    job: Job, lesson: int, told: Sequence[tuple[np.ndarray, np.ndarray]], measured_V: np.ndarray, taps: np.ndarray
) -> str:
    """What is off most, or "".

    Parameters
    ----------
    job : Job
    lesson : int
    told : sequence of ((B, O), (E,))
        Readings in RUN, V, and the taps known then, up to the end; where there are many, over four rounds of examples.
    measured_V : (B, O) array
        In HOLD; nan where it was not.
    taps : (E,) array
        In HOLD.
    """
    if len(told) < FEWEST or taps.min() < 0 or min(then.min() for _, then in told) < 0:
        return ""
    expected_V = np.array([_outputs_V(job, lesson, then) for _, then in told])
    last_V = _outputs_V(job, lesson, taps)
    late, before = len(told) // 2, len(told) // 4  # what is read is as old as a round, a quarter of all that is told
    moved_V = np.ptp([*expected_V[before:], last_V], axis=0)
    read_V = np.array([outputs_V for outputs_V, _ in told])
    off_V = (read_V - expected_V)[late:].mean(axis=0) - (measured_V - last_V)
    allowed_V = moved_V + CODES * job.physics.supply_V / job.ground.scale / ADC_STEPS
    excess_V = np.nan_to_num(np.abs(off_V) - allowed_V)
    if excess_V.max() <= 0:
        return ""
    example, output = np.unravel_index(excess_V.argmax(), excess_V.shape)
    node = job.network.nodes[job.targets[output]]
    return (
        f"its readings in RUN contradict what it measured in HOLD: {node} in example {example} was read "
        f"{abs(off_V[example, output]):.3g} V off, where learning moved it by {moved_V[example, output]:.2g} V: the "
        "errors on the way are not to be trusted; look at its ADC and its supply"
    )


def _outputs_V(job: Job, lesson: int, taps: np.ndarray) -> np.ndarray:
    """Free outputs (B, O) of a lesson that a faultless network has at these taps, V."""
    network = job.network
    conductance = 1.0 / job.physics.resistance(taps, POTS[job.edge.pot])
    volts = solve(len(network.nodes), network.ends, conductance, job.sources, job.lessons[lesson].source_V)
    found: np.ndarray = volts[:, job.targets]
    return found
