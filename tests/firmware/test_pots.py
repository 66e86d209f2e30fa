"""What every twin potentiometer driver promises, on simulated chips and on a real MicroPython."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_board.pots import UNKNOWN
from clockfree_model.parts import POTS
from tests.firmware.pots_bench import KINDS, Bench, actions, edges


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
        elif action == "adopt" and before == UNKNOWN and pot.reads_back:
            pot.adopt()
            assert pot.tap == bench.taps[0]
        elif action == "adopt":
            pot.adopt()
            assert pot.tap == (before if pot.reads_back else pot.highest)
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
    # On A-W wiring a chip whose wiper does not come to terminal A stays above R_W, an AD522x by one tap.
    assert bench.pot.lowest == (bench.part.steps - bench.part.top if reverse else 0)
    for tap in (bench.pot.lowest, bench.pot.highest):
        bench.pot.set(tap)
        assert bench.taps == [tap, tap]
        for outside in (bench.pot.lowest - 1, bench.pot.highest + 1):
            with pytest.raises(ValueError, match="outside"):
                bench.pot.set(outside)
        assert bench.pot.tap == tap


@pytest.mark.parametrize("kind", KINDS)
def test_lowest_outside_the_pot_is_refused(kind):
    for lowest in (-1, POTS[kind].highest + 1):
        with pytest.raises(ValueError, match="outside"):
            Bench(kind, lowest=lowest)


@pytest.mark.parametrize(
    ("supply_V", "rab_ohm", "lowest"), [(3.3, 100_000, 2), (5.0, 100_000, 3), (3.3, 10_000, 16), (5.0, 10_000, 25)]
)
def test_lowest_tap_of_the_data_sheet(supply_V, rab_ohm, lowest):
    assert POTS["mcp42xx"].lowest_tap(supply_V, 75, rab_ohm) == lowest


LINEAR = [part for part in POTS.values() if not part.least]


@given(st.sampled_from(LINEAR), st.integers(1000, 5500), st.integers(0, 4000), st.integers(1000, 1_000_000))
def test_lowest_tap_is_the_first_that_limits_the_current(pot, vdd_mv, wiper_ohm, rab_ohm):
    exact = ceil((Fraction(vdd_mv * 2, 5) - wiper_ohm) * pot.steps / rab_ohm)
    assert pot.lowest_tap(vdd_mv / 1000, wiper_ohm, rab_ohm) == max(0, exact)


SCRIPT = """
from clockfree_board.pots import UNKNOWN, Ad5222, Mcp42xx, PotError, PulsePots

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
    for kind, count, highest, steps in ((PulsePots, 3, 127, 128), (Ad5222, 5, 127, 128), (PulsePots, 3, 99, 99)):
        pot = kind(*lines[:count], lowest=3, reverse=reverse, highest=highest, steps=steps)
        for action in ((pot.check,), (pot.adopt,), (pot.step, -1), (pot.set, 60), (pot.set, 2)):
            attempt(*action)
            print(pot.tap)
"""

UNDER_LOCK = """
import micropython
from clockfree_board.pots import Mcp42xx, PulsePots

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
