"""Examination of a bench in HOLD: each board by itself, then all of them as the network that they are to be.

Nothing learns. Wipers are moved, and stand in the end where they stood; calibration stays.
"""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from clockfree.base.errors import BoardError, InputError
from clockfree.bench import checkup
from clockfree.bench.circuit import MOST_EDGES, CircuitExamination
from clockfree.bench.protocol import Observer
from clockfree.bench.stated import stated
from clockfree.bench.verdicts import CHIPS, FIRMWARE, ID, PORT, POWER, Verdict
from clockfree.learning.arming import Member, hold, rehearse
from clockfree.learning.measuring import Probe
from clockfree.learning.tally import UNKNOWN
from clockfree.link.benchfile import BenchFile, board_config
from clockfree.link.fleet import HEARTBEAT_S, Fleet
from clockfree.link.handshake import NO_ANSWER, misfit
from clockfree.link.hosts import Note, host_of
from clockfree.link.session import Session
from clockfree_board.link import NUMBERS
from clockfree_model.parts import FRONT_ENDS, POTS

BEFORE = PORT, FIRMWARE, ID, CHIPS
"""What has to be well before a circuit can be examined."""
T = TypeVar("T")


class Examination:
    """Boards of a bench that are examined; a context manager.

    Parameters
    ----------
    bench : BenchFile
    file : str
        Its name, for what is said.
    observer : Observer

    Attributes
    ----------
    verdicts : dict of Verdict
        Of each board, by its session; the supervisor's first.
    unknown : str
        Why nothing is known of the circuit; "" where it was examined.

    Raises
    ------
    InputError
        Another process runs these boards.
    """

    def __init__(self, bench: BenchFile, file: str, observer: Observer) -> None:
        if host := host_of(bench):
            doing = f" ({host.run})" if host.run else ""
            text = f"process {host.pid} runs these boards{doing}: clockfree hold --bench {file} asks it to end"
            raise InputError(f"{file}: {text}")
        self.bench, self._file, self._observer = bench, file, observer
        self._run_id = random.SystemRandom().randrange(1, NUMBERS)
        self._job, self.unknown = stated(bench, self._run_id)
        self._fleet = fleet = Fleet(bench, HEARTBEAT_S)
        self._note = Note(bench)
        served = [[], *([edge.edge for edge in board.edges] for board in bench.boards)]
        self.verdicts = {session: Verdict(session.name, edges) for session, edges in zip(fleet.sessions, served)}
        self._members: dict[Session, Member] = {}
        self._taps: dict[Session, list[int]] = {}
        self._trims: dict[Session, list[list[int]]] = {}

    def __enter__(self) -> "Examination":
        return self

    def __exit__(self, *exception: object) -> None:
        self._fleet.close()
        self._note.close()

    def examine(self) -> None:
        """Find out all that can be found out."""
        self._call()
        try:
            self._alone()
            self._together()
        finally:
            self._put_back()
        self._judge()

    # -- boards by themselves ------------------------------------------------------------------------------------

    def _call(self) -> None:
        """Open every port, and take in HOLD what is as the bench file says."""
        fleet = self._fleet
        self._observer.say(f"calling {len(fleet.sessions)} boards")
        failed = fleet.open()
        failed |= fleet.read_by_others([session for session in fleet.sessions if session not in failed])
        for session, verdict in self.verdicts.items():
            if session in failed:
                flash = NO_ANSWER in failed[session] or "prompt" in failed[session]
                verdict.find(PORT, failed[session], f"clockfree flash --bench {self._file}" if flash else "")
                continue
            config = board_config(self.bench, session.board)
            if problem := misfit(session.hello, session.board.id, config):
                verdict.find(FIRMWARE, problem, f"clockfree flash --bench {self._file}")
                continue
            self._members[session] = Member(session, [], session.boot)
        first = 0
        for session, board in zip(fleet.edge_boards, self.bench.boards):
            if session in self._members:
                self._members[session].edges = [*range(first, first + len(board.edges))]
            first += len(board.edges)
        self._each("hold", hold)

    def _alone(self) -> None:
        """Each board by itself."""
        self._observer.say("cables, chips and seeds, in HOLD: nothing learns, and wipers go back to where they stand")
        checkup.judge_seeds({session: self.verdicts[session] for session in self._members})
        for session, trips_s in self._each("round trips", checkup.pinged).items():
            self.verdicts[session].facts["trip_s"] = round(min(trips_s), 5)
        start_tap = POTS[self._job.edge.pot].start_tap

        def look(session: Session) -> None:
            found = checkup.chips(self.verdicts[session], self._members[session], start_tap)
            self._taps[session], self._trims[session] = found

        self._each("chips", look, self._edge_boards)
        self._observer.say("rehearsal in HOLD: one board after another fires, and nothing of that stays")
        ready = [session for session in self._edge_boards if UNKNOWN not in self._taps[session]]
        self._each("set-up", self._arm, ready)
        kinds = {}
        for session, board in zip(self._fleet.edge_boards, self.bench.boards):
            if session in self._members and session in ready:
                kinds[self._members[session]] = (*(f"{each.front_end} {each.pot}" for each in board.edges),)
        slow = checkup.rehearsed(kinds, self._rehearse)
        checkup.judge_rates(kinds, slow, self._job, self.verdicts)
        self._each("examples", self._show, [self._fleet.supervisor])

    def _arm(self, session: Session) -> None:
        member = self._members[session]
        member.trims = self._trims[session] if all(self._trims[session]) else []
        checkup.armed(self.verdicts[session], member, self._job, self._run_id, self._taps[session])

    def _rehearse(self, member: Member) -> int:
        """How long a firing takes in a rehearsal of one board alone, us; 0 where it could not."""
        before_us = member.firing_us
        self._each("rehearsal", lambda _: rehearse(member), [member.session])
        if member.session not in self._members:
            return 0
        took_us = max(member.firing_us)
        member.firing_us = [min(us) for us in zip(member.firing_us, before_us or member.firing_us)]
        return took_us

    def _show(self, session: Session) -> None:
        checkup.shown(self.verdicts[session], self._members[session], self._job, self._run_id)

    @property
    def _edge_boards(self) -> list[Session]:
        return [session for session in self._fleet.edge_boards if session in self._members]

    # -- all boards, as a network ----------------------------------------------------------------------------------

    def _together(self) -> None:
        """The circuit, where all boards do what they are told."""
        if not self.unknown and len(self._job.network.ends) > MOST_EDGES:
            self.unknown = f"it has more than {MOST_EDGES} edges"
        if not self.unknown and (ill := [each.board for each in self.verdicts.values() if each.has(*BEFORE)]):
            self.unknown = f"that needs every board, and something is wrong with {ill[0]}"
        if self.unknown:
            return
        self._observer.say("the circuit, in HOLD: wipers are moved one by one, and what is seen has to fit the network")
        members = [self._members[session] for session in self._fleet.edge_boards]
        supervisor = self._fleet.supervisor
        probe = Probe(self._job, self._fleet, self._members[supervisor], members)
        of = [self.verdicts[member.session] for member in members for _ in member.edges]
        self._each("calibration", self._uncalibrated, self._fleet.edge_boards)
        try:
            CircuitExamination(self._job, probe, of, self.verdicts[supervisor]).examine()
            probe.release()
        except BoardError as error:
            self.unknown = str(error)
            named = [each for each in self.verdicts.values() if self.unknown.startswith(each.board)]
            (named or [self.verdicts[supervisor]])[0].find(CHIPS, self.unknown)

    def _uncalibrated(self, session: Session) -> None:
        """What it sees is taken as it is; what was calibrated is put back at the end."""
        if FRONT_ENDS[self._job.edge.front_end].measures:
            for i, trims in enumerate(self._trims[session]):
                session.ask("trim", i, [0] * len(trims))

    # -- the end -------------------------------------------------------------------------------------------------

    def _put_back(self) -> None:
        """Wipers to where they stood, and the calibration that was there."""

        def put(session: Session) -> None:
            for i, (tap, trims) in enumerate(zip(self._taps[session], self._trims[session])):
                if tap != UNKNOWN:
                    session.ask("tap", i, tap)
                if trims:
                    session.ask("trim", i, trims)

        self._each("putting taps back", put, [session for session in self._edge_boards if session in self._trims])

    def _judge(self) -> None:
        """What only shows at the end."""
        for session, member in self._members.items():
            checkup.judge_link(self.verdicts[session], session)
            if session.boot != member.boot:
                self.verdicts[session].find(POWER, "it was reset meanwhile", "look at its power and its cable")

    def _each(
        self, doing: str, act: Callable[[Session], T], sessions: Sequence[Session] | None = None
    ) -> dict[Session, T]:
        """Do something with boards, all at once; one that fails is taken no further, and its verdict says why."""
        asked = [*self._members] if sessions is None else sessions
        there = [session for session in asked if session in self._members]
        done, failed = self._fleet.each(act, there)
        for session, why in failed.items():
            self.verdicts[session].find(CHIPS if "refused" in why else PORT, f"{doing}: {why}")
            del self._members[session]
        return done
