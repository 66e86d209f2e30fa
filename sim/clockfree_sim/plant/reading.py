"""How the supervisor reads the free outputs: what its ADCs are like, for objects and for compiled code."""

from array import array
from typing import NamedTuple

from clockfree_model.job import Job
from clockfree_model.parts import ADC, CONVERTERS
from clockfree_model.settings import OVERCLAMP
from clockfree_sim.parts.converters import PERFECT, smooth_levels
from clockfree_sim.plant import noise


class SupervisorAdc(NamedTuple):
    """The supervisor's ADCs, part to part.

    `offset_V` is that of the channel of each output, V, `noise_V` the rms noise of one conversion, V, `levels` are as
    `code_transfer` takes them, of each chip.
    """

    offset_V: list[float]
    noise_V: float
    levels: "list[array[float]]"


def supervisor_adc(job: Job) -> SupervisorAdc:
    """Draw them. Where the clamp nudges, its readings are told and decide nothing: they are perfect."""
    outputs, physics = len(job.targets), job.physics
    chips = -(-outputs // CONVERTERS[ADC].channels)
    if job.clamp.kind != OVERCLAMP:
        return SupervisorAdc([0.0] * outputs, 0.0, [PERFECT] * chips)
    draw = noise.stream(job.seed, len(job.network.ends) + 1, noise.FIXED, normal=True)  # the clamp's is before it
    inl_lsb = physics.adc_inl_lsb
    levels = [smooth_levels(draw, inl_lsb) if inl_lsb else PERFECT for _ in range(chips)]
    offset_V = [physics.offset_V * draw() for _ in range(outputs)]
    return SupervisorAdc(offset_V, physics.noise_V / 2**0.5, levels)  # a drop is that of two conversions
