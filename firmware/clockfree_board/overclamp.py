"""Overclamping: how far a clamp of constant size holds each output from where it floats. Pure integers, as `rule`.

Free outputs are in 1/16 ADC code (c16), as the sum of READS readings; the DAC's codes are as large as the ADC's.
"""

from clockfree_board.emitters import const

READS = 16
POINTS = 16  # at which readings are nulled against the DAC, evenly over its range
_FIRST = const(128)
_TOP = const(4095)

# What is asked of the clamp.
AMPLITUDE = 0  # codes
GAIN = 1  # the most that it makes of an error, 1/16; 0 is as much as the amplitude allows
TOLERANCE = 2  # largest error of an output, c16, above which it holds
RELEASE = 3  # and at or below which it lets go again
HINGE = 4  # how clearly an example is to be answered to be let go, 1/128; -1 never lets go for that
ASKED = 5


def point(number):
    """Code of the DAC at which readings are nulled."""
    return _FIRST + 256 * number


def nulled(nulls, first, read):
    """A reading, c16, without what nulling found of it, which is interpolated; `nulls` of its output begin at first."""
    at = read - (_FIRST << 4)
    if at <= 0:
        return read - nulls[first]
    before = at >> 12
    if before >= POINTS - 1:
        return read - nulls[first + POINTS - 1]
    low = nulls[first + before]
    return read - low - (((nulls[first + before + 1] - low) * (at & 4095)) >> 12)


def rounded(c16):
    """The nearest code that there is."""
    code = (c16 + 8) >> 4
    return 0 if code < 0 else _TOP if code > _TOP else code


def answered(classes, free, example, first, share):
    """1 where free outputs are nearer to what is desired, the example's codes from first on, than to any other class.

    Of the squares of distances, the difference is to be more than a share, 1/128, of what separates the two classes.
    """
    for k in range(len(classes)):
        other = classes[k]
        nearer = apart = 0
        for i in range(len(free)):
            code = (free[i] + 8) >> 4
            own = code - example[first + i]
            off = code - other[i]
            between = other[i] - example[first + i]
            nearer += off * off - own * own
            apart += between * between
        if apart and nearer <= share * (apart >> 7):
            return 0
    return 1


def aim(asked, classes, free, example, first, codes, held):
    """Codes of the DAC for a clamp at V_F + e min(gain, amplitude / max |e|), within its range; 0 where it lets go.

    Parameters
    ----------
    asked : sequence of ASKED int
    classes : sequence of rows, what is desired in each class, codes; used with a hinge alone
    free : sequence of int
        Free outputs, c16.
    example : sequence of int
        Codes of the example that is shown; those desired of the outputs begin at first.
    codes : mutable sequence of int
        Filled.
    held : int
        1 where the clamp holds already.
    """
    worst = 0
    for i in range(len(free)):
        off = (example[first + i] << 4) - free[i]
        if off < 0:
            off = -off
        if off > worst:
            worst = off
    if worst <= asked[RELEASE if held else TOLERANCE]:
        return 0
    if asked[HINGE] >= 0 and answered(classes, free, example, first, asked[HINGE]):
        return 0
    amplitude = asked[AMPLITUDE]
    gain = asked[GAIN]
    if not gain or gain * worst >= amplitude << 8:
        gain = 0
    for i in range(len(free)):
        off = (example[first + i] << 4) - free[i]
        size = -off if off < 0 else off
        far = (gain * size + 128) >> 8 if gain else (amplitude * size + (worst >> 1)) // worst
        code = ((free[i] + 8) >> 4) + (far if off > 0 else -far)
        codes[i] = 0 if code < 0 else _TOP if code > _TOP else code
    return 1
