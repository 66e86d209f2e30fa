"""The paper's oscillator at each edge, read against one global bias voltage: which edges take part at a trigger.

For comparison only: this is what the paper's edges do on its global trigger (its Fig. 3a, b), and no board has anything
like it. Each oscillator is a comparator with hysteresis that charges and discharges a capacitor C through R: half the
supply at its positive input, moved by its own output through a third resistor, makes thresholds of a third and two
thirds of the supply. No two are built of equal parts, so that periods differ and phases drift apart.
"""

from dataclasses import dataclass

import numpy as np

SUPPLY_V = 5.0
THIRD = 1 / 3
"""Thresholds of nominal parts, as shares of the supply: this, and one less this."""
PERIOD_S = 1e-3
"""Of nominal parts: 2 ln 2 R C."""
TRIGGER_S = 4e-3
"""From one trigger to the next. What takes part depends on its ratio to the period alone."""
RESISTOR, CAPACITOR = 0.01, 0.1
"""Tolerances of the parts: the largest relative deviation, all within it alike."""
LEAST_P = 0.02
"""Below it there may be edges whose oscillator never comes above the bias: their thresholds are too low."""


@dataclass(frozen=True)
class Oscillators:
    """So many oscillators that run by themselves.

    Attributes
    ----------
    low_V, high_V : (E,) float
        Thresholds between which the capacitor's voltage goes to and fro.
    rc_s : (E,) float
    began_s : (E,) float
        When the capacitor last began to charge, before time 0.
    """

    low_V: np.ndarray
    high_V: np.ndarray
    rc_s: np.ndarray
    began_s: np.ndarray

    @property
    def rise_s(self) -> np.ndarray:
        """How long the capacitor charges (E,)."""
        return self.rc_s * np.log((SUPPLY_V - self.low_V) / (SUPPLY_V - self.high_V))

    @property
    def period_s(self) -> np.ndarray:
        """How long it charges and discharges (E,)."""
        return self.rise_s + self.rc_s * np.log(self.high_V / self.low_V)

    def volts(self, time_s) -> np.ndarray:
        """Voltage of every capacitor at every time, V (E, T)."""
        low_V, high_V, rc_s, began_s, rise_s, period_s = (
            each[:, None] for each in (self.low_V, self.high_V, self.rc_s, self.began_s, self.rise_s, self.period_s)
        )
        since_s = (np.asarray(time_s) - began_s) % period_s
        charging = SUPPLY_V - (SUPPLY_V - low_V) * np.exp(-since_s / rc_s)
        discharging = high_V * np.exp(-np.maximum(since_s - rise_s, 0.0) / rc_s)
        return np.where(since_s < rise_s, charging, discharging)

    def chance(self, bias_V: float) -> np.ndarray:
        """Share of its period for which each is above a bias voltage (E,): p."""
        bias = np.clip(bias_V, self.low_V, self.high_V)
        up_s = self.rc_s * np.log((SUPPLY_V - bias) / (SUPPLY_V - self.high_V))
        down_s = self.rc_s * np.log(self.high_V / bias)
        return (up_s + down_s) / self.period_s


def build(edges: int, rng: np.random.Generator, tolerance: float = 1.0) -> Oscillators:
    """Oscillators of parts whose tolerances are so many times `RESISTOR` and `CAPACITOR`, begun at any moment."""

    def part(share: float) -> np.ndarray:
        return 1.0 + tolerance * share * rng.uniform(-1.0, 1.0, edges)

    up, down, feedback = (1.0 / part(RESISTOR) for _ in range(3))  # conductances at the comparator's positive input
    total = up + down + feedback
    rc_s = PERIOD_S / (2 * np.log(2)) * part(RESISTOR) * part(CAPACITOR)
    built = Oscillators(SUPPLY_V * up / total, SUPPLY_V * (up + feedback) / total, rc_s, np.zeros(edges))
    return Oscillators(built.low_V, built.high_V, rc_s, -built.period_s * rng.random(edges))


def bias_of(p: float) -> float:
    """Bias that oscillators of nominal parts are above for a share p of their time, V."""
    return SUPPLY_V / (1.0 + 2.0 ** (2.0 * p - 1.0))


def taking_part(oscillators: Oscillators, bias_V: float, triggers: int, first: int = 0) -> np.ndarray:
    """Which edges take part at each of so many triggers, from the `first` on: bool (E, triggers)."""
    return oscillators.volts(TRIGGER_S * np.arange(first, first + triggers)) > bias_V
