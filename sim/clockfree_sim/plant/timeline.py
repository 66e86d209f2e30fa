"""Virtual time: one heap of integer microseconds on which every edge keeps its own appointment."""

from collections.abc import Callable
from heapq import heapify, heappop, heappush, heapreplace
from typing import Protocol

from clockfree_board.clock import HALF, MASK
from clockfree_board.edge import Edge

Fire = Callable[[int], int]

NEVER = 2**63 - 1
"""A time that does not come, us."""


def _nobody(now_us: int) -> int:
    raise RuntimeError("this edge has not entered")


class Time(Protocol):
    """Time as the plant needs it, virtual or wall."""

    @property
    def now_us(self) -> int:
        """Time now, us; it does not wrap."""

    def later(self, time_us: int, action: Callable[..., None], *arguments: int) -> None:
        """Run an action once, with these arguments, at a time."""


class Pace(Protocol):
    """What decides whose turn it is."""

    def enter(self, index: int, edge: Edge, fire: Fire) -> None:
        """An edge takes part from now on."""

    def leave(self, index: int) -> None:
        """An edge falls silent."""

    def serve(self, count: int) -> None:
        """Go on for at least so many events of edges; no further than so many firings where edges are on their own."""


class Timeline:
    """Events in order of time; two at the same microsecond in order of who asked.

    Edges are numbered 0 .. edges - 1 and keep coming back: ``fire(now)`` returns when the edge wants to be called
    next, both modulo 2**30 us as on a board. Any other event is an action that runs once. Edges are woken one by
    one, each at the time it named itself; there is no way here to wake two of them together.

    Attributes
    ----------
    now_us : int
        Virtual time, absolute: it does not wrap.
    """

    def __init__(self, edges: int):
        self.now_us = 0
        self._edges = edges
        self._fires: list[Fire] = [_nobody] * edges
        self._heap: list[tuple[int, int]] = []
        self._actions: dict[int, tuple[Callable[..., None], tuple[int, ...]]] = {}
        self._next = edges

    def later(self, time_us: int, action: Callable[..., None], *arguments: int) -> None:
        """Run an action once, with these arguments, at a virtual time."""
        who = self._next
        self._next = who + 1
        self._actions[who] = action, arguments
        heappush(self._heap, (time_us, who))

    def enter(self, index: int, edge: Edge, fire: Fire) -> None:
        """An edge starts its own clock; ``fire`` is what to call when it is due."""
        due_us = edge.start(self.now_us & MASK)
        self._fires[index] = fire
        heappush(self._heap, (self.now_us + ((due_us - self.now_us) & MASK), index))

    def leave(self, index: int) -> None:
        """An edge falls silent."""
        self._heap[:] = [entry for entry in self._heap if entry[1] != index]
        heapify(self._heap)

    def serve(self, count: int) -> None:
        """Go through the heap until so many events of edges have been served."""
        heap, fires, edges = self._heap, self._fires, self._edges
        while count > 0:
            time_us, who = heap[0]
            self.now_us = time_us
            if who < edges:
                now_us = time_us & MASK
                wait_us = (fires[who](now_us) - now_us) & MASK
                # After a late firing a short wait may already be over: then the edge is due at once.
                heapreplace(heap, (time_us + wait_us if wait_us < HALF else time_us, who))
                count -= 1
            else:
                heappop(heap)
                self._act(who)

    def advance(self, until_us: int) -> None:
        """Run everything due before a time, and stand there."""
        heap = self._heap
        while heap and heap[0][0] < until_us:
            time_us, who = heap[0]
            if who < self._edges:
                self.serve(1)
            else:
                heappop(heap)
                self.now_us = time_us
                self._act(who)
        self.now_us = until_us

    def _act(self, who: int) -> None:
        action, arguments = self._actions.pop(who)
        action(*arguments)
