"""A test bed for front ends: boards that see voltages of the test's choice."""

import numpy as np

from clockfree_board.sense import AGAIN
from clockfree_model.job import Job, Lesson
from clockfree_model.network import Network
from clockfree_model.physics import IDEAL
from clockfree_model.settings import EdgeSettings
from clockfree_sim.plant.plant import Plant
from clockfree_sim.plant.timeline import Timeline
from clockfree_sim.plant.wiring import SimulatedEdge


class Bed(Plant):
    """Boards of side x side edges, each between one of `side` tails and one of `side` heads, whose volts are chosen."""

    def __init__(self, front_end, side=1, seed=0, physics=IDEAL, **settings):
        ends = [(tail, side + head) for tail in range(side) for head in range(side)]
        network = Network("bed", tuple(map(str, range(2 * side))), np.array(ends), np.zeros((2 * side, 2)))
        lesson = Lesson("unused", 0.0, np.zeros((1, 1)), np.zeros((1, 1)))
        edge = EdgeSettings(front_end=front_end, **settings)
        super().__init__(
            Job(network, (0,), (1,), (lesson,), edge=edge, physics=physics, seed=seed), Timeline(len(ends))
        )
        self.side = side
        self.put(0.0, 0.0)
        self.boards = [SimulatedEdge(self, i) for i in range(len(ends))]

    def put(self, free, clamped, head=2.0):
        """Choose the free and the clamped drop, and the voltage of the heads, V."""
        self.volts = [[head + free, head], [head + clamped, head]]

    def drops(self, edge):
        return lambda: tuple(tail - head for tail, head in self.volts)

    def node(self, node, twin):
        return lambda: self.volts[twin][node >= self.side]

    def looks(self, gate=0):
        """The step that each edge asks for now."""
        return np.array([self.look(board, gate) for board in self.boards])

    def look(self, board, gate=0):
        while (step := board.sense.look(gate)) == AGAIN:
            self.time.advance(self.time.now_us + board.sense.settle_us)
        return step

    def thresholds(self, bit, base):
        """What must be added to the clamped drop `base` for each edge's comparator to read 1, V."""
        low, high = np.full(len(self.boards), -0.2), np.full(len(self.boards), 0.2)
        for _ in range(30):
            middle = (low + high) / 2
            for i, board in enumerate(self.boards):
                self.put(1.0, base + middle[i])
                self.look(board)
                read = getattr(board.sense, bit)
                low[i], high[i] = (low[i], middle[i]) if read else (middle[i], high[i])
        return high

    def measured(self, reads=1):
        """The drops that each edge with an ADC reads, V: (reads, edges, 2)."""
        rows = []
        for _ in range(reads):
            self.looks()
            rows.append([(board.sense.a, board.sense.b) for board in self.boards])
        return np.array(rows) * self.physics.supply_V / 65536
