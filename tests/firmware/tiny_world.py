"""A bench small enough for MicroPython: the firmware on the lab's network, in plain Python for any interpreter.

Sixteen edges and a supervisor on the pins and buses of chips that know just the drivers' bytes; two sources, one
target, ideal twins. The same conductances stand in both twins, so the clamped twin is the free one plus what a current
into the target does: V_C = V_F + eta (V_D - V_F) z / z_target, with z the target's column of the inverse Z of the
conductance matrix. A step of one edge is a rank-1 change of Z (Sherman and Morrison). Floats are only added,
multiplied and divided, so that IEEE 754 says what every bit is.
"""

import binascii
import struct

from clockfree_board import clock
from clockfree_board.converters import Latch, Mcp320x, Mcp4131, Mcp4728
from clockfree_board.edge import Edge
from clockfree_board.pots import Mcp42xx
from clockfree_board.rule import FIRST
from clockfree_board.sense import AdcDrops, ComparatorPins
from clockfree_board.supervisor import Supervisor

NODES = "ABCDEFGHI"
EDGES = ("AB", "AE", "AG", "AH", "AI", "BE", "CE", "CD", "CF", "DF", "EF", "EG", "FG", "HG", "HI", "IG")
ENDS = tuple([(NODES.index(name[0]), NODES.index(name[1])) for name in EDGES])
SUPPLY_V = 5
RESOLVED_V = 1 / 1000000000  # divided: the last bit of a decimal literal may differ between interpreters


class Twins:
    """Node voltages of both twins, V, in lists that change in place; two nodes are sources, one is the target."""

    def __init__(self, sources, target):
        self.free = [0.0] * len(NODES)
        self.clamped = [0.0] * len(NODES)
        self.eta = 0.0
        self.switch = 0
        self.desired_V = 0.0
        self.target = target
        self._sources = sources
        self._taps = [64] * len(EDGES)
        self._inner = [node for node in range(len(NODES)) if node not in sources]
        self._z = self._inverse()

    def drive(self, volts):
        """The supervisor's outputs: two sources, desired voltage."""
        for node, source_V in zip(self._sources, volts):
            self.free[node] = self.clamped[node] = source_V
        self.desired_V = volts[2]
        current = [0.0] * len(NODES)
        for (tail, head), tap in zip(ENDS, self._taps):
            g = conductance(tap)
            for node, other in ((tail, head), (head, tail)):
                if other in self._sources:
                    current[node] += g * self.free[other]
        for i in self._inner:
            free_V = 0.0
            for j in self._inner:  # sum() compensates its rounding on newer CPythons
                free_V += self._z[i][j] * current[j]
            self.free[i] = free_V
        self.clamp()

    def move(self, edge, tap):
        """Both wipers of an edge are at this tap now."""
        change = conductance(tap) - conductance(self._taps[edge])
        self._taps[edge] = tap
        tail, head = ENDS[edge]
        inner, z, free = self._inner, self._z, self.free
        column = [row[tail] - row[head] for row in z]
        part = change / (1 + change * (column[tail] - column[head]))
        drop = free[tail] - free[head]
        for i in inner:
            share = part * column[i]
            free[i] -= share * drop
            row = z[i]
            for j in inner:
                row[j] -= share * column[j]
        self.clamp()

    def clamp(self):
        """The clamped twin from the free one."""
        z, target = self._z, self.target
        free, clamped = self.free, self.clamped
        nudge = self.switch * self.eta * (self.desired_V - free[target]) / z[target][target]
        for i in self._inner:
            clamped[i] = free[i] + nudge * z[i][target]

    def _inverse(self):
        """Z from the taps, by Gauss and Jordan; zeros for the sources."""
        inner, size = self._inner, len(NODES)
        rows = [[0.0] * (2 * size) for _ in range(size)]
        for (tail, head), tap in zip(ENDS, self._taps):
            g = conductance(tap)
            for node, other in ((tail, head), (head, tail)):
                rows[node][node] += g
                rows[node][other] -= g
        for i in inner:
            rows[i][size + i] = 1.0
        for i in inner:  # positive definite: no pivoting
            pivot = 1 / rows[i][i]
            row = rows[i] = [value * pivot for value in rows[i]]
            for j in inner:
                factor = rows[j][i]
                if j != i and factor:
                    rows[j] = [value - factor * other for value, other in zip(rows[j], row)]
        return [[rows[i][size + j] if i in inner and j in inner else 0.0 for j in range(size)] for i in range(size)]


