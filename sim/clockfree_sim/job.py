"""What a bench is asked to do, and what it reports while it does it: plain data, no behaviour."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clockfree_sim.network import Network
from clockfree_sim.physics import Physics


@dataclass(frozen=True)
class EdgeSettings:
    """How every edge senses, steps and keeps time.

    Attributes
    ----------
    front_end : {'comparator', 'trimmed', 'adc', 'pico_adc'}
        Two comparators; the same with a trim output on A; MCP3204 on SPI; the Pico's own ADC.
    pot : {'mcp42xx', 'ad5220', 'ad5222', 'x9c'}
        Twin potentiometer.
    f_V, theta_V : float
        Floor and dither width of the threshold on | |dV_C| - |dV_F| |, V; both zero is the plain rule.
    calibrate : bool
        Null offsets and fit the twin mismatch in HOLD before the run.
    clock : {'exponential', 'jittered', 'periodic'}
        Kind of the edge's own clock.
    rate_hz : float
        Mean firings per second of one edge.
    decades : float
        The rates of the edges lie over so many decades around rate_hz, each drawn evenly in the logarithm.
    late_us : int or None
        A firing later than this is dropped; None is a tenth of the mean wait.
    """

    front_end: str = "comparator"
    pot: str = "mcp42xx"
    f_V: float = 0.0
    theta_V: float = 0.0
    calibrate: bool = False
    clock: str = "exponential"
    rate_hz: float = 10.0
    decades: float = 0.0
    late_us: int | None = None


EDGES = {
    "ideal": EdgeSettings(),
    "paper": EdgeSettings(),
    # Measured (make results): on real parts the plain rule loses what calibration and a gate keep.
    "board": EdgeSettings(front_end="adc", calibrate=True, f_V=0.003, theta_V=0.02),
}
"""Edges of each preset of the physics."""


@dataclass(frozen=True)
class ClampSettings:
    """How the supervisor teaches: nudge ``eta`` (0 < eta <= 1), time per example, order of examples."""

    eta: float = 0.5
    dwell_s: float = 0.1
    order: str = "shuffled"


@dataclass(frozen=True)
class Lesson:
    """Examples taught from ``from_updates`` updates per edge on: source_V (B, S), desired_V (B, O), in V."""

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

    ``sources`` and ``targets`` are node indices, ``updates`` is per edge, ``start_taps`` (E,) or None for 64
    everywhere, ``samples`` the number of records on the way, ``trace`` asks for every firing.
    """

    network: Network
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    lessons: tuple[Lesson, ...]
    damage: tuple[Damage, ...] = ()
    edge: EdgeSettings = EdgeSettings()
    clamp: ClampSettings = ClampSettings()
    physics: Physics = Physics()
    rule: str = "clockfree"
    updates: int = 1500
    seed: int = 0
    start_taps: np.ndarray | None = None
    trace: bool = False
    samples: int = 500


class JobError(ValueError):
    """A job that no bench can be built for: the `key` of the task that is wrong, and `text`, what was expected."""

    def __init__(self, key: str, text: str):
        super().__init__(f"{key}: {text}")
        self.key, self.text = key, text


def check(job: Job) -> None:
    """Raise JobError where a job asks for what its rule or front end does not have: it would be left out in silence."""
    front_end, physics = job.edge.front_end, job.physics
    if job.edge.decades and job.rule != "clockfree":
        text = f"expected 0 with rule {job.rule}, which has one trigger for all edges, got {job.edge.decades:g}"
        raise JobError("edge.decades", text)
    if front_end == "comparator":
        for key in ("f_V", "theta_V", "calibrate"):
            if value := getattr(job.edge, key):
                expected = "false" if key == "calibrate" else "0"
                text = f"expected {expected} with front_end comparator, which measures nothing, got"
                raise JobError(f"edge.{key}", f"{text} {str(value).lower()}")
    elif physics.sigma_V:
        text = "the paper's bias is one of comparators"
        raise JobError("physics.sigma_V", f"expected 0 with front_end {front_end} ({text}), got {physics.sigma_V:g}")
    if physics.sigma_V and physics.sigma_kind != "signed" and (physics.offset_V or physics.noise_V):
        text = "expected 0 beside offset_V or noise_V, which no bias on the magnitudes has, got"
        raise JobError("physics.sigma_V", f"{text} {physics.sigma_V:g}")
    for damage in job.damage:
        if damage.kind.startswith("stuck") and "adc" in front_end:
            text = f"expected dead or cut with front_end {front_end}, which has no comparators, got"
            raise JobError("damage", f"{text} {damage.kind}")


@dataclass(frozen=True)
class Sample:
    """The state of a run at one moment.

    ``error_V2`` is the mean over the examples of the present lesson and its outputs of (V_F - V_D)^2, V^2, on
    the circuit itself; ``measured_error_V2`` the same from the supervisor's last readings (nan until every
    example was read). ``outputs_V`` is (B, O), ``taps`` (E,), each counter one integer per edge, and
    ``trace`` the firings since the sample before: rows of edge, t_us, a, b, step, tap_after.

    On boards nobody knows more than what was measured: both errors are that of the readings. ``events`` is what
    happened to boards since the sample before: ``event``, ``time_us``, ``text``, and what else there is to say of it.
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
