"""The driver of the MCP42xx with 257 taps: nine bits of a code, on CPython and on a real MicroPython."""

import pytest

from clockfree_board.pots import PotError
from clockfree_model.parts import POTS
from tests.firmware.pots_bench import Bench

PART = POTS["mcp4251"]


@pytest.mark.parametrize(("tap", "sent"), [(0, "00 00 10 00"), (200, "00 c8 10 c8"), (255, "00 ff 10 ff")])
def test_a_code_goes_out_as_it_is(tap, sent):
    bench = Bench("mcp4251")
    bench.pot.set(tap)
    assert bench.line.seen[1] == sent
    assert bench.chip.wipers == [tap, tap]


@pytest.mark.parametrize(("tap", "sent"), [(0, "01 00 11 00"), (1, "00 ff 10 ff"), (255, "00 01 10 01")])
def test_reversed_the_lowest_tap_is_full_scale(tap, sent):
    """On A-W wiring tap 0 is code 100h: its ninth bit stands in the command byte."""
    bench = Bench("mcp4251", reverse=True)
    bench.pot.set(tap)
    assert bench.line.seen[1] == sent
    assert bench.taps == [tap, tap]
    bench.pot.step(1)
    assert bench.taps == [tap + 1, tap + 1]


def test_full_scale_is_no_tap_of_an_edge_and_an_open_line_none_at_all():
    bench = Bench("mcp4251")
    bench.chip.wipers[:] = [256, 256]
    with pytest.raises(PotError, match=r"tap 256, outside 0\.\.255"):
        bench.pot.adopt()
    bench.bus.miso_open = 0xFF  # reads 1FFh
    with pytest.raises(PotError, match="answer"):
        bench.pot.adopt()


@pytest.mark.parametrize(("supply_V", "rab_ohm", "lowest"), [(3.3, 100e3, 4), (5.0, 100e3, 5), (3.3, 10e3, 32)])
def test_the_lowest_tap_keeps_the_current_of_the_data_sheet(supply_V, rab_ohm, lowest):
    """2.5 mA through a terminal at most: with half of the steps (128) this would be 3.85 mA at 100 kohm."""
    assert PART.lowest_tap(supply_V, 75.0, rab_ohm) == lowest
    current_A = [supply_V / (75.0 + tap * rab_ohm / 256) for tap in (lowest, lowest - 1)]
    assert current_A[0] <= 2.5e-3 < current_A[1]


SCRIPT = """
from clockfree_board.pots import Mcp42xx

class Bus:
    code = 128
    def write_readinto(self, sent, received):
        print(" ".join("%02x" % byte for byte in sent))
        for i in range(len(sent)):
            received[i] = 0xFF
        if sent[0] == 0x0C:
            received[0] = received[2] = 0xFE | self.code >> 8
            received[1] = received[3] = self.code & 0xFF
        if sent[0] < 4:
            self.code = (sent[0] & 1) << 8 | sent[1]

for reverse in (False, True):
    pot = Mcp42xx(Bus(), lambda level: None, 4, reverse, 255, 256)
    pot.adopt()
    for tap in (255, 4, 200):
        pot.set(tap)
        print(pot.tap, pot.check(), pot.step(-1), pot.tap)
"""


def test_same_bytes_on_a_real_micropython(vm, capsys):
    exec(SCRIPT, {})
    assert vm(SCRIPT, 20) == capsys.readouterr().out
