"""Arming the boards of a bench for a job, in HOLD, and again after a reset."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clockfree.link.session import ASK_S, Session
from clockfree_board.link import ARMED, NUMBERS
from clockfree_model.job import Job, gate_c16
from clockfree_model.overclamp import asked_of
from clockfree_model.parts import FRONT_ENDS, POTS
from clockfree_model.rates import waits_us
from clockfree_model.settings import OVERCLAMP

CLOCKS = ("exponential", "jittered", "periodic")
ORDERS = ("fixed", "shuffled", "random")
"""Kinds of clock and of order, by the numbers that the firmware has for them."""
SILENCE_S, SILENT_DWELLS = 5.0, 3.0
"""With several examples an edge board holds where the supervisor was not heard of for so long, or for so many dwells,
if that is longer."""
_STRIDE = 0x2545F491  # spreads the count of restarts over the bits of a seed


@dataclass(eq=False)
class Member:
    """One board of a run.

    Attributes
    ----------
    session : Session
    edges : list of int
        Indices in the network of the edges it serves, in its own order; none for the supervisor.
    boot : int
        Its boot id when it was armed.
    armed : bool
        False from the moment at which somebody begins to arm it again until it runs.
    armed_s : float
        When it began to run, `time.monotonic`.
    restarts : int
        How often it was armed again; each time its clocks get another seed.
    trims : list of list of int
        Calibration of each of its edges, of a supervisor that overclamps at each point; [] where there is none.
    firing_us : list of int
        How long a firing of each of its edges takes, by its rehearsal; [] where it has not rehearsed.
    late_us : list of int
        How late each of its edges may fire.
    """

    session: Session
    edges: list[int]
    boot: int = 0
    armed: bool = True
    armed_s: float = 0.0
    restarts: int = 0
    trims: list[list[int]] = field(default_factory=list)
    firing_us: list[int] = field(default_factory=list)
    late_us: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its unique id."""
        return str(self.session.hello.get("id", self.session.name))


def seed_words(seed: int, restarts: int) -> tuple[int, int]:
    """The two words of a board's seed: low and high 30 bits of the run's, the low ones changed by each restart.

    A clock that began anew with the same seed would fire as it did before.
    """
    return (seed ^ restarts * _STRIDE) % NUMBERS, (seed // NUMBERS) % NUMBERS


def hold(session: Session, within_s: float = ASK_S) -> None:
    """Nothing fires, and no telemetry."""
    session.ask("hold", within_s=within_s)
    session.ask("report", 0, 0, within_s=within_s)


def silence_ms(job: Job) -> int:
    """How long an edge board goes on without a word of the supervisor, ms; 0 is for ever."""
    if max(len(lesson.source_V) for lesson in job.lessons) < 2:
        return 0
    return round(1e3 * max(SILENCE_S, SILENT_DWELLS * job.clamp.dwell_s))


def arm_edges(member: Member, job: Job, run_id: int, taps: Sequence[int]) -> None:
    """Prepare an edge board that is in HOLD: taps, calibration, clock and threshold of each of its edges."""
    ask = member.session.ask
    if not member.late_us:
        member.late_us = [waits_us(job, edge)[1] for edge in member.edges]
    ask("prepare", run_id)
    for i in range(len(member.edges)):
        ask("tap", i, int(taps[i]))
        if member.trims:
            ask("trim", i, member.trims[i])
        arm_edge(member, job, run_id, i)


def arm_edge(member: Member, job: Job, run_id: int, i: int) -> None:
    """Give an edge of a board that is prepared its clock and its threshold."""
    settings, edge = job.edge, member.edges[i]
    waits = waits_us(job, edge)[0], member.late_us[i]
    words = seed_words(job.seed, member.restarts)
    gate = gate_c16(settings, job.physics)
    values = (run_id, CLOCKS.index(settings.clock), *waits, *gate, *words, edge, settings.order)
    member.session.ask("edge", i, dict(zip(ARMED, values, strict=True)))


def rehearse(member: Member, count: int | None = None) -> None:
    """Have the edges of a board that is armed, or so many of them, fire in HOLD, and keep how long a firing takes."""
    edges = range(len(member.edges) if count is None else count)
    member.firing_us = [int(member.session.ask("rehearse", i)[0]) for i in edges]


def arm_supervisor(member: Member, job: Job, run_id: int, lesson: int) -> None:
    """Prepare a supervisor's board that is in HOLD, tell it of an overclamp, and give it a lesson."""
    ask = member.session.ask
    ask("prepare", run_id)
    if job.clamp.kind == OVERCLAMP:
        for number, values in enumerate(member.trims):
            ask("nulls", number, values)
        ask("overclamp", run_id, round(1e6 * job.clamp.refresh_s), asked_of(job.clamp, job.physics))
    teach(member, job, run_id, lesson)


def teach(member: Member, job: Job, run_id: int, lesson: int) -> None:
    """Upload a lesson; it is shown from the supervisor's next tick on. In HOLD, or while it runs."""
    ask, clamp = member.session.ask, job.clamp
    codes = lesson_codes(job, lesson)
    eta = job.physics.mixer_tap(clamp.eta)
    order, dwell_us = ORDERS.index(clamp.order), round(1e6 * clamp.dwell_s)
    words = seed_words(job.seed, member.restarts)
    shape = (len(codes), len(job.targets))
    ask("lesson", lesson + 1, run_id, *shape, order, dwell_us, eta, *words, len(job.network.ends))
    for k, row in enumerate(codes):
        ask("example", lesson + 1, k, row)
    ask("teach", lesson + 1)


def lesson_codes(job: Job, lesson: int) -> list[list[int]]:
    """DAC codes of each example: sources, then desired voltages."""
    taught = job.lessons[lesson]
    codes: list[list[int]] = job.ground.codes(np.hstack([taught.source_V, taught.desired_V]), job.physics).tolist()
    return codes


def start_taps(job: Job) -> np.ndarray:
    """Tap of every edge at the start."""
    if job.start_taps is None:
        return np.full(len(job.network.ends), POTS[job.edge.pot].start_tap)
    return np.array(job.start_taps)


def no_trims(job: Job, member: Member) -> list[list[int]]:
    """What takes an earlier calibration off a board's edges; [] where the front end has none."""
    count = FRONT_ENDS[job.edge.front_end].trims
    return [[0] * count for _ in member.edges] if count else []


def about(member: Member, config: str) -> dict[str, Any]:
    """What the record says of a board."""
    hello = member.session.hello
    return {
        "id": member.name,
        "port": member.session.board.port,
        "edges": member.edges,
        "config": config,
        "version": hello.get("version"),
        "code": hello.get("code"),
        "boot": member.session.boot,
        "reset": hello.get("reset"),
    }
