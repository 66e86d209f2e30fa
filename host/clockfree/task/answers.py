"""Answers of a person about a new task: what each may be, and the task file that they come to."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from clockfree.base import shipped
from clockfree.base.errors import InputError
from clockfree.task import datatable
from clockfree.task.classification import classes_of
from clockfree.task.shipped import shipped as shipped_data
from clockfree.task.taskfile import Task
from clockfree_model.nearest import nearest
from clockfree_model.network import Network, load
from clockfree_model.physics import PRESETS, Physics

Answer = TypeVar("Answer")
SHOWN = 12
"""Names of nodes that are shown of a network."""


class Answers(Protocol):
    """Who knows, or asks, what the answers are."""

    def get(self, option: str, question: str, default: str, read: Callable[[str], Answer]) -> Answer:
        """The answer to a question, read; `read` raises ValueError where it is none."""

    def rows(self, option: str, question: str, default: str, read: Callable[[str], Answer]) -> list[Answer]:
        """Answers to one question, as many as there are."""

    def say(self, text: str) -> None:
        """A line that helps with the next answer."""


@dataclass(frozen=True)
class _Asking:
    """What is known so far."""

    answers: Answers
    folder: Path
    network: Network
    physics: Physics

    @property
    def top_V(self) -> float:
        """What voltages can span on the circuit, with the margin kept at both rails, V."""
        return round(self.physics.supply_V - 2 * self.physics.margin_V, 6)

    def nodes(self, role: str, count: int, fixed: bool) -> tuple[int | list[str], int]:
        """Nodes of a role, as a task file has them, and how many; `fixed` where it has to be so many."""

        def read(text: str) -> tuple[int | list[str], int]:
            if text.strip().isdecimal():
                asked: int | list[str] = int(text)
                number = int(text)
            else:
                asked = [name.strip().strip("\"'") for name in text.split(",")]
                for name in asked:
                    self.network.index(name)
                number = len(asked)
            if not 1 <= number < len(self.network.nodes) or (fixed and number != count):
                most = f"{count}" if fixed else f"1..{len(self.network.nodes) - 1}"
                raise ValueError(f"expected {most} {role}, got {number}")
            return asked, number

        names = "names with commas between them, or how many to draw"
        return self.answers.get(role, f"{role.capitalize()} ({names})", str(count), read)


def task_of(answers: Answers, file: Path) -> dict[str, Any]:
    """The task that the answers come to, as TOML has it, to be written to a file."""
    spec, network = answers.get("network", "Network (lab16, square:5x5, planar:64:143:0, a file)", "lab16", _network)
    names = ", ".join(network.nodes[:SHOWN]) + (", ..." if len(network.nodes) > SHOWN else "")
    answers.say(f"  {len(network.nodes)} nodes, {len(network.ends)} edges: {names}")
    preset = answers.get("preset", f"Preset ({', '.join(PRESETS)}; board is real parts)", "board", _one_of(PRESETS))
    teach = answers.get("teach", f"What is taught ({', '.join(LESSONS)})", next(iter(LESSONS)), _one_of(LESSONS))
    asking = _Asking(answers, file.parent, network, PRESETS[preset])
    placement, lesson = LESSONS[teach](asking)
    updates = answers.get("updates", "Updates (firings per edge)", str(Task.model_fields["updates"].default), _updates)
    return {
        "network": _beside(spec, file.parent),
        "preset": preset,
        "updates": updates,
        "placement": placement,
        "lesson": [lesson],
    }


def _teacher(asking: _Asking) -> tuple[dict[str, Any], dict[str, Any]]:
    (sources, _), (targets, _) = asking.nodes("sources", 2, False), asking.nodes("targets", 1, False)
    return {"sources": sources, "targets": targets}, {"teacher": True}


def _examples(asking: _Asking) -> tuple[dict[str, Any], dict[str, Any]]:
    (sources, inputs), (targets, outputs) = asking.nodes("sources", 2, False), asking.nodes("targets", 1, False)
    top_V = asking.top_V

    def read(text: str) -> list[list[float]]:
        sides = [[_volts(part, top_V) for part in side.split(",")] for side in text.split(":")]
        if [len(side) for side in sides] != [inputs, outputs]:
            raise ValueError(f"expected {inputs} source voltages : {outputs} desired voltages, got {text!r}")
        return sides

    spread = [f"{top_V * i / max(1, inputs - 1):.3g}" for i in range(inputs)]
    default = f"{', '.join(spread)} : {', '.join([f'{top_V / 2:.3g}'] * outputs)}"
    question = f"voltages of the sources ({inputs}) : of the targets ({outputs}), V"
    rows = asking.answers.rows("example", question, default, read)
    return {"sources": sources, "targets": targets}, dict(zip(("source_V", "desired_V"), map(list, zip(*rows))))


def _regression(asking: _Asking) -> tuple[dict[str, Any], dict[str, Any]]:
    question = "Coefficients (a row an output: 0.2, 0.3; 0.1, 0.5)"
    rows = asking.answers.get("coefficients", question, "0.2, 0.3", _rows)
    inputs = len(rows[0])
    asking.answers.say(f"  {inputs} inputs and a source at 0 V: {inputs + 1} sources")
    (sources, _), (targets, _) = asking.nodes("sources", inputs + 1, True), asking.nodes("targets", len(rows), True)
    asked = {"coefficients": rows, "examples": 2 * inputs, "input_V": [0.0, 1.0], "reference_V": [0.0]}
    return {"sources": sources, "targets": targets}, {"regression": asked}


def _classification(asking: _Asking) -> tuple[dict[str, Any], dict[str, Any]]:
    def read(text: str) -> tuple[str, list[str], int]:
        try:
            found = classes_of(shipped_data(text) or datatable.read(text))
        except InputError as error:
            raise ValueError(str(error)) from None
        return text, list(found.classes), len(found.columns)

    question = "Data (iris, or a CSV file: a header, numbers, in the last column the class)"
    data, classes, features = asking.answers.get("data", question, "iris", read)
    high_V = asking.top_V
    count = features + 2
    asking.answers.say(f"  {features} features and sources at 0 and {high_V:g} V: {count} sources")
    (sources, _), (targets, _) = asking.nodes("sources", count, True), asking.nodes("targets", 1, True)
    steps = {name: [round((i + 0.5) / len(classes) * high_V, 3)] for i, name in enumerate(classes)}
    ends = [0.0, high_V]
    asked = {"data": _beside(data, asking.folder), "input_V": ends, "reference_V": ends, "class_V": steps}
    return {"sources": sources, "targets": targets}, {"classification": asked}


LESSONS: dict[str, Callable[[_Asking], tuple[dict[str, Any], dict[str, Any]]]] = {
    "teacher": _teacher,
    "examples": _examples,
    "regression": _regression,
    "classification": _classification,
}
"""What can be taught; each asks for what it needs and gives placement and lesson."""


def _network(text: str) -> tuple[str, Network]:
    spec = text.strip()
    found = spec if Path(spec).is_file() else str(shipped.example(shipped.NETWORK, spec) or spec)
    return spec, load(found)


def _beside(name: str, folder: Path) -> str:
    """A file as the task file beside it has to name it; anything else as it is."""
    return os.path.relpath(name, folder) if Path(name).is_file() else name


def _one_of(names: Any) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.strip() not in names:
            raise ValueError(f"expected one of {', '.join(names)}, got {text!r}{nearest(text, names)}")
        return text.strip()

    return read


def _updates(text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise ValueError(f"expected an integer >= 1, got {text!r}")
    return int(text)


def _volts(text: str, top_V: float) -> float:
    volts = _number(text)
    if not 0 <= volts <= top_V:
        raise ValueError(f"expected 0..{top_V:g} V, what the preset has room for, got {text.strip()}")
    return volts


def _rows(text: str) -> list[list[float]]:
    rows = [[_number(part) for part in row.split(",")] for row in text.split(";")]
    if len({len(row) for row in rows}) != 1:
        raise ValueError(f"expected as many numbers in each row, got {text!r}")
    return rows


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number, got {text.strip()!r}") from None
