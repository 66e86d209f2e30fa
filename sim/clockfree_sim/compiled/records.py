"""Records of compiled edges: one of each, one of what all share, and what they are wired to.

Fields are those of the firmware's objects, by the same names, and after them what the chips are, as `parts` has them.
"""

from typing import NamedTuple

import numpy as np

from clockfree_board import clock, rule
from clockfree_board.link import COUNTERS
from clockfree_model import parts
from clockfree_sim.compiled.clamp import Clamp

NOWHERE = np.iinfo(np.int64).min
"""Where a trim is that was never set."""

FRONT_ENDS = tuple(name for name, part in parts.FRONT_ENDS.items() if part.compiled)
"""An edge has a number for its own."""
COMPARATOR, TRIMMED, ADC, PICO_ADC = range(len(FRONT_ENDS))

CHANNELS = 4
"""Most channels of an ADC that an edge reads."""

_OF_EDGE = "late_us due_us looking gate step " + " ".join(COUNTERS) + " tap"
_OF_PINS = "a b offset_c16 phase above at"
_OF_DROPS = "offset_free_c16 offset_clamped_c16 mismatch noise_c16 spread products squares"
_OF_CHIPS = "index at_free at_clamped ladder_free ladder_clamped plain stuck_a stuck_b drawn adc trim_us served"
EDGE = np.dtype(
    [
        ("clock", np.int64, clock.SIZE),
        ("memory", np.int64, rule.MEMORY),
        *((name, np.int64) for name in f"{_OF_EDGE} {_OF_PINS} {_OF_DROPS} {_OF_CHIPS}".split()),
        *((name, float) for name in "free_V clamped_V offset_a_V offset_b_V trim_was_V trim_target_V".split()),
        ("shift", float, CHANNELS),
        ("noise_key", np.uint64),
        ("lateness_key", np.uint64),
    ]
)
"""All of one edge. Of the chips: where its wipers are, if they move later; the ladders of conductances that are its two
resistors; whether its comparators are ideal; the bits that they give whatever they see, or -1; draws of noise or bias
so far; which levels its ADC has; drops seen last, V; fixed offsets of comparators, V, and of ADC channels, codes; what
the trim's filter was at, V, when its duty was last changed, us, and what it goes to, V; events so far, of which several
may be one firing; keys of the streams of noise or bias, and of lateness."""

SHARED = np.dtype(
    [
        *((name, np.int64) for name in "lowest highest floor_c16 dither_c16 bar_c16 settle_us duty_per_c16".split()),
        *((name, np.int64) for name in "front_end order kept wipers age_us skew_us magnitude".split()),
        *((name, float) for name in "noise_V sigma_V supply_V codes_per_V lateness_us span_V tau_us".split()),
    ]
)
"""What all edges share. `kept` is 1 where node voltages are kept, since edges read them, or read them while they
settle; else a drop is read from the trees. `wipers` says when they move: AT_ONCE, AFTER_ROUND or LATER. `magnitude` is
1 where A is the paper's comparison of magnitudes, with an offset drawn from 0 .. sigma_V each time. `span_V` and
`tau_us` are those of the trim's filter."""

_OF_SHOW = "order dwell_us due_us present shown turn outputs first"
_OF_OVERCLAMP = "overclamps delay_us refresh_us clamped looks holds phase ends_us look_us wanted"
SHOW = np.dtype(
    [
        ("clock", np.int64, clock.SIZE),
        *((name, np.int64) for name in f"{_OF_SHOW} {_OF_OVERCLAMP} drawn".split()),
        ("noise_V", float),
        ("noise_key", np.uint64),
    ]
)
"""The supervisor: fields of the firmware's object; draws of its ADC's noise so far, V of one, and their stream's
key."""

AT_ONCE, AFTER_ROUND, LATER = range(3)
"""When wipers move: within the firing; at the end of a round of them; `age_us` after it, the clamped twin's `skew_us`
later than the free one's."""


class Wires(NamedTuple):
    """What edges are wired to.

    `plan` and `state` are the circuit's, `ladders` the conductance of each of `taps` taps of every kind of resistor, S,
    `levels` the input, in codes, at which each next code of an ADC begins. `now` is virtual time and the supervisor's
    next tick, us, absolute, and two numbers that say which of two events was asked for first: the tick's and the next
    to be given. `moves` (2, M, 4) are moves of free and of clamped wipers to come, in rings: time, number, edge, tap;
    `pending` (2, 2) counts those made and those asked for.

    None is what a job has no use for: `levels` where nothing is converted, `moves` where wipers do not move later. No
    code is compiled for it.
    """

    plan: np.ndarray
    state: np.ndarray
    ladders: np.ndarray
    taps: int
    levels: np.ndarray | None
    now: np.ndarray
    moves: np.ndarray | None
    pending: np.ndarray | None


class Taught(NamedTuple):
    """What a supervisor is wired to, and the lesson that it has taken.

    `examples_V` (B, S + O) are what each example puts on the circuit, V: its sources, and the part of the clamped
    targets' voltages that does not follow the free ones, or what a digital clamp nudges towards. `readings` (B, O),
    `turns` (B,) and what comes after `digital_clamp` are the firmware's. `plan`, `state` and `now` are the wires',
    `levels` the codes' thresholds of the ADCs, in codes, one chip's after another's, `shift` (O,) the offset of each
    channel, codes, `codes_per_V` their scale, and `error_V` (O,) the clamp's own. `digital_clamp` is None like `moves`
    of the wires.
    """

    readings: np.ndarray
    examples_V: np.ndarray
    turns: np.ndarray
    plan: np.ndarray
    state: np.ndarray
    levels: np.ndarray
    shift: np.ndarray
    error_V: np.ndarray
    codes_per_V: float
    supply_V: float
    now: np.ndarray
    digital_clamp: Clamp | None
    examples: np.ndarray
    asked: np.ndarray
    classes: np.ndarray
    nulls: np.ndarray
    free: np.ndarray
    codes: np.ndarray
    held: np.ndarray
