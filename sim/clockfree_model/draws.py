"""The physics' own random draws: one integer generator per edge and purpose, never the edge's clock.

Counter-based (splitmix64; Steele, Lea and Flood, OOPSLA 2014), so that a draw depends on (seed, edge, purpose, count)
alone: objects that draw in blocks and compiled code that draws one by one see the same noise. The functions are plain
integers, every product of which passes `word`; the simulation compiles these very code objects with a machine word in
its place, as it does with the firmware's.
"""

FIXED, DECISION, BIAS, LATENESS, RATE = range(5)
"""Purposes: part-to-part constants, noise of a decision, the paper's sigma, a busy board's delay, an edge's rate."""


def word(number: int) -> int:
    """An integer as 64 bits have it."""
    return number & 0xFFFFFFFFFFFFFFFF


def scramble(z: int) -> int:
    """Finalizer of splitmix64: one word to another, one to one."""
    z = word((z ^ (z >> word(30))) * word(0xBF58476D1CE4E5B9))
    z = word((z ^ (z >> word(27))) * word(0x94D049BB133111EB))
    return z ^ (z >> word(31))


def uniform(key: int, count: int) -> float:
    """Draw number ``count`` of a stream: uniform in (0, 1), never its ends."""
    bits = scramble(word(word(key) + word(0x9E3779B97F4A7C15) * word(count + 1))) >> word(11)
    return (float(bits) + 0.5) / 9007199254740992.0


def key_of(seed: int, edge: int, purpose: int) -> int:
    """Key of one stream, 64 bits."""
    return scramble(scramble(scramble(word(seed)) ^ word(edge)) ^ (word(purpose) << word(56)))
