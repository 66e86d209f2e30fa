import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clockfree.base.errors import InputError
from clockfree.task import datatable
from clockfree.task.classification import (
    IRIS,
    HeldOut,
    classes_of,
    majority_accuracy,
    split,
)
from clockfree.task.encoding import scale_to
from clockfree.task.logistic import logistic_accuracy


def read_data(path):
    return classes_of(datatable.read(path))


def test_iris_is_fishers():
    data = read_data(IRIS)
    assert data.columns == ("sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm")
    assert data.classes == ("setosa", "versicolor", "virginica")
    assert np.bincount(data.labels).tolist() == [50, 50, 50]
    # means and totals of Fisher's Table I; the two flowers in which the UCI copy differs
    assert data.features[:50].mean(axis=0) == pytest.approx([5.006, 3.428, 1.462, 0.246])
    assert data.features[50:100].mean(axis=0) == pytest.approx([5.936, 2.770, 4.260, 1.326])
    assert data.features[100:].mean(axis=0) == pytest.approx([6.588, 2.974, 5.552, 2.026])
    assert data.features[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert data.features[37].tolist() == [4.9, 3.6, 1.4, 0.1]


def test_a_data_set_of_ones_own(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("\ufefflength, weight ,kind\r\n1, 2.5,b\r\n\r\n-3,4e-1, a \r\n", encoding="utf-8")
    data = read_data(path)
    assert data.columns == ("length", "weight")
    assert data.features.tolist() == [[1, 2.5], [-3, 0.4]]
    assert data.classes == ("b", "a")
    assert data.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x,y,kind\n1,2,a\n1,two,b\n", "row 3, column y: expected a number, got 'two'"),
        (
            "x,y,kind\n1,2,b\n1,,a\n",
            'data: expected a value in every row, got none in row 3 y: missing = "drop" leaves 1 of 2 rows out',
        ),
        (
            "x,y,kind\n1,nan,a\n1,2,?\n",
            "data: expected a value in every row, got none in row 2 y, row 3 kind: "
            'missing = "drop" leaves 2 of 2 rows out',
        ),
        ("x,y,kind\n1,2,a\n\n1,2\n", "row 4: expected 3 columns, as row 1 has, got 2: '1,2'"),
        ("x,y,kind\n1,2,a,3\n2,3,b\n", "row 2: expected 3 columns, as row 1 has, got 4: '1,2,a,3'"),
        ("x,y,kind\n1,2,a\n3,4,a\n", "column kind: expected two classes to tell apart, got 1"),
        ("x,y,kind\n", "data: expected rows of data, got none"),
        ("", "data: expected rows of data, got none"),
        ("kind\na\nb\na\n", "data: expected columns of features beside the class kind, got none"),
        (
            "x,kind,class\n1,a,2\n2,b,3\n3,a,2\n",
            "row 2, column kind: expected numbers, got 'a': write features = [\"x\"]",
        ),
        (
            "x,species,class\n1,a,2\n2,b,3\n3,a,2\n",
            "data: expected to know which column is the class, got 2 columns "
            'that could be it: write class_column = "species" or class_column = "class"',
        ),
        (
            "x,z,kind\n1,2,1\n2,3,1\n3,1,2\n",
            "data: expected to know which column is the class, got columns of "
            'numbers only: write class_column = "kind"',
        ),
        (
            "x,class\n1,2.5\n2,3.5\n",
            "row 2, column class: expected a class, got '2.5': what is measured is taught by [lesson.regression] data",
        ),
        ("x,x,class\n1,2,a\n2,3,b\n", "row 1: expected each column's name once, got 'x' twice"),
        (
            "x,n,class\n5,1,a\n6,2,b\n8,3,a\n7,4,b\n9,5,b\n",
            "column n: expected a feature, or none, got numbers "
            'that count the rows: write features = ["x"], or with it',
        ),
        (
            "1,2,3\n5,1,7\n6,2,8\n",
            "row 1: expected names of columns, or data, got '1,2,3': write header = true, or false",
        ),
        (
            "2019,2020,shape\n5.5,1,a\n6,2,b\n6,3,a\n",
            "row 1: expected names of columns, or data, got '2019,2020,shape': write header = true, or false",
        ),
        (
            "9,3,round,oval\n5,1,7,0\n6,2,8,1\n",
            "row 1: expected names of columns, or data, got '9,3,round,oval': write header = true, or false",
        ),
        (
            "9,3,round,oval,long\n5,1,7,0\n6,2,8,1\n",
            "row 1: expected names of columns, or counts of rows and features "
            "before the classes, got '9,3,round,oval,long': 2 rows of 3 features follow",
        ),
        ("x,y,kind\n#REF!,2,a\n1,2,b\n", "row 2, column x: expected a number, got '#REF!'"),
        (
            "x;class\n1,234;a\n5,678;b\n",
            'data: expected a decimal sign that is sure, got 1,234: write decimal = "." or decimal = ","',
        ),
        (
            "x;class\n1,2;a\n5.6;b\n",
            'data: expected one decimal sign, got 5.6 and 1,2: write decimal = "." or decimal = ","',
        ),
    ],
)
def test_a_broken_row_is_named_with_row_and_column(tmp_path, text, problem):
    path = tmp_path / "iris.csv"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_data(path)
    assert str(raised.value) == f"{path}: {problem}"


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(
        InputError, match=r"no\.csv: file: expected a readable data file, got No such file or directory$"
    ):
        read_data(tmp_path / "no.csv")
    (tmp_path / "b.csv").write_bytes(b"\x81")
    with pytest.raises(InputError, match=r"b\.csv: file: expected text in UTF-8, UTF-16 or Latin-1, got other bytes$"):
        read_data(tmp_path / "b.csv")
    with pytest.raises(InputError, match=r"file: expected a readable data file, got embedded null byte$"):
        read_data("\0.csv")


