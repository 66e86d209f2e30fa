"""An int that behaves like a small integer of a 32-bit MicroPython board, and raises where one would overflow."""

import operator

LEAST, MOST = -(1 << 30), (1 << 30) - 1


class Small(int):
    """Every arithmetic result is a Small; one outside 31 bits raises OverflowError (law 7)."""

    def __new__(cls, value):
        if not LEAST <= value <= MOST:
            raise OverflowError(f"{value} does not fit a small int of a 32-bit board")
        return super().__new__(cls, value)


def _checked(name):
    plain = getattr(int, name)

    def method(self, *others):
        result = plain(self, *others)
        return result if result is NotImplemented else Small(result)

    return method


for _name in ("add", "sub", "mul", "floordiv", "mod", "lshift", "rshift", "and", "or", "xor"):
    assert hasattr(operator, f"__{_name}__")
    for _method in (f"__{_name}__", f"__r{_name}__"):
        setattr(Small, _method, _checked(_method))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(Small, f"__{_name}__", _checked(f"__{_name}__"))
