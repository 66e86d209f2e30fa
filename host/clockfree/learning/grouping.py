"""Grouping of what is said of boards: what many of them have at once is one thing, and one line."""

from collections import defaultdict

from clockfree.learning.arming import Member
from clockfree.learning.events import Journal

AT_ONCE_S = 2.0
"""Complaints wait so long for others of their kind."""
MANY = 4
NAMED = 3
"""So many boards are named in a line."""


class Grouping:
    """Complaints until they are said.

    Parameters
    ----------
    journal : Journal
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: dict[str, list[tuple[str, Member | None]]] = defaultdict(list)
        self._since_s: dict[str, float] = {}

    def add(self, event: str, text: str, member: Member | None, failed: bool, now_s: float) -> None:
        """Something to be said; what fails the run is said at once."""
        if failed:
            self._journal.fail(event, text, member)
        else:
            self._waiting[event].append((text, member))
            self._since_s.setdefault(event, now_s)

    def say(self, now_s: float) -> None:
        """Say what has waited long enough."""
        for event in [event for event, since_s in self._since_s.items() if now_s - since_s >= AT_ONCE_S]:
            del self._since_s[event]
            told = self._waiting.pop(event)
            members = list(dict.fromkeys(member for _, member in told if member is not None))
            if len(members) < MANY:
                for text, member in told:
                    self._journal.note(event, text, member)
                continue
            names = ", ".join(self._journal.name(member) for member in members[:NAMED])
            more = f" and {len(members) - NAMED} more" if len(members) > NAMED else ""
            edges = [edge for member in members for edge in member.edges]
            text = f"{len(members)} boards at once, {names}{more}; of the first: {told[0][0]}"
            self._journal.note(event, text, boards=[member.name for member in members], edges=edges)
