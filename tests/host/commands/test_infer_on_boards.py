"""Rows asked of boards in HOLD, against the simulated twin and the step of the supervisor's ADC."""

import json
from dataclasses import replace

import numpy as np
import pytest

import clockfree as cf
from clockfree.base.errors import InputError
from clockfree.commands import app
from tests.host.racks import TASK, racked

VOLTS = [[1.5, -1.3], [0.2, -0.9], [-0.4, 0.8]]


def test_boards_answer_what_the_simulation_does_and_keep_what_they_have_learnt(tmp_path, capsys):
    (tmp_path / "task.toml").write_text(TASK)
    (tmp_path / "new.csv").write_text("\n".join(["top,bottom", *(f"{a},{b}" for a, b in VOLTS)]))
    run = cf.run(tmp_path / "task.toml", out=tmp_path / "run", seed=5)
    asked = ["infer", str(tmp_path / "run"), str(tmp_path / "new.csv"), "--bench"]
    with racked(tmp_path / "task.toml", tmp_path / "bench.toml") as (rack, file):
        assert app.status_of([*asked, str(file)]) == 2
        line = capsys.readouterr().err.splitlines()[-1]
        stand = int((run.taps != 64).sum())
        assert f"expected the run's taps, {stand} of 5 edges stand elsewhere (top-left at tap 64): --move moves" in line
        assert app.status_of([*asked, str(file), "--move", "--json"]) == 0
        captured = capsys.readouterr()
        answers = json.loads(captured.out)["answers"]
        assert f"moving {stand} of 5 edges to the run's taps" in captured.err
        again = run.outputs(VOLTS, file)
        there = cf.run(
            tmp_path / "task.toml", bench=file, updates=0, start_taps=run.taps.values.tolist(), out=tmp_path / "0"
        )
    step_V = 5.0 / 4096
    np.testing.assert_allclose([row["left"] for row in answers], run.outputs(VOLTS)[:, 0], rtol=0, atol=step_V)
    np.testing.assert_allclose(again, run.outputs(VOLTS), rtol=0, atol=step_V)
    assert there.summary["firings"] == 0 and there.ended == "done" and not there.failures
    np.testing.assert_allclose(there.final_error_V2, run.data.error[-1], rtol=0, atol=2 * step_V * 0.05)
    assert np.ptp(again.values) > 100 * step_V


def test_what_boards_cannot_be_asked_is_refused_before_any_is_called(tmp_path):
    (tmp_path / "task.toml").write_text(TASK)
    run = cf.run(tmp_path / "task.toml", damage=[{"edges": ["top-left"], "kind": "cut", "at_updates": 20}])
    with pytest.raises(InputError, match="whose edges are whole, got one with top-left cut"):
        run.outputs(VOLTS, "virtual")
    lost = replace(
        run.record, samples=[{**run.record.samples[-1], "taps": np.full(5, -1)}], job=replace(run.record.job, damage=())
    )
    with pytest.raises(InputError, match="whose taps are known"):
        cf.Run(lost, None, {"run": None}).outputs(VOLTS, "virtual")
