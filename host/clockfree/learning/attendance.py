"""Attendance of a run's boards: who is with it, who is away, and who is being taken in again."""

import time
from collections.abc import Callable
from typing import Any

from clockfree.learning.arming import Member
from clockfree.learning.events import Journal
from clockfree.learning.rejoining import Joined, Rejoining
from clockfree.learning.tally import Tally
from clockfree.link.fleet import TROUBLE, Fleet
from clockfree.link.session import Session
from clockfree_model import events
from clockfree_model.counters import FIRINGS

AGAIN_S = 2.0
"""A board that could not be taken in is asked again after so long."""
NONSENSE = (KeyError, IndexError, TypeError, ValueError, OverflowError)
"""What a message that is sealed, but of another firmware, can raise."""


class Attendance:
    """The boards of a run as they come and go.

    What is asked of one that comes back is asked in a thread of its own, so that no board waits for another; what
    comes of it is an event of the fleet: `joined`, `failed`, or what `ask_apart` was given.

    Parameters
    ----------
    fleet : Fleet
    rejoining : Rejoining
    tally : Tally
    journal : Journal

    Attributes
    ----------
    away : dict of Member to str
        Who is not with us, and why.
    told : int
        The lesson that the supervisor was told to teach.
    """

    def __init__(self, fleet: Fleet, rejoining: Rejoining, tally: Tally, journal: Journal) -> None:
        self.away: dict[Member, str] = {}
        self.told = 0
        self._fleet, self._rejoining, self._tally, self._journal = fleet, rejoining, tally, journal
        self._busy: set[Member] = set()  # who is being asked in a thread of its own
        self._again: dict[Member, float] = {}  # when to try again

    def here(self, member: Member) -> bool:
        """True for one that is with us, and is not being asked what has become of it."""
        return member not in self.away and not self.asked(member)

    def asked(self, member: Member) -> bool:
        """True while something is being asked of it in a thread of its own."""
        return member in self._busy

    @property
    def busy(self) -> bool:
        """Something is being asked of somebody in a thread of its own."""
        return bool(self._busy)

    def leave(self, member: Member, why: str) -> None:
        """A board is not with us any more."""
        self._tally.lose(member.edges)
        if self.away.get(member) != why:
            if member not in self.away:
                waits = self._rejoining.silence_ms and not member.edges
                without = "edges hold until it is back" if waits else "learning goes on without it"
                self._journal.note(events.AWAY, f"{why}: {without}", member)
            self.away[member] = why

    def take_in(self, member: Member) -> None:
        """Find out what became of a board, and have it learn again."""
        if self._rejoining.over or member in self._busy:
            return
        taps = [int(self._tally.last[edge]) for edge in member.edges]
        self._tally.lose(member.edges)
        lesson = self.told
        away = self.away.get(member, "")
        before = self._fired(member)

        def join() -> tuple[str, Any]:
            return "joined", (self._rejoining.join(member, taps, lesson), away, before)

        self.ask_apart(member, join)

    def take_in_later(self, member: Member) -> None:
        """The same, but for one that was taken in just now."""
        if time.monotonic() >= self._again.get(member, 0.0):
            self.take_in(member)

    def joined(self, member: Member, joined: Joined, away: str, before: int) -> None:
        """A board is with us again: it went on all the time, or was armed again."""
        self.answered(member)
        self.away.pop(member, None)
        if joined.rows:
            self._tally.take(member.edges, joined.rows)
        if not joined.why:
            self._journal.clock(member, joined.clock)
            meanwhile = self._fired(member) - before
            if away:
                went_on = f": it had gone on learning, {meanwhile} firings" if member.edges else ": it had gone on"
                self._journal.note(events.BACK, f"is back{went_on}", member, firings=meanwhile)
            return
        now_s = time.monotonic()
        self._again[member] = now_s + min(30.0, 2.0 * (member.restarts - 1))
        member.armed_s = now_s
        self._journal.counts_anew(member)
        text = f"{joined.why}; armed again"
        if member.edges:
            self._tally.restart(member.edges, joined.taps)
            text += f" at tap {', '.join(map(str, joined.taps))}"
            lost = [self._journal.edge(member.edges[i]) for i in joined.restored]
            text += f", restored from the record for {', '.join(lost)}" if lost else ", as its chips say"
        restored = [member.edges[i] for i in joined.restored]
        taps, boot = joined.taps, member.boot
        self._journal.note(
            events.RESTART, text, member, restarts=member.restarts, taps=taps, restored=restored, boot=boot
        )
        self._journal.clock(member, joined.clock)

    def failed(self, member: Member, why: str) -> None:
        """A board did not do what it was asked in a thread of its own; it is asked again after a while."""
        self.answered(member)
        if not self._rejoining.over:
            self._again[member] = time.monotonic() + AGAIN_S
            self.leave(member, why)

    def answered(self, member: Member) -> None:
        """Nothing is being asked of it any more."""
        self._busy.discard(member)

    def ask_apart(self, member: Member, act: Callable[[], tuple[str, Any]]) -> None:
        """Ask a board in a thread of its own; `act` returns the event that comes of it: kind and what."""
        self._busy.add(member)

        def work(session: Session) -> None:
            try:
                kind, what = act()
            except (*TROUBLE, *NONSENSE) as error:
                kind, what = "failed", " ".join(str(error).split()) or type(error).__name__
            self._fleet.events.put((session, kind, what))

        self._fleet.begin(work, member.session)

    def look(self, now_s: float, members: list[Member] | None = None) -> None:
        """Try again to take in who is away, or those of them that are among these."""
        for member in [member for member in self.away if members is None or member in members]:
            if member.session.up and member not in self._busy and now_s >= self._again.get(member, 0.0):
                self._again[member] = now_s + AGAIN_S
                self.take_in(member)

    def _fired(self, member: Member) -> int:
        return int(self._tally.count(FIRINGS)[member.edges].sum())
