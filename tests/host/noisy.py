"""A bad cable: a port some of whose bytes are flipped on the way, in both directions."""

import random


class NoisyPort:
    """A port with one bit in `rate` of its bytes flipped, while `on()` says so."""

    def __init__(self, port, rate=0.01, seed=1, on=lambda: True):
        self.__dict__.update(_port=port, _rate=rate, _random=random.Random(seed), _on=on)

    def __getattr__(self, name):
        return getattr(self._port, name)

    def __setattr__(self, name, value):
        setattr(self._port, name, value)

    def read(self, most=1):
        return self._flipped(self._port.read(most))

    def write(self, data):
        return self._port.write(self._flipped(data))

    def _flipped(self, data):
        if not self._on():
            return data
        random = self._random
        flip = (1 << random.randrange(8) if random.random() < self._rate else 0 for _ in data)
        return bytes(byte ^ bit for byte, bit in zip(data, flip, strict=False))
