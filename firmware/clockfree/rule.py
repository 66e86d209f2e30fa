"""The learning rule of one edge: what it senses becomes a step of its resistor.

Pure integers and no imports, so that MicroPython, CPython and a compiler for
sweeps run these very lines. Every value, intermediates included, stays in
-2**30 .. 2**30 - 1, a small integer on a 32-bit board.

A step is UP (+1, R grows), STAY (0) or DOWN (-1, R shrinks).
"""

UP = 1
STAY = 0
DOWN = -1


def from_bits(a, b):
    """Step from the two comparator bits (truth table of eq. 10).

    a is 1 where dV_C > dV_F, b is 1 where dV_C + dV_F > 0. Their XOR says
    |dV_C| < |dV_F|: the clamped twin dissipates less here, so R goes down.
    """
    return 1 - ((a ^ b) << 1)


def from_drops(free, clamped, gate):
    """Step from the two measured drops (1/16 ADC code): the sign of q, beyond the gate.

    q = |dV_C| - |dV_F|. A tie, and any |q| up to the gate, never steps; a gate
    of 0 is the plain rule, a gate of floor + dither the dithered threshold.
    """
    q = abs(clamped) - abs(free)
    if q > gate:
        return 1
    if q < -gate:
        return -1
    return 0


def agreed(above, below):
    """Step on which two readings of a trimmed comparator agree, else STAY.

    above and below are the steps read with the trim at +gate and at -gate.
    """
    return above if above == below else 0


def moved(tap, step, lowest, highest):
    """Tap after a step; unchanged where the step would pass a rail (a lost step)."""
    after = tap + step
    if after < lowest or after > highest:
        return tap
    return after
