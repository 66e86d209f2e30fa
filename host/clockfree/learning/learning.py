"""Learning on boards, seen from the host: what they tell, and what is asked of them, from HOLD to HOLD.

Everything here happens in one thread, the caller's, but for what is asked of boards that come back; see Attendance.
"""

import queue
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from clockfree.base.errors import BoardError
from clockfree.learning.arming import Member, teach
from clockfree.learning.attendance import NONSENSE, Attendance
from clockfree.learning.closing import say_last
from clockfree.learning.diagnostics import Diagnostics
from clockfree.learning.events import Journal
from clockfree.learning.grouping import AT_ONCE_S, Grouping
from clockfree.learning.pace import Pace
from clockfree.learning.rejoining import Joined, Rejoining
from clockfree.learning.silence import Silence
from clockfree.learning.tally import UNKNOWN, Tally, impossible
from clockfree.link.fleet import Fleet
from clockfree.link.handshake import RefusedError
from clockfree.link.session import Session
from clockfree.link.units import ADC_STEPS
from clockfree_board.link import HOLD, RUN
from clockfree_model import events
from clockfree_model.counters import FIRINGS
from clockfree_model.job import Job, Sample
from clockfree_model.parts import POTS
from clockfree_model.rates import rates_hz

STALLED_S = 60.0
"""A run in which nothing has fired for so long is given up."""
STOOD_S = 2.0
"""This computer stood still where one look takes so much longer than it should: boards are not blamed for that."""
LOOK_S = 0.25
MOST_TOLD = 16
ROUNDS_TOLD = 4
"""Readings are kept so many times, over as many rounds of all examples at least."""
LEAST_LINES = 50
"""Of a board, before the share of broken ones is told."""
END_S = 3.0
"""At the end nobody waits longer for a board."""


