"""Expected drops: what a faultless network would show its edges."""

import numpy as np

from clockfree_model.job import Job
from clockfree_model.overclamp import held_V
from clockfree_model.parts import POTS
from clockfree_model.settings import OVERCLAMP


def drops(job: Job, taps: np.ndarray, lesson: int, outputs_V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Free and clamped drops (B, E), V on the circuit, that a faultless network has at these taps.

    The clamped twin is solved for what the clamp makes of `outputs_V` (B, O), the free outputs as they were measured;
    where that is nan, of those that the taps give.
    """
    from clockfree_sim.circuit.twins import free_outputs  # compiled: slow to load, and only a suspicion asks

    network, nodes = job.network, len(job.network.nodes)
    ohm = job.physics.resistance(taps, POTS[job.edge.pot])
    source_V, desired_V = job.lessons[lesson].source_V, job.lessons[lesson].desired_V

    def solved(held: tuple[int, ...], held_V: np.ndarray) -> np.ndarray:
        others = tuple(node for node in range(nodes) if node not in held)
        nodes_V = np.empty((len(held_V), nodes))
        nodes_V[:, held] = held_V
        if others:
            nodes_V[:, others] = free_outputs(network, ohm, held, others, held_V)
        return nodes_V

    free_V = solved(job.sources, source_V)
    taken_V = np.where(np.isnan(outputs_V), free_V[:, job.targets], outputs_V)
    if job.clamp.kind == OVERCLAMP:
        desired, circuit_V = job.ground.codes(desired_V, job.physics), job.ground.on_circuit(taken_V, job.physics)
        clamp_V = job.ground.own(held_V(job.clamp, job.physics, desired, circuit_V, desired), job.physics)
        clamp_V = np.where(np.isnan(clamp_V), free_V[:, job.targets], clamp_V)  # it floats, as the free twin does
    else:
        clamp_V = taken_V + job.clamp.eta * (desired_V - taken_V)
    clamped_V = solved((*job.sources, *job.targets), np.hstack([source_V, clamp_V]))
    tail, head = network.ends.T
    scale = job.ground.scale
    return scale * (free_V[:, tail] - free_V[:, head]), scale * (clamped_V[:, tail] - clamped_V[:, head])
