"""Boards of a bench that were called for a job: everything that is done with them together, in HOLD."""

import random
from collections.abc import Callable

import numpy as np

from clockfree.base.errors import BoardError, InputError
from clockfree.bench.fitting import check_fit
from clockfree.bench.protocol import Observer
from clockfree.learning.arming import Member, arm_edges, hold, rehearse, start_taps
from clockfree.learning.measuring import Probe
from clockfree.learning.rejoining import Rejoining
from clockfree.learning.tally import UNKNOWN
from clockfree.link.benchfile import BenchFile
from clockfree.link.fleet import HEARTBEAT_S, Fleet, call
from clockfree.link.hosts import Note
from clockfree.link.session import Session
from clockfree_board.link import NUMBERS
from clockfree_model.job import Job
from clockfree_model.parts import FRONT_ENDS
from clockfree_model.settings import OVERCLAMP


class CalledBoards:
    """Boards at their ports, and what they can be asked in HOLD.

    Parameters
    ----------
    bench : BenchFile
    file : str
        Name of the bench, for what is said.
    anyway : bool
        Take boards that run other code than the firmware here.
    """

    strict = True
    """Nobody but its owner decides what becomes of what the boards have learnt; what takes too long fails the run."""

    def __init__(self, bench: BenchFile, file: str, anyway: bool = False) -> None:
        self.bench, self.file, self._anyway = bench, file, anyway
        self._fleet: Fleet | None = None
        self._note: Note | None = None
        self._in_hold = False
        self._taps: np.ndarray | None = None  # where edges begin: a board that is reset before RUN goes there again

    def _call(self, job: Job, observer: Observer) -> None:
        """Call every board for a job."""
        check_fit(job, self.bench, self.file)
        self._job, self._observer = job, observer
        self._run_id = random.SystemRandom().randrange(1, NUMBERS)
        self._fleet = fleet = Fleet(self.bench, HEARTBEAT_S)
        self._note = Note(self.bench)
        observer.say(f"calling {len(fleet.sessions)} boards")
        call(fleet, self.file, self._anyway)
        edges = {job.network.edge_name(edge): edge for edge in range(len(job.network.ends))}
        self._supervisor = Member(fleet.supervisor, [], fleet.supervisor.boot)
        self._boards = [
            Member(session, [edges[wiring.edge] for wiring in board.edges], session.boot)
            for session, board in zip(fleet.edge_boards, self.bench.boards)
        ]
        self._of = {board.session: board for board in self._boards}
        self._every = fleet.sessions
        self._probe = Probe(job, fleet, self._supervisor, self._boards)

    def _call_in_hold(self, job: Job, observer: Observer) -> None:
        """The same, and HOLD, in which they stay."""
        self._call(job, observer)
        self._each("hold", hold, self._every)
        self._in_hold = True

    def recall(self, job: Job, observer: Observer, taps: np.ndarray, source_V: np.ndarray, move: bool) -> np.ndarray:
        """Free outputs (B, O) of these taps (E,) for examples (B, S), V, in HOLD: nothing is taught.

        Parameters
        ----------
        job, observer : Job, Observer
        taps, source_V : array
        move : bool
            Move wipers that stand elsewhere; else they are refused, for what they have learnt would be lost.

        Raises
        ------
        InputError
            As `start`; wipers that stand elsewhere.
        BoardError
            A board, or the supervisor's ADC, that does not answer.
        """
        self._call_in_hold(job, observer)
        there = self._taps_there()
        elsewhere = np.flatnonzero(there != taps)
        if elsewhere.size and not move and self.strict:
            first = int(elsewhere[0])
            at = "at no tap" if there[first] == UNKNOWN else f"at tap {there[first]}"
            text = f"{elsewhere.size} of {len(taps)} edges stand elsewhere ({job.network.edge_name(first)} {at})"
            raise InputError(f"{self.file}: expected the run's taps, {text}: --move moves them there")
        if elsewhere.size:
            observer.say(f"moving {elsewhere.size} of {len(taps)} edges to the run's taps, in HOLD")
            self._each("taps", lambda session: self._set_taps(session, taps))
        self._null_supervisor()
        outputs_V = self._probe.outputs(source_V)
        if not np.isfinite(outputs_V).all():
            raise BoardError(f"{self.file}: {self._supervisor.session.name}: its ADC does not answer")
        return outputs_V

    def survey(self, job: Job, observer: Observer) -> tuple[np.ndarray, np.ndarray]:
        """What the boards find out about themselves in HOLD: trims (E, n) and duration of a firing (E,), us.

        Wipers move meanwhile, and stand in the end where they stood.

        Raises
        ------
        InputError, BoardError
            As `recall`.
        """
        self._call_in_hold(job, observer)
        start, there = start_taps(job), self._taps_there()
        taps = np.where(there == UNKNOWN, start, there)
        if FRONT_ENDS[job.edge.front_end].trims:
            observer.say("calibrating in HOLD: every edge nulls its offsets")
            self._probe.calibrate(taps)
        self._each("set-up", lambda session: self._arm(session, taps))
        self._rehearse()
        trims: list[list[int]] = [[]] * len(taps)
        firing_us = np.full(len(taps), np.nan)
        for board in self._boards:
            for edge, trim in zip(board.edges, board.trims):
                trims[edge] = trim
            firing_us[board.edges[: len(board.firing_us)]] = board.firing_us
        return np.array(trims, dtype=float), np.where(np.isfinite(firing_us), firing_us, np.nanmean(firing_us))

    def _taps_there(self) -> np.ndarray:
        """Tap of every edge (E,) as its chip says it."""
        there = np.full(len(self._job.network.ends), UNKNOWN)

        def look(session: Session) -> None:
            for i, edge in enumerate(self._of[session].edges):
                there[edge] = Rejoining.adopted(session, i)

        self._each("taps", look)
        return there

    def _arm(self, session: Session, taps: np.ndarray) -> None:
        board = self._of[session]
        board.boot = session.boot
        arm_edges(board, self._job, self._run_id, taps[board.edges].tolist())

    def _rehearse(self) -> None:
        """Have every board fire its edges in HOLD, and keep how long that takes."""
        self._each("rehearsal", lambda session: rehearse(self._of[session]))

    def _set_taps(self, session: Session, taps: np.ndarray) -> None:
        for i, edge in enumerate(self._of[session].edges):
            session.ask("tap", i, int(taps[edge]))

    def _null_supervisor(self) -> None:
        """Where it overclamps, readings of the supervisor are nulled against its DAC, in HOLD."""
        if self._job.clamp.kind == OVERCLAMP:
            self._observer.say("nulling the supervisor's readings in HOLD")
            self._probe.null_supervisor()

    def _each(self, doing: str, act: Callable[[Session], None], sessions: list[Session] | None = None) -> None:
        """Do something with the edge boards, or others; BoardError where one of them fails.

        One that was reset since it was armed is armed again first, and its turn comes once more.
        """
        assert self._fleet is not None
        _, failed = self._fleet.each(act, self._fleet.edge_boards if sessions is None else sessions)
        taps = self._taps
        if taps is not None:
            reset = [session for session in failed if session in self._of and session.boot != self._of[session].boot]
            self._fleet.each(lambda session: self._arm(session, taps), reset)
            failed = {session: why for session, why in failed.items() if session not in reset}
            failed |= self._fleet.each(act, reset)[1]
        if failed:
            session, why = next(iter(failed.items()))
            more = f" (and {len(failed) - 1} more boards)" if len(failed) > 1 else ""
            raise BoardError(f"{self.file}: {session.name}: {doing}: {why}{more}")

    def close(self) -> None:
        """Let go of the boards; those that may still run are put in HOLD as far as they answer at once."""
        if self._fleet is None:
            return
        fleet, self._fleet = self._fleet, None
        try:
            self._let_go()
        finally:
            fleet.close()
            if self._note:
                self._note.close()

    def _let_go(self) -> None:
        """What is done before the ports are closed."""
