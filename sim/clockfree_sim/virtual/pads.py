"""The pins of a board: what the program drives, and what it reads there."""

from collections.abc import Callable

GPIOS = 30
IN, OUT = 0, 1
PULL_UP, PULL_DOWN = 1, 2


class Pad:
    """One pin. What is wired to it stays; what the program makes of it is lost when the board is reset.

    Attributes
    ----------
    mode, pull, latch : int
        Of the program: direction, pull, and the level it drives while the pin is an output.
    held : int or None
        Level that somebody holds the pin at, for a program that reads it.
    pulses : int
        Rising edges that the program has made since power-on.
    """

    def __init__(self) -> None:
        self.mode, self.pull, self.latch = IN, PULL_DOWN, 0
        self.held: int | None = None
        self.pulses = 0
        self._chip_input: Callable[[int], object] | None = None
        self._chip_output: Callable[[], int] | None = None
        self._duty_u16: Callable[[int], object] | None = None
        self._rest: int | None = None
        self._heard = -1  # by the chip

    def drive(self, chip_input: Callable[[int], object], rest: int) -> None:
        """Wire a chip's input here; `rest` is its level, by a resistor, while the program does not drive it."""
        self._chip_input, self._rest = chip_input, rest
        self._settle()

    def sense(self, chip_output: Callable[[], int]) -> None:
        """Wire a chip's output here."""
        self._chip_output = chip_output

    def modulate(self, duty_u16: Callable[[int], object]) -> None:
        """Wire a filter here, which takes the duty of a PWM output, 0..65535; an output that does not move has 0."""
        self._duty_u16 = duty_u16
        duty_u16(0)

    def reset(self) -> None:
        """As a reset leaves it: an input, pulled down."""
        self.configure(IN, PULL_DOWN, 0)
        if self._duty_u16:
            self._duty_u16(0)

    def configure(self, mode: int, pull: int, latch: int) -> None:
        """Direction, pull and level."""
        self.mode, self.pull = mode, pull
        self.write(latch)
        self._settle()

    def write(self, level: int) -> None:
        """Set the level that the program drives."""
        if level and not self.latch and self.mode == OUT:
            self.pulses += 1
        self.latch = level
        if self._chip_input and self.mode == OUT and level != self._heard:
            self._heard = level
            self._chip_input(level)

    def read(self) -> int:
        """The level now."""
        if self.mode == OUT:
            return self.latch
        if self.held is not None:
            return self.held
        if self._chip_output:
            return self._chip_output()
        if self._rest is not None:
            return self._rest
        return 1 if self.pull == PULL_UP else 0

    def duty(self, duty_u16: int) -> None:
        """The pin is a PWM output of this duty."""
        if self._duty_u16:
            self._duty_u16(duty_u16)

    def _settle(self) -> None:
        """Tell the chip the level now."""
        level = self.latch if self.mode == OUT else self._rest
        if self._chip_input and level is not None and level != self._heard:
            self._heard = level
            self._chip_input(level)
