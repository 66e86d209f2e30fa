"""Silence of the supervisor: how old an example may be, who holds because of it, and how old readings may be.

A supervisor that is lost leaves its last example on the circuit for ever, and with several of them the edges would
learn that one and forget the others. No edge can see that. So each edge board is told, over the host, how long ago the
supervisor showed another example, and goes to HOLD by its own time where that is too long ago: also where it hears
nothing of the host either. Nothing of this tells an edge when to fire. With one example there is nothing to forget.
"""

import time
from typing import Any

from clockfree.learning.arming import Member, silence_ms
from clockfree.learning.events import Journal
from clockfree_board.link import HOLD
from clockfree_model import events
from clockfree_model.job import Job

TOLD_S = 2.0
"""What a supervisor has told last may be so old, beside a dwell."""


class Silence:
    """What the host sees of it.

    Parameters
    ----------
    job : Job
    supervisor : Member
    boards : list of Member
    journal : Journal

    Attributes
    ----------
    held : dict of Member to int
        Edge boards that hold since the supervisor is not heard of, and since when, us of the run.
    """

    def __init__(self, job: Job, supervisor: Member, boards: list[Member], journal: Journal) -> None:
        self.held: dict[Member, int] = {}
        self._supervisor, self._journal = supervisor.session, journal
        self._limit_s = 1e-3 * silence_ms(job)
        self._told_s = TOLD_S + job.clamp.dwell_s
        self._said_s = 0.0
        if self._limit_s:
            for board in boards:
                board.session.teacher = supervisor.session

    @property
    def stale(self) -> bool:
        """What the supervisor told last is of another state of the circuit."""
        return self._supervisor.shown_s > 0 and time.monotonic() - self._supervisor.shown_s > self._told_s

    @property
    def keeps(self) -> bool:
        """Edge boards have to hold, or to stay in HOLD."""
        return self._limit_s > 0 and self.stale

    def holds(self, member: Member, status: dict[str, Any], run_id: int) -> bool:
        """Whether a board holds by itself because of it, by its status."""
        if (status["boot"], status["state"], status["run"]) != (member.boot, HOLD, run_id):
            return False
        if member not in self.held:
            self.held[member] = self._journal.now_us()
            now_s = time.monotonic()
            if not self._said_s or now_s - self._said_s > 2 * self._limit_s:  # they do not hold at one moment
                self._said_s = now_s
                text = (
                    f"no word of the supervisor for {self._limit_s:g} s: edge boards hold, each by its own time, "
                    "until it is back: with several examples they would learn the last one alone"
                )
                self._journal.note(events.HELD, text)
        return True

    def goes_on(self, member: Member, until: str = "the supervisor was heard of again") -> None:
        """A board does not hold any more."""
        since_us = self.held.pop(member, None)
        if since_us is None:
            return
        now_us = self._journal.now_us()
        held_s = 1e-6 * (now_us - since_us)
        text = f"was in HOLD for {held_s:.1f} s, until {until}"
        self._journal.note(events.HELD, text, member, said=False, from_us=since_us, to_us=now_us)
        if not self.held:
            self._journal.say(f"edge boards were in HOLD for {held_s:.1f} s, until {until}")
