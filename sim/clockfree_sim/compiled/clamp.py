"""Compiled digital clamp: as `plant.clamp.DigitalClamp`, event by event."""

from typing import NamedTuple

import numpy as np
from numba import types

from clockfree_sim.circuit import elimination as at
from clockfree_sim.circuit import solver, voltages
from clockfree_sim.circuit.caching import either
from clockfree_sim.circuit.inner import inner
from clockfree_sim.plant.clamp import DigitalClamp
from clockfree_sim.plant.timeline import NEVER

FIRST, LAST, SAMPLE_US, ASKED = range(4)


class Clamp(NamedTuple):
    """A digital clamp, to compiled code; the analog one is none, or one that rests and is not `digital`.

    In rings, `coming_V` (H, O) is what will be held, and `coming` (H, 2) when, and a number. `turn` counts those that
    have been held and those that were sampled, and has time and number of the next sample. Numbers tell which of two
    events at one microsecond was asked for first; the next to be given is the fourth of `now` of the wires.
    """

    digital: bool
    period_us: int
    delay_us: int
    eta: float
    error_V: np.ndarray
    desired_V: np.ndarray
    coming: np.ndarray
    coming_V: np.ndarray
    turn: np.ndarray


def compiled_clamp(clamp: DigitalClamp, digital: bool) -> Clamp:
    """A clamp as it stands; what it does next was asked for before anything else."""
    room = 2 + clamp.delay_us // clamp.period_us
    coming, coming_V = np.zeros((room, 2), dtype=np.int64), np.zeros((room, len(clamp.held_V)))
    for i, (time_us, volts) in enumerate(clamp.coming):
        coming[i] = time_us, i - len(clamp.coming) - 1
        coming_V[i] = volts
    turn = np.array([0, len(clamp.coming), clamp.sample_us, -1])
    return Clamp(
        digital,
        clamp.period_us,
        clamp.delay_us,
        clamp.eta,
        clamp.error_V,
        clamp.desired_V.copy(),
        coming,
        coming_V,
        turn,
    )


@inner(error_model="numpy")
def solve(plan, state, now):
    """Voltages after a change of sources or targets."""
    solver.outputs(plan, state)
    if voltages.settles(state):
        voltages.voltages(plan, state, now[0])


@inner(error_model="numpy")
def sample(clamp, plan, state, now):
    """As `DigitalClamp` does."""
    place = clamp.turn[LAST] % len(clamp.coming)
    clamp.turn[LAST] += 1
    clamp.coming[place, 0], clamp.coming[place, 1] = now[0] + clamp.delay_us, now[3]
    ports = plan[at.S_PORTS] + plan[at.SOURCES]
    for i in range(plan[at.TARGETS]):
        free_V = state[ports + i]
        clamp.coming_V[place, i] = free_V + clamp.eta * (clamp.desired_V[i] - free_V) + clamp.error_V[i]
    clamp.turn[SAMPLE_US], clamp.turn[ASKED] = now[0] + clamp.period_us, now[3] + 1
    now[3] += 2


def _none(clamp) -> bool:
    return isinstance(clamp, types.NoneType)


@inner(error_model="numpy")
def _no(clamp):
    return False


@inner(error_model="numpy")
def _digital(clamp):
    return clamp.digital


@inner(error_model="numpy")
def _never(clamp):
    return NEVER, NEVER, False


@inner(error_model="numpy")
def _nothing(clamp, plan, state, now, hold):
    pass


@inner(error_model="numpy")
def _next(clamp):
    time_us, asked = clamp.turn[SAMPLE_US], clamp.turn[ASKED]
    if clamp.turn[FIRST] < clamp.turn[LAST]:
        hold_us, hold_asked = clamp.coming[clamp.turn[FIRST] % len(clamp.coming)]
        if hold_us < time_us or (hold_us == time_us and hold_asked < asked):
            return hold_us, hold_asked, True
    return time_us, asked, False


@inner(error_model="numpy")
def _act(clamp, plan, state, now, hold):
    if hold:
        place = clamp.turn[FIRST] % len(clamp.coming)
        clamp.turn[FIRST] += 1
        for i in range(plan[at.TARGETS]):
            state[plan[at.S_TARGET] + i] = clamp.coming_V[place, i]
        solve(plan, state, now)
    else:
        sample(clamp, plan, state, now)


next_of_clamp = either(_never, _next, _none)
"""Time and number of what a clamp does next, and whether that is to hold; NEVER if it does nothing."""
act = either(_nothing, _act, _none)
"""What a clamp does next: it holds what came, or it samples."""
digital = either(_no, _digital, _none)
"""Whether there is a digital clamp."""
