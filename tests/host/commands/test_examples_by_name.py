"""Examples by their names: a file of the current folder wins, and they can be listed and copied out."""

import json
import tomllib
from pathlib import Path

import pytest

from clockfree.base import shipped
from clockfree.base.errors import InputError
from clockfree.commands import app
from clockfree.commands.context import Context
from clockfree.task.plan import make_plan
from clockfree_model.network import load
from clockfree_sim.sweep.load import load as load_sweep

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_name_is_that_of_a_file_before_it_is_that_of_an_example():
    shipped_one = EXAMPLES / "allostery.toml"
    assert shipped.find(shipped.TASK, "allostery") == shipped.find(shipped.TASK, "allostery.toml") == shipped_one
    Path("allostery").mkdir()  # no file
    assert shipped.find(shipped.TASK, "allostery") == shipped_one
    Path("allostery.toml").touch()
    assert shipped.find(shipped.TASK, "allostery") == Path("allostery.toml")


def test_a_file_in_a_folder_is_no_example():
    with pytest.raises(InputError, match=r"^examples/allostery\.toml: file: .* \(did you mean allostery\?\)$"):
        shipped.find(shipped.TASK, "examples/allostery.toml")


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("task", "alostery", r"expected a task file, or the name of an example .* \(did you mean allostery"),
        ("task", "alostery.toml", "did you mean allostery?"),
        ("task", "nothing", r"got neither$"),
        ("task", "p_scan", "expected a task, got the name of a sweep: clockfree sweep p_scan"),
        ("sweep", "allostery", "expected a sweep, got the name of a task: clockfree run allostery"),
    ],
)
def test_what_is_neither_is_refused_with_the_nearest(kind, name, said):
    with pytest.raises(InputError, match=said):
        shipped.find(shipped.KINDS[kind], name)


def test_a_network_of_the_examples_is_found_from_anywhere():
    plan = make_plan(shipped.find(shipped.TASK, "allostery"), {"network": "wheel"}, [], False)
    assert plan.job.network.nodes == load(str(EXAMPLES / "networks/wheel.graphml")).nodes
    with pytest.raises(InputError, match=r"network \(from --network\): expected lab16.* \(did you mean wheel\?\)$"):
        make_plan(EXAMPLES / "allostery.toml", {"network": "whell"}, [], False)


def test_a_sweep_names_its_task_by_an_example():
    Path("mine.toml").write_text('task = "allostery"\n[axes]\nseed = [1, 2]\n')
    found = load_sweep(Path("mine.toml"), Context(), lambda count, points: None)
    assert [point.job.seed for point in found.points] == [1, 2]
    assert list(found.texts) == ["mine.toml", str(EXAMPLES / "allostery.toml")]


def test_every_example_is_listed_with_a_line(capsys):
    assert app.status_of(["examples", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["examples"]
    files = {str(path) for path in EXAMPLES.rglob("*.*") if path.is_file()}
    assert {row["file"] for row in found} == files
    assert all(10 < len(row["what"]) < 140 for row in found)
    assert app.status_of(["examples"]) == 0
    table = capsys.readouterr().out
    assert all(row["name"] in table and row["what"] in table for row in found)


def test_what_is_copied_is_the_same_and_runs_from_there(capsys, tmp_path):
    assert app.status_of(["examples", "p_scan", "wheel", "--to", "mine"]) == 0
    copied = capsys.readouterr().out.split()
    assert copied == ["mine/sweeps/p_scan.toml", "mine/allostery.toml", "mine/networks/wheel.graphml"]
    for name in copied:
        assert Path(name).read_bytes() == (EXAMPLES / Path(name).relative_to("mine")).read_bytes()
    found = load_sweep(Path(copied[0]), Context(), lambda count, points: None)
    assert list(map(Path, found.texts)) == [Path(copied[0]), Path("mine/sweeps/../allostery.toml")]


def test_nothing_is_written_over_and_nothing_else_copied_then(capsys):
    Path("allostery.toml").write_text("mine")
    assert app.status_of(["examples", "--to", "."]) == 2
    assert "allostery.toml: --to: expected a file that does not exist" in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in Path().iterdir()] == [("allostery.toml", "mine")]


def test_a_home_that_no_shell_has_put_in_is_one(capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(Path("home").absolute()))
    assert app.status_of(["examples", "wheel", "--to=~/mine"]) == 0
    assert Path("home/mine/networks/wheel.graphml").is_file() and not Path("~").exists()


def test_examples_that_are_not_there(capsys):
    assert app.status_of(["examples", "irsi"]) == 2
    assert capsys.readouterr().err.endswith("got none (did you mean iris?)\n")


def test_no_name_of_an_example_hides_a_network_that_is_made():
    assert "lab16" not in shipped.NETWORK.examples()
    every = [name for kind in shipped.KINDS.values() for name in kind.examples()]
    assert len({*every}) == len(every)
    assert all(tomllib.loads(path.read_text()) for path in shipped.TASK.examples().values())
