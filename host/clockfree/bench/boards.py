"""Bench of boards: each edge of a network has one, and learns by itself; the host prepares, listens and keeps."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from clockfree.base.errors import BoardError, InputError
from clockfree.bench.called import CalledBoards
from clockfree.bench.contradiction import contradiction
from clockfree.bench.expected import drops
from clockfree.bench.protocol import Observer
from clockfree.bench.telling import seen
from clockfree.bench.wiring import Wiring, judge, measure
from clockfree.learning.arming import (
    Member,
    about,
    arm_edge,
    arm_supervisor,
    hold,
    lesson_codes,
    no_trims,
    rehearse,
    start_taps,
)
from clockfree.learning.diagnostics import Diagnostics
from clockfree.learning.learning import Learning
from clockfree.learning.measuring import MOST_MEASURED, Measured
from clockfree.learning.pace import floor_us, held_hz, not_held
from clockfree.learning.rejoining import Rejoining
from clockfree.learning.tally import UNKNOWN
from clockfree.link.benchfile import BenchFile, bench_text, board_config, config_hash
from clockfree.link.handshake import other_code
from clockfree.link.session import Session
from clockfree_model import events
from clockfree_model.counters import FIRINGS
from clockfree_model.job import Job, Sample
from clockfree_model.rates import rates_hz, waits_us

REPORT_MS = 100
MOST_REPORTS = 640
"""Telemetry lines a second of all boards together; a host has other things to do."""
TURN_S = 0.1
MOST_APART_S = 4.0
"""At the rates that were asked for samples are no further apart: with each there may be a checkpoint."""
REHEARSED_AGAIN = 5
"""So often a board rehearses once more, before it is refused."""
READY_S = 30.0
"""Before RUN a board that is away is waited for so long."""
VALUES = {
    "time_us": "wall time of the host since RUN",
    "error_V2, measured_error_V2, outputs_V": "measured by the supervisor; at the first and the last sample in HOLD",
    "taps, counters": "told by each edge's board; -1 is a tap that nobody knows, as of one that is away",
    FIRINGS: "told by each edge's board; t_us is its own ticks, laid over time_us by its clock event, modulo 2**30",
}


class BoardBench(CalledBoards):
    """Boards at their ports, real or virtual, that learn a job."""

    def __init__(self, bench: BenchFile, file: str, anyway: bool = False) -> None:
        super().__init__(bench, file, anyway)
        self._stopped = threading.Event()
        self._learning: Learning | None = None
        self._from: dict[str, Any] | None = None
        self._wiring = Wiring("", float("nan"), float("nan"))

    @property
    def failures(self) -> list[str]:
        """What makes the run a failed one, though it came to its end."""
        return self._learning.journal.failures if self._learning else []

    # -- getting ready -------------------------------------------------------------------------------------------

    def start(self, job: Job, observer: Observer, saved: dict[str, Any] | None = None) -> None:
        """Call every board, calibrate if the job says so, and tell each what it needs to know; they stay in HOLD.

        Where the job goes on, taps, trims and lesson are those that were `saved`.

        Raises
        ------
        InputError
            The job is none for these boards, or they are not what the bench file says.
        BoardError
            A board that cannot do what it is told.
        """
        self._from = saved
        self._call(job, observer)
        for member in (self._supervisor, *self._boards):
            member.restarts = 1 + saved["restarts"] if saved else 0  # clocks do not begin as they did
        self._taps = taps = self._start_taps()
        for session in self._every:
            session.away_s = READY_S
        self._each("hold", hold, self._every)
        if saved is not None:
            self._taps = taps = self._taps_of(saved)
            self._each("taps", lambda session: self._go_on(session, taps, saved))
        elif job.edge.calibrate:
            self._each("taps", lambda session: self._set_taps(session, taps))
            observer.say("calibrating in HOLD: every edge nulls its offsets")
            self._probe.calibrate(taps)
        else:
            for board in self._boards:
                board.trims = no_trims(job, board)
        self._null_supervisor()
        self._wiring = self._checked_wiring(taps)
        self._each("set-up", lambda session: self._arm(session, taps))
        self._rehearse()
        supervisor, lesson = self._supervisor, saved["lesson"] if saved else 0
        self._each("lesson", lambda _: arm_supervisor(supervisor, job, self._run_id, lesson), [supervisor.session])
        self._in_hold = True

    def about(self) -> dict[str, Any]:
        """Run id, boards, and where each value of the log comes from."""
        members = [self._supervisor, *self._boards]
        boards = [
            about(member, config_hash(board_config(self.bench, member.session.board)))
            | ({"trims": member.trims} if member.trims else {})
            | (_rehearsed(member) if member.firing_us else {})
            for member in members
        ]
        wiring = {"drops_V": _number(self._wiring.drops_V), "outputs_V": _number(self._wiring.outputs_V)}
        ours = {"run_id": self._run_id, "values": VALUES, events.WIRING: wiring}
        return {**ours, "supervisor": boards[0], "boards": boards[1:]}

    def files(self) -> dict[str, str]:
        """The bench file as it was used."""
        return {"bench.toml": bench_text(self.bench)}

    def keep(self, folder: Path) -> None:
        """Whoever wants to look at these boards meanwhile finds them in this record."""
        if self._note:
            self._note.run(folder)

    def _start_taps(self) -> np.ndarray:
        """Taps at the start; InputError where an edge's chip must not take its."""
        taps = start_taps(self._job)
        for board in self._boards:
            for edge, (name, _, _, lowest, highest) in zip(board.edges, board.session.hello["can"]["edges"]):
                if not lowest <= taps[edge] <= highest:
                    text = f"expected {lowest}..{highest} for {name}, as its board says, got {taps[edge]}"
                    raise InputError(f"{self.file}: start_taps: {text}")
        return taps

    def _taps_of(self, saved: dict[str, Any]) -> np.ndarray:
        """Taps to go on from; BoardError where nobody knew one, and its chip does not say it either."""
        taps = np.array(saved["taps"])
        for board in self._boards:
            for i, edge in enumerate(board.edges):
                if taps[edge] == UNKNOWN:
                    taps[edge] = Rejoining.adopted(board.session, i)
                if taps[edge] == UNKNOWN:
                    name = self._job.network.edge_name(edge)
                    raise BoardError(f"{self.file}: {name}: nobody knows its tap: clockfree hold, and look at its chip")
        return taps

    def _go_on(self, session: Session, taps: np.ndarray, saved: dict[str, Any]) -> None:
        """Give a board the taps and trims that it had."""
        self._set_taps(session, taps)
        board = self._of[session]
        board.trims = [saved["trims"][edge] for edge in board.edges] if saved["trims"] else []
        for i, trims in enumerate(board.trims):
            session.ask("trim", i, trims)

    def _checked_wiring(self, taps: np.ndarray) -> Wiring:
        """What the wiring is like; InputError where it is wrong, unless it is taken anyway."""
        self._observer.say("checking the wiring in HOLD: taps are moved, drops and outputs have to fit the network")
        found = judge(self._job, measure(self._job, self._probe, taps))
        if found.problem and not self._anyway:
            advice = "exchange ids in the bench file, or cables, to match; --anyway learns as it is"
            raise InputError(f"{self.file}: wiring: {found.problem}: {advice}")
        return found

    def _rehearse(self) -> None:
        """Have every board fire its edges in HOLD, and see to it that it holds the rates asked of them.

        Raises
        ------
        InputError
            A board does not.
        """
        super()._rehearse()
        for board in self._boards:
            found = self._short_of(board)
            for _ in range(REHEARSED_AGAIN):
                if found:  # whatever holds a rehearsal up makes it longer, never shorter
                    before_us = board.firing_us
                    self._each("rehearsal", lambda session: rehearse(self._of[session]), [board.session])
                    board.firing_us = [min(us) for us in zip(before_us, board.firing_us)]
                    found = self._short_of(board)
            if found:
                name, asked_hz, held_hz = found
                others = f" beside {len(board.edges) - 1} others" if len(board.edges) > 1 else ""
                text = f"{asked_hz:,.0f} firings/s asked{others}, this board holds {held_hz:,.0f}"
                raise InputError(f"{self.file}: edge {name}: {text}")

    def _short_of(self, board: Member) -> tuple[str, float, float] | None:
        """See to it that an edge which is behind others is not dropped; what the board does not hold even so."""
        if self._job.edge.late_us is None:
            least_us = floor_us(board.firing_us)
            for i, edge in enumerate(board.edges):
                late_us = max(waits_us(self._job, edge)[1], least_us)
                if late_us != board.late_us[i]:
                    board.late_us[i] = late_us
                    arm_edge(board, self._job, self._run_id, i)
        return not_held(self._job, board)

    # -- learning ------------------------------------------------------------------------------------------------

    def run(self, pause: Callable[[], None] | None = None) -> Iterator[Sample]:
        """Learn in wall time, from HOLD to HOLD; samples are never far apart."""
        job, fleet = self._job, self._fleet
        assert fleet is not None and self._taps is not None
        telemetry = (max(REPORT_MS, round(1000 * len(fleet.sessions) / MOST_REPORTS)), int(job.trace))
        able = {
            edge: limits[3:]
            for board in self._boards
            for edge, limits in zip(board.edges, board.session.hello["can"]["edges"])
        }
        limits = np.array([able[edge] for edge in range(len(able))])
        complaints = Diagnostics(job, lambda *found: drops(job, *found), limits, self.strict)
        lesson = self._from["lesson"] if self._from else 0
        self._learning = learning = Learning(
            fleet,
            self._supervisor,
            self._boards,
            Rejoining(job, self.bench, self._run_id, telemetry, self._anyway),
            self._probe.outputs(job.lessons[lesson].source_V),
            self._taps,
            complaints,
            self._observer.say,
        )
        if self._from:
            learning.go_on(self._from)
        if self._wiring.problem:
            learning.journal.note(events.WIRING, self._wiring.problem)
        for member in (self._supervisor, *self._boards):
            if other := other_code(member.session.hello):
                learning.journal.note(events.CODE, other, member)
        yield learning.sample()
        try:
            if job.updates:
                yield from self._learn(learning, telemetry[0])
        except BoardError:
            yield learning.sample()  # what came before it
            raise
        measured = self._measured(learning.lesson)
        if not learning.stayed():
            measured = []
        if len(measured) < min(self._most_measured, len(self._job.lessons[learning.lesson].source_V)):
            learning.outputs_unknown()  # a reading of before is of other taps
        self._contradicted(learning, measured)
        for k, found in enumerate(measured):
            learning.outputs(k, found.outputs_V)
            learning.journal.note(events.MEASURED, f"example {k} was measured in HOLD", said=False, **_plain(k, found))
        yield learning.sample()

    def _learn(self, learning: Learning, period_ms: int) -> Iterator[Sample]:
        """From RUN to HOLD."""
        job = self._job
        self._in_hold = False
        learning.start()
        samples = max(job.samples, math.ceil(job.updates / rates_hz(job).min() / MOST_APART_S))
        stops = [stop for stop in np.linspace(0, job.updates, samples + 1)[1:-1].tolist() if stop > learning.updates]
        begins = [lesson.from_updates for lesson in job.lessons]
        sampled_s = time.monotonic()
        while not self._stopped.is_set() and learning.updates < job.updates:
            learning.turn(TURN_S)
            if self._note and self._note.watched:
                self._note.tell(seen(job, self._run_id, learning, self._supervisor, self._boards))
            updates = learning.updates
            learning.want(sum(begin <= updates for begin in begins) - 1)
            due = bool(stops) and updates >= stops[0]
            if due and time.monotonic() - sampled_s >= 1e-3 * period_ms:
                sampled_s = time.monotonic()
                while stops and stops[0] <= updates:
                    stops.pop(0)
                yield learning.sample()
        learning.finish()
        self._in_hold = True

    def _contradicted(self, learning: Learning, measured: list[Measured]) -> None:
        """Say it where the supervisor's readings on the way are not what it measured in HOLD."""
        if measured and learning.told:
            measured_V = np.full_like(learning.told[-1][0], np.nan)
            measured_V[: len(measured)] = [found.outputs_V for found in measured]
            text = contradiction(self._job, learning.lesson, learning.told, measured_V, learning.tally.taps)
            if text:
                learning.journal.note(events.CONTRADICTION, text, self._supervisor)

    @property
    def _most_measured(self) -> int:
        """So many examples are measured in HOLD at the end."""
        return max(1, MOST_MEASURED // len(self._boards))

    def _measured(self, lesson: int) -> list[Measured]:
        """What can be measured in HOLD at the end, example by example; as far as that goes."""
        codes = lesson_codes(self._job, lesson)
        found: list[Measured] = []
        try:
            for row in codes[: self._most_measured]:
                found.append(self._probe.example(row))
        except BoardError as error:
            self._observer.say(f"not all could be measured in HOLD: {error}")
        return found

    def saved(self) -> dict[str, Any]:
        """Taps, trims, counters and how far the run has come, as of the last sample."""
        assert self._learning is not None
        return self._learning.saved()

    def outputs(self, source_V: np.ndarray) -> np.ndarray | None:
        """Free outputs (B, O) for examples (B, S), V, by the supervisor; None while the boards learn, or it is away."""
        if not self._in_hold:
            return None
        try:
            outputs_V = self._probe.outputs(source_V)
            return outputs_V if np.isfinite(outputs_V).all() else None
        except BoardError as error:
            self._observer.say(f"no outputs for other examples than those taught: {error}")
            return None

    def stop(self) -> None:
        """HOLD soon, and one last sample."""
        self._stopped.set()

    def _let_go(self) -> None:
        if self._learning and not self._in_hold:
            self._learning.hold(within_s=1.0)


def _rehearsed(board: Member) -> dict[str, Any]:
    """What the record says of a board's rehearsal."""
    return {"firing_us": board.firing_us, "late_us": board.late_us, "holds_hz": round(held_hz(board), 1)}


def _plain(example: int, found: Measured) -> dict[str, Any]:
    """What was measured as the log has it: null where it could not be."""
    return {
        "example": example,
        "outputs_V": [_number(volts) for volts in found.outputs_V],
        "nodes": [[node, _number(free), _number(clamped), by] for node, (free, clamped, by) in found.nodes_V.items()],
        "drops": [[edge, _number(free), _number(clamped), by] for edge, (free, clamped, by) in found.drops_V.items()],
    }


def _number(volts: float) -> float | None:
    return round(float(volts), 7) if np.isfinite(volts) else None