def conductance(tap):
    """Of an ideal 100 kohm potentiometer, S."""
    return 128 / ((tap + 1) * 100000)


class Pot:
    """MCP4231 on a bus of its own: the commands of the driver, and no others."""

    def __init__(self, on_tap):
        self._wipers = [64, 64]
        self._on_tap = on_tap
        self._selected = False

    def cs(self, level):
        self._selected = not level

    def write_readinto(self, sent, answer):
        assert self._selected
        wipers = self._wipers
        i = 0
        while i < len(sent):
            command = sent[i] & 0x0C
            wiper = sent[i] >> 4
            answer[i] = 0xFF
            if command == 0x04:
                wipers[wiper] += 1
            elif command == 0x08:
                wipers[wiper] -= 1
            elif command == 0x0C:
                answer[i] = 0xFE | wipers[wiper] >> 8
                i += 1
                answer[i] = wipers[wiper] & 0xFF
            else:
                i += 1
                answer[i] = 0xFF
                wipers[wiper] = sent[i]
            i += 1
        if command != 0x0C:
            assert wipers[0] == wipers[1]
            self._on_tap(wipers[1])


class Comparators:
    """Two comparators without offset; `closest` is how near a difference of drops has come to what they resolve, V."""

    def __init__(self, twins, tail, head, order):
        self._free = twins.free
        self._clamped = twins.clamped
        self._ends = (tail, head)
        self._order = order
        self.closest = 1.0

    def a(self):
        tail, head = self._ends
        return self._over((self._clamped[tail] - self._clamped[head]) - (self._free[tail] - self._free[head]))

    def b(self):
        tail, head = self._ends
        free = self._free[tail] - self._free[head]
        return self._over(free if self._order == FIRST else self._clamped[tail] - self._clamped[head] + free)

    def _over(self, volts):
        beyond = volts - RESOLVED_V
        if abs(beyond) < self.closest:
            self.closest = abs(beyond)
        return 1 if beyond >= 0 else 0


class Adc:
    """MCP3204 or MCP3208 on a bus of its own, perfect; `closest` is how near a voltage has come to another code, codes.

    An input is a list of voltages and an index.
    """

    def __init__(self, inputs):
        self._inputs = inputs
        self._selected = False
        self.closest = 1.0

    def cs(self, level):
        self._selected = not level

    def write_readinto(self, sent, answer):
        assert self._selected and sent[0] & 0xFE == 0x06
        volts, node = self._inputs[(sent[0] & 1) << 2 | sent[1] >> 6]
        level = volts[node] * 4096 / SUPPLY_V + 0.5
        code = int(level)
        self.closest = min(self.closest, level - code, code + 1 - level)
        code = min(code, 4095)
        answer[0] = 0xFF
        answer[1] = 0xE0 | code >> 8
        answer[2] = code & 0xFF


class Outputs:
    """MCP4728, MCP4131 and analog switch of the supervisor: sources and clamp of the twins."""

    def __init__(self, twins):
        self._twins = twins
        self._codes = [0] * 3

    def writeto(self, address, frame):
        for at in range(0, len(frame), 3):
            channel = frame[at] >> 1 & 3
            assert frame[at] == 0x41 | channel << 1
            self._codes[channel] = (frame[at + 1] & 0x0F) << 8 | frame[at + 2]

    def ldac(self, level):
        if not level:
            self._twins.drive([code * SUPPLY_V / 4096 for code in self._codes])

    def write(self, sent):
        assert sent[0] == 0x00
        self._twins.eta = sent[1] / 128
        self._twins.clamp()

    def cs(self, level):
        pass

    def switch(self, level):
        self._twins.switch = level
        self._twins.clamp()


