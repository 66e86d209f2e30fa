"""A run on boards, seen from the host: who is there, what they tell, and who has to be taken in again.

Everything here happens in one thread, the caller's, but for what is asked of boards that come back: each of them is
asked in a thread of its own, so that no board waits for another.
"""

import queue
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from clockfree.link import NUMBERS, RUN

from clockfree_host.arming import Member, teach
from clockfree_host.bench import Job, Sample
from clockfree_host.complaints import Complaints
from clockfree_host.errors import BoardError
from clockfree_host.fleet import TROUBLE, Fleet
from clockfree_host.measuring import ADC_STEPS
from clockfree_host.rejoining import Clock, Joined, Rejoining
from clockfree_host.session import Session
from clockfree_host.tally import UNKNOWN, Tally

SILENT_S = 6.0
"""Three heartbeats without a word."""
STALLED_S = 60.0
"""A run in which nothing has fired for so long is given up."""
LOOK_S = 0.25
END_S = 3.0
"""At the end nobody waits longer for a board."""
MOST_TEXTS = 20
"""Lines of text that the log takes from one board."""
NONSENSE = (KeyError, IndexError, TypeError, ValueError, OverflowError)
"""What a message that is sealed, but of another firmware, can raise."""


class Learning:
    """One run on boards.

    Parameters
    ----------
    fleet : Fleet
    supervisor, boards : Member, list of Member
    rejoining : Rejoining
    outputs_V : (B, O) array
        Outputs measured before the start.
    complaints : Complaints
    say : callable
        Takes a line for a person.

    Attributes
    ----------
    tally : Tally
    lesson : int
        What is taught now.
    failures : list of str
        What makes the run a failed one, though it went on.
    """

    def __init__(
        self,
        fleet: Fleet,
        supervisor: Member,
        boards: list[Member],
        rejoining: Rejoining,
        outputs_V: np.ndarray,
        taps: np.ndarray,
        complaints: Complaints,
        say: Callable[[str], None],
    ) -> None:
        self.job: Job = rejoining.job
        self.tally = Tally(len(self.job.network.ends))
        self.tally.taps[:] = taps
        self.lesson = 0
        self.failures: list[str] = []
        self._fleet, self._rejoining, self._complaints, self._say = fleet, rejoining, complaints, say
        self._supervisor, self._boards = supervisor, boards
        self._of = {member.session: member for member in [supervisor, *boards]}
        self._away: dict[Member, str] = {}  # who is not with us, and why
        self._busy: set[Member] = set()  # who is being asked in a thread of its own
        self._again: dict[Member, float] = {}  # when to try again
        self._told = 0  # what the supervisor was told to teach
        self._outputs_V = outputs_V
        self._updates = 0.0
        self._events: list[dict[str, Any]] = []
        self._trace: list[tuple[int, ...]] = []
        self._gaps: Counter[Member] = Counter()
        self._texts: Counter[Member] = Counter()
        self._lost: Counter[Member] = Counter()
        self._ahead_us: dict[Member, int] = {}  # by how much the run's time is ahead of a board's ticks
        self._over = False
        self._began_s = self._looked_s = self._fired_s = time.monotonic()
        self._fired = 0

    # -- for whoever runs this -----------------------------------------------------------------------------------

    def start(self) -> None:
        """RUN: first the supervisor, so that there is something to learn, then every edge board.

        Raises
        ------
        BoardError
            One of them does not; the others may have begun.
        """
        self._drain()
        self._began_s = self._fired_s = time.monotonic()
        for sessions in ([self._supervisor.session], [board.session for board in self._boards]):
            clocks, failed = self._fleet.each(self._begin, sessions)
            for session, why in failed.items():
                raise BoardError(f"{session.name}: {why}")
            for session, clock in clocks.items():
                self._clock(self._of[session], clock)

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
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self._look_after(now_s)

    @property
    def updates(self) -> float:
        """Firings per edge, over the edges of the boards that are with us."""
        live = [edge for member in self._boards if member not in self._away for edge in member.edges]
        if live:  # a board that comes back may have done less than the others: a run never goes backwards
            self._updates = max(self._updates, float(self.tally.count("firings")[live].mean()))
        return self._updates

    def want(self, lesson: int) -> None:
        """Have this lesson taught from now on."""
        if lesson != self._told and self._supervisor not in self._away and self._supervisor not in self._busy:
            self._told = lesson
            self._ask_apart(self._supervisor, lambda: self._teach(lesson))

    def sample(self) -> Sample:
        """What is known now; takes the trace and the events since the last one with it."""
        for member, count in self._gaps.items():
            self.note("gap", f"{count} lines of telemetry never arrived", member, lost=count, said=False)
        self._gaps.clear()
        trace, self._trace = self._trace, []
        events, self._events = self._events, []
        outputs_V = self._outputs_V
        error_V2 = float(np.mean((outputs_V - self.job.lessons[self.lesson].desired_V) ** 2))
        return Sample(
            time_us=self._now_us(),
            updates=self.updates,
            lesson=self.lesson,
            error_V2=error_V2,
            measured_error_V2=error_V2,
            outputs_V=outputs_V,
            taps=self.tally.taps.copy(),
            counters=self.tally.counters(),
            trace=trace,
            events=events,
        )

    def outputs(self, example: int, outputs_V: np.ndarray) -> None:
        """The outputs (O,) of an example have just been measured, V."""
        self._outputs_V = self._outputs_V.copy()  # samples keep what they were given
        self._outputs_V[example] = outputs_V

    def finish(self) -> None:
        """HOLD, and what the boards say last: what they have left to tell, counters, taps read back from the chips."""
        self._over = True
        self._fleet.each(lambda session: session.ask("hold", within_s=END_S), self._there())
        late_s = time.monotonic() + 2.5e-3 * self._rejoining.telemetry[0]
        while self.job.trace and (left_s := late_s - time.monotonic()) > 0:
            self.turn(left_s)
        told, failed = self._fleet.each(self._end)
        self.turn(0.0)
        for session, (status, taps) in told.items():
            member = self._of[session]
            if member.edges and status["boot"] == member.boot:
                self.tally.take(member.edges, status["edges"])
            for edge, tap, row in zip(member.edges, taps, status.get("edges", ())):
                self.tally.taps[edge] = tap
                if tap != row[0]:
                    said = "no tap that an edge can have" if tap == UNKNOWN else f"tap {tap}"
                    self.note("readback", f"{self._edge(edge)} reads back {said}, {row[0]} was counted", member)
        for session, why in failed.items():
            text = f"no HOLD at the end ({why}): it may go on; clockfree hold when it is back"
            self.fail("away", text, self._of[session])
        ages_us, tick_us = self.tally.age_us.tolist(), self._complaints.tick_us
        text = f"largest decision age {max(ages_us)} us, longest change of example {tick_us} us"
        self.note("ages", text, said=False, age_us=ages_us, tick_us=tick_us)

    def note(self, event: str, text: str, member: Member | None = None, *, said: bool = True, **more: Any) -> None:
        """Something for the log, and for a person to read."""
        who = {} if member is None else {"board": member.name, "edges": member.edges}
        self._events.append({"event": event, "time_us": self._now_us(), **who, "text": text, **more})
        if said:
            self._say(text if member is None else f"{self._name(member)}: {text}")

    def fail(self, event: str, text: str, member: Member | None = None) -> None:
        """Something that makes the run a failed one."""
        self.failures.append(text if member is None else f"{self._name(member)}: {text}")
        self.note(event, text, member, failed=True)

    # -- what comes ----------------------------------------------------------------------------------------------

    def _handle(self, session: Session, kind: str, what: Any) -> None:
        member = self._of[session]
        if kind == "heard":
            try:
                self._hear(member, what)
            except NONSENSE:
                self.note("text", f"says what this host does not understand: {what}"[:200], member)
        elif kind == "missed":
            self._gaps[member] += what
        elif kind == "text":
            self._texts[member] += 1
            if self._texts[member] <= MOST_TEXTS:
                self.note("text", f"says: {what}"[:200], member)
        elif kind == "gone":
            self._leave(member, f"its port is gone ({what})")
        elif kind in ("back", "rebooted"):
            self._take_in(member)
        elif kind == "joined":
            self._busy.discard(member)
            self._joined(member, *what)
        elif kind == "taught":
            self._busy.discard(member)
            self.lesson = what
            self._outputs_V = np.full(self.job.lessons[what].desired_V.shape, np.nan)
            self.note("lesson", f"{self.job.lessons[what].name} is taught now", member, lesson=what)
        else:
            self._busy.discard(member)
            self._again[member] = time.monotonic() + 2.0
            if self._supervisor is member:
                self._told = self.lesson
            self._leave(member, what)

    def _hear(self, member: Member, message: list[Any]) -> None:
        kind = message[0]
        if kind == "readings":
            self._read(*message[2:5])
        elif kind == "firings":
            self._fire(member, *message[2:])
        elif member in self._away or (member in self._busy and member.edges):
            return  # what it counted is asked for when it is taken in
        elif kind == "status":
            status = message[2]
            if status["boot"] != member.boot or (status["state"], status["run"]) != (RUN, self._rejoining.run_id):
                self._take_in(member)
            elif member.edges:
                self._rows(member, status["edges"])
            else:
                self._complaints.tick_us = max(self._complaints.tick_us, status["tick_us"])
        elif kind == "edges" and message[3] == member.boot:
            self._rows(member, message[5])
        elif kind == "shown" and message[3] == member.boot:
            self._complaints.tick_us = max(self._complaints.tick_us, message[6])

    def _fire(self, member: Member, lost: int, *rows: list[int]) -> None:
        untold = lost - self._lost[member]
        if untold > 0:
            self.note("gap", f"{untold} firings found no room on the board", member, firings=untold, said=False)
        self._lost[member] = lost
        ahead_us = self._ahead_us.get(member, 0)
        for place, t_us, *row in rows:
            self._trace.append((member.edges[place], (t_us + ahead_us) % NUMBERS, *map(int, row)))

    def _rows(self, member: Member, rows: list[list[Any]]) -> None:
        self.tally.take(member.edges, rows)
        if any(row[0] == UNKNOWN for row in rows) and time.monotonic() >= self._again.get(member, 0.0):
            self._take_in(member)

    def _read(self, number: int, first: int, rows: list[list[int]]) -> None:
        """Readings of the supervisor; what it has not read yet since its last start changes nothing."""
        if number != self.lesson + 1:
            return
        for k, codes in enumerate(rows, start=first):
            if min(codes) >= 0:
                self.outputs(k, np.array(codes) / ADC_STEPS * self.job.physics.supply_V)

    # -- coming and going ----------------------------------------------------------------------------------------

    def _leave(self, member: Member, why: str) -> None:
        if self._away.get(member) != why:
            if member not in self._away:
                self.note("away", f"{why}: learning goes on without it", member)
            self._away[member] = why

    def _take_in(self, member: Member) -> None:
        if self._over or member in self._busy:
            return
        taps = [int(self.tally.taps[edge]) for edge in member.edges]
        lesson = self._told
        away = self._away.get(member, "")
        before = int(self.tally.count("firings")[member.edges].sum()) if member.edges else 0

        def join() -> tuple[str, Any]:
            return "joined", (self._rejoining.join(member, taps, lesson), away, before)

        self._ask_apart(member, join)

    def _joined(self, member: Member, joined: Joined, away: str, before: int) -> None:
        self._away.pop(member, None)
        if joined.rows:
            self.tally.take(member.edges, joined.rows)
        if not joined.why:
            meanwhile = int(self.tally.count("firings")[member.edges].sum()) - before if member.edges else 0
            if away:
                went_on = f": it had gone on learning, {meanwhile} firings" if member.edges else ": it had gone on"
                self.note("back", f"is back{went_on}", member, firings=meanwhile)
            return
        now_s = time.monotonic()
        self._again[member] = now_s + min(30.0, 2.0 * (member.restarts - 1))
        member.armed_s = now_s
        self._lost[member] = 0
        text = f"{joined.why}; armed again"
        if member.edges:
            self.tally.restart(member.edges, joined.taps)
            text += f" at tap {', '.join(map(str, joined.taps))}"
            lost = [self._edge(member.edges[i]) for i in joined.restored]
            text += f", restored from the record for {', '.join(lost)}" if lost else ", as its chips say"
        restored = [member.edges[i] for i in joined.restored]
        taps = joined.taps
        self.note("restart", text, member, restarts=member.restarts, taps=taps, restored=restored, boot=member.boot)
        self._clock(member, joined.clock)

    def _ask_apart(self, member: Member, act: Callable[[], tuple[str, Any]]) -> None:
        """Ask a board in a thread of its own; what comes of it is an event."""
        self._busy.add(member)

        def work(session: Session) -> None:
            try:
                kind, what = act()
            except (*TROUBLE, *NONSENSE) as error:
                kind, what = "failed", " ".join(str(error).split()) or type(error).__name__
            self._fleet.events.put((session, kind, what))

        self._fleet.begin(work, member.session)

    def _look_after(self, now_s: float) -> None:
        for member in self._of.values():
            session = member.session
            if member in self._away:
                if session.up and member not in self._busy and now_s >= self._again.get(member, 0.0):
                    self._again[member] = now_s + 2.0
                    self._take_in(member)
            elif session.up and now_s - session.heard_s > SILENT_S:
                self._leave(member, f"says nothing for {SILENT_S:.0f} s")
        here = [member for member in self._boards if member not in self._away and member not in self._busy]
        for event, text, found, failed in self._complaints.look(self.tally, here, self.lesson, self._outputs_V, now_s):
            (self.fail if failed else self.note)(event, text, found)
        fired = int(self.tally.count("firings").sum())
        if fired != self._fired:
            self._fired, self._fired_s = fired, now_s
        elif now_s - self._fired_s > max(STALLED_S, 20.0 / self.job.edge.rate_hz):
            why = "; ".join(f"{member.name}: {reason}" for member, reason in [*self._away.items()][:3])
            raise BoardError(f"no edge has fired for {now_s - self._fired_s:.0f} s, so the run is given up ({why})")

    # -- what is asked of a board in a thread of its own ---------------------------------------------------------

    def _begin(self, session: Session) -> Clock | None:
        member = self._of[session]
        clock = self._rejoining.run(member)
        member.armed_s = time.monotonic()
        return clock

    def _teach(self, lesson: int) -> tuple[str, Any]:
        teach(self._supervisor, self.job, self._rejoining.run_id, lesson)
        return "taught", lesson

    def _there(self) -> list[Session]:
        return [session for session in self._of if session.up]

    @staticmethod
    def _end(session: Session) -> tuple[dict[str, Any], list[int]]:
        """HOLD; the last status, and every tap as the chip says it."""
        within_s = END_S if session.up else 0.0
        session.ask("report", 0, 0, within_s=within_s)
        session.ask("hold", within_s=within_s)
        (status,) = session.ask("status")
        return status, [Rejoining.adopted(session, i) for i in range(len(status.get("edges", ())))]

    # -- small things --------------------------------------------------------------------------------------------

    def _clock(self, member: Member, clock: Clock | None) -> None:
        if clock is not None:
            at_us = round(1e6 * (clock.at_s - self._began_s))
            self._ahead_us[member] = at_us - clock.t_us
            text = f"its ticks were {clock.t_us} at {at_us} us"
            within_us = round(1e6 * clock.within_s)
            self.note("clock", text, member, said=False, t_us=clock.t_us, at_us=at_us, within_us=within_us)

    def _drain(self) -> None:
        """Forget what was told before."""
        try:
            while True:
                self._fleet.events.get_nowait()
        except queue.Empty:
            pass

    def _now_us(self) -> int:
        return round(1e6 * (time.monotonic() - self._began_s))

    def _edge(self, edge: int) -> str:
        return self.job.network.edge_name(edge)

    def _name(self, member: Member) -> str:
        edges = ", ".join(self._edge(edge) for edge in member.edges[:3]) + ", ..." * (len(member.edges) > 3)
        return f"board {member.name} ({edges or 'supervisor'})"
