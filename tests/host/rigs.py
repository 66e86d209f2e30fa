"""A run on boards in one thread: the boards' own code on the rig; the test says what comes between two questions."""

import queue
import time
from pathlib import Path

import numpy as np

from clockfree.bench.boards import BoardBench
from clockfree.learning.arming import Member, arm_edges, arm_supervisor
from clockfree.learning.diagnostics import Diagnostics
from clockfree.learning.learning import Learning
from clockfree.learning.measuring import Probe
from clockfree.learning.rejoining import Rejoining
from clockfree.link.benchfile import BenchFile, board_config, config_hash
from clockfree.link.handshake import NoAnswerError, RefusedError
from clockfree.link.quality import Quality
from clockfree_model.job import Job, Lesson
from clockfree_model.network import load
from clockfree_model.parts import POTS
from clockfree_model.settings import ClampSettings, EdgeSettings
from tests.firmware.rig import Rig

NETWORK = Path(__file__).resolve().parents[2] / "examples/networks/bridge.csv"
RUN_ID = 5
SERVED = (0, 1), (2, 3, 4)
"""The edges of each board."""


class RigSession:
    """What a Session is to those who ask, with a board on the rig at the other end."""

    def __init__(self, bench, board, rig):
        self.board, self.rig, self.name = board, rig, board.name
        config = board_config(bench, board)
        self._digest, self._edges = config_hash(config), config.get("edges", ())
        self.up = True
        self.heard_s = time.monotonic()
        self.teacher = None
        self.silent = False
        self.away_s = 0.0
        self.quality = Quality()
        self.asked = []
        self.meanwhile = {}  # what happens just before a command of this kind arrives, once
        self.put(rig)
        (self.hello,) = rig.ok("hello")
        self.boot = self.hello["boot"]

    @property
    def shown_s(self):
        """Heard of now, unless the test says that it is silent: time is the rig's, not the host's."""
        return 1e-9 if self.silent else time.monotonic()

    @shown_s.setter
    def shown_s(self, now_s):
        pass

    def put(self, rig):
        """Another board, or the same after a reset."""
        self.rig = rig
        rig.chip.unique_id, rig.board._digest = self.name, self._digest

    def ask(self, kind, *arguments, within_s=8.0):
        self.meanwhile.pop(kind, lambda: None)()
        self.asked.append(kind)
        if not self.up:
            raise NoAnswerError(f"{kind}: no answer: the board is away")
        reply = self.rig.ask(kind, *arguments)
        if kind == "hello" and self._edges:  # the rig's edges have names and limits of their own
            reply[2]["can"]["edges"] = [
                [edge["edge"], edge["front_end"], edge["pot"], *map(edge["pots"]["given"].get, ("lowest", "highest"))]
                for edge in self._edges
            ]
        if reply[0] == "no":
            raise RefusedError(f"{kind}: refused: {reply[2]}")
        return reply[2:]


class RigFleet:
    """What a Fleet is; but what is asked in a thread of its own is asked when the test lets it go on."""

    def __init__(self, sessions):
        self.sessions = sessions
        self.events = queue.SimpleQueue()
        self._apart = []

    def each(self, act, sessions=None):
        done, failed = {}, {}
        for session in self.sessions if sessions is None else sessions:
            try:
                done[session] = act(session)
            except (NoAnswerError, RefusedError) as error:
                failed[session] = str(error)
        return done, failed

    def begin(self, act, session):
        self._apart.append((act, session))

    def go_on(self):
        apart, self._apart = self._apart, []
        for act, session in apart:
            act(session)


class Run:
    """A run of two edge boards, with two edges and three, and a supervisor; everybody is armed."""

    def __init__(
        self,
        front_end="comparator",
        trace=False,
        strict=False,
        pot="mcp42xx",
        examples=1,
        clamp=ClampSettings(),
        **settings,
    ):
        network = load(str(NETWORK))
        lesson = Lesson("task", 0.0, np.array([[3.0, 0.2]] * examples), np.array([[1.5]] * examples))
        edge = EdgeSettings(rate_hz=10.0, front_end=front_end, pot=pot, **settings)
        self.job = job = Job(network, (0, 1), (2,), (lesson,), edge=edge, clamp=clamp, updates=100, trace=trace)
        boards = [{"edges": [{"edge": network.edge_name(edge)} for edge in served]} for served in SERVED]
        pins = ({"a": 4, "b": 5, "pot_cs": 17}, {"a": 6, "b": 7, "pot_cs": 20}, {"a": 8, "b": 9, "pot_cs": 21})
        for number, board in enumerate(boards):
            board["id"] = f"{number + 1:016x}"
            board["edges"] = [
                edge | {"pins": taken, "pot": pot} | ({"pot_address": 0x28 + place} if POTS[pot].bus == "i2c" else {})
                for place, (edge, taken) in enumerate(zip(board["edges"], pins, strict=False))
            ]
            board["i2c"] = {"sda": 12, "scl": 13}
        self.bench = bench = BenchFile.model_validate({"supervisor": {"id": "0" * 16}, "boards": boards})
        rigs = [Rig("supervisor"), *(Rig(edges=len(served), pot=pot) for served in SERVED)]
        made = [RigSession(bench, board, rig) for board, rig in zip(bench.every_board, rigs, strict=True)]
        self.fleet = RigFleet(made)
        served = [[], *map(list, SERVED)]
        self.members = [Member(session, own, session.boot) for session, own in zip(made, served, strict=True)]
        arm_supervisor(self.members[0], job, RUN_ID, 0)
        for member in self.members[1:]:
            arm_edges(member, job, RUN_ID, [64] * len(member.edges))
        self.said = []
        taps, limits = np.full(5, 64), np.tile([0, 127], (5, 1))
        complaints = Diagnostics(job, None, limits, strict)
        rejoining = Rejoining(job, bench, RUN_ID, (100, int(job.trace)), False)
        outputs_V = np.array([[2.0]] * examples)
        self.learning = Learning(
            self.fleet, self.members[0], self.members[1:], rejoining, outputs_V, taps, complaints, self.say
        )

        self.learning._due = lambda member: np.full(len(member.edges), 1e6)  # time is the rig's, not the host's

    def board_bench(self):
        """The bench of these boards, ready to run."""
        bench = BoardBench(self.bench, "rig.toml")
        bench._job, bench._observer, bench._run_id = self.job, self, RUN_ID
        bench._fleet, bench._supervisor, bench._boards = self.fleet, self.members[0], self.members[1:]
        bench._probe = Probe(self.job, self.fleet, self.members[0], self.members[1:])
        bench._taps = np.full(5, 64)
        return bench

    def say(self, text):
        """What a person reads."""
        self.said.append(text)

    @property
    def supervisor(self):
        return self.fleet.sessions[0]

    @property
    def boards(self):
        return self.fleet.sessions[1:]

    def tell(self, session, kind, what):
        """Something that a session tells, heard at once."""
        self.fleet.events.put((session, kind, what))
        self.learning.turn(0.0)

    def hear(self, session):
        """The status of a board, as its heartbeat has it."""
        self.tell(session, "heard", ["status", 1, session.rig.status()])

    def firings(self):
        """Firings of every edge, as the host has them."""
        return self.learning.tally.count("firings").tolist()

    def events(self):
        return [event["event"] for event in self.learning.sample().events]
