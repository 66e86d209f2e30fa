"""Classes of a data set as lessons of volts: reading, splitting, scaling, and telling how good the answers are."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clockfree.base.errors import InputError

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
    """

    columns: tuple[str, ...]
    features: np.ndarray
    classes: tuple[str, ...]
    labels: np.ndarray


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


def read_data(path: Path | str) -> DataSet:
    """Read a CSV file: a header, then numbers and in the last column the class.

    Raises
    ------
    InputError
        The file cannot be read, or a row is broken. Rows are counted as a spreadsheet does: the header is row 1.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: file: expected a readable CSV file, got {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: file: expected UTF-8 text, got other bytes") from None
    except ValueError as error:  # a name that no file can have
        raise InputError(f"{path}: file: expected a readable CSV file, got {error}") from None
    rows = csv.reader(text.splitlines(), skipinitialspace=True)
    columns: list[str] = []
    features: list[list[float]] = []
    names: list[str] = []
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if not columns:
                columns = cells
                if len(columns) < 2:
                    raise InputError(f"{path}: row 1: expected names of features and of the class, got {row}")
                continue
            if len(cells) != len(columns):
                raise InputError(f"{path}: row {rows.line_num}: expected {len(columns)} columns, got {len(cells)}")
            features.append([_measured(path, rows.line_num, *pair) for pair in zip(columns[:-1], cells)])
            if not cells[-1]:
                raise InputError(f"{path}: row {rows.line_num}, column {columns[-1]}: expected a class, got nothing")
            names.append(cells[-1])
    except csv.Error as error:
        raise InputError(f"{path}: row {rows.line_num}: expected comma-separated text, got {error}") from None
    classes = tuple(dict.fromkeys(names))
    if len(classes) < 2:
        raise InputError(f"{path}: column {columns[-1] if columns else 1}: expected two classes, got {len(classes)}")
    labels = np.array([classes.index(name) for name in names])
    return DataSet(tuple(columns[:-1]), np.array(features), classes, labels)


def _measured(path: Path | str, row: int, column: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{path}: row {row}, column {column}: expected a number, got {cell[:60]!r}")
    return value


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


def scaled(features: np.ndarray, train: np.ndarray, input_V: list[float]) -> np.ndarray:
    """Features (n, F) as voltages: the training part's range becomes `input_V`; what lies outside is clipped."""
    lowest, highest = features[train].min(axis=0), features[train].max(axis=0)
    # A feature that never varies says nothing; it stays at the low end.
    span = np.where(highest > lowest, highest - lowest, 1.0)
    volts: np.ndarray = input_V[0] + (input_V[1] - input_V[0]) * np.clip((features - lowest) / span, 0.0, 1.0)
    return volts


def majority_accuracy(train_labels: np.ndarray, test_labels: np.ndarray) -> float:
    """Accuracy of always naming the training part's most frequent class."""
    return float((test_labels == np.bincount(train_labels).argmax()).mean())
