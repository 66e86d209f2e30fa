"""The best achievable error of a task on a network: what no learning rule can beat with these resistors."""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import minimize

from clockfree_model.final import Best
from clockfree_model.job import Job
from clockfree_model.linear import reduced
from clockfree_model.network import Network
from clockfree_model.parts import POTS, Pot
from clockfree_model.physics import LEAST_OHM, Physics
from clockfree_sim.theory.adjoint import Adjoint

REACHED_V2 = 1e-12
"""An error below this is reached in every sense (1 uV rms): the search stops."""


def best_errors(job: Job) -> list[Best]:
    """Best achievable error at each moment of a run: anew for every lesson, and whenever edges are cut.

    Every edge that is not cut counts as free to take any tap, a dead one too: nobody knows where it will be left.
    """
    cuts = [damage for damage in job.damage if damage.kind == "cut"]
    begins = {lesson.from_updates for lesson in job.lessons} | {cut.at_updates for cut in cuts}
    found = []
    known: dict[Any, float] = {}  # a lesson that comes back is looked for once
    for begin in sorted(begins):
        index = sum(lesson.from_updates <= begin for lesson in job.lessons) - 1
        source_V, desired_V = job.lessons[index].source_V, job.lessons[index].desired_V
        gone = [cut.edge for cut in cuts if cut.at_updates <= begin]
        which = (source_V.shape, source_V.tobytes(), desired_V.tobytes(), *gone)
        if which not in known:
            network = replace(job.network, ends=np.delete(job.network.ends, gone, axis=0))
            pot = POTS[job.edge.pot]
            known[which] = best_error(network, job.sources, job.targets, source_V, desired_V, job.physics, pot)
        found.append(Best(index, begin, known[which]))
    return found


def best_error(
    network: Network,
    sources: tuple[int, ...],
    targets: tuple[int, ...],
    source_V: np.ndarray,
    desired_V: np.ndarray,
    physics: Physics,
    pot: Pot,
    starts: int = 8,
    seed: int = 0,
) -> float:
    """Smallest mean squared error of the free outputs over continuous taps, V^2.

    L-BFGS-B over the logarithms of the resistances, each between those of its lowest and highest tap, with the
    gradient by the adjoint network, from all taps at their start and then from random ones. A local search: the truth
    may be lower still where the best of the starts is not below ``REACHED_V2``.

    Parameters
    ----------
    network : Network
    sources, targets : node indices
    source_V, desired_V : (B, S) and (B, O) float
        V.
    physics : Physics
        Says the resistance of a tap.
    pot : Pot
    starts, seed : int
        Number of starts, and seed of the random ones.
    """
    problem = _Problem(network, sources, targets, source_V, desired_V)
    lowest_tap, highest_tap = physics.lowest_tap(pot), pot.highest

    def log_ohm(taps: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(physics.resistance(taps, pot), LEAST_OHM))

    lowest, highest = log_ohm(np.array([lowest_tap, highest_tap], dtype=float))
    edges = len(network.ends)
    rng = np.random.default_rng(seed)
    # On large networks one start takes long, and is nearly always enough: many edges, few constraints.
    starts = max(1, min(starts, 20_000 // edges))
    best = np.inf
    for start in range(starts):
        taps = rng.uniform(lowest_tap, highest_tap, edges) if start else np.full(edges, float(pot.start_tap))
        found = minimize(
            problem.error,
            log_ohm(taps),
            jac=True,
            method="L-BFGS-B",
            bounds=[(lowest, highest)] * edges,
            callback=_stop_when_reached,
            options={"maxiter": 2000 if edges < 1000 else 300, "ftol": 1e-11, "gtol": 1e-14, "maxls": 40},
        )
        best = min(best, float(found.fun))
        if best < REACHED_V2:
            break
    return best


def _stop_when_reached(intermediate_result) -> None:
    if intermediate_result.fun < REACHED_V2:
        raise StopIteration


class _Problem:
    """Error and gradient as functions of the logarithms of the resistances."""

    def __init__(self, network: Network, sources, targets, source_V, desired_V, dense: bool | None = None):
        self._circuit = Adjoint(network, sources, dense)
        self._targets = np.array(targets)
        self._rows = reduced(source_V, desired_V)

    def error(self, log_ohm: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean squared error, V^2, and its gradient (E,)."""
        g, rows = np.exp(-log_ohm), self._rows
        voltage, inject = self._circuit.solved(g, rows.source_V)
        off = voltage[self._targets] - rows.desired_V.T
        injected = np.zeros_like(voltage)
        injected[self._targets] = 2.0 * off / rows.values
        by_conductance = -np.sum(self._circuit.drops(inject(injected)) * self._circuit.drops(voltage), axis=1)
        return float((np.sum(off**2) + rows.rest_V2) / rows.values), -g * by_conductance
