"""Rejoining of a board: into a run again after it was away, was reset or was in HOLD."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clockfree.learning.arming import Member, arm_edges, arm_supervisor, hold, silence_ms
from clockfree.learning.tally import UNKNOWN
from clockfree.link.benchfile import BenchFile, board_config
from clockfree.link.handshake import RefusedError, misfit
from clockfree.link.session import ASK_S, Session
from clockfree_board.link import HOLD, RUN
from clockfree_model.job import Job
from clockfree_model.parts import POTS

POWER_ON = 3
"""A tap this near to the one at power-on is taken as it is."""


@dataclass(frozen=True, order=True)
class Clock:
    """A board's ticks, us, at a time of the host (`time.monotonic`), and how far off that may be, s."""

    within_s: float
    at_s: float
    t_us: int


def clock_of(session: Session) -> Clock:
    """How the clock of a board goes: the best of a few tries."""
    found = []
    for _ in range(4):
        asked_s = time.monotonic()
        (status,) = session.ask("status")
        half_s = (time.monotonic() - asked_s) / 2
        found.append(Clock(half_s, asked_s + half_s, int(status["t_us"])))
    return min(found)


@dataclass
class Joined:
    """How a board came back.

    Attributes
    ----------
    why : str
        What had happened to it; "" where it had gone on all the time.
    rows : list
        What its edges had counted before they were armed again; [] where a reset took that away.
    shown : int
        How many examples a supervisor had shown that had gone on.
    taps : list of int
        Where they were armed again.
    restored : list of int
        Edges, by their place on the board, whose tap was lost, so that the last known one was set.
    clock : Clock or None
    """

    why: str = ""
    rows: list[list[Any]] = field(default_factory=list)
    shown: int = 0
    taps: list[int] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)
    clock: Clock | None = None


class Rejoining:
    """What it takes to take boards of one run in again.

    Parameters
    ----------
    job : Job
    bench : BenchFile
    run_id : int
    telemetry : (int, int)
        Period in ms, and whether firings are wanted.
    anyway : bool
        Take boards that run other code than the firmware here.

    Attributes
    ----------
    silence_ms : int
        How long an edge board goes on without a word of the supervisor; 0 is for ever.
    over : bool
        The run is at its end. Whoever puts the boards in HOLD sets it first: one that is being taken in just then
        either gets RUN before the HOLD, or none.
    """

    def __init__(self, job: Job, bench: BenchFile, run_id: int, telemetry: tuple[int, int], anyway: bool) -> None:
        self.job, self.run_id, self.telemetry = job, run_id, telemetry
        self.over = False
        self.silence_ms = silence_ms(job)
        self._bench, self._anyway = bench, anyway

    def run(self, member: Member) -> Clock | None:
        """RUN, each board by a message of its own; where firings are wanted, returns how its clock goes.

        Raises
        ------
        RefusedError
            The board refuses, or the run is over.
        """
        if self.over:
            raise RefusedError("the run is over")
        member.session.ask("run", self.run_id, self.silence_ms if member.edges else 0)
        if not member.edges:
            member.session.shown_s = time.monotonic()
        clock = clock_of(member.session) if self.job.trace and member.edges else None
        member.session.ask("report", *self.telemetry)
        return clock

    def join(self, member: Member, taps: Sequence[int], lesson: int) -> Joined:
        """Find out what became of a board, and have it run again.

        Parameters
        ----------
        member : Member
        taps : sequence of int
            Last known tap of each of its edges.
        lesson : int
            What a supervisor is to teach.

        Raises
        ------
        What asking a board raises.
        """
        ask = member.session.ask
        (status,) = ask("status")
        known = all(row[0] != UNKNOWN for row in status.get("edges", []))
        same = status["boot"] == member.boot
        if same and member.armed and known and (status["state"], status["run"]) == (RUN, self.run_id):
            ask("report", *self.telemetry)
            return Joined(rows=status.get("edges", []), shown=status.get("shown", 0))
        if same and member.armed and known and (status["state"], status["run"]) == (HOLD, self.run_id):
            return Joined(rows=status.get("edges", []), clock=self.run(member))  # it held by itself, and goes on
        (hello,) = ask("hello")
        config = board_config(self._bench, member.session.board)
        problem = misfit(hello, member.session.board.id, config, self._anyway)
        if problem:
            raise RefusedError(problem)
        # Whoever is asked again after a failure half way is armed from the start: nobody has heard how its clock goes.
        was_armed, member.armed = member.armed, False
        hold(member.session)
        (held,) = ask("status")  # in RUN it may have fired since it was asked first
        rows = held.get("edges", [])
        if not same:
            joined = Joined(why=f"it was reset ({hello['reset']})")
        elif not was_armed:
            joined = Joined(why="it was lost while it was being armed", rows=rows)
        elif known:
            joined = Joined(why=f"it was in HOLD ({status['reason'] or 'of another run'})", rows=rows)
        else:
            joined = Joined(why="a tap was unknown", rows=rows)
        member.restarts += 1
        if member.edges:
            lost_power = not same and hello["reset"] == "power"
            self._taps(member, [row[0] for row in rows], taps, lost_power, joined)
            arm_edges(member, self.job, self.run_id, joined.taps)
        else:
            arm_supervisor(member, self.job, self.run_id, lesson)
        joined.clock = self.run(member)
        member.boot, member.armed = hello["boot"], True
        return joined

    def end(self, session: Session, within_s: float) -> tuple[dict[str, Any], list[int]]:
        """HOLD; the last status, and every tap as the chip says it. A board that is away is not waited for."""
        if not session.up:
            within_s = 0.0
        hold(session, within_s)
        (status,) = session.ask("status", within_s=within_s)
        return status, [self.adopted(session, i, within_s) for i in range(len(status.get("edges", ())))]

    def _taps(self, member: Member, found: list[int], last: Sequence[int], lost_power: bool, joined: Joined) -> None:
        """Where each edge goes on: where its chip says it is, or, if that is lost, where it was last known to be."""
        pot = POTS[self.job.edge.pot]
        start = pot.start_tap
        for i, tap in enumerate(found):
            if tap == UNKNOWN:
                tap = self.adopted(member.session, i)
            # Pots that have lost their power stand at their start tap, and know nothing of what was learnt.
            forgot = lost_power and pot.forgets and tap == start and abs(last[i] - start) > POWER_ON
            if (tap == UNKNOWN or forgot) and last[i] != UNKNOWN:
                tap = int(last[i])
                joined.restored.append(i)
            joined.taps.append(tap)

    @staticmethod
    def adopted(session: Session, i: int, within_s: float = ASK_S) -> int:
        """The tap of an edge as its chip says it; UNKNOWN where it says nothing sensible."""
        try:
            return int(session.ask("adopt", i, within_s=within_s)[0])
        except RefusedError:
            return UNKNOWN
