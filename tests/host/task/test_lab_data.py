"""Data and task files as labs have them: each gives its lesson, or one line that says what to write."""

import re
from pathlib import Path

import numpy as np
import pytest

from clockfree.base.errors import InputError
from clockfree.base.toml import dumps
from clockfree.task.classification import classes_of
from clockfree.task.plan import make_plan, run_toml
from clockfree.task.shipped import shipped

CASES = Path(__file__).parents[2] / "fixtures/cases"
CLASSES = {"round": 0.5, "oval": 1.2, "long": 2.0}
NUMBERS = {"1": 0.5, "2": 1.2, "3": 2.0}
TABLE = "width,height,depth"
"""Columns of comment-lines.csv, which is as plain as can be but for two comments."""


def task_text(data, classes=CLASSES, more="", sources=4):
    class_V = ", ".join(f'"{name}" = [{volts}]' for name, volts in classes.items())
    return f"""
[placement]
sources = {list("DFHIBCEG"[:sources])}
targets = ["A"]
[[lesson]]
[lesson.classification]
data = {str(data)!r}
input_V = [0.0, 3.0]
class_V = {{ {class_V} }}
{more}
"""


def planned(tmp_path, text):
    path = tmp_path / "task.toml"
    path.write_text(text, encoding="utf-8")
    return make_plan(path, {}, [], False)


def lesson_of(plan):
    """All that a lesson from data comes to: taught and held-out rows, in volts."""
    (lesson,), (exam,) = plan.job.lessons, plan.held_out
    return [each.tolist() for each in (lesson.source_V, lesson.desired_V, exam.source_V, exam.class_V[exam.labels])]


def line_of(tmp_path, text):
    with pytest.raises(InputError) as raised:
        planned(tmp_path, text)
    assert "\n" not in str(raised.value)
    return re.sub(r"^.*?([\w-]+\.(toml|csv|npz|parquet)): ", r"\1: ", str(raised.value))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return lesson_of(planned(tmp_path_factory.mktemp("plain"), task_text(CASES / "data/comment-lines.csv")))


SAID = {
    "class-first-text.csv": "comma; class shape (the only column of text): round 8, oval 8, long 8; 24 rows",
    "class-middle.csv": "comma; class shape (the only column of text): round 8, oval 8, long 8; 24 rows",
    "counts-in-header.csv": "comma, first line with counts and classes round, oval, long, no header: columns 1..4; "
    "class 4 (counted in the last column): round 8, oval 8, long 8; 24 rows",
    "no-header.csv": "comma, no header: columns 1..4; "
    "class 4 (the only column of text): round 8, oval 8, long 8; 24 rows",
    "index-column.csv": "comma, running number left out; class shape (the only column of text): "
    "round 8, oval 8, long 8; 24 rows",
    "sample-names.csv": "comma, identifier sample left out; class shape (the only column of text): "
    "round 8, oval 8, long 8; 24 rows",
    "decimal-comma.csv": "semicolon, decimal comma; class shape (the only column of text): "
    "round 8, oval 8, long 8; 24 rows",
    "comment-lines.csv": "comma; class shape (the only column of text): round 8, oval 8, long 8; 24 rows",
    "thousands.csv": "comma; class shape (the only column of text): round 8, oval 8, long 8; 24 rows",
}
OTHERS = {"class-first-number.csv", "missing-values.csv", "one-class.csv", "pixels.csv", "regression.csv"}


def test_every_case_is_here():
    assert SAID.keys() | OTHERS == {path.name for path in (CASES / "data").iterdir()}


@pytest.mark.parametrize("name", SAID)
def test_one_data_set_in_many_shapes_is_one_lesson(tmp_path, plain, name):
    plan = planned(tmp_path, task_text(CASES / "data" / name))
    assert np.allclose(np.array(lesson_of(plan)[0]), plain[0], atol=0.002)  # a step of the DAC; thousands scale alike
    assert lesson_of(plan)[1:] == plain[1:] or name == "thousands.csv"
    assert f"{CASES / 'data' / name}: {SAID[name]}; " in plan.notes[0]


