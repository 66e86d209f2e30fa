"""Measuring in HOLD, when nothing fires: outputs by the supervisor, node voltages and drops by edges with an ADC."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clockfree.base.errors import BoardError
from clockfree.learning.arming import Member
from clockfree.link.fleet import TROUBLE, Fleet
from clockfree.link.handshake import RefusedError
from clockfree.link.session import Session
from clockfree.link.units import ADC_STEPS, C16_STEPS
from clockfree_model.calibration import calibrate
from clockfree_model.job import Job
from clockfree_model.overclamp import NULLED, held_V
from clockfree_model.parts import FRONT_ENDS
from clockfree_model.settings import OVERCLAMP

SETTLE_S = 0.01
"""Nodes and clamp settle within 130 us; the rest is for what this counts on."""
MOST_MEASURED = 4000
"""Boards times examples that are measured node by node: more than that takes minutes."""


@dataclass
class Measured:
    """What was measured while one example was shown.

    Attributes
    ----------
    outputs_V : (O,) array
        Free outputs, by the supervisor.
    nodes_V : dict
        For a node's index, the free and the clamped voltage, V, and the unique ids of the boards whose mean it is.
    drops_V : dict
        For an edge's index, the free and the clamped drop, V, calibrated, and the unique id of its board.
    ends_V : dict
        For an edge's index, the free voltages of its tail and head, V, as its own board has them.
    """

    outputs_V: np.ndarray
    nodes_V: dict[int, tuple[float, float, list[str]]] = field(default_factory=dict)
    drops_V: dict[int, tuple[float, float, str]] = field(default_factory=dict)
    ends_V: dict[int, tuple[float, float]] = field(default_factory=dict)

    def own(self, job: Job) -> "Measured":
        """The same in the task's own volts."""
        scale = job.ground.scale

        def own(free_V: float, other_V: float) -> tuple[float, float]:
            first, second = job.ground.own([free_V, other_V], job.physics).tolist()
            return first, second

        return Measured(
            job.ground.own(self.outputs_V, job.physics),
            {node: (*own(free, clamped), by) for node, (free, clamped, by) in self.nodes_V.items()},
            {edge: (free / scale, clamped / scale, by) for edge, (free, clamped, by) in self.drops_V.items()},
            {edge: own(*ends) for edge, ends in self.ends_V.items()},
        )


