"""A job, and the samples of its run: what a bench is asked to do and what it reports, as plain data."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clockfree_board.rule import LEAST_BAR, SECOND
from clockfree_board.supervisor import MOST_CLASSES, SETTLE_US
from clockfree_model.ground import Ground
from clockfree_model.network import Network
from clockfree_model.overclamp import asked_of
from clockfree_model.parts import FRONT_ENDS
from clockfree_model.physics import DAC_STEPS, Physics
from clockfree_model.settings import OVERCLAMP, ClampSettings, EdgeSettings

GATE_ENDS_C16 = (1 << 16, 1 << 15, 1 << 16)
"""What a board takes floor, dither and bar below: role_edges."""


def gate_c16(edge: EdgeSettings, physics: Physics) -> tuple[int, int, int]:
    """Floor, dither and bar of an edge, in a board's unit, 1/16 ADC code."""
    floor, theta = physics.c16(edge.f_V), physics.c16(edge.theta_V)
    return (floor, 0, theta) if edge.summed else (floor, theta, 0)


@dataclass(frozen=True)
class Lesson:
    """Examples taught from ``from_updates`` updates per edge on: source_V (B, S), desired_V (B, O), in the task's V."""

    name: str
    from_updates: float
    source_V: np.ndarray
    desired_V: np.ndarray


@dataclass(frozen=True)
class Damage:
    """One edge fails at ``at_updates`` updates per edge.

    ``dead``: its controller stops, the resistors stay. ``stuck_a0`` .. ``stuck_b1``: a comparator output is
    stuck at 0 or 1. ``cut``: both resistors open.
    """

    edge: int
    kind: str
    at_updates: float


@dataclass(frozen=True)
class Job:
    """One run, completely: the same job always gives the same record.

    ``sources`` and ``targets`` are node indices, ``updates`` is per edge, ``start_taps`` (E,) or None for the
    start tap of the potentiometers, ``samples`` the number of records on the way, ``trace`` asks for every firing.
    ``schedule``, which files and options call rule, says who fires when: `clockfree`, each edge by its own clock, or
    for comparison `sync`, `p=P` or `oscillators=P`. ``ground`` is where the lessons' voltages lie on the circuit.
    """

    network: Network
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    lessons: tuple[Lesson, ...]
    damage: tuple[Damage, ...] = ()
    edge: EdgeSettings = EdgeSettings()
    clamp: ClampSettings = ClampSettings()
    physics: Physics = Physics()
    schedule: str = field(default="clockfree", metadata={"key": "rule"})
    updates: int = 1500
    seed: int = 0
    start_taps: np.ndarray | None = None
    trace: bool = False
    samples: int = 500
    ground: Ground = Ground()


class JobError(ValueError):
    """A job that no bench can be built for: the `key` of the task that is wrong, and `text`, what was expected."""

    def __init__(self, key: str, text: str):
        super().__init__(f"{key}: {text}")
        self.key, self.text = key, text


def check(job: Job) -> None:
    """Raise JobError where a job asks for what its rule or front end does not have: it would be left out in silence."""
    front_end, physics = job.edge.front_end, job.physics
    part = FRONT_ENDS[front_end]
    if job.edge.decades and job.schedule != "clockfree":
        text = f"expected 0 with rule {job.schedule}, which has one trigger for all edges, got {job.edge.decades:g}"
        raise JobError("edge.decades", text)
    if not part.gates:
        for key in ("f_V", "theta_V", "calibrate"):
            if value := getattr(job.edge, key):
                expected = "false" if key == "calibrate" else "0"
                text = f"expected {expected} with front_end {front_end}, which measures nothing, got"
                raise JobError(f"edge.{key}", f"{text} {str(value).lower()}")
    elif physics.sigma_V:
        text = "the paper's bias is one of comparators"
        raise JobError("physics.sigma_V", f"expected 0 with front_end {front_end} ({text}), got {physics.sigma_V:g}")
    if job.edge.summed and not part.measures:
        raise JobError("edge.summed", f"expected false with front_end {front_end}, which measures no drops, got true")
    if job.edge.summed and 0 < physics.c16(job.edge.theta_V) < LEAST_BAR:
        least_V = LEAST_BAR / 65536 * physics.supply_V
        raise JobError("edge.theta_V", f"expected 0 or at least {least_V:.2g} V for sums, got {job.edge.theta_V:g}")
    for key, c16, end in zip(("f_V", "theta_V", "theta_V"), gate_c16(job.edge, physics), GATE_ENDS_C16, strict=True):
        if c16 >= end:
            text = f"expected less than {end / 65536 * physics.supply_V:g} V on this supply, got"
            raise JobError(f"edge.{key}", f"{text} {getattr(job.edge, key):g}")
    if physics.sigma_V and physics.sigma_kind != "signed" and (physics.offset_V or physics.noise_V):
        text = "expected 0 beside offset_V or noise_V, which no bias on the magnitudes has, got"
        raise JobError("physics.sigma_V", f"{text} {physics.sigma_V:g}")
    if physics.sigma_V and physics.sigma_kind != "signed" and job.edge.order != SECOND:
        text = f"expected {SECOND} beside a bias on the magnitudes (physics.sigma_kind {physics.sigma_kind}), got"
        raise JobError("edge.order", f"{text} {job.edge.order}")
    if job.clamp.kind == OVERCLAMP:
        _check_overclamp(job)
    for damage in job.damage:
        if damage.kind.startswith("stuck") and part.measures:
            text = f"expected dead or cut with front_end {front_end}, which has no comparators, got"
            raise JobError("damage", f"{text} {damage.kind}")