@given(st.lists(st.integers(2, 30), min_size=2, max_size=5), st.floats(0.01, 0.99), st.integers(0, 1000))
@settings(max_examples=60)
def test_split_is_disjoint_complete_and_stratified(counts, share, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    train, test = split(labels, share, np.random.default_rng(seed))
    assert sorted([*train, *test]) == list(range(len(labels)))
    for label, count in enumerate(counts):
        held_out = (labels[test] == label).sum()
        assert 1 <= held_out <= count - 1
        assert abs(held_out - share * count) <= 1


def test_split_follows_its_generator():
    labels = read_data(IRIS).labels
    first, again, other = (split(labels, 0.3, np.random.default_rng(seed))[1] for seed in (1, 1, 2))
    assert (first == again).all()
    assert set(first) != set(other)


def test_a_class_with_one_example_cannot_be_split():
    with pytest.raises(ValueError, match="expected two examples of every class, got one"):
        split(np.array([0, 0, 1]), 0.5, np.random.default_rng(0))


def test_scaling_knows_the_training_part_only():
    features = np.array([[0.0, 7.0], [10.0, 7.0], [5.0, 7.0], [20.0, 9.0]])
    volts = scale_to(("a", "b"), features[:3], [1.0, 3.0]).volts(features, clip=True)
    assert volts.tolist() == [[1, 1], [3, 1], [2, 1], [3, 3]]


class TestHeldOut:
    def test_the_nearest_desired_outputs_win(self):
        held_out = HeldOut(
            np.zeros((4, 2)), np.array([0, 1, 2, 2]), ("a", "b", "c"), np.array([[0.5], [1.5], [2.3]]), 0, 0
        )
        outputs = np.array([[0.9], [1.1], [1.8], [5.0]])
        assert held_out.answers(outputs).tolist() == [0, 1, 1, 2]
        assert held_out.accuracy(outputs) == 0.75

    def test_one_output_for_each_class_is_the_highest(self):
        held_out = HeldOut(np.zeros((3, 2)), np.array([0, 1, 2]), ("a", "b", "c"), np.eye(3) * 2 + 0.5, 0, 0)
        outputs = np.random.default_rng(0).uniform(0, 3, (3, 3))
        assert held_out.answers(outputs).tolist() == outputs.argmax(axis=1).tolist()


class TestBaselines:
    def test_majority(self):
        assert majority_accuracy(np.array([0, 1, 1, 2]), np.array([1, 1, 0, 2])) == 0.5

    def test_logistic_regression_tells_apart_what_can_be_told_apart(self):
        rng = np.random.default_rng(3)
        labels = np.repeat([0, 1, 2], 40)
        volts = np.array([[0, 0], [3, 0], [0, 3]])[labels] + rng.normal(0, 0.3, (120, 2))
        train = np.arange(120) % 2 == 0
        assert logistic_accuracy(volts[train], labels[train], volts[~train], labels[~train]) == 1.0

    def test_logistic_regression_learns_nothing_from_noise(self):
        rng = np.random.default_rng(4)
        volts, labels = rng.normal(size=(2000, 3)), rng.integers(0, 4, 2000)
        assert logistic_accuracy(volts[:1000], labels[:1000], volts[1000:], labels[1000:]) == pytest.approx(
            0.25, abs=0.05
        )

    def test_logistic_regression_does_on_iris_what_is_known(self):
        # scikit-learn's LogisticRegression (its default penalty, features standardised) gets 42, 44, 45, 44, 44
        # of 45 right on these five splits.
        data = read_data(IRIS)
        right = []
        for seed in range(5):
            train, test = split(data.labels, 0.3, np.random.default_rng(seed))
            x, y = data.features, data.labels
            right.append(round(45 * logistic_accuracy(x[train], y[train], x[test], y[test])))
        assert right == [42, 44, 45, 44, 44]
