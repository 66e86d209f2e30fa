"""What turns a row of a data set into volts, and outputs back: kept with a run, so that new rows can be asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

UNITS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "µV": 1e-6, "kV": 1e3, "volt": 1.0, "volts": 1.0}

OTHERS = {
    "m", "cm", "mm", "um", "nm", "km", "g", "kg", "mg", "s", "ms", "us", "min", "h", "Hz", "kHz", "MHz", "A", "mA",
    "uA", "nA", "ohm", "kohm", "W", "mW", "Pa", "kPa", "bar", "N", "K", "C", "degC", "pct", "percent",
}  # fmt: skip


def unit_of(name: str) -> str | None:
    """The unit at the end of a column's name, `x_mV` or `x (mV)` or `x [mV]`, if it is one of voltage."""
    for sign in ("_", "(", "[", " "):
        unit = name.rpartition(sign)[2].strip(" )]")
        if unit != name and unit in UNITS:
            return unit
    return None


def other_unit_of(name: str) -> str | None:
    """The unit at the end of a column's name that is none of voltage: any in brackets, a common one after `_`."""
    for opening, closing in ("()", "[]"):
        if name.endswith(closing) and opening in name:
            unit = name.rpartition(opening)[2][:-1].strip()
            return None if unit in UNITS else unit
    unit = name.rpartition("_")[2]
    return unit if unit != name and unit in OTHERS else None


@dataclass(frozen=True)
class Scale:
    """Columns as volts, and back: `lowest` .. `highest` of each column becomes `low_V` .. `high_V`.

    Attributes
    ----------
    names : tuple of str
    lowest, highest : tuple of float
        In the columns' own units.
    low_V, high_V : tuple of float
    """

    names: tuple[str, ...]
    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    low_V: tuple[float, ...]
    high_V: tuple[float, ...]

    def volts(self, values: np.ndarray, clip: bool = False) -> np.ndarray:
        """Voltages (n, C) of values (n, C); clipped to low_V .. high_V if asked."""
        lowest, highest, low_V, high_V = map(np.array, (self.lowest, self.highest, self.low_V, self.high_V))
        # A column that never varies says nothing; it stays at the low end.
        share = (values - lowest) / np.where(highest > lowest, highest - lowest, 1.0)
        found: np.ndarray = low_V + (high_V - low_V) * (np.clip(share, 0.0, 1.0) if clip else share)
        return found

    def values(self, volts: np.ndarray) -> np.ndarray:
        """Values (n, C) in the columns' units, of voltages (n, C)."""
        lowest, highest, low_V, high_V = map(np.array, (self.lowest, self.highest, self.low_V, self.high_V))
        found: np.ndarray = lowest + (volts - low_V) / (high_V - low_V) * (highest - lowest)
        return found

    def said(self) -> str:
        """What becomes of each column, in a few words."""
        parts = []
        for name, lowest, highest, low_V, high_V in zip(
            self.names, self.lowest, self.highest, self.low_V, self.high_V, strict=True
        ):
            if (lowest, highest) == (low_V, high_V):
                parts.append(f"{name} in V")
            else:
                parts.append(f"{name} {lowest:.6g}..{highest:.6g} as {low_V:g}..{high_V:g} V")
        return ", ".join(parts)


def scale_to(names: Sequence[str], values: np.ndarray, range_V: Sequence[float]) -> Scale:
    """The scale by which the range of each column of values (n, C) becomes `range_V`."""
    count = len(names)
    lowest, highest = values.min(axis=0).tolist(), values.max(axis=0).tolist()
    return Scale(tuple(names), tuple(lowest), tuple(highest), (range_V[0],) * count, (range_V[1],) * count)


def scale_as_volts(names: Sequence[str]) -> Scale:
    """Columns that are voltages, by the unit in their names, or V."""
    units = [UNITS[unit_of(name) or "V"] for name in names]
    count = len(names)
    return Scale(tuple(names), (0.0,) * count, tuple(1.0 / unit for unit in units), (0.0,) * count, (1.0,) * count)


@dataclass(frozen=True)
class Encoding:
    """How rows of a lesson's data set become voltages of the sources, and outputs its answers.

    Attributes
    ----------
    inputs : Scale
        Of the columns on the first sources, in order.
    reference_V : tuple of float
        On the sources after them.
    clip : bool
        What lies outside a column's range is put at its end.
    outputs : Scale or None
        Of a regression: the columns that the targets answer.
    class_column : str or None
        Of a classification.
    """

    inputs: Scale
    reference_V: tuple[float, ...]
    clip: bool
    outputs: Scale | None = None
    class_column: str | None = None

    def source_V(self, values: np.ndarray) -> np.ndarray:
        """Voltages of the sources (n, S) for rows (n, C) of the input columns."""
        return with_references(self.inputs.volts(values, self.clip), self.reference_V)


def with_references(input_V: np.ndarray, reference_V: Sequence[float]) -> np.ndarray:
    """Voltages of all sources: those of the inputs (n, C), then the references, the same in every row."""
    return np.column_stack([input_V, np.tile(np.array(reference_V, dtype=float), (len(input_V), 1))])


def encoding_from(table: dict[str, Any]) -> Encoding:
    """The encoding that a record has as plain data."""
    inputs, outputs = (
        None if table.get(key) is None else Scale(**{name: tuple(values) for name, values in table[key].items()})
        for key in ("inputs", "outputs")
    )
    if inputs is None:
        raise KeyError("inputs")
    return Encoding(inputs, tuple(table["reference_V"]), table["clip"], outputs, table.get("class_column"))
