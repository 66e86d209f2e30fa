"""Lines on the link that nobody sends: their checksum may be right, and still neither end takes what cannot be."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from clockfree.link.listener import Listener
from clockfree.link.session import Session
from clockfree_board.link import EDGE_ROW, FIRINGS, TO_BOARD, Lines, opened, seal
from clockfree_model.parts import POTS
from tests.firmware.rig import Rig, armed
from tests.host.rigs import RUN_ID, Run

HOSTILE = (0, 1, -1, 2, 127, 128, 4095, 4096, 1 << 16, -(1 << 30), (1 << 30) - 1, 1 << 30, 1 << 31, 1 << 53, 1 << 70,
           1.5, 1e300, True, None, "", "64", "\u001b[2J", "x" * 300, [], [[]], {}, {"a": 1})  # fmt: skip
RUNS = ("hold", "prepare", "tap", "edge", "lesson", "example", "teach", "run")
"""What it takes to have a board run."""
ROW = [64] + [0] * (len(EDGE_ROW) - 1)


def mutated(rng: random.Random, value: Any) -> Any:
    """A message with something in it that is another; now and then the message itself."""
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        change = rng.random()
        if change < 0.1:
            return value[:at] + value[at + 1 :]
        if change < 0.2:
            return [*value[:at], value[at], *value[at:]]
        return [*value[:at], mutated(rng, value[at]), *value[at + 1 :]]
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice([*value])
        if rng.random() < 0.2:
            return {name: each for name, each in value.items() if name != key}
        return value | {key: mutated(rng, value[key])}
    return rng.choice(HOSTILE)


def lines(rng: random.Random, messages: list[list[Any]], whole: list[list[Any]]) -> Iterator[bytes]:
    """Lines without end: some as they are, most with another message, some with other bytes.

    All are numbered; those of `whole` come one after another now and then, as they are.
    """
    number = 0
    while True:
        if rng.random() < 0.01:
            for message in whole:
                number += 1
                yield seal([message[0], number, *message[2:]])
        message = [*rng.choice(messages)]
        number += 1
        if message[0] != "ok":
            message[1] = number
        kind = rng.random()
        if kind < 0.15:
            yield seal(message)
        elif kind < 0.8:
            other = mutated(rng, message)
            yield seal(other if isinstance(other, list) else [other])
        else:
            line = bytearray(seal(message))
            for _ in range(rng.randrange(1, 4)):
                line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
            yield bytes(line) if rng.random() < 0.9 else bytes(line[: rng.randrange(1, len(line))])


class _Port:
    """A port at which a board says these lines, and nothing more."""

    in_waiting = 4096

    def __init__(self, session: Session, data: Iterator[bytes]) -> None:
        self._session, self._data = session, data

    def read(self, most: int) -> bytes:
        found = next(self._data, b"")
        if not found:
            self._session._stop.set()
        return found


class _Told(Listener[Session]):
    """What a session tells goes on to a run, as if one of its boards had said it."""

    def __init__(self, run: Run, session: Any) -> None:
        self.kinds = Counter[str]()
        self._run, self._session = run, session

    def _put(self, kind: str, what: Any) -> None:
        self.kinds[kind] += 1
        self._run.fleet.events.put((self._session, kind, what))

    def heard(self, session: Session, message: list[Any]) -> None:
        self._put("heard", message)

    def text(self, session: Session, line: str) -> None:
        self._put("text", line)

    def missed(self, session: Session, count: int) -> None:
        self._put("missed", count)

    def rebooted(self, session: Session, boot: int) -> None:
        self._put("rebooted", boot)


def host(seed: int, count: int) -> Counter[str]:
    """So many lines of a board, or of a supervisor, reach a run of three boards; what was heard of them.

    Raises
    ------
    AssertionError
        Something was taken that cannot be.
    Exception
        A line has ended the run.
    """
    rng = random.Random(seed)
    run = Run(trace=True)
    run.learning.start()
    speaker = run.boards[1] if seed % 2 else run.supervisor
    boot, edges = speaker.boot, 3
    status = {"state": "run", "run": RUN_ID, "boot": boot, "reason": "", "t_us": 5, "tick_us": 900}
    said = [
        ["edges", 5, 1000, boot, 0, [ROW] * edges],
        [FIRINGS, 6, 0, [0, 1000, 0, 1, -1, 63], [2, 1500, 1, 0, 1, 65]],
        ["shown", 7, 1000, boot, 3, 0, 900],
        ["readings", 8, 1, 0, [[2000]]],
        ["ok", 4, status | {"edges": [ROW] * edges}],
        ["hello", 9, dict(speaker.hello)],
    ]
    told = _Told(run, speaker)
    session = Session(speaker.board, None, told)
    session.hello, session.boot = speaker.hello, boot
    highest = POTS[run.job.edge.pot].highest

    def some() -> Iterator[bytes]:
        made = lines(rng, said, [])
        for number in range(count):
            session._beat = 4
            yield next(made)
            run.learning.turn(0.0)
            run.fleet.go_on()
            tally = run.learning.tally
            assert tally.taps.min() >= -1 and tally.taps.max() <= highest
            assert min(map(min, tally.counters().values())) >= 0
            if number % 500 == 499:
                sample = run.learning.sample()
                json.dumps([sample.events, sample.trace], allow_nan=False)
                assert all(0 <= row[0] < 5 and -1 <= row[5] <= highest for row in sample.trace), sample.trace
                assert not np.isfinite(sample.outputs_V).any() or np.nanmax(np.abs(sample.outputs_V)) < 10

    session._port = _Port(session, some())  # type: ignore[assignment]
    session._read()
    return told.kinds


def board(seed: int, count: int) -> Counter[str]:
    """So many lines of a host reach an edge board, or a supervisor: how many it carried out and refused, its states.

    Raises
    ------
    AssertionError
        A wiper stands where it may not, or an answer is none.
    Exception
        A line has ended its program.
    """
    rng = random.Random(seed)
    rig = Rig(edges=2) if seed % 2 else Rig("supervisor")
    said = [
        *(["hello", 1], ["status", 2], ["hold", 3], ["report", 4, 100, 1], ["prepare", 5, RUN_ID]),
        *(["tap", 7, 0, 63], ["tap", 7, 1, 64], ["adopt", 8, 1], ["trim", 9, 0, []], ["measure", 10]),
        *(["edge", 11, i, armed(RUN_ID, 0, 100_000, 10_000, 0, 0, 0, 3, 4, i)] for i in range(2)),
        *(["lesson", 12, 1, RUN_ID, 1, 1, 0, 100_000, 9, 1, 2, 5], ["example", 13, 1, 0, [1, 2, 3]], ["teach", 14, 1]),
        *(["clamp", 15, 1], ["show", 16, [1, 2, 3]], ["match", 17, 0, 1], ["null", 18, 0], ["reset", 19]),
        ["run", 6, RUN_ID],
    ]
    cut, done = Lines(TO_BOARD), Counter[str]()
    arming = [each for each in said if each[0] in RUNS]
    made = lines(rng, said, arming)
    for _ in range(count):
        for line in cut.feed(next(made)):
            message = opened(line)
            if message:
                rig.port.incoming.append(message)
        while rig.port.incoming:
            rig.board.turn()
        rig.port.pump()
        for answer in rig.port.sent:
            seal(answer)
            done[answer[0]] += 1
        rig.port.sent.clear()
        done[rig.board.state] += 1
        for pot in getattr(rig, "pots", ()):
            assert all(2 <= wiper <= 127 for wiper in pot.wipers), pot.wipers
    return done
