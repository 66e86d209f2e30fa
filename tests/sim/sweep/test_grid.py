"""A sweep file as a grid: what its points set, and what is wrong with others."""

import tomllib
from pathlib import Path

import pytest

from clockfree_sim.sweep.grid import SweepError, SweepFile, grid


def gridded(text, folder=Path("nowhere")):
    return grid(SweepFile.model_validate(tomllib.loads(text)), folder / "sweep.toml")


def test_points_are_all_combinations_with_the_last_axis_fastest():
    found = gridded('task = "t.toml"\n[axes]\nrule = ["clockfree", "p=0.5"]\nclamp.eta = [0.25, 1]\nupdates = "3..5"')
    assert [axis.name for axis in found.axes] == ["rule", "clamp.eta", "updates"]
    assert [axis.values for axis in found.axes] == [("clockfree", "p=0.5"), (0.25, 1), (3, 4, 5)]
    assert found.shape == (2, 2, 3)
    cells = list(found.cells())
    assert len(cells) == 12 and len({cell.at for cell in cells}) == 12
    assert [cell.at for cell in cells[:4]] == [(0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 1, 0)]
    assert cells[-1].sets == ('rule="p=0.5"', "clamp.eta=1", "updates=5")
    assert cells[-1].where == "rule = p=0.5, clamp.eta = 1, updates = 5"
    assert {cell.task for cell in cells} == {Path("t.toml")}


def test_several_keys_take_one_value():
    axis, other = gridded('task = "t"\n[axes]\n"seed task_seed" = "0..39"\np = [1, 0.5]').axes
    assert (axis.name, axis.keys, axis.values) == ("seed", ("seed", "task_seed"), tuple(range(40)))
    assert axis.settings[7] == {"seed": 7, "task_seed": 7}
    assert (other.name, other.values) == ("p", (1, 0.5))
    assert other.settings == ({"rule": "p=1"}, {"rule": "p=0.5"})


def test_variants_are_pieces_of_a_task_file_with_names():
    found = gridded("""
        task = "t"
        [set]
        updates = 10
        [set.physics]
        noise_V = 0.001
        [variants.remedy.plain]
        edge = { calibrate = false, f_V = 0.0 }
        [variants.remedy.calibrated.edge]
        calibrate = true
        [[variants.remedy.calibrated.lesson]]
        source_V = [[0.0, 5.0]]
        desired_V = [[1.5]]
        """)
    (axis,) = found.axes
    assert axis.values == ("plain", "calibrated")
    assert axis.keys == ("edge.calibrate", "edge.f_V", "lesson")
    plain, calibrated = found.cells()
    assert plain.sets == ("updates=10", "physics.noise_V=0.001", "edge.calibrate=false", "edge.f_V=0.0")
    *_, calibrate, lesson = calibrated.sets
    assert calibrate == "edge.calibrate=true"
    assert tomllib.loads(lesson) == {"lesson": [{"source_V": [[0.0, 5.0]], "desired_V": [[1.5]]}]}


def test_values_that_are_no_numbers_stand_on_the_axis_as_text():
    axes = 'edge.calibrate = [true, false]\nplacement.sources = [2, ["A", "C"]]\nname = ["é \\"x\\"", "1"]'
    found = gridded(f'task = "t"\n[axes]\n{axes}')
    assert [axis.values for axis in found.axes] == [("true", "false"), ("2", '["A", "C"]'), ('é "x"', "1")]
    for cell in found.cells():
        for text in cell.sets:
            key, _, value = text.partition("=")
            assert tomllib.loads(f"value = {value}")["value"] in (True, False, 2, ["A", "C"], 'é "x"', "1"), key


def test_files_are_looked_for_beside_the_sweep_file(tmp_path):
    for name in ("a.toml", "net.csv"):
        (tmp_path / name).write_text("")
    found = gridded('[axes]\ntask = ["a.toml", "b.toml"]\nnetwork = ["lab16", "net.csv"]', tmp_path)
    cells = list(found.cells())
    assert [cell.task for cell in cells] == [tmp_path / "a.toml"] * 2 + [Path("b.toml")] * 2
    assert [cell.sets for cell in cells[:2]] == [('network="lab16"',), (f'network="{tmp_path}/net.csv"',)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('', "axes: expected at least one axis"),
        ('[axes]\nseed = []', "axes.seed: expected a list of values, or a range"),
        ('[axes]\nseed = 3', "axes.seed: expected a list of values, or a range"),
        ('[axes]\nseed = "0-3"', "axes.seed: expected a list of values, or a range"),
        ('[axes]\nseed = "5..3"', "axes.seed: expected a list of values, or a range"),
        ('[axes]\nseed = "0..100000"', "axes.seed: expected at most 100000 values"),
        ('[axes]\nseed = "0..999"\ntask_seed = "0..999"', "axes: expected at most 100000 points"),
        ('[axes]\nseed = [1, 2, 1]', "axes.seed: expected every value once, got 1 twice"),
        ('[axes]\nclamp.eta = [1, 1.0]', "axes.clamp.eta: expected every value once"),
        ('[axes]\n"" = [1]', "axes.: expected a key"),
        ('[axes]\n"a/b" = [1]', "axes.a/b: expected a key"),
        ('[axes]\np = [1]\nrule = ["clockfree"]', "axes.rule: expected rule to be said once, got it in axes.p"),
        ('[axes]\ntask = ["a"]', "axes.task: expected task to be said once, got it in task too"),
        ('[set]\nseed = 1\n[axes]\nseed = [1]', "axes.seed: expected seed to be said once, got it in set.seed"),
        ('[axes]\n"updates seed" = [1]\nseed = [1]', "axes.seed: expected seed to be said once, got it in"),
        ('[axes]\nx = [1]\n[variants.x.a]\nseed = 1', "variants.x: expected a name of its own"),
        ('[axes]\nseed = [1]\n[variants.x.a]\nseed = 1', "variants.x: expected seed to be said once, got it in"),
        ('[variants.x]', "variants.x: expected at least one variant"),
        ('[variants."x y".a]\nseed = 1', "variants.x y: expected a name of letters"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_key(text, said):
    with pytest.raises(SweepError) as refused:
        gridded(f'task = "t"\n{text}')
    assert str(refused.value).startswith(said) and "\n" not in str(refused.value)


def test_a_sweep_needs_a_task():
    with pytest.raises(SweepError, match="task: expected a task file, or an axis of task files"):
        gridded("[axes]\nseed = [1]")
