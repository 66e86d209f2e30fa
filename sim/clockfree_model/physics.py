"""Physics of a bench: every imperfection of a real one, each with its own switch and a documented default: none."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from clockfree_board.supervisor import MIXER_TOP
from clockfree_model.parts import Pot
from clockfree_model.settings import setting

Taps = TypeVar("Taps", int, float, np.ndarray)

DAC_STEPS = 4096
"""Steps of the supervisor's DAC over the supply (MCP4728, 12 bits)."""


MOST_V, MOST_OHM, MOST_US = 100, 10**8, 10**6
"""Beyond these nothing is left to learn."""

LEAST_OHM = 1e-3
"""Least resistance of an edge, ohm: a real short is never quite one."""


@dataclass(frozen=True)
class Physics:
    """The circuit's physics; keys of `[physics]`.

    The defaults are the ``ideal`` preset; everything beyond it is switched on by a number.
    """

    supply_V: float = setting(
        5.0,
        "V_DD: on the circuit sources, desired voltages and converters lie within 0 .. supply_V",
        "V",
        gt=0,
        le=MOST_V,
    )
    margin_V: float = setting(
        0.0,
        "how far inside the rails the voltages of a task lie on the circuit, to which they are lifted together: "
        "followers and single-supply ADCs clip at the rails, and an edge cannot null what is clipped",
        "V",
        ge=0,
        le=MOST_V,
    )
    rab_ohm: float = setting(100e3, "end-to-end resistance of a potentiometer", "ohm", gt=0, le=MOST_OHM)
    wiper_ohm: float = setting(0.0, "resistance of its wiper", "ohm", ge=0, le=MOST_OHM)
    spare_taps: int = setting(
        1,
        "R = wiper_ohm + (tap + spare_taps) rab_ohm / steps on a linear track; 1 in the paper's simulations, 0 on a "
        "real chip",
        ge=0,
        le=128,
    )
    limit_lowest: bool = setting(
        False, "the lowest tap follows from the current that a terminal may carry, else it is 0"
    )
    mismatch: float = setting(
        0.0, "standard deviation of the ratio of R_AB between the two twins of an edge", ge=0, le=0.3
    )
    offset_V: float = setting(
        0.0, "standard deviation of the fixed offset of each comparator, or of each ADC channel", "V", ge=0, le=MOST_V
    )
    noise_V: float = setting(
        0.0, "rms noise of one decision of a comparator, or of one drop read by an ADC", "V", ge=0, le=MOST_V
    )
    sigma_V: float = setting(0.0, "the paper's bias, U[0, sigma_V]", "V", ge=0, le=MOST_V)
    sigma_kind: str = setting(
        "redrawn",
        "how it enters: redrawn at each decision on the magnitudes (eq. 10), fixed per edge on the magnitudes, or "
        "signed: a fixed offset per comparator on the signed drops",
        choices=("redrawn", "fixed", "signed"),
    )
    adc_inl_lsb: float = setting(
        0.0,
        "largest integral nonlinearity of the ADC of an edge, and of the supervisor's where it overclamps (MCP3204-B, "
        "MCP3208-B, MCP3304-B: 1); a Pico's own ADC has eight "
        "times that, as a saw with spikes at 512, 1536, 2560 and 3584",
        "LSB",
        ge=0,
        le=100,
    )
    clamp_error_V: float = setting(
        0.0, "standard deviation of the clamp's own fixed error at each output", "V", ge=0, le=MOST_V
    )
    clamp_us: float = setting(0.0, "time constant of the analog clamp", "us", ge=0, le=MOST_US)
    clamp_period_us: int = setting(
        0, "digital clamp: from one sample to the next; 0 is the analog clamp", "us", ge=0, le=MOST_US
    )
    clamp_delay_us: int = setting(
        0,
        "digital clamp: until a sample is applied; overclamp: from a look at the outputs to the clamp",
        "us",
        ge=0,
        le=MOST_US,
    )
    settle_us: float = setting(0.0, "time constant with which the nodes settle after a change", "us", ge=0, le=MOST_US)
    age_us: int = setting(0, "decision age: from bits read to wipers moved", "us", ge=0, le=MOST_US)
    skew_us: int = setting(
        0, "how much later the clamped twin's wiper moves, beside what the chip itself has", "us", ge=0, le=MOST_US
    )
    lateness_us: float = setting(
        0.0, "mean of the exponential delay with which a busy board serves a due firing", "us", ge=0, le=MOST_US
    )

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
        return self.wiper_ohm + pot.track_ohm(tap, self.spare_taps, ratio * self.rab_ohm)  # type: ignore[no-any-return]


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
    clamp_delay_us=3000,
    settle_us=20.0,
)
PRESETS = {"ideal": IDEAL, "paper": PAPER, "board": BOARD}
"""``ideal``: no imperfection. ``paper``: eq. 10 as printed. ``board``: a bench of real parts."""
