"""Diagnostics of boards in a run: each fault said once, in plain words, with what to do next."""

from collections.abc import Callable, Iterator

import numpy as np

from clockfree.learning.arming import Member
from clockfree.learning.pace import MOST_DROPPED, Pace
from clockfree.learning.tally import Tally
from clockfree_model import events
from clockfree_model.counters import DROPPED, ERRORS, FIRINGS
from clockfree_model.job import Job
from clockfree_model.parts import FRONT_ENDS
from clockfree_model.rates import rates_hz

WARN_MISSED, FAIL_MISSED = 0.1, 0.5
"""Share of the examples due that a supervisor may not have told of.

How long one change takes is no matter in itself. The old example stays, whole, on sources and clamp until all DACs
switch at once; what is stale then is the settling, which no board can see. One that is slow once in a while, as when it
shuffles many examples, shows one of them for longer. But one that needs nearly the whole dwell has no time left to tell
its readings, and then goes through the examples at a pace that nobody asked for.
"""
TOLD_S = 2.0
"""What a supervisor has told last may be so old."""
STUCK_FIRINGS = 200
STUCK_LOOKS = 20
CLEAR = (0.02, 0.1)
"""What A and B should never take for its opposite, as a share of the supply: B goes by resistances within 20%."""
RAILED = 0.5

