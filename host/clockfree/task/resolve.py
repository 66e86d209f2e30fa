"""Resolution of a task to a job's parts: nodes to indices, lessons to volts, everything random drawn.

What is random comes from the task seed, each part from a stream of its own (`numpy.random.SeedSequence` with the
stream's number as spawn key), so that adding a lesson does not move the placement: stream 0 draws the placement
(sources, then targets, without replacement), stream 1 + i lesson i (a teacher's taps, a regression's inputs, a split).
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from clockfree.base.errors import InputError
from clockfree.base.overrides import shown
from clockfree.task.classification import HeldOut
from clockfree.task.encoding import Encoding
from clockfree.task.lessons import Draft, Sizes, volts
from clockfree.task.start import start_taps
from clockfree.task.taskfile import LessonTable, Task
from clockfree_model.ground import Ground, ground, rounded
from clockfree_model.importers import Graph
from clockfree_model.job import Damage, Lesson
from clockfree_model.nearest import nearest
from clockfree_model.network import Network, NetworkError
from clockfree_model.parts import POTS
from clockfree_model.physics import Physics
from clockfree_model.presets import of_preset
from clockfree_model.settings import (
    LEAST_HZ,
    MOST_HZ,
    NUDGE,
    OF_OVERCLAMP,
    OVERCLAMP,
    ClampSettings,
    EdgeSettings,
)

FreeOutputs = Callable[[Network, np.ndarray, tuple[int, ...], tuple[int, ...], np.ndarray], np.ndarray]
"""free_outputs(network, resistance_ohm (E,), sources, targets, source_V (B, S)) -> (B, O), V."""

LEAST_ETA = 1 / 256


@dataclasses.dataclass(frozen=True)
class Resolved:
    """What a task comes to on a network.

    Attributes
    ----------
    sources, targets : tuple of int
        Node indices.
    damage, edge, clamp, start_taps
        As the job takes them.
    drafts : tuple of callable
        Of each lesson, checked already: called, it gives the lesson and, of a classification, the held-out examples.
    encodings : tuple of Encoding or None
        One for each lesson: of a lesson from data, how its rows become volts.
    said : tuple of str
        What was understood of data sets.
    lift : callable
        From the lessons to their virtual ground.
    """

    sources: tuple[int, ...]
    targets: tuple[int, ...]
    damage: tuple[Damage, ...]
    edge: EdgeSettings
    clamp: ClampSettings
    start_taps: np.ndarray | None
    drafts: tuple[Callable[[], tuple[Lesson, HeldOut | None]], ...]
    encodings: tuple[Encoding | None, ...]
    said: tuple[str, ...]
    lift: Callable[[Sequence[Lesson]], Ground]

    @cached_property
    def lessons(self) -> tuple[Lesson, ...]:
        """As the job takes them; solved or fitted when they are first asked for."""
        return tuple(lesson for lesson, _ in self._made)

    @cached_property
    def ground(self) -> Ground:
        """As the job takes it; InputError where the lessons' voltages do not fit between the rails."""
        return self.lift(self.lessons)

    @cached_property
    def held_out(self) -> tuple[HeldOut | None, ...]:
        """One for each lesson: the held-out examples, if it is a classification."""
        return tuple(held_out for _, held_out in self._made)

    @cached_property
    def _made(self) -> tuple[tuple[Lesson, HeldOut | None], ...]:
        return tuple(draft() for draft in self.drafts)


def resolve_physics(task: Task, presets: Mapping[str, Physics]) -> Physics:
    """The preset's physics with the task's overrides.

    Raises
    ------
    InputError
        The preset is unknown, or the circuit would be shorted.
    """
    if task.preset not in presets:
        raise task.problem(
            "preset", f"expected {', '.join(presets)}, got {task.preset!r}{nearest(task.preset, presets)}"
        )
    physics = presets[task.preset]
    physics = dataclasses.replace(physics, **task.physics.model_dump(exclude_none=True))
    pot = POTS[_settings(task)[0].pot]
    lowest = physics.lowest_tap(pot)
    if lowest > pot.highest:
        text = f"expected a lowest tap ({1000 * pot.most_A:g} mA) of at most {pot.highest}, got {lowest}"
        raise task.problem("physics", text)
    if physics.resistance(lowest, pot) <= 0:
        raise task.problem("physics", f"expected a resistance above 0 at the lowest tap {lowest}, got 0 ohm")
    return physics


