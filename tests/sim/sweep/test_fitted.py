"""Imperfections fitted to trims, against those that were put in."""

from dataclasses import replace

import numpy as np
import pytest

from clockfree_model.calibration import calibrate
from clockfree_model.job import Job, Lesson
from clockfree_model.network import load
from clockfree_model.physics import BOARD
from clockfree_model.settings import EdgeSettings
from clockfree_sim.plant.setup import HoldOfBoards, Setup
from clockfree_sim.sweep.fitted import fitted, trims

NETWORK = load("planar:40:80:1")  # many edges tell more than sixteen
FRONT = {"adc": ("offset_V", "mismatch", "noise_V"), "trimmed": ("offset_V",), "comparator": ()}


def job(front_end):
    lesson = Lesson("one", 0.0, np.array([[3.0, 0.2, 1.0]]), np.array([[1.5]]))
    return Job(NETWORK, (0, 20, 33), (7,), (lesson,), physics=BOARD, edge=EdgeSettings(front_end=front_end), seed=2)


@pytest.mark.parametrize("front_end", FRONT)
def test_what_was_put_in_is_found(front_end):
    usual = job(front_end)
    drawn = replace(usual, seed=77, physics=replace(BOARD, offset_V=0.009, mismatch=0.006, noise_V=0.0011))
    physics, known = fitted(usual, trims(drawn))
    assert known == FRONT[front_end]
    for name in known:
        assert getattr(physics, name) == pytest.approx(getattr(drawn.physics, name), rel=0.3)
        assert abs(getattr(BOARD, name) / getattr(drawn.physics, name) - 1) > 0.3  # the preset would not do
    assert replace(physics, **{name: getattr(BOARD, name) for name in known}) == BOARD


@pytest.mark.parametrize("front_end", ["adc", "trimmed"])
def test_compiled_edges_find_what_boards_find(front_end):
    small = replace(job(front_end), network=load("lab16"), sources=(0, 1, 2), targets=(4,))
    setup = Setup(small)
    calibrate(small, HoldOfBoards(setup))
    assert trims(small).tolist() == [board.sense.trims() for board in setup.boards]


def test_nothing_put_in_is_nothing_found():
    usual = job("adc")
    physics, _ = fitted(usual, trims(replace(usual, seed=78, physics=replace(BOARD, offset_V=0.0, mismatch=0.0))))
    assert physics.offset_V < 0.0015  # what the ADC's INL leaves
    assert physics.mismatch < 0.001
