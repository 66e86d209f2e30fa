"""The paper's continuous rule (eq. 2, 3 and 7), in which all edges act at one step: for comparison, never on a bench.

    dR_i = (gamma / R_i^2) sum_j (dV_C^2 - dV_F^2)        for each edge i that is kept at this step, else 0

with the drops of edge i in the clamped (C) and the free (F) twin under example j, and the nudge of eq. 1,
V_C = V_F + eta (V_D - V_F) on the targets. R grows where the clamped drop is the larger: as the power of a twin changes
by -dV^2 / R^2 with R, this lowers the clamped twin's power against the free one's.

Eq. 2 and 3 show one example a step; which one at which step the paper does not say, and here they take turns. Eq. 7
sums over the whole batch, of which each example is kept with b; those that are kept are the same for all edges.

Nor does the paper say what keeps R above 0, which it can reach: as R goes to 0, dR goes to a difference of squared
currents. Here a step that would fall below a floor, the lowest tap of the paper's own potentiometers, ends on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clockfree_model.job import Lesson
from clockfree_model.network import Network
from clockfree_model.parts import POTS
from clockfree_model.physics import IDEAL
from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit.caching import kept
from clockfree_sim.circuit.solver import outputs, remake
from clockfree_sim.circuit.twins import Circuit
from clockfree_sim.circuit.voltages import voltages

LOWEST_OHM = float(IDEAL.resistance(0, POTS["mcp42xx"]))
"""Floor of R, ohm."""


@dataclass(frozen=True)
class Rule:
    """The continuous rule.

    Attributes
    ----------
    gamma : float
        Learning rate, ohm^3 / V^2.
    eta : float
        Nudge, 0 < eta <= 1.
    batch : bool
        Whether a step sums over all examples (eq. 7) or shows one, in turn (eq. 2, 3).
    p, b : float
        Chance that an edge, and that an example of the batch, is kept at a step.
    fixed : bool
        Whether exactly the fractions p of the edges and b of the batch (rounded) are kept at each step, at random,
        instead of each with its chance.
    """

    gamma: float
    eta: float
    batch: bool = False
    p: float = 1.0
    b: float = 1.0
    fixed: bool = False


def learn(
    network: Network,
    sources: Sequence[int],
    targets: Sequence[int],
    lesson: Lesson,
    rule: Rule,
    ohm: np.ndarray,
    steps: int,
    rng: np.random.Generator,
    stop_V2: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Learn for so many steps.

    Parameters
    ----------
    network : Network
    sources, targets : node indices
    lesson : Lesson
        The examples.
    rule : Rule
    ohm : (E,) float
        Resistances at the start, the same in both twins, ohm.
    steps : int
    rng : numpy Generator
        Draws which examples and edges are kept; nothing is drawn for p = 1 or b = 1.
    stop_V2 : float
        Stop at the first step after which the error is not above this, V^2.

    Returns
    -------
    ohm : (E,) float
        Resistances at the end, ohm.
    error_V2 : (steps done + 1,) float
        Error after 0, 1, ... steps: mean over all examples and outputs of (V_F - V_D)^2, V^2.
    """
    circuit = Circuit(len(network.nodes), network.ends, sources, targets)
    circuit.state[[at.WEIGHT, at.FLOATING]] = 1.0 - rule.eta, 0.0
    ohm = np.array(ohm, dtype=float)
    eta, gamma, p, b, stop_V2 = map(float, (rule.eta, rule.gamma, rule.p, rule.b, stop_V2))  # compiled for these alone
    error_V2 = _learn(
        circuit.plan, circuit.state, circuit.ends, np.array(lesson.source_V, float), np.array(lesson.desired_V, float),
        eta, gamma, rule.batch, p, b, rule.fixed, ohm, steps, rng, stop_V2,
    )  # fmt: skip
    return ohm, error_V2


@kept(error_model="numpy")
def _learn(
    plan, state, ends, source_V, desired_V, eta, gamma, batch, p, b, fixed, ohm, steps, rng, stop_V2
):  # fmt: skip
    edges, examples, count = len(ohm), len(source_V), source_V.shape[1]
    conductance, ports = plan[at.S_CONDUCTANCE], plan[at.S_PORTS]
    free, clamped, target = plan[at.S_FREE], plan[at.S_CLAMPED], plan[at.S_TARGET]
    edge_kept, example_kept = np.empty(edges, dtype=np.bool_), np.empty(examples, dtype=np.bool_)
    push_V2 = np.empty(edges)
    error_V2 = np.empty(steps + 1)
    for step in range(steps + 1):
        for i in range(edges):
            state[conductance + i] = 1.0 / ohm[i]
        remake(plan, state)
        if batch:
            _keep(example_kept, b, fixed, rng)
        else:
            example_kept[:] = False
            example_kept[step % examples] = True
        push_V2[:] = 0.0
        squares = 0.0
        for j in range(examples):
            state[ports : ports + count] = source_V[j]
            for o in range(desired_V.shape[1]):
                state[target + o] = eta * desired_V[j, o]
            outputs(plan, state)
            for o in range(desired_V.shape[1]):
                squares += (state[ports + count + o] - desired_V[j, o]) ** 2
            if example_kept[j]:
                voltages(plan, state, 0)
                for i in range(edges):
                    tail, head = ends[i]
                    drop_free = state[free + tail] - state[free + head]
                    drop_clamped = state[clamped + tail] - state[clamped + head]
                    push_V2[i] += drop_clamped**2 - drop_free**2
        error_V2[step] = squares / desired_V.size
        if step == steps or error_V2[step] <= stop_V2:
            break
        _keep(edge_kept, p, fixed, rng)
        for i in range(edges):
            if edge_kept[i]:
                ohm[i] = max(ohm[i] + gamma / ohm[i] ** 2 * push_V2[i], LOWEST_OHM)
    return error_V2[: step + 1]


@kept()
def _keep(kept, share, fixed, rng):
    """Draw which are kept: each with a chance, or exactly that share of them (selection sampling)."""
    count = len(kept)
    if share >= 1.0:
        kept[:] = True
    elif fixed:
        wanted = round(share * count)
        for i in range(count):
            kept[i] = rng.random() * (count - i) < wanted
            wanted -= kept[i]
    else:
        for i in range(count):
            kept[i] = rng.random() < share
