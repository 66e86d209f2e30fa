"""Buses: who hears, who drives, and what nobody drives."""

import errno

import pytest

from clockfree_sim.parts.bus import I2cBus, SpiBus


class Echo:
    """Answers with one byte, and keeps what it heard."""

    def __init__(self, answer):
        self.present = True
        self.answer = answer
        self.heard = b""
        self.releases = 0

    def transfer(self, sent):
        assert type(sent) is bytes  # chips look frames up by their bytes
        self.heard += sent
        return bytes((self.answer,)) * len(sent)

    def release(self):
        self.releases += 1

    def write(self, data):
        self.heard += data

    def read(self, count):
        return bytes((self.answer,)) * count


def test_selected_chip_hears_and_answers():
    bus, chip, other = SpiBus(), Echo(0xA5), Echo(0x5A)
    cs = bus.attach(chip)
    bus.attach(other)
    assert cs() == 1
    cs(0)
    assert cs() == 0
    received = bytearray(2)
    bus.write_readinto(b"\x01\x02", received)
    assert received == b"\xa5\xa5"
    bus.write(b"\x03")
    assert bus.read(2, 0x04) == b"\xa5\xa5"
    bus.readinto(received, 0x05)
    cs(1)
    cs(1)
    assert chip.heard == b"\x01\x02\x03\x04\x04\x05\x05"
    assert chip.releases == 1
    assert other.heard == b""


@pytest.mark.parametrize("buffer", [bytearray(b"\x01\x02"), memoryview(b"\x01\x02")])
def test_any_buffer_can_be_sent(buffer):
    bus, chip = SpiBus(), Echo(0xA5)
    bus.attach(chip)(0)
    bus.write_readinto(buffer, bytearray(2))
    bus.write(buffer)
    assert chip.heard == b"\x01\x02\x01\x02"


def test_buffers_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="length"):
        SpiBus().write_readinto(b"\x01", bytearray(2))


def test_nobody_drives_miso():
    bus = SpiBus()
    cs = bus.attach(Echo(0x00))
    assert bus.read(3) == b"\xff\xff\xff"
    cs(0)
    cs(1)
    assert bus.read(1) == b"\xff"


def test_unplugged_chip_neither_hears_nor_drives():
    bus, chip = SpiBus(), Echo(0x00)
    cs = bus.attach(chip)
    chip.present = False
    cs(0)
    assert bus.read(1) == b"\xff"
    cs(1)
    assert (chip.heard, chip.releases) == (b"", 0)


def test_two_selected_chips_contend():
    bus, first, second = SpiBus(), Echo(0xF0), Echo(0xCC)
    bus.attach(first)(0)
    cs = bus.attach(second)
    cs(0)
    assert bus.read(1, 0x07) == b"\xc0"
    assert (first.heard, second.heard, bus.contentions) == (b"\x07", b"\x07", 1)
    cs(1)
    assert bus.read(1) == b"\xf0"
    assert bus.contentions == 1


@pytest.mark.parametrize("level", [0x00, 0xFF])
def test_broken_miso(level):
    bus, chip = SpiBus(), Echo(0xA5)
    bus.attach(chip)(0)
    bus.miso_open = level
    received = bytearray(2)
    bus.write_readinto(b"\x01\x02", received)
    assert received == bytes((level, level))
    assert chip.heard == b"\x01\x02"
    bus.miso_open = None
    assert bus.read(1) == b"\xa5"


def test_i2c_reaches_the_addressed_chip():
    bus, chip = I2cBus(), Echo(0x11)
    bus.attach(0x60, chip)
    assert bus.scan() == [0x60]
    assert bus.writeto(0x60, bytearray(b"\x01\x02")) == 2
    assert chip.heard == b"\x01\x02"
    assert bus.readfrom(0x60, 2) == b"\x11\x11"
    received = bytearray(3)
    bus.readfrom_into(0x60, received)
    assert received == b"\x11\x11\x11"


def test_i2c_address_that_nobody_has():
    bus, chip = I2cBus(), Echo(0x11)
    bus.attach(0x60, chip)
    chip.present = False
    for address in (0x60, 0x61):
        for use in (
            lambda address=address: bus.writeto(address, b"\x00"),
            lambda address=address: bus.readfrom(address, 1),
            lambda address=address: bus.readfrom_into(address, bytearray(1)),
        ):
            with pytest.raises(OSError) as error:
                use()
            assert error.value.errno == errno.ENODEV
    assert bus.scan() == []


def test_i2c_address_can_be_taken_once():
    bus = I2cBus()
    bus.attach(0x60, Echo(0))
    with pytest.raises(ValueError, match="0x60 is taken"):
        bus.attach(0x60, Echo(0))
