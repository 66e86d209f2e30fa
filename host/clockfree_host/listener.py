"""Who is told what a board says unasked."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clockfree_host.session import Session


class Listener:
    """Who is told what a board says unasked. Called from the session's own thread: be quick, and never ask in here."""

    def heard(self, session: "Session", message: list[Any]) -> None:
        """Telemetry; also the reply to a heartbeat, as `["status", id, {...}]`."""

    def text(self, session: "Session", line: str) -> None:
        """A line that is no message."""

    def missed(self, session: "Session", count: int) -> None:
        """So many lines of telemetry never arrived."""

    def rebooted(self, session: "Session", boot: int) -> None:
        """The board has been reset: it has another boot id."""

    def gone(self, session: "Session", why: str) -> None:
        """The port has vanished, or nothing was heard for too long."""

    def back(self, session: "Session", away_s: float) -> None:
        """The board answers again, perhaps at another port."""