class Learning:
    """One run on boards.

    Parameters
    ----------
    fleet : Fleet
    supervisor, boards : Member, list of Member
    rejoining : Rejoining
    outputs_V : (B, O) array
        Outputs measured before the start.
    taps : (E,) array
        Taps at the start.
    complaints : Diagnostics
    say : callable
        Takes a line for a person.

    Attributes
    ----------
    tally : Tally
    journal : Journal
    lesson : int
        What is taught now.
    told : deque of ((B, O), (E,))
        The last readings of all examples in RUN, and the taps known then.
    """

    def __init__(
        self,
        fleet: Fleet,
        supervisor: Member,
        boards: list[Member],
        rejoining: Rejoining,
        outputs_V: np.ndarray,
        taps: np.ndarray,
        complaints: Diagnostics,
        say: Callable[[str], None],
    ) -> None:
        self.job: Job = rejoining.job
        self.tally = Tally(len(self.job.network.ends))
        self.tally.set(slice(None), taps)
        self.pace = Pace(self.job)
        self.journal = Journal(self.job, say)
        self.lesson = 0
        self._attendance = Attendance(fleet, rejoining, self.tally, self.journal)
        self._silence = Silence(self.job, supervisor, boards, self.journal)
        self._grouping = Grouping(self.journal)
        self._fleet, self._rejoining, self._complaints = fleet, rejoining, complaints
        self._supervisor, self._boards = supervisor, boards
        self._of = {member.session: member for member in [supervisor, *boards]}
        self._early: dict[Member, list[list[Any]]] = {}
        self._disbelieved: set[Member] = set()
        self._astray: list[Member] = []
        self._held: dict[Session, int] = {}  # boot id of each board that was put in HOLD
        self._rates_hz = rates_hz(self.job)
        self._outputs_V = outputs_V
        self.told: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=MOST_TOLD)
        self._told_s = 0.0
        self._updates = 0.0
        self._began_us = 0  # the run's time at RUN
        self._looked_s = self._fired_s = self._turned_s = time.monotonic()
        self._patient_s = 0.0  # nobody is blamed before
        self._lossy: set[Member] = set()
        self._fired = 0

    # -- for whoever runs this -----------------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """Where it is, as of the sample that was taken last, for another that is to go on from there."""
        trims = {edge: each for board in self._boards for edge, each in zip(board.edges, board.trims)}
        return {
            "time_us": self.journal.now_us(),
            "updates": self.updates,
            "lesson": self.lesson,
            "taps": self.tally.last.tolist(),
            "counters": self.tally.counters(),
            "age_us": self.tally.age_us.tolist(),
            "late_us": self.tally.late_us.tolist(),
            "restarts": max(member.restarts for member in self._of.values()),
            "trims": [trims[edge] for edge in sorted(trims)],
            "failures": self.journal.failures,
        }

    def go_on(self, saved: dict[str, Any]) -> None:
        """Go on from where another was."""
        self.tally.go_on(saved["counters"], saved["age_us"], saved["late_us"])
        self.lesson = self._attendance.told = saved["lesson"]
        self._updates = saved["updates"]
        self._began_us = saved["time_us"]
        self.journal.begin(self._began_us)
        self.journal.failures += saved["failures"]
        edges = [edge for board in self._boards for edge in board.edges]
        text = f"goes on from {self._updates:.6g} updates per edge: every board is armed anew, as it was then"
        self.journal.note(events.RESUMED, text, edges=edges)

    def start(self) -> None:
        """RUN: first the supervisor, so that there is something to learn, then every edge board.

        Raises
        ------
        BoardError
            One of them does not; the others may have begun.
        """
        self._drain()
        self.journal.begin(self._began_us)
        self._fired_s = self._turned_s = time.monotonic()
        for sessions in ([self._supervisor.session], [board.session for board in self._boards]):
            begun, failed = self._fleet.each(self._begin, sessions)
            for session, why in failed.items():
                raise BoardError(f"{session.name}: {why}")
            for session, joined in begun.items():
                self._attendance.joined(self._of[session], joined, "", 0)
        for session in self._of:
            session.away_s = 0.0
        self._turned_s = time.monotonic()

    def turn(self, wait_s: float) -> None:
        """Take what has come, waiting for so long if there is nothing; look after the boards."""
        try:
            event = self._fleet.events.get(timeout=wait_s)
            for _ in range(1000):
                self._handle(*event)
                event = self._fleet.events.get_nowait()
        except queue.Empty:
            pass
        now_s = time.monotonic()
        self._stood(now_s, now_s - self._turned_s - wait_s)
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self._look_after(now_s)
            self._keep_told(now_s)

    def _stood(self, now_s: float, seconds: float) -> None:
        """It took so long from one turn to the next; what boards told meanwhile may be missing, or comes at once."""
        self._turned_s = now_s
        if seconds > STOOD_S and not self._rejoining.over:
            text = (
                f"this computer stood still for {seconds:.1f} s: a process that was stopped, a slow disk, or a busy one"
            )
            self.journal.note(events.STOOD, text)
            self._patient_s = now_s + STOOD_S
            self._fired_s += seconds
            self.outputs_unknown()  # what comes first was told long ago

    @property
    def away(self) -> dict[Member, str]:
        """Who is not with us, and why."""
        return self._attendance.away

    @property
    def held(self) -> dict[Member, int]:
        """Edge boards that hold by themselves, and since when."""
        return self._silence.held

    @property
    def outputs_V(self) -> np.ndarray:
        """Outputs (B, O) of the examples, as the supervisor told last, V; nan where they are not known."""
        return self._outputs_V

    @property
    def updates(self) -> float:
        """Firings per edge, over the edges of the boards that are with us."""
        live = [
            edge
            for member in self._boards
            if member not in self._attendance.away and member not in self._disbelieved
            for edge in member.edges
        ]
        if live:  # a board that comes back may have done less than the others: a run never goes backwards
            self._updates = max(self._updates, float(self.tally.count(FIRINGS)[live].mean()))
        return self._updates

    def want(self, lesson: int) -> None:
        """Have this lesson taught from now on."""
        if lesson != self._attendance.told and self._attendance.here(self._supervisor):
            self._attendance.told = lesson
            self._attendance.ask_apart(self._supervisor, lambda: self._teach(lesson))

    def sample(self) -> Sample:
        """What is known now; takes the trace and the events since the last one with it."""
        self._doubt()
        trace, events = self.journal.take()
        outputs_V = self._outputs_V
        error_V2 = float(np.mean((outputs_V - self.job.lessons[self.lesson].desired_V) ** 2))
        return Sample(
            time_us=self.journal.now_us(),
            updates=self.updates,
            lesson=self.lesson,
            error_V2=error_V2,
            measured_error_V2=error_V2,
            outputs_V=outputs_V,
            taps=self.tally.taps,
            counters=self.tally.counters(),
            trace=trace,
            events=events,
        )

    def outputs(self, example: int, outputs_V: np.ndarray) -> None:
        """The outputs (O,) of an example have just been measured, V."""
        self._outputs_V = self._outputs_V.copy()  # samples keep what they were given
        self._outputs_V[example] = outputs_V

    def outputs_unknown(self) -> None:
        """Nobody knows the outputs any more."""
        self._outputs_V = np.full_like(self._outputs_V, np.nan)
        self.told.clear()

    def _unread(self, member: Member) -> None:
        """Nobody reads outputs while the supervisor is away or begins anew, and the edges go on."""
        if member is self._supervisor and not self._rejoining.over:
            self.outputs_unknown()

    def _doubt(self) -> None:
        """In a run, what the supervisor told too long ago is known no more: the edges have gone on since."""
        if not self._rejoining.over and self._silence.stale:
            self.outputs_unknown()

    def _keep_told(self, now_s: float) -> None:
        """Keep the readings of a moment, and the taps, for whoever holds them against what is measured in HOLD."""
        round_s = len(self._outputs_V) * self.job.clamp.dwell_s
        due_s = self._told_s + round_s * ROUNDS_TOLD / MOST_TOLD
        if now_s >= due_s and not self._rejoining.over and np.isfinite(self._outputs_V).all():
            self._told_s = now_s
            self.told.append((self._outputs_V, self.tally.taps))

    def hold(self, within_s: float = END_S) -> None:
        """HOLD for every board that is there, also for one that is just being taken in."""
        self._rejoining.over = True
        there = [session for session in self._of if session.up]
        self._fleet.each(lambda session: session.ask("hold", within_s=within_s), there)

    def finish(self) -> None:
        """HOLD, and what the boards say last: what they have left to tell, counters, taps read back from the chips."""
        self._doubt()
        self.hold()
        self._grouping.say(time.monotonic() + AT_ONCE_S)
        for board in [*self._silence.held]:
            self._silence.goes_on(board, "the run ended")
        held_s = time.monotonic()
        while (left_s := held_s + self._rest_s() - time.monotonic()) > 0:
            self.turn(min(left_s, LOOK_S))
        told, failed = self._fleet.each(lambda session: self._rejoining.end(session, END_S))
        while not self._fleet.events.empty():
            self.turn(0.0)
        for session, (status, taps) in told.items():
            member = self._of[session]
            self._held[session] = status["boot"]
            if status["state"] != HOLD:
                self._astray.append(member)
                self.journal.fail(events.UNHELD, "says that it is in HOLD, and goes on: take its power", member)
            if status["boot"] != member.boot:
                self.journal.note(events.RESET, "was reset as the run ended", member, boot=status["boot"])
            elif member.edges:
                self._count(member, status["edges"])
            elif "looks" in status:
                self._aimed(status["looks"], status.get("holds", 0), status.get("aim_us", 0))
            for edge, tap, row in zip(member.edges, taps, status.get("edges", ())):
                self.tally.set([edge], tap)
                if tap != row[0]:
                    said = "no tap that an edge can have" if tap == UNKNOWN else f"tap {tap}"
                    self.journal.note(
                        events.READBACK, f"{self.journal.edge(edge)} reads back {said}, {row[0]} was counted", member
                    )
        for session, why in failed.items():
            self._astray.append(self._of[session])
            text = f"no HOLD at the end ({why}): it may go on; clockfree hold when it is back"
            self.journal.fail(events.AWAY, text, self._of[session])
        for member in self._astray:  # nobody can say where its wipers are
            self.tally.lose(member.edges)
        say_last(self.journal, self.tally, self.pace, self._complaints)

    def stayed(self) -> bool:
        """Whether every board was put in HOLD and is still the one that was; those that are not are told.

        A supervisor that was reset shows nothing, and an edge whose potentiometers lost their power is another
        resistor: what was measured meanwhile is of no network that was taught.
        """
        told, failed = self._fleet.each(lambda session: session.ask("status", within_s=END_S)[0], [*self._held])
        lost = dict(failed)
        for session, status in told.items():
            if status["boot"] != self._held[session]:
                lost[session] = "it was reset"
        for session, why in lost.items():
            text = f"is not as it was put in HOLD ({why}): what was measured since then is not taken"
            self.journal.note(events.RESET, text, self._of[session])
        return not lost and not self._astray

    # -- what comes ----------------------------------------------------------------------------------------------

    def _handle(self, session: Session, kind: str, what: Any) -> None:
        member, journal, attendance = self._of[session], self.journal, self._attendance
        if kind == "heard":
            try:
                self._hear(member, what)
            except NONSENSE:
                journal.text(member, f"says what this host does not understand: {what}")
        elif kind == "missed":
            journal.gap(member, what)
        elif kind == "text":
            journal.text(member, f"says: {what}")
        elif kind == "gone":
            attendance.leave(member, f"away ({what})")
            self.told.clear()  # where its wipers go meanwhile nobody tells
            self._unread(member)
        elif kind in (events.BACK, "rebooted"):
            self._unread(member)
            if member.edges and self._silence.keeps:
                attendance.leave(member, "back, or reset, while the supervisor is not heard of")
            else:
                attendance.take_in(member)
        elif kind == "joined":
            attendance.joined(member, *what)
            self.told.clear()
            self._silence.goes_on(member)
            self.pace.restart(member)
            if member is self._supervisor:
                self._complaints.showed(what[0].shown, 0)
            self._catch_up(member)
        elif kind == "taught":
            attendance.answered(member)
            self.lesson = what
            self._outputs_V = np.full(self.job.lessons[what].desired_V.shape, np.nan)
            self.told.clear()
            journal.note(events.LESSON, f"{self.job.lessons[what].name} is taught now", member, lesson=what)
        else:
            if self._supervisor is member:
                attendance.told = self.lesson
            attendance.failed(member, what)
            self._catch_up(member)

    def _aimed(self, looks: int, holds: int, aim_us: int) -> None:
        """How an overclamp was aimed, since its board was armed."""
        text = f"an overclamp looked {looks} times and held {holds} of them, within {aim_us} us of the look"
        self.journal.note(events.AIMED, text, said=False, looks=looks, holds=holds, aim_us=aim_us)

    def _hear(self, member: Member, message: list[Any]) -> None:
        kind, attendance = message[0], self._attendance
        if kind == "readings":
            self._read(*message[2:5])
        elif kind == FIRINGS:
            if attendance.asked(member):  # it may have been reset, and its clock with it
                self._early.setdefault(member, []).append(message)
            else:
                self.journal.firings(member, message[2], message[3:])
        elif member in attendance.away or (member.edges and not attendance.here(member)):
            return  # what it counted is asked for when it is taken in
        elif kind == "status":
            status = message[2]
            if member.edges and self._silence.holds(member, status, self._rejoining.run_id):
                self._rows(member, status["edges"])
            elif status["boot"] != member.boot or (status["state"], status["run"]) != (RUN, self._rejoining.run_id):
                attendance.take_in_later(member)
            elif member.edges:
                if self._rows(member, status["edges"]):
                    self.pace.runs(member)
            else:
                self._complaints.tick_us = max(self._complaints.tick_us, status["tick_us"])
        elif kind == "edges" and message[3] == member.boot:
            if self._rows(member, message[5]) and member not in self._silence.held:
                self.pace.told(member, message[2], message[5])
        elif kind == "shown" and message[3] == member.boot:
            self._complaints.showed(message[4], message[6])

    def _catch_up(self, member: Member) -> None:
        """Take the firings that were told while a board was being asked."""
        for message in self._early.pop(member, ()):
            if member.armed:
                self._handle(member.session, "heard", message)
            else:
                count = len(message) - 3
                self.journal.note(events.GAP, f"{count} firings at unknown times", member, firings=count, said=False)

    def _count(self, member: Member, rows: list[list[Any]]) -> bool:
        """Take what the edges of a board have counted, unless that cannot be; True if it was taken."""
        if member in self._disbelieved:
            return False
        why = impossible(rows, self._due(member), POTS[self.job.edge.pot].highest)
        if why:
            self._disbelieved.add(member)
            text = f"tells what cannot be ({why}): it is left out from now on; look at its firmware"
            self.journal.fail(events.IMPOSSIBLE, text, member)
            return False
        self.tally.take(member.edges, rows)
        return True

    def _due(self, member: Member) -> np.ndarray:
        """Firings that are due of each of its edges since it was armed."""
        due: np.ndarray = self._rates_hz[member.edges] * max(0.0, time.monotonic() - member.armed_s)
        return due

    def _rows(self, member: Member, rows: list[list[Any]]) -> bool:
        """Take what a board counted; False where that cannot be."""
        if not self._count(member, rows):
            return False
        if any(row[0] == UNKNOWN for row in rows):
            self._attendance.take_in_later(member)
        return True

    def _read(self, number: int, first: int, rows: list[list[int]]) -> None:
        """Readings of the supervisor; what it has not read yet since its last start changes nothing."""
        if number != self.lesson + 1:
            return
        for k, codes in enumerate(rows, start=first):
            if min(codes) >= 0:
                physics = self.job.physics
                self.outputs(k, self.job.ground.own(np.array(codes) / ADC_STEPS * physics.supply_V, physics))

    def _look_after(self, now_s: float) -> None:
        self._doubt()
        held = self._silence.held
        self._attendance.look(now_s, [self._supervisor] if self._silence.keeps else None)
        if not self._silence.keeps:
            for board in [*held]:
                if self._attendance.here(board):
                    self._attendance.take_in_later(board)
        members = [self._supervisor, *self._boards]
        here = [member for member in members if self._attendance.here(member) and member not in held]
        if not self._rejoining.over and now_s >= self._patient_s:
            for found in self._complaints.look(self.tally, self.pace, here, self.lesson, self._outputs_V):
                self._grouping.add(*found, now_s)
            self._look_at_cables(now_s)
        self._grouping.say(now_s)
        fired = int(self.tally.count(FIRINGS).sum())
        if fired != self._fired:
            self._fired, self._fired_s = fired, now_s
        elif now_s - self._fired_s > STALLED_S and now_s - self._fired_s > 20.0 / rates_hz(self.job).min():
            away = [*self._attendance.away.items()]
            why = "; ".join(f"{member.name}: {reason}" for member, reason in away[:3]) or "though every board answers"
            why = f"no word of the supervisor; {why}" if held else why
            raise BoardError(f"no edge has fired for {now_s - self._fired_s:.0f} s, so the run is given up ({why})")

    def _look_at_cables(self, now_s: float) -> None:
        """Each cable that breaks lines is told once, with how many."""
        for session, member in self._of.items():
            quality = session.quality
            if member not in self._lossy and quality.lossy and quality.whole + quality.broken >= LEAST_LINES:
                self._lossy.add(member)
                text = f"{quality.loss:.1%} of its lines arrive broken: its cable, its hub or its plug is bad"
                self._grouping.add(events.LOSSY, text, member, False, now_s)

    # -- what is asked of a board in a thread of its own ---------------------------------------------------------

    def _begin(self, session: Session) -> Joined:
        member = self._of[session]
        try:
            joined = Joined(clock=self._rejoining.run(member))
        except RefusedError:
            if session.boot == member.boot:
                raise
            taps = [int(self.tally.last[edge]) for edge in member.edges]  # it was reset, and is armed again
            joined = self._rejoining.join(member, taps, self.lesson)
        member.armed_s = time.monotonic()
        return joined

    def _teach(self, lesson: int) -> tuple[str, Any]:
        teach(self._supervisor, self.job, self._rejoining.run_id, lesson)
        return "taught", lesson

    def _rest_s(self) -> float:
        """So long after HOLD there may be something to come: who is just being asked, firings not told yet."""
        return END_S if self._attendance.busy else 2.5e-3 * self._rejoining.telemetry[0] * self.job.trace

    def _drain(self) -> None:
        """Forget what was told before, but for texts, and for who was away or reset."""
        try:
            while True:
                session, kind, what = self._fleet.events.get_nowait()
                member = self._of[session]
                if kind == "text":
                    self._handle(session, kind, what)
                elif kind == "gone":
                    self.journal.note(events.AWAY, f"was away before RUN ({what}): it was waited for", member)
                elif kind == "rebooted":
                    self.journal.note(events.RESET, "was reset before RUN, and set up again", member, boot=what)
        except queue.Empty:
            pass
