"""Physics of a bench: every imperfection of a real one, each with its own switch and a documented default: none."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from clockfree_board.supervisor import MIXER_TOP
from clockfree_model.parts import Pot

Taps = TypeVar("Taps", int, float, np.ndarray)

DAC_STEPS = 4096
"""Steps of the supervisor's DAC over the supply (MCP4728, 12 bits)."""


LEAST_OHM = 1e-3
"""Least resistance of an edge, ohm: a real short is never quite one."""


@dataclass(frozen=True)
class Physics:
    """The circuit's physics; the defaults are the ``ideal`` preset, everything beyond it is switched on by a number.

    Attributes
    ----------
    supply_V : float
        V_DD: sources, desired voltages and converters lie within 0 .. supply_V.
    margin_V : float
        How far inside the rails a task's own choice of source voltages stays: followers and single-supply ADCs clip
        at the rails, and an edge cannot null what is clipped.
    rab_ohm, wiper_ohm : float
        End-to-end resistance of a potentiometer, and of its wiper, ohm.
    spare_taps : int
        R = wiper_ohm + (tap + spare_taps) rab_ohm / steps; 1 in the paper's simulations, 0 on a real chip.
    limit_lowest : bool
        The lowest tap follows from the current that a terminal may carry (`Pot.lowest_tap`), else 0.
    mismatch : float
        Standard deviation of the ratio of R_AB between the two twins of an edge.
    offset_V : float
        Standard deviation of the fixed offset of each comparator, or of each ADC channel, V.
    noise_V : float
        rms noise of one decision of a comparator, or of one drop read by an ADC, V.
    sigma_V, sigma_kind : float, str
        The paper's bias, U[0, sigma_V]: ``redrawn`` at each decision on the magnitudes (eq. 10), ``fixed`` per edge
        on the magnitudes, or ``signed``: a fixed offset per comparator on the signed drops.
    adc_inl_lsb : float
        Largest integral nonlinearity of the 12-bit ADC of an edge, LSB (MCP3204-B: 1). A Pico's own ADC
        has eight times that, as a saw with spikes at 512, 1536, 2560 and 3584.
    clamp_error_V : float
        Standard deviation of the clamp's own fixed error at each output, V.
    clamp_us : float
        Time constant of the analog clamp, us.
    clamp_period_us, clamp_delay_us : int
        Digital clamp: sampled every period and applied a delay later, us; period 0 is the analog clamp.
    settle_us : float
        Time constant with which the nodes settle after a change, us.
    age_us, skew_us : int
        Decision age (bits read to wipers moved), and how much later the clamped twin's wiper moves, us.
    lateness_us : float
        Mean of the exponential delay with which a busy board serves a due firing, us.
    """

    supply_V: float = 5.0
    margin_V: float = 0.0
    rab_ohm: float = 100e3
    wiper_ohm: float = 0.0
    spare_taps: int = 1
    limit_lowest: bool = False
    mismatch: float = 0.0
    offset_V: float = 0.0
    noise_V: float = 0.0
    sigma_V: float = 0.0
    sigma_kind: str = "redrawn"
    adc_inl_lsb: float = 0.0
    clamp_error_V: float = 0.0
    clamp_us: float = 0.0
    clamp_period_us: int = 0
    clamp_delay_us: int = 0
    settle_us: float = 0.0
    age_us: int = 0
    skew_us: int = 0
    lateness_us: float = 0.0

    def lowest_tap(self, pot: Pot) -> int:
        """Lowest usable tap of a potentiometer."""
        return pot.lowest_tap(self.supply_V, self.wiper_ohm, self.rab_ohm) if self.limit_lowest else 0

    def dac_codes(self, volts: ArrayLike) -> np.ndarray:
        """Codes of the supervisor's 12-bit DAC nearest to voltages, V; its top is one step below the supply."""
        return np.clip(np.rint(np.asarray(volts) / self.supply_V * DAC_STEPS), 0, DAC_STEPS - 1).astype(int)

    def dac_volts(self, volts: ArrayLike) -> np.ndarray:
        """Voltages that the supervisor's DAC gives when asked for these, V."""
        codes: np.ndarray = self.dac_codes(volts)
        return codes * (self.supply_V / DAC_STEPS)

    def c16(self, volts: float) -> int:
        """Volts in a board's unit of drops and thresholds, 1/16 of a 12-bit ADC code."""
        return round(volts / self.supply_V * 65536)

    @staticmethod
    def mixer_tap(eta: float) -> int:
        """Tap of the supervisor's mixers for a nudge: the nearest, and at least one."""
        return max(1, round(eta * MIXER_TOP))

    @classmethod
    def mixer_eta(cls, eta: float) -> float:
        """Nudge that the supervisor's mixers give when asked for this: the nearest of 1/128 .. 1."""
        return cls.mixer_tap(eta) / MIXER_TOP

    def resistance(self, tap: Taps, pot: Pot, ratio: float = 1.0) -> Taps:
        """Resistance at a tap (or array of taps) of a potentiometer whose R_AB is ``ratio`` times nominal, ohm.

        A mismatch belongs to the resistor track, not to the wiper.
        """
        return self.wiper_ohm + (tap + self.spare_taps) * (ratio * self.rab_ohm / pot.steps)  # type: ignore[return-value]


IDEAL = Physics()
PAPER = replace(IDEAL, sigma_V=0.05)
BOARD = Physics(
    supply_V=3.3,
    margin_V=0.1,
    wiper_ohm=75.0,
    spare_taps=0,
    limit_lowest=True,
    mismatch=0.002,
    offset_V=0.005,
    noise_V=0.0005,
    adc_inl_lsb=1.0,
    clamp_error_V=0.0005,
    clamp_us=10.0,
    settle_us=20.0,
)
PRESETS = {"ideal": IDEAL, "paper": PAPER, "board": BOARD}
"""``ideal``: no imperfection. ``paper``: eq. 10 as printed. ``board``: a bench of real parts."""
