"""Settings of an experiment: of each the name, unit, range, default and meaning, said once.

Keys of task files, their checks, the command line's `--set`, the record and the reference page derive from the fields
below and from those of `physics.Physics`, which are made by `setting` too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from clockfree_board.rule import FIRST, SECOND
from clockfree_model.parts import FRONT_ENDS, POTS

ORDERS = {FIRST: "the free drop", SECOND: "the sum of both drops"}
"""Orders of the rule, and what comparator B is wired to by each."""
LEAST_HZ, MOST_HZ = 0.06, 10_000
"""Rates that the waits of an edge's clock can have, Hz."""


@dataclass(frozen=True)
class Setting:
    """What is known of one setting beside its type and default.

    Attributes
    ----------
    what : str
        Its meaning, in a sentence.
    unit : str
    limits : dict
        `ge`, `gt`, `le`, `lt`: what a number has to be.
    choices : tuple of str
        What a text has to be one of; any, where there are none.
    """

    what: str
    unit: str
    limits: dict[str, float]
    choices: tuple[str, ...]


def setting(default: Any, what: str, unit: str = "", choices: tuple[str, ...] = (), **limits: float) -> Any:
    """A field of a dataclass of settings."""
    return field(default=default, metadata={"setting": Setting(what, unit, limits, choices)})


def settings_of(kind: type) -> Iterator[tuple[str, Any, Setting]]:
    """Name, type and setting of each field of a dataclass of settings."""
    for each in fields(kind):
        yield each.name, each.type, each.metadata["setting"]


@dataclass(frozen=True)
class EdgeSettings:
    """How every edge senses, steps and keeps time; keys of `[edge]`."""

    front_end: str = setting(next(iter(FRONT_ENDS)), "front end, by its name among the parts", choices=(*FRONT_ENDS,))
    pot: str = setting(next(iter(POTS)), "twin potentiometer, by its name among the parts", choices=(*POTS,))
    order: int = setting(
        SECOND,
        "of the rule, in the change that the clamp makes: 2 is the paper's, q = |dV_C| - |dV_F|; by 1 q is dV_C - dV_F "
        "with the sign of dV_F, and at most 2 |dV_F|; of two comparators B then sees dV_F instead of the sum of the "
        "drops",
        ge=FIRST,
        le=SECOND,
    )
    f_V: float = setting(
        0.0,
        "floor of the threshold on q; a calibrated edge that sums has its own noise for its floor where that is larger",
        "V",
        ge=0,
    )
    theta_V: float = setting(
        0.0, "width of the dither on the floor, or the bar of a sum; both zero is the plain rule", "V", ge=0
    )
    summed: bool = setting(
        False,
        "the edge sums q over firings, less the floor at each, and steps when the sum passes a bar that follows its "
        "own steps: theta_V at most, an eighth of it at least",
    )
    calibrate: bool = setting(False, "null offsets and fit the twin mismatch in HOLD before the run")
    clock: str = setting("exponential", "kind of the edge's own clock", choices=("exponential", "jittered", "periodic"))
    rate_hz: float = setting(10.0, "mean firings per second of one edge", "Hz", ge=LEAST_HZ, le=MOST_HZ)
    decades: float = setting(
        0.0, "the rates of the edges lie over so many decades around rate_hz, each drawn evenly in the logarithm", ge=0
    )
    late_us: int | None = setting(
        None, "a firing later than this is dropped; left out, it is a tenth of the mean wait", "us", ge=0, lt=2**29
    )


NUDGE, OVERCLAMP = "nudge", "overclamp"
"""Kinds of clamp."""
OF_OVERCLAMP = ("amplitude_V", "gain", "tolerance_V", "release_V", "refresh_s", "hinge")
"""Settings of `[clamp]` that a nudge has no use for."""


@dataclass(frozen=True)
class ClampSettings:
    """How the supervisor teaches; keys of `[clamp]`."""

    kind: str = setting(
        NUDGE,
        "nudge: V_C = V_F + eta (V_D - V_F) on the targets, by the mixers; overclamp: V_C = V_F + e min(gain, "
        "amplitude_V / max |e|), e = V_D - V_F, while the largest |e| of an example's outputs is above tolerance_V, by "
        "what the supervisor reads; else the clamp is let go",
        choices=(NUDGE, OVERCLAMP),
    )
    eta: float = setting(0.5, "nudge: V_C = V_F + eta (V_D - V_F) on the targets", gt=0, le=1)
    amplitude_V: float = setting(
        0.3, "overclamp: how far the output that is furthest off is held from where it floats", "V", gt=0, le=50
    )
    gain: float | None = setting(
        None, "overclamp: the most that it makes of an error; left out, as much as amplitude_V allows", ge=0.0625, le=64
    )
    tolerance_V: float = setting(
        0.002, "overclamp: largest error of an output up to which the clamp is let go", "V", gt=0, le=1
    )
    release_V: float | None = setting(
        None, "overclamp: a clamp that holds is let go from this error down; left out, tolerance_V", "V", ge=0, le=1
    )
    refresh_s: float = setting(
        0.01, "overclamp: how often the supervisor reads the outputs and aims the clamp anew", "s", ge=0.002, le=1
    )
    hinge: float | None = setting(
        None,
        "overclamp: the clamp is let go where an example is answered rightly, its outputs nearer to what is desired "
        "than to what is desired of any other class; how clearly, 0: just so, 1: as well as can be",
        ge=0,
        le=1,
    )
    # By default a fifth of the mean wait at the default rate: with a whole one most edges fire on an example before the
    # next comes, and end higher on large networks; with much less, what settles after each change of examples costs
    # more than it gains (measured: docs/results.md).
    dwell_s: float = setting(
        0.02, "how long one example is shown; by the clocked rules one round, unless it is given", "s", ge=0.001, le=536
    )
    order: str = setting("shuffled", "order of the examples", choices=("fixed", "shuffled", "random"))
