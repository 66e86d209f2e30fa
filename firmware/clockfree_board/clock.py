"""The clock of one edge: integer random numbers, random waits, and time modulo 2**30 us.

Pure integers, and no imports but the emitters, so that MicroPython, CPython and a compiler for
sweeps run these very lines. Every value, intermediates included, stays in
-2**30 .. 2**30 - 1, a small integer on a 32-bit board: mask before shifting left.

The state of a clock is a mutable sequence of SIZE integers (a list, or
``array('i')``), changed in place: no allocation on the board.
"""

from clockfree_board.emitters import const, micropython

X = 0  # xorshift word, 1 .. 2**30 - 1
WEYL = 1  # Weyl counter, 29 bits
STRIDE = 2  # its odd increment, the edge's own
KIND = 3
MEAN = 4  # mean wait (or the edge's own period), in ticks of 2**SHIFT us
SHIFT = 5
SIZE = 6

EXPONENTIAL = const(0)
JITTERED = const(1)
PERIODIC = const(2)

MASK = const((1 << 30) - 1)
HALF = const(1 << 29)
_LOW15 = const((1 << 15) - 1)
_LOW28 = const((1 << 28) - 1)
_LOW29 = const((1 << 29) - 1)
_MOST_TICKS = const(8191)  # keeps (k * 2839 + T) * mean below 2**30
_LONGEST_SHIFT = const(11)  # keeps the longest wait below 2**29 us

# round(-ln(0.5 + (f + 0.5) / 512) * 4096): minus the logarithm within one octave
_OCTAVE = (
    2831, 2815, 2799, 2784, 2768, 2752, 2736, 2721, 2705, 2690, 2674, 2659, 2644, 2629, 2613, 2598,
    2583, 2568, 2553, 2538, 2524, 2509, 2494, 2479, 2465, 2450, 2436, 2421, 2407, 2392, 2378, 2364,
    2350, 2335, 2321, 2307, 2293, 2279, 2265, 2251, 2238, 2224, 2210, 2196, 2183, 2169, 2155, 2142,
    2129, 2115, 2102, 2088, 2075, 2062, 2049, 2035, 2022, 2009, 1996, 1983, 1970, 1957, 1944, 1932,
    1919, 1906, 1893, 1881, 1868, 1855, 1843, 1830, 1818, 1805, 1793, 1781, 1768, 1756, 1744, 1731,
    1719, 1707, 1695, 1683, 1671, 1659, 1647, 1635, 1623, 1611, 1599, 1587, 1576, 1564, 1552, 1541,
    1529, 1517, 1506, 1494, 1483, 1471, 1460, 1448, 1437, 1426, 1414, 1403, 1392, 1381, 1369, 1358,
    1347, 1336, 1325, 1314, 1303, 1292, 1281, 1270, 1259, 1248, 1237, 1227, 1216, 1205, 1194, 1184,
    1173, 1162, 1152, 1141, 1131, 1120, 1110, 1099, 1089, 1078, 1068, 1057, 1047, 1037, 1027, 1016,
    1006, 996, 986, 975, 965, 955, 945, 935, 925, 915, 905, 895, 885, 875, 865, 855,
    846, 836, 826, 816, 806, 797, 787, 777, 768, 758, 748, 739, 729, 720, 710, 701,
    691, 682, 672, 663, 653, 644, 635, 625, 616, 607, 598, 588, 579, 570, 561, 552,
    542, 533, 524, 515, 506, 497, 488, 479, 470, 461, 452, 443, 434, 425, 416, 408,
    399, 390, 381, 372, 364, 355, 346, 338, 329, 320, 312, 303, 294, 286, 277, 269,
    260, 252, 243, 235, 226, 218, 209, 201, 192, 184, 176, 167, 159, 151, 142, 134,
    126, 118, 109, 101, 93, 85, 77, 69, 60, 52, 44, 36, 28, 20, 12, 4,
)  # fmt: skip


@micropython.native
def draw(state):
    """Next 30 random bits: a full-period 30-bit xorshift (2, 9, 15) plus a 29-bit Weyl counter, modulo 2**30."""
    x = state[0]
    x ^= (x & _LOW28) << 2
    x ^= x >> 9
    x ^= (x & _LOW15) << 15
    state[0] = x
    w = (state[1] + state[2]) & _LOW29
    state[1] = w
    # The sum modulo 2**30 without ever leaving it: the top bit is added by XOR.
    return ((x & _LOW29) + w) ^ (x & HALF)


