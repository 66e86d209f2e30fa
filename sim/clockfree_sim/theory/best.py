"""The best achievable error of a task on a network: what no learning rule can beat with these resistors."""

from dataclasses import replace
from typing import Any

import numpy as np

from clockfree_model.final import Best
from clockfree_model.job import Job
from clockfree_model.linear import reduced
from clockfree_model.network import Network
from clockfree_model.parts import POTS, Pot
from clockfree_model.physics import LEAST_OHM, Physics
from clockfree_sim.theory.adjoint import Adjoint

REACHED_V2 = 1e-12
"""An error below this is reached in every sense (1 uV rms): the search stops."""
MOST_MET = 200
"""Up to so many voltages, outputs of all rows, an error of 0 is looked for: a step takes the cube of their number."""
STEPS = 20
"""Steps of the search for an error of 0: where it finds one, half of them are plenty."""


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

    Over the logarithms of the resistances, each between those of its lowest and highest tap, with derivatives by the
    adjoint network. From all taps at their start an error of 0 is looked for first, by Levenberg's and Marquardt's
    steps, which find it in a few where it can be reached. Else L-BFGS-B, from there and then from random taps. A local
    search: the truth may be lower still where the best of the starts is not below ``REACHED_V2``.

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
    at_start = log_ohm(np.full(edges, float(pot.start_tap)))
    reached = _reached(problem, at_start, lowest, highest)
    if reached is not None:
        return reached
    from scipy.optimize import minimize  # slow to load, and what can be reached does without

    rng = np.random.default_rng(seed)
    # On large networks one start takes long, and is nearly always enough: many edges, few constraints.
    starts = max(1, min(starts, 20_000 // edges))
    best = np.inf
    for start in range(starts):
        found = minimize(
            problem.error,
            log_ohm(rng.uniform(lowest_tap, highest_tap, edges)) if start else at_start,
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


def _reached(problem: "_Problem", start: np.ndarray, lowest: float, highest: float) -> float | None:
    """An error below ``REACHED_V2``, V^2, if damped steps towards 0 lead to one between the bounds; else None."""
    if not problem.zero_is_thinkable:
        return None
    at, damping = start, 1e-3
    error_V2, off_V, slope_V = problem.sloped(at)
    for _ in range(STEPS):
        if error_V2 < REACHED_V2:
            return error_V2
        downhill = off_V @ slope_V
        held = ((at <= lowest) & (downhill > 0.0)) | ((at >= highest) & (downhill < 0.0))
        free_V = np.where(held, 0.0, slope_V)
        square = free_V @ free_V.T
        square += damping * np.trace(square) / len(square) * np.eye(len(square))
        step = np.linalg.lstsq(square, off_V, rcond=None)[0] @ free_V
        tried = np.clip(at - step, lowest, highest)
        if (found := problem.sloped(tried))[0] < error_V2:
            at, damping, (error_V2, off_V, slope_V) = tried, damping / 10.0, found
        else:
            damping *= 10.0
    return None


def _stop_when_reached(intermediate_result) -> None:
    if intermediate_result.fun < REACHED_V2:
        raise StopIteration


class _Problem:
    """Error and gradient as functions of the logarithms of the resistances."""

    def __init__(self, network: Network, sources, targets, source_V, desired_V, dense: bool | None = None):
        self._circuit = Adjoint(network, sources, dense)
        self._targets = np.array(targets)
        self._rows = reduced(source_V, desired_V)

    @property
    def zero_is_thinkable(self) -> bool:
        """Whether the examples leave room for it, and its search is quick."""
        return self._mean_V2(np.zeros(1)) < REACHED_V2 and self._rows.desired_V.size <= MOST_MET

    def sloped(self, log_ohm: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Mean squared error, V^2, what it is the sum of the squares of, V (M,), and the derivatives of that, V (M, E).

        As many as there are outputs in all rows.
        """
        g, rows = np.exp(-log_ohm), self._rows
        voltage, inject = self._circuit.solved(g, rows.source_V)
        off_V = voltage[self._targets] - rows.desired_V.T
        current_A = np.zeros((len(voltage), len(self._targets)))
        current_A[self._targets, np.arange(len(self._targets))] = 1.0
        answers, drops = self._circuit.drops(inject(current_A)), self._circuit.drops(voltage)
        slope_V = np.einsum("e,eo,er->ore", g, answers, drops).reshape(off_V.size, len(g))
        return self._mean_V2(off_V), off_V.ravel(), slope_V

    def error(self, log_ohm: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean squared error, V^2, and its gradient (E,)."""
        g, rows = np.exp(-log_ohm), self._rows
        voltage, inject = self._circuit.solved(g, rows.source_V)
        off = voltage[self._targets] - rows.desired_V.T
        injected = np.zeros_like(voltage)
        injected[self._targets] = 2.0 * off / rows.values
        by_conductance = -np.sum(self._circuit.drops(inject(injected)) * self._circuit.drops(voltage), axis=1)
        return self._mean_V2(off), -g * by_conductance

    def _mean_V2(self, off_V: np.ndarray) -> float:
        return float((np.sum(off_V**2) + self._rows.rest_V2) / self._rows.values)
