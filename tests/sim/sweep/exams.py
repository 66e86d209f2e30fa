"""Held-out examples that do something to the process they are run in; it loads no more than them."""

import os
import signal

import numpy as np


class Deadly:
    """Held-out examples that kill the process they are run in."""

    source_V = np.zeros((1, 2))

    def answers(self, outputs_V):
        os.kill(os.getpid(), signal.SIGKILL)

    def accuracy(self, outputs_V):
        return 0.0


class Noting:
    """Held-out examples that note which process they are run in."""

    source_V = np.zeros((1, 2))

    def __init__(self, path):
        self.path = path

    def answers(self, outputs_V):
        with open(self.path, "a") as file:
            file.write(f"{os.getpid()}\n")
        return np.zeros(len(outputs_V))

    def accuracy(self, outputs_V):
        return 0.25
