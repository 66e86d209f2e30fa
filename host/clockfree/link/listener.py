"""The listener: who is told what a board says unasked."""

from typing import Any, Generic, TypeVar

Speaker = TypeVar("Speaker")
"""What stands for a board: a session. A listener needs to know nothing of it."""


class Listener(Generic[Speaker]):
    """Who is told what a board says unasked. Called from the session's own thread: be quick, and never ask in here."""

    def heard(self, session: Speaker, message: list[Any]) -> None:
        """Telemetry; also the reply to a heartbeat, as `["status", id, {...}]`."""

    def text(self, session: Speaker, line: str) -> None:
        """A line that is no message."""

    def missed(self, session: Speaker, count: int) -> None:
        """So many lines of telemetry never arrived."""

    def rebooted(self, session: Speaker, boot: int) -> None:
        """The board has been reset: it has another boot id."""

    def gone(self, session: Speaker, why: str) -> None:
        """The port has vanished, or nothing was heard for too long."""

    def back(self, session: Speaker, away_s: float) -> None:
        """The board answers again, perhaps at another port."""