def resolve(
    task: Task, network: Network, physics: Physics, free_outputs: FreeOutputs, graph: Graph | None = None
) -> Resolved:
    """What the task asks for on this network.

    Parameters
    ----------
    task : Task
    network : Network
    physics : Physics
        Says the supply, the lowest tap and the resistance of a tap.
    free_outputs : callable
        Solves the free twin for a teacher's outputs; see FreeOutputs.
    graph : Graph, optional
        What the network's file says besides.

    Raises
    ------
    InputError
        A node or edge that the network does not have, taps out of range, a target without a path to a source, sizes
        that do not fit each other, a broken data set.
    """
    edge, clamp = _settings(task)
    if clamp.eta < LEAST_ETA:
        raise task.problem(
            "clamp.eta", f"expected at least {LEAST_ETA:.4f}, half a step of the mixers, got {clamp.eta:g}"
        )
    clamp = dataclasses.replace(clamp, eta=physics.mixer_eta(clamp.eta))
    pot = POTS[edge.pot]
    sources, targets = _placement(task, network)
    try:
        network.check(sources, targets)
    except NetworkError as error:
        raise InputError(str(error)) from None

    def teach(source_V: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        taps = rng.integers(physics.lowest_tap(pot), pot.highest, size=len(network.ends), endpoint=True)
        given_V = rounded(source_V, task.scale, physics)
        return free_outputs(network, physics.resistance(taps, pot), sources, targets, given_V)

    sizes = Sizes(len(sources), len(targets), physics.supply_V / task.scale, physics.margin_V / task.scale)

    def draft(index: int, table: LessonTable, made: Draft) -> Callable[[], tuple[Lesson, HeldOut | None]]:
        def lesson() -> tuple[Lesson, HeldOut | None]:
            source_V, desired_V, test = made.made()
            # What is asked is what the supervisor's DAC can give: half a step off at most.
            given_V, taught_V = (rounded(own_V, task.scale, physics) for own_V in (source_V, desired_V))
            return Lesson(table.name or f"lesson {index + 1}", table.from_updates, given_V, taught_V), test

        return lesson

    def lift(lessons: Sequence[Lesson]) -> Ground:
        own_V = np.concatenate([volts.ravel() for each in lessons for volts in (each.source_V, each.desired_V)])
        held_V = None
        if clamp.kind == OVERCLAMP:
            far_V = clamp.amplitude_V / task.scale
            held_V = np.array([each.desired_V + way for each in lessons for way in (-far_V, far_V)])
        try:
            return ground(own_V, task.scale, physics, held_V)
        except ValueError as error:
            raise task.problem("scale", str(error)) from None

    made = [volts(task, index, sizes, _stream(task, 1 + index), teach) for index in range(len(task.lesson))]
    drafts = tuple(draft(index, table, made[index]) for index, table in enumerate(task.lesson))
    return Resolved(
        sources=sources,
        targets=targets,
        damage=_damage(task, network, sources),
        edge=edge,
        clamp=clamp,
        start_taps=start_taps(task, network, graph, physics, pot),
        drafts=drafts,
        encodings=tuple(each.encoding for each in made),
        said=tuple(each.said for each in made if each.said),
        lift=lift,
    )


def _settings(task: Task) -> tuple[EdgeSettings, ClampSettings]:
    """The preset's edges and clamp with the task's overrides; by default rounds see one example each.

    The default dwell is one for edges that fire at any time. A round is as long as several of them: five examples in a
    fixed order would have come to the same one again in every round.
    """
    given = task.clamp.model_dump(exclude_none=True)
    edge, clamp = of_preset(task.preset, task.edge.model_dump(exclude_none=True), given)
    if clamp.kind == NUDGE:
        for key in OF_OVERCLAMP:
            if key in given:
                text = f'expected kind = "{OVERCLAMP}" beside it, or none with a nudge, got {shown(given[key])}'
                raise task.problem(f"clamp.{key}", text)
    if task.rule != "clockfree" and "dwell_s" not in given:
        clamp = dataclasses.replace(clamp, dwell_s=1 / edge.rate_hz)
    most = 2 * math.log10(min(edge.rate_hz / LEAST_HZ, MOST_HZ / edge.rate_hz))
    if edge.decades > most:
        text = f"expected a number <= {most:.3g}, which keeps every edge within {LEAST_HZ} .. {MOST_HZ} Hz, got"
        raise task.problem("edge.decades", f"{text} {shown(edge.decades)}")
    return edge, clamp


def _stream(task: Task, number: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(task.task_seed, spawn_key=(number,)))


def _placement(task: Task, network: Network) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sources and targets as node indices: those that have names first, the others drawn from what is left."""
    chosen: dict[str, list[int]] = {}
    wanted: dict[str, int] = {}
    taken: dict[int, str] = {}
    for role in ("sources", "targets"):
        asked = getattr(task.placement, role)
        chosen[role] = []
        for i, name in enumerate(asked if isinstance(asked, list) else ()):
            key = f"placement.{role}.{i}"
            try:
                node = network.index(name)
            except NetworkError as error:
                raise task.problem(key, error.problem) from None
            if node in taken:
                raise task.problem(key, f"expected a node with no other part, got {name}, already {taken[node]}")
            taken[node] = f"a {role[:-1]}"
            chosen[role].append(node)
        wanted[role] = 0 if isinstance(asked, list) else asked
    left = [node for node in range(len(network.nodes)) if node not in taken]
    if sum(wanted.values()) > len(left):
        role = "targets" if wanted["targets"] else "sources"
        text = f"expected at most {len(left)} nodes to draw, as the network has, got {sum(wanted.values())}"
        raise task.problem(f"placement.{role}", text)
    drawn = iter(_stream(task, 0).permutation(left).tolist())
    sources, targets = (tuple(chosen[role] + [next(drawn) for _ in range(wanted[role])]) for role in chosen)
    return sources, targets


def _damage(task: Task, network: Network, sources: tuple[int, ...]) -> tuple[Damage, ...]:
    """One Damage for each edge; whatever breaks, every node keeps a path to a source, and one edge goes on learning."""
    damage = []
    broken: dict[str, set[int]] = {"cut": set(), "dead": set()}
    for i, table in enumerate(task.damage):
        for j, name in enumerate(table.edges):
            try:
                edge = network.edge(name)
            except NetworkError as error:
                raise task.problem(f"damage.{i}.edges.{j}", error.problem) from None
            damage.append(Damage(edge, table.kind, table.at_updates))
            broken.get(table.kind, set()).add(edge)
        apart = network.cut_off(sources, broken["cut"])
        if apart:
            text = f"expected every node to keep a path to a source, got {apart[0]} cut off from every source"
            raise task.problem(f"damage.{i}.edges", text)
        if len(broken["cut"] | broken["dead"]) == len(network.ends):
            raise task.problem(f"damage.{i}.edges", "expected at least one edge left to learn, got none")
    return tuple(damage)
