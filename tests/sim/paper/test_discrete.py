"""What later figures share: one run of edges that step."""

import re
from pathlib import Path

import numpy as np
import pytest

from clockfree_model.physics import BOARD
from clockfree_model.settings import EdgeSettings
from clockfree_sim import paper
from clockfree_sim.paper.discrete import job, learnt
from clockfree_sim.paper.tasks import Kind, make_task
from tests.sim.jobs import resistance, solve

TASK = make_task(Kind("lab16", 2, 3), 5)


def test_what_is_taught_is_what_the_supervisor_can_show():
    ideal, board = job(TASK, 1), job(TASK, 1, physics=BOARD)
    for made in (ideal, board):
        for volts in (made.lessons[0].source_V, made.lessons[0].desired_V):
            codes = volts / made.physics.supply_V * 4096
            assert codes == pytest.approx(np.rint(codes), abs=1e-9) and codes.max() <= 4095
    assert ideal.lessons[0].desired_V == pytest.approx(TASK.lesson.desired_V, abs=5 / 4096)
    # 0 .. 5 V between 0.1 V of margin at each end of 3.3 V
    assert board.lessons[0].desired_V == pytest.approx(0.1 + TASK.lesson.desired_V * 3.1 / 5, abs=3.3 / 4096)


def test_a_run_is_what_its_taps_say():
    """Errors and counters against the recorded taps, by the tests' own solver."""
    made = job(TASK, 3, "sync", eta=1.0, updates=40, samples=40)
    found = learnt(made)
    lesson = made.lessons[0]
    for i in (0, 17, 40):
        ohm = resistance(found.taps[i].astype(int))
        outputs = [solve(made.network, ohm, made.sources, row)[list(made.targets)] for row in lesson.source_V]
        assert found.error_V2[i] == pytest.approx(np.mean((np.array(outputs) - lesson.desired_V) ** 2))
    moves = np.abs(np.diff(found.taps.astype(int), axis=0)).sum(axis=1)  # at most one each, a sample a round
    steps = found.counters["up"] + found.counters["down"]
    assert (np.diff(steps) == moves).all() and moves.sum() > 100
    assert found.counters["firings"].tolist() == [16 * n for n in range(41)]
    assert found.stepping == moves.sum() / (16 * 40)
    # Every state stands for a round: those that edges decided on in rounds 33 to 40, or 9 and 10.
    assert found.final_V2 == pytest.approx(found.error_V2[32:40].mean())
    assert found.error_at(10) == pytest.approx(found.error_V2[8:10].mean())


def test_settings_reach_the_run():
    made = job(TASK, 3, edge=EdgeSettings(front_end="adc", theta_V=0.02, f_V=0.003), dwell_s=0.7, updates=20)
    assert (made.edge.theta_V, made.clamp.dwell_s, made.schedule) == (0.02, 0.7, "clockfree")
    assert learnt(made).stepping < 0.9


def test_no_default_of_a_preset_moves_a_figure():
    """The edges that figures compare are named in `edges` and nowhere taken from a preset."""
    sources = {each.name: each.read_text(encoding="utf-8") for each in Path(paper.__file__).parent.rglob("*.py")}
    assert len(sources) > 20
    found = {name: re.findall(r"\b(?:EDGES|CLAMPS|of_preset|DITHERED)\b", text) for name, text in sources.items()}
    assert not {name: words for name, words in found.items() if words and name != "fig3.py"}
