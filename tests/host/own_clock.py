"""When an edge fired, against when its own generator alone would have it fire."""

import numpy as np

from clockfree_board import clock
from clockfree_model.job import gate_c16
from clockfree_model.rates import waits_us


def late_us(job, edge, times_us):
    """How late each firing of a run without dropped firings was, us (n,), but for one amount that all share.

    The host knows the instant of RUN to some ms only. A firing that is late does not move the next.
    """
    state = [0] * clock.SIZE
    clock.seed(state, job.seed & clock.MASK, job.seed >> 30 & clock.MASK, edge)
    clock.configure(state, clock.EXPONENTIAL, waits_us(job, edge)[0])
    clock.first_us(state)
    _, dither_c16, _ = gate_c16(job.edge, job.physics)
    due_us = [0]
    for _ in times_us[1:]:
        if dither_c16:  # the threshold is drawn before the wait
            clock.below(state, dither_c16 + 1)
        due_us.append(due_us[-1] + clock.wait_us(state))
    late = np.array([clock.ticks_diff(int(t), int(times_us[0])) for t in times_us]) - np.array(due_us)
    return late - late.min()
