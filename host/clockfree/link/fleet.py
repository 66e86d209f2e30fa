"""The fleet: all boards of a bench, each in a session of its own; what they say comes out of one queue."""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from clockfree.base.errors import InputError
from clockfree.link.benchfile import BenchFile, board_config
from clockfree.link.descriptors import room_for
from clockfree.link.handshake import NoAnswerError, RefusedError, misfit
from clockfree.link.listener import Listener
from clockfree.link.ports import AT_ONCE, PortError, lost
from clockfree.link.session import Session
from clockfree.link.users import others, shared
from clockfree_model.events import BACK

HEARTBEAT_S = 2.0
"""A board hears from its host at least so often."""
TROUBLE = (NoAnswerError, RefusedError, PortError, OSError)
"""What asking a board can raise."""
SHOWN = 3

T = TypeVar("T")


class Fleet(Listener[Session]):
    """The boards of a bench.

    Parameters
    ----------
    bench : BenchFile
    heartbeat_s : float or None
        See Session.

    InputError where this process may not have so many ports open.

    Attributes
    ----------
    sessions : list of Session
        The supervisor's first, then those of the edge boards, in the order of the bench file.
    events : queue of (session, kind, what)
        What the sessions tell, in order for each: `heard`, `text`, `missed`, `rebooted`, `gone`, `back`; see Listener.
    """

    def __init__(self, bench: BenchFile, heartbeat_s: float | None = None) -> None:
        self.bench = bench
        room_for(len(bench.every_board))
        self.sessions = [Session(board, bench.links, self, heartbeat_s) for board in bench.every_board]
        self.events: queue.SimpleQueue[tuple[Session, str, Any]] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(len(self.sessions), "fleet")

    @property
    def supervisor(self) -> Session:
        """The session of the supervisor's board."""
        return self.sessions[0]

    @property
    def edge_boards(self) -> list[Session]:
        """The sessions of the edge boards."""
        return self.sessions[1:]

    def open(self) -> dict[Session, str]:
        """Open every port, many at once, and have every board say hello; returns those that failed, and why."""
        turn = threading.Semaphore(AT_ONCE)

        def call_in_turn(session: Session) -> None:
            with turn:
                session.open()

        failed = self.each(call_in_turn)[1]
        return failed | (self.read_by_others([*failed]) if failed else {})

    def read_by_others(self, sessions: Sequence[Session]) -> dict[Session, str]:
        """Boards whose port another program has open too, and which."""
        readers = others(session.device for session in sessions)
        return {
            session: shared(session.device, readers[session.device])
            for session in sessions
            if session.device in readers
        }

    def each(
        self, act: Callable[[Session], T], sessions: Sequence[Session] | None = None
    ) -> tuple[dict[Session, T], dict[Session, str]]:
        """Do something with boards, all at once: what it came to, and for those that failed, why."""
        futures = [(session, self.begin(act, session)) for session in (self.sessions if sessions is None else sessions)]
        done, failed = {}, {}
        for session, future in futures:
            try:
                done[session] = future.result()
            except TROUBLE as error:
                failed[session] = lost(error)
        return done, failed

    def begin(self, act: Callable[[Session], T], session: Session) -> "Future[T]":
        """Do something with one board in a thread of its own."""
        return self._pool.submit(act, session)

    def close(self) -> None:
        """Let go of every board; each goes on with what it does."""
        for session in self.sessions:  # all of them first: each takes a moment to end
            session.stop()
        self._pool.shutdown()
        for session in self.sessions:
            session.close()

    # -- what the sessions tell ----------------------------------------------------------------------------------

    def heard(self, session: Session, message: list[Any]) -> None:
        """Into the queue, as all of these."""
        self.events.put((session, "heard", message))

    def text(self, session: Session, line: str) -> None:
        """A line that is no message."""
        self.events.put((session, "text", line))

    def missed(self, session: Session, count: int) -> None:
        """Lost telemetry."""
        self.events.put((session, "missed", count))

    def rebooted(self, session: Session, boot: int) -> None:
        """A reset."""
        self.events.put((session, "rebooted", boot))

    def gone(self, session: Session, why: str) -> None:
        """A port that vanished."""
        self.events.put((session, "gone", why))

    def back(self, session: Session, away_s: float) -> None:
        """A board that answers again."""
        self.events.put((session, BACK, away_s))


def call(fleet: Fleet, file: str, anyway: bool) -> None:
    """Open a fleet whose boards are all there, and all as the bench file says.

    Parameters
    ----------
    fleet : Fleet
    file : str
        Name of the bench, for what is said.
    anyway : bool
        Take boards that run other code than the firmware here.

    Raises
    ------
    InputError
        Which boards are not, why, and what to do.
    """
    failed = fleet.open()
    failed |= fleet.read_by_others([session for session in fleet.sessions if session not in failed])
    ids = Counter(session.hello.get("id") for session in fleet.sessions if session not in failed)
    problems = []
    flash = False
    for session in fleet.sessions:
        problem = failed.get(session, "")
        if not problem:
            problem = _unfit(session, fleet.bench, anyway)
            if not problem and ids[session.hello["id"]] > 1:
                problem = f"its id, {session.hello['id']}, is that of another board too: give one of them another"
            else:
                flash = flash or bool(problem)
        flash = flash or "prompt" in problem
        if problem:
            problems.append(f"{session.name}: {problem}")
    if problems:
        some = "; ".join(problems[:SHOWN]) + (f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else "")
        advice = f"clockfree flash --bench {file}" if flash else f"clockfree boards --bench {file} shows them all"
        raise InputError(f"{file}: {some}: {advice}")


def _unfit(session: Session, bench: BenchFile, anyway: bool) -> str:
    return misfit(session.hello, session.board.id, board_config(bench, session.board), anyway)
