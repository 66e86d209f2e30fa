"""The kernel: the firmware's own edge, rule and clock, compiled, on the same circuit as the world's."""

from collections.abc import Iterator

from clockfree_board.sense import READS, TRIM_READS
from clockfree_model.calibration import calibrate
from clockfree_model.job import Job, Sample
from clockfree_model.parts import FRONT_ENDS, POTS
from clockfree_sim.compiled import front_ends
from clockfree_sim.compiled.edges import Edges
from clockfree_sim.compiled.own_clocks import OwnClocks
from clockfree_sim.compiled.rounds import Rounds
from clockfree_sim.plant.setup import Hold, Setup


def check(job: Job) -> None:
    """Raise ValueError where a job switches on what the kernel does not have: it would be left out in silence."""
    if not any(lesson.from_updates <= 0 for lesson in job.lessons):
        raise ValueError("lessons: none of them is taught from the start")
    if not POTS[job.edge.pot].in_step:
        raise ValueError(f"pot {job.edge.pot}: the kernel has those whose wipers never part")
    if not FRONT_ENDS[job.edge.front_end].compiled:
        raise ValueError(f"front_end {job.edge.front_end}: the kernel does not have it")


class Kernel:
    """One job with everything after its set-up compiled; its samples are those of a `World`, bit for bit.

    Boards are built and the circuit is loaded as for a `World`, from whose objects the compiled loop then takes over:
    these keep what they were set up with. Every clock and rule; every front end with all that is wrong with it,
    calibration, thresholds; MCP42xx, mismatch, decision age, skew; both clamps, their errors and lag, settling;
    lateness; damage. Not: pulse potentiometers.

    Setting up takes about 0.5 ms at 16 edges and 0.6 s at 9,940; with calibration of their ADCs 3 s.

    Parameters
    ----------
    job : Job
    like : Kernel or None
        That of the same job with another seed, for what both share.

    Raises
    ------
    ValueError
        What is not supported, by the name of its switch; see `check`.

    Attributes
    ----------
    setup : Setup
    job, plant
        The set-up's.
    edges : Edges
        The compiled edges.
    """

    def __init__(self, job: Job, like: "Kernel | None" = None):
        check(job)
        setup = Setup(job, like=like.setup if like else None)
        self.setup: Setup = setup
        self.job, self.plant = job, setup.plant
        self.edges: OwnClocks | Rounds = OwnClocks(setup) if job.schedule == "clockfree" else Rounds(setup)
        if job.edge.calibrate:
            calibrate(job, _CompiledHold(setup, self.edges))
        setup.settle(self.edges.taps().tolist())
        self.edges.begin()

    def run(self) -> Iterator[Sample]:
        """Learn: yields a sample at the start, then ``job.samples`` more, evenly spaced in updates per edge."""
        return self.setup.run(self.edges)


class _CompiledHold(Hold):
    """A kernel before its edges have started: what firmware does by itself is compiled."""

    def __init__(self, setup: Setup, edges: Edges):
        super().__init__(setup)
        self._edges = edges
        self._measures = FRONT_ENDS[setup.job.edge.front_end].measures

    def taps(self) -> list[int]:
        """Tap of every edge."""
        return self._edges.taps().tolist()

    def set_taps(self, taps: list[int]) -> None:
        """Move every edge to a tap."""
        self._edges.place(taps)
        self._setup.plant.place(taps)

    def null(self) -> None:
        """Every edge nulls its offsets."""
        if self._measures:
            self._edges.calibrate(front_ends.null, READS)
        else:
            self._edges.calibrate(front_ends.trim, TRIM_READS)

    def match(self) -> None:
        """Every edge adds a point to the fit of its mismatch."""
        self._edges.calibrate(front_ends.match, READS)
