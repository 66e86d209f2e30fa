"""Predictions against runs, and in what they say of a bench."""

import json
from dataclasses import replace

import numpy as np
import pytest

from clockfree.bench.boards import REHEARSED_AGAIN
from clockfree.commands import app
from clockfree.link.session import Session
from clockfree.runs.prediction import SEEDS, Prediction, predict
from clockfree_model.physics import BOARD, IDEAL
from clockfree_sim.sweep.seeds import run_seeds
from tests.host.racks import TASK, racked


class Silent:
    def say(self, text):
        pass

    def share(self, doing, done):
        pass


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    from clockfree.task.plan import make_plan

    file = tmp_path_factory.mktemp("predicted") / "task.toml"
    file.write_text(TASK)
    job = make_plan(file, {"preset": "board"}, ["updates=100"], False).job
    return job, predict(job, np.zeros((5, 0)), None, Silent())


def test_nine_of_ten_other_runs_lie_in_the_interval(predicted):
    job, found = predicted
    low_V2, high_V2 = found.interval_V2
    others_V2 = np.array(run_seeds(job, range(1000, 1200))[1].final_errors())
    inside = np.sum((others_V2 >= low_V2) & (others_V2 <= high_V2))
    assert 155 <= inside <= 195  # 180 of 200, three standard deviations, and those of the interval's own ends
    assert abs(np.sum(others_V2 < found.error_V2) - 100) < 45


def test_what_is_taken_away_is_what_the_physics_has(predicted):
    job, found = predicted
    assert found.known == ()
    assert [*found.without] == [
        "offsets of the edges", "noise of the edges", "mismatch of the twins", "INL of the edges' ADCs",
        "error of the clamp", "lag of decisions",
    ]  # fmt: skip
    ideal = predict(replace(job, physics=replace(IDEAL, supply_V=BOARD.supply_V)), np.zeros((5, 0)), None, Silent())
    assert ideal.without == {}
    assert ideal.steps == (1.0, 1.0, 1.0)


def made_up(best_V2=1e-9, steps=(0.9, 0.5, 1.5), **without):
    return Prediction(None, (), np.geomspace(1e-7, 1e-5, SEEDS), best_V2, 10.0, None, without, steps)


def test_limits_name_what_is_seen_and_nothing_else():
    assert made_up().limits().startswith("steps of the potentiometers")
    assert made_up(best_V2=6e-7).limits().startswith("reach")
    assert made_up(noise=(0.5, 0.2, 1.2), steps=(0.3, 0.1, 0.9)).limits().startswith("several imperfections together")
    assert made_up(noise=(0.5, 0.2, 0.9), mismatch=(0.4, 0.2, 0.8)).limits().startswith("mismatch: without it 0.40")


def test_boards_are_asked_what_they_are_and_keep_their_taps(tmp_path, capsys, monkeypatch):
    told_us = [90000, 80000]
    really = Session.ask

    def held_up(session, command, *values, **limits):
        found = really(session, command, *values, **limits)
        return (
            [told_us.pop(0)]
            if command == "rehearse" and session.board.edges[0].edge == "left-right" and told_us
            else found
        )

    monkeypatch.setattr(Session, "ask", held_up)
    (tmp_path / "task.toml").write_text(TASK)
    with racked(tmp_path / "task.toml", tmp_path / "bench.toml", 'preset="board"', "physics.offset_V=0.02") as (
        rack,
        file,
    ):
        asked = [
            "predict",
            str(file),
            str(tmp_path / "task.toml"),
            "--preset",
            "board",
            "--set",
            "updates=40",
            "--json",
        ]
        assert app.status_of(asked) == 0
        found = json.loads(capsys.readouterr().out)
        told_us[:] = [90000] * (1 + REHEARSED_AGAIN)
        assert app.status_of(asked) == 2
        assert "edge left-right: 50 firings/s asked, this board holds " in capsys.readouterr().err
        app.status_of(["read", "--bench", str(file), "--json"])
        now = json.loads(capsys.readouterr().out)
    assert found["measured"]["offset_V"] > 2 * BOARD.offset_V
    assert found["measured"]["age_us"] > 0
    assert found["n_r_tau"] > 0
    assert {edge["tap"] for edge in now["edges"]} == {64}
