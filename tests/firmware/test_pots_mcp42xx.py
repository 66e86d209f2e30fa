"""The driver of the MCP42xx: its bytes, what it reads back, and what it does when nothing answers."""

import pytest

from clockfree_board.pots import UNKNOWN, Mcp42xx, PotError
from clockfree_sim.parts.potentiometers import Mcp4xxxChip
from tests.firmware.pots_bench import Bench


def test_step_is_two_bytes_in_one_chip_select():
    bench = Bench()
    bench.pot.adopt()
    bench.line.seen.clear()
    bench.pot.step(1)
    bench.pot.step(-1)
    assert bench.line.seen == [("cs", 0), "04 14", ("cs", 1), ("cs", 0), "08 18", ("cs", 1)]


def test_reversed_wiring_swaps_increment_and_decrement():
    bench = Bench(reverse=True)
    bench.pot.adopt()
    bench.line.seen.clear()
    bench.pot.step(1)
    bench.pot.step(-1)
    assert bench.line.seen == [("cs", 0), "08 18", ("cs", 1), ("cs", 0), "04 14", ("cs", 1)]


def test_set_writes_both_wipers_and_reads_them_back():
    bench = Bench()
    bench.pot.set(100)
    assert bench.line.seen == [("cs", 0), "00 64 10 64", ("cs", 1), ("cs", 0), "0c ff 1c ff", ("cs", 1)]


def test_adopt_reads_and_changes_nothing():
    """A reset of the controller does not disturb the chip: what was learnt is found again."""
    bench = Bench()
    bench.pot.set(37)
    bench.moves.clear()
    again = Mcp42xx(bench.line, bench.bus.attach(bench.chip))
    bench.line.seen.clear()
    again.adopt()
    assert again.tap == 37
    assert bench.line.seen == ["0c ff 1c ff"]
    assert bench.moves == []


@pytest.mark.parametrize("stuck", [0x00, 0xFF])
def test_open_spi_is_noticed(stuck):
    bench = Bench()
    bench.pot.adopt()
    bench.bus.miso_open = stuck
    assert bench.pot.check() is False
    assert bench.pot.tap == UNKNOWN
    with pytest.raises(PotError, match="answer"):
        bench.pot.adopt()
    with pytest.raises(PotError, match="answer"):
        bench.pot.set(64)
    assert bench.pot.tap == UNKNOWN


@pytest.mark.parametrize("stuck", [0x00, 0xFF])
@pytest.mark.parametrize("reverse", [False, True])
def test_open_spi_is_never_taken_for_a_tap(stuck, reverse):
    """000 and 1FF are what a line that nobody drives reads as."""
    bench = Bench(reverse=reverse)
    bench.bus.miso_open = stuck
    with pytest.raises(PotError, match="answer"):
        bench.pot.adopt()


def test_missing_chip_is_noticed():
    bench = Bench()
    bench.pot.adopt()
    bench.chip.present = False
    assert bench.pot.check() is False
    with pytest.raises(PotError):
        bench.pot.adopt()
    with pytest.raises(PotError):
        bench.pot.set(70)


def test_step_into_a_silent_line_loses_the_tap():
    bench = Bench()
    bench.pot.adopt()
    bench.bus.miso_open = 0x00
    assert bench.pot.step(1) is False
    assert bench.pot.tap == UNKNOWN
    bench.bus.miso_open = None
    assert bench.pot.step(1) is False  # not before it has been adopted again
    bench.pot.adopt()
    assert bench.pot.tap == 65  # the chip did hear the first one


@pytest.mark.parametrize(("at", "moved"), [(0, [64, 64]), (1, [65, 64])])
def test_command_spoiled_on_the_way_is_refused_and_noticed(at, moved):
    bench = Bench()
    bench.pot.adopt()
    bench.line.spoil_sent = {at: 0x20}  # a wiper that the chip does not have
    assert bench.pot.step(1) is False
    assert bench.pot.tap == UNKNOWN
    assert bench.chip.wipers == moved


def test_wipers_that_differ_are_no_tap():
    bench = Bench()
    bench.pot.adopt()
    bench.chip.wipers[1] = 63
    assert bench.pot.check() is False
    with pytest.raises(PotError, match="differ"):
        bench.pot.adopt()
    assert bench.pot.tap == UNKNOWN
    bench.pot.set(64)
    assert bench.taps == [64, 64]


@pytest.mark.parametrize("tap", [9, 128])
def test_tap_outside_the_range_is_not_adopted(tap):
    bench = Bench(lowest=10)
    bench.chip.wipers[:] = [tap, tap]
    with pytest.raises(PotError, match=r"outside 10\.\.127"):
        bench.pot.adopt()
    assert bench.pot.tap == UNKNOWN


def test_power_loss_is_noticed():
    bench = Bench()
    bench.pot.set(90)
    bench.chip.power_cycle()
    assert bench.pot.check() is False
    bench.pot.adopt()
    assert bench.pot.tap == 64


@pytest.mark.parametrize("at", [0, 1])
def test_step_needs_both_commands_understood(at):
    bench = Bench()
    bench.pot.adopt()
    bench.line.spoil_answer = {at: 0x02}
    assert bench.pot.step(1) is False
    assert bench.pot.tap == UNKNOWN


@pytest.mark.parametrize("at", [0, 2])
@pytest.mark.parametrize("action", ["adopt", "set"])
def test_read_and_write_need_both_commands_understood(at, action):
    bench = Bench()
    bench.pot.adopt()
    bench.line.spoil_answer = {at: 0x02}
    with pytest.raises(PotError, match="answer"):
        bench.pot.adopt() if action == "adopt" else bench.pot.set(70)
    assert bench.pot.tap == UNKNOWN


def test_write_that_is_not_kept_is_noticed():
    bench = Bench()
    for spoilt in ({1: 0x01}, {3: 0x01}, {1: 0x01, 3: 0x01}):  # data of the write; of the read it means nothing
        bench.line.spoil_sent = spoilt
        with pytest.raises(PotError):
            bench.pot.set(80)
        assert bench.pot.tap == UNKNOWN


def test_another_chip_on_the_bus_is_left_alone():
    bench = Bench()
    other = Mcp4xxxChip(lambda *move: None)
    bench.bus.attach(other)
    bench.pot.set(20)
    bench.pot.step(1)
    assert other.wipers == [64, 64]
    assert bench.bus.contentions == 0
