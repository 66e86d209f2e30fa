"""Comparison algorithms: a host that reads the outputs moves one wiper at a time.

This is not what edges do, and no bench offers it: whoever moves a wiper here knows the errors of all outputs, and tries
one edge after another on a circuit that waits for it. A trial, a step of one edge and a reading, counts as a firing.
The host reads with the supervisor's ADC, which has 12 bits, and in the simulation neither noise nor offset.
"""

from collections.abc import Callable, Iterator

import numpy as np

from clockfree_model.job import Job
from clockfree_model.physics import DAC_STEPS
from clockfree_sim.circuit.twins import Circuit
from clockfree_sim.paper.tasks import POT


class _Tried:
    """The free twin of a job, and what the host knows of it."""

    def __init__(self, job: Job):
        physics, network, self._lesson = job.physics, job.network, job.lessons[0]
        self._g_S = (1.0 / physics.resistance(np.arange(POT.highest + 1, dtype=float), POT)).tolist()
        self._lowest = physics.lowest_tap(POT)
        self._code_V = physics.supply_V / DAC_STEPS
        self._circuit = Circuit(len(network.nodes), network.ends, job.sources, job.targets)
        self.taps = [POT.start_tap] * len(network.ends)
        self._circuit.load(np.full(len(self.taps), self._g_S[POT.start_tap]))
        self.measured_V2 = self._measure()

    def _measure(self) -> float:
        read_V = np.rint(self._circuit.outputs(self._lesson.source_V) / self._code_V) * self._code_V
        return float(((read_V - self._lesson.desired_V) ** 2).mean())

    def error_V2(self) -> float:
        """What the error is, V^2."""
        return float(((self._circuit.outputs(self._lesson.source_V) - self._lesson.desired_V) ** 2).mean())

    def attempt(self, edge: int, step: int, better: Callable[[float, float], bool]) -> None:
        """Step one edge and read: stay if `better(new, old)`, else step back; a step past a rail is lost."""
        tap = self.taps[edge] + step
        if not self._lowest <= tap <= POT.highest:
            return
        self._circuit.step(edge, self._g_S[tap], self._g_S[tap])
        measured_V2 = self._measure()
        if better(measured_V2, self.measured_V2):
            self.measured_V2, self.taps[edge] = measured_V2, tap
        else:
            before_S = self._g_S[self.taps[edge]]
            self._circuit.step(edge, before_S, before_S)


def _record(job: Job, trials: Callable[[_Tried], Iterator[None]]) -> tuple[np.ndarray, np.ndarray, None]:
    """Updates per edge and error, V^2, at each sample (S + 1,); `trials` makes one trial at a time."""
    tried = _Tried(job)
    made = trials(tried)
    updates, done = np.linspace(0, job.updates, job.samples + 1), 0
    error_V2 = []
    for each in updates * len(tried.taps):
        for _ in range(round(each) - done):
            next(made)
        done = round(each)
        error_V2.append(tried.error_V2())
    return updates, np.array(error_V2), None


def perturbation(job: Job) -> tuple[np.ndarray, np.ndarray, None]:
    """Random tap perturbation: updates per edge and error, V^2, at each sample (S + 1,).

    A random step of a random edge is kept if the error read is not larger than before.
    """
    rng = np.random.default_rng(job.seed)

    def trials(tried: _Tried) -> Iterator[None]:
        while True:
            edges = rng.integers(len(tried.taps), size=1000).tolist()
            steps = (2 * rng.integers(2, size=1000) - 1).tolist()
            for edge, step in zip(edges, steps, strict=True):
                tried.attempt(edge, step, float.__le__)
                yield

    return _record(job, trials)


def descent(job: Job) -> tuple[np.ndarray, np.ndarray, None]:
    """Edge-by-edge descent: updates per edge and error, V^2, at each sample (S + 1,).

    Edge after edge is stepped up, and down if that was not kept; a step that lowers the error read is kept.
    """

    def trials(tried: _Tried) -> Iterator[None]:
        while True:
            for edge in range(len(tried.taps)):
                before = tried.taps[edge]
                tried.attempt(edge, 1, float.__lt__)
                yield
                if tried.taps[edge] == before:
                    tried.attempt(edge, -1, float.__lt__)
                    yield

    return _record(job, trials)
