"""A board on the rig: real roles, edges and drivers on simulated chips, a port that is a list, time that one sets."""

import json

from clockfree.base import firmware
from clockfree_board import clock
from clockfree_board.board import Board
from clockfree_board.converters import Latch, Mcp320x, Mcp4131, Mcp4728
from clockfree_board.edge import Edge
from clockfree_board.link import ARMED, EDGE_ROW
from clockfree_board.role_edges import EdgeRole
from clockfree_board.role_supervisor import SupervisorRole
from clockfree_board.rule import SECOND
from clockfree_board.sense import ComparatorPins
from clockfree_board.supervisor import Supervisor
from clockfree_sim.parts.bus import I2cBus, SpiBus
from clockfree_sim.parts.converters import Mcp3208Chip, Mcp4728Chip
from clockfree_sim.parts.potentiometers import Mcp4131Chip
from tests.firmware import pots_bench


def armed(*values, order=SECOND):
    """What an edge is told before it runs, by its fields in order."""
    return dict(zip(ARMED, (*values, order), strict=True))


class RigChip:
    """hw.Chip without a chip: every look at the time takes `look_us`."""

    unique_id, boot, reset_cause, mpy = "0123456789abcdef", 77, "power", [6, 4, True]
    code = firmware.code()

    def __init__(self, start_us=0):
        self.t_us = start_us
        self.look_us = 0
        self.lit, self.pulses, self.fed, self.resets = [], 0, 0, 0
        self.armed = self.stood_down = False

    def now_us(self):
        self.t_us = clock.ticks_add(self.t_us, self.look_us)
        return self.t_us

    def sleep_us(self, wait_us):
        self.t_us = clock.ticks_add(self.t_us, wait_us)

    def led(self, level):
        self.lit.append(level)

    def pulse(self):
        self.pulses += 1

    def heap(self):
        return [1, 2]

    def collect(self, idle_us=None, count=0):
        pass

    def arm(self):
        self.armed = True

    def feed(self):
        self.fed += self.armed

    def stand_down(self):
        self.stood_down = True

    def reset(self):
        self.resets += 1


class RigPort:
    """A port that is two lists; listening passes the time. At most `room` messages wait to be sent."""

    def __init__(self, chip, room=100):
        self.chip, self.room = chip, room
        self.incoming, self.sent, self.waiting = [], [], []

    @property
    def busy(self):
        return bool(self.waiting)

    @property
    def told(self):
        return bool(self.incoming)

    def listen(self, wait_ms):
        if not self.incoming:
            self.chip.sleep_us(1000 * wait_ms)

    def hear(self):
        return False

    def message(self):
        return self.incoming.pop(0)

    def send(self, message):
        if len(self.waiting) >= self.room:
            return False
        self.waiting.append(message)
        return True

    def tell(self, pieces):
        return self.send(json.loads("".join(pieces) + "]"))

    def pump(self):
        """All that waits at once; to the board it is one step."""
        moved = bool(self.waiting)
        self.sent += self.waiting
        self.waiting = []
        return moved


class Rig:
    """A board, and a host that asks it. `bits` are what the comparators of every edge say."""

    def __init__(self, role="edge", edges=1, config=None, start_us=0, pot="mcp42xx"):
        self.chip = RigChip(start_us)
        self.pot = pot
        self.port = RigPort(self.chip)
        self.bits = [0, 1]
        self.id = 100
        made = self._edges(edges) if role == "edge" else self._supervisor() if role == "supervisor" else None
        self.role = made
        self.board = Board(self.chip, self.port, made, config or {}, "c0ffee", "no good" if made is None else "")

    def _edges(self, count):
        spi = SpiBus()
        made = [pots_bench.made(self.pot, spi, I2cBus(), lowest=2) for _ in range(count)]
        self.pots = [chip for _, chip in made]
        edges = []
        for driver, _ in made:
            if driver.reads_back:
                driver.adopt()
            sense = ComparatorPins(lambda: self.bits[0], lambda: self.bits[1])
            edges.append(Edge([0] * clock.SIZE, sense, driver, 0))
        wiring = [{"edge": f"A-{i}", "front_end": "comparator", "pot": self.pot} for i in range(count)]
        return EdgeRole(self.chip, edges, wiring)

    def _supervisor(self):
        i2c, spi = I2cBus(), SpiBus()
        self.dac = Mcp4728Chip(lambda volts: None, 4.096)
        i2c.attach(0x60, self.dac)
        mixers = [Mcp4131Chip(lambda wiper, tap: None) for _ in range(2)]
        self.codes = [100, 200]
        adc = Mcp3208Chip(lambda channel: self.codes[channel], [int] * 8)
        self.clamped = []
        supervisor = Supervisor(
            [0] * clock.SIZE,
            [Mcp4728(i2c, 0x60)],
            Latch(self.dac.ldac),
            [Mcp4131(spi, spi.attach(chip)) for chip in mixers],
            self.clamped.append,
            [Mcp320x(spi, spi.attach(adc))],
        )
        clock.seed(supervisor.clock, 0, 0, 0)
        return SupervisorRole(self.chip, supervisor)

    def ask(self, kind, *fields):
        """The reply to a command."""
        self.id += 1
        self.port.incoming.append([kind, self.id, *fields])
        for _ in range(1000):  # one whose edges are always due listens every 0.1 s
            self.board.turn()
            self.port.pump()
            found = [message for message in self.port.sent if message[:2] in (["ok", self.id], ["no", self.id])]
            if found:
                return found[0]
        raise AssertionError(f"no reply to {kind}")

    def ok(self, kind, *fields):
        """What a command is answered, which must not be refused."""
        reply = self.ask(kind, *fields)
        assert reply[0] == "ok", reply
        return reply[2:]

    def no(self, kind, *fields):
        """The reason for which a command is refused."""
        reply = self.ask(kind, *fields)
        assert reply[0] == "no" and len(reply) == 3, reply
        return reply[2]

    def learn(self, run_id=5, mean_us=100_000, kind=clock.EXPONENTIAL, late_us=10_000):
        """Set every edge up, and run."""
        self.ok("prepare", run_id)
        for i in range(len(self.role.edges)):
            self.ok("edge", i, armed(run_id, kind, mean_us, late_us, 0, 0, 0, 3, 4, i))
        self.ok("run", run_id)

    def turns(self, seconds):
        """Let the board go on for so long."""
        left_us = round(1e6 * seconds)
        while left_us > 0:
            before_us = self.chip.t_us
            self.board.turn()
            left_us -= clock.ticks_diff(self.chip.t_us, before_us)

    def told(self, kind):
        """Telemetry of a kind so far."""
        self.port.pump()
        return [message for message in self.port.sent if message[0] == kind]

    def status(self):
        return self.ok("status")[0]

    def row(self, edge=0):
        """What the status says of an edge, by name."""
        return dict(zip(EDGE_ROW, self.status()["edges"][edge], strict=True))
