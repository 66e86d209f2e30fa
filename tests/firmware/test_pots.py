"""Twin potentiometer drivers: their bytes and edges, read by simulated chips whose wipers are the truth."""

from fractions import Fraction
from math import ceil

import pytest
from clockfree.pots import UNKNOWN, Ad5222, Mcp42xx, PotError, PulsePots, X9cPots, lowest_tap
from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.potentiometers import Ad5220PairChip, Ad5222Chip, Mcp4xxxChip, X9c104PairChip
from hypothesis import given
from hypothesis import strategies as st


class Line:
    """SPI with a recorder on it, and a way to spoil what is sent."""

    def __init__(self, bus):
        self.bus = bus
        self.seen = []
        self.spoil_sent = {}  # index of byte: bits to flip
        self.spoil_answer = {}

    def pin(self, name, pin):
        def recorded(level=None):
            if level is not None:
                self.seen.append((name, level))
            return pin(level)

        return recorded

    def write_readinto(self, sent, received):
        self.seen.append(bytes(sent).hex(" "))
        sent = bytes(byte ^ self.spoil_sent.get(i, 0) for i, byte in enumerate(sent))
        self.bus.write_readinto(sent, received)
        for i, bits in self.spoil_answer.items():
            received[i] ^= bits


class Bench:
    """One edge's potentiometers: a driver on its chip."""

    def __init__(self, kind="mcp42xx", lowest=0, reverse=False):
        self.moves = []
        moved = lambda wiper, tap: self.moves.append((wiper, tap))  # noqa: E731
        if kind == "mcp42xx":
            self.bus = SpiBus()
            self.line = Line(self.bus)
            self.chip = Mcp4xxxChip(moved)
            cs = self.line.pin("cs", self.bus.attach(self.chip))
            self.pot = Mcp42xx(self.line, cs, lowest, reverse)
            self.mirror = 128
        else:
            chip, driver, self.mirror = {
                "ad5220": (Ad5220PairChip, PulsePots, 128),
                "ad5222": (Ad5222Chip, Ad5222, 128),
                "x9c": (X9c104PairChip, X9cPots, 99),
            }[kind]
            self.chip = chip(moved)
            self.line = Line(None)
            names = ["clk", "up_down", "cs"] + (["mode", "dacsel"] if kind == "ad5222" else [])
            pins = [self.line.pin(name, getattr(self.chip, name)) for name in names]
            self.pot = driver(*pins, lowest=lowest, reverse=reverse)
        self.reverse = reverse
        self.line.seen.clear()

    @property
    def taps(self):
        """Both taps as the circuit has them, counting resistance."""
        return [self.mirror - tap if self.reverse else tap for tap in self.chip.wipers]


PULSED = ["ad5220", "ad5222", "x9c"]
KINDS = ["mcp42xx", *PULSED]
edges = st.builds(Bench, kind=st.sampled_from(KINDS), lowest=st.integers(0, 30), reverse=st.booleans())
actions = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(-2, 130)),
        st.tuples(st.just("step"), st.sampled_from([1, -1])),
        st.tuples(st.just("adopt"), st.none()),
        st.tuples(st.just("check"), st.none()),
    ),
    max_size=12,
)


# -- what every driver promises ---------------------------------------------------------------------------------