class TinyWorld:
    """Sixteen edges, each with its own clock, potentiometer and front end, and a supervisor.

    `seed` has 60 bits, `kind` and `mean_us` are of the clocks, `front_end` is 'comparator' or 'adc', `order_of_rule`
    that of `rule`; examples are DAC codes of the two sources and the desired voltage, eta is in 128ths;
    with a refresh the clamp is an overclamp that is `asked` for these values.
    """

    def __init__(
        self, seed, kind, mean_us, front_end, order_of_rule, floor_c16, dither_c16, bar_c16, start_taps,
        sources, target, examples, eta_128, order, dwell_us, refresh_us=0, asked=(),
    ):  # fmt: skip
        self._seed = seed
        self.twins = twins = Twins(sources, target)
        self.edges = []
        self.looks = []
        for i, (tail, head) in enumerate(ENDS):
            pot = Pot(lambda tap, i=i: twins.move(i, tap))
            pots = Mcp42xx(pot, pot.cs)
            pots.adopt()
            if start_taps[i] != pots.tap:
                pots.set(start_taps[i])
            if front_end == "adc":
                look = Adc(((twins.free, tail), (twins.free, head), (twins.clamped, tail), (twins.clamped, head)))
                sense = AdcDrops(Mcp320x(look, look.cs, 4))
                sense.keep_total(bar_c16)
                sense.order = order_of_rule
            else:
                look = Comparators(twins, tail, head, order_of_rule)
                sense = ComparatorPins(look.a, look.b)
            self.looks.append(look)
            state = self._generator(i)
            clock.configure(state, kind, mean_us)
            self.edges.append(Edge(state, sense, pots, mean_us // 10, floor_c16, dither_c16))
        out = Outputs(twins)
        adc = Adc(((twins.free, target),))
        self.supervisor = Supervisor(
            self._generator(len(EDGES)),
            [Mcp4728(out)],
            Latch(out.ldac),
            [Mcp4131(out, out.cs)],
            out.switch,
            [Mcp320x(adc, adc.cs)],
        )
        if refresh_us:
            self.supervisor.overclamp(asked, refresh_us)
        else:
            self.supervisor.nudge(eta_128)
        self.supervisor.load(examples, 1, order, dwell_us)
        self.supervisor.clamp(True)

    def _generator(self, index):
        state = [0] * clock.SIZE
        clock.seed(state, self._seed & clock.MASK, (self._seed >> 30) & clock.MASK, index)
        return state

    def firings(self, count):
        """Learn: yields a row of the trace, edge, t_us, a, b, step, tap_after, for each firing.

        What is due first comes first; at the same microsecond the lower edge, and the supervisor last.
        """
        ticks_diff = clock.ticks_diff
        edges = self.edges
        due_us = [edge.start(0) for edge in edges]
        tick_us = self.supervisor.start(0)
        while count:
            first = 0
            for i in range(1, len(edges)):
                if ticks_diff(due_us[i], due_us[first]) < 0:
                    first = i
            now_us = due_us[first]
            if ticks_diff(tick_us, now_us) < 0:
                tick_us = self.supervisor.tick(tick_us)
                continue
            edge = edges[first]
            due_us[first] = edge.fire(now_us)
            yield first, now_us, edge.sense.a, edge.sense.b, edge.step, edge.pots.tap
            count -= 1

    def closest(self):
        """How near any reading of an edge has come to being another one: V (comparators) or codes (ADC)."""
        return min([look.closest for look in self.looks])

    def end(self):
        """How it ends: what the supervisor has read, and every bit of all node voltages, in hexadecimal."""
        volts = self.twins.free + self.twins.clamped
        bits = struct.pack(f"<{len(volts)}d", *volts)
        return f"{self.supervisor.readings} {binascii.hexlify(bits).decode()}"