def test_a_class_of_numbers_is_taken_by_its_name_or_as_said(tmp_path):
    data = CASES / "data/class-first-number.csv"
    plan = planned(tmp_path, task_text(data, NUMBERS))
    assert "class class (by its name): 1 8, 2 8, 3 8" in plan.notes[0]
    for told in ('"class"', "1"):
        again = planned(tmp_path, task_text(data, NUMBERS, f"class_column = {told}"))
        assert lesson_of(again) == lesson_of(plan)
    unnamed = tmp_path / "unnamed.csv"
    unnamed.write_text(data.read_text().replace("class,", "kind,"))
    assert line_of(tmp_path, task_text(unnamed, NUMBERS)) == (
        "unnamed.csv: data: expected to know which column is the class, got columns of numbers only: "
        'write class_column = "depth"'
    )


def test_gaps_are_refused_by_row_and_column_or_left_out(tmp_path):
    data = CASES / "data/missing-values.csv"
    assert line_of(tmp_path, task_text(data)) == (
        "missing-values.csv: data: expected a value in every row, got none in row 5 height, row 11 width, "
        'row 16 depth, row 22 height: missing = "drop" leaves 4 of 24 rows out'
    )
    plan = planned(tmp_path, task_text(data, more='missing = "drop"'))
    assert "4 rows without a value left out" in plan.notes[0]
    assert len(plan.job.lessons[0].source_V) + len(plan.held_out[0].labels) == 20


def test_one_class_and_many_pixels_are_refused(tmp_path):
    assert line_of(tmp_path, task_text(CASES / "data/one-class.csv")) == (
        "one-class.csv: column shape: expected two classes to tell apart, got 1"
    )
    digits = {"0": 0.5, "1": 1.2, "2": 2.0}
    assert line_of(tmp_path, task_text(CASES / "data/pixels.csv", digits)) == (
        "task.toml: lesson.0.classification.data: expected 64 features and 1 reference_V to make the 4 sources of the "
        "placement: features = [...] chooses some"
    )
    plan = planned(tmp_path, task_text(CASES / "data/pixels.csv", digits, 'features = ["p9", "p20", "p33"]'))
    assert plan.job.lessons[0].source_V.shape[1] == 4


def test_a_second_file_tests(tmp_path, plain):
    rows = (CASES / "data/comment-lines.csv").read_text().splitlines()[2:]
    (tmp_path / "train.csv").write_text("\n".join([rows[0], *rows[1::2]]))
    backwards = [",".join(reversed(row.split(","))) for row in [rows[0], *rows[2::2]]]
    (tmp_path / "test.csv").write_text("\n".join(backwards))
    plan = planned(tmp_path, task_text("train.csv", more='test_data = "test.csv"'))
    assert (len(plan.job.lessons[0].source_V), len(plan.held_out[0].labels)) == (12, 12)
    assert plan.held_out[0].classes == ("round", "oval", "long")
    first = np.array([float(cell) for cell in rows[2].split(",")[:3]])
    train = np.array([[float(cell) for cell in row.split(",")[:3]] for row in rows[1::2]])
    expected = 3 * np.clip((first - train.min(axis=0)) / np.ptp(train, axis=0), 0, 1)
    assert plan.held_out[0].source_V[0].tolist() == pytest.approx([*expected, 0])
    (tmp_path / "test.csv").write_text("width,height,depth,shape\n1,2,3,rund\n1,2,4,oval\n")
    assert line_of(tmp_path, task_text("train.csv", more='test_data = "test.csv"')) == (
        "task.toml: lesson.0.classification.test_data: expected a class that is taught (round, oval, long), got 'rund' "
        "(did you mean round?)"
    )


def test_arrays_of_numpy(tmp_path, plain):
    rows = [row.split(",") for row in (CASES / "data/comment-lines.csv").read_text().splitlines()[3:]]
    x, y = np.array([[float(cell) for cell in row[:3]] for row in rows]), np.array([row[3] for row in rows])
    np.savez(tmp_path / "set.npz", X=x, y=y)
    assert lesson_of(planned(tmp_path, task_text("set.npz"))) == plain
    np.savez(tmp_path / "set.npz", X=x, y=y[:3])
    assert line_of(tmp_path, task_text("set.npz")) == "set.npz: y: expected 24 rows, as X has, got 3"


