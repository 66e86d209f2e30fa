"""Small steps of the continuous rule: how large they may be, and how many of them come to an error."""

from collections.abc import Callable

import numpy as np

LADDER = 2.0 ** np.arange(5, -11, -1)
"""Step sizes that are tried, largest first, in START_OHM^3 / V^2."""
AGREE = 0.05
"""Steps are small if p = 1 needs half as many of them as at gamma / 2 to come to each level, within this."""


def passages(error_V2: np.ndarray, levels_V2: np.ndarray) -> np.ndarray:
    """Steps after which an error first is at each level (levels,), between two steps by its logarithm; nan if never.

    Also nan is a level that the error begins below. `error_V2` is the error after 0, 1, ... steps, the levels descend.
    """
    found = np.full(len(levels_V2), np.nan)
    lowest = np.minimum.accumulate(error_V2)
    for i, level in enumerate(levels_V2):
        after = np.searchsorted(-lowest, -level)
        if 0 < after < len(error_V2):
            above, below = np.log(error_V2[after - 1] / level), np.log(max(error_V2[after], 1e-300) / level)
            found[i] = after - 1 + above / (above - below)
    return found


def small_step(errors: Callable[[float], np.ndarray], levels_V2: np.ndarray) -> tuple[float, np.ndarray]:
    """Largest gamma of the ladder that makes small steps, and its steps to each level at p = 1.

    `errors` gives the errors at p = 1 for a gamma. Gamma is nan where no gamma is small and comes to the last level.
    """
    larger = np.full(len(levels_V2), np.nan)
    for gamma in LADDER.tolist():
        steps = passages(errors(gamma), levels_V2)
        known = ~np.isnan(steps)
        same = (known == ~np.isnan(larger)).all() and (np.abs(2 * larger[known] / steps[known] - 1) <= AGREE).all()
        if known[-1] and same:
            return 2 * gamma, larger
        larger = steps
    return np.nan, larger
