"""The comparator front end: the two bits of an edge as pins, and the trim that shifts A's reference.

`drops` is a callable that gives the edge's (free, clamped) drops in volts now. Offset and noise are
referred to what is compared: the difference of the drops at A; at B their sum, or the free one alone.
"""

from collections.abc import Callable
from math import exp

from clockfree_board.rule import FIRST, SECOND

Drops = Callable[[], tuple[float, float]]
Volts = Callable[[], float]

RESOLVED_V = 1e-9
"""Inputs that differ by less read 0: on an edge where both twins are alike rounding must not decide."""


def _nothing() -> float:
    return 0.0


class ComparatorA:
    """Pin A: 1 while dV_C - dV_F + offset + noise > trim.

    Parameters
    ----------
    drops : callable giving (free, clamped), V
    offset_V : fixed offset, V
    gauss : callable giving the noise of one decision, V; not called while the output is stuck
    trim_V : callable giving the shift of the reference, V (`TrimFilter.volts`)

    Attributes
    ----------
    stuck : None, or the bit that is read whatever the drops are
    offset_V : fixed offset, V
    """

    def __init__(self, drops: Drops, offset_V: float = 0.0, gauss: Volts | None = None, trim_V: Volts | None = None):
        self.stuck: int | None = None
        self._drops = drops
        self.offset_V = offset_V
        self._gauss = gauss or _nothing
        self._trim_V = trim_V or _nothing
        self._plain = not offset_V and gauss is None and trim_V is None

    def pin(self) -> int:
        """The output, 0 or 1."""
        if self.stuck is not None:
            return self.stuck
        free, clamped = self._drops()
        over = clamped - free
        if self._plain:
            return 1 if over >= RESOLVED_V else 0
        if -RESOLVED_V < over < RESOLVED_V:
            over = 0.0
        return 1 if over + self.offset_V + self._gauss() > self._trim_V() else 0


class ComparatorB:
    """Pin B: 1 while dV_C + dV_F + offset + noise > 0, or dV_F + offset + noise > 0 of the first order.

    Parameters as for A; B has no trim. ``order`` is the rule's, FIRST or SECOND.
    """

    def __init__(self, drops: Drops, offset_V: float = 0.0, gauss: Volts | None = None, order: int = SECOND):
        self.stuck: int | None = None
        self._drops = drops
        self.offset_V = offset_V
        self._gauss = gauss or _nothing
        self._plain = not offset_V and gauss is None
        self._alone = order == FIRST

    def pin(self) -> int:
        """The output, 0 or 1."""
        if self.stuck is not None:
            return self.stuck
        free, clamped = self._drops()
        over = free if self._alone else clamped + free
        if self._plain:
            return 1 if over >= RESOLVED_V else 0
        if -RESOLVED_V < over < RESOLVED_V:
            over = 0.0
        return 1 if over + self.offset_V + self._gauss() > 0.0 else 0


class MagnitudeA:
    """Pin A of the paper's simulated rule: R goes up if |dV_C| + sigma > |dV_F|, whatever the signs (eq. 10).

    No circuit of two comparators does this; it is the bit which, beside an ideal B, makes the rule decide so.

    Parameters
    ----------
    drops : callable giving (free, clamped), V
    sigma_V : callable giving sigma, V: drawn anew at each call, or the edge's own constant

    Attributes
    ----------
    stuck : None, or the bit that is read whatever the drops are
    offset_V : 0
    """

    offset_V = 0.0

    def __init__(self, drops: Drops, sigma_V: Volts):
        self.stuck: int | None = None
        self._drops = drops
        self._sigma_V = sigma_V

    def pin(self) -> int:
        """The output, 0 or 1."""
        if self.stuck is not None:
            return self.stuck
        free, clamped = self._drops()
        b = clamped + free >= RESOLVED_V
        over = abs(clamped) - abs(free)
        if -RESOLVED_V < over < RESOLVED_V:  # a tie of the ideal comparators: A reads 0, so R goes up where B is 0
            over = 0.0 if b else RESOLVED_V
        up = over + self._sigma_V() > 0.0
        return 1 if up == b else 0


class TrimFilter:
    """A PWM output through a resistor and a capacitor into A's reference.

    Parameters
    ----------
    now_us : callable giving the time in us; it must not wrap
    span_V : shift of the reference at full duty, V; half duty is none, and zero duty minus this
    tau_us : time constant of the filter, us

    Attributes
    ----------
    span_V, tau_us : as given
    """

    def __init__(self, now_us: Callable[[], int], span_V: float, tau_us: float = 1000.0):
        self._now_us = now_us
        self.span_V = span_V
        self.tau_us = tau_us
        self._duty = 32768
        self._was_V = 0.0  # at the last change of duty
        self._target_V = 0.0
        self._changed_us = now_us()

    def duty_u16(self, duty: int | None = None) -> int | None:
        """As machine.PWM.duty_u16: 0..65535, or read it with no argument."""
        if duty is None:
            return self._duty
        if not 0 <= duty <= 65535:
            raise ValueError(f"duty {duty} outside 0..65535")
        self._was_V = self.volts()
        self._changed_us = self._now_us()
        self._duty = duty
        self._target_V = self.span_V * (duty - 32768) / 32768
        return None

    def volts(self) -> float:
        """Shift of the reference now, V."""
        left = exp((self._changed_us - self._now_us()) / self.tau_us)
        return self._target_V + (self._was_V - self._target_V) * left