REGRESSION = """
[placement]
sources = ["A", "C", "I"]
targets = ["E", "F"]
[[lesson]]
[lesson.regression]
data = "set.csv"
inputs = ["x1", "x2"]
outputs = ["y1", "y2"]
"""


class TestRegression:
    @pytest.fixture(autouse=True)
    def _set(self, tmp_path):
        (tmp_path / "set.csv").write_text((CASES / "data/regression.csv").read_text())
        self.values = np.loadtxt(tmp_path / "set.csv", delimiter=",", skiprows=1)

    def test_columns_are_volts_by_name(self, tmp_path):
        plan = planned(tmp_path, REGRESSION)
        (lesson,) = plan.job.lessons
        assert np.abs(lesson.source_V[:, :2] - self.values[:, :2]).max() <= 5 / 4096 / 2
        assert np.abs(lesson.desired_V - self.values[:, 2:]).max() <= 5 / 4096 / 2
        assert "in x1 in V, x2 in V; out y1 in V, y2 in V; 24 rows" in plan.notes[0]
        swapped = planned(tmp_path, REGRESSION.replace('["x1", "x2"]', '["x2", "x1"]'))
        assert swapped.job.lessons[0].source_V[:, :2].tolist() == lesson.source_V[:, 1::-1].tolist()

    def test_a_range_is_scaled_and_back(self, tmp_path):
        plan = planned(tmp_path, REGRESSION + "input_V = [0, 3]\noutput_V = [1, 2]\n")
        (lesson,), (encoding,) = plan.job.lessons, plan.encodings
        lowest, span = self.values.min(axis=0), np.ptp(self.values, axis=0)
        assert np.abs(lesson.source_V[:, :2] - 3 * ((self.values - lowest) / span)[:, :2]).max() <= 5 / 4096 / 2
        assert encoding.outputs.values(encoding.outputs.volts(self.values[:, 2:])) == pytest.approx(self.values[:, 2:])
        assert encoding.inputs.values(lesson.source_V[:, :2]) == pytest.approx(self.values[:, :2], abs=2e-3)
        assert "x1 1.016..4.831 as 0..3 V" in plan.notes[0] and "y1 0.5445..1.5328 as 1..2 V" in plan.notes[0]

    def test_millivolts_by_their_names(self, tmp_path):
        text = (CASES / "data/regression.csv").read_text().replace("y1", "y1_mV")
        lines = [line.split(",") for line in text.splitlines()]
        rows = [[a, b, f"{1000 * float(c):.1f}", d] for a, b, c, d in lines[1:]]
        (tmp_path / "set.csv").write_text("\n".join(map(",".join, [lines[0], *rows])))
        plan = planned(tmp_path, REGRESSION.replace('"y1"', '"y1_mV"'))
        assert np.abs(plan.job.lessons[0].desired_V - self.values[:, 2:]).max() <= 5 / 4096 / 2

    @pytest.mark.parametrize(
        ("old", "new", "line"),
        [
            ('["x1", "x2"]', '["x1", "x3"]', "set.csv: data: inputs: expected one of x1, x2, y1, y2, got 'x3'"),
            ('inputs = ["x1", "x2"]', "", "task.toml: lesson.0.regression.inputs: expected names of columns, such as"),
            ('["y1", "y2"]', '["y1", "x1"]', "task.toml: lesson.0.regression.outputs: expected other columns than"),
            (
                '["y1", "y2"]',
                '["y1"]',
                "task.toml: lesson.0.regression.outputs: expected 2 columns, one for each target",
            ),
            ('["x1", "x2"]', '["x1"]', "task.toml: lesson.0.regression.inputs: expected 1 inputs and 1 reference_V to"),
            (
                'data = "set.csv"',
                'data = "sett.csv"',
                "sett.csv: file: expected a readable data file, got No such file",
            ),
            ('data = "set.csv"', "", "task.toml: lesson.0.regression: expected coefficients, or data, got neither"),
            (
                'data = "set.csv"',
                'data = "set.csv"\nexamples = 3',
                "task.toml: lesson.0.regression: expected no examples",
            ),
        ],
    )
    def test_what_does_not_fit_is_said(self, tmp_path, old, new, line):
        assert line_of(tmp_path, REGRESSION.replace(old, new)).startswith(line)

    def test_units_and_supply(self, tmp_path):
        (tmp_path / "set.csv").write_text("x1_mm,x2,y1,y2\n3,4,1,1\n2,7,1,1\n")
        text = REGRESSION.replace('"x1"', '"x1_mm"')
        assert line_of(tmp_path, text) == (
            "set.csv: column x1_mm: expected a voltage, got mm: "
            "write input_V = [LOWEST, HIGHEST], which its range becomes"
        )
        (tmp_path / "set.csv").write_text("x1,x2,y1,y2\n3,4,1,1\n2,7.1,1,1\n")
        assert line_of(tmp_path, REGRESSION) == (
            "set.csv: column x1, x2: expected voltages that span at most 5 V, got 2..7.1 V: "
            "write input_V = [LOWEST, HIGHEST], which its range becomes, or scale"
        )


