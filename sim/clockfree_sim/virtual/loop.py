"""Wall time: what the plant takes for its timeline, and the one loop that everything on the bench waits in."""

import heapq
import itertools
import select
import time
from collections.abc import Callable
from typing import Protocol

Action = Callable[..., object]


class File(Protocol):
    """Anything with a file descriptor."""

    def fileno(self) -> int:
        """Its file descriptor."""


class WallTime:
    """Time in us since the bench began, and what is to be done later; the same face as a `Timeline`."""

    def __init__(self) -> None:
        self._began_ns = time.monotonic_ns()
        self._heap: list[tuple[int, int, Action, tuple[int, ...]]] = []
        self._count = itertools.count()

    @property
    def now_us(self) -> int:
        """Time now, us."""
        return (time.monotonic_ns() - self._began_ns) // 1000

    def later(self, time_us: int, action: Action, *arguments: int) -> None:
        """Run an action once, with these arguments, at a time; two at the same time in order of who asked."""
        heapq.heappush(self._heap, (time_us, next(self._count), action, arguments))

    def run(self) -> float | None:
        """Run what is due; returns how long until the next, s, or None."""
        heap = self._heap
        while heap:
            left_us = heap[0][0] - self.now_us
            if left_us > 0:
                return left_us / 1e6
            _, _, action, arguments = heapq.heappop(heap)
            action(*arguments)
        return None


class Loop:
    """Files that are waited for, and wall time."""

    def __init__(self) -> None:
        self.time = WallTime()
        self.running = True
        self._poll = select.epoll()
        self._reads: dict[int, Action] = {}
        self._writes: dict[int, Action] = {}

    def reads(self, file: File | int, action: Action | None) -> None:
        """Call an action whenever a file can be read, or has ended; None no longer waits for it."""
        self._wait(self._reads, file, action)

    def writes(self, file: File | int, action: Action | None) -> None:
        """Call an action whenever a file can be written; None no longer waits for it."""
        self._wait(self._writes, file, action)

    def run(self) -> None:
        """Serve until `running` is False."""
        poll, reads, writes, due = self._poll.poll, self._reads, self._writes, self.time.run
        while self.running:
            for number, events in poll(due()):
                # Looked up only now: an action before this one may have ended the wait for this file.
                if events & ~select.EPOLLOUT and (action := reads.get(number)):
                    action()
                if events & ~select.EPOLLIN and (action := writes.get(number)):
                    action()

    def _wait(self, waits: dict[int, Action], file: File | int, action: Action | None) -> None:
        number = file if isinstance(file, int) else file.fileno()
        before = self._events(number)
        if action:
            waits[number] = action
        else:
            waits.pop(number, None)
        after = self._events(number)
        if after != before:
            if not after:
                self._poll.unregister(number)
            elif before:
                self._poll.modify(number, after)
            else:
                self._poll.register(number, after)

    def _events(self, number: int) -> int:
        return select.EPOLLIN * (number in self._reads) | select.EPOLLOUT * (number in self._writes)
