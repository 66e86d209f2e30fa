"""Rows of a data set asked of a run: what the network, as it is now, answers, and how right it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clockfree.api.result import Run
from clockfree.base.errors import InputError
from clockfree.task import datatable
from clockfree.task.classification import HeldOut, class_names
from clockfree.task.datatable import DataTable, Form
from clockfree.task.encoding import Encoding
from clockfree.task.plan import make_plan
from clockfree_model.ground import rounded
from clockfree_model.nearest import nearest


@dataclass(frozen=True)
class Answers:
    """What a run answers to the rows of a data set.

    Attributes
    ----------
    table : DataTable
        Rows that were asked.
    outputs_V : (n, O) float array
        Free outputs, V.
    values : dict
        By name of a target, or of a column that it was taught, what it answers: volts, or in the column's own unit.
    classes : list of str or None
        Of a classification, the class that each row is taken for.
    """

    table: DataTable
    outputs_V: np.ndarray
    values: dict[str, np.ndarray]
    classes: list[str] | None


@dataclass(frozen=True)
class Asked:
    """A run that can be asked, with what it was taught by."""

    run: Run
    encoding: Encoding | None
    exam: HeldOut | None
    bench: str
    move: bool

    @classmethod
    def of(cls, run: Run, bench: str = "sim", move: bool = False) -> "Asked":
        """The run, with how rows of its last lesson became volts, as its record says; `Run.outputs` on which bench."""
        if run.folder is None:
            raise InputError("run: expected one with a folder, whose record says how rows become volts")
        plan = make_plan(run.folder / "run.toml", {}, [], False)
        lesson = run.record.samples[-1]["lesson"]
        return cls(run, plan.encodings[lesson] if plan.encodings else None, plan.held_out[lesson], bench, move)

    def infer(self, path: Path | str, form: Form = Form()) -> Answers:
        """What the network answers to each row of a file.

        Columns are those that it was taught, by their names; of a lesson that was not from data, the sources, in V.

        Raises
        ------
        InputError
            A column that is not there, a cell that is no number, a voltage outside the supply; as `Run.outputs`.
        """
        table = datatable.read(path, form)
        job = self.run.record.job
        nodes = job.network.nodes
        columns = self.encoding.inputs.names if self.encoding else tuple(nodes[node] for node in job.sources)
        for name in columns:
            if name not in table.cells:
                what = "the columns that it was taught" if self.encoding else "a column of volts for each source"
                text = f"expected {what}, {', '.join(columns)}, got none of the name {name!r}"
                raise table.problem(text + nearest(name, table.names))
        table.without_missing(columns, form)
        values = np.column_stack([table.numbers(name) for name in columns])
        source_V = self.encoding.source_V(values) if self.encoding else values
        outputs_V = np.asarray(self.run.outputs(source_V, self.bench, move=self.move, progress=True).values)
        targets = [nodes[node] for node in job.targets]
        if self.encoding is not None and self.encoding.outputs is not None:
            found = self.encoding.outputs.values(outputs_V)
            targets = list(self.encoding.outputs.names)
        else:
            found = outputs_V
        classes = None if self.exam is None else [self.exam.classes[i] for i in self.exam.answers(outputs_V)]
        return Answers(table, outputs_V, dict(zip(targets, found.T, strict=True)), classes)

    def test(self, path: Path | str, form: Form = Form()) -> dict[str, Any]:
        """How right the network is on the rows of a file, which say what is right.

        Returns
        -------
        dict
            `rows`; `error_V2`, mean over rows and targets of (V_F - V_D)^2; of a classification `accuracy`, and
            `confusions`, by class how many of its rows were taken for which; else `rms` of each column in its unit.

        Raises
        ------
        InputError
            As `infer`; and a class that was not taught.
        """
        answers = self.infer(path, form)
        table, job = answers.table, self.run.record.job
        found: dict[str, Any] = {"run": str(self.run.folder), "data": str(path), "rows": len(table.rows)}
        if self.exam is not None:
            right, labels = self._right(table)
            desired_V = self.exam.class_V[labels]
            taken = answers.classes or []
            found["accuracy"] = float(np.mean([a == b for a, b in zip(taken, right, strict=True)]))
            found["confusions"] = {
                truth: {name: sum(a == truth and b == name for a, b in zip(right, taken)) for name in self.exam.classes}
                for truth in self.exam.classes
            }
        else:
            desired = np.column_stack([table.numbers(table.column("", name)) for name in answers.values])
            scale = self.encoding.outputs if self.encoding else None
            desired_V = desired if scale is None else scale.volts(desired)
            off = np.column_stack(list(answers.values.values())) - desired
            found["rms"] = dict(zip(answers.values, np.sqrt(np.mean(off**2, axis=0)).tolist(), strict=True))
        found["error_V2"] = float(np.mean((answers.outputs_V - rounded(desired_V, job.ground.scale, job.physics)) ** 2))
        return found

    def _right(self, table: DataTable) -> tuple[list[str], list[int]]:
        """Class of each row, and its index."""
        assert self.exam is not None
        column = self.encoding.class_column if self.encoding else None
        if column is None:
            text = "expected a run whose record says which column is the class, got one of an earlier version"
            raise InputError(f"{self.run.folder}: data: {text}")
        right = class_names(table, table.column("", column))
        for i, name in enumerate(right):
            if name not in self.exam.classes:
                text = f"expected one of {', '.join(self.exam.classes)}, got {name!r}{nearest(name, self.exam.classes)}"
                raise table.problem(text, i, column)
        return right, [self.exam.classes.index(name) for name in right]
