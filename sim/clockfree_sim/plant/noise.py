"""Compiled draws of the physics' noise: `clockfree_model.draws`, and what the simulation draws from them in blocks."""

from types import FunctionType

import numpy as np
from numba import boolean, float64, int64, uint64, void

from clockfree_model import draws
from clockfree_model.draws import BIAS, DECISION, FIXED, LATENESS
from clockfree_sim.circuit.caching import kept

__all__ = ["BIAS", "DECISION", "FIXED", "LATENESS", "gauss", "key_of", "stream", "streams", "uniform"]

_NAMES: dict[str, object] = {"__name__": __name__, "word": uint64}


def _compiled(function, signature):
    """Compile a function of the model over globals in which an integer is a machine word, and put it among them."""
    made = kept(signature)(FunctionType(function.__code__, _NAMES, function.__name__))
    _NAMES[function.__name__] = made
    return made


_compiled(draws.scramble, uint64(uint64))
uniform = _compiled(draws.uniform, float64(uint64, int64))
key_of = _compiled(draws.key_of, uint64(uint64, int64, int64))


@kept(float64(uint64, int64))
def gauss(key, count):
    """Draw number ``count`` of a stream: standard normal, by inversion (Wichura, Appl. Stat. 37, 477: AS 241)."""
    q = uniform(key, count) - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = ((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
                  + 45921.953931549871457) * r + 13731.693765509461125) * r + 1971.5909503065514427) * r
               + 133.14166789178437745) * r + 3.387132872796366608  # fmt: skip
        low = ((((((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
                  + 21213.794301586595867) * r + 5394.1960214247511077) * r + 687.1870074920579083) * r
               + 42.313330701600911252) * r + 1.0  # fmt: skip
        return q * top / low
    r = np.sqrt(-np.log(0.5 - abs(q)))
    if r <= 5.0:
        r -= 1.6
        top = ((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r
                  + 1.27045825245236838258) * r + 3.64784832476320460504) * r + 5.7694972214606914055) * r
               + 4.6303378461565452959) * r + 1.42343711074968357734  # fmt: skip
        low = ((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r
                  + 0.14810397642748007459) * r + 0.68976733498510000455) * r + 1.6763848301838038494) * r
               + 2.05319162663775882187) * r + 1.0  # fmt: skip
    else:
        r -= 5.0
        top = ((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r
                  + 0.026532189526576123093) * r + 0.29656057182850489123) * r + 1.7848265399172913358) * r
               + 5.4637849111641143699) * r + 6.6579046435011037772  # fmt: skip
        low = ((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r
                  + 7.868691311456132591e-4) * r + 0.0148753612908506148525) * r + 0.13692988092273580531) * r
               + 0.59983220655588793769) * r + 1.0  # fmt: skip
    return top / low if q > 0.0 else -top / low


@kept(void(uint64, int64, float64[::1], boolean))
def _block(key, first, out, normal):
    for i in range(len(out)):
        out[i] = gauss(key, first + i) if normal else uniform(key, first + i)


@kept(void(uint64, int64, float64[:, ::1], boolean))
def _first_blocks(seed, purpose, out, normal):
    for edge in range(len(out)):
        _block(key_of(seed, edge, purpose), 0, out[edge], normal)


def stream(seed: int, edge: int, purpose: int, *, normal: bool, block: int = 256):
    """Return a callable that gives one float after another: standard normal, or uniform in (0, 1)."""
    return _stream(seed, edge, purpose, normal, block, [], 0)


def streams(seed: int, edges: int, purpose: int, *, normal: bool, block: int = 16):
    """`stream` of each of so many edges, with the first block of all drawn at once."""
    first = np.empty((edges, block))
    _first_blocks(seed & 0xFFFFFFFFFFFFFFFF, purpose, first, normal)
    drawn = first[:, ::-1].tolist()
    return [_stream(seed, edge, purpose, normal, block, left, block) for edge, left in enumerate(drawn)]


def _stream(seed: int, edge: int, purpose: int, normal: bool, block: int, left: list[float], count: int):
    """A stream with what is left of its last block, and how many have been drawn."""

    def draw() -> float:
        nonlocal count
        if not left:
            out = np.empty(block)
            _block(key_of(seed & 0xFFFFFFFFFFFFFFFF, edge, purpose), count, out, normal)
            count += block
            left.extend(out[::-1].tolist())
        return left.pop()

    return draw
