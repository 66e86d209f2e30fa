"""Rows asked of a run: answers of the network as it is, and what `test` counts of them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from clockfree.commands import app
from clockfree.runs import runlog
from clockfree_model.parts import POTS
from clockfree_sim.circuit.direct import solve

CASES = Path(__file__).parents[2] / "fixtures/cases/data"
IRIS = Path(app.__file__).parents[1] / "task/data/iris.csv"
CLASSIFICATION = """
updates = 60
[placement]
sources = ["D", "F", "H", "E", "B", "I"]
targets = ["A"]
[[lesson]]
[lesson.classification]
data = "train.csv"
test_data = "test.csv"
input_V = [0.0, 3.0]
reference_V = [0.0, 3.0]
class_V = { setosa = [0.5], versicolor = [1.5], virginica = [2.3] }
"""
REGRESSION = f"""
updates = 60
[placement]
sources = ["A", "C", "I"]
targets = ["E", "F"]
[[lesson]]
[lesson.regression]
data = "{CASES / "regression.csv"}"
inputs = ["x1", "x2"]
outputs = ["y1", "y2"]
input_V = [0.0, 3.0]
output_V = [1.0, 2.0]
"""


def ran(folder, text):
    (folder / "task.toml").write_text(text)
    assert app.status_of(["run", str(folder / "task.toml"), "--out", str(folder / "run"), "--json"]) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def iris(tmp_path_factory):
    folder = tmp_path_factory.mktemp("iris")
    header, *rows = IRIS.read_text().splitlines()
    for name, part in (("train", rows[::2]), ("test", rows[1::2])):
        (folder / f"{name}.csv").write_text("\n".join([header, *part]))
    return ran(folder, CLASSIFICATION)


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("regression"), REGRESSION)


def asked(capsys, *arguments):
    capsys.readouterr()
    assert app.status_of([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def free_V(folder, source_V):
    """Outputs of an ideal run's last taps, by a direct solve."""
    record = runlog.read(folder)
    job = record.job
    ohm = job.physics.resistance(record.samples[-1]["taps"], POTS[job.edge.pot])
    held_V = job.physics.dac_volts(source_V)
    return solve(len(job.network.nodes), job.network.ends, 1 / ohm, job.sources, held_V)[:, list(job.targets)]


def test_what_was_learnt_is_asked_and_tested(iris, capsys):
    rows = [row.split(",") for row in (iris.parent / "test.csv").read_text().splitlines()[1:]]
    train = np.loadtxt(iris.parent / "train.csv", delimiter=",", skiprows=1, usecols=range(4))
    x = np.array([[float(cell) for cell in row[:4]] for row in rows])
    share = np.clip((x - train.min(axis=0)) / np.ptp(train, axis=0), 0, 1)
    outputs_V = free_V(iris, np.column_stack([3 * share, np.zeros(len(x)), np.full(len(x), 3.0)]))
    names = ["setosa", "versicolor", "virginica"]
    nearest = [names[i] for i in np.abs(outputs_V - [0.5, 1.5, 2.3]).argmin(axis=1)]
    answers = asked(capsys, "infer", iris, iris.parent / "test.csv")["answers"]
    assert [row["A"] for row in answers] == pytest.approx(outputs_V[:, 0].tolist())
    assert [row["class"] for row in answers] == nearest
    assert [row["row"] for row in answers] == list(range(2, 77))
    right = [row[4] for row in rows]
    found = asked(capsys, "test", iris, iris.parent / "test.csv")
    assert found["accuracy"] == np.mean([a == b for a, b in zip(nearest, right)])
    assert found["accuracy"] == runlog.read(iris).samples[-1]["accuracy"]["test"]
    assert found["confusions"] == {
        a: {b: sum(x == a and y == b for x, y in zip(right, nearest)) for b in names} for a in names
    }


