"""The learning rule of one edge: what it senses becomes a step of its resistor.

Pure integers, and no imports but the emitters, so that MicroPython, CPython
and a compiler for sweeps run these very lines. Every value, intermediates included, stays in
-2**30 .. 2**30 - 1, a small integer on a 32-bit board.

A step is UP (+1, R grows), STAY (0) or DOWN (-1, R shrinks).
"""

from clockfree_board.emitters import const, micropython

UP = 1
STAY = 0
DOWN = -1

# Orders in D = dV_C - dV_F, the change that the clamp makes. The paper's is the second, by the sign of
# dV_C^2 - dV_F^2 = D (2 dV_F + D); the first leaves out D^2, which says up whatever is desired.
FIRST = const(1)
SECOND = const(2)

MEMORY = 3
# What an edge that sums keeps: its sum, times that its bar is halved, its last step.
TOTAL = const(0)
HALVED = const(1)
LAST = const(2)
MOST_HALVED = const(3)
LEAST_BAR = 1 << MOST_HALVED  # halved as often as can be, it is still something


@micropython.native
def from_bits(a, b):
    """Step from the two comparator bits (truth table of eq. 10).

    a is 1 where dV_C > dV_F, b is 1 where dV_C + dV_F > 0. Their XOR says
    |dV_C| < |dV_F|: the clamped twin dissipates less here, so R goes down.
    Of the first order b is 1 where dV_F > 0, and their XOR says that dV_F and
    its change have opposite signs: the same table.
    """
    return 1 - ((a ^ b) << 1)


@micropython.native
def q_of(free, clamped, order):
    """What an edge decides on, q, from its two measured drops; all in 1/16 ADC code.

    Of the second order q = |dV_C| - |dV_F|. Of the first it is the change dV_C - dV_F, with the sign of dV_F, and at
    most 2 |dV_F| either way: an edge whose own drop is lost in its offset has no sign to go by, and stays. Both are the
    same number where the two drops have one sign and the change is no more than that, so thresholds mean the same.
    """
    if order == FIRST:
        more = clamped - free
        if free < 0:
            free = -free
            more = -more
        most = free + free
        return most if more > most else -most if more < -most else more
    return (clamped if clamped > 0 else -clamped) - (free if free > 0 else -free)


@micropython.native
def from_q(q, gate):
    """Step from q: its sign, beyond the gate.

    A tie, and any |q| up to the gate, never steps; a gate of 0 is the plain
    rule, a gate of floor + dither the dithered threshold.
    """
    if q > gate:
        return 1
    if q < -gate:
        return -1
    return 0


@micropython.native
def from_total(memory, q, floor, bar):
    """Step from drops summed over firings: q adds up, less a floor at each firing, until it passes a bar.

    Noise averages out in the sum, which falls back to zero where |q| stays below the floor. For floor < |q| < floor +
    bar the mean number of steps a firing is (|q| - floor) / bar, as for a floor and a dither as wide as the bar. The
    bar follows the edge's own steps: one the same way as the last halves it, down to an eighth, one the other way
    doubles it, so that an edge which knows where to go is fast and one which does not waits for more.

    Parameters
    ----------
    memory : mutable sequence of MEMORY int, zeros at first
    q, floor, bar : int
        What a firing adds, what the sum loses at each, and the bar at its largest, at least LEAST_BAR; 1/16 ADC code.
    """
    halved = memory[HALVED]
    bar >>= halved
    # A reading while nodes settle may be volts off: no firing counts for more than one step.
    most = floor + bar
    if q > most:
        q = most
    elif q < -most:
        q = -most
    total = memory[TOTAL] + q
    if total > floor:
        total -= floor
    elif total < -floor:
        total += floor
    else:
        total = 0
    step = 0
    if total >= bar:
        step = 1
        total -= bar
    elif total <= -bar:
        step = -1
        total += bar
    memory[TOTAL] = total
    if step:
        if step != memory[LAST]:
            memory[LAST] = step
            if halved:
                memory[HALVED] = halved - 1
        elif halved < MOST_HALVED:
            memory[HALVED] = halved + 1
    return step


def agreed(above, below):
    """Step on which two readings of a trimmed comparator agree, else STAY.

    above and below are the steps read with the trim at +gate and at -gate.
    """
    return above if above == below else 0
