"""Memory of firings on a real MicroPython: an edge that fires for a day takes nothing of the heap."""

import pytest

FIRINGS = 30_000
"""The waits are drawn, and steps, rails and bars met, as often as in some minutes of a run."""

SCRIPT = """
import gc
from clockfree_board import clock
from clockfree_board.converters import Mcp320x
from clockfree_board.edge import Edge
from clockfree_board.pots import Mcp42xx
from clockfree_board.sense import AdcDrops, ComparatorPins

class Bus:  # the pot understands everything, and the ADC reads bits of the edge's own random numbers
    def write_readinto(self, frame, answer):
        answer[0] = answer[1] = 0x02
        if len(answer) == 3:
            answer[2] = state[0] >> (frame[1] >> 5) & 255

def pin(level=None):
    return state[0] & 1

def other():
    return state[1] & 1

bus = Bus()
state = [0] * clock.SIZE
clock.seed(state, 3, 5, 0)
clock.configure(state, clock.EXPONENTIAL, {mean_us})
pots = Mcp42xx(bus, pin, 2)
pots.tap = 64
front_end = "{front_end}"
if front_end == "comparator":
    sense = ComparatorPins(pin, other)
else:
    sense = AdcDrops(Mcp320x(bus, pin))
    sense.keep_total({bar})
edge = Edge(state, sense, pots, 1000)
edge.start(0)

def taken(left):  # without an iterator, which would take some
    before = gc.mem_alloc()
    while left:
        edge.fire(edge.due_us)
        left -= 1
    return gc.mem_alloc() - before

gc.collect()
gc.disable()
taken(1)
print(taken({firings}), edge.firings, edge.up > 100, edge.down > 100, edge.errors)
"""


@pytest.mark.parametrize(("front_end", "bar"), [("comparator", 0), ("adc", 0), ("adc", 2000)])
def test_firings_allocate_nothing(vm, front_end, bar):
    mean_us = 100_000  # above 8,191 ticks: every wait takes a second draw
    said = vm(SCRIPT.format(front_end=front_end, bar=bar, mean_us=mean_us, firings=FIRINGS))
    assert said.split() == ["0", str(1 + FIRINGS), "True", "True", "0"]
