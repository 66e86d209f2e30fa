"""Values as a task file has them, from whatever Python has: arrays, tuples, ranges, numpy's numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clockfree.base.errors import InputError

ROWS = ("source_V", "desired_V")
"""Keys that hold a row for each example."""


def plain(value: Any, key: str, where: Path) -> Any:
    """A value as TOML has it; InputError at one row where there should be a row for each example.

    What no task file could hold stays as it is: whoever checks the task says what was expected.
    """
    if isinstance(value, Mapping):
        return {str(name): plain(part, f"{key}.{name}", where) for name, part in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "__array__"):  # of numpy, xarray, pandas
        value = np.asarray(value).tolist()
    if isinstance(value, list | tuple | range):
        if key.rpartition(".")[2] in ROWS and len(value) and all(isinstance(part, int | float) for part in value):
            row = f"expected a row of voltages for each example, got one row: write [{list(value)}]"
            raise InputError(f"{where}: {key}: {row}")
        return [plain(part, f"{key}.{i}", where) for i, part in enumerate(value)]
    return value
