"""The driver of the MCP4661: its messages, and what it does when nothing acknowledges them."""

import errno

import pytest

from clockfree_board.pots import UNKNOWN, PotError
from clockfree_model.parts import POTS
from tests.firmware.pots_bench import Bench

AT = POTS["mcp4661"].address
READ_BOTH = [(AT, "0c", False), (AT, "-> 00 80", True), (AT, "1c", False), (AT, "-> 00 80", True)]


@pytest.fixture
def bench():
    return Bench("mcp4661")


@pytest.mark.parametrize(("reverse", "frames"), [(False, ("04 14", "08 18")), (True, ("08 18", "04 14"))])
def test_a_step_is_one_message_for_both_wipers(reverse, frames):
    bench = Bench("mcp4661", reverse=reverse)
    bench.pot.adopt()
    assert bench.i2c.seen == READ_BOTH
    bench.i2c.seen.clear()
    assert bench.pot.step(1) and bench.pot.step(-1)
    assert bench.i2c.seen == [(AT, frame, True) for frame in frames]


@pytest.mark.parametrize(
    ("reverse", "tap", "sent"),
    [(False, 200, "00 c8 10 c8"), (False, 255, "00 ff 10 ff"), (True, 0, "01 00 11 00"), (True, 255, "00 01 10 01")],
)
def test_a_code_has_nine_bits(reverse, tap, sent):
    bench = Bench("mcp4661", reverse=reverse)
    bench.pot.set(tap)
    assert bench.i2c.seen[0] == (AT, sent, True)
    assert bench.taps == [tap, tap]
    assert bench.chip.stores == 0  # the EEPROM would be worn out within a day


def test_a_chip_that_does_not_acknowledge_loses_the_tap(bench):
    bench.pot.adopt()
    bench.chip.present = False
    assert bench.pot.step(1) is False and bench.pot.tap == UNKNOWN
    for action in (bench.pot.adopt, lambda: bench.pot.set(70)):
        with pytest.raises(PotError, match="answer"):
            action()
    bench.chip.present = True
    assert bench.pot.step(1) is False  # not before it has been adopted again
    bench.pot.adopt()
    assert bench.pot.tap == 128


@pytest.mark.parametrize("raised", [True, False])
def test_a_message_that_breaks_off_after_the_first_wiper_loses_the_tap(bench, monkeypatch, raised):
    """Some ports raise, others say how many bytes were acknowledged."""
    bench.pot.adopt()

    def broken(address, sent, stop=True):
        bench.chip.write(bytes(sent)[:1])
        if raised:
            raise OSError(errno.EIO)
        return 1

    monkeypatch.setattr(bench.pot, "_send", broken)
    assert bench.pot.step(1) is False and bench.pot.tap == UNKNOWN
    with pytest.raises(PotError, match="answer"):
        bench.pot._write(b"\x00\x07\x10\x07")
    monkeypatch.undo()
    with pytest.raises(PotError, match="differ: 129 and 128"):
        bench.pot.adopt()


def test_power_loss_is_noticed(bench):
    bench.pot.set(90)
    bench.chip.power_cycle()
    assert bench.pot.check() is False
    bench.pot.adopt()
    assert bench.pot.tap == 128


@pytest.mark.parametrize(("supply_V", "rab_ohm", "lowest"), [(3.3, 100e3, 4), (5.0, 100e3, 5), (5.0, 10e3, 50)])
def test_the_lowest_tap_keeps_the_current_of_the_data_sheet(supply_V, rab_ohm, lowest):
    assert POTS["mcp4661"].lowest_tap(supply_V, 75.0, rab_ohm) == lowest
    current_A = [supply_V / (75.0 + tap * rab_ohm / 256) for tap in (lowest, lowest - 1)]
    assert current_A[0] <= 2.5e-3 < current_A[1]


SCRIPT = """
from clockfree_board.mcp46xx import Mcp46xx
from clockfree_board.pots import PotError

class Bus:
    code, named, away = 128, 0, False
    def writeto(self, address, sent, stop=True):
        print(address, " ".join("%02x" % byte for byte in sent), stop)
        if self.away:
            raise OSError(5)
        if sent[0] < 4:
            self.code = (sent[0] & 1) << 8 | sent[1]
        return len(sent)
    def readfrom_into(self, address, received, stop=True):
        received[0], received[1] = self.code >> 8, self.code & 0xFF

for reverse in (False, True):
    bus = Bus()
    pot = Mcp46xx(bus, 0x28, 4, reverse)
    pot.adopt()
    for tap in (255, 4, 200):
        pot.set(tap)
        print(pot.tap, pot.check(), pot.step(1 if tap < 255 else -1), pot.tap)
    bus.away = True
    print(pot.step(1), pot.tap)
    try:
        pot.set(9)
    except PotError as error:
        print(error, pot.tap)
"""

UNDER_LOCK = """
import micropython
from clockfree_board.mcp46xx import Mcp46xx

class Bus:
    def writeto(self, address, sent, stop=True):
        return 2
    def readfrom_into(self, address, received, stop=True):
        pass

pot = Mcp46xx(Bus(), 0x28)
pot.tap = 64
micropython.heap_lock()  # any allocation from here on raises MemoryError
pot.step(1)
pot.step(-1)
pot.step(1)
micropython.heap_unlock()
print(pot.tap)
"""


def test_same_messages_on_a_real_micropython(vm, capsys):
    exec(SCRIPT, {})
    assert vm(SCRIPT, 20) == capsys.readouterr().out


def test_a_step_does_not_allocate_on_a_real_micropython(vm):
    assert vm(UNDER_LOCK, 20) == "65\n"
