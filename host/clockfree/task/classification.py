"""Classes of a data set as lessons of volts: found in a table, split, and told from answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clockfree.task.datatable import DataTable, Form
from clockfree_model import tables

CLASS_NAMES = ("class", "label", "labels", "target", "species", "category", "klasse", "classe")
"""What a column of classes is called, in lower case."""
PERHAPS = ("y", "digit")
"""What it is called where no column is of text, and none is x."""
IRIS = Path(__file__).parent / "data" / "iris.csv"


@dataclass(frozen=True)
class DataSet:
    """Measured examples.

    Attributes
    ----------
    columns : tuple of str
        Name of each feature.
    features : (n, F) float array
    classes : tuple of str
        Class names in the order in which the file first has them.
    labels : (n,) int array
        Index of each example's class.
    class_column : str
    said : str
        What was understood of the file.
    """

    columns: tuple[str, ...]
    features: np.ndarray
    classes: tuple[str, ...]
    labels: np.ndarray
    class_column: str
    said: str


@dataclass(frozen=True)
class HeldOut:
    """The held-out examples of a classification, and what tells their classes from the outputs.

    Attributes
    ----------
    source_V : (n, S) float array
        What to put on the sources, V.
    labels : (n,) int array
        Index of the right class.
    classes : tuple of str
    class_V : (K, O) float array
        Desired outputs of each class, V. The answer is the class whose desired outputs are nearest.
    majority : float
        Accuracy of always naming the class that the training part has most of.
    logistic : float
        Accuracy of multinomial logistic regression, fitted to the same training part.
    """

    source_V: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    class_V: np.ndarray
    majority: float
    logistic: float

    def answers(self, outputs_V: np.ndarray) -> np.ndarray:
        """Index of the class that each row of the free outputs (n, O), in V, stands for."""
        distances = np.linalg.norm(outputs_V[:, None, :] - self.class_V[None, :, :], axis=-1)
        nearest: np.ndarray = distances.argmin(axis=1)
        return nearest

    def accuracy(self, outputs_V: np.ndarray) -> float:
        """Share of right answers, 0 .. 1, from the free outputs (n, O) at `source_V`, in V."""
        return float((self.answers(outputs_V) == self.labels).mean())


def classes_of(
    table: DataTable,
    form: Form = Form(),
    class_column: str | int | None = None,
    features: Sequence[str] | None = None,
) -> DataSet:
    """Features and classes of a table.

    Parameters
    ----------
    table : DataTable
    form : Form
    class_column : str or int, optional
        Name or place, from 1, of the class; left out, the column that is called so or the only one of text.
    features : sequence of str, optional
        Left out, every other column of numbers.

    Raises
    ------
    InputError
        What could be taken in two ways, a cell that is no number or no class, fewer than two classes.
    """
    chosen = list(features or ())
    for name in chosen:
        table.column("features", name)
    said = _class_column(table, class_column, chosen)
    label, why = said
    left_out = table.left_out([label, *chosen])
    used = chosen or [name for name in table.names if name != label and name not in left_out]
    if not used:
        raise table.problem(f"expected columns of features beside the class {label}, got none")
    if label in used:
        raise table.problem(f"features: expected columns beside the class, got {label!r}")
    table.without_missing([*used, label], form)
    for name in () if chosen else used:
        if table.kind(name) == "text":
            hint = f"write features = {_listed([other for other in used if table.kind(other) == 'number'])}"
            raise table.problem(f"expected numbers, got {table.cells[name][0][:60]!r}: {hint}", 0, name)
        if tables.is_running(table.cells[name]) and len(table.rows) >= 5:
            hint = f"write features = {_listed([other for other in used if other != name])}, or with it"
            raise table.problem(f"expected a feature, or none, got numbers that count the rows: {hint}", None, name)
    values = np.column_stack([table.numbers(name) for name in used])
    names = class_names(table, label)
    classes = tuple(dict.fromkeys(names))
    if len(classes) < 2:
        raise table.problem(f"expected two classes to tell apart, got {len(classes)}", None, label)
    labels = np.array([classes.index(name) for name in names])
    counts = ", ".join(f"{name} {(labels == i).sum()}" for i, name in enumerate(classes[:12]))
    about = f"class {label} ({why}): {counts}{', ...' if classes[12:] else ''}"
    return DataSet(tuple(used), values, classes, labels, label, f"{', '.join(table.said)}; {about}; {len(labels)} rows")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f'"{name}"' for name in names[:8]) + (", ..." if names[8:] else "")
    return f"[{shown}]"


def _class_column(table: DataTable, told: str | int | None, features: Sequence[str]) -> tuple[str, str]:
    """The column of the class, and why it is that one."""
    if isinstance(told, int) and str(told) not in table.cells:
        if not 1 <= told <= len(table.names):
            raise table.problem(f"class_column: expected 1..{len(table.names)}, got {told}")
        return table.names[told - 1], f"column {told}"
    if told is not None:
        return table.column("class_column", str(told)), "as class_column says"
    if table.class_names:
        return table.names[-1], "counted in the last column"
    left = [name for name in table.names if name not in features]
    called = [name for name in left if name.strip().lower() in CLASS_NAMES]
    if not called and not any(name.lower() == "x" or table.kind(name) == "text" for name in left):
        called = [name for name in left if name.strip().lower() in PERHAPS]
    if len(called) == 1:
        return called[0], "by its name"
    identifiers = {name for name in left if len(set(table.cells[name])) == len(table.rows) >= 3}
    texts = [name for name in left if table.kind(name) == "text" and name not in identifiers]
    if len(texts) == 1 and not called:
        return texts[0], "the only column of text"
    several = called or texts or left
    got = f"{len(several)} columns that could be it" if called or texts else "columns of numbers only"
    shown = " or ".join(f'class_column = "{name}"' for name in (several if called or texts else several[-1:])[:4])
    raise table.problem(f"expected to know which column is the class, got {got}: write {shown}")


def class_names(table: DataTable, label: str) -> list[str]:
    """Class of each row; whole numbers lose their `.0`."""
    cells = table.cells[label]
    if table.kind(label) != "number":
        return cells
    values = table.numbers(label)
    broken = np.flatnonzero(values % 1)
    if len(broken):
        text = f"expected a class, got {cells[broken[0]]!r}: what is measured is taught by [lesson.regression] data"
        raise table.problem(text, int(broken[0]), label)
    if table.class_names:
        return [table.class_names[int(value)] for value in values]
    return [str(int(value)) for value in values]


def split(labels: np.ndarray, test_share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training part and of the held-out part, each in ascending order.

    Of every class the same share is held out, rounded, but neither part is left without examples of a class.

    Raises
    ------
    ValueError
        A class has a single example.
    """
    train, test = [], []
    for label in range(labels.max() + 1):
        members = rng.permutation(np.flatnonzero(labels == label))
        if len(members) < 2:
            raise ValueError(f"expected two examples of every class, got one of class {label}")
        held_out = min(max(round(test_share * len(members)), 1), len(members) - 1)
        test.append(members[:held_out])
        train.append(members[held_out:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(test))


def majority_accuracy(train_labels: np.ndarray, test_labels: np.ndarray) -> float:
    """Accuracy of always naming the training part's most frequent class."""
    return float((test_labels == np.bincount(train_labels).argmax()).mean())
