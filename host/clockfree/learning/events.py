"""Events of a run on boards, and its firings: for its log, and as lines for a person."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from clockfree.learning.arming import Member
from clockfree.learning.rejoining import Clock
from clockfree_board.link import NUMBERS
from clockfree_model.events import CLOCK, GAP, TEXT
from clockfree_model.job import Job
from clockfree_model.parts import POTS

MOST_TEXTS = 20
"""Lines of text that the log takes from one board."""


class Journal:
    """Keeps what happened until the next sample takes it along.

    Parameters
    ----------
    job : Job
    say : callable
        Takes a line for a person.

    Attributes
    ----------
    failures : list of str
        What makes the run a failed one, though it went on.
    say : callable
        As given.
    """

    def __init__(self, job: Job, say: Callable[[str], None]) -> None:
        self.failures: list[str] = []
        self._job, self.say = job, say
        self._events: list[dict[str, Any]] = []
        self._trace: list[tuple[int, ...]] = []
        self._gaps: Counter[Member] = Counter()
        self._texts: Counter[Member] = Counter()
        self._lost: Counter[Member] = Counter()
        self._ahead_us: dict[Member, int] = {}  # by how much the run's time is ahead of a board's ticks
        self._began_s = time.monotonic()

    def begin(self, at_us: int = 0) -> None:
        """The run's time begins now, or goes on."""
        self._began_s = time.monotonic() - 1e-6 * at_us

    def now_us(self) -> int:
        """The run's time, us."""
        return round(1e6 * (time.monotonic() - self._began_s))

    def edge(self, edge: int) -> str:
        """What an edge is called."""
        return self._job.network.edge_name(edge)

    def note(self, event: str, text: str, member: Member | None = None, *, said: bool = True, **more: Any) -> None:
        """Something for the log, and for a person to read."""
        who = {} if member is None else {"board": member.name, "edges": member.edges}
        self._events.append({"event": event, "time_us": self.now_us(), **who, "text": text, **more})
        if said:
            self.say(text if member is None else f"{self.name(member)}: {text}")

    def fail(self, event: str, text: str, member: Member | None = None) -> None:
        """Something that makes the run a failed one."""
        self.failures.append(text if member is None else f"{self.name(member)}: {text}")
        self.note(event, text, member, failed=True)

    def text(self, member: Member, text: str) -> None:
        """What a board says that is no message, or none that we know: the first few times."""
        self._texts[member] += 1
        if self._texts[member] <= MOST_TEXTS:
            self.note(TEXT, text[:200], member)

    def gap(self, member: Member, count: int) -> None:
        """So many lines of telemetry of a board never arrived."""
        self._gaps[member] += count

    def firings(self, member: Member, lost: int, rows: list[list[int]]) -> None:
        """Firings of a board (place, t_us, a, b, step, tap), and how many in all found no room on it."""
        highest = POTS[self._job.edge.pot].highest
        can_be = all(0 <= row[0] < len(member.edges) and abs(row[4]) <= 1 and -1 <= row[5] <= highest for row in rows)
        if not can_be or not 0 <= lost < NUMBERS:
            raise ValueError("a firing that cannot be")
        untold = lost - self._lost[member]
        if untold > 0:
            self.note(GAP, f"{untold} firings found no room on the board", member, firings=untold, said=False)
        self._lost[member] = lost
        ahead_us = self._ahead_us.get(member, 0)
        for place, t_us, *row in rows:
            self._trace.append((member.edges[place], (t_us + ahead_us) % NUMBERS, *map(int, row)))

    def counts_anew(self, member: Member) -> None:
        """A board counts what finds no room from zero again."""
        self._lost[member] = 0

    def clock(self, member: Member, clock: Clock | None) -> None:
        """How the ticks of a board lie in the run's time."""
        if clock is not None:
            at_us = round(1e6 * (clock.at_s - self._began_s))
            self._ahead_us[member] = at_us - clock.t_us
            text = f"its ticks were {clock.t_us} at {at_us} us"
            within_us = round(1e6 * clock.within_s)
            self.note(CLOCK, text, member, said=False, t_us=clock.t_us, at_us=at_us, within_us=within_us)

    def take(self) -> tuple[list[tuple[int, ...]], list[dict[str, Any]]]:
        """Firings and events since the last time."""
        for member, count in self._gaps.items():
            self.note(GAP, f"{count} lines of telemetry never arrived", member, lost=count, said=False)
        self._gaps.clear()
        trace, self._trace = self._trace, []
        events, self._events = self._events, []
        return trace, events

    def name(self, member: Member) -> str:
        """What a board is called in a line: its unique id, and its first edges."""
        edges = ", ".join(self.edge(edge) for edge in member.edges[:3]) + ", ..." * (len(member.edges) > 3)
        return f"board {member.name} ({edges or 'supervisor'})"
