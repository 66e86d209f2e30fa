"""The MCP4661 against DS22107: table 4-1, and sections 7.3 to 7.7, by messages sent by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clockfree_sim.parts.bus import I2cBus
from clockfree_sim.parts.mcp46xx import Mcp4661Chip

AT = 0x28


class Wired:
    """A chip on its own bus."""

    def __init__(self):
        self.moves = []
        self.chip = Mcp4661Chip(lambda wiper, tap: self.moves.append((wiper, tap)))
        self.bus = I2cBus()
        self.bus.attach(AT, self.chip)

    def send(self, data):
        return self.bus.writeto(AT, bytes.fromhex(data))

    def ask(self, command, count=2):
        self.bus.writeto(AT, bytes.fromhex(command), False)
        return self.bus.readfrom(AT, count).hex(" ")


def test_power_on_is_mid_scale_or_what_is_stored():
    wired = Wired()
    assert (wired.ask("0c"), wired.ask("1c"), wired.moves) == ("00 80", "00 80", [])
    wired.send("00 07 10 09")
    wired.chip.power_cycle()
    assert (wired.chip.wipers, wired.chip.stores) == ([128, 128], 0)
    wired.send("20 11")  # to EEPROM: the wiper stays where it is until the next power-on
    assert (wired.chip.wipers, wired.chip.stores, wired.ask("2c")) == ([128, 128], 1, "00 11")
    wired.chip.power_cycle()
    assert wired.chip.wipers == [0x11, 128]


@pytest.mark.parametrize(
    ("sent", "wipers", "moves"),
    [
        ("04 14", [129, 129], [(0, 129), (1, 129)]),
        ("08 18", [127, 127], [(0, 127), (1, 127)]),
        ("07 1b", [129, 127], [(0, 129), (1, 127)]),  # the data bits of these command bytes mean nothing
        ("00 ff 04 14", [256, 129], [(0, 255), (0, 256), (1, 129)]),
        ("01 00 04 11 00", [256, 256], [(0, 256), (1, 256)]),
        ("00 00 08", [0, 128], [(0, 0)]),
        ("04 00", [129, 128], [(0, 129)]),  # a write that is cut short
    ],
)
def test_a_message_of_several_commands(sent, wipers, moves):
    wired = Wired()
    assert wired.send(sent) == len(bytes.fromhex(sent))
    assert (wired.chip.wipers, wired.moves) == (wipers, moves)


def test_a_read_is_of_the_address_last_named():
    wired = Wired()
    wired.send("01 00 10 07")
    assert wired.ask("0c") == "01 00"
    assert wired.bus.readfrom(AT, 4).hex(" ") == "01 00 01 00"
    assert (wired.ask("1c"), wired.ask("4c"), wired.ask("5c")) == ("00 07", "01 ff", "01 e0")
    wired.send("40 0f")
    assert wired.ask("4c") == "00 0f"


@given(st.integers(2, 15), st.sampled_from([4, 8]))
def test_only_volatile_wipers_are_stepped(address, command):
    wired = Wired()
    with pytest.raises(OSError, match="acknowledged"):
        wired.send(f"04 {address << 4 | command:02x} 14")
    assert wired.chip.wipers == [129, 128]  # what came before was executed, what came after was not heard


def test_nobody_acknowledges_for_a_chip_that_is_not_there():
    wired = Wired()
    wired.chip.present = False
    with pytest.raises(OSError, match="no device"):
        wired.send("04")


@given(
    st.lists(st.tuples(st.sampled_from(["set", "up", "down"]), st.integers(0, 1), st.integers(0, 0x1FF)), max_size=8)
)
def test_any_message_against_a_second_reading_of_the_data_sheet(commands):
    wired, wipers, data = Wired(), [128, 128], b""
    for command, wiper, value in commands:
        if command == "set":
            data += bytes((wiper << 4 | value >> 8, value & 0xFF))
            wipers[wiper] = value
        else:
            data += bytes((wiper << 4 | (4 if command == "up" else 8),))
            if wipers[wiper] <= 256:
                wipers[wiper] = min(256, max(0, wipers[wiper] + (1 if command == "up" else -1)))
    wired.bus.writeto(AT, data)
    assert wired.chip.wipers == wipers
