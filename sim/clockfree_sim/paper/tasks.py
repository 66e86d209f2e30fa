"""Tasks of the figures: what a teacher network of the same graph does, so that each can be reached."""

from dataclasses import dataclass

import numpy as np

from clockfree_model.job import Lesson
from clockfree_model.network import Network, load
from clockfree_model.parts import POTS, Pot
from clockfree_model.physics import IDEAL, Physics
from clockfree_sim.circuit.direct import solve

LARGE = "planar:64:143:0"
"""The larger network: 64 nodes, 143 edges, as many as the paper's has."""

POT = POTS["mcp42xx"]
"""The potentiometers of all figures where they name no other: those with the paper's 128 levels."""

START_OHM = float(IDEAL.resistance(POT.start_tap, POT))
"""Resistance of every edge at the start, ohm."""


@dataclass(frozen=True)
class Kind:
    """A kind of task: numbers of targets, of examples and of sources on a network, by its specification.

    One example (allostery): two sources, at 0 V and the supply, and what there is beyond them drawn in between. Several
    (regression): two inputs, drawn from 0 V to the supply, and a third source at 0 V.
    """

    network: str
    targets: int
    examples: int = 1
    sources: int = 2

    def __str__(self) -> str:
        if self.examples == 1:
            inputs = f", {self.sources} inputs" if self.sources > 2 else ""
            return f"allostery, {self.targets} output{'s' * (self.targets > 1)}{inputs}"
        return f"2x{self.targets} regression, {self.examples} examples"


@dataclass(frozen=True)
class Task:
    """One task: node indices, and a lesson in V."""

    network: Network
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    lesson: Lesson


def make_task(kind: Kind, seed: int, physics: Physics = IDEAL, pot: Pot = POT) -> Task:
    """Draw placement, inputs and teacher; the teacher's taps are independent and uniform over all that there are.

    Its resistors are those of the `physics` and `pot`; voltages are of 0 .. 5 V.
    """
    network = load(kind.network)
    rng = np.random.default_rng(seed)
    count = kind.sources if kind.examples == 1 else 3
    nodes = rng.permutation(len(network.nodes)).tolist()
    sources, targets = tuple(nodes[:count]), tuple(nodes[count : count + kind.targets])
    if kind.examples == 1:
        source_V = np.array([[0.0, IDEAL.supply_V, *rng.uniform(0.0, IDEAL.supply_V, count - 2)]])
    else:
        source_V = np.column_stack([rng.uniform(0.0, IDEAL.supply_V, (kind.examples, 2)), np.zeros(kind.examples)])
    ohm = physics.resistance(rng.integers(physics.lowest_tap(pot), pot.highest, len(network.ends), endpoint=True), pot)
    desired_V = solve(len(network.nodes), network.ends, 1.0 / ohm, sources, source_V)[:, list(targets)]
    return Task(network, sources, targets, Lesson(str(kind), 0.0, source_V, desired_V))


def task_seeds(seed: int, count: int) -> list[int]:
    """Seeds of so many tasks, from the figure's seed; figures with the same seed share their tasks."""
    return [int(each.generate_state(1)[0]) for each in np.random.SeedSequence(seed).spawn(count)]
