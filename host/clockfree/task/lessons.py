"""Lessons of a task as volts: what to put on the sources, and what the targets should read."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from clockfree.task import datatable
from clockfree.task.classification import DataSet, HeldOut, classes_of, majority_accuracy, split
from clockfree.task.encoding import Encoding, other_unit_of, scale_as_volts, scale_to, with_references
from clockfree.task.filetables import MOST_EXAMPLES, Classification, Regression, form_of
from clockfree.task.shipped import shipped
from clockfree.task.taskfile import Task
from clockfree_model.nearest import nearest
from clockfree_model.physics import MOST_V

Teach = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Draws a teacher network and gives its free outputs (B, O) at source_V (B, S), V."""

Volts = tuple[np.ndarray, np.ndarray, HeldOut | None]
"""Of one lesson: source_V (B, S), desired_V (B, O), and the held-out examples of a classification."""


@dataclass(frozen=True)
class Draft:
    """A lesson whose voltages are checked; `made` works them out.

    A teacher to solve, or a regression to fit, can wait until all else in the task is known to be right. `said` is what
    was understood of its data set, `encoding` how rows of one become volts; both of lessons from data only.
    """

    made: Callable[[], Volts]
    said: str = ""
    encoding: Encoding | None = None


@dataclass(frozen=True)
class Sizes:
    """Numbers of sources and targets; of what a task chooses itself, the supply and the margin inside it, V."""

    sources: int
    targets: int
    supply_V: float
    margin_V: float


def volts(task: Task, index: int, sizes: Sizes, rng: np.random.Generator, teach: Teach) -> Draft:
    """Voltages of lesson `index` of the task, checked now and worked out when they are called for.

    Raises
    ------
    InputError
        Sizes that do not fit the placement, a broken data set.
    """
    lesson = task.lesson[index]
    part = _Part(task, f"lesson.{index}", sizes)
    if lesson.regression is not None and lesson.regression.data is not None:
        return _regression_data(lesson.regression, part)
    if lesson.regression is not None:
        made = _regression(lesson.regression, part, rng)
        return Draft(lambda: (*made, None))
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
        return Draft(lambda: (source_V, teach(source_V, rng), None))
    desired_V = part.rows("desired_V", lesson.desired_V, sizes.targets, "target")
    if len(source_V) != len(desired_V):
        raise part.problem("desired_V", f"expected {len(source_V)} examples, as source_V has, got {len(desired_V)}")
    return Draft(lambda: (source_V, desired_V, None))


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

    def width(self, key: str, got: int, width: int, each: str, what: str = "voltages") -> None:
        if got != width:
            raise self.problem(key, f"expected {width} {what}, one for each {each}, got {got}")

    def examples(self, key: str, got: int) -> None:
        if got > MOST_EXAMPLES:
            raise self.problem(key, f"expected at most {MOST_EXAMPLES} rows to teach, got {got}")

    def within(self, key: str, voltages: list[float]) -> None:
        for i, voltage in enumerate(voltages):
            if not -MOST_V <= voltage <= MOST_V:
                text = f"expected a voltage within {-MOST_V}..{MOST_V} V, got {voltage:g}"
                raise self.problem(f"{key}.{i}", text)

    def source_count(self, inputs: int, references: int, key: str, word: str) -> None:
        if inputs + references != self.sizes.sources:
            text = (
                f"expected {inputs} {word} and {references} reference_V to make the {self.sizes.sources} sources of the"
            )
            hint = "placement" + (": features = [...] chooses some" if word == "features" else "")
            raise self.problem(key, f"{text} {hint}")


