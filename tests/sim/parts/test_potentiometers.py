"""Potentiometer chips against their data sheets: bytes and edges sent by hand, without a driver."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_sim.parts.bus import SpiBus
from clockfree_sim.parts.potentiometers import Ad5220PairChip, Ad5222Chip, Mcp4xxxChip, Mcp4131Chip, X9c104PairChip


class Spi:
    """A chip on its own bus; `frame` is one chip select."""

    def __init__(self, kind=Mcp4xxxChip):
        self.moves = []
        self.chip = kind(lambda wiper, tap: self.moves.append((wiper, tap)))
        self.bus = SpiBus()
        self.cs = self.bus.attach(self.chip)

    def frame(self, *pieces):
        self.cs(0)
        answers = []
        for piece in pieces:
            sent = bytes.fromhex(piece)
            answer = bytearray(len(sent))
            self.bus.write_readinto(sent, answer)
            answers.append(answer.hex(" "))
        self.cs(1)
        return answers[0] if len(answers) == 1 else answers


# -- MCP42xx, DS22060 tables 4-1 and 7-2 ------------------------------------------------------------------------


def test_power_on():
    spi = Spi()
    assert spi.chip.wipers == [64, 64]
    assert spi.frame("0c ff 1c ff") == "fe 40 fe 40"
    assert spi.frame("4c ff 5c ff") == "ff ff ff e0"
    assert spi.moves == []


@pytest.mark.parametrize(
    ("sent", "answer", "wipers", "moves"),
    [
        ("04", "ff", [65, 64], [(0, 65)]),
        ("14", "ff", [64, 65], [(1, 65)]),
        ("08", "ff", [63, 64], [(0, 63)]),
        ("18", "ff", [64, 63], [(1, 63)]),
        ("07 1b", "ff ff", [65, 63], [(0, 65), (1, 63)]),  # the data bits of the command byte mean nothing
        ("04 14", "ff ff", [65, 65], [(0, 65), (1, 65)]),
        ("08 18", "ff ff", [63, 63], [(0, 63), (1, 63)]),
        ("04 04 14", "ff ff ff", [66, 65], [(0, 65), (0, 66), (1, 65)]),
        ("00 7f 10 01", "ff ff ff ff", [127, 1], [(0, 127), (1, 1)]),
        ("00 40", "ff ff", [64, 64], []),  # written, but it is there already
        ("04 0c ff", "ff fe 41", [65, 64], [(0, 65)]),
        ("00 20 04 0c 00", "ff ff ff fe 21", [33, 64], [(0, 32), (0, 33)]),
    ],
)
def test_commands(sent, answer, wipers, moves):
    spi = Spi()
    assert spi.frame(sent) == answer
    assert (spi.chip.wipers, spi.moves) == (wipers, moves)


def test_bytes_of_a_frame_may_come_one_by_one():
    spi = Spi()
    assert spi.frame("00", "7f", "14", "0c", "ff") == ["ff", "ff", "ff", "fe", "7f"]
    assert spi.chip.wipers == [127, 65]


VALID = {0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x1C, 0x40, 0x4C, 0x5C}


@given(st.integers(0, 255))
def test_what_is_not_in_the_memory_map_is_refused(command):
    """CMDERR falls, and everything is answered by zeros and ignored until CS rises."""
    spi = Spi()
    answer = spi.frame(f"{command:02x} 00 04 14")
    if command & 0xFC in VALID:
        assert answer[:2] in ("ff", "fe")
    else:
        assert answer == "fc 00 00 00"
        assert spi.moves == []
    assert spi.frame("04 14") == "ff ff"  # CS has risen since


def test_command_cut_short_is_not_executed():
    spi = Spi()
    assert spi.frame("00") == "ff"
    assert spi.frame("55") == "fc"  # a command again, not the data of the one before
    assert spi.chip.wipers == [64, 64]


def test_wipers_stop_at_their_ends():
    spi = Spi()
    for _ in range(70):
        spi.frame("04 18")
    assert spi.chip.wipers == [128, 0]
    assert spi.moves[-1] == (1, 0)
    assert len(spi.moves) == 128  # no move is reported where there is none


@pytest.mark.parametrize("written", ["00 81", "01 ff"])
def test_codes_beyond_full_scale_sit_at_terminal_a_and_do_not_count(written):
    spi = Spi()
    spi.frame(written)
    assert spi.moves == [(0, 128)]
    spi.frame("04", "08")
    spi.frame("04 08 0c ff")
    assert spi.frame("0c ff")[-2:] == written[-2:]
    assert spi.moves == [(0, 128)]


def test_tcon_and_the_lost_supply():
    spi = Spi()
    spi.frame("40 0f 00 10")
    assert spi.frame("4c ff") == "fe 0f"
    spi.chip.power_cycle()
    assert spi.frame("4c ff 0c ff") == "ff ff fe 40"
    assert spi.moves == [(0, 16), (0, 64)]


def reference(frames):
    """What the wipers must be: the data sheet once more, written another way (8-bit strings, no shortcuts)."""
    wipers = [64, 64]
    for frame in frames:
        bytes_left = [f"{byte:08b}" for byte in frame]
        while bytes_left:
            byte = bytes_left.pop(0)
            wiper, command = int(byte[:4], 2), byte[4:6]
            if wiper < 2 and command in ("01", "10"):
                if wipers[wiper] <= 128:
                    wipers[wiper] = min(128, max(0, wipers[wiper] + (1 if command == "01" else -1)))
            elif wiper < 2 and command in ("00", "11"):
                if bytes_left and command == "00":
                    wipers[wiper] = int(byte[7] + bytes_left[0], 2)
                bytes_left[:1] = []
            elif (wiper, command) in ((4, "00"), (4, "11"), (5, "11")):
                bytes_left[:1] = []
            else:
                break
    return wipers


@given(st.lists(st.lists(st.sampled_from([*sorted(VALID), 0x55, 0x20, 0x01, 0x80]), max_size=6), max_size=6))
def test_any_frames_against_a_second_reading_of_the_data_sheet(frames):
    spi = Spi()
    for frame in frames:
        spi.frame(bytes(frame).hex())
    assert spi.chip.wipers == reference(frames)


def test_mcp4131_has_one_wiper_and_no_line_to_miso():
    spi = Spi(Mcp4131Chip)
    assert spi.frame("00 20") == "ff ff"
    assert spi.frame("0c ff") == "ff ff"
    assert spi.frame("10 20") == "ff ff"
    assert (spi.chip.wipers, spi.chip.eta) == ([32], 0.25)


# -- pulse pots -------------------------------------------------------------------------------------------------


def pulsed(kind, *wipers):
    moves = []
    chip = kind(lambda wiper, tap: moves.append((wiper, tap)))
    if wipers:
        chip.wipers[:] = wipers
    return chip, moves


def pulse(chip, direction, count=1):
    chip.up_down(1 if direction > 0 else 0)
    chip.cs(0)
    for _ in range(count):
        chip.clk(1)
        chip.clk(0)
    chip.cs(1)


@pytest.mark.parametrize("kind", [Ad5220PairChip, Ad5222Chip, X9c104PairChip])
def test_wipers_move_on_the_falling_edge_while_selected(kind):
    chip, moves = pulsed(kind, 50, 50)
    chip.up_down(1)
    chip.clk(1)
    chip.clk(0)
    assert moves == []  # CS high
    chip.cs(0)
    chip.clk(1)
    assert moves == []
    chip.clk(0)
    assert moves == [(0, 51), (1, 51)]
    chip.clk(0)
    assert len(moves) == 2  # no edge
    chip.up_down(0)
    chip.clk(1)
    chip.clk(0)
    assert moves[2:] == [(0, 50), (1, 50)]
    assert (chip.clk(), chip.up_down(), chip.cs()) == (0, 0, 0)


def test_ad5220_starts_at_mid_tap_and_its_counters_stop_by_themselves():
    chip, moves = pulsed(Ad5220PairChip)
    assert chip.wipers == [64, 64]
    chip.wipers[:] = [120, 60]
    pulse(chip, +1, 200)
    assert chip.wipers == [127, 127]
    pulse(chip, -1, 200)
    assert chip.wipers == [0, 0]
    assert len(moves) == 7 + 67 + 254


@given(st.integers(0, 127), st.integers(0, 127), st.lists(st.sampled_from([1, -1]), max_size=300))
def test_ad5222_keeps_the_offset_of_wipers_moved_together(free, clamped, directions):
    chip, _ = pulsed(Ad5222Chip, free, clamped)
    for direction in directions:
        pulse(chip, direction)
    assert chip.wipers[0] - chip.wipers[1] == free - clamped
    assert all(0 <= tap <= 127 for tap in chip.wipers)


def test_ad5222_moves_one_wiper_alone():
    chip, _ = pulsed(Ad5222Chip, 100, 20)
    chip.mode(1)
    chip.dacsel(1)
    pulse(chip, +1, 200)
    assert chip.wipers == [100, 127]
    chip.dacsel(0)
    pulse(chip, -1, 3)
    assert chip.wipers == [97, 127]
    assert (chip.mode(), chip.dacsel()) == (1, 0)


def test_x9c_stores_when_deselected_with_inc_high():
    chip, moves = pulsed(X9c104PairChip, 10, 20)
    chip.cs(0)
    chip.clk(1)
    chip.cs(1)
    assert (chip.stores, chip.stored) == (1, [10, 20])
    chip.cs(1)
    assert chip.stores == 1  # no edge
    pulse(chip, +1, 500)
    assert chip.wipers == [99, 99]
    assert chip.stores == 1  # INC was low
    moves.clear()
    chip.power_cycle()
    assert chip.wipers == [10, 20]
    assert moves == [(0, 10), (1, 20)]


@pytest.mark.parametrize("kind", [Ad5220PairChip, Ad5222Chip])
def test_pulse_pots_that_lose_their_supply_return_to_mid_tap(kind):
    chip, moves = pulsed(kind, 10, 64)
    chip.power_cycle()
    assert chip.wipers == [64, 64]
    assert moves == [(0, 64)]