@given(edges, actions)
def test_shadow_is_the_chip_through_any_sequence(bench, doing):
    """The tap is where both wipers are, or UNKNOWN; never outside lowest..highest."""
    pot = bench.pot
    for action, value in doing:
        before = pot.tap
        if action == "set":
            if pot.lowest <= value <= pot.highest:
                pot.set(value)
                assert pot.tap == value
            else:
                with pytest.raises(ValueError, match="outside"):
                    pot.set(value)
                assert pot.tap == before
        elif action == "step":
            if before == UNKNOWN:
                assert pot.step(value) is False
                assert pot.tap == UNKNOWN
            elif pot.lowest <= before + value <= pot.highest:
                assert pot.step(value) is True
                assert pot.tap == before + value
        elif action == "adopt" and before == UNKNOWN and isinstance(pot, Mcp42xx):
            pot.adopt()
            assert pot.tap == 64
        elif action == "adopt":
            pot.adopt()
            assert pot.tap == (before if isinstance(pot, Mcp42xx) else pot.highest)
        else:
            assert pot.check() is (before != UNKNOWN)
        if pot.tap != UNKNOWN:
            assert bench.taps == [pot.tap, pot.tap]
            assert pot.lowest <= pot.tap <= pot.highest


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reverse", [False, True])
def test_up_raises_resistance_whatever_the_wiring(kind, reverse):
    bench = Bench(kind, reverse=reverse)
    bench.pot.set(50)
    assert bench.pot.step(1)
    assert bench.taps == [51, 51]
    assert bench.pot.step(-1)
    assert bench.taps == [50, 50]


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_moves_each_wiper_once(kind):
    bench = Bench(kind)
    bench.pot.set(50)
    bench.moves.clear()
    bench.pot.step(1)
    assert bench.moves == [(0, 51), (1, 51)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reverse", [False, True])
def test_both_ends_of_the_range(kind, reverse):
    bench = Bench(kind, reverse=reverse)
    # On A-W wiring an AD522x, at its highest code of 127, is one tap above R_W.
    assert bench.pot.lowest == (1 if reverse and kind.startswith("ad") else 0)
    for tap in (bench.pot.lowest, bench.pot.highest):
        bench.pot.set(tap)
        assert bench.taps == [tap, tap]
        for outside in (bench.pot.lowest - 1, bench.pot.highest + 1):
            with pytest.raises(ValueError, match="outside"):
                bench.pot.set(outside)
        assert bench.pot.tap == tap


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lowest", [-1, 128])
def test_lowest_outside_the_pot_is_refused(kind, lowest):
    with pytest.raises(ValueError, match="outside"):
        Bench(kind, lowest=lowest)


@pytest.mark.parametrize(
    ("vdd_mv", "rab_ohm", "lowest"), [(3300, 100_000, 2), (5000, 100_000, 3), (3300, 10_000, 16), (5000, 10_000, 25)]
)
def test_lowest_tap_of_the_data_sheet(vdd_mv, rab_ohm, lowest):
    assert lowest_tap(vdd_mv, 75, rab_ohm) == lowest


@given(st.integers(1000, 5500), st.integers(0, 4000), st.integers(1000, 1_000_000))
def test_lowest_tap_is_the_first_that_limits_the_current(vdd_mv, wiper_ohm, rab_ohm):
    exact = ceil((Fraction(vdd_mv * 2, 5) - wiper_ohm) * 128 / rab_ohm)
    assert lowest_tap(vdd_mv, wiper_ohm, rab_ohm) == max(0, exact)


# -- MCP42xx ----------------------------------------------------------------------------------------------------


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


# -- pulse pots -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PULSED)
def test_step_is_one_pulse_with_the_clock_resting_low(kind):
    bench = Bench(kind)
    bench.pot.adopt()
    bench.line.seen.clear()
    bench.pot.step(-1)
    assert bench.line.seen == [("up_down", 0), ("cs", 0), ("clk", 1), ("clk", 0), ("cs", 1)]


@given(
    st.sampled_from(PULSED),
    st.booleans(),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(2, 30),
    st.integers(30, 99),
)
def test_homing_from_anywhere_leaves_both_wipers_equal(kind, reverse, free, clamped, lowest, tap):
    """And it never goes below where it found them, nor below lowest: R only grows on the way to the stop."""
    bench = Bench(kind, lowest, reverse)
    bench.chip.wipers[:] = [free, clamped]
    found = min(bench.taps)
    bench.pot.adopt()
    assert bench.taps == [bench.pot.highest, bench.pot.highest] == [bench.pot.tap] * 2
    bench.pot.set(tap)
    assert bench.taps == [tap, tap]
    passed = [bench.mirror - tap if reverse else tap for _, tap in bench.moves]
    assert min(passed, default=found) >= min(found, tap)


def test_wipers_of_an_ad5222_moved_together_keep_their_offset():
    """Why each must be homed alone: in MODE 0 the end stop of one holds the other."""
    bench = Bench("ad5222")
    bench.chip.wipers[:] = [100, 90]
    PulsePots._home(bench.pot)
    assert bench.chip.wipers == [127, 117]


def test_mode_of_an_ad5222_is_low_outside_homing():
    bench = Bench("ad5222")
    bench.pot.set(40)
    assert bench.chip.mode() == 0


@given(actions, st.booleans())
def test_x9c_never_stores(doing, reverse):
    bench = Bench("x9c", reverse=reverse)
    for action, value in doing:
        if action == "set" and bench.pot.lowest <= value <= bench.pot.highest:
            bench.pot.set(value)
        elif action == "step" and bench.pot.lowest <= bench.pot.tap + value <= bench.pot.highest:
            bench.pot.step(value)
        elif action == "adopt":
            bench.pot.adopt()
    assert bench.chip.stores == 0


@pytest.mark.parametrize(("clk", "cs"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_x9c_does_not_store_when_the_driver_starts(clk, cs):
    """Whatever levels the pins had."""
    chip = X9c104PairChip(lambda *move: None)
    chip.cs(cs)
    chip.clk(clk)
    X9cPots(chip.clk, chip.up_down, chip.cs)
    assert chip.stores == 0
    assert (chip.clk(), chip.cs()) == (0, 1)


@pytest.mark.parametrize("kind", PULSED)
def test_pulse_pots_know_no_tap_before_homing(kind):
    bench = Bench(kind)
    assert bench.pot.check() is False
    assert bench.pot.step(1) is False
    assert bench.moves == []


# -- a real MicroPython -----------------------------------------------------------------------------------------

SCRIPT = """
from clockfree.pots import UNKNOWN, Ad5222, Mcp42xx, PotError, PulsePots, X9cPots, lowest_tap

class Bus:  # answers as an MCP4231 with both wipers at `code`, or as an open line
    code = 64
    open = None
    def write_readinto(self, sent, received):
        print(" ".join("%02x" % byte for byte in sent))
        for i in range(len(sent)):
            received[i] = 0xFF
        if sent[0] == 0x0C:
            received[0] = received[2] = 0xFE
            received[1] = received[3] = self.code
        if sent[0] == 0x00:
            self.code = sent[1]
        if self.open is not None:
            for i in range(len(sent)):
                received[i] = self.open

def pin(name):
    return lambda level=None: print(name, level)

def attempt(what, *values):
    try:
        print(what(*values))
    except (PotError, ValueError) as error:
        print(type(error).__name__, error)

for reverse in (False, True):
    bus = Bus()
    pot = Mcp42xx(bus, pin("cs"), 3, reverse)
    for action in ((pot.step, 1), (pot.adopt,), (pot.step, 1), (pot.step, -1), (pot.set, 100), (pot.set, 2),
                   (pot.set, 128), (pot.check,)):
        attempt(*action)
        print(pot.tap)
    for bus.open in (0x00, 0xFF):
        pot.tap = 64
        for action in ((pot.step, 1), (pot.check,), (pot.adopt,), (pot.set, 64)):
            attempt(*action)
            print(pot.tap)
    lines = [pin(name) for name in ("clk", "up_down", "cs", "mode", "dacsel")]
    for kind, count in ((PulsePots, 3), (Ad5222, 5), (X9cPots, 3)):
        pot = kind(*lines[:count], lowest=3, reverse=reverse)
        for action in ((pot.check,), (pot.adopt,), (pot.step, -1), (pot.set, 60), (pot.set, 2)):
            attempt(*action)
            print(pot.tap)
print(lowest_tap(3300, 75, 100000), lowest_tap(5000, 75, 10000))
"""

UNDER_LOCK = """
import micropython
from clockfree.pots import Mcp42xx, PulsePots

class Bus:
    def write_readinto(self, sent, received):
        received[0] = received[1] = 0xFF

def pin(level=None):
    return 1

pots = (Mcp42xx(Bus(), pin), PulsePots(pin, pin, pin))
for pot in pots:
    pot.tap = 64
micropython.heap_lock()  # any allocation from here on raises MemoryError
for pot in pots:
    pot.step(1)
    pot.step(-1)
    pot.step(1)
micropython.heap_unlock()
print([pot.tap for pot in pots])
"""


def test_same_bytes_and_edges_on_a_real_micropython(vm, capsys):
    exec(SCRIPT, {})
    assert vm(SCRIPT, 20) == capsys.readouterr().out


def test_step_does_not_allocate_on_a_real_micropython(vm):
    assert vm(UNDER_LOCK, 20).strip() == "[65, 65]"