class Probe:
    """A bench in HOLD that can be measured and calibrated.

    Parameters
    ----------
    job : Job
    fleet : Fleet
    supervisor, boards : Member, list of Member
    """

    def __init__(self, job: Job, fleet: Fleet, supervisor: Member, boards: list[Member]) -> None:
        self._job, self._fleet = job, fleet
        self._supervisor, self._boards = supervisor, boards
        self._of = {board.session: board for board in boards}
        self._taps: list[int] = []
        able = [edge for board in boards for edge in board.session.hello["can"]["edges"]]
        self._limits = (max(edge[3] for edge in able), min(edge[4] for edge in able))
        self._calibrated: dict[Session, int] = {}  # who is calibrated now, and its boot id when that began
        self._points = 0  # that were added to the fit of the mismatch
        self._silent: set[Session] = set()  # who did not answer once is not waited for again

    # -- measuring -----------------------------------------------------------------------------------------------

    def outputs(self, source_V: np.ndarray) -> np.ndarray:
        """Free outputs (B, O) for examples (B, S), in the task's V; nan where the ADC does not answer.

        Raises
        ------
        BoardError
            The supervisor does not answer.
        """
        dark = np.zeros((len(source_V), len(self._job.targets)))  # desired voltages do not reach the free twin
        ground, physics = self._job.ground, self._job.physics
        codes = ground.codes(np.hstack([source_V, dark]), physics).tolist()
        return ground.own([self._outputs(row) for row in codes], physics)

    def example(self, codes: list[int]) -> Measured:
        """Everything that can be measured while this example is shown, with the clamp on, in the task's V.

        Raises
        ------
        BoardError
            The supervisor does not answer; edges whose board does not are left out.
        """
        clamped = True
        if self._job.clamp.kind == OVERCLAMP:
            codes, clamped = self._overclamped(codes)
        self._show(codes, clamped)
        time.sleep(SETTLE_S)
        return self._everything().own(self._job)

    def _overclamped(self, codes: list[int]) -> tuple[list[int], bool]:
        """An example as an overclamp holds it, and whether it does."""
        job, physics, sources = self._job, self._job.physics, len(self._job.sources)
        lessons = np.vstack([job.ground.codes(each.desired_V, physics) for each in job.lessons])
        self._show(codes, clamped=False)
        time.sleep(SETTLE_S)
        free_V, desired = np.array([self._read_outputs()]), np.array([codes[sources:]])
        if np.isnan(free_V).any():
            return codes, False
        (hold_V,) = held_V(job.clamp, physics, desired, free_V, lessons)
        if np.isnan(hold_V).any():
            return codes, False
        return [*codes[:sources], *physics.dac_codes(hold_V).tolist()], True

    def null_supervisor(self) -> None:
        """Null an overclamp's readings against the DAC that it holds with: every node is at one of its codes."""
        rows = []
        for number, code in enumerate(NULLED):
            self._show([code] * len(self._job.sources), clamped=False)
            time.sleep(SETTLE_S)
            rows.append(self._ask("null", number)[0])
        self._supervisor.trims = rows

    def around(self, source_V: np.ndarray) -> Measured:
        """Everything that can be measured with these voltages on the sources, on the circuit, while the clamp floats.

        Raises
        ------
        BoardError
            The supervisor does not answer; edges whose board does not are left out.
        """
        self.calm(source_V)
        self.settle()
        return self._everything()

    def _everything(self) -> Measured:
        found = Measured(np.array(self._read_outputs()))
        if FRONT_ENDS[self._job.edge.front_end].measures:
            there = [session for session in self._of if session.up and session not in self._silent]
            told, failed = self._fleet.each(self._look, there)
            self._silent.update(failed)
            nodes: dict[int, list[tuple[float, float, str]]] = defaultdict(list)
            for session, rows in told.items():
                board = self._of[session]
                for edge, (free, clamped, node_codes) in zip(board.edges, rows):
                    scale = self._job.physics.supply_V / C16_STEPS
                    found.drops_V[edge] = (free * scale, clamped * scale, board.name)
                    volts = [self._volts(code) for code in node_codes]
                    if len(volts) == 4:
                        found.ends_V[edge] = (volts[0], volts[1])
                        tail, head = self._job.network.ends[edge].tolist()
                        nodes[tail].append((volts[0], volts[2], board.name))
                        nodes[head].append((volts[1], volts[3], board.name))
            for node, values in nodes.items():
                free_V, clamped_V, names = zip(*values)
                found.nodes_V[node] = (float(np.mean(free_V)), float(np.mean(clamped_V)), sorted(set(names)))
        return found

    def _outputs(self, codes: list[int]) -> list[float]:
        self._show(codes, clamped=True)
        time.sleep(SETTLE_S)
        return self._read_outputs()

    def _read_outputs(self) -> list[float]:
        return [self._volts(code) for code in self._ask("measure")[0][: len(self._job.targets)]]

    def _show(self, codes: list[int], clamped: bool) -> None:
        self._ask("clamp", int(clamped))
        self._ask("show", codes)

    def _ask(self, kind: str, *arguments: Any) -> list[Any]:
        """Ask the supervisor."""
        try:
            return self._supervisor.session.ask(kind, *arguments)
        except TROUBLE as error:
            raise BoardError(f"{self._supervisor.session.name}: {' '.join(str(error).split())}") from None

    def _look(self, session: Session) -> list[list]:
        return [session.ask("measure", i) for i in range(len(self._of[session].edges))]

    def _volts(self, code: int) -> float:
        return code / ADC_STEPS * self._job.physics.supply_V if code >= 0 else float("nan")

    # -- calibrating ---------------------------------------------------------------------------------------------

    def calibrate(self, taps: np.ndarray) -> None:
        """Calibrate every edge; the boards hold the result, and so do the members, for after a reset.

        A board that is reset meanwhile has lost what was fitted: it alone is calibrated once more. The others keep
        theirs, and are moved along.
        """
        self._taps = taps.tolist()
        self._calibrated = self._boots()
        calibrate(self._job, self)
        boots = self._boots()
        again = {session: boot for session, boot in boots.items() if boot != self._calibrated[session]}
        if again:
            self._calibrated = again
            calibrate(self._job, self)
            for session, boot in again.items():
                if session.boot != boot:
                    raise BoardError(f"{session.name}: calibration: it was reset twice: look at its power")

    def _boots(self) -> dict[Session, int]:
        return {session: session.boot for session in self._of}

    def taps(self) -> list[int]:
        """Tap of every edge."""
        return self._taps

    def limits(self) -> tuple[int, int]:
        """Lowest and highest tap that every edge can take."""
        return self._limits

    def set_taps(self, taps: list[int]) -> None:
        """Move every edge."""

        def move(session: Session) -> None:
            for i, edge in enumerate(self._of[session].edges):
                session.ask("tap", i, taps[edge])

        self._every(move)
        self._taps = taps

    def move(self, edge: int, tap: int) -> None:
        """Move one edge, after `set_taps`."""

        def move(session: Session) -> None:
            session.ask("tap", self._of[session].edges.index(edge), tap)

        self._every(move, [session for session, board in self._of.items() if edge in board.edges])
        self._taps[edge] = tap

    def bits(self, codes: list[int]) -> dict[int, tuple[int, int]]:
        """What the two comparators of each edge say while this is shown, on sources and desired, with the clamp on."""
        self._show(codes, clamped=True)
        self.settle()
        found: dict[int, tuple[int, int]] = {}
        for session, rows in self._fleet.each(self._look, [*self._of])[0].items():
            found.update((edge, (row[0], row[1])) for edge, row in zip(self._of[session].edges, rows))
        return found

    def calm(self, source_V: np.ndarray) -> None:
        """Float the clamp and put these voltages on the sources."""
        self._show(self._job.physics.dac_codes(source_V).tolist(), clamped=False)

    def settle(self) -> None:
        """Wait until the nodes have settled."""
        physics = self._job.physics
        time.sleep(SETTLE_S + 1e-6 * (physics.age_us + physics.skew_us))

    def null(self) -> None:
        """Every edge nulls its offsets."""
        self._points = 0
        self._every(lambda session: self._trim(session, "null"), self._calibrated)

    def match(self) -> None:
        """Every edge adds a point to the fit of its mismatch."""
        self._points += 1
        self._every(lambda session: self._trim(session, "match", self._points), self._calibrated)

    def release(self) -> None:
        """Connect the clamp again."""
        self._ask("clamp", 1)

    def _trim(self, session: Session, kind: str, *arguments: int) -> None:
        board = self._of[session]
        try:
            board.trims = [session.ask(kind, i, *arguments)[0] for i in range(len(board.edges))]
        except RefusedError:
            if session.boot == self._calibrated[session]:
                raise

    def _every(self, act: Callable[[Session], None], sessions: Iterable[Session] | None = None) -> None:
        _, failed = self._fleet.each(act, [*(self._of if sessions is None else sessions)])
        for session, why in failed.items():
            raise BoardError(f"{session.name}: calibration: {why}")