def _check_overclamp(job: Job) -> None:
    """The same of what an overclamp needs."""
    clamp, physics = job.clamp, job.physics
    amplitude, _, tolerance, release, _ = asked_of(clamp, physics)
    if not 1 <= amplitude <= DAC_STEPS // 2:
        text = f"{physics.supply_V / DAC_STEPS:.2g} .. {physics.supply_V / 2:g} V on this supply"
        raise JobError("clamp.amplitude_V", f"expected {text}, got {clamp.amplitude_V:g}")
    if release > tolerance:
        text = f"expected at most tolerance_V, {clamp.tolerance_V:g}, got {clamp.release_V:g}"
        raise JobError("clamp.release_V", text)
    if physics.clamp_period_us:
        text = f"expected 0 with an overclamp, which is aimed every clamp.refresh_s, got {physics.clamp_period_us}"
        raise JobError("physics.clamp_period_us", text)
    refresh_us = round(clamp.refresh_s * 1e6)
    if refresh_us <= physics.clamp_delay_us:
        least_s = f"more than physics.clamp_delay_us, {physics.clamp_delay_us * 1e-6:g} s"
        raise JobError("clamp.refresh_s", f"expected {least_s}, got {clamp.refresh_s:g}")
    before_s = 1e-6 * (SETTLE_US + physics.clamp_delay_us)
    if clamp.dwell_s <= before_s:
        text = f"expected more than {before_s:g}, after which an overclamp holds, got {clamp.dwell_s:g}"
        raise JobError("clamp.dwell_s", text)
    if clamp.hinge is not None:
        for lesson in job.lessons:
            classes = len(np.unique(job.ground.codes(lesson.desired_V, physics), axis=0))
            if not 1 < classes <= MOST_CLASSES:
                text = f"expected none where {lesson.name} has {classes} different rows of desired voltages (2 .. "
                raise JobError("clamp.hinge", f"{text}{MOST_CLASSES} are classes), got {clamp.hinge:g}")


@dataclass(frozen=True)
class Sample:
    """The state of a run at one moment; voltages, and errors, are in the task's own volts: see `Ground`.

    ``error_V2`` is the mean over the examples of the present lesson and its outputs of (V_F - V_D)^2, V^2, on
    the circuit itself; ``measured_error_V2`` the same from the supervisor's last readings (nan until every
    example was read). ``outputs_V`` is (B, O), ``taps`` (E,), each counter one integer per edge, and
    ``trace`` the firings since the sample before: rows of edge, t_us, a, b, step, tap_after. ``gain`` (O, S) is that of
    the free twin, of which ``outputs_V`` was made; see `linear.outputs`. ``mean_error_V2`` is the mean of ``error_V2``
    over all states since the sample before, or since its lesson began, each weighed by the time it stood: ``stood_us``
    together. Where no time has passed it is ``error_V2``.

    On boards nobody knows more than what was measured: both errors are that of the readings, there is no gain, and
    nobody knows what was between two readings: the mean is nan.
    ``events`` is what happened to boards since the sample before: ``event``, ``time_us``, ``text``, and what else there
    is to say of it.
    """

    time_us: int
    updates: float
    lesson: int
    error_V2: float
    measured_error_V2: float
    outputs_V: np.ndarray
    taps: np.ndarray
    counters: dict[str, list[int]]
    trace: list[tuple[int, ...]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    gain: np.ndarray | None = None
    mean_error_V2: float = math.nan
    stood_us: int = 0