Found = tuple[str, str, Member | None, bool]
"""Event, text, board, and whether it makes the run a failed one."""
Drops = Callable[[np.ndarray, int, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""drops(taps, lesson, outputs_V) -> free and clamped drops (B, E), V, as they should be."""


class Diagnostics:
    """Looks at what boards tell, and says what is wrong with it.

    Parameters
    ----------
    job : Job
    drops : callable
        The drops that a faultless network would have at these taps; see `Drops`.
    limits : (E, 2) int
        Lowest and highest tap of each edge.
    strict : bool
        A supervisor that is too slow fails the run; not on virtual boards, whose times are not those of a chip.

    Attributes
    ----------
    too_busy : str
        Why firings may be missing.
    tick_us : int
        The longest that the supervisor has taken to show an example, us.
    """

    def __init__(self, job: Job, drops: Drops, limits: np.ndarray, strict: bool) -> None:
        edges = len(job.network.ends)
        self.tick_us = 0
        self.too_busy = "its board is too busy" if strict else "this machine is busy"
        self._shown = 0
        self._rates_hz = rates_hz(job)
        self._job, self._drops, self._limits, self._strict = job, drops, limits, strict
        self._said: set[tuple[str, int]] = set()
        self._bits = np.full((edges, 2), -1)
        self._since = np.zeros((edges, 2), dtype=np.int64)  # firings when each bit was last another
        self._looks = np.zeros((edges, 2), dtype=np.int64)  # looks since then
        self._next = np.zeros(edges, dtype=np.int64)  # firings at which to think about it again
        self._suspect: set[tuple[int, int]] = set()

    def look(
        self, tally: Tally, pace: Pace, boards: list[Member], lesson: int, outputs_V: np.ndarray
    ) -> Iterator[Found]:
        """What is new to be said of the boards that are there, the supervisor among them."""
        for board in boards:
            if not board.edges:
                yield from self._behind(board)
            for edge in board.edges:
                if tally.fresh[edge]:
                    yield from self._silent(tally, pace, board, edge)
                    yield from self._counted(tally, board, edge)
                    if not FRONT_ENDS[self._job.edge.front_end].measures:
                        yield from self._stuck(tally, board, edge, lesson, outputs_V)
        yield from self._railed(tally)

    def showed(self, shown: int, tick_us: int) -> None:
        """The supervisor tells how many examples it has shown since it was armed, and the longest it took for one."""
        self._shown, self.tick_us = shown, max(self.tick_us, tick_us)

    def _once(self, event: str, which: int, text: str, board: Member | None, failed: bool = False) -> Iterator[Found]:
        if (event, which) not in self._said:
            self._said.add((event, which))
            yield event, text, board, failed

    def _name(self, edge: int) -> str:
        return self._job.network.edge_name(edge)

    def _behind(self, board: Member) -> Iterator[Found]:
        due = (board.session.heard_s - board.armed_s - TOLD_S) / self._job.clamp.dwell_s
        missed = 1 - self._shown / due if due > 0 else 0.0
        if missed <= WARN_MISSED:
            return
        text = (
            f"has told of {self._shown} examples shown where about {due:.0f} were due, and took up to "
            f"{1e-3 * self.tick_us:.1f} ms for one: "
        )
        if missed > FAIL_MISSED and self._strict:
            yield from self._once(events.BEHIND, 1, f"{text}lengthen clamp.dwell_s", board, failed=True)
        else:
            why = "a longer clamp.dwell_s helps" if self._strict else "this machine is busy"
            yield from self._once(events.BEHIND, 0, text + why, board)

    def _silent(self, tally: Tally, pace: Pace, board: Member, edge: int) -> Iterator[Found]:
        fired, ran_s = pace.of(edge)
        if not ran_s:  # it has told of its status alone, as heard, which is up to a second old
            fired, ran_s = tally.since_restart(FIRINGS, edge), board.session.heard_s - board.armed_s - 1.0
        due = self._rates_hz[edge] * ran_s
        if due > 25 and fired < (1 - MOST_DROPPED) * due - 5 * due**0.5:  # looked at four times a second
            text = (
                f"{self._name(edge)} has fired {fired} times in {ran_s:.0f} s, about {due:.0f} were "
                f"due: {self.too_busy}, or its clock is not what it was told"
            )
            yield from self._once(events.SILENT, edge, text, board)

    def _counted(self, tally: Tally, board: Member, edge: int) -> Iterator[Found]:
        firings, dropped, errors = (int(tally.count(name)[edge]) for name in (FIRINGS, DROPPED, ERRORS))
        if dropped > 20 and dropped > MOST_DROPPED * firings:
            text = (
                f"{self._name(edge)} has dropped {dropped} overdue firings of {firings + dropped}: {self.too_busy}; "
                "lower edge.rate_hz, or give it fewer edges"
            )
            yield from self._once(DROPPED, edge, text, board)
        if errors:
            text = (
                f"{self._name(edge)}: {errors} times its chips did not answer, or read back another tap: look at MISO, "
                "chip selects and power"
            )
            yield from self._once(ERRORS, edge, text, board)

    def _stuck(self, tally: Tally, board: Member, edge: int, lesson: int, outputs_V: np.ndarray) -> Iterator[Found]:
        """A bit that never changed, though some example should have had it change."""
        fired = int(tally.count(FIRINGS)[edge])
        changed = self._bits[edge] != tally.bits[edge]
        self._bits[edge] = tally.bits[edge]
        self._looks[edge] += 1
        self._looks[edge, changed] = 0
        self._since[edge, changed] = fired
        constant = (fired - self._since[edge] >= STUCK_FIRINGS) & (self._looks[edge] >= STUCK_LOOKS)
        if not constant.any() or fired < self._next[edge] or tally.taps.min() < 0:
            return
        self._next[edge] = fired + STUCK_FIRINGS // 4
        free_V, clamped_V = (drops[:, edge] for drops in self._drops(tally.taps, lesson, outputs_V))
        order = self._job.edge.order
        both_V = {1: free_V, 2: clamped_V + free_V}  # what B sees by either order
        for bit, seen_V in enumerate((clamped_V - free_V, both_V[order])):
            at = int(self._bits[edge, bit])
            against_V = -seen_V if at else seen_V
            if not constant[bit] or not (against_V > CLEAR[bit] * self._job.physics.supply_V).any():
                self._suspect.discard((edge, bit))
            elif (edge, bit) not in self._suspect:  # what it should say may just have changed: look once more
                self._suspect.add((edge, bit))
            else:
                other = 3 - order
                wired = bit and not ((both_V[other] > 0) != at).any()
                why = f"wired for edge.order = {other}, by which it would" if wired else "wired to other nodes"
                text = (
                    f"{self._name(edge)}: comparator {'AB'[bit]} says {at} since {fired - self._since[edge, bit]} "
                    f"firings, and should not at these taps: stuck, or {why}?"
                )
                yield from self._once(events.STUCK[bit], edge, text, board)

    def _railed(self, tally: Tally) -> Iterator[Found]:
        known = tally.taps >= 0
        railed = known & ((tally.taps <= self._limits[:, 0]) | (tally.taps >= self._limits[:, 1]))
        if tally.fresh.all() and railed.sum() > RAILED * len(railed):
            text = (
                f"{railed.sum()} of {len(railed)} edges stand at their lowest or highest tap: is the task within "
                "reach, is each pot's reverse right?"
            )
            yield from self._once(events.RAILS, 0, text, None)
