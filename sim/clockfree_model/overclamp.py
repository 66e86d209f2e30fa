"""What an overclamp is asked for, and what it makes of free outputs, by the firmware's own integers."""

import numpy as np

from clockfree_board.overclamp import HINGE, POINTS, aim, point
from clockfree_model.physics import DAC_STEPS, Physics
from clockfree_model.settings import ClampSettings

NULLED = tuple(point(number) for number in range(POINTS))
"""Codes of the DAC at which readings are nulled."""


def asked_of(clamp: ClampSettings, physics: Physics) -> list[int]:
    """What it is asked for, in a board's units: see `clockfree_board.overclamp`."""
    release_V = clamp.tolerance_V if clamp.release_V is None else clamp.release_V
    return [
        physics.c16(clamp.amplitude_V) >> 4,
        round(16 * clamp.gain) if clamp.gain else 0,
        physics.c16(clamp.tolerance_V),
        physics.c16(release_V),
        -1 if clamp.hinge is None else round(128 * clamp.hinge),
    ]


def held_V(
    clamp: ClampSettings, physics: Physics, desired: np.ndarray, free_V: np.ndarray, lesson: np.ndarray
) -> np.ndarray:
    """Where the outputs are held (B, O), V on the circuit; nan in all of an example where the clamp is let go.

    Parameters
    ----------
    clamp : ClampSettings
    physics : Physics
    desired : (B, O) int
        What is desired at each of some examples, codes of the DAC.
    free_V : (B, O) float
        Where the outputs float, V on the circuit.
    lesson : (M, O) int
        What is desired at all examples of the lesson: its classes.
    """
    asked = asked_of(clamp, physics)
    classes = np.unique(lesson, axis=0).tolist() if asked[HINGE] >= 0 else []
    found = np.full(np.shape(free_V), np.nan)
    for k, (example, volts) in enumerate(zip(desired.tolist(), free_V, strict=True)):
        codes = [0] * len(example)
        if aim(asked, classes, [physics.c16(each) for each in volts], example, 0, codes, 0):
            found[k] = np.array(codes) * (physics.supply_V / DAC_STEPS)
    return found