def _regression(table: Regression, part: _Part, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    coefficients, range_V = table.coefficients or [], table.input_V or [0.0, 1.0]
    inputs = len(coefficients[0])
    for i, row in enumerate(coefficients):
        if len(row) != inputs:
            text = f"expected {inputs} numbers, as in the first row, got {len(row)}"
            raise part.problem(f"regression.coefficients.{i}", text)
    if len(coefficients) != part.sizes.targets:
        text = f"expected {part.sizes.targets} rows, one for each target, got {len(coefficients)}"
        raise part.problem("regression.coefficients", text)
    part.source_count(inputs, len(table.reference_V), "regression.coefficients", "inputs")
    part.within("regression.input_V", range_V)
    part.within("regression.reference_V", table.reference_V)
    lowest, highest = range_V
    input_V = rng.uniform(lowest, highest, size=(table.examples or 0, inputs))
    return with_references(input_V, table.reference_V), input_V @ np.array(coefficients).T


def _regression_data(table: Regression, part: _Part) -> Draft:
    """Rows of a data set: columns of inputs on the sources, columns of outputs as desired voltages."""
    form = form_of(table)
    data = datatable.read(part.task.path(f"{part.key}.regression.data", str(table.data)), form)
    for key in ("inputs", "outputs"):
        if not getattr(table, key):
            shown = ", ".join(f'"{name}"' for name in data.names[:8])
            raise part.problem(f"regression.{key}", f"expected names of columns, such as [{shown}], got none")
    for key, names in (("inputs", table.inputs), ("outputs", table.outputs)):
        for name in names:
            data.column(key, name)
    both = set(table.inputs) & set(table.outputs)
    if both:
        raise part.problem("regression.outputs", f"expected other columns than inputs has, got {min(both)!r}")
    part.source_count(len(table.inputs), len(table.reference_V), "regression.inputs", "inputs")
    part.width("regression.outputs", len(table.outputs), part.sizes.targets, "target", "columns")
    part.within("regression.reference_V", table.reference_V)
    data.without_missing([*table.inputs, *table.outputs], form)
    part.examples("regression.data", len(data.rows))
    sides = []
    for key, names, range_V in (("input", table.inputs, table.input_V), ("output", table.outputs, table.output_V)):
        values = np.column_stack([data.numbers(name) for name in names])
        if range_V is not None:
            part.within(f"regression.{key}_V", range_V)
        for name in names if range_V is None else ():
            if (unit := other_unit_of(name)) is not None:
                hint = f"write {key}_V = [LOWEST, HIGHEST], which its range becomes"
                raise data.problem(f"expected a voltage, got {unit}: {hint}", None, name)
        scale = scale_as_volts(names) if range_V is None else scale_to(names, values, range_V)
        volts = scale.volts(values)
        if np.ptp(volts) > part.sizes.supply_V and range_V is None:
            got = f"{volts.min():.4g}..{volts.max():.4g} V"
            hint = f"write {key}_V = [LOWEST, HIGHEST], which its range becomes, or scale"
            text = f"expected voltages that span at most {part.sizes.supply_V:g} V, got {got}: {hint}"
            raise data.problem(text, None, ", ".join(names))
        sides.append((scale, volts))
    (inputs, input_V), (outputs, desired_V) = sides
    encoding = Encoding(inputs, tuple(table.reference_V), clip=False, outputs=outputs)
    said = f"{data.path}: {', '.join(data.said)}; in {inputs.said()}; out {outputs.said()}; {len(data.rows)} rows"
    source_V = with_references(input_V, table.reference_V)
    return Draft(lambda: (source_V, desired_V, None), said, encoding)


def _classification(table: Classification, part: _Part, rng: np.random.Generator) -> Draft:
    form = form_of(table)

    def read(name: str, key: str) -> DataSet:
        key = f"{part.key}.classification.{key}"
        data = shipped(name) if part.task.file_beside(key, name) is None else None
        found = data or datatable.read(part.task.path(key, name), form)
        return classes_of(found, form, table.class_column, table.features)

    data = read(table.data, "data")
    part.source_count(len(data.columns), len(table.reference_V), "classification.data", "features")
    part.within("classification.input_V", table.input_V)
    part.within("classification.reference_V", table.reference_V)
    class_V = _class_voltages(table, part, data.classes)
    values, labels = data.features, data.labels
    said = f"{table.data}: {data.said}"
    if table.test_data is None:
        try:
            train, test = split(data.labels, table.test_share, rng)
        except ValueError as error:
            raise part.problem("classification.data", str(error)) from None
    else:
        other = _like(read(table.test_data, "test_data"), data, part)
        train, test = np.arange(len(labels)), len(labels) + np.arange(len(other.labels))
        values, labels = np.concatenate([values, other.features]), np.concatenate([labels, other.labels])
        said += f"; tested by {table.test_data}, {len(other.labels)} rows"
    part.examples("classification.data", len(train))
    scale = scale_to(data.columns, values[train], table.input_V)
    encoding = Encoding(scale, tuple(table.reference_V), clip=True, class_column=data.class_column)
    feature_V = scale.volts(values, clip=True)
    source_V = with_references(feature_V, table.reference_V)

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

    return Draft(made, f"{said}; {scale.said()}", encoding)


def _like(other: DataSet, data: DataSet, part: _Part) -> DataSet:
    """A second data set with the columns and classes of the first, in its order."""
    if sorted(other.columns) != sorted(data.columns):
        text = f"expected the columns {', '.join(data.columns)}, got {', '.join(other.columns)}"
        raise part.problem("classification.test_data", text)
    for name in other.classes:
        if name not in data.classes:
            text = f"expected a class that is taught ({', '.join(data.classes)}), got {name!r}"
            raise part.problem("classification.test_data", text + nearest(name, data.classes))
    order = [other.columns.index(name) for name in data.columns]
    labels = np.array([data.classes.index(name) for name in other.classes])[other.labels]
    return replace(other, columns=data.columns, features=other.features[:, order], classes=data.classes, labels=labels)


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
                f"classification.class_V.{name}",
                f"expected a class of the data ({', '.join(classes)}), got {name!r}{nearest(name, classes)}",
            )
    for name in classes:
        if name not in table.class_V:
            raise part.problem("classification.class_V", f"expected every class of the data, got none for {name!r}")
        part.width(f"classification.class_V.{name}", len(table.class_V[name]), part.sizes.targets, "target")
        part.within(f"classification.class_V.{name}", table.class_V[name])
    return np.array([table.class_V[name] for name in classes], dtype=float)
