"""The digital clamp: it reads the free outputs, and a delay later holds the clamped ones nudged from them."""

from collections import deque

import numpy as np

from clockfree_sim.circuit.twins import Circuit
from clockfree_sim.plant.timeline import NEVER, Time


class DigitalClamp:
    """The clamp of all outputs.

    Parameters
    ----------
    circuit : Circuit
    time : Time
    period_us, delay_us : int
        From one sample to the next, and until a sample is held, us.
    error_V : (O,) float
        Its own fixed error at each output, V.

    Attributes
    ----------
    period_us, delay_us, error_V : as given
    held_V : (O,) float
        What it holds now, V.
    desired_V : (O,) float
    eta : float
        What it nudges towards, V, and how far.
    coming : deque of (int, (O,) float)
        What was sampled and is not held yet: when it will be, us, and V.
    sample_us : int
        When it samples next; `NEVER` while it rests.
    """

    def __init__(self, circuit: Circuit, time: Time, period_us: int, delay_us: int, error_V: np.ndarray):
        self._circuit, self._time = circuit, time
        self.period_us, self.delay_us = period_us, delay_us
        self.error_V = error_V
        self.held_V = np.zeros(len(error_V))
        self.desired_V = np.zeros(len(error_V))
        self.eta = 0.0
        self.coming: deque[tuple[int, np.ndarray]] = deque()
        self.sample_us = NEVER
        self._driven = 0  # counts changes of the supplies: what was sampled before one is dropped

    def rest(self) -> None:
        """It does nothing until it is driven again, and forgets what it sampled."""
        self._driven += 1
        self.coming.clear()
        self.sample_us = NEVER

    def drive(self, source_V: np.ndarray, desired_V: np.ndarray, eta: float) -> None:
        """The supplies have changed: until the first new sample arrives, it goes on holding the old one."""
        self.rest()
        self.desired_V, self.eta = desired_V, eta
        self._circuit.example(source_V, self.held_V, 1.0, now_us=self._time.now_us)
        self._sample(self._driven)

    def _sample(self, driven: int) -> None:
        if driven != self._driven:
            return
        time = self._time
        free_V = self._circuit.v_free[self._circuit.targets]
        held_V = free_V + self.eta * (self.desired_V - free_V) + self.error_V
        hold_us = time.now_us + self.delay_us
        self.coming.append((hold_us, held_V))
        time.later(hold_us, self._hold, driven)
        self.sample_us = time.now_us + self.period_us
        time.later(self.sample_us, self._sample, driven)

    def _hold(self, driven: int) -> None:
        if driven == self._driven:
            _, self.held_V = self.coming.popleft()
            self._circuit.hold_clamp(self.held_V, self._time.now_us)
