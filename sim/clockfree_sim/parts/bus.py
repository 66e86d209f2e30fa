"""SPI and I2C as a driver meets them: the machine module's methods on one side, chips on the other."""

import errno
from collections.abc import Callable
from functools import reduce
from operator import and_
from typing import Protocol

Pin = Callable[..., int | None]
"""Called with 0 or 1 it sets a level, with nothing it reads it, as a machine.Pin does."""


class SpiChip(Protocol):
    """A peripheral on SPI; one that is not `present` is unplugged: it hears nothing and drives nothing."""

    present: bool

    def transfer(self, sent: bytes) -> bytes:
        """What the chip puts on MISO while it hears `sent`; a bit that it leaves floating is 1."""

    def release(self) -> None:
        """CS rises."""


class I2cChip(Protocol):
    """A peripheral on I2C; one that is not `present` acknowledges nothing."""

    present: bool

    def write(self, data: bytes) -> None:
        """Bytes written to the chip."""

    def read(self, count: int) -> bytes:
        """Bytes read from the chip."""


class SpiBus:
    """One SPI controller with any number of chips, each behind its own chip select.

    With nobody selected MISO floats, and reads 0xFF by its pull-up.

    Attributes
    ----------
    miso_open : None, or the byte (0x00 or 0xFF) that is read whatever the chips answer:
        a broken MISO wire. The chips still hear what is sent.
    contentions : transfers during which more than one chip was selected. All of them hear
        the bytes, and low wins on MISO.
    """

    def __init__(self) -> None:
        self.miso_open: int | None = None
        self.contentions = 0
        self._selected: list[SpiChip] = []

    def attach(self, chip: SpiChip) -> Pin:
        """Put a chip on the bus; returns its chip select as a pin, resting high by its pull-up."""
        selected = self._selected
        now = 1

        def select_pin(level: int | None = None) -> int | None:
            nonlocal now
            if level is None:
                return now
            if level:
                if not now:
                    now = 1
                    try:
                        selected.remove(chip)
                    except ValueError:  # it was not there when CS fell
                        return None
                    chip.release()
            elif now:
                now = 0
                if chip.present:
                    selected.append(chip)
            return None

        return select_pin

    def write_readinto(self, sent: bytes, received: bytearray) -> None:
        """Exchange bytes; ValueError where the buffers differ in length."""
        if len(sent) != len(received):
            raise ValueError("buffers must be the same length")
        selected = self._selected
        if len(selected) == 1 and self.miso_open is None and type(sent) is bytes:
            received[:] = selected[0].transfer(sent)
        else:
            received[:] = self._exchange(sent)

    def write(self, sent: bytes) -> None:
        """Send, and drop what comes back."""
        self._exchange(sent)

    def readinto(self, received: bytearray, write: int = 0x00) -> None:
        """Receive while sending one byte over and over."""
        received[:] = self.read(len(received), write)

    def read(self, count: int, write: int = 0x00) -> bytes:
        """Receive `count` bytes while sending one byte over and over."""
        return self._exchange(bytes((write,)) * count)

    def _exchange(self, sent: bytes) -> bytes:
        sent = bytes(sent)  # a driver's bytearray or memoryview too
        answers = [chip.transfer(sent) for chip in self._selected]
        if len(answers) > 1:
            self.contentions += 1
        if self.miso_open is not None:
            return bytes((self.miso_open,)) * len(sent)
        if not answers:
            return b"\xff" * len(sent)
        return bytes(reduce(and_, at_once) for at_once in zip(*answers, strict=True))


class I2cBus:
    """One I2C controller; a missing address answers with OSError ENODEV, as machine.I2C does."""

    def __init__(self) -> None:
        self._chips: dict[int, I2cChip] = {}

    def attach(self, address: int, chip: I2cChip) -> None:
        """Put a chip at a 7-bit address; ValueError where one is already there."""
        if address in self._chips:
            raise ValueError(f"address 0x{address:02x} is taken")
        self._chips[address] = chip

    def scan(self) -> list[int]:
        """Addresses that answer."""
        return sorted(address for address, chip in self._chips.items() if chip.present)

    def writeto(self, address: int, data: bytes, stop: bool = True) -> int:
        """Write; returns the number of acknowledged bytes."""
        self._chip(address).write(bytes(data))
        return len(data)

    def readfrom(self, address: int, count: int, stop: bool = True) -> bytes:
        """Read `count` bytes."""
        return self._chip(address).read(count)

    def readfrom_into(self, address: int, received: bytearray, stop: bool = True) -> None:
        """Read as many bytes as the buffer holds."""
        received[:] = self._chip(address).read(len(received))

    def _chip(self, address: int) -> I2cChip:
        chip = self._chips.get(address)
        if chip is None or not chip.present:
            raise OSError(errno.ENODEV, f"no device at 0x{address:02x}")
        return chip
