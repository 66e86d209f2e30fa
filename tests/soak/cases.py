"""Cases of a soak: what is done to a bench in one run, drawn from seed, rack and the run's number alone."""

import random
from dataclasses import dataclass, replace

UNPLUG, RESET, POWER, KILL, INTERRUPT = "unplug", "reset", "power", "kill", "interrupt"
"""A cable is out for a while; a board is reset; board and chips lose their power; the host is killed, and resumes;
Ctrl-C."""
TOGETHER_S = 1.0
"""Two faults within it are two at once."""


@dataclass(frozen=True)
class Fault:
    """Something that is done so long after RUN, s.

    Attributes
    ----------
    kind : str
    board : int
        Which: 0 is the supervisor; of a kill or Ctrl-C -1.
    at_s, for_s : float
        When, and how long a cable is out.
    """

    kind: str
    board: int
    at_s: float
    for_s: float = 0.0


@dataclass(frozen=True)
class Case:
    """One run: its seed, updates per edge, and what is done to it, in order of time."""

    number: int
    seed: int
    updates: int
    faults: tuple[Fault, ...]


def drawn(seed: int, rack: int, number: int, boards: int, rate_hz: float) -> Case:
    """The case of this number: the same whenever it is asked for.

    Every fourth run is killed at its end, every eighth interrupted; a third of the faults come within a second of the
    one before.
    """
    random_ = random.Random(f"{seed} {rack} {number}")
    updates = random_.randrange(100, 301)
    lasts_s = 0.85 * updates / rate_hz  # what is broken when a run is over is none of it
    faults: list[Fault] = []
    at_s = 0.0
    for _ in range(random_.randrange(3, 9)):
        near = faults and random_.random() < 1 / 3
        at_s = min(at_s + random_.uniform(0.05, TOGETHER_S), lasts_s) if near else random_.uniform(0.1, lasts_s)
        kind = random_.choice((UNPLUG, UNPLUG, RESET, POWER))
        board = random_.randrange(boards)
        out_s = min(random_.uniform(0.1, 2.5), 1.05 * lasts_s - at_s)  # a board that is away at the end goes on
        faults.append(Fault(kind, board, at_s, out_s if kind == UNPLUG else 0.0))
    faults.sort(key=lambda fault: fault.at_s)
    end = {0: KILL, 4: KILL, 2: INTERRUPT}.get(number % 8)
    if end:
        faults.append(Fault(end, -1, max(random_.uniform(0.3, lasts_s), 0.3)))
        faults.sort(key=lambda fault: fault.at_s)
        faults = faults[: [fault.kind for fault in faults].index(end) + 1]
        if end == INTERRUPT:  # cables are in again when it ends
            over_s = faults[-1].at_s
            faults = [replace(fault, for_s=min(fault.for_s, max(0.0, over_s - fault.at_s - 0.2))) for fault in faults]
    return Case(number, random_.randrange(1 << 20), updates, tuple(faults))