def test_columns_in_another_order_and_rows_without_a_class(iris, tmp_path, capsys):
    test = iris.parent / "test.csv"
    before = asked(capsys, "infer", iris, test)["answers"]
    turned = [";".join(reversed(row.split(",")[:4])).replace(".", ",") for row in test.read_text().splitlines()]
    (tmp_path / "new.csv").write_text("\n".join(turned))
    out = tmp_path / "answers.csv"
    assert asked(capsys, "infer", iris, tmp_path / "new.csv", "--out", out)["answers"] == before
    with open(out, newline="") as file:
        assert [row["class"] for row in csv.DictReader(file)] == [row["class"] for row in before]
    assert app.status_of(["infer", str(iris), str(tmp_path / "new.csv"), "--out", str(out)]) == 2
    assert app.status_of(["infer", str(iris), str(test)]) == 0
    captured = capsys.readouterr()
    assert "setosa" in captured.out and "and 55 more rows" in captured.err
    assert app.status_of(["test", str(iris), str(test)]) == 0
    assert "taken for" in capsys.readouterr().out


def test_a_regression_answers_in_its_own_units(regression, capsys):
    values = np.loadtxt(CASES / "regression.csv", delimiter=",", skiprows=1)
    lowest, span = values.min(axis=0), np.ptp(values, axis=0)
    volts = 3 * ((values - lowest) / span)[:, :2]
    outputs_V = free_V(regression, np.column_stack([volts, np.zeros(len(volts))]))
    expected = lowest[2:] + (outputs_V - 1) * span[2:]
    answers = asked(capsys, "infer", regression, CASES / "regression.csv")["answers"]
    assert [[row["y1"], row["y2"]] for row in answers] == [pytest.approx(row) for row in expected.tolist()]
    found = asked(capsys, "test", regression, CASES / "regression.csv")
    assert list(found["rms"].values()) == pytest.approx(np.sqrt(np.mean((expected - values[:, 2:]) ** 2, axis=0)))
    assert found["error_V2"] == pytest.approx(runlog.read(regression).samples[-1]["error_V2"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width,species\n1,2,3,4,setosa\n2,3,4,5,setosa\n",
         "new.csv: data: expected the columns that it was taught, sepal_length_cm, sepal_width_cm, petal_length_cm, "
         "petal_width_cm, got none of the name 'petal_width_cm' (did you mean petal_width?)"),
        ("sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm,species\n1,2,3,4,setosa\n2,3,4,5,satosa\n",
         "new.csv: row 3, column species: expected one of setosa, versicolor, virginica, got 'satosa' "
         "(did you mean setosa?)"),
        ("sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm\n1,2,3,4\n2,3,4,5\n",
         "new.csv: data: expected one of sepal_length_cm, sepal_width_cm, petal_length_cm, petal_width_cm, "
         "got 'species'"),
        ("sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm,species\n1,2,,4,setosa\n2,3,4,5,setosa\n",
         "new.csv: data: expected a value in every row, got none in row 2 petal_length_cm: "
         'missing = "drop" leaves 1 of 2 rows out'),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_tested(iris, tmp_path, capsys, text, line):
    (tmp_path / "new.csv").write_text(text)
    assert app.status_of(["test", str(iris), str(tmp_path / "new.csv")]) == 2
    assert capsys.readouterr().err.replace(f"{tmp_path}/", "") == f"clockfree: {line}\n"
    if "row out" in line or "rows out" in line:
        assert asked(capsys, "test", iris, tmp_path / "new.csv", "--missing", "drop")["rows"] == 1


def test_a_lesson_of_volts_is_asked_by_the_names_of_its_sources(tmp_path, capsys):
    task = "updates = 5\n[placement]\nsources = ['A', 'C']\ntargets = ['E']\n[[lesson]]\n"
    folder = ran(tmp_path, task + "source_V = [[0.0, 5.0]]\ndesired_V = [[2.0]]\n")
    (tmp_path / "new.csv").write_text("C,A,E\n5.0,0.0,2.0\n1.0,4.0,3.0\n")
    found = asked(capsys, "test", folder, tmp_path / "new.csv")
    outputs_V = free_V(folder, np.array([[0.0, 5.0], [4.0, 1.0]]))[:, 0]
    assert found["rms"]["E"] == pytest.approx(np.sqrt(np.mean((outputs_V - [2, 3]) ** 2)))
    (tmp_path / "new.csv").write_text("B,A\n5.0,0.0\n1.0,4.0\n")
    assert app.status_of(["infer", str(folder), str(tmp_path / "new.csv")]) == 2
    assert "expected a column of volts for each source, A, C, got none of the name 'C'" in capsys.readouterr().err