REFUSED = {
    "ground": "ground.toml: placement.ground: expected one of sources, targets, got an unknown key",
    "edge-target": "edge-target.toml: placement.targets: expected node names, or a number of nodes to draw, "
    "got [['E', 'G']]",
    "edge-input": "edge-input.toml: placement.sources: expected node names, or a number of nodes to draw, "
    "got [['A', 'C'], ['B', 'I']]",
    "current-input": "current-input.toml: lesson.0.source_A: expected one of name, from_updates, source_V, desired_V, "
    "teacher, regression, classification, got an unknown key (did you mean source_V?)",
    "go-on": "go-on.toml: placement.start_taps: expected one of sources, targets, got a key of the whole file: "
    "start_taps belongs above [placement]",
}
PLANNED = ("number-names", "negative-voltages", "regression-from-table", "class-column", "xor")


def test_every_task_is_here():
    assert {*REFUSED, *PLANNED} == {path.stem for path in (CASES / "tasks").iterdir()}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_task_cannot_have_is_refused_by_name(name):
    with pytest.raises(InputError) as raised:
        make_plan(CASES / f"tasks/{name}.toml", {}, [], False)
    assert str(raised.value).removeprefix(f"{CASES}/tasks/") == REFUSED[name]


@pytest.mark.parametrize("name", PLANNED)
def test_task_files_of_labs(name):
    plan = make_plan(CASES / f"tasks/{name}.toml", {}, [], False)
    names = [plan.job.network.nodes[node] for node in (*plan.job.sources, *plan.job.targets)]
    if name == "number-names":
        assert names == ["0", "5", "3"]
        assert plan.notes[0].endswith("pairs.txt: space; 9 edges, 6 nodes")
    if name == "negative-voltages":
        (lesson,) = plan.job.lessons
        assert np.abs(lesson.source_V - [[-1, 1], [1, -1]]).max() <= 5 / 4096 / 2
        assert "V higher, to keep" in plan.notes[0]
    assert len(plan.job.lessons) == 1


@pytest.mark.parametrize("name", ["class-column", "regression-from-table"])
def test_a_record_knows_how_rows_become_volts(tmp_path, name):
    file = CASES / f"tasks/{name}.toml"
    plan = make_plan(file, {}, [], False)
    (tmp_path / "run.toml").write_text(dumps(run_toml(plan, file, "sim", "")))
    again = make_plan(tmp_path / "run.toml", {}, [], False)
    assert again.encodings == plan.encodings != (None,)
    rows = np.array([[1.5, 2.5, 1.0][: len(plan.encodings[0].inputs.names)]])
    assert again.encodings[0].source_V(rows).tolist() == plan.encodings[0].source_V(rows).tolist()


@pytest.mark.parametrize(("name", "features", "classes"), [("wine", 13, 3), ("digits", 64, 10)])
def test_data_sets_by_name(name, features, classes):
    pytest.importorskip("sklearn", reason="scikit-learn is an extra")
    data = classes_of(shipped(name))
    assert (len(data.columns), len(data.classes)) == (features, classes)


def test_parquet(tmp_path, plain):
    pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    import pandas as pd

    pd.read_csv(CASES / "data/comment-lines.csv", comment="#").to_parquet(tmp_path / "set.parquet")
    assert lesson_of(planned(tmp_path, task_text("set.parquet"))) == plain
