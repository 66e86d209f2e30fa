"""Reading of network files: the graph that every reader gives, and how it says what is wrong."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Graph = tuple[list[str], list[tuple[str, str]], list[tuple[float, float]] | None]
"""`(names, pairs, positions)`: node names in file order, edges as pairs of names, and positions, None where there are
none."""


class NetworkError(ValueError):
    """A network that cannot be used, in one line: `FILE: key: expected …, got …`.

    For a network made from a specification, the specification stands in the place of the file.
    """

    def __init__(self, where: str | Path, key: str, problem: str) -> None:
        super().__init__(f"{where}: {key}: {problem}")
        self.problem = problem


def positions_of(path: Path, nodes: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[float, float]] | None:
    """Node attributes x and y, all or none."""
    if not any("x" in attributes or "y" in attributes for _, attributes in nodes):
        return None
    positions = []
    for name, attributes in nodes:
        place = []
        for key in "xy":
            value = attributes.get(key)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise NetworkError(
                    path, f"nodes.{name}.{key}", f"expected a number, as the other nodes have, got {shown(value)}"
                )
            place.append(float(value))
        positions.append((place[0], place[1]))
    return positions


def shown(value: object) -> str:
    """A value as an error shows it: short, and nothing for what is missing."""
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