@micropython.native
def below(state, n):
    """Uniform integer in 0 .. n - 1, for n up to 2**15."""
    return ((draw(state) >> 15) * n) >> 15


def _mix(x, y):
    """Scramble 30 bits x with 30 bits y; a bijection of x."""
    for odd in (0x6A6B, 0x5D35, 0x4CF5):
        x ^= y
        x ^= x >> 15
        low = x & _LOW15
        # (low + 2**15 high) * odd without carries into bit 30
        x = (low * odd) ^ ((((x >> 15) * odd) & _LOW15) << 15)
        x ^= x >> 13
    return x


def seed(state, low, high, edge):
    """Start the generator of one edge (0 .. 32767) from two 30-bit seed words.

    Neighbouring seeds and edges give unrelated sequences: the words are mixed, the increment of the Weyl
    counter is different for every edge, and a zero xorshift word (which would stay zero) is refused.
    """
    x = _mix(_mix(_mix(0x2545F491, low & MASK), high & MASK), edge & MASK)
    state[0] = x if x else 0x1D872B41
    state[1] = _mix(x, 0x3C6EF372) & _LOW29
    state[2] = ((((((edge & _LOW15) * 19997) & _LOW28) ^ 0x9E3779B) & _LOW28) << 1) | 1
    for _ in range(8):
        draw(state)


def configure(state, kind, mean_us):
    """Set the kind of clock and its mean wait, 1 .. 16,775,168 us; call it after ``seed``.

    A tick is 2**s us with the smallest s that keeps the mean within 8191 ticks. A periodic clock draws a
    period of its own here, within 10% of the mean.
    """
    if not 1 <= mean_us <= _MOST_TICKS << _LONGEST_SHIFT:
        raise ValueError("mean wait outside 1 .. 16775168 us")
    shift = 0
    while mean_us >> shift > _MOST_TICKS:
        shift += 1
    ticks = mean_us >> shift
    if kind == PERIODIC:
        # drawn below 10/11 of the limit, so that the period also stays within 8191 ticks
        tenth = ticks // 10
        ticks += below(state, 2 * tenth + 1) - tenth
        if ticks > _MOST_TICKS:
            ticks = _MOST_TICKS
    state[3] = kind
    state[4] = ticks
    state[5] = shift


@micropython.native
def wait_us(state):
    """Draw the wait to the next firing, us (0 .. 2**29).

    Exponential: from 30 random bits, the leading zeros of the top 22 count octaves and the low 8 look up the
    logarithm within one. Jittered: uniform within 10% of the mean. Periodic: the edge's own period. The bits
    below a tick come from a second draw.
    """
    kind = state[3]
    ticks = state[4]
    if kind == 0:
        u = draw(state)
        f = u & 255
        k = 0
        while u < HALF and k < 22:
            u <<= 1
            k += 1
        ticks = ((k * 2839 + _OCTAVE[f]) * ticks + 2048) >> 12
    elif kind == 1:
        tenth = ticks // 10
        ticks += below(state, 2 * tenth + 1) - tenth
    shift = state[5]
    if shift:
        ticks = (ticks << shift) | (draw(state) >> (30 - shift))
    return ticks


def first_us(state):
    """Draw the wait to the very first firing, us: memoryless clocks as always, the others a random phase."""
    wait = wait_us(state)
    if state[3] == 0:
        return wait
    # a uniform fraction of one wait, in two 15-bit halves to stay small
    part = draw(state) >> 15
    return ((wait >> 15) * part) + (((wait & _LOW15) * part) >> 15)


@micropython.native
def ticks_add(t_us, delta_us):
    """Time t_us + delta_us modulo 2**30, for |delta_us| < 2**29: MicroPython's ``ticks_add`` of a 32-bit board."""
    return ((t_us - HALF + delta_us) & MASK) ^ HALF


@micropython.native
def ticks_diff(t_us, from_us):
    """Signed time from from_us to t_us, -2**29 .. 2**29 - 1: MicroPython's ``ticks_diff`` of a 32-bit board."""
    return (((t_us - from_us) & MASK) ^ HALF) - HALF
