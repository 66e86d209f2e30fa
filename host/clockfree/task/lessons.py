"""Lessons of a task as volts: what to put on the sources, and what the targets should read."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clockfree.task.classification import (
    IRIS,
    HeldOut,
    majority_accuracy,
    read_data,
    scaled,
    split,
)
from clockfree.task.taskfile import Classification, Regression, Task
from clockfree_model.physics import MOST_V

Teach = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Draws a teacher network and gives its free outputs (B, O) at source_V (B, S), V."""

Volts = tuple[np.ndarray, np.ndarray, HeldOut | None]
"""Of one lesson: source_V (B, S), desired_V (B, O), and the held-out examples of a classification."""


@dataclass(frozen=True)
class Sizes:
    """Numbers of sources and targets; of what a task chooses itself, the supply and the margin inside it, V."""

    sources: int
    targets: int
    supply_V: float
    margin_V: float


def volts(task: Task, index: int, sizes: Sizes, rng: np.random.Generator, teach: Teach) -> Callable[[], Volts]:
    """Voltages of lesson `index` of the task, checked now and worked out when they are called for.

    A teacher to solve, or a regression to fit, can wait until all else in the task is known to be right.

    Raises
    ------
    InputError
        Sizes that do not fit the placement, a broken data set.
    """
    lesson = task.lesson[index]
    part = _Part(task, f"lesson.{index}", sizes)
    if lesson.regression is not None:
        made = _regression(lesson.regression, part, rng)
        return lambda: (*made, None)
    if lesson.classification is not None:
        return _classification(lesson.classification, part, rng)
    if lesson.source_V is None:
        highest = sizes.supply_V - sizes.margin_V
        source_V = np.linspace(sizes.margin_V, highest, sizes.sources)[None, :]
        if sizes.sources == 1:
            source_V[:] = highest
    else:
        source_V = part.rows("source_V", lesson.source_V, sizes.sources, "source")
    if lesson.desired_V is None:
        return lambda: (source_V, teach(source_V, rng), None)
    desired_V = part.rows("desired_V", lesson.desired_V, sizes.targets, "target")
    if len(source_V) != len(desired_V):
        raise part.problem("desired_V", f"expected {len(source_V)} examples, as source_V has, got {len(desired_V)}")
    return lambda: (source_V, desired_V, None)


class _Part:
    """A part of the task file whose values are checked against the placement."""

    def __init__(self, task: Task, key: str, sizes: Sizes) -> None:
        self.task, self.key, self.sizes = task, key, sizes

    def problem(self, key: str, text: str) -> Exception:
        return self.task.problem(f"{self.key}.{key}", text)

    def rows(self, key: str, rows: list[list[float]], width: int, each: str) -> np.ndarray:
        """(examples, width) array of voltages."""
        for i, row in enumerate(rows):
            self.width(f"{key}.{i}", len(row), width, each)
            self.within(f"{key}.{i}", row)
        return np.array(rows, dtype=float)

    def width(self, key: str, got: int, width: int, each: str) -> None:
        if got != width:
            raise self.problem(key, f"expected {width} voltages, one for each {each}, got {got}")

    def within(self, key: str, voltages: list[float]) -> None:
        for i, voltage in enumerate(voltages):
            if not -MOST_V <= voltage <= MOST_V:
                text = f"expected a voltage within {-MOST_V}..{MOST_V} V, got {voltage:g}"
                raise self.problem(f"{key}.{i}", text)

    def source_count(self, inputs: int, references: int, key: str, word: str) -> None:
        if inputs + references != self.sizes.sources:
            text = f"{inputs} {word} and {references} reference_V"
            raise self.problem(key, f"expected {text} to make the {self.sizes.sources} sources of the placement")


def _regression(table: Regression, part: _Part, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    inputs = len(table.coefficients[0])
    for i, row in enumerate(table.coefficients):
        if len(row) != inputs:
            text = f"expected {inputs} numbers, as in the first row, got {len(row)}"
            raise part.problem(f"regression.coefficients.{i}", text)
    if len(table.coefficients) != part.sizes.targets:
        text = f"expected {part.sizes.targets} rows, one for each target, got {len(table.coefficients)}"
        raise part.problem("regression.coefficients", text)
    part.source_count(inputs, len(table.reference_V), "regression.coefficients", "inputs")
    part.within("regression.input_V", table.input_V)
    part.within("regression.reference_V", table.reference_V)
    lowest, highest = table.input_V
    input_V = rng.uniform(lowest, highest, size=(table.examples, inputs))
    return _with_references(input_V, table.reference_V), input_V @ np.array(table.coefficients).T


def _classification(table: Classification, part: _Part, rng: np.random.Generator) -> Callable[[], Volts]:
    data = read_data(IRIS if table.data == "iris" else part.task.beside(table.data))
    part.source_count(len(data.columns), len(table.reference_V), "classification.data", "features")
    part.within("classification.input_V", table.input_V)
    part.within("classification.reference_V", table.reference_V)
    class_V = _class_voltages(table, part, data.classes)
    try:
        train, test = split(data.labels, table.test_share, rng)
    except ValueError as error:
        raise part.problem("classification.data", str(error)) from None
    feature_V = scaled(data.features, train, table.input_V)
    labels = data.labels
    source_V = _with_references(feature_V, table.reference_V)

    def made() -> Volts:
        from clockfree.task.logistic import logistic_accuracy  # scipy: slow to load, and only a classification asks

        held_out = HeldOut(
            source_V=source_V[test],
            labels=labels[test],
            classes=data.classes,
            class_V=class_V,
            majority=majority_accuracy(labels[train], labels[test]),
            logistic=logistic_accuracy(feature_V[train], labels[train], feature_V[test], labels[test]),
        )
        return source_V[train], class_V[labels[train]], held_out

    return made


def _class_voltages(table: Classification, part: _Part, classes: tuple[str, ...]) -> np.ndarray:
    """Desired outputs of each class, (K, O), V."""
    if table.class_V is None:
        if len(classes) != part.sizes.targets:
            text = f"expected class_V, or {len(classes)} targets, one for each class, got {part.sizes.targets}"
            raise part.problem("classification.class_V", text)
        lowest, highest = table.input_V
        return np.where(np.eye(len(classes)) > 0, highest, lowest)
    for name in table.class_V:
        if name not in classes:
            raise part.problem(
                f"classification.class_V.{name}", f"expected a class of the data ({', '.join(classes)}), got {name!r}"
            )
    for name in classes:
        if name not in table.class_V:
            raise part.problem("classification.class_V", f"expected every class of the data, got none for {name!r}")
        part.width(f"classification.class_V.{name}", len(table.class_V[name]), part.sizes.targets, "target")
        part.within(f"classification.class_V.{name}", table.class_V[name])
    return np.array([table.class_V[name] for name in classes], dtype=float)


def _with_references(input_V: np.ndarray, reference_V: list[float]) -> np.ndarray:
    return np.column_stack([input_V, np.tile(np.array(reference_V, dtype=float), (len(input_V), 1))])
