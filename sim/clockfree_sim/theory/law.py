"""The law of the floor: the error at which edges that step come to rest, from the network alone and without a fit.

With g_i = dV/dtap_i, what one step of edge i moves an output by, edges of the plain rule walk the output towards its
desired voltage and overshoot it by their own g_i. `docs/theory/law.md` derives what that comes to:

    clock-free     e = (1/3) sum |g|^3 / sum |g|
    synchronous    e = (1/3) (sum |g|)^2, of one run between 3/4 and 3/2 of it
    with chance p  e = E[G^3] / (3 E[G]), G the sum of |g| over the edges of a round

for one output and one example, as long as the outputs are linear in the taps over a few steps. For several of either
there is no closed form: `walk` follows the same linear network instead.
"""

from dataclasses import dataclass, replace

import numpy as np

from clockfree_model.job import Job, Lesson
from clockfree_model.parts import FRONT_ENDS, POTS
from clockfree_model.physics import IDEAL, LEAST_OHM
from clockfree_model.rates import rates_hz
from clockfree_model.settings import NUDGE, EdgeSettings
from clockfree_sim.theory import walk
from clockfree_sim.theory.adjoint import Adjoint

CLOCKFREE = "clockfree"
CORRELATED = "oscillators="
"""A rule whose rounds depend on the ones before."""
HARMLESS = ("supply_V", "margin_V", "rab_ohm", "wiper_ohm", "spare_taps", "limit_lowest")
"""Physics that the law knows of, by way of g."""
MOST_EDGES = 2000
"""Up to this many the network with several outputs or examples is followed: beyond, it takes longer than a run."""
SHOTS = 20
"""Moments of the last fifth of a run at which the floor is taken: taps drift, and the floor with them."""


@dataclass(frozen=True)
class Answers:
    """What outputs and edges answer to, linearised.

    Attributes
    ----------
    per_tap_V : (B, O, E) float
        What one step of an edge moves a free output by, under each example, V.
    metric : (O, O) float
        Conductance that the outputs see, S: under an example an edge steps against the sign of g^T metric x, x what the
        outputs are off by, since the clamp moves all outputs at once.
    """

    per_tap_V: np.ndarray
    metric: np.ndarray


def answers(job: Job, taps: np.ndarray, lesson: Lesson) -> Answers:
    """Those of a job's network at these taps (E,)."""
    pot, taps = POTS[job.edge.pot], np.asarray(taps, dtype=float)
    below, above = np.maximum(taps - 1, 0), np.minimum(taps + 1, pot.highest)
    ohm, low, high = (np.maximum(job.physics.resistance(each, pot), LEAST_OHM) for each in (taps, below, above))
    circuit, targets = Adjoint(job.network, job.sources), np.array(job.targets)
    voltage, inject = circuit.solved(1.0 / ohm, lesson.source_V)
    injected = np.zeros((len(job.network.nodes), len(targets)))
    injected[targets, np.arange(len(targets))] = 1.0
    adjoint = inject(injected)
    by_tap = (high - low) / (above - below) / ohm**2
    per_tap_V = np.einsum("eo,eb,e->boe", circuit.drops(adjoint), circuit.drops(voltage), by_tap)
    return Answers(per_tap_V, np.linalg.inv(adjoint[targets]))


def floor_V2(per_tap_V: np.ndarray, p: float | None = None, rates_hz: np.ndarray | None = None) -> float:
    """Floor of one output with one example, V^2; of several the mean of what each would have alone.

    Parameters
    ----------
    per_tap_V : (..., E) float
    p : float or None
        Chance that an edge takes part in a round; None is clock-free.
    rates_hz : (E,) float or None
        Of clock-free edges; None are equal ones.
    """
    size = np.abs(per_tap_V)
    if p is None:
        weight = 1.0 if rates_hz is None else rates_hz
        return float(np.mean(np.sum(weight * size**3, axis=-1) / np.sum(weight * size, axis=-1)) / 3)
    one, two, three = (np.sum(size**k, axis=-1) for k in (1, 2, 3))
    each, pairs, all_ = (1 - p) * (1 - 2 * p) * three / one, 3 * p * (1 - p) * two, (p * one) ** 2
    return float(np.mean(each + pairs + all_) / 3)


def chance(schedule: str) -> float | None:
    """Chance that an edge takes part in a round of a rule; None where there are no rounds."""
    kind, _, p = schedule.partition("=")
    return None if kind == CLOCKFREE else float(p or 1.0)


def applies(job: Job) -> bool:
    """Whether the law speaks of a job: a nudge, ideal comparators, the plain rule, own clocks or independent rounds."""
    edge, physics = job.edge, job.physics
    ideal = replace(physics, **{name: getattr(IDEAL, name) for name in HARMLESS}) == IDEAL
    plain = edge.front_end == next(iter(FRONT_ENDS)) and not (edge.f_V or edge.theta_V)
    nudged = job.clamp.kind == NUDGE
    return ideal and plain and nudged and not job.damage and not job.schedule.startswith(CORRELATED)


def of_ideal_parts(job: Job) -> Job:
    """The same job with a nudge, comparators that have no error, the plain rule, and nothing that lags."""
    physics = replace(IDEAL, **{name: getattr(job.physics, name) for name in HARMLESS})
    clamp = replace(job.clamp, kind=NUDGE)
    return replace(job, physics=physics, clamp=clamp, edge=EdgeSettings(pot=job.edge.pot, rate_hz=job.edge.rate_hz))


def predicted_V2(job: Job, taps: np.ndarray, lesson: int = -1, walkers: int = walk.WALKERS) -> float:
    """Floor of a job at these taps (T, E), V^2: the mean over at most `SHOTS` of them; nan where the law says nothing.

    It is a floor for outputs that can be reached: where the best achievable error is not far below it, that stands
    instead. `walkers` is for `walk.floor_V2`.
    """
    if not applies(job):
        return float("nan")
    taught = job.lessons[lesson]
    alone = taught.desired_V.size == 1
    if not (alone or len(job.network.ends) <= MOST_EDGES):
        return float("nan")
    p = chance(job.schedule)
    rates = rates_hz(job)
    shots = taps[np.unique(np.linspace(0, len(taps) - 1, SHOTS).round().astype(int))]
    known = [answers(job, each, taught) for each in shots]
    per_tap_V = np.array([each.per_tap_V for each in known])
    if alone:
        return floor_V2(per_tap_V, p, rates)
    metric = np.array([each.metric for each in known])
    return walk.floor_V2(per_tap_V, metric, p, rates, job.clamp.dwell_s, walkers=walkers)


def gain(per_tap_V: np.ndarray) -> float:
    """How many times lower edges with no clock end than synchronous ones, one output: (sum |g|)^3 / sum |g|^3.

    N^2 for N equal edges.
    """
    return floor_V2(per_tap_V, 1.0) / floor_V2(per_tap_V)
