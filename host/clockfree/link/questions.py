"""Commands to one board and the replies to them, which its telemetry goes on beside."""

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from clockfree.link.handshake import RefusedError
from clockfree.link.quality import Quality
from clockfree.link.roundtrips import RoundTrips
from clockfree_board.link import NUMBERS, TO_BOARD, seal

SLOW_S = {"null": 2.0, "match": 2.0, "tap": 0.5, "adopt": 0.5, "measure": 0.2, "rehearse": 0.5}
"""What a board may take for a command itself, beside the round trip."""
STOOD_S = 1.0
"""A wait that takes so much longer is no wait for a board."""
LOOK_S = 0.2
"""So often whoever waits for a board that is away looks whether the session was closed."""


class _Waiting:
    """Somebody waits for the reply to a command."""

    def __init__(self, slow_s: float) -> None:
        self.slow_s = slow_s
        self.come = threading.Event()
        self.reply: list[Any] = []
        self.at_s = 0.0


class Questions:
    """What a board is asked, and has not answered yet; from any thread.

    Parameters
    ----------
    write : callable
        Sends a line; what goes wrong shows elsewhere.
    up : Event
        Set while the board's port is there.
    stop : Event
        Set when no command is answered any more.
    quality : Quality
        Of the cable.

    Attributes
    ----------
    trips : RoundTrips
    """

    def __init__(
        self, write: Callable[[bytes], None], up: threading.Event, stop: threading.Event, quality: Quality
    ) -> None:
        self.trips = RoundTrips()
        self._quality = quality
        self._write, self._up, self._stop = write, up, stop
        self._waiting: dict[int, _Waiting] = {}
        self._lock = threading.Lock()
        self._number = random.randrange(NUMBERS)  # a reply to who was here before us is none to us

    def number(self) -> int:
        """Id of a command."""
        with self._lock:
            self._number = (self._number + 1) % NUMBERS
            return self._number

    def ask(self, kind: str, arguments: tuple[Any, ...], within_s: float, away_s: float = 0.0) -> list[Any] | None:
        """Send a command, again and again under the same id, until it is answered.

        Parameters
        ----------
        kind, arguments : str, tuple
        within_s : float
            The limit; of a board that comes back meanwhile it begins anew.
        away_s : float
            A board that is away is waited for so long, if that is longer.

        Returns
        -------
        list or None
            The fields of the reply; None where none came within the limit.

        Raises
        ------
        RefusedError
            The board says no, and why.
        """
        number = self.number()
        line = seal([kind, number, *arguments])
        if len(line) > TO_BOARD:
            raise ValueError(f"{kind}: {len(line)} bytes, and a board takes {TO_BOARD}")
        waiting = self._waiting[number] = _Waiting(SLOW_S.get(kind, 0.0))
        try:
            sent_s = self._sent(line, waiting, within_s, away_s)
        finally:
            del self._waiting[number]
        if sent_s is None:
            return None
        if sent_s and kind not in SLOW_S:
            self.trips.took(waiting.at_s - sent_s)
        if waiting.reply[0] == "no":
            raise RefusedError(f"{kind}: refused: {' '.join(map(str, waiting.reply[2:]))}")
        return waiting.reply[2:]

    def answer(self, reply: list[Any], at_s: float) -> bool:
        """A reply has come; False where nobody waits for it."""
        waiting = self._waiting.get(reply[1])
        if waiting is None or waiting.reply:
            return False
        waiting.reply, waiting.at_s = reply, at_s
        waiting.come.set()
        return True

    def end(self) -> None:
        """Nobody waits any longer; `stop` is set."""
        for waiting in [*self._waiting.values()]:
            waiting.come.set()

    def disturbed(self) -> None:
        """A line came broken: it may have been the reply that somebody waits for."""
        for waiting in [*self._waiting.values()]:
            if waiting.slow_s < 1.0 and not waiting.reply:
                waiting.come.set()

    def _sent(self, line: bytes, waiting: _Waiting, within_s: float, away_s: float) -> float | None:
        """Send until a reply is there: when it was sent, 0 if that was more than once, or None if none came."""
        sent_s: float | None = None
        late_s = time.monotonic() + within_s
        away_until_s = late_s - within_s + away_s
        while not self._stop.is_set():
            now_s = time.monotonic()
            if not self._up.is_set():
                late_s = max(late_s, min(now_s + within_s, away_until_s))
            left_s = late_s - now_s
            if left_s <= 0:
                break
            # Only for a moment: closing the session ends the wait for a board that is away.
            if not self._up.wait(min(left_s, LOOK_S)):
                continue
            again = sent_s is not None
            sent_s = 0.0 if again else now_s
            waiting.come.clear()
            if waiting.reply:
                return 0.0
            # A newline first ends whatever half a line stands before it.
            self._write(b"\n" + line if again else line)
            wait_s = min(left_s, self.trips.timeout_s + waiting.slow_s)
            began_s = time.monotonic()
            come = waiting.come.wait(wait_s)
            if (over_s := time.monotonic() - began_s - wait_s) > STOOD_S:  # this process did not run
                late_s += over_s
            if come:
                if waiting.reply or self._stop.is_set():
                    return sent_s if waiting.reply else None  # none where the session was closed
            elif not self._quality.lossy:  # where lines are lost, a board that answers late is no likelier
                self.trips.late()
        return None
