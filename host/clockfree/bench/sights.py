"""What the front ends of edges see in HOLD, against what the network shows: noise, places, polarity, comparators."""

from dataclasses import dataclass

import numpy as np

from clockfree.bench.moves import STILL
from clockfree.bench.resistors import Resistors
from clockfree.bench.wiring import CLEARER, DROP_CODES
from clockfree.learning.measuring import Probe
from clockfree_model.job import Job
from clockfree_model.settings import ORDERS

FIRST, SECOND = ORDERS
READINGS = 12
"""Readings at rest, whose spread is the noise."""
FEW_CODES, LOUDER = 2, 3.0
"""A drop is noisy beyond so many steps of an ADC if that is so many times as much as others have; beyond `DROP_CODES`
in any case."""
MOST_OFFSET_V = 0.1
"""Of a drop at rest: what a trim, or a reading, is worth is gone by then."""
GROSS = 0.5
"""Share of what an edge should see that may be off before it is said to see something else."""
SHOWN = 16
"""Settings of sources and desired voltages at which comparators are read; each is shown mirrored, too."""
CLEAR_V = 0.04
"""A comparator has to know which of two drops is larger that are so far apart: eight standard deviations of offsets."""
FEWEST = 3
"""Of clear cases either way, before anything is said."""
AGREE = 0.9


def noise_V(rest_V: np.ndarray) -> np.ndarray:
    """Noise of the difference of both drops (E,), V rms, by readings (R, E, 2) in a row; nan where there are none."""
    apart = np.diff(rest_V[:, :, 1] - rest_V[:, :, 0], axis=0)
    found: np.ndarray = (apart**2).mean(axis=0) ** 0.5 / 2**0.5
    return found


def noisy(noise_V: np.ndarray, supply_V: float) -> np.ndarray:
    """Which edges read so badly that they hinder learning."""
    code_V = supply_V / 4096
    with np.errstate(invalid="ignore"):
        known = noise_V[np.isfinite(noise_V)]
        usual_V = float(np.median(known)) if known.size else 0.0
        found: np.ndarray = (noise_V > DROP_CODES * code_V) | (noise_V > max(FEW_CODES * code_V, LOUDER * usual_V))
    return found


def rmse_V(seen_V: np.ndarray, expected_V: np.ndarray) -> np.ndarray:
    """How far what each edge sees (K, E) is off what is expected of each (K, E), rms, V: (2, E, E), as is, turned."""
    found = np.empty((2, seen_V.shape[1], expected_V.shape[1]))
    for turned, sign in enumerate((1.0, -1.0)):
        off = seen_V[:, :, None] - sign * expected_V[:, None, :]
        count = np.isfinite(off).sum(axis=0)
        found[turned] = np.where(count, (np.nansum(off**2, axis=0) / np.maximum(count, 1)) ** 0.5, np.nan)
    return found


@dataclass(frozen=True)
class Seen:
    """At which edge a front end is by what it sees, the wrong way round or not; STILL where that fits none."""

    edge: int
    turned: bool = False


def places(seen_V: np.ndarray, expected_V: np.ndarray, supply_V: float) -> list[Seen]:
    """Where the front ends are, by drops seen and expected, each (K, E); one that sees nothing is taken to be right."""
    off_V, least_V = rmse_V(seen_V, expected_V), DROP_CODES * supply_V / 4096
    found = []
    for edge, size_V in enumerate(np.nanmean(expected_V**2, axis=0) ** 0.5):
        here_V = off_V[0, edge, edge]
        turned, best = map(int, np.unravel_index(np.nan_to_num(off_V[:, edge], nan=np.inf).argmin(), off_V[:, 0].shape))
        if not here_V > max(least_V, 0.1 * size_V):
            found.append(Seen(edge))
        elif off_V[turned, edge, best] * CLEARER < here_V:
            found.append(Seen(best, bool(turned)))
        else:
            found.append(Seen(STILL if here_V > max(3 * least_V, GROSS * size_V) else edge))
    return found


@dataclass(frozen=True)
class Bits:
    """What comparators said, and the drops that there should be.

    Attributes
    ----------
    said : (K, E, 2) int
        A and B; -1 where a board did not answer.
    free_V, clamped_V : (K, E) array
    """

    said: np.ndarray
    free_V: np.ndarray
    clamped_V: np.ndarray


def bits(job: Job, probe: Probe, ohm: np.ndarray) -> Bits:
    """Have comparators say what they see while outputs are held far up and down; `ohm` (E,) are the resistances."""
    random, physics = np.random.default_rng([job.seed, SHOWN]), job.physics
    sources, targets = len(job.sources), len(job.targets)
    shown = random.uniform(0.1, 0.9, (SHOWN, sources + targets))
    # Where the sources are near to one another the clamp turns drops over: then B tells what it is wired to.
    shown[::2, :sources] = 0.5 + 0.2 * (shown[::2, :sources] - 0.5)
    shown[:, sources:] = np.where(shown[:, sources:] > 0.5, 0.9, 0.1)
    volts = physics.dac_volts(physics.supply_V * np.vstack([shown, 1.0 - shown]))
    resistors, (tail, head) = Resistors(job, True), job.network.ends.T
    said, free_V, clamped_V = [], [], []
    for row_V in volts:
        told = probe.bits(physics.dac_codes(row_V).tolist())
        said.append([told.get(edge, (-1, -1)) for edge in range(len(ohm))])
        free, clamped = resistors.volts(ohm, row_V[:sources]), resistors.volts(ohm, row_V, job.targets)
        free_V.append(free[tail] - free[head])
        clamped_V.append(clamped[tail] - clamped[head])
    return Bits(np.array(said), np.array(free_V), np.array(clamped_V))


def agreement(said: np.ndarray, expected_V: np.ndarray) -> tuple[float, int]:
    """Share of clear cases in which a bit (K,) is what it should be, and how many there are of the rarer kind."""
    clear = (np.abs(expected_V) > CLEAR_V) & (said >= 0)
    up = clear & (expected_V > 0)
    rarer = int(min(up.sum(), clear.sum() - up.sum()))
    return float((said[clear] == (expected_V[clear] > 0)).mean()) if clear.any() else float("nan"), rarer


def stuck(said: np.ndarray, expected_V: np.ndarray) -> bool:
    """A bit that never changes, though clear cases of both kinds were there."""
    return agreement(said, expected_V)[1] >= FEWEST and len(np.unique(said[said >= 0])) == 1


def order_of(found: Bits, edge: int) -> int | None:
    """What B is wired to, FIRST (the free drop) or SECOND (the sum), where they differ clearly; None is not known."""
    said, free_V, sum_V = (
        found.said[:, edge, 1],
        found.free_V[:, edge],
        found.free_V[:, edge] + found.clamped_V[:, edge],
    )
    apart = (np.abs(free_V) > CLEAR_V) & (np.abs(sum_V) > CLEAR_V) & ((free_V > 0) != (sum_V > 0)) & (said >= 0)
    if apart.sum() < FEWEST:
        return None
    share = float((said[apart] == (free_V[apart] > 0)).mean())
    return FIRST if share >= AGREE else SECOND if share <= 1 - AGREE else None
