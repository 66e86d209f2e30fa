"""Outputs of a sample in a log: all of them, or what gives all of them in fewer numbers."""

import math
from typing import Any

import numpy as np

from clockfree_model.job import Lesson, Sample
from clockfree_model.linear import outputs
from clockfree_model.record import plain


def told(sample: Sample, before: Sample | None, on_boards: bool) -> dict[str, Any]:
    """Fields of a sample's record: `gain` where it is the smaller, `changed_V` where not all changed, or `outputs_V`.

    On boards null is what was not measured; in simulation there is no such output.
    """
    outputs_V = sample.outputs_V
    if sample.gain is not None and sample.gain.size < outputs_V.size:
        return {"gain": plain(sample.gain)}
    if not on_boards:
        return {"outputs_V": plain(outputs_V)}
    if before is not None and before.lesson == sample.lesson:
        same = (outputs_V == before.outputs_V) | (np.isnan(outputs_V) & np.isnan(before.outputs_V))
        changed = np.flatnonzero(~same.all(axis=1)).tolist()
        if len(changed) < len(outputs_V):
            return {"changed_V": {str(example): _known(outputs_V[example]) for example in changed}}
    return {"outputs_V": [_known(row) for row in outputs_V]}


def _known(row: np.ndarray) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in row.tolist()]


def outputs_V(fields: dict[str, Any], lesson: Lesson, before: dict[str, Any] | None) -> np.ndarray:
    """All outputs (B, O) of a sample's record, V; `before` is the sample before, as it was read.

    Raises
    ------
    KeyError, IndexError, TypeError, ValueError, AttributeError
        The fields are not what `told` gives for this lesson.
    """
    examples, targets = lesson.desired_V.shape
    if "gain" in fields:
        return outputs(lesson.source_V, np.array(fields["gain"], dtype=float).reshape(targets, -1))
    if "changed_V" not in fields:
        return np.array(fields["outputs_V"], dtype=float).reshape(examples, targets)
    if before is None or before["lesson"] != fields["lesson"]:
        raise ValueError("nothing before that could have changed")
    found: np.ndarray = before["outputs_V"].copy()
    for example, row in fields["changed_V"].items():
        found[range(examples)[int(example)]] = np.array(row, dtype=float).reshape(targets)
    return found
